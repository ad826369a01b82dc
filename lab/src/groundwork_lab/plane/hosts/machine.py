"""What one host's machine is made of: its systemd-nspawn command and the files that the lab puts on its disk.

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

# Of what systemd-nspawn grants by default a host keeps what its own services use. CAP_NET_ADMIN is not granted
# in the first place, and must not be: without a user namespace it would count for every network namespace that
# the host can name, and rtnetlink can name the other end of its link, the router. Nothing in Debian's systemd needs
# it, as the fabric has configured the interface before the host boots.
# CAP_LINUX_IMMUTABLE would let a host make files that deleting its disk trips over.
DROPPED = ("CAP_AUDIT_CONTROL", "CAP_LINUX_IMMUTABLE", "CAP_MKNOD", "CAP_NET_BROADCAST", "CAP_SYS_TTY_CONFIG")


@dataclass(frozen=True)
class Machine:
    """One host: `name` is unique on this machine, `root` its mounted disk."""

    name: str
    root: Path
    hostname: str


def nspawn_argv(machine: Machine) -> list[str]:
    """The command that boots the machine; on SIGTERM it powers the host off in good order.

    It is to be started inside the host's network namespace: with `--network-namespace-path` (systemd 252) the host
    would enter the namespace after its /sys was mounted, and see this machine's interfaces there.
    `--keep-unit` and `--register=no`: no machined and no system manager is asked, so that it also works where PID 1
    is not systemd. With them a reboot from inside ends the command with code 133.
    No image lock: a killed systemd-nspawn would leave it in /run, and nothing else boots from a host's disk.
    `--console=read-only`: see docs/decisions/0003-host-console.md.
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
        f"--drop-capability={','.join(DROPPED)}",
        "--console=read-only",
        "--register=no",
        "--keep-unit",
        "--settings=no",
        "--link-journal=no",
        "--resolv-conf=off",
        "--timezone=off",
    ]


def mailbox(machine: Machine) -> Path:
    """The folder that systemd-nspawn makes for mounts handed to a running machine; it does not always remove it."""
    return Path("/run/systemd/nspawn/propagate", machine.name)


def launch_argv(group: Path, argv: list[str]) -> list[str]:
    """`argv`, started inside a control group."""
    launcher = Path(__file__).with_name("launch.py")
    return [sys.executable, "-I", "-S", str(launcher), str(group), *argv]


def seed_files(package_proxy: str | None) -> dict[str, str]:
    """What DHCP would tell the host at every boot on AWS, and the way to the package cache."""
    files = {
        "etc/resolv.conf": f"nameserver {RESOLVER}\nsearch {settings.REGION}.compute.internal\n",
    }
    if package_proxy:
        files["etc/apt/apt.conf.d/80package-cache"] = f'Acquire::http::Proxy "{package_proxy}";\n'
    return files


AUTHORITY = "usr/local/share/ca-certificates/groundwork-lab.crt"
BUNDLE = "etc/ssl/certs/ca-certificates.crt"


def trust(root: Path, authority: str) -> None:
    """Let the host trust the lab's authority (PEM) as Debian's AMIs trust Amazon's: see update-ca-certificates(8).

    A host that has done away with the folders trusts whom it likes.
    """
    with suppress(FileNotFoundError, NotADirectoryError):
        write_inside(root, AUTHORITY, authority)
        bundle = read_inside(root, BUNDLE)
        if authority not in bundle:
            write_inside(root, BUNDLE, bundle + authority)


def read_inside(root: Path, name: str) -> str:
    """A file of a host's disk, without following any link there. Raises OSError."""
    *folders, last = Path(name).parts
    with _folder(root, folders) as folder:
        descriptor = os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
        with os.fdopen(descriptor, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()


def write_inside(root: Path, name: str, text: str) -> None:
    """Write a file on a host's disk without following any link there: the disk is its host's to shape.

    Raises OSError when a folder on the way is missing or a link.
    """
    *folders, last = Path(name).parts
    with _folder(root, folders) as folder:
        _replace(folder, last, text)


@contextmanager
def _folder(root: Path, folders: Sequence[str]) -> Iterator[int]:
    """A descriptor of a folder on a host's disk, to which no link led."""
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
