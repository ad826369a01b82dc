"""The operations of NFSv4.1 and their results: https://www.rfc-editor.org/rfc/rfc8881, sections 16 to 18."""

from __future__ import annotations

import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .session import succeeded
from .xdr import Reader, bitmap, i64, opaque, u32, u64

ANONYMOUS = bytes(16)  # the state of a read or write without a lock, which the server checks by the caller's rights
CURRENT = u32(1) + bytes(12)  # the state that an operation before in the same compound made
NO_DELEGATION = 0x0400

TYPE, CHANGE, SIZE, LEASE, FILEID, FILES_FREE, FILES_TOTAL = 1, 3, 4, 10, 20, 22, 23
MODE, LINKS, OWNER, GROUP, RDEV, SPACE_FREE, SPACE_TOTAL, SPACE_USED = 33, 35, 36, 37, 41, 43, 44, 45
SPACE_AVAILABLE, ATIME, ATIME_SET, CTIME, MTIME, MTIME_SET = 42, 47, 48, 52, 53, 54
WANTED = bitmap([TYPE, CHANGE, SIZE, FILEID, MODE, LINKS, OWNER, GROUP, RDEV, SPACE_USED, ATIME, CTIME, MTIME])
SPACE = bitmap([FILES_FREE, FILES_TOTAL, SPACE_AVAILABLE, SPACE_FREE, SPACE_TOTAL])
LISTED = bitmap([TYPE, FILEID])
KINDS = {
    1: stat.S_IFREG, 2: stat.S_IFDIR, 3: stat.S_IFBLK, 4: stat.S_IFCHR, 5: stat.S_IFLNK, 6: stat.S_IFSOCK,
    7: stat.S_IFIFO,
}  # fmt: skip
TYPES = {kind: number for number, kind in KINDS.items()}
NOBODY = 65534

Time = tuple[int, int]


@dataclass(frozen=True)
class Attributes:
    """The attributes of a file, as in stat(2). `change` has another value after each change."""

    mode: int
    change: int
    size: int
    fileid: int
    links: int
    uid: int
    gid: int
    rdev: tuple[int, int]
    used: int
    atime: Time
    mtime: Time
    ctime: Time


@dataclass(frozen=True)
class Space:
    files_free: int
    files: int
    available: int
    free: int
    total: int


# Operations

PUTROOTFH = u32(24)
GETFH = u32(10)
GETATTR = u32(9) + WANTED
STATFS = u32(9) + SPACE
GETLEASE = u32(9) + bitmap([LEASE])
SAVEFH = u32(32)
READLINK = u32(27)
CLOSE_CURRENT = u32(4) + u32(0) + CURRENT


def putfh(handle: bytes) -> bytes:
    return u32(22) + opaque(handle)


def lookup(name: bytes) -> bytes:
    return u32(15) + opaque(name)


def access(mask: int) -> bytes:
    return u32(3) + u32(mask)


def read(offset: int, count: int) -> bytes:
    return u32(25) + ANONYMOUS + u64(offset) + u32(count)


def write(offset: int, length: int) -> bytes:
    """Return a write without its data. The server may keep them in its memory until `commit`."""
    return u32(38) + ANONYMOUS + u64(offset) + u32(0) + u32(length)


def commit() -> bytes:
    return u32(5) + u64(0) + u32(0)


def remove(name: bytes) -> bytes:
    return u32(28) + opaque(name)


def rename(old: bytes, new: bytes) -> bytes:
    return u32(29) + opaque(old) + opaque(new)


def link(name: bytes) -> bytes:
    return u32(11) + opaque(name)


def readdir(cookie: int, verifier: bytes, size: int) -> bytes:
    return u32(26) + u64(cookie) + verifier + u32(size) + u32(size) + LISTED


def setattr_(changes: Mapping[int, bytes]) -> bytes:
    return u32(34) + ANONYMOUS + changed(changes)


def create(kind: int, name: bytes, changes: Mapping[int, bytes], more: bytes = b"") -> bytes:
    """Return the making of something else than a file. `more` is a link's text, or the numbers of a device."""
    return u32(6) + u32(TYPES[kind]) + more + opaque(name) + changed(changes)


def open_new(client: int, name: bytes, changes: Mapping[int, bytes], *, exclusive: bool) -> bytes:
    """Return the making of a file, which is open until `CLOSE_CURRENT`."""
    owner = u64(client) + opaque(b"create")
    head = u32(18) + u32(0) + u32(3 | NO_DELEGATION) + u32(0) + owner
    return head + u32(1) + u32(1 if exclusive else 0) + changed(changes) + u32(0) + opaque(name)


def open_file(client: int, owner: bytes, share: int) -> bytes:
    """Return the opening of the current file: `share` is 1 for reading, 2 for writing, 3 for both."""
    head = u32(18) + u32(0) + u32(share | NO_DELEGATION) + u32(0) + u64(client) + opaque(owner)
    return head + u32(0) + u32(4)


def close(state: bytes) -> bytes:
    return u32(4) + u32(0) + state


def changed(changes: Mapping[int, bytes]) -> bytes:
    """Return attributes to set, by their numbers."""
    numbers = sorted(changes)
    return bitmap(numbers) + opaque(b"".join(changes[number] for number in numbers))


def number_text(number: int) -> bytes:
    """Return a user or group: a number as text (RFC 8881, 5.9)."""
    return opaque(str(number).encode())


def time_set(moment: Time | None) -> bytes:
    """Return a time, or the server's time."""
    return u32(0) if moment is None else u32(1) + i64(moment[0]) + u32(moment[1])


# Results


def handle_of(reader: Reader) -> bytes:
    return succeeded(reader).opaque()


def opened(reader: Reader) -> bytes:
    """Return the state of OPEN's result."""
    succeeded(reader)
    state = reader.fixed(16)
    reader.fixed(20)
    reader.u32()
    reader.bitmap()
    if reader.u32() == 3 and reader.u32() in (1, 2):  # OPEN_DELEGATE_NONE_EXT, with contention or without resources
        reader.u32()
    return state


def created(reader: Reader) -> None:
    succeeded(reader)
    reader.fixed(20)
    reader.bitmap()


def attributes(reader: Reader) -> Attributes:
    """Return the attributes in the result of GETATTR."""
    values = _values(succeeded(reader))
    mode = int(values.get(MODE, 0)) | KINDS.get(int(values.get(TYPE, 1)), stat.S_IFREG)
    return Attributes(
        mode=mode,
        change=values[CHANGE],
        size=values[SIZE],
        fileid=values[FILEID],
        links=values[LINKS],
        uid=values[OWNER],
        gid=values[GROUP],
        rdev=values[RDEV],
        used=values[SPACE_USED],
        atime=values[ATIME],
        mtime=values[MTIME],
        ctime=values[CTIME],
    )


def space(reader: Reader) -> Space:
    values = _values(succeeded(reader))
    names = (FILES_FREE, FILES_TOTAL, SPACE_AVAILABLE, SPACE_FREE, SPACE_TOTAL)
    return Space(*(values[name] for name in names))


def lease(reader: Reader) -> int:
    """Return for how many seconds the server keeps the state of a client that does not call."""
    return int(_values(succeeded(reader))[LEASE])


def entries(reader: Reader) -> tuple[bytes, list[tuple[int, bytes, int, int]], bool]:
    """Return READDIR's verifier, entries as (cookie, name, fileid, mode), and whether they are the last."""
    verifier = succeeded(reader).fixed(8)
    found = []
    while reader.u32():
        cookie, name = reader.u64(), reader.opaque()
        values = _values(reader)
        found.append((cookie, name, values.get(FILEID, 1), KINDS.get(values.get(TYPE, 1), stat.S_IFREG)))
    return verifier, found, bool(reader.u32())


def _values(reader: Reader) -> dict[int, Any]:
    numbers = sorted(reader.bitmap())
    reader.u32()
    return {number: _READ[number](reader) for number in numbers}


def _who(reader: Reader) -> int:
    text = reader.opaque().partition(b"@")[0]
    return int(text) if text.isdigit() else 0 if text == b"root" else NOBODY


def _time(reader: Reader) -> Time:
    return reader.i64(), reader.u32()


_READ: Mapping[int, Callable[[Reader], Any]] = {
    TYPE: Reader.u32, CHANGE: Reader.u64, SIZE: Reader.u64, LEASE: Reader.u32, FILEID: Reader.u64,
    FILES_FREE: Reader.u64, FILES_TOTAL: Reader.u64, MODE: Reader.u32, LINKS: Reader.u32, OWNER: _who, GROUP: _who,
    RDEV: lambda reader: (reader.u32(), reader.u32()), SPACE_AVAILABLE: Reader.u64, SPACE_FREE: Reader.u64,
    SPACE_TOTAL: Reader.u64, SPACE_USED: Reader.u64, ATIME: _time, CTIME: _time, MTIME: _time,
}  # fmt: skip
