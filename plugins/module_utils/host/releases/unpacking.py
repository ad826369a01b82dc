# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of releases: unpacked, put back, given to their accounts, made current by a link, and removed.

Each release that was current contains its id in a file, which the web server sends in a header.
"""

from __future__ import annotations

import os
import shutil
import typing as t
from dataclasses import replace
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration import files
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.desired import Entry
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.archives import read_archive
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.containment import (
    Member,
    is_within,
    leads_out,
    links_of,
    whole_tree,
)
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.desired import CURRENT, RELEASES, Release
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.everywhere import is_moved
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.folders import (
    OPTIONS,
    aliases,
    conflicts,
    kind_in,
    require_no_conflicts,
)
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.integrity import (
    Known,
    amend,
    aside_of,
    changed,
    known,
    record,
    record_of,
    set_aside,
)
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.laying import (
    complete,
    conflicts_of,
    existing,
    follow_web_root,
    incomplete,
    lay,
    put_member,
    share,
    undeclared,
)
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.planning import Plan, Site
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.rights import MARK, Rights
from ansible_collections.groundwork.aws.plugins.module_utils.host.room import require_for

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
    current = Path(target).name if target else ""
    is_here = release.folder in used
    seen = known(release.folder) if is_here else None
    served = seen if current == release.id else known(folders / current) if current else None
    foreign = tuple(path.name for path in used if _is_foreign(path, release, seen))
    return Site(
        releases=tuple(path.name for path in used),
        current=current,
        foreign=foreign,
        changed=changed(release.folder, seen, _apart(release)) if seen and release.id not in foreign else (),
        shared=existing(release),
        incomplete=incomplete(release) if is_here else (),
        conflicts=tuple(conflicts_of(release)) if is_here else (),
        undeclared=undeclared(release, served.folders) if served else (),
        served=(release.folder / MARK).is_file(),
        moved=is_moved(release),
    )


def _is_foreign(folder: Path, release: Release, seen: Known | None) -> bool:
    """Return whether the files of a release belong to wrong accounts. `seen` is the record of the desired release."""
    if files.look(str(folder)).owner != release.owner:
        return True
    before = seen.folders.get("web_root") if seen and folder == release.folder else None
    return before not in (None, release.folders.web_root)


def _apart(release: Release) -> tuple[str, ...]:
    """Return the paths in the folder of a release that are not part of it."""
    return (MARK, *release.folders.all)


def unpack(release: Release) -> None:
    """Unpack a release beside the others, and rename it when it is complete.

    Nothing is written before the whole archive is checked. A release that cannot be unpacked is removed.
    """
    folders, archive = Path(release.path) / RELEASES, Path(release.archive)
    partial = folders / f".{release.id}.partial"
    try:
        members = whole_tree(read_archive(archive, archive.name), archive.name)
        links = links_of(members)
        rights = Rights.of(release, links)
        found = [*conflicts(release.folders, kind_in(members)), *aliases(release.folders, links)]
        require_no_conflicts(release.name, found)
        if partial.exists():
            shutil.rmtree(partial)
        require_for(folders, sum(member.size + BLOCK for member in members))
        share(release, members)
        partial.mkdir(mode=0o700)
        own = [member for member in members if not is_within(member.path, release.folders.linked)]
        # Links come last, so that nothing can be written through one.
        for member in sorted(own, key=lambda member: member.kind == "link"):
            put_member(member, partial / member.path)
            rights.give(partial / member.path, member.path)
        lay(partial, release, rights, release.folders.all)
        rights.give(partial, "")
        record(partial, record_of(release.folder), _apart(release), release.folders.told())
        partial.rename(release.folder)
    except (OSError, GroundworkError) as error:
        shutil.rmtree(partial, ignore_errors=True)  # the next run removes what remains, and this error counts
        raise GroundworkError(f"Could not unpack release {release.id} of {release.name}: {error}") from error


def mend(release: Release, members: t.Sequence[str]) -> None:
    """Put members of a release back from its archive, each in one step. What was at their paths is set aside."""
    archive, root, apart = Path(release.archive), release.folder, _apart(release)
    try:
        whole = whole_tree(read_archive(archive, archive.name), archive.name)
        rights = Rights.of(release, links_of(whole))
        wanted = {member.path: member for member in whole if not is_within(member.path, apart)}
        seen = known(root)
        # As a whole: the site could write in it.
        writable = [path for path in (seen.folders.get("writable", ()) if seen else ()) if path not in apart]
        set_aside(root, writable, {})
        set_aside(root, members, {path: member.kind for path, member in wanted.items()})
        absent = {path for path in wanted if not os.path.lexists(root / path)}
        for path in sorted(({*members} & wanted.keys()) | absent, key=lambda path: (wanted[path].kind == "link", path)):
            _restore(wanted[path], root / path, rights)
        record(root, record_of(root), apart, release.folders.told())
    except (OSError, GroundworkError) as error:
        raise GroundworkError(f"Could not put back files of release {release.id} of {release.name}: {error}") from error


def _restore(member: Member, path: Path, rights: Rights) -> None:
    if member.kind == "directory":
        path.mkdir(mode=0o700, exist_ok=True)
        rights.give(path, member.path)
        return
    new = Path(files.beside(str(path)))
    files.discard(str(new))
    put_member(member, new)
    rights.give(new, member.path)
    new.replace(path)


def add_folders(release: Release, paths: t.Sequence[str]) -> None:
    """Add the shared and writable folders that a release lacks."""
    complete(release, paths)
    amend(release.folder, _apart(release), release.folders.told())


def take_over(release: Release, identity: str) -> None:
    """Set the owner of a release that an earlier version has unpacked, its folder last.

    Earlier versions accepted links that lead out of the release. They are removed. A release whose files other accounts
    should read, because its web root is another one, is given to them in the same way.
    """
    root = Path(release.path) / RELEASES / identity
    seen = known(root)
    before = [path for name in OPTIONS for path in (seen.folders.get(name, ()) if seen else ())]
    missing = incomplete(replace(release, id=identity))
    apart = (*(path for path in release.folders.all if path not in missing), *before)
    try:
        found = {path.relative_to(root).as_posix(): path for path in root.rglob("*")}
        own = {member: path for member, path in found.items() if not is_within(member, apart)}
        links = {member: str(path.readlink()) for member, path in own.items() if path.is_symlink()}
        rights = Rights.of(release, links)
        for member, path in own.items():
            if member in links and leads_out(member, links):
                path.unlink()
            else:
                rights.give(path, member)
        if seen and seen.folders:
            amend(root, (MARK, *before), {**seen.folders, "web_root": release.folders.web_root}, rights=True)
        else:
            record(root, record_of(root), (MARK, *apart), {**release.folders.told(), **dict.fromkeys(OPTIONS, ())})
        follow_web_root(replace(release, id=identity))
        rights.give(root, "")
    except OSError as error:
        raise GroundworkError(f"Could not change the owner of release {identity} of {release.name}: {error}") from error


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
                _remove(folder)
                if aside_of(folder).exists():
                    shutil.rmtree(aside_of(folder))
                files.discard(str(record_of(folder)))


def _remove(folder: Path) -> None:
    """Remove a release. A process that still writes in it can leave something in a hidden folder."""
    hidden = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(hidden, ignore_errors=True)
    folder.rename(hidden)
    shutil.rmtree(hidden, ignore_errors=True)
