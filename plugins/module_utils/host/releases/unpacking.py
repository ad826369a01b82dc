# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of releases: unpacked, put back, given to their accounts, made current by a link, and removed.

Each release that was current contains its id in a file, which the web server sends in a header.
"""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import stat
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration import files
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.desired import Entry
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.archives import content_of, read_archive
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.containment import (
    Member,
    leads_out,
    whole_tree,
)
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.desired import CURRENT, RELEASES, Release
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.integrity import (
    aside_of,
    changed,
    record,
    record_of,
    set_aside,
)
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.planning import Plan, Site
from ansible_collections.groundwork.aws.plugins.module_utils.host.room import require_for

MARK = ".groundwork-release"
CONFIGURE = "configure the site first (site.yml)"
BLOCK = 4096  # bytes: a small file takes a whole block of the file system


def look(release: Release) -> Site:
    """Return the observed releases of a site. A folder that begins with a dot is incomplete."""
    root = Path(release.path)
    folders = root / RELEASES
    try:
        found = [path for path in folders.iterdir() if path.is_dir() and not path.name.startswith(".")]
    except FileNotFoundError:
        found = []
    used = sorted(found, key=lambda path: (-path.stat().st_mtime_ns, path.name))
    target = files.look(str(root / CURRENT)).target
    foreign = tuple(path.name for path in used if files.look(str(path)).owner != release.owner)
    return Site(
        releases=tuple(path.name for path in used),
        current=Path(target).name if target else "",
        foreign=foreign,
        changed=changed(release.folder, (MARK,)) if release.folder in used and release.id not in foreign else (),
    )


def unpack(release: Release) -> None:
    """Unpack a release beside the others, and rename it when it is complete.

    Nothing is written before the whole archive is checked. A release that cannot be unpacked is removed.
    """
    folders, archive = Path(release.path) / RELEASES, Path(release.archive)
    partial = folders / f".{release.id}.partial"
    try:
        members, rights = whole_tree(read_archive(archive, archive.name), archive.name), Rights.of(release)
        if partial.exists():
            shutil.rmtree(partial)
        require_for(folders, sum(member.size + BLOCK for member in members))
        partial.mkdir(mode=0o700)
        # Links come last, so that nothing can be written through one.
        for member in sorted(members, key=lambda member: member.kind == "link"):
            _put(member, partial / member.path)
            rights.give(partial / member.path, member.path)
        rights.give(partial, "")
        record(partial, record_of(release.folder), (MARK,))
        partial.rename(release.folder)
    except (OSError, GroundworkError) as error:
        shutil.rmtree(partial, ignore_errors=True)  # the next run removes what remains, and this error counts
        raise GroundworkError(f"Could not unpack release {release.id} of {release.name}: {error}") from error


def mend(release: Release, members: t.Sequence[str]) -> None:
    """Put members of a release back from its archive, each in one step. What was at their paths is set aside."""
    archive = Path(release.archive)
    try:
        whole, rights = whole_tree(read_archive(archive, archive.name), archive.name), Rights.of(release)
        wanted = {member.path: member for member in whole}
        set_aside(release.folder, members, {path: member.kind for path, member in wanted.items()})
        for path in sorted({*members} & wanted.keys(), key=lambda path: (wanted[path].kind == "link", path)):
            _restore(wanted[path], release.folder / path, rights)
        record(release.folder, record_of(release.folder), (MARK,))
    except (OSError, GroundworkError) as error:
        raise GroundworkError(f"Could not put back files of release {release.id} of {release.name}: {error}") from error


def _restore(member: Member, path: Path, rights: Rights) -> None:
    if member.kind == "directory":
        path.mkdir(mode=0o700, exist_ok=True)
        rights.give(path, member.path)
        return
    new = Path(files.beside(str(path)))
    files.discard(str(new))
    _put(member, new)
    rights.give(new, member.path)
    new.replace(path)


def _put(member: Member, path: Path) -> None:
    if member.kind == "link":
        path.symlink_to(member.target)
    elif member.kind == "directory":
        path.mkdir(mode=0o700)
    else:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with os.fdopen(os.open(path, flags, 0o700 if member.executable else 0o600), "wb") as handle:
            handle.writelines(content_of(member))


def take_over(release: Release, identity: str) -> None:
    """Set the owner of a release that an earlier version has unpacked, its folder last.

    Earlier versions accepted links that lead out of the release. They are removed.
    """
    rights = Rights.of(release)
    root = Path(release.path) / RELEASES / identity
    try:
        found = {path.relative_to(root).as_posix(): path for path in root.rglob("*")}
        links = {member: str(path.readlink()) for member, path in found.items() if path.is_symlink()}
        for member, path in found.items():
            if member in links and leads_out(member, links):
                path.unlink()
            else:
                rights.give(path, member)
        record(root, record_of(root), (MARK,))
        rights.give(root, "")
    except OSError as error:
        raise GroundworkError(f"Could not change the owner of release {identity} of {release.name}: {error}") from error


def is_private(path: str) -> bool:
    """Return whether a member of a release is never served: PHP scripts, and names that begin with a dot.

    The web server must read .htaccess, .htpasswd and `MARK`, and serves the folder of RFC 8615.
    """
    if path == MARK:
        return False
    names = path.split("/")
    hidden = any(name.startswith(".") and name != ".well-known" and not name.startswith(".ht") for name in names)
    return hidden or names[-1].lower().endswith(".php")


@dataclass(frozen=True)
class Rights:
    """The owner and groups of a release's files, as numeric ids of this server."""

    owner: int
    group: int
    private_group: int

    @classmethod
    def of(cls, release: Release) -> Rights:
        """Look up the accounts of a release. Raise GroundworkError if one does not exist."""
        return cls(_uid(release.owner), _gid(release.group), _gid(release.private_group))

    def give(self, path: Path, member: str) -> None:
        """Set owner, group and mode of a member, or of the release itself (""). A link is not followed."""
        os.chown(path, self.owner, self.private_group if is_private(member) else self.group, follow_symlinks=False)
        mode = path.lstat().st_mode
        if not stat.S_ISLNK(mode):
            path.chmod(0o750 if mode & stat.S_IXUSR else 0o640)


def _uid(account: str) -> int:
    try:
        return pwd.getpwnam(account).pw_uid
    except KeyError as error:
        raise GroundworkError(f"The account {account} does not exist on this server: {CONFIGURE}.") from error


def _gid(group: str) -> int:
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError as error:
        raise GroundworkError(f"The group {group} does not exist on this server: {CONFIGURE}.") from error


def switch(release: Release, identity: str) -> None:
    """Make a release of a site current, in one step."""
    folder = Path(release.path) / RELEASES / identity
    files.put(Entry(str(folder / MARK), "file", content=identity.encode(), group=release.group, mode=0o640))
    os.utime(folder)
    files.put(Entry(str(Path(release.path) / CURRENT), "link", target=f"{RELEASES}/{identity}"))


def prune(plan: Plan, targets: t.Mapping[str, str]) -> None:
    """Remove old releases, except those that are current again."""
    for step in plan.steps:
        for old in step.prune:
            if old != targets.get(step.release.name):
                folder = Path(step.release.path) / RELEASES / old
                shutil.rmtree(folder)
                if aside_of(folder).exists():
                    shutil.rmtree(aside_of(folder))
                files.discard(str(record_of(folder)))
