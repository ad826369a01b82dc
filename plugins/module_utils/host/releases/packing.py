# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Packing a folder, an archive or a git repository into an archive that is named by its content.

The id depends on names, content, links and executable bits. It does not depend on times, owners or the order of files.
"""

from __future__ import annotations

import fnmatch
import gzip
import hashlib
import os
import re
import stat
import tarfile
import tempfile
import typing as t
from dataclasses import dataclass, replace
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.paths import is_file, is_folder
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import Run, succeed
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.archives import (
    SUFFIXES,
    UNKNOWN,
    content_of,
    read_archive,
    reading,
    special_mode,
)
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.containment import (
    Member,
    links_of,
    parents,
    whole_tree,
)
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.folders import (
    NO_FOLDERS,
    Folders,
    aliases,
    conflicts,
    kind_in,
    require_no_conflicts,
)
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.htaccess import require_no_mod_php

ID_LENGTH = 12
# Files of version control and desktops are not part of an application.
NEVER_PACKED = (".git", ".svn", ".hg", ".DS_Store")
COMMIT = re.compile(r"[0-9a-f]{40}")
GIT_URL = re.compile(r"(https|http|ssh|git|file)://[^\s]+|[A-Za-z0-9_.-]+@[A-Za-z0-9_.-]+:[^\s]+")
GIT_REF = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]*")


@dataclass(frozen=True)
class Source:
    """Where an application comes from: one of `path` (a folder), `archive` (a file) and `git` (a URL)."""

    path: str = ""
    archive: str = ""
    git: str = ""
    ref: str = "HEAD"
    strip: int = 0
    exclude: tuple[str, ...] = ()


def parse_source(options: t.Mapping[str, t.Any], where: str, problems: Problems) -> Source:
    """Return a source. Add to `problems` what is wrong, including a folder or an archive that does not exist."""
    source = Source(
        path=options.get("path") or "",
        archive=options.get("archive") or "",
        git=options.get("git") or "",
        ref=options.get("ref") or "HEAD",
        strip=options.get("strip") or 0,
        exclude=tuple(options.get("exclude") or ()),
    )
    given = [name for name in ("path", "archive", "git") if getattr(source, name)]
    if len(given) != 1:
        wrong = f"{' and '.join(given)} are given" if given else "is empty"
        problems.add(where, wrong, "give one of path, archive and git")
    if source.path and not is_folder(source.path):
        problems.add(f"{where}.path", f"the folder {source.path} does not exist", "give a folder on this machine")
    if source.archive:
        _check_archive(source.archive, f"{where}.archive", problems)
    if source.git and not GIT_URL.fullmatch(source.git):
        problems.add(f"{where}.git", f"'{source.git}' is not a valid URL", "write it as https://… or git@host:path")
    if not GIT_REF.fullmatch(source.ref):
        problems.add(f"{where}.ref", f"'{source.ref}' is not a valid ref", "give a branch, a tag or a whole commit id")
    if source.strip < 0:
        problems.add(f"{where}.strip", f"{source.strip} is negative", "give how many leading folders to drop")
    return source


def _check_archive(archive: str, where: str, problems: Problems) -> None:
    if not archive.endswith(SUFFIXES):
        right = f"give a file that ends with {', '.join(SUFFIXES)}"
        problems.add(where, f"'{archive}' is not a supported archive", right)
    elif not is_file(archive):
        problems.add(where, f"the file {archive} does not exist", "give a file on this machine")


def members_of(source: Source, run: Run, cache: Path) -> list[Member]:
    """Return the members of an application, sorted. Raise GroundworkError if it has no file or a refused member."""
    what = source.path or source.git or source.archive
    if source.path:
        found = list(_of_folder(Path(source.path)))
    elif source.git:
        found = _git_archive(source, run, cache)
    else:
        found = read_archive(Path(source.archive), what)
    kept = (member for member in _stripped(found, source.strip) if not _excluded(member.path, source.exclude))
    members = whole_tree(kept, what)
    if not any(member.kind == "file" for member in members):
        raise GroundworkError(f"{what} contains no file: an empty application would take the site down.")
    return members


def _of_folder(root: Path) -> t.Iterator[Member]:
    with reading(str(root)):
        for place, folders, names in os.walk(root, onerror=_fail):
            folders[:] = sorted(name for name in folders if name not in NEVER_PACKED)
            for name in (*folders, *names):
                path = Path(place, name)
                yield _of_path(path, path.relative_to(root).as_posix(), str(root))


def _fail(error: OSError) -> t.NoReturn:
    raise error


def _of_path(path: Path, relative: str, root: str) -> Member:
    status = path.lstat()
    mode = status.st_mode
    if stat.S_ISLNK(mode):
        return Member(relative, "link", target=str(path.readlink()), origin=root)
    if stat.S_ISDIR(mode):
        return Member(relative, "directory", origin=root, wrong=special_mode("directory", mode))
    wrong = special_mode("file", mode) if stat.S_ISREG(mode) else UNKNOWN
    executable = bool(mode & 0o100)
    return Member(relative, "file", executable, "", status.st_size, lambda: path.open("rb"), root, wrong)


def _git_archive(source: Source, run: Run, cache: Path) -> list[Member]:
    """Return the members of a ref. Fetch it unless it is the id of a commit in the cache."""
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    bare = _repository(source, cache)
    git = ["git", f"--git-dir={bare}"]
    if not bare.exists():
        succeed(run, f"create a repository for {source.git}", ["git", "init", "--quiet", "--bare", str(bare)])
    commit = source.ref
    if not COMMIT.fullmatch(commit) or run([*git, "cat-file", "-e", f"{commit}^{{commit}}"]).code:
        # A private repository without credentials is an error: git must not ask for a password.
        quiet = ["env", "GIT_TERMINAL_PROMPT=0"]
        fetch = ["fetch", "--quiet", "--depth=1", "--no-tags", source.git, source.ref]
        succeed(run, f"fetch {source.ref} of {source.git}", [*quiet, *git, *fetch])
        commit = succeed(run, "read the fetched commit", [*git, "rev-parse", "FETCH_HEAD^{commit}"]).strip()
    with tempfile.NamedTemporaryFile(suffix=".tar", dir=cache) as tar:
        succeed(run, f"pack {commit}", [*git, "archive", "--format=tar", f"--output={tar.name}", commit])
        return read_archive(Path(tar.name), source.git)


def _repository(source: Source, cache: Path) -> Path:
    """Return the path of the repository in the cache."""
    return cache / "git" / hashlib.sha256(source.git.encode()).hexdigest()[:ID_LENGTH]


def _stripped(members: t.Iterable[Member], count: int) -> t.Iterator[Member]:
    for member in members:
        parts = member.path.split("/")
        if len(parts) > count:
            yield replace(member, path="/".join(parts[count:]))


def _excluded(path: str, patterns: t.Sequence[str]) -> bool:
    parts = path.split("/")
    if any(part in NEVER_PACKED for part in parts):
        return True
    names = (*parts, *parents(path), path)
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns for name in names)


def release_id(members: t.Sequence[Member]) -> str:
    """Return the id: 12 hexadecimal digits of the SHA-256 of names, kinds, executable bits and content."""
    digest = hashlib.sha256()
    for member in members:
        content = _digest(member) if member.kind == "file" else member.target
        digest.update(f"{member.kind}\0{member.path}\0{int(member.executable)}\0{content}\n".encode())
    return digest.hexdigest()[:ID_LENGTH]


def _digest(member: Member) -> str:
    digest = hashlib.sha256()
    for part in content_of(member):
        digest.update(part)
    return digest.hexdigest()


def write_archive(members: t.Sequence[Member], path: Path) -> None:
    """Write the archive atomically: a path that exists is complete."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with unfinished.open("wb") as handle:
            _write(members, handle)
        unfinished.replace(path)
    except OSError as error:
        raise GroundworkError(f"Could not write {path}: {error}.") from error
    finally:
        unfinished.unlink(missing_ok=True)


def _write(members: t.Sequence[Member], unfinished: t.IO[bytes]) -> None:
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=unfinished, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT, encoding="utf-8") as archive,
    ):
        for member in members:
            _add(archive, member)


def _add(archive: tarfile.TarFile, member: Member) -> None:
    info = tarfile.TarInfo(member.path)
    info.mode = 0o755 if member.executable or member.kind == "directory" else 0o644
    if member.kind == "file":
        info.size = member.size
        with member.open() as content:
            archive.addfile(info, content)
        return
    info.type = tarfile.DIRTYPE if member.kind == "directory" else tarfile.SYMTYPE
    info.linkname = member.target
    archive.addfile(info)


def pack(
    name: str,
    source: Source,
    folder: Path,
    run: Run,
    *,
    check_mode: bool,
    folders: Folders = NO_FOLDERS,
    allow_override: bool = False,
) -> dict[str, t.Any]:
    """Pack a release. Return its name, id, archive and number of files.

    In check mode the archive is not written, and a git repository that is not in the folder yet is fetched into a
    temporary folder. Raise GroundworkError if the application has something else at the paths of `folders`, or with
    `allow_override` a .htaccess file that needs mod_php.
    """
    if check_mode and source.git and not _repository(source, folder).exists():
        with tempfile.TemporaryDirectory() as temporary:
            members = members_of(source, run, Path(temporary))
    else:
        members = members_of(source, run, folder)
    found = [*conflicts(folders, kind_in(members)), *aliases(folders, links_of(members))]
    require_no_conflicts(name, found)
    if allow_override:
        require_no_mod_php(name, members, folders)
    identity = release_id(members)
    path = folder / f"{name}-{identity}.tar.gz"
    if not path.exists() and not check_mode:
        write_archive(members, path)
    return {
        "name": name,
        "id": identity,
        "archive": str(path),
        "files": sum(member.kind == "file" for member in members),
    }
