# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Packing: a folder, an archive or a git repository becomes an archive named by what is in it.

The same content has the same id, whoever packs it, wherever and whenever: names, content, links and the executable
bit count; times, owners and the order on the disk do not.
"""

from __future__ import annotations

import fnmatch
import gzip
import hashlib
import io
import os
import posixpath
import re
import stat
import tarfile
import tempfile
import typing as t
import zipfile
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.configuration.commands import Run, succeed
from ansible_collections.groundwork.aws.plugins.module_utils.errors import GroundworkError, Problems

ID_LENGTH = 12
# What version control and desktops leave in a folder is nobody's application.
NEVER_PACKED = (".git", ".svn", ".hg", ".DS_Store")
COMMIT = re.compile(r"[0-9a-f]{40}")
GIT_URL = re.compile(r"(https|http|ssh|git|file)://[^\s]+|[A-Za-z0-9_.-]+@[A-Za-z0-9_.-]+:[^\s]+")
GIT_REF = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]*")
ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".zip")

SOURCE_OPTIONS: dict[str, dict[str, t.Any]] = {
    "path": {"type": "path"},
    "archive": {"type": "path"},
    "git": {"type": "str"},
    "ref": {"type": "str", "default": "HEAD"},
    "strip": {"type": "int", "default": 0},
    "exclude": {"type": "list", "elements": "str", "default": []},
}
ARCHIVE_ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "folder": {"type": "path", "required": True},
    "releases": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "source": {"type": "dict", "required": True, "options": SOURCE_OPTIONS},
        },
    },
}


@dataclass(frozen=True)
class Source:
    """Where an application comes from: one of `path` (a folder), `archive` (a file) and `git` (a URL)."""

    path: str = ""
    archive: str = ""
    git: str = ""
    ref: str = "HEAD"
    strip: int = 0
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True)
class Member:
    """A file, a folder or a link of an application. `path` is relative, with slashes."""

    path: str
    kind: t.Literal["file", "directory", "link"]
    executable: bool = False
    target: str = ""
    read: t.Callable[[], bytes] = bytes


def parse_source(options: t.Mapping[str, t.Any], where: str, problems: Problems) -> Source:
    """A source; what is wrong is added to `problems`, a folder or an archive that is not there included."""
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
        wrong = f"{' and '.join(given)} are given" if given else "nothing is given"
        problems.add(where, wrong, "give one of path, archive and git")
    if source.path and not Path(source.path).is_dir():
        problems.add(f"{where}.path", f"there is no folder {source.path}", "give a folder of this machine")
    if source.archive:
        _check_archive(source.archive, f"{where}.archive", problems)
    if source.git and not GIT_URL.fullmatch(source.git):
        problems.add(f"{where}.git", f"'{source.git}' is no URL", "write it as https://… or git@host:path")
    if not GIT_REF.fullmatch(source.ref):
        problems.add(f"{where}.ref", f"'{source.ref}' is no ref", "give a branch, a tag or a whole commit id")
    if source.strip < 0:
        problems.add(f"{where}.strip", f"{source.strip} is below zero", "give how many leading folders to drop")
    return source


def _check_archive(archive: str, where: str, problems: Problems) -> None:
    if not archive.endswith(ARCHIVES):
        problems.add(where, f"'{archive}' is of no known kind", f"give a file that ends with {', '.join(ARCHIVES)}")
    elif not Path(archive).is_file():
        problems.add(where, f"there is no file {archive}", "give a file of this machine")


def members_of(source: Source, run: Run, cache: Path) -> list[Member]:
    """Everything in an application, sorted. Raises GroundworkError when there is nothing or something strange."""
    if source.path:
        found = list(_of_folder(Path(source.path)))
    elif source.git:
        found = list(_of_tar(_git_archive(source, run, cache), source.git))
    else:
        found = list(_of_archive(Path(source.archive)))
    kept = (member for member in _stripped(found, source.strip) if not _excluded(member.path, source.exclude))
    by_path = {member.path: member for member in kept}
    for member in by_path.values():
        _check_member(member)
    for folder in {parent for path in by_path for parent in _parents(path)} - by_path.keys():
        by_path[folder] = Member(folder, "directory")
    members = sorted(by_path.values(), key=lambda member: member.path)
    if not any(member.kind == "file" for member in members):
        what = source.path or source.archive or source.git
        raise GroundworkError(f"There is no file in {what}: an empty application would take the site down.")
    return members


def _parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:end]) for end in range(1, len(parts))]


def _of_folder(root: Path) -> t.Iterator[Member]:
    for place, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in NEVER_PACKED)
        for name in (*folders, *names):
            path = Path(place, name)
            yield _of_path(path, path.relative_to(root).as_posix())


def _of_path(path: Path, relative: str) -> Member:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        return Member(relative, "link", target=str(path.readlink()))
    if stat.S_ISDIR(mode):
        return Member(relative, "directory")
    if not stat.S_ISREG(mode):
        raise GroundworkError(f"{path} is neither a file, a folder nor a link: leave it out by exclude.")
    return Member(relative, "file", executable=bool(mode & 0o100), read=path.read_bytes)


def _of_archive(path: Path) -> t.Iterator[Member]:
    content = path.read_bytes()
    return _of_zip(content) if path.suffix == ".zip" else _of_tar(content, str(path))


def _of_tar(content: bytes, what: str) -> t.Iterator[Member]:
    try:
        archive = tarfile.open(fileobj=io.BytesIO(content))  # noqa: SIM115 - members are read later
    except tarfile.TarError as error:
        raise GroundworkError(f"{what} is no archive that can be read: {error}") from error
    for info in archive:
        name = posixpath.normpath(info.name)
        if info.isdir():
            yield Member(name, "directory")
        elif info.issym():
            yield Member(name, "link", target=info.linkname)
        elif info.isfile() or info.islnk():
            handle = archive.extractfile(info)
            content_of = handle.read() if handle else b""
            yield Member(name, "file", executable=bool(info.mode & 0o100), read=lambda content=content_of: content)  # type: ignore[misc]
        else:
            raise GroundworkError(f"{info.name} in {what} is neither a file, a folder nor a link.")


def _of_zip(content: bytes) -> t.Iterator[Member]:
    archive = zipfile.ZipFile(io.BytesIO(content))
    for info in archive.infolist():
        name = posixpath.normpath(info.filename)
        mode = info.external_attr >> 16
        if info.is_dir():
            yield Member(name, "directory")
        elif stat.S_ISLNK(mode):
            yield Member(name, "link", target=archive.read(info).decode())
        else:
            text = archive.read(info)
            yield Member(name, "file", executable=bool(mode & 0o100), read=lambda text=text: text)  # type: ignore[misc]


def _git_archive(source: Source, run: Run, cache: Path) -> bytes:
    """The tree of a ref as a tar archive; only a ref that is not a commit we have costs the network."""
    bare = cache / "git" / hashlib.sha256(source.git.encode()).hexdigest()[:ID_LENGTH]
    git = ["git", f"--git-dir={bare}"]
    if not bare.exists():
        succeed(run, f"make room for {source.git}", ["git", "init", "--quiet", "--bare", str(bare)])
    commit = source.ref
    if not COMMIT.fullmatch(commit) or run([*git, "cat-file", "-e", f"{commit}^{{commit}}"]).code:
        # Without a prompt: a private repository without credentials is an error, not a question.
        quiet = ["env", "GIT_TERMINAL_PROMPT=0"]
        fetch = ["fetch", "--quiet", "--depth=1", "--no-tags", source.git, source.ref]
        succeed(run, f"fetch {source.ref} of {source.git}", [*quiet, *git, *fetch])
        commit = succeed(run, "read what was fetched", [*git, "rev-parse", "FETCH_HEAD^{commit}"]).strip()
    with tempfile.NamedTemporaryFile(suffix=".tar", dir=cache) as tar:
        succeed(run, f"pack {commit}", [*git, "archive", "--format=tar", f"--output={tar.name}", commit])
        return Path(tar.name).read_bytes()


def _stripped(members: t.Iterable[Member], count: int) -> t.Iterator[Member]:
    for member in members:
        parts = member.path.split("/")
        if parts != ["."] and len(parts) > count:
            yield Member("/".join(parts[count:]), member.kind, member.executable, member.target, member.read)


def _excluded(path: str, patterns: t.Sequence[str]) -> bool:
    parts = path.split("/")
    if any(part in NEVER_PACKED for part in parts):
        return True
    names = (*parts, *_parents(path), path)
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns for name in names)


def _check_member(member: Member) -> None:
    if member.path.startswith(("/", "../")) or member.path == "..":
        raise GroundworkError(f"{member.path} leads out of the application: it is not packed.")
    if member.kind == "link":
        leads = posixpath.normpath(posixpath.join(posixpath.dirname(member.path), member.target))
        if member.target.startswith("/") or leads == ".." or leads.startswith("../"):
            raise GroundworkError(f"The link {member.path} leads out of the application, to {member.target}.")


def release_id(members: t.Sequence[Member]) -> str:
    """The id: 12 hexadecimal digits of SHA-256 over names, kinds and content."""
    digest = hashlib.sha256()
    for member in members:
        content = hashlib.sha256(member.read()).hexdigest() if member.kind == "file" else member.target
        digest.update(f"{member.kind}\0{member.path}\0{int(member.executable)}\0{content}\n".encode())
    return digest.hexdigest()[:ID_LENGTH]


def write_archive(members: t.Sequence[Member], path: Path) -> None:
    """Write the archive in one stroke: a path that exists is whole."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (
        tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as unfinished,
        gzip.GzipFile(filename="", mode="wb", fileobj=unfinished, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for member in members:
            _add(archive, member)
    Path(unfinished.name).replace(path)


def _add(archive: tarfile.TarFile, member: Member) -> None:
    info = tarfile.TarInfo(member.path)
    info.mode = 0o755 if member.executable or member.kind == "directory" else 0o644
    content = b""
    if member.kind == "directory":
        info.type = tarfile.DIRTYPE
    elif member.kind == "link":
        info.type, info.linkname = tarfile.SYMTYPE, member.target
    else:
        content = member.read()
        info.size = len(content)
    archive.addfile(info, io.BytesIO(content))


def pack(name: str, source: Source, folder: Path, run: Run, *, check_mode: bool) -> dict[str, t.Any]:
    """One release: {name, id, archive, files}. In check mode only the id is found, the archive is not written."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    members = members_of(source, run, folder)
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
