# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading untrusted archives. Only the decompressed content is written, to a temporary file without a name.

A damaged, encrypted or too large archive is refused, with its name in the message. A member that cannot be part of a
release is returned with the reason, so that it can still be excluded.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import stat
import struct
import tarfile
import tempfile
import typing as t
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.containment import (
    LONGEST_PATH,
    Member,
    shown,
    wrong_name,
)

SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".zip")
LARGEST = 2 * 1024**3  # bytes of an archive, decompressed
MOST_MEMBERS = 500_000
SPACE = "/var/tmp"  # noqa: S108 - on the disk, unlike /tmp, because archives can be large; its files are private
CHUNK = 1024 * 1024
OPENERS: t.Mapping[bytes, t.Callable[[Path], t.Any]] = {
    b"\x1f\x8b": gzip.open,
    b"BZh": bz2.open,
    b"\xfd7zXZ\x00": lzma.open,
}
# All errors that the standard library raises for a damaged archive.
DAMAGE = (
    *(tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
    *(ArithmeticError, EOFError, LookupError, OSError, RuntimeError, ValueError),
)
SPECIAL = {
    tarfile.LNKTYPE: "is a hard link to {target}; pack a copy of the file, as tar --hard-dereference does",
    tarfile.CHRTYPE: "is a character device; leave it out (exclude)",
    tarfile.BLKTYPE: "is a block device; leave it out (exclude)",
    tarfile.FIFOTYPE: "is a named pipe; leave it out (exclude)",
}
UNKNOWN = "is not a file, a folder or a link; leave it out (exclude)"
# The setgid and sticky bits of folders are common. They are ignored.
PRIVILEGED = {"file": stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX, "directory": stat.S_ISUID}


@contextmanager
def reading(what: str) -> t.Iterator[None]:
    """Raise GroundworkError, with `what` as the name of what is read, instead of an error of the standard library."""
    try:
        yield
    except DAMAGE as error:
        reason = str(error) or type(error).__name__
        remedy = "Create it again, or give another archive or folder."
        raise GroundworkError(f"{what} cannot be read: {reason}. {remedy}") from error


def read_archive(path: Path, what: str) -> list[Member]:
    """Return the members of a tar or zip archive. Their content is read later, by `open`.

    Raise GroundworkError with the name `what` if the archive is damaged, truncated, encrypted or too large.
    """
    with reading(what):
        members = _of_zip(path, what) if path.suffix == ".zip" else _of_tar(path, what)
        clean = (_clean(member, what) for member in members)
        return [member for member in clean if (member.path, member.kind) != ("", "directory")]


def _clean(member: Member, what: str) -> Member:
    """Return the member with a normalized path: `./a//b/` becomes `a/b`.

    The whole name is checked here, because `strip` may remove its wrong part.
    """
    parts = [part for part in member.path.split("/") if part not in ("", ".")]
    path = "/".join(["", *parts] if member.path.startswith("/") else parts)
    return replace(member, path=path, origin=what, wrong=member.wrong or wrong_name(path))


def content_of(member: Member) -> t.Iterator[bytes]:
    """Read a file in parts. Raise GroundworkError if it cannot be read, or does not have the expected size."""
    left = member.size
    with reading(f"{shown(member.path)} in {member.origin}"), member.open() as handle:
        while chunk := handle.read(CHUNK):
            left -= len(chunk)
            yield chunk
        if left and not member.growing:
            raise EOFError("its content does not have the expected size")


def special_mode(kind: str, mode: int) -> str:
    """Return what is wrong with a member's mode, or "" if it is valid."""
    if mode & PRIVILEGED.get(kind, 0):
        return f"its mode {stat.S_IMODE(mode):04o} has a setuid, setgid or sticky bit; remove it (chmod ug-s,-t)"
    return ""


def _of_tar(path: Path, what: str) -> t.Iterator[Member]:
    content = _decompressed(path, what)
    archive = tarfile.open(fileobj=content, mode="r:", encoding="utf-8")  # noqa: SIM115 - members are read later
    for number, info in enumerate(archive):
        _check_size(what, number, info.size)
        yield _of_info(archive, info)
    # tarfile treats a damaged header as the end.
    content.seek(archive.offset)
    if content.read(tarfile.BLOCKSIZE) != bytes(tarfile.BLOCKSIZE):
        raise EOFError("its end is missing, so it is truncated or damaged")


def _decompressed(path: Path, what: str) -> t.IO[bytes]:
    """Return the decompressed content of a file. It is read to its end, so that its checksums are verified."""
    with path.open("rb") as handle:
        head = handle.read(max(map(len, OPENERS)))
    opener = next((one for magic, one in OPENERS.items() if head.startswith(magic)), None)
    content = tempfile.TemporaryFile(dir=SPACE)  # noqa: SIM115 - members are read later
    with opener(path) if opener else path.open("rb") as packed:
        while chunk := packed.read(CHUNK):
            _check_size(what, 0, content.tell() + len(chunk))
            content.write(chunk)
    content.seek(0)
    return content


def _check_size(what: str, members: int, size: int) -> None:
    if size < 0:
        raise ValueError("the size of a member is negative")
    if size > LARGEST or members >= MOST_MEMBERS:
        limit = f"{LARGEST // 1024**3} GiB and {MOST_MEMBERS:,} members"
        raise GroundworkError(f"{what} exceeds the limit of {limit}. Remove large files from it.")


def _of_info(archive: tarfile.TarFile, info: tarfile.TarInfo) -> Member:
    if info.isdir():
        return Member(info.name, "directory", wrong=special_mode("directory", info.mode))
    if info.issym():
        return Member(info.name, "link", target=info.linkname)
    wrong = special_mode("file", info.mode)
    if info.issparse():
        wrong = "is a sparse file; pack it without tar's --sparse"
    elif not info.isreg():
        wrong = SPECIAL.get(info.type, UNKNOWN).format(target=shown(info.linkname))

    def content() -> t.IO[bytes]:
        return t.cast("t.IO[bytes]", archive.extractfile(info))

    return Member(info.name, "file", bool(info.mode & 0o100), size=info.size, open=content, wrong=wrong)


def _of_zip(path: Path, what: str) -> t.Iterator[Member]:
    archive = zipfile.ZipFile(path)
    total = 0
    for number, info in enumerate(archive.infolist()):
        total += info.file_size
        _check_size(what, number, total)
        yield _of_entry(archive, info)


def _of_entry(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Member:
    mode = info.external_attr >> 16
    name = info.orig_filename  # as in the archive: `filename` ends at a NUL
    if info.flag_bits & 0x1:
        return Member(name, "file", wrong="is encrypted; pack it without a password")
    if stat.S_ISLNK(mode) and info.file_size > LONGEST_PATH:
        return Member(name, "file", wrong=f"is a link whose target has {info.file_size} bytes; shorten it")
    if stat.S_ISLNK(mode):
        return Member(name, "link", target=archive.read(info).decode(errors="surrogateescape"))
    if info.is_dir():
        return Member(name, "directory", wrong=special_mode("directory", mode))
    wrong = special_mode("file", mode) if stat.S_IFMT(mode) in (0, stat.S_IFREG) else UNKNOWN
    executable = bool(mode & 0o100)
    return Member(name, "file", executable, size=info.file_size, open=lambda: archive.open(info), wrong=wrong)
