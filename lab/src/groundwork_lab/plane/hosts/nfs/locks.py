"""Locks of byte ranges: fcntl(2) and flock(2), which are the same for the server, as with Linux' NFS client.

A lock needs a file that is open on the server. So a file is opened there with its first lock. All other calls use no
state of the server, which can so be restarted at any time.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass, field

from . import operations
from .session import NfsError, Session, Who, succeeded
from .xdr import opaque, u32, u64

READ, WRITE = 1, 2
WHOLE = (1 << 64) - 1
DENIED = 10010
STALE = frozenset({10011, 10023, 10024, 10025})  # states that the server has forgotten


@dataclass(eq=False)
class _Owner:
    """The locks of an owner in a file, and the states that they have on the server."""

    handle: bytes
    name: bytes
    share: int
    who: Who
    opened: bytes = b""
    locked: bytes = b""
    ranges: list[tuple[int, int, int]] = field(default_factory=list)  # (kind, offset, length), the newest last


class Locks:
    """The locks of all files. Thread-safe: what concerns one file happens in turn."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._owners: dict[tuple[bytes, bytes], _Owner] = {}
        self._guard = threading.Lock()
        self._turns: dict[bytes, threading.RLock] = {}
        self.lost: set[bytes] = set()
        """The files with a lock that another client took while the server was away."""

    def take(self, handle: bytes, name: bytes, share: int, who: Who, *, kind: int, where: tuple[int, int]) -> None:
        """Lock a range, given as (offset, length), without waiting. Raise NfsError, with EAGAIN if it is locked.

        `share` is how the file is open: 1 for reading, 2 for writing, 3 for both.
        """
        with self._turn(handle):
            owner = self._owners.setdefault((handle, name), _Owner(handle, name, share, who))
            owner.share |= share
            try:
                self._lock(owner, kind, where)
            except NfsError as error:
                if error.status not in STALE:
                    self._drop_unused(owner)
                    raise
                self._restore(owner)
                self._lock(owner, kind, where)
            owner.ranges.append((kind, *where))

    def free(self, handle: bytes, name: bytes, where: tuple[int, int] = (0, WHOLE)) -> None:
        """Unlock a range, if the owner has locks in the file."""
        with self._turn(handle):
            owner = self._owners.get((handle, name))
            if owner is None:
                return
            unlock = u32(14) + u32(WRITE) + u32(0) + owner.locked + u64(where[0]) + u64(where[1])
            with suppress(NfsError):  # a forgotten state holds no locks
                reader = self._session.call([operations.putfh(handle), unlock], owner.who, keep=True)
                succeeded(reader)
                owner.locked = succeeded(reader).fixed(16)
            if where == (0, WHOLE):
                owner.ranges.clear()
                self._drop_unused(owner)
            else:
                owner.ranges.append((0, *where))

    def test(self, handle: bytes, name: bytes, kind: int, where: tuple[int, int], who: Who) -> tuple[int, int, int]:
        """Return the lock of another owner that is in the way, as (kind, offset, length), or (0, 0, 0)."""
        body = u32(13) + u32(kind) + u64(where[0]) + u64(where[1]) + u64(self._session.client) + opaque(name)
        reader = self._session.call([operations.putfh(handle), body], who)
        succeeded(reader)
        reader.u32()
        status = reader.u32()
        if status == DENIED:
            offset, length = reader.u64(), reader.u64()
            return reader.u32(), offset, length
        if status:
            raise NfsError(status)
        return 0, 0, 0

    def restore(self) -> None:
        """Take all locks again, because the server has forgotten them. Those that others have now are lost."""
        for owner in list(self._owners.values()):
            with self._turn(owner.handle):
                if (owner.handle, owner.name) in self._owners:
                    try:
                        self._restore(owner)
                    except OSError:
                        self.lost.add(owner.handle)

    def _restore(self, owner: _Owner) -> None:
        owner.opened = owner.locked = b""
        for kind, *where in owner.ranges:
            if kind:
                self._lock(owner, kind, (where[0], where[1]))
            elif owner.locked:
                unlock = u32(14) + u32(WRITE) + u32(0) + owner.locked + u64(where[0]) + u64(where[1])
                reader = self._session.call([operations.putfh(owner.handle), unlock], owner.who, keep=True)
                succeeded(reader)
                owner.locked = succeeded(reader).fixed(16)

    def _lock(self, owner: _Owner, kind: int, where: tuple[int, int]) -> None:
        if not owner.opened:
            opening = operations.open_file(self._session.client, owner.name, owner.share)
            reader = self._session.call([operations.putfh(owner.handle), opening], owner.who, keep=True)
            succeeded(reader)
            owner.opened = operations.opened(reader)
        by = u32(0) + owner.locked + u32(0)
        if not owner.locked:
            by = u32(1) + u32(0) + owner.opened + u32(0) + u64(self._session.client) + opaque(owner.name)
        body = u32(12) + u32(kind) + u32(0) + u64(where[0]) + u64(where[1]) + by
        reader = self._session.call([operations.putfh(owner.handle), body], owner.who, keep=True)
        succeeded(reader)
        owner.locked = succeeded(reader).fixed(16)

    def _drop_unused(self, owner: _Owner) -> None:
        """Forget an owner without locks, and close what was opened for it."""
        if owner.ranges:
            return
        del self._owners[owner.handle, owner.name]
        if not any(handle == owner.handle for handle, _ in self._owners):
            self.lost.discard(owner.handle)
        with suppress(OSError):
            if owner.locked:
                self._session.call([u32(45) + owner.locked])
            if owner.opened:
                self._session.call([operations.putfh(owner.handle), operations.close(owner.opened)], owner.who)

    def _turn(self, handle: bytes) -> threading.RLock:
        with self._guard:
            return self._turns.setdefault(handle, threading.RLock())
