"""`mount.nfs4 SOURCE FOLDER [-o OPTIONS]`, which mount(8) and systemd call: mount(8), EXTERNAL HELPERS; nfs(5).

The command returns when the file system is mounted, and leaves a process that serves it until it is unmounted.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from . import operations
from .files import Caching, Files
from .fuse import LIMIT, Channel
from .session import NfsError, Patience, Session, succeeded

PORT = 2049
FAILED, USAGE = 32, 1  # exit codes of mount(8)
FLAGS = {
    "ro": 0x1, "nosuid": 0x2, "nodev": 0x4, "noexec": 0x8, "sync": 0x10, "dirsync": 0x80, "noatime": 0x400,
    "nodiratime": 0x800, "relatime": 0x200000, "strictatime": 0x1000000,
}  # fmt: skip
# what changes nothing here: the defaults, what others than this command read, and what an NFS client of the kernel has
IGNORED = frozenset({
    "rw", "suid", "dev", "exec", "async", "auto", "noauto", "user", "users", "nouser", "owner", "nofail", "_netdev",
    "defaults", "atime", "diratime", "norelatime", "noresvport", "resvport", "lock", "cto", "sharecache",
    "nosharecache", "fg", "tcp", "proto", "mountproto", "sec", "clientaddr", "local_lock", "lookupcache", "fsc",
    "nofsc", "nconnect", "migration", "acl", "noacl", "rdirplus", "nordirplus", "intr", "nointr", "wsize",
})  # fmt: skip
VERSIONS = frozenset({"4", "4.0", "4.1"})


class OptionError(Exception):
    """An option that the lab's client does not have, or a wrong value."""


@dataclass(frozen=True)
class Mount:
    """The file system to mount. `path` is its folder on the server."""

    server: str
    path: bytes
    port: int
    flags: int
    read: int
    patience: Patience
    caching: Caching
    retry: float  # seconds for which an absent server is tried again


def parsed(source: str, options: str) -> Mount:
    """Return what the arguments of the command say. Raise OptionError."""
    server, colon, path = source.rpartition(":")
    if not colon or not server or not path.startswith("/"):
        raise OptionError(f"'{source}' is not SERVER:/FOLDER")
    given = {each.partition("=")[0]: each.partition("=")[2] for each in options.split(",") if each}
    flags = sum(value for name, value in FLAGS.items() if name in given)
    used = {"vers", "nfsvers", "minorversion", "port", "rsize", "timeo", "retrans", "retry", "hard", "soft", "softerr"}
    used |= {"actimeo", "acregmin", "acregmax", "acdirmin", "acdirmax", "noac", "ac"}
    for name in given:
        if name not in used and name not in FLAGS and name not in IGNORED and not name.startswith(("x-", "comment")):
            raise OptionError(f"the option '{name}' does not exist in the lab")
    version = given.get("nfsvers") or given.get("vers") or "4.1"
    if version not in VERSIONS or given.get("sec", "sys") != "sys" or given.get("proto", "tcp") != "tcp":
        raise OptionError("the lab has NFS 4 over TCP with sec=sys only, as Amazon EFS")
    hard = not {"soft", "softerr"} & set(given)
    return Mount(
        server=server.strip("[]"),
        path=os.fsencode(path),
        port=_number(given, "port", PORT),
        flags=flags,
        read=max(4096, min(_number(given, "rsize", LIMIT), LIMIT)),
        patience=Patience(hard, max(1, _number(given, "timeo", 600)) / 10, _number(given, "retrans", 2)),
        caching=_caching(given),
        retry=60.0 * _number(given, "retry", 2),
    )


def _caching(given: Mapping[str, str]) -> Caching:
    if "noac" in given:
        return Caching(0.0, 0.0)
    if "actimeo" in given:
        both = float(_number(given, "actimeo", 0))
        return Caching(both, both)
    return Caching(float(_number(given, "acregmin", 3)), float(_number(given, "acdirmin", 30)))


def _number(given: Mapping[str, str], name: str, default: int) -> int:
    value = given.get(name, str(default))
    if not value.isdigit():
        raise OptionError(f"the option '{name}' must be a number, not '{value}'")
    return int(value)


def attach(wanted: Mount, session: Session) -> tuple[bytes, float]:
    """Return the handle of the folder to mount, and the server's lease in seconds. Raise OSError."""
    names = [name for name in wanted.path.split(b"/") if name]
    calls = [operations.PUTROOTFH, *map(operations.lookup, names), operations.GETFH, operations.GETLEASE]
    reader = session.call(calls)
    for _ in range(len(names) + 1):
        succeeded(reader)
    return operations.handle_of(reader), float(operations.lease(reader))


def mount(source: str, folder: str, device: int, wanted: Mount) -> None:
    """Mount the FUSE file system of an open device. Raise OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    data = f"fd={device},rootmode=40000,user_id=0,group_id=0,default_permissions,allow_other,max_read={wanted.read}"
    arguments = (source.encode(), os.fsencode(folder), b"fuse.nfs4", ctypes.c_ulong(wanted.flags), data.encode())
    if libc.mount(*arguments) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), folder)


def connected(wanted: Mount, channel: Channel) -> Session:
    """Return a session with the server, which is tried again for a while. Raise OSError."""
    deadline = time.monotonic() + wanted.retry
    while True:
        try:
            address = socket.getaddrinfo(wanted.server, wanted.port, socket.AF_INET, socket.SOCK_STREAM)[0][4]
            session = Session((str(address[0]), wanted.port), wanted.patience, given_up=channel.killed)
            session.connect()
            return session
        except OSError:
            if time.monotonic() >= deadline:
                raise
            time.sleep(0.5)


def serve(source: str, folder: str, wanted: Mount, ready: int) -> None:
    """Mount and serve the file system. Write the reason to `ready` if that fails, and close it."""
    with os.fdopen(ready, "w", encoding="utf-8") as told:
        try:
            device = os.open("/dev/fuse", os.O_RDWR | os.O_CLOEXEC)
            channel = Channel(device)
            session = connected(wanted, channel)
            root, lease = attach(wanted, session)
            channel.handle = Files(session, channel, root, wanted.caching).handle
            mount(source, folder, device, wanted)
        except OSError as error:
            told.write(f"{source} on {folder}: {error}\n")
            return
    threading.Thread(target=session.renew, args=(lease,), daemon=True).start()
    channel.serve()
    with suppress(NfsError):
        session.close()
    os._exit(0)  # other threads may wait for the server


def main(arguments: Sequence[str]) -> int:
    """Mount, and return the exit code of mount(8)."""
    words, options = [], ""
    rest = iter(arguments)
    for word in rest:
        if word == "-o":
            options = next(rest, "")
        elif word == "-t":
            next(rest, "")
        elif not word.startswith("-"):
            words.append(word)
        elif "f" in word:
            return 0
    if len(words) != 2:
        print("usage: mount.nfs4 SERVER:/FOLDER FOLDER [-o OPTIONS]", file=sys.stderr)
        return USAGE
    try:
        wanted = parsed(words[0], options)
    except OptionError as error:
        print(f"mount.nfs4: {error}", file=sys.stderr)
        return FAILED
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.close(reading)
        _detach()
        serve(words[0], os.path.realpath(words[1]), wanted, writing)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as told:
        failure = told.read()
    if failure:
        print(f"mount.nfs4: {failure.strip()}", file=sys.stderr)
    return FAILED if failure else 0


def _detach() -> None:
    """Leave the terminal, and let go of the files of the caller."""
    os.setsid()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    os.chdir("/")
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in range(3):
        os.dup2(nothing, number)
