"""Where a lab keeps its things and which addresses its own parts have.

Several labs can run on one machine, told apart by `GROUNDWORK_LAB` (default `lab`): each has its own
state folder, its own namespaces (all named `<lab>-…`) and its own internet, so all use the same addresses.
Public addresses come from 198.18.0.0/15, reserved for benchmarks by RFC 2544: never on the real internet.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

INTERNET = IPv4Network("198.18.0.0/15")
BACKBONE = IPv4Network("198.18.0.0/24")  # the lab's own parts
API = IPv4Address("198.18.0.2")  # the control plane, every service but S3
S3 = IPv4Address("198.18.0.4")  # S3: an address of its own, so that a gateway endpoint can lead to it
RESOLVER = IPv4Address("198.18.0.3")  # dnsmasq
PACKAGES = IPv4Address("198.18.0.5")  # the package cache
EDGE = IPv4Address("198.18.0.6")  # CloudFront's edge, in the same namespace as the API
ORIGIN = (IPv4Address("127.0.0.1"), 8081)  # S3 as the edge asks it; loopback of that namespace, so nobody else can
LAPTOP = IPv4Address("198.18.0.10")  # you
VISITOR = IPv4Address("198.18.0.20")  # someone else on the internet
POOL = IPv4Network("198.19.0.0/16")  # elastic and automatic public addresses

UPSTREAM = IPv4Address("10.0.2.3")  # slirp4netns' resolver: the machine's own names

TRUST_STORE = Path("/etc/ssl/certs/ca-certificates.crt")  # the machine's authorities: update-ca-certificates(8)

REGION = "eu-central-1"
ACCOUNT = "123456789012"


@dataclass(frozen=True)
class Settings:
    """One lab: its name and folders."""

    name: str
    state: Path  # removed by `down`
    cache: Path  # base images: outlives the lab

    @property
    def journal(self) -> Path:
        return self.state / "journal.jsonl"

    @property
    def control(self) -> Path:
        """The daemon's control socket, for root only."""
        return self.state / "control.sock"

    @property
    def daemon(self) -> Path:
        """Who the daemon is: {"pid", "start", "started"}."""
        return self.state / "daemon.json"

    @property
    def boot(self) -> Path:
        """The machine's boot in which the lab was started, as `journal.boot_id` gives it."""
        return self.state / "boot"

    @property
    def log(self) -> Path:
        return self.state / "daemon.log"

    @property
    def authority(self) -> Path:
        """The folder of the lab's certificate authority, its key for root only."""
        return self.state / "authority"

    @property
    def bundle(self) -> Path:
        """The authorities that programs on the lab's internet trust: the machine's and the lab's."""
        return self.authority / "bundle.pem"

    def namespace(self, part: str) -> str:
        """The name of a network namespace: `lab-internet`, `lab-i-0123…`."""
        return f"{self.name}-{part}"


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """The lab that `GROUNDWORK_LAB` names, with folders that follow the Filesystem Hierarchy Standard."""
    name = environment.get("GROUNDWORK_LAB", "lab")
    if not name.isalnum() or not name.islower() or len(name) > 8:
        message = f"GROUNDWORK_LAB is {name!r}; it must be 1 to 8 lower-case letters and digits, like 'lab'."
        raise ValueError(message)
    return Settings(
        name=name,
        state=Path("/var/lib/groundwork-lab") / name,
        cache=Path(environment.get("GROUNDWORK_LAB_CACHE", "/var/cache/groundwork-lab")),
    )
