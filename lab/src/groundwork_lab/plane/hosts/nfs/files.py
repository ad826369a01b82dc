"""The files of an NFS server for the kernel: each request of FUSE as calls of NFSv4.1.

What the kernel remembers, and for how long, is as with Linux' NFS client: attributes of files for `acregmin`, those of
folders and names that do not exist for `acdirmin`; opening a file looks at the server (nfs(5), DATA AND METADATA
COHERENCE). A file that is removed while it is open here is renamed until it is closed.
"""

from __future__ import annotations

import errno
import itertools
import os
import stat
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from . import fuse, operations, xdr
from .fuse import Answer, Channel, Request
from .locks import READ, WHOLE, WRITE, Locks
from .operations import Attributes, attributes, handle_of, putfh
from .session import NfsError, Session, Who, succeeded

F_RDLCK, F_WRLCK, F_UNLCK = 0, 1, 2
END = (1 << 63) - 1  # the end of a range without an end
POLL = (0.01, 0.5)  # seconds between two attempts to get a lock: the first, and the longest
ATTR = struct.Struct("<6Q10I")
DIRECT_IO, KEEP_CACHE = 1, 2
FLOCK, FLOCK_UNLOCK = 1, 2
MAY = {1: 0x01, 2: 0x0C, 3: 0x0D}  # ACCESS4_READ, MODIFY and EXTEND, by how a file is opened
GROUPS_KEPT = 5.0  # seconds for which the groups of a process are remembered


@dataclass(frozen=True)
class Caching:
    """For how many seconds the kernel remembers what."""

    files: float = 3.0
    folders: float = 30.0


@dataclass(eq=False)
class Node:
    """A file that the kernel knows."""

    id: int
    handle: bytes
    lookups: int = 0
    opens: int = 0
    change: int = -1  # of the data in the kernel's cache
    hidden: tuple[bytes, bytes] | None = None  # the folder and the name of a removed file that is open
    appending: threading.Lock = field(default_factory=threading.Lock)


@dataclass(eq=False)
class Open:
    """An open file or folder."""

    node: Node
    share: int
    verifier: bytes = bytes(8)


class Files:
    """Answers the requests of one mount."""

    def __init__(self, session: Session, channel: Channel, root: bytes, caching: Caching) -> None:
        self._session = session
        self._channel = channel
        self._caching = caching
        self._locks = Locks(session)
        session.lost = self._locks.restore
        first = Node(1, root, lookups=1)
        self._nodes = {1: first}
        self._by_handle = {root: first}
        self._ids = itertools.count(2)
        self._open: dict[int, Open] = {}
        self._guard = threading.Lock()
        self._groups: dict[tuple[int, int, int], tuple[float, tuple[int, ...]]] = {}
        self._answers: dict[int, Callable[[Request], Answer]] = {
            fuse.INIT: lambda request: fuse.init(request.body), fuse.LOOKUP: self._lookup, fuse.FORGET: self._forget,
            fuse.BATCH_FORGET: self._forget_all, fuse.GETATTR: self._getattr, fuse.SETATTR: self._setattr,
            fuse.READLINK: self._readlink, fuse.SYMLINK: self._symlink, fuse.MKNOD: self._mknod,
            fuse.MKDIR: self._mkdir, fuse.UNLINK: self._unlink, fuse.RMDIR: self._rmdir, fuse.RENAME: self._rename,
            fuse.LINK: self._link, fuse.OPEN: self._open_file, fuse.READ: self._read, fuse.WRITE: self._write,
            fuse.STATFS: self._statfs, fuse.RELEASE: self._release, fuse.FSYNC: self._fsync, fuse.FLUSH: self._flush,
            fuse.OPENDIR: self._opendir, fuse.READDIR: self._readdir, fuse.RELEASEDIR: self._release,
            fuse.FSYNCDIR: lambda _: b"", fuse.GETLK: self._getlk, fuse.SETLK: self._setlk, fuse.SETLKW: self._setlkw,
            fuse.CREATE: self._create, fuse.DESTROY: lambda _: b"",
        }  # fmt: skip

    def handle(self, request: Request) -> Answer:
        """Answer a request. Raise OSError."""
        answer = self._answers.get(request.operation)
        if answer is None:
            raise OSError(errno.ENOSYS, "unknown operation")
        return answer(request)

    # Names

    def _lookup(self, request: Request) -> Answer:
        calls = [self._at(request), operations.lookup(_name(request.body)), operations.GETFH, operations.GETATTR]
        reader = self._session.call(calls, self._who(request))
        try:
            succeeded(reader)
            succeeded(reader)
        except NfsError as error:
            if error.errno != errno.ENOENT:
                raise
            return self._absent()
        handle = handle_of(reader)
        return self._entry(handle, attributes(reader))

    def _absent(self) -> bytes:
        """Return the entry of a name that does not exist, which the kernel may remember."""
        whole, part = _split(self._caching.folders)
        return struct.pack("<4Q2I", 0, 0, whole, 0, part, 0) + bytes(ATTR.size)

    def _entry(self, handle: bytes, found: Attributes) -> bytes:
        with self._guard:
            node = self._by_handle.get(handle)
            if node is None:
                node = Node(next(self._ids), handle)
                self._nodes[node.id] = self._by_handle[handle] = node
            node.lookups += 1
        whole, part = _split(self._caching.files)
        attr_whole, attr_part = self._validity(found)
        return struct.pack("<4Q2I", node.id, 0, whole, attr_whole, part, attr_part) + _packed(found)

    def _forget(self, request: Request) -> Answer:
        self._forgotten(request.node, struct.unpack_from("<Q", request.body)[0])
        return None

    def _forget_all(self, request: Request) -> Answer:
        (count,) = struct.unpack_from("<I", request.body)
        for each in range(count):
            self._forgotten(*struct.unpack_from("<QQ", request.body, 8 + 16 * each))
        return None

    def _forgotten(self, node_id: int, lookups: int) -> None:
        with self._guard:
            node = self._nodes.get(node_id)
            if node is not None:
                node.lookups -= lookups
                self._drop(node)

    def _drop(self, node: Node) -> None:
        if node.lookups <= 0 and not node.opens and node.id != 1:
            self._nodes.pop(node.id, None)
            self._by_handle.pop(node.handle, None)

    # Attributes

    def _getattr(self, request: Request) -> Answer:
        reader = self._session.call([self._at(request), operations.GETATTR], self._who(request))
        succeeded(reader)
        return self._attributes(attributes(reader))

    def _attributes(self, found: Attributes) -> bytes:
        whole, part = self._validity(found)
        return struct.pack("<QII", whole, part, 0) + _packed(found)

    def _validity(self, found: Attributes) -> tuple[int, int]:
        return _split(self._caching.folders if stat.S_ISDIR(found.mode) else self._caching.files)

    def _setattr(self, request: Request) -> Answer:
        names = "<IIQQQQQQIIIIIIII"
        valid, _, _, size, _, atime, mtime, _, atime_part, mtime_part, _, mode, _, uid, gid, _ = struct.unpack_from(
            names, request.body
        )
        changes: dict[int, bytes] = {}
        if valid & 8:
            changes[operations.SIZE] = xdr.u64(size)
        if valid & 1:
            changes[operations.MODE] = xdr.u32(mode & 0o7777)
        if valid & 2:
            changes[operations.OWNER] = operations.number_text(uid)
        if valid & 4:
            changes[operations.GROUP] = operations.number_text(gid)
        if valid & 16:
            changes[operations.ATIME_SET] = operations.time_set(None if valid & 128 else (atime, atime_part))
        if valid & 32:
            changes[operations.MTIME_SET] = operations.time_set(None if valid & 256 else (mtime, mtime_part))
        calls = [self._at(request), *([operations.setattr_(changes)] if changes else []), operations.GETATTR]
        reader = self._session.call(calls, self._who(request), keep=True)
        succeeded(reader)
        if changes:
            succeeded(reader)
            reader.bitmap()
        found = attributes(reader)
        self._node(request.node).change = found.change
        return self._attributes(found)

    def _statfs(self, request: Request) -> Answer:
        reader = self._session.call([self._at(request), operations.STATFS], self._who(request))
        succeeded(reader)
        space = operations.space(reader)
        blocks = (each // 4096 for each in (space.total, space.free, space.available))
        return struct.pack("<5Q10I", *blocks, space.files, space.files_free, fuse.LIMIT, 255, 4096, *[0] * 7)

    # Folders

    def _opendir(self, request: Request) -> Answer:
        return self._opened(self._node(request.node), 1, 0)

    def _readdir(self, request: Request) -> Answer:
        number, offset, size = struct.unpack_from("<QQI", request.body)
        opened = self._open[number]
        listed = bytearray()
        if offset < 2:
            for place, name in ((1, b"."), (2, b"..")):
                if offset < place:
                    listed += _dirent(request.node, place, name, stat.S_IFDIR)
            return bytes(listed)  # the kernel asks on
        verifier = opened.verifier if offset > 2 else bytes(8)
        calls = [self._at(request), operations.readdir(0 if offset == 2 else offset, verifier, max(size, 4096))]
        reader = self._session.call(calls, self._who(request))
        succeeded(reader)
        opened.verifier, found, _ = operations.entries(reader)
        for cookie, name, fileid, mode in found:
            entry = _dirent(fileid, cookie, name, mode)
            if len(listed) + len(entry) > size:
                break
            listed += entry
        return bytes(listed)

    def _symlink(self, request: Request) -> Answer:
        name, target = bytes(request.body).split(b"\0")[:2]
        return self._made(request, stat.S_IFLNK, name, 0o777, xdr.opaque(target))

    def _mkdir(self, request: Request) -> Answer:
        mode, _ = struct.unpack_from("<II", request.body)
        return self._made(request, stat.S_IFDIR, _name(request.body[8:]), mode)

    def _mknod(self, request: Request) -> Answer:
        mode, rdev, _, _ = struct.unpack_from("<IIII", request.body)
        name = _name(request.body[16:])
        if stat.S_ISREG(mode):
            return self._new_file(request, name, mode, exclusive=True)
        device = stat.S_ISBLK(mode) or stat.S_ISCHR(mode)
        numbers = xdr.u32(os.major(rdev)) + xdr.u32(os.minor(rdev)) if device else b""
        return self._made(request, stat.S_IFMT(mode), name, mode, numbers)

    def _made(self, request: Request, kind: int, name: bytes, mode: int, more: bytes = b"") -> bytes:
        making = operations.create(kind, name, {operations.MODE: xdr.u32(mode & 0o7777)}, more)
        calls = [self._at(request), making, operations.GETFH, operations.GETATTR]
        reader = self._session.call(calls, self._who(request), keep=True)
        succeeded(reader)
        operations.created(reader)
        handle = handle_of(reader)
        return self._entry(handle, attributes(reader))

    def _link(self, request: Request) -> Answer:
        (old,) = struct.unpack_from("<Q", request.body)
        node = self._node(old)
        calls = [putfh(node.handle), operations.SAVEFH, self._at(request), operations.link(_name(request.body[8:]))]
        calls += [putfh(node.handle), operations.GETATTR]
        reader = self._session.call(calls, self._who(request), keep=True)
        for _ in range(4):
            succeeded(reader)
        reader.fixed(20)
        succeeded(reader)
        return self._entry(node.handle, attributes(reader))

    def _unlink(self, request: Request) -> Answer:
        name = _name(request.body)
        node = self._open_at(request, request.node, name)
        if node is not None:
            hidden = _hidden_name()
            self._move(request, self._node(request.node).handle, name, self._node(request.node).handle, hidden)
            node.hidden = (self._node(request.node).handle, hidden)
            return b""
        self._remove(self._node(request.node).handle, name, self._who(request))
        return b""

    def _rmdir(self, request: Request) -> Answer:
        self._remove(self._node(request.node).handle, _name(request.body), self._who(request))
        return b""

    def _remove(self, folder: bytes, name: bytes, who: Who) -> None:
        reader = self._session.call([putfh(folder), operations.remove(name)], who, keep=True)
        succeeded(reader)
        succeeded(reader)

    def _rename(self, request: Request) -> Answer:
        (new_folder,) = struct.unpack_from("<Q", request.body)
        old, new = bytes(request.body[8:]).split(b"\0")[:2]
        target = self._open_at(request, new_folder, new)
        folder = self._node(new_folder).handle
        if target is not None:  # it stays under another name until it is closed
            hidden = _hidden_name()
            calls = [putfh(target.handle), operations.SAVEFH, putfh(folder), operations.link(hidden)]
            reader = self._session.call(calls, self._who(request), keep=True)
            for _ in range(4):
                succeeded(reader)
            target.hidden = (folder, hidden)
        self._move(request, self._node(request.node).handle, old, folder, new)
        return b""

    def _move(self, request: Request, old_folder: bytes, old: bytes, new_folder: bytes, new: bytes) -> None:
        calls = [putfh(old_folder), operations.SAVEFH, putfh(new_folder), operations.rename(old, new)]
        reader = self._session.call(calls, self._who(request), keep=True)
        for _ in calls:
            succeeded(reader)

    def _open_at(self, request: Request, folder: int, name: bytes) -> Node | None:
        """Return the file with this name if it is open here and not hidden."""
        if not any(not opened.node.hidden for opened in list(self._open.values())):
            return None
        calls = [putfh(self._node(folder).handle), operations.lookup(name), operations.GETFH]
        reader = self._session.call(calls, self._who(request))
        try:
            succeeded(reader)
            succeeded(reader)
        except NfsError:
            return None
        node = self._by_handle.get(handle_of(reader))
        return node if node is not None and node.opens and node.hidden is None else None

    # Files

    def _readlink(self, request: Request) -> Answer:
        reader = self._session.call([self._at(request), operations.READLINK], self._who(request))
        succeeded(reader)
        return succeeded(reader).opaque()

    def _create(self, request: Request) -> Answer:
        flags, mode, _, _ = struct.unpack_from("<IIII", request.body)
        entry = self._new_file(request, _name(request.body[16:]), mode, exclusive=bool(flags & os.O_EXCL))
        node = self._node(struct.unpack_from("<Q", entry)[0])
        return entry + self._opened(node, _share(flags), DIRECT_IO if flags & os.O_APPEND else 0)

    def _new_file(self, request: Request, name: bytes, mode: int, *, exclusive: bool) -> bytes:
        changes = {operations.MODE: xdr.u32(mode & 0o7777)}
        making = operations.open_new(self._session.client, name, changes, exclusive=exclusive)
        calls = [self._at(request), making, operations.GETFH, operations.GETATTR, operations.CLOSE_CURRENT]
        reader = self._session.call(calls, self._who(request), keep=True)
        succeeded(reader)
        operations.opened(reader)
        handle = handle_of(reader)
        found = attributes(reader)
        entry = self._entry(handle, found)
        self._by_handle[handle].change = found.change
        return entry

    def _open_file(self, request: Request) -> Answer:
        (flags,) = struct.unpack_from("<I", request.body)
        node, share = self._node(request.node), _share(flags)
        wanted = MAY[share]
        calls = [putfh(node.handle), operations.access(wanted | 0x20), operations.GETATTR]
        reader = self._session.call(calls, self._who(request))
        succeeded(reader)
        succeeded(reader)
        reader.u32()
        allowed = reader.u32()
        if wanted & ~allowed and not (share == 1 and allowed & 0x20):  # a program is read to be executed
            raise OSError(errno.EACCES, "not allowed")
        found = attributes(reader)
        if not found.links:  # the kernel then looks up the name again
            raise OSError(errno.ESTALE, "The file has no name any more.")
        if flags & os.O_APPEND and share != 1:
            return self._opened(node, share, DIRECT_IO)
        fresh = node.change == found.change
        node.change = found.change
        if not fresh:
            self._channel.invalidate(node.id, data=False)
        return self._opened(node, share, KEEP_CACHE if fresh else 0)

    def _opened(self, node: Node, share: int, how: int) -> bytes:
        with self._guard:
            number = next(self._ids)
            self._open[number] = Open(node, share)
            node.opens += 1
        return struct.pack("<QII", number, how, 0)

    def _read(self, request: Request) -> Answer:
        _, offset, size = struct.unpack_from("<QQI", request.body)
        self._check_locks(request)
        parts: list[memoryview] = []
        while size:
            reader = self._session.call([self._at(request), operations.read(offset, size)], self._who(request))
            succeeded(reader)
            succeeded(reader)
            last, data = reader.u32(), reader.view()
            parts.append(data)
            offset, size = offset + len(data), size - len(data)
            if last or not data:
                break
        return parts

    def _write(self, request: Request) -> Answer:
        _, offset, size, _, _, flags = struct.unpack_from("<QQIIQI", request.body)
        data = request.body[40 : 40 + size]
        self._check_locks(request)
        node = self._node(request.node)
        if not flags & os.O_APPEND:
            self._put(request, offset, data)
            return struct.pack("<II", size, 0)
        with node.appending:
            reader = self._session.call([putfh(node.handle), operations.GETATTR], self._who(request))
            succeeded(reader)
            self._put(request, attributes(reader).size, data)
        self._channel.invalidate(node.id, data=False)
        return struct.pack("<II", size, 0)

    def _put(self, request: Request, offset: int, data: memoryview) -> None:
        while data:
            calls = [self._at(request), operations.write(offset, len(data))]
            parts: list[bytes | memoryview] = [data, bytes(-len(data) % 4)]
            reader = self._session.call(calls, self._who(request), data=parts, keep=True)
            succeeded(reader)
            succeeded(reader)
            count = reader.u32()
            offset, data = offset + count, data[count:]

    def _check_locks(self, request: Request) -> None:
        if self._locks.lost and self._node(request.node).handle in self._locks.lost:
            raise OSError(errno.EIO, "A lock was lost.")

    def _fsync(self, request: Request) -> Answer:
        reader = self._session.call([self._at(request), operations.commit()], self._who(request))
        succeeded(reader)
        succeeded(reader)
        return b""

    def _flush(self, request: Request) -> Answer:
        _, _, owner = struct.unpack_from("<QQQ", request.body)
        self._locks.free(self._node(request.node).handle, _owner(owner, flock=False))
        return b""

    def _release(self, request: Request) -> Answer:
        number, _, flags, owner = struct.unpack_from("<QIIQ", request.body)
        if flags & FLOCK_UNLOCK:
            self._locks.free(self._node(request.node).handle, _owner(owner, flock=True))
        with self._guard:
            node = self._open.pop(number).node
            node.opens -= 1
            hidden, node.hidden = (node.hidden, None) if not node.opens else (None, node.hidden)
            self._drop(node)
        if hidden:
            self._remove(*hidden, Who(0, 0))
        return b""

    # Locks

    def _getlk(self, request: Request) -> Answer:
        where, kind, name = _lock(request.body)
        node = self._node(request.node)
        found, offset, length = self._locks.test(node.handle, name, kind or WRITE, where, self._who(request))
        if not found:
            return struct.pack("<QQII", 0, 0, F_UNLCK, 0)
        end = END if length >= END - offset else offset + length - 1
        return struct.pack("<QQII", offset, end, F_RDLCK if found in (1, 3) else F_WRLCK, 0)

    def _setlk(self, request: Request) -> Answer:
        where, kind, name = _lock(request.body)
        node = self._node(request.node)
        if not kind:
            self._locks.free(node.handle, name, where)
            return b""
        (number,) = struct.unpack_from("<Q", request.body)
        share = self._open[number].share
        self._locks.take(node.handle, name, share, self._who(request), kind=kind, where=where)
        self._channel.invalidate(node.id, data=True)  # what another server wrote under its lock is read
        node.change = -1
        return b""

    def _setlkw(self, request: Request) -> Answer:
        if threading.current_thread().name != "lock":
            self._channel.later(request)
            return None
        pause = POLL[0]
        while True:
            try:
                return self._setlk(request)
            except NfsError as error:
                if error.errno != errno.EAGAIN:
                    raise
            if self._channel.interrupted():
                raise OSError(errno.EINTR, "interrupted")
            time.sleep(pause)
            pause = min(2 * pause, POLL[1])

    # Who and what

    def _node(self, node_id: int) -> Node:
        node = self._nodes.get(node_id)
        if node is None:
            raise OSError(errno.ESTALE, "unknown file")
        return node

    def _at(self, request: Request) -> bytes:
        return putfh(self._node(request.node).handle)

    def _who(self, request: Request) -> Who:
        """Return the user and the groups of the process: the kernel tells its user and its first group."""
        if request.uid == 0 or not request.pid:
            return Who(request.uid, request.gid)
        key, now = (request.pid, request.uid, request.gid), time.monotonic()
        known = self._groups.get(key)
        if known is None or known[0] < now:
            if len(self._groups) > 1000:
                self._groups.clear()
            known = self._groups[key] = (now + GROUPS_KEPT, _groups(request.pid))
        return Who(request.uid, request.gid, known[1])


def _groups(pid: int) -> tuple[int, ...]:
    """Return the supplementary groups of a process, or none if it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text("ascii", errors="replace").splitlines()
    except OSError:
        return ()
    return next((tuple(map(int, line.split()[1:])) for line in lines if line.startswith("Groups:")), ())


def _name(body: memoryview) -> bytes:
    return bytes(body).partition(b"\0")[0]


def _share(flags: int) -> int:
    return {os.O_RDONLY: 1, os.O_WRONLY: 2}.get(flags & os.O_ACCMODE, 3)


def _owner(number: int, *, flock: bool) -> bytes:
    return (b"flock" if flock else b"posix") + number.to_bytes(8, "big")


def _lock(body: memoryview) -> tuple[tuple[int, int], int, bytes]:
    """Return the range of a lock, its kind (0 to unlock), and its owner."""
    _, owner, start, end, kind, _, flags = struct.unpack_from("<QQQQIII", body)
    length = WHOLE if end >= END else end - start + 1
    kinds = {F_RDLCK: READ, F_WRLCK: WRITE}
    return (start, length), kinds.get(kind, 0), _owner(owner, flock=bool(flags & FLOCK))


def _hidden_name() -> bytes:
    return b".nfs" + os.urandom(12).hex().encode()


def _split(seconds: float) -> tuple[int, int]:
    return int(seconds), int(seconds % 1 * 1e9)


def _packed(found: Attributes) -> bytes:
    rdev = os.makedev(*found.rdev)
    times = (found.atime, found.mtime, found.ctime)
    return ATTR.pack(
        found.fileid, found.size, (found.used + 511) // 512, *(max(0, each[0]) for each in times),
        *(each[1] for each in times), found.mode, found.links, found.uid, found.gid, rdev, 1 << 20, 0,
    )  # fmt: skip


def _dirent(fileid: int, offset: int, name: bytes, mode: int) -> bytes:
    head = struct.pack("<QQII", fileid, offset, len(name), mode >> 12)
    return head + name + bytes(-(len(head) + len(name)) % 8)
