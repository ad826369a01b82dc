# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The .htaccess files of an application that need mod_php. Apache does not have it, and answers 500 to such a file.

PHP runs in php-fpm. https://www.php.net/manual/en/configuration.changes.php has the directives of mod_php, and
https://httpd.apache.org/docs/2.4/mod/core.html the sections whose content Apache skips.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.archives import content_of
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.containment import (
    MOST_PROBLEMS,
    Member,
    is_within,
    links_of,
    shown,
)
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.folders import Folders, served

NAME = ".htaccess"
DIRECTIVE = re.compile(r"\s*(php_(?:admin_)?(?:value|flag))(?:\s+(\S+))?", re.IGNORECASE)
HANDLER = re.compile(
    r"""\s*((?:Add|Set)Handler|AddType)\s+["']?([\w/.-]*x-httpd-(?:[\w.]*-)?(?:lsphp|php)\S*?)["']?(?:\s|$)""",
    re.IGNORECASE,
)
OPENING = re.compile(r"""\s*<(If(?:Module|Define|Directive|Version))\s+["']?\s*([^>]*?)["']?\s*>""", re.IGNORECASE)
CLOSING = re.compile(r"\s*</If(?:Module|Define|Directive|Version)>", re.IGNORECASE)
OF_PHP = re.compile(r"(mod_)?php", re.IGNORECASE)  # the directives, as php_value
MODULE = re.compile(r"(?:mod_)?(\w+?)(?:\.c|_module)", re.IGNORECASE)  # mod_rewrite.c or rewrite_module
# What is compiled into Debian's Apache, what its package enables, and what the role lamp enables.
MODULES = frozenset(
    (
        *("access_compat", "alias", "auth_basic", "authn_core", "authn_file", "authz_core", "authz_host", "authz_user"),
        *("autoindex", "core", "deflate", "dir", "env", "filter", "headers", "http", "log_config", "logio", "mime"),
        *("mpm_event", "negotiation", "proxy", "proxy_fcgi", "remoteip", "reqtimeout", "rewrite", "setenvif", "so"),
        *("unixd", "version", "watchdog"),
    )
)
VERSION = (2, 4)
COMPARE = re.compile(r"(!?)\s*(<=|>=|==|=|<|>|~)?\s*/?\^?([\d.\\]+)")
REMEDY = "set it in php_settings of the site and remove the line, or put it into <IfModule mod_php.c>"
HANDLER_REMEDY = "remove the line: visitors would get the source of these files, and .php files run without it"


class Found(t.NamedTuple):
    """A directive of mod_php, with the number of its line."""

    line: int
    directive: str
    remedy: str = REMEDY


def needs_mod_php(text: str) -> list[Found]:
    """Return the directives of mod_php in the text of a .htaccess file that Apache would evaluate."""
    found = []
    skipped: list[bool] = []  # for each open section, whether Apache skips its content
    for number, line in _lines(text):
        if opening := OPENING.match(line):
            skipped.append(_is_skipped(opening[1], opening[2]))
        elif CLOSING.match(line):
            del skipped[-1:]
        elif any(skipped):
            continue
        elif directive := DIRECTIVE.match(line):
            found.append(Found(number, " ".join(filter(None, directive.groups()))))
        elif handler := HANDLER.match(line):
            found.append(Found(number, " ".join(handler.groups()), HANDLER_REMEDY))
    return found


def _lines(text: str) -> t.Iterator[tuple[int, str]]:
    """Yield each line with its number. A backslash at the end of a line joins it with the next one."""
    joined, begin = "", 0
    for number, line in enumerate(text.split("\n"), 1):
        begin = begin or number
        joined += line.removesuffix("\r")
        if joined.endswith("\\"):
            joined = joined[:-1]
            continue
        yield begin, joined
        joined, begin = "", 0
    if joined:
        yield begin, joined


def _is_skipped(section: str, argument: str) -> bool:
    """Return whether Apache 2.4, without mod_php and without a definition (-D), skips the content of a section."""
    negated, name = argument.startswith("!"), argument.lstrip("! ")
    if section.lower() == "ifdefine":
        return not negated
    if section.lower() == "ifversion":
        return not _is_version(argument)
    if section.lower() == "ifdirective":
        return negated != bool(OF_PHP.match(name))
    module = MODULE.fullmatch(name)
    return negated == bool(module and module[1].lower() in MODULES)


def _is_version(comparison: str) -> bool:
    """Return whether a comparison applies to Apache 2.4. One that this does not understand applies.

    https://httpd.apache.org/docs/2.4/mod/mod_version.html
    """
    found = COMPARE.match(comparison)
    if not found:
        return True
    numbers = [int(number) for number in re.findall(r"\d+", found[3])][: len(VERSION)]
    given = tuple(numbers + [0] * (len(VERSION) - len(numbers)))
    applies = {"<": given > VERSION, "<=": given >= VERSION, ">": given < VERSION, ">=": given <= VERSION}
    return applies.get(found[2] or "=", given == VERSION) != bool(found[1])


def require_no_mod_php(name: str, members: t.Sequence[Member], folders: Folders) -> None:
    """Raise GroundworkError with each line of a .htaccess file that needs mod_php.

    Apache evaluates the files in the web root and in what its links lead to, but not in folders that the site can
    write.
    """
    within = served(folders.web_root, links_of(members))
    problems = [
        f"- {shown(member.path)}, line {found.line}: {found.directive}; {found.remedy}."
        for member in members
        if member.kind == "file" and member.path.rpartition("/")[2] == NAME
        if is_within(member.path, within) and not is_within(member.path, folders.all)
        for found in needs_mod_php(b"".join(content_of(member)).decode(errors="replace"))
    ]
    if problems:
        more = [f"- and {len(problems) - MOST_PROBLEMS} more."] if len(problems) > MOST_PROBLEMS else []
        what = f"{name} cannot be released: its {NAME} files need mod_php, without which Apache answers 500."
        raise GroundworkError("\n".join([what, *problems[:MOST_PROBLEMS], *more]))
