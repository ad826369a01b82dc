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
    shown,
)
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.folders import Folders, served

NAME = ".htaccess"
DIRECTIVE = re.compile(r"\s*(php_(?:admin_)?(?:value|flag))(?:\s+(\S+))?", re.IGNORECASE)
OPENING = re.compile(r"""\s*<(If(?:Module|Define|Directive))\s+["']?\s*([^"'>\s]+)""", re.IGNORECASE)
CLOSING = re.compile(r"\s*</If(?:Module|Define|Directive)>", re.IGNORECASE)
OF_PHP = re.compile(r"(mod_)?php", re.IGNORECASE)  # mod_php.c, mod_php7.c, php_module, and the directives
REMEDY = "set it in php_settings of the site and remove the line, or put it into <IfModule mod_php.c>"


class Found(t.NamedTuple):
    """A directive of mod_php, with the number of its line."""

    line: int
    directive: str


def needs_mod_php(text: str) -> list[Found]:
    """Return the directives of mod_php in the text of a .htaccess file that Apache would evaluate."""
    found = []
    skipped: list[bool] = []  # for each open section, whether Apache skips its content
    for number, line in _lines(text):
        if opening := OPENING.match(line):
            skipped.append(_is_skipped(opening[1], opening[2]))
        elif CLOSING.match(line):
            del skipped[-1:]
        elif (directive := DIRECTIVE.match(line)) and not any(skipped):
            found.append(Found(number, " ".join(filter(None, directive.groups()))))
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
    """Return whether Apache, without mod_php and without a definition (-D), skips the content of a section."""
    negated = argument.startswith("!")
    if section.lower() == "ifdefine":
        return not negated
    return not negated and bool(OF_PHP.match(argument))


def require_no_mod_php(name: str, members: t.Sequence[Member], folders: Folders) -> None:
    """Raise GroundworkError with each line of a .htaccess file that needs mod_php.

    Apache evaluates the files in the web root and in what its links lead to, but not in folders that the site can
    write.
    """
    links = {member.path: member.target for member in members if member.kind == "link"}
    within = served(folders.web_root, links)
    problems = [
        f"- {shown(member.path)}, line {found.line}: {found.directive}; {REMEDY}."
        for member in members
        if member.kind == "file" and member.path.rpartition("/")[2] == NAME
        if is_within(member.path, within) and not is_within(member.path, folders.all)
        for found in needs_mod_php(b"".join(content_of(member)).decode(errors="replace"))
    ]
    if problems:
        more = [f"- and {len(problems) - MOST_PROBLEMS} more."] if len(problems) > MOST_PROBLEMS else []
        what = f"{name} cannot be released: Apache would answer 500, because its {NAME} files need mod_php."
        raise GroundworkError("\n".join([what, *problems[:MOST_PROBLEMS], *more]))
