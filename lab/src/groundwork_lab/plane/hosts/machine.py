"""The machine of a host: its systemd-nspawn command, and the files that the lab writes to its disk.

Sources: systemd-nspawn(1); https://systemd.io/CONTAINER_INTERFACE .
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from groundwork_lab import settings

RESOLVER = "169.254.169.253"  # https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html

# A host has the default capabilities of systemd-nspawn that its own services use, and CAP_NET_ADMIN, with which it
# filters packets. They apply in the user namespace of its interface alone (docs/decisions/0036): rtnetlink can name the
# other end of the host's link, the router, which belongs to the machine's own user namespace. With CAP_LINUX_IMMUTABLE,
# a host could create files that cannot be deleted with its disk.
GRANTED = ("CAP_NET_ADMIN",)
DROPPED = ("CAP_AUDIT_CONTROL", "CAP_LINUX_IMMUTABLE", "CAP_MKNOD", "CAP_NET_BROADCAST", "CAP_SYS_TTY_CONFIG")


@dataclass(frozen=True)
class Machine:
    """A host. `name` is unique on this machine, `root` is its mounted disk."""

    name: str
    root: Path
    hostname: str


def nspawn_argv(machine: Machine) -> list[str]:
    """Return the command that boots the machine. On SIGTERM it shuts the host down in an orderly way.

    It must be started by `launch_argv` in the host's network namespace. With `--network-namespace-path` (systemd 252),
    the host would enter the namespace after its /sys was mounted, and would see this machine's interfaces there.

    `--keep-unit` and `--register=no` avoid machined and the system manager, so that it also works if PID 1 is not
    systemd. With them, a reboot of the host ends the command with code 133.

    /dev/fuse is for the host's mounts of NFS (`plane.hosts.nfs`).

    There is no image lock: a killed systemd-nspawn would leave it in /run, and no other process boots from a host's
    disk. `--console=read-only`: see docs/decisions/0003-host-console.md.
    """
    return [
        "env",
        "SYSTEMD_NSPAWN_LOCK=0",
        "systemd-nspawn",
        "--quiet",
        "--boot",
        f"--directory={machine.root}",
        f"--machine={machine.name}",
        f"--hostname={machine.hostname}",
        f"--capability={','.join(GRANTED)}",
        f"--drop-capability={','.join(DROPPED)}",
        "--bind=/dev/fuse",
        "--console=read-only",
        "--register=no",
        "--keep-unit",
        "--settings=no",
        "--link-journal=no",
        "--resolv-conf=off",
        "--timezone=off",
    ]


def mailbox(machine: Machine) -> Path:
    """Return the folder that systemd-nspawn creates for mounts of a running machine, and does not always remove."""
    return Path("/run/systemd/nspawn/propagate", machine.name)


def launch_argv(group: Path, machine: Machine) -> list[str]:
    """Return the command that boots the machine in a control group and in the user namespace of its interface."""
    launcher = Path(__file__).with_name("launch.py")
    return [sys.executable, "-I", "-S", str(launcher), str(group), str(machine.root), *nspawn_argv(machine)]


def seed_files(package_proxy: str | None) -> dict[str, str]:
    """Return the files with the resolver, which AWS sets by DHCP at each boot, and the package cache."""
    files = {
        "etc/resolv.conf": f"nameserver {RESOLVER}\nsearch {settings.REGION}.compute.internal\n",
    }
    if package_proxy:
        files["etc/apt/apt.conf.d/80package-cache"] = f'Acquire::http::Proxy "{package_proxy}";\n'
    return files


AUTHORITY = "usr/local/share/ca-certificates/groundwork-lab.crt"
BUNDLE = "etc/ssl/certs/ca-certificates.crt"


def trust(root: Path, authority: str) -> None:
    """Make the host trust the lab's authority (PEM), as Debian's AMIs trust Amazon's: update-ca-certificates(8).

    Do nothing on a host that has removed the folders.
    """
    with suppress(FileNotFoundError, NotADirectoryError):
        write_inside(root, AUTHORITY, authority)
        bundle = read_inside(root, BUNDLE)
        if authority not in bundle:
            write_inside(root, BUNDLE, bundle + authority)


def read_inside(root: Path, name: str) -> str:
    """Return the content of a file on a host's disk, without following links. Raise OSError."""
    *folders, last = Path(name).parts
    with _folder(root, folders) as folder:
        descriptor = os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
        with os.fdopen(descriptor, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()


def write_inside(root: Path, name: str, text: str) -> None:
    """Write a file on a host's disk without following links, because the host controls the disk.

    Raise OSError if a folder of the path is missing or a link.
    """
    *folders, last = Path(name).parts
    with _folder(root, folders) as folder:
        _replace(folder, last, text)


@contextmanager
def _folder(root: Path, folders: Sequence[str]) -> Iterator[int]:
    """Open a folder on a host's disk without following links, and yield its descriptor."""
    descriptor = os.open(root, os.O_DIRECTORY | os.O_PATH)
    try:
        for folder in folders:
            inner = os.open(folder, os.O_DIRECTORY | os.O_PATH | os.O_NOFOLLOW, dir_fd=descriptor)
            os.close(descriptor)
            descriptor = inner
        yield descriptor
    finally:
        os.close(descriptor)


def _replace(folder: int, name: str, text: str) -> None:
    beside = f".{name}.new"
    with suppress(FileNotFoundError):
        os.unlink(beside, dir_fd=folder)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    descriptor = os.open(beside, flags, 0o644, dir_fd=folder)
    with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)
    os.replace(beside, name, src_dir_fd=folder, dst_dir_fd=folder)
