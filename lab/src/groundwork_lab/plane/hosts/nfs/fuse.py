"""The kernel's messages of FUSE, and the loop that answers them: include/uapi/linux/fuse.h.

Each request has a thread while it is worked on: when all threads are busy, one more is started. So the message that a
process was interrupted is always read, and a process that waits for the server can be killed.
"""

from __future__ import annotations

import errno
import os
import struct
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

MAJOR, MINOR = 7, 36
LIMIT = 1 << 20  # bytes of a read or write
IDLE = 8  # threads that wait for requests
KILLED = 1 << 8  # SIGKILL in a mask of signals; the kernel adds it to what ends a process

LOOKUP, FORGET, GETATTR, SETATTR, READLINK, SYMLINK, MKNOD, MKDIR, UNLINK, RMDIR, RENAME, LINK, OPEN, READ, WRITE = (
    1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16,
)  # fmt: skip
STATFS, RELEASE, FSYNC, FLUSH, INIT, OPENDIR, READDIR, RELEASEDIR, FSYNCDIR, GETLK, SETLK, SETLKW = (
    17, 18, 20, 25, 26, 27, 28, 29, 30, 31, 32, 33,
)  # fmt: skip
CREATE, INTERRUPT, DESTROY, BATCH_FORGET = 35, 36, 38, 42

# ASYNC_READ, POSIX_LOCKS, BIG_WRITES, FLOCK_LOCKS, AUTO_INVAL_DATA, PARALLEL_DIROPS, ABORT_ERROR, MAX_PAGES
FEATURES = 1 << 0 | 1 << 1 | 1 << 5 | 1 << 10 | 1 << 12 | 1 << 18 | 1 << 21 | 1 << 22
INVALIDATE = 2  # the notification that what the kernel knows of a file is outdated

_IN = struct.Struct("<IIQQIIIHH")
_OUT = struct.Struct("<IiQ")
_INIT_OUT = struct.Struct("<IIIIHHIIHHII24x")
_NOTIFY = struct.Struct("<IiQQqq")

Answer = bytes | Sequence[bytes | memoryview] | None


class Request(NamedTuple):
    """A request: its operation, its number, the file that it concerns, and the process that made it."""

    operation: int
    unique: int
    node: int
    uid: int
    gid: int
    pid: int
    body: memoryview


@dataclass
class _Work(threading.local):
    """The request that a thread works on."""

    request: Request | None = None
    deferred: bool = False


class Channel:
    """The device of a mounted file system. `handle` answers a request, or raises OSError."""

    def __init__(self, device: int) -> None:
        self._device = device
        self._work = _Work()
        self._guard = threading.Lock()
        self._waiting = 0
        self._ended = threading.Event()
        self._active: set[int] = set()
        self._interrupted: set[int] = set()
        self.handle: Callable[[Request], Answer] = lambda _request: None

    # The thread's request

    def interrupted(self) -> bool:
        """Return whether the process of this thread's request was interrupted by a signal."""
        request = self._work.request
        return request is not None and request.unique in self._interrupted

    def killed(self) -> bool:
        """Return whether the process of this thread's request was killed."""
        request = self._work.request
        return request is not None and request.unique in self._interrupted and _is_killed(request.pid)

    def later(self, request: Request) -> None:
        """Answer this request in a thread of its own: it may wait for another one."""
        self._work.deferred = True
        kept = request._replace(body=memoryview(bytes(request.body)))
        threading.Thread(target=self._answer, args=(kept,), name="lock", daemon=True).start()

    def invalidate(self, node: int, *, data: bool) -> None:
        """Make the kernel forget the attributes of a file, and also its data."""
        message = _NOTIFY.pack(_NOTIFY.size, INVALIDATE, 0, node, 0 if data else -1, 0)
        with suppress(OSError):  # the kernel does not know the file
            os.write(self._device, message)

    # The loop

    def serve(self) -> None:
        """Answer requests until the file system is unmounted."""
        threading.Thread(target=self._work_on, daemon=True).start()
        self._ended.wait()

    def _work_on(self) -> None:
        """Answer requests, unless enough other threads wait for them."""
        buffer = bytearray(LIMIT + 4096)
        view = memoryview(buffer)
        while True:
            with self._guard:
                if self._waiting >= IDLE:
                    return
                self._waiting += 1
            try:
                size = os.readv(self._device, [buffer])
            except OSError as error:
                with self._guard:
                    self._waiting -= 1
                if error.errno in (errno.EINTR, errno.EAGAIN, errno.ENOENT):  # ENOENT: the request was taken back
                    continue
                self._ended.set()
                return
            with self._guard:
                self._waiting -= 1
                alone = not self._waiting
            _, operation, unique, node, uid, gid, pid, _, _ = _IN.unpack_from(buffer)
            request = Request(operation, unique, node, uid, gid, pid, view[_IN.size : size])
            if operation == INTERRUPT:
                self._interrupt(request)
                continue
            if alone:
                threading.Thread(target=self._work_on, daemon=True).start()
            self._answer(request)

    def _interrupt(self, request: Request) -> None:
        (unique,) = struct.unpack_from("<Q", request.body)
        with self._guard:
            known = unique in self._active
            if known:
                self._interrupted.add(unique)
        if not known:  # it is read by another thread at this moment, or answered
            self._reply(request.unique, -errno.EAGAIN)

    def _answer(self, request: Request) -> None:
        self._work.request = request
        with self._guard:
            self._active.add(request.unique)
        self._work.deferred = False
        try:
            answer = self.handle(request)
            if answer is not None:
                parts = [answer] if isinstance(answer, bytes) else answer
                self._reply(request.unique, 0, parts)
        except OSError as error:
            self._reply(request.unique, -(error.errno or errno.EIO))
        except Exception:
            self._reply(request.unique, -errno.EIO)
            raise
        finally:
            self._work.request = None
            if not self._work.deferred:
                with self._guard:
                    self._active.discard(request.unique)
                    self._interrupted.discard(request.unique)

    def _reply(self, unique: int, code: int, parts: Sequence[bytes | memoryview] = ()) -> None:
        head = _OUT.pack(_OUT.size + sum(map(len, parts)), code, unique)
        with suppress(OSError):  # the process has ended, or the file system was unmounted
            os.writev(self._device, [head, *parts])


def init(body: memoryview) -> bytes:
    """Return the answer to INIT."""
    _, minor, readahead, offered = struct.unpack_from("<IIII", body)
    return _INIT_OUT.pack(
        MAJOR, min(minor, MINOR), readahead, offered & FEATURES, 64, 48, LIMIT, 1, LIMIT // 4096, 0, 0, 0
    )


def _is_killed(pid: int) -> bool:
    try:
        text = Path(f"/proc/{pid}/status").read_text("ascii", errors="replace")
    except OSError:
        return True
    pending = [line.split()[1] for line in text.splitlines() if line.startswith(("SigPnd:", "ShdPnd:"))]
    return any(int(mask, 16) & KILLED for mask in pending)
