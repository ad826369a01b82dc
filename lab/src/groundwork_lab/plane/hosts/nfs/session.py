"""Calls to the server: a TCP connection, and a session of NFSv4.1 over it.

A call waits for its answer. When the connection breaks, a new one is opened, and all calls without an answer are sent
again with their slots and sequence numbers, so that the server executes each of them once (RFC 8881, 2.10.6). When the
server has forgotten the session, a new one is made, and what depends on the old one is made anew (`Session.lost`).

With `hard`, a call waits for the server for as long as it takes, and ends early only if its process is killed. With
`soft`, it fails with ETIMEDOUT after timeo x (retrans + 1).
"""

from __future__ import annotations

import errno
import itertools
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from .xdr import Reader, opaque, u32, u64

PROGRAM, VERSION, MINOR = 100003, 4, 1
EXCHANGE_ID, CREATE_SESSION, SEQUENCE, RECLAIM_COMPLETE = 42, 43, 53, 58
DELAY, GRACE, UNCACHED = 10008, 10013, 10068
FORGOTTEN = frozenset({10022, 10052, 10053, 10055, 10063, 10078})  # the client, the session, its slots or connection
SLOTS = 32
MESSAGE = (1 << 20) + 4096  # bytes: the largest read or write, and what is around it
CONNECT = 5.0  # seconds
PAUSE = 0.25  # seconds between two attempts to connect, or to repeat what the server delays
LOOK = 1.0  # seconds between two looks at whether the process of a call was killed

ERRNOS = {
    1: errno.EPERM, 2: errno.ENOENT, 5: errno.EIO, 6: errno.ENXIO, 13: errno.EACCES, 17: errno.EEXIST,
    18: errno.EXDEV, 20: errno.ENOTDIR, 21: errno.EISDIR, 22: errno.EINVAL, 27: errno.EFBIG, 28: errno.ENOSPC,
    30: errno.EROFS, 31: errno.EMLINK, 63: errno.ENAMETOOLONG, 66: errno.ENOTEMPTY, 69: errno.EDQUOT,
    70: errno.ESTALE, 10001: errno.ESTALE, 10004: errno.EOPNOTSUPP, 10007: errno.EINVAL, 10010: errno.EAGAIN,
    10012: errno.EAGAIN, 10014: errno.ESTALE, 10015: errno.EACCES, 10016: errno.EPERM, 10029: errno.ELOOP,
    10038: errno.EBADF, 10039: errno.EINVAL, 10040: errno.EINVAL, 10041: errno.EINVAL,
}  # fmt: skip


class NfsError(OSError):
    """The server's error, with the errno that it means. `status` is nfsstat4 of RFC 8881, 15.1."""

    def __init__(self, status: int) -> None:
        code = ERRNOS.get(status, errno.EIO)
        super().__init__(code, f"{os.strerror(code)} (NFS {status})")
        self.status = status


class _ForgottenError(Exception):
    """Raised when the server has forgotten the session, for example after its restart."""


@dataclass(frozen=True)
class Who:
    """The process that a call is made for: its user and groups, by AUTH_SYS (RFC 5531, appendix A)."""

    uid: int
    gid: int
    groups: tuple[int, ...] = ()

    def credential(self) -> bytes:
        groups = self.groups[:16]
        body = u32(0) + opaque(b"lab") + u32(self.uid) + u32(self.gid) + u32(len(groups)) + b"".join(map(u32, groups))
        return u32(1) + opaque(body)


ROOT = Who(0, 0)


@dataclass(frozen=True)
class Patience:
    """How long calls wait: `timeo` is in seconds."""

    hard: bool = True
    timeo: float = 60.0
    retrans: int = 2

    @property
    def bound(self) -> float:
        return self.timeo * (self.retrans + 1)


@dataclass(eq=False)
class _Call:
    xid: int
    record: Sequence[bytes | memoryview]
    done: threading.Lock = field(default_factory=threading.Lock)
    sent: socket.socket | None = None
    answer: memoryview | None = None

    def __post_init__(self) -> None:
        self.done.acquire()

    def end(self) -> None:
        with suppress(RuntimeError):  # it has ended before
            self.done.release()


class Session:
    """A session with the server. Thread-safe.

    `given_up` tells whether the process for which this thread works was killed. `lost` is called, with no lock held,
    after the server has forgotten the state of a session.
    """

    def __init__(
        self, address: tuple[str, int], patience: Patience, *, given_up: Callable[[], bool] = lambda: False
    ) -> None:
        self._address = address
        self._patience = patience
        self._given_up = given_up
        self._owner = f"groundwork-lab {socket.gethostname()} {os.getpid()}".encode()
        self._verifier = os.urandom(8)
        self._xids = itertools.count(int.from_bytes(os.urandom(3), "big") << 8)
        self._pending: dict[int, _Call] = {}
        self._connecting = threading.Lock()
        self._sending = threading.Lock()
        self._socket: socket.socket | None = None
        self._making = threading.Lock()
        self._id = b""
        self._slots: list[int] = []
        self._numbers: list[int] = []
        self._abandoned = 0
        self._free = threading.Condition()
        self._last = time.monotonic()
        self.epoch = 0
        self.client = 0
        self._known = 0
        self.lost: Callable[[], None] = lambda: None
        self._closed = threading.Event()

    # One call

    def call(
        self,
        operations: Sequence[bytes],
        who: Who = ROOT,
        *,
        data: Sequence[bytes | memoryview] = (),
        keep: bool = False,
    ) -> Reader:
        """Return the results of the operations, after that of SEQUENCE.

        `data` are the last bytes of the last operation, which are sent without copying them. With `keep`, the server
        keeps the answer, for a call that must not be executed twice. Raise OSError if the call gives up.
        """
        started = time.monotonic()
        while True:
            epoch = self.epoch
            try:
                if not epoch:
                    raise _ForgottenError
                status, reader = self._in_session(operations, who, data, keep, started)
            except _ForgottenError:
                self._make(epoch, started)
                continue
            if status in (DELAY, GRACE):
                self._pause(started)
            elif status != UNCACHED:
                return reader

    def _in_session(
        self, operations: Sequence[bytes], who: Who, data: Sequence[bytes | memoryview], keep: bool, started: float
    ) -> tuple[int, Reader]:
        """Return the status of the compound and its results."""
        slot, number, session, epoch = self._take(started)
        finished = False
        try:
            sequence = u32(SEQUENCE) + session + u32(number) + u32(slot) + u32(SLOTS - 1) + u32(keep)
            while True:
                status, reader = self._compound([sequence, *operations], who, data, started)
                reader.u32()  # SEQUENCE
                own = reader.u32()
                if own != DELAY:
                    break
                self._pause(started)
            if own in FORGOTTEN:
                raise _ForgottenError
            finished = True
            if own == UNCACHED:
                return own, reader
            if own:
                raise NfsError(own)
            reader.fixed(36)
            return status, reader
        finally:
            self._give(slot, epoch, used=finished)

    def _compound(
        self, operations: Sequence[bytes], who: Who, data: Sequence[bytes | memoryview], started: float
    ) -> tuple[int, Reader]:
        """Return the status of a compound, which is that of its last result, and its results."""
        xid = next(self._xids) & 0xFFFFFFFF
        head = b"".join(
            (
                u32(xid), u32(0), u32(2), u32(PROGRAM), u32(VERSION), u32(1), who.credential(), u32(0), u32(0),
                u32(0), u32(MINOR), u32(len(operations)), *operations,
            )
        )  # fmt: skip
        length = len(head) + sum(map(len, data))
        call = _Call(xid, [u32(length | 0x80000000) + head, *data])
        self._pending[xid] = call
        try:
            self._send(call)
            while not call.done.acquire(timeout=LOOK):
                self._check(started)
        finally:
            self._pending.pop(xid, None)
        if call.answer is None:
            raise OSError(errno.EIO, "The file system was unmounted.")
        return _results(call.answer)

    def _check(self, started: float) -> None:
        """Raise OSError if a call that started then should not wait any longer."""
        if self._given_up():
            raise OSError(errno.EINTR, "The process was killed.")
        if not self._patience.hard and time.monotonic() - started > self._patience.bound:
            raise OSError(errno.ETIMEDOUT, "The server does not answer.")

    def _pause(self, started: float) -> None:
        self._check(started)
        if self._closed.wait(PAUSE):
            raise OSError(errno.EIO, "The file system was unmounted.")

    # Slots

    def _take(self, started: float) -> tuple[int, int, bytes, int]:
        """Return a slot, its sequence number, the session and its epoch."""
        with self._free:
            while not self._slots:
                if self._abandoned == len(self._numbers):
                    raise _ForgottenError
                self._free.wait(LOOK)
                self._check(started)
            slot = self._slots.pop()
            return slot, self._numbers[slot], self._id, self.epoch

    def _give(self, slot: int, epoch: int, *, used: bool) -> None:
        """Return a slot. One whose call was given up is not used again: the server may still execute it."""
        with self._free:
            if epoch == self.epoch and used:
                self._numbers[slot] += 1
                self._slots.append(slot)
                self._free.notify()
            elif epoch == self.epoch:
                self._abandoned += 1
                self._free.notify_all()

    # The session

    def _make(self, epoch: int, started: float) -> None:
        """Make a session, if the one of this epoch is still the last."""
        with self._making:
            if self.epoch != epoch:
                return
            client, number = self._exchange(started)
            body = u32(0) + u32(MESSAGE) + u32(MESSAGE) + u32(8192) + u32(16) + u32(SLOTS) + u32(0)
            create = u32(CREATE_SESSION) + u64(client) + u32(number) + u32(0) + body + body + u32(0) + u32(1) + u32(0)
            _, reader = self._compound([create], ROOT, (), started)
            succeeded(reader)
            session = reader.fixed(16)
            reader.fixed(8)
            reader.fixed(20)
            slots = min(SLOTS, reader.u32())
            with self._free:
                self._id, self.client = session, client
                self._numbers, self._abandoned = [1] * slots, 0
                self._slots = list(range(slots))[::-1]
                self.epoch += 1
                self._free.notify_all()
            known = self._known
            self._known = client
        self._in_session([u32(RECLAIM_COMPLETE) + u32(0)], ROOT, (), False, started)
        if known not in (0, client):
            self.lost()

    def _exchange(self, started: float) -> tuple[int, int]:
        owner = self._verifier + opaque(self._owner)
        _, reader = self._compound([u32(EXCHANGE_ID) + owner + u32(0) + u32(0) + u32(0)], ROOT, (), started)
        succeeded(reader)
        return reader.u64(), reader.u32()

    # The connection

    def connect(self) -> None:
        """Open the connection. Raise OSError."""
        connection = socket.create_connection(self._address, timeout=CONNECT)
        connection.settimeout(None)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        patience = max(1, round(self._patience.timeo))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, patience * 1000)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, value in (
            (socket.TCP_KEEPIDLE, patience),
            (socket.TCP_KEEPINTVL, patience),
            (socket.TCP_KEEPCNT, 2),
        ):
            connection.setsockopt(socket.IPPROTO_TCP, option, value)
        with self._sending:
            self._socket = connection
        threading.Thread(target=self._receive, args=(connection,), daemon=True).start()

    def _send(self, call: _Call) -> None:
        """Send a call, if there is a connection. A new connection sends all that is pending."""
        self._last = time.monotonic()
        with self._sending:
            connection = self._socket
            if connection is None or call.sent is connection:
                return
            call.sent = connection
            try:
                _send_all(connection, call.record)
            except OSError:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)  # the receiver opens another one

    def _receive(self, connection: socket.socket) -> None:
        with suppress(OSError, EOFError), connection:
            while True:
                (mark,) = struct.unpack(">I", _exactly(connection, 4))
                answer = _exactly(connection, mark & 0x7FFFFFFF)
                call = self._pending.get(int.from_bytes(answer[:4], "big"))
                if call is not None:
                    call.answer = answer
                    call.end()
        with self._sending:
            self._socket = None
        self._connect_again()

    def _connect_again(self) -> None:
        while not self._closed.is_set():
            with suppress(OSError):
                self.connect()
                for call in list(self._pending.values()):
                    self._send(call)
                return
            self._closed.wait(PAUSE)

    def renew(self, lease: float) -> None:
        """Keep the state on the server until the session is closed: it forgets a client that does not call."""
        while not self._closed.wait(lease / 3):
            if time.monotonic() - self._last > lease / 3:
                with suppress(OSError):
                    self.call([])

    def close(self) -> None:
        """End all calls and the connection."""
        self._closed.set()
        for call in list(self._pending.values()):
            call.end()
        with self._sending:
            if self._socket is not None:
                with suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)


def _results(answer: memoryview) -> tuple[int, Reader]:
    """Return the results in an answer: RFC 5531, 9."""
    reader = Reader(answer)
    reader.u32()  # xid
    reader.u32()  # REPLY
    if reader.u32() != 0:
        raise OSError(errno.EACCES, "The server refuses the caller.")
    reader.u32()
    reader.view()
    if reader.u32() != 0:
        raise OSError(errno.EPROTO, "The server does not accept the call.")
    status = reader.u32()
    reader.view()
    reader.u32()
    return status, reader


def succeeded(reader: Reader) -> Reader:
    """Return the reader after the head of an operation's result. Raise NfsError if the operation failed."""
    reader.u32()
    status = reader.u32()
    if status:
        raise NfsError(status)
    return reader


def _send_all(connection: socket.socket, parts: Sequence[bytes | memoryview]) -> None:
    left = [memoryview(part) for part in parts if len(part)]
    while left:
        sent = connection.sendmsg(left)
        while left and sent >= len(left[0]):
            sent -= len(left.pop(0))
        if left and sent:
            left[0] = left[0][sent:]


def _exactly(connection: socket.socket, size: int) -> memoryview:
    """Return `size` bytes. Raise EOFError if the connection ends before."""
    data = memoryview(bytearray(size))
    got = 0
    while got < size:
        count = connection.recv_into(data[got:])
        if not count:
            raise EOFError
        got += count
    return data
