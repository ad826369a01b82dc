# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The folders of an application that its site can write: which they are, and what is wrong with them. Pure.

Everything else of a release belongs to an account without processes (docs/decisions/0048).
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass
from itertools import combinations

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.containment import (
    Member,
    destination,
    is_within,
    parents,
    shown,
)

SHARED = "shared"  # the folder of a site for what outlives its releases
OPTIONS = ("shared", "shared_files", "writable")
# Apache and systemd give other characters a meaning in paths.
COMPONENT = re.compile(r"[A-Za-z0-9_@+~.-]+")
LONGEST = 512  # bytes of a path
OWN_NAMES = (".groundwork", ".git")  # names that begin so are the collection's, or are never packed

Options = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class Folders:
    """What the account of a site can write, by paths within the application.

    `shared` (folders) and `shared_files` are kept beside the releases, and each release has links to them. `writable`
    are folders of each release. Apache serves what is in `web_root`. `configured` is a file with the same folders,
    which is written together with Apache's configuration. `files` is the mount point of the file system that has what
    is shared, "" if each server has its own.
    """

    shared: tuple[str, ...] = ()
    shared_files: tuple[str, ...] = ()
    writable: tuple[str, ...] = ()
    account: str = ""
    web_root: str = ""
    configured: str = ""
    files: str = ""

    def __bool__(self) -> bool:
        return bool(self.all)

    @property
    def linked(self) -> tuple[str, ...]:
        """Return the paths that are links in a release."""
        return self.shared + self.shared_files

    @property
    def all(self) -> tuple[str, ...]:
        """Return all paths."""
        return self.linked + self.writable

    def is_served(self, path: str) -> bool:
        """Return whether Apache serves what is at a path. Names that begin with a dot are not served."""
        names = path.split("/")
        hidden = any(name.startswith(".") and name != ".well-known" for name in names)
        return is_within(path, (self.web_root,)) and not hidden

    @property
    def shared_mode(self) -> int:
        """Return the mode of the folder for what is shared. Apache can use it only if it serves something in it."""
        return 0o710 if any(self.is_served(path) for path in self.linked) else 0o700

    def told(self) -> dict[str, t.Any]:
        """Return what is recorded about a release."""
        return {"web_root": self.web_root, **{name: list(getattr(self, name)) for name in OPTIONS}}

    def configuration(self) -> dict[str, t.Any]:
        """Return what the file `configured` has."""
        return {**self.told(), **({"files": self.files} if self.files else {})}


NO_FOLDERS = Folders()


def parse_folders(options: Options, where: str, problems: Problems) -> Folders:
    """Return the folders. Add to `problems` what is wrong with them."""
    paths = {name: tuple(options.get(name) or ()) for name in OPTIONS}
    check_folders(options, where, problems)
    if any(paths.values()) and not options.get("account"):
        problems.add(where, "has no account", "give the account that can write to the folders")
    return Folders(
        **paths,
        account=options.get("account") or "",
        web_root=options.get("web_root") or "",
        configured=options.get("configured") or "",
        files=options.get("files") or "",
    )


def check_folders(options: Options, where: str, problems: Problems) -> None:
    """Add to `problems` the paths that cannot be shared or writable."""
    named = [(f"{where}.{name}[{at}]", path) for name in OPTIONS for at, path in enumerate(options.get(name) or ())]
    valid = []
    for at, path in named:
        if wrong := _wrong_path(path):
            right = "write it relative to the application, without a slash at its end, as wp-content/uploads"
            problems.add(at, f"'{shown(path)}' {wrong}", right)
        elif options.get("web_root") and is_within(options["web_root"], (path,)):
            wrong = f"'{path}' contains the web_root, '{options['web_root']}'"
            problems.add(at, wrong, "declare folders within it: the application itself stays read-only")
        else:
            valid.append((at, path))
    for (_first, one), (second, other) in combinations(valid, 2):
        if one == other:
            problems.add(second, f"'{other}' is used twice", "declare it once, as shared or as writable")
        elif is_within(one, (other,)) or is_within(other, (one,)):
            inner, outer = (one, other) if is_within(one, (other,)) else (other, one)
            problems.add(second, f"'{inner}' is within '{outer}', which is declared too", "declare one of them")


def _wrong_path(path: str) -> str:
    """Return what is wrong with a declared path, or ""."""
    parts = path.split("/")
    wrong = {
        "is empty": not path,
        "is absolute": path.startswith("/"),
        "leads out of the application": ".." in parts,
        "has an empty component or a single dot": "." in parts or "" in parts,
        "has other characters than letters, digits and ._-+@~": not all(map(COMPONENT.fullmatch, parts)),
        f"is longer than {LONGEST} characters": len(path) > LONGEST,
        "has a name that is never part of a release": any(part.startswith(OWN_NAMES) for part in parts),
    }
    return next((words for words, applies in wrong.items() if applies), "")


Kind = t.Callable[[str], str]  # from a path of a release to its kind, "" for nothing


def kind_in(members: t.Iterable[Member]) -> Kind:
    """Return the function for the members of a packed release."""
    kinds = {member.path: member.kind for member in members}
    return lambda path: kinds.get(path, "")


def conflicts(folders: Folders, kind: Kind) -> list[str]:
    """Return what a release has at the declared paths that cannot be shared or writable."""
    return [wrong for name in OPTIONS for path in getattr(folders, name) if (wrong := _conflict(name, path, kind))]


def aliases(folders: Folders, links: t.Mapping[str, str]) -> list[str]:
    """Return the links of a release by which Apache would serve declared folders at another path.

    Apache knows by the path of a request in which folders no PHP may run and .htaccess files do not count. It follows
    no link to such a folder itself, which has another owner. `links` are the targets of all links by their paths.
    """
    within = served(folders.web_root, links)
    ends = {path: destination(path, links) for path in links if is_within(path, within)}
    return [
        f"{link}: is a link to {end or 'the application'}, which contains {path}, and {path} is declared in {name}: it "
        f"would also be served as {link}{path.removeprefix(end) if end else f'/{path}'}; leave the link out (exclude)."
        for link, end in sorted(ends.items())
        if end is not None
        for name in OPTIONS
        for path in getattr(folders, name)
        if path != end and is_within(path, (end,)) and folders.is_served(path)
    ]


def _conflict(option: str, path: str, kind: Kind) -> str:
    for parent in parents(path):
        if kind(parent) not in ("", "directory"):
            found = f"is a {kind(parent)} of the application, but {path} is declared in {option}"
            return f"{parent}: {found}; declare a path within folders of the application."
    found, wanted = kind(path), "file" if option == "shared_files" else "directory"
    if found in ("", wanted):
        return ""
    if found == "link":
        return f"{path}: is a link of the application, but is declared in {option}; leave the link out (exclude)."
    if found == "directory":
        return f"{path}: is a folder of the application, but is declared in {option}; declare it in shared."
    return f"{path}: is a file of the application, but is declared in {option}; declare it in shared_files."


def require_no_conflicts(name: str, found: t.Sequence[str]) -> None:
    """Raise GroundworkError if the release of a site has something else at the declared paths."""
    if found:
        lines = [f"- {wrong}" for wrong in found]
        raise GroundworkError("\n".join([f"The shared and writable folders of {name} do not fit its release:", *lines]))


def served(web_root: str, links: t.Mapping[str, str]) -> frozenset[str]:
    """Return the paths that Apache serves: the web root, and what links in them lead to. "" is everything.

    `links` are the targets of all links of the release by their paths.
    """
    found: set[str] = set()
    ahead = [web_root]
    while ahead:
        place = ahead.pop()
        if place not in found:
            found.add(place)
            inside = (path for path in (place, *links) if is_within(path, (place,)))
            ends = (destination(path, links) for path in inside)
            ahead += [end for end in ends if end is not None]
    return frozenset(found)
