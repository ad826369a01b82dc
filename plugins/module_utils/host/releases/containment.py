# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The check of an application's members: files, folders, and links that do not lead out of the application. Pure.

The same rules apply when an application is packed and when it is unpacked. Links are resolved within the application's
tree as Linux does (path_resolution(7)): component by component, so that `..` after a link is the parent of the link's
target. Comparing texts is not enough: a link whose text is harmless can lead out through another link.
"""

from __future__ import annotations

import io
import re
import typing as t
import unicodedata
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError

LONGEST_NAME = 255  # bytes of a component, NAME_MAX of Linux' file systems
LONGEST_PATH = 3840  # bytes: PATH_MAX is 4,096, of which a release's folder on the server takes up to 256
MOST_LINKS = 40  # in one path: the limit of Linux (path_resolution(7))
MOST_PROBLEMS = 20  # in one message
KEPT = re.compile(r"(^|/)(shared|srv/www)(/|$)")  # in the target of a link: a folder that is meant to outlive releases
SHARE = ", and declare it in shared of its site, so that each release has a link to data that is kept"


@dataclass(frozen=True)
class Member:
    """A file, a folder or a link of an application.

    `path` is relative, with slashes; `origin` is the archive, folder or repository that it comes from. `wrong` is
    why it cannot be part of an application, and what to do. `growing` is whether a file may change while it is read.
    """

    path: str
    kind: t.Literal["file", "directory", "link"]
    executable: bool = False
    target: str = ""
    size: int = 0
    open: t.Callable[[], t.IO[bytes]] = io.BytesIO
    origin: str = ""
    wrong: str = ""
    growing: bool = False


def whole_tree(members: t.Iterable[Member], what: str) -> list[Member]:
    """Return all members and the folders that their paths imply, sorted by path: a folder precedes its content.

    Raise GroundworkError with `what` (the archive, folder or repository) and each refused member.
    """
    found = list(members)
    problems = dict.fromkeys(problems_of(found))
    if problems:
        lines = [f"- {problem}" for problem in list(problems)[:MOST_PROBLEMS]]
        if len(problems) > MOST_PROBLEMS:
            lines.append(f"- and {len(problems) - MOST_PROBLEMS} more.")
        count = "1 member is" if len(problems) == 1 else f"{len(problems)} members are"
        raise GroundworkError("\n".join([f"{what} cannot be released: {count} refused.", *lines]))
    by_path = {member.path: member for member in found}
    implied = {parent for path in by_path for parent in parents(path)} - by_path.keys()
    return sorted([*by_path.values(), *(Member(path, "directory") for path in implied)], key=lambda one: one.path)


def problems_of(members: t.Sequence[Member]) -> t.Iterator[str]:
    """Yield what is wrong with the members, as `path: what is wrong; what would be right.`"""
    by_path: dict[str, Member] = {}
    for member in members:
        before = by_path.setdefault(member.path, member)
        wrong = member.wrong or wrong_name(member.path)
        if not wrong and member.kind == "link":
            wrong = _wrong_target(member.target)
        if wrong:
            yield f"{shown(member.path)}: {wrong}."
        elif before is not member and (before.kind, member.kind) != ("directory", "directory"):
            yield f"{shown(member.path)}: exists more than once; keep one of them."
    links = {path: member.target for path, member in by_path.items() if member.kind == "link"}
    for path, member in by_path.items():
        for parent in parents(path):
            if parent in by_path and by_path[parent].kind != "directory":
                wrong = f"is a {by_path[parent].kind}, but {shown(path)} is below it; keep one of them"
                yield f"{shown(parent)}: {wrong}."
        if member.kind == "link" and leads_out(path, links):
            wrong = f"the link leads out of the application, to {shown(member.target)}"
            right = f"copy its target, or leave it out (exclude){SHARE if KEPT.search(member.target) else ''}"
            yield f"{shown(path)}: {wrong}; {right}."


def leads_out(path: str, links: t.Mapping[str, str]) -> bool:
    """Return whether following the link at `path` leaves the tree at any step. `links` are all targets by path."""
    return destination(path, links) is None


def links_of(members: t.Iterable[Member]) -> dict[str, str]:
    """Return the targets of all links by their paths."""
    return {member.path: member.target for member in members if member.kind == "link"}


def destination(path: str, links: t.Mapping[str, str]) -> str | None:
    """Return where a path leads within the tree, or None if following its links leaves the tree at any step.

    A component that does not exist counts as a folder, because it can be created later.
    """
    place: list[str] = []
    ahead, followed = [*reversed(path.split("/"))], 0
    while ahead:
        name = ahead.pop()
        if name == "..":
            if not place:
                return None
            place.pop()
        elif name not in ("", "."):
            place.append(name)
            target = links.get("/".join(place))
            if target is not None:
                followed += 1
                if followed > MOST_LINKS:
                    break
                if target.startswith("/"):
                    return None
                place.pop()
                ahead += reversed(target.split("/"))
    return "/".join(place)


def is_within(path: str, folders: t.Iterable[str]) -> bool:
    """Return whether a path is one of the folders or in one of them. "" is the whole application."""
    return any(not folder or path == folder or path.startswith(f"{folder}/") for folder in folders)


def parents(path: str) -> list[str]:
    """Return the parent folders of a path, the outermost first."""
    parts = path.split("/")
    return ["/".join(parts[:end]) for end in range(1, len(parts))]


def wrong_name(path: str) -> str:
    """Return what is wrong with a member's path, or "" if it is valid."""
    if not path:
        return "its name is empty; give it one"
    if path.startswith("/"):
        return "its name is absolute; make it relative to the application's folder"
    if ".." in path.split("/"):
        return "its name leads out of the application; leave '..' out of it"
    return _unusable(path) or _too_long(path)


def _wrong_target(target: str) -> str:
    if not target:
        return "the link has an empty target; give it a target"
    wrong = _unusable(target) or _too_long(target)
    return f"in the link's target, {wrong}" if wrong else ""


def _unusable(path: str) -> str:
    if any(unicodedata.category(character) == "Cc" for character in path):
        return "its name has a control character; rename it"
    try:
        path.encode()
    except UnicodeEncodeError:
        return "its name is not UTF-8; rename it"
    return ""


def _too_long(path: str) -> str:
    longest = max(len(part.encode()) for part in path.split("/"))
    if longest > LONGEST_NAME:
        return f"its name has {longest} bytes in one component; shorten it to {LONGEST_NAME}"
    length = len(path.encode())
    return f"its name has {length} bytes; shorten it to {LONGEST_PATH}" if length > LONGEST_PATH else ""


def shown(path: str) -> str:
    """Return a path for a message: on one line, shortened, without unprintable characters."""
    text = path if path.isprintable() else ascii(path)
    return text if len(text) <= LONGEST_NAME else f"{text[:100]}...{text[-100:]}"
