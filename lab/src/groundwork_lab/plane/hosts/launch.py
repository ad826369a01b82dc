"""Execute the program of a host where the host belongs: `launch.py GROUP DISK PROGRAM [ARGUMENT…]`.

It enters the control group, then the user namespace that owns its network namespace, and a mount namespace of that one.
The network namespace outlives a reboot of the host, so the packet filters in it are removed.

It is a separate program, because only a process with one thread can enter a user namespace, a process can be moved to a
control group only before it executes systemd-nspawn, and Python code between fork and exec is not safe in a process
with threads. It imports nothing of the lab, so that it starts quickly.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import sys
from pathlib import Path

CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000  # sched.h
NS_GET_USERNS = 0xB701  # linux/nsfs.h
MS_BIND = 0x1000  # sys/mount.h

_libc = ctypes.CDLL(None, use_errno=True)


def confine(disk: str) -> None:
    """Enter the user namespace of this network namespace, and a mount namespace that belongs to it. Raise OSError.

    The mounts in it are locked, as they come from a user namespace with more rights (mount_namespaces(7)). A host needs
    one that it can move to its root, so the disk is mounted on itself.

    A new /proc is allowed only where another one is visible (mount_too_revealing() in fs/namespace.c), and
    systemd-nspawn 257 removes the machine's before it mounts the host's. So the disk has one of no processes, which is
    hidden when systemd-nspawn mounts /dev.
    """
    with Path("/proc/self/ns/net").open("rb") as network:
        users = fcntl.ioctl(network, NS_GET_USERNS)
    _check(_libc.setns(users, CLONE_NEWUSER), "setns")
    os.close(users)
    _check(_libc.unshare(CLONE_NEWNS), "unshare")
    _check(_libc.mount(os.fsencode(disk), os.fsencode(disk), None, MS_BIND, None), disk)
    _succeed("unshare", "--pid", "--fork", "mount", "-t", "proc", "proc", str(_folder(disk, "dev", "shm")))


def _folder(disk: str, *names: str) -> Path:
    """Return a folder on the disk, and create it if it does not exist. Raise OSError for a link: the host made it."""
    folder = Path(disk)
    for name in names:
        folder /= name
        if folder.is_symlink():
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(folder))
        folder.mkdir(exist_ok=True)
    return folder


def forget_filters() -> None:
    """Remove what nftables has in this network namespace. Raise OSError."""
    _succeed("nft", "flush", "ruleset")


def _succeed(*argv: str) -> None:
    code = os.spawnvp(os.P_WAIT, argv[0], argv)  # noqa: S606 - an argv, no shell
    if code != 0:
        message = f"{' '.join(argv)} ended with code {code}"
        raise OSError(message)


def _check(result: int, name: str) -> None:
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error), name)


if __name__ == "__main__":
    group, root, *argv = sys.argv[1:]
    Path(group, "cgroup.procs").write_text(str(os.getpid()), "utf-8")
    confine(root)
    forget_filters()
    os.execvp(argv[0], argv)  # noqa: S606 - an argv, no shell
