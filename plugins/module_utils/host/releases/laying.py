# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Create what a site can write of its application: shared folders, and the links and folders in its releases.

<path>/shared/<name>              what outlives releases; the account of the site owns it
<path>/releases/<id>/<name>       a link to it, or a writable folder of the release

What is in folders that the account can write is changed with its rights alone. The folders above a link and above a
writable folder belong to the owner of the release, so that the account cannot replace them.
"""

from __future__ import annotations

import os
import pwd
import shutil
import stat
import typing as t
from contextlib import suppress
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration import files
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.archives import content_of
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.containment import (
    Member,
    is_within,
    parents,
)
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.desired import CURRENT, RELEASES, Release
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.everywhere import give_name, partial
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.folders import (
    SHARED,
    Folders,
    aliases,
    conflicts,
    require_no_conflicts,
)
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.integrity import set_aside
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.rights import (
    CONFIGURE,
    Rights,
    acting_as,
    is_private,
    uid_of,
)

UP = len((RELEASES, "id"))  # folders from a release to the site's folder


def put_member(member: Member, path: Path) -> None:
    """Write a member to a path that does not exist yet. Only its owner can read it."""
    if member.kind == "link":
        path.symlink_to(member.target)
    elif member.kind == "directory":
        path.mkdir(mode=0o700)
    else:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with os.fdopen(os.open(path, flags, 0o700 if member.executable else 0o600), "wb") as handle:
            handle.writelines(content_of(member))


def target_of(path: str) -> str:
    """Return the target of the link in a release to what is shared."""
    return "../" * (len(parents(path)) + UP) + f"{SHARED}/{path}"


def existing(release: Release) -> tuple[str, ...]:
    """Return the shared folders that exist on this server."""
    return tuple(path for path in release.folders.shared if _data(release, path).is_dir())


def undeclared(release: Release, before: t.Mapping[str, t.Any]) -> tuple[str, ...]:
    """Return what was shared when the current release was laid out, is kept, and is not declared any more."""
    linked = [path for name in ("shared", "shared_files") for path in before.get(name, ())]
    return tuple(
        path for path in linked if path not in release.folders.linked and os.path.lexists(_data(release, path))
    )


def incomplete(release: Release) -> tuple[str, ...]:
    """Return the declared paths that are not a link or a writable folder in the release yet."""
    return tuple(path for path in release.folders.all if not _is_complete(release, path))


def _is_complete(release: Release, path: str) -> bool:
    place, folders = release.folder / path, release.folders
    try:
        status, owner = place.lstat(), pwd.getpwnam(folders.account).pw_uid
    except (KeyError, FileNotFoundError, NotADirectoryError):
        return False
    is_right = _is_link(place, path) if path in folders.linked else stat.S_ISDIR(status.st_mode)
    return is_right and status.st_uid == owner


def _is_link(place: Path, path: str) -> bool:
    return place.is_symlink() and str(place.readlink()) == target_of(path)


def _data(release: Release, path: str) -> Path:
    return Path(release.path) / SHARED / path


def conflicts_of(release: Release) -> list[str]:
    """Return what is in the way of the declared paths in a release that is unpacked."""

    def kind(path: str) -> str:
        place = release.folder / path
        if _is_link(place, path) or not os.path.lexists(place):
            return ""
        return "link" if place.is_symlink() else "directory" if place.is_dir() else "file"

    return conflicts(release.folders, kind)


def share(release: Release, members: t.Sequence[Member]) -> None:
    """Create the shared folders that do not exist, with their first content.

    That is what the site has written at the path in the current release, where it was writable, or else `members`,
    which the new release has. Raise GroundworkError if the site has files in the shared folder and in that release.
    """
    folders, root = release.folders, Path(release.path) / SHARED
    if not folders.linked:
        return
    if not root.is_dir():
        raise GroundworkError(f"The folder {root} does not exist on this server: {CONFIGURE}.")
    with acting_as(folders.account):
        for path in folders.linked:
            for parent in parents(path):
                _open_way(root / parent, folders.is_served(path))
            written = _written(release, path)
            if not os.path.lexists(root / path):
                given = [one for one in members if is_within(one.path, (path,))]
                # Another server can be faster, if the folder is the same on all of them.
                if not _begin(root / path, path, folders, written or given) and written:
                    raise GroundworkError(_two_places(release, path))
            elif any(one.kind != "directory" for one in written):
                raise GroundworkError(_two_places(release, path))
            elif path in folders.shared and not (root / path).is_dir():
                raise GroundworkError(f"{root / path} is not a folder, but {path} is declared in shared. Move it away.")
    follow_web_root(release)


def follow_web_root(release: Release) -> None:
    """Set who can read what the site can write: the web server what it serves now, and nothing else any more.

    The account of the site does that, because its processes can exchange what is in these folders for links.
    """
    folders, root, lacking = release.folders, Path(release.path) / SHARED, incomplete(release)
    laid = [path for path in folders.writable if path not in lacking]
    if not (folders.linked or laid):
        return
    with acting_as(folders.account):
        for path in folders.linked:
            for parent in parents(path) if folders.is_served(path) else ():
                _widen(root / parent, 0o010)
            _follow(root / path, path, folders)
        for path in laid:
            _follow(release.folder / path, path, folders)


def _follow(place: Path, path: str, folders: Folders) -> None:
    if folders.is_served(path):
        _show(place, path)
    elif place.is_dir() and not place.is_symlink() and place.stat().st_mode & 0o070:
        place.chmod(stat.S_IMODE(place.stat().st_mode) & ~0o070)


def _show(place: Path, path: str) -> None:
    """Add the group's rights to read a file, or a folder with what is in it, itself last. Links are not followed.

    A folder that the group can read already is not searched: it can have many files.
    """
    if place.is_symlink() or not place.exists() or is_private(path):
        return
    if not place.is_dir():
        _widen(place, 0o040)
    elif stat.S_IMODE(place.stat().st_mode) & 0o050 != 0o050:
        for inner in place.iterdir():
            _show(inner, f"{path}/{inner.name}")
        _widen(place, 0o050)


def _written(release: Release, path: str) -> list[Member]:
    """Return what the site has written at a path of the current release, which was writable. The account reads it."""
    current = (Path(release.path) / CURRENT).resolve()
    place = current / path
    if not place.is_dir() or place.is_symlink() or place.stat().st_uid != os.geteuid():
        return []
    return list(_members(current, path))


def _two_places(release: Release, path: str) -> str:
    old, new = _data(release, path), Path(release.path) / CURRENT / path
    return (
        f"{path} is declared in shared, and the site has files in two places: {old}, from before, and {new}, where it "
        "has written since. Copy what is needed into one of them, move the other one away, and run again."
    )


def _open_way(folder: Path, is_served: bool) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    if is_served:
        _widen(folder, 0o010)


def _widen(folder: Path, mode: int) -> None:
    """Add rights of the group, to which the web server belongs, to a folder."""
    found = stat.S_IMODE(folder.stat().st_mode)
    if found & mode != mode:
        folder.chmod(found | mode)


def _begin(place: Path, path: str, folders: Folders, members: t.Sequence[Member]) -> bool:
    """Create what is shared at a path, with its first content, in one step. Return whether nothing was in its place.

    A file without content is not created.
    """
    if not members and path in folders.shared_files:
        return True
    new = place.with_name(partial(place.name))
    if new.is_dir() and not new.is_symlink():
        shutil.rmtree(new)
    files.discard(str(new))
    root = Member(path, "directory")
    for member in sorted({root.path: root, **{one.path: one for one in members}}.values(), key=_links_last):
        inner = new / member.path.removeprefix(path).lstrip("/")
        put_member(member, inner)
        if member.kind != "link" and folders.is_served(member.path) and not is_private(member.path):
            inner.chmod(0o750 if inner.stat().st_mode & stat.S_IXUSR else 0o640)
    return give_name(new, place)


def _links_last(member: Member) -> tuple[bool, str]:
    return member.kind == "link", member.path


def lay(root: Path, release: Release, rights: Rights, paths: t.Iterable[str]) -> None:
    """Put the links and the writable folders into a release in the folder `root`. What is in their way is set aside."""
    folders = release.folders
    for path in paths:
        place = root / path
        for parent in parents(path):
            _add_folder(root, parent, rights)
            _require_owned(root / parent, rights)
        if path in folders.linked:
            if not _is_link(place, path):
                set_aside(root, [path], {})
                place.symlink_to(target_of(path))
            # Apache follows a link only if its owner owns the target.
            os.chown(place, uid_of(folders.account), rights.group, follow_symlinks=False)
        else:
            if place.is_symlink():
                place.unlink()
            place.mkdir(mode=0o700, exist_ok=True)
            _give_tree(place, path, folders)


def _add_folder(root: Path, path: str, rights: Rights) -> None:
    place = root / path
    if place.is_symlink():
        raise GroundworkError(f"{place} is a link, but should be a folder of the release.")
    if not place.exists():
        place.mkdir(mode=0o700)
        rights.give(place, path)


def _require_owned(folder: Path, rights: Rights) -> None:
    """Raise GroundworkError if the site could exchange a folder while something is put into it."""
    if folder.lstat().st_uid not in (0, rights.owner):
        raise GroundworkError(
            f"{folder} belongs to the site, because it was writable. Its release has to be put back, for which its "
            "archive must be on the controller: run site.yml without lamp_release, or release again."
        )


def _give_tree(top: Path, path: str, folders: Folders) -> None:
    """Set the owner of a folder of a release, of itself last.

    The account may own a part of it already, which was declared before, and its processes can exchange what is in there
    for links. Therefore each folder is changed by its descriptor, and fwalk does not enter what has become a link.
    """
    found = pwd.getpwnam(folders.account)
    can_read = 0o050 if folders.is_served(path) else 0
    for _place, _folders, names, descriptor in os.fwalk(top, topdown=False):
        for name in names:
            with suppress(FileNotFoundError):  # the site has just removed it
                os.chown(name, found.pw_uid, found.pw_gid, dir_fd=descriptor, follow_symlinks=False)
        os.fchmod(descriptor, 0o700 | can_read)
        os.fchown(descriptor, found.pw_uid, found.pw_gid)


def complete(release: Release, paths: t.Sequence[str]) -> None:
    """Put what is missing of the declared paths into a release that is unpacked already."""
    try:
        links = {one.path: one.target for one in _members(release.folder, "") if one.kind == "link"}
        require_no_conflicts(release.name, aliases(release.folders, links))
        rights = Rights.of(release, links)
        found = [member for path in paths for member in _members(release.folder, path)]
        share(release, found)
        lay(release.folder, release, rights, paths)
    except (OSError, GroundworkError) as error:
        what = f"Could not add the shared and writable folders to release {release.id} of {release.name}"
        raise GroundworkError(f"{what}: {error}") from error


def _members(root: Path, path: str) -> t.Iterator[Member]:
    """Yield what a release that is unpacked has at a path, as members. Links to shared folders are left out."""
    top = root / path
    if path and (top.is_symlink() or not top.exists()):
        return
    for place in (top, *(top.rglob("*") if top.is_dir() else ())):
        name = place.relative_to(root).as_posix()
        if place.is_symlink():
            yield Member(name, "link", target=str(place.readlink()), origin=str(root))
        elif place.is_dir():
            yield Member(name, "directory", origin=str(root))
        elif place.is_file():
            yield _file(place, name, root)


def _file(place: Path, name: str, root: Path) -> Member:
    status = place.stat()
    executable = bool(status.st_mode & stat.S_IXUSR)
    return Member(name, "file", executable, "", status.st_size, lambda: place.open("rb"), str(root), growing=True)
