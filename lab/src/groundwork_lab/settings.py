"""The folders of a lab, and the addresses of its own parts.

Several labs can run on one machine. `GROUNDWORK_LAB` (default `lab`) selects one. Each lab has its own state folder,
its own namespaces (named `<lab>-…`) and its own internet, so that all labs use the same addresses.

Public addresses are from 198.18.0.0/15, which RFC 2544 reserves for benchmarks: it is never used on the real internet.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

INTERNET = IPv4Network("198.18.0.0/15")
BACKBONE = IPv4Network("198.18.0.0/24")  # the lab's own parts
API = IPv4Address("198.18.0.2")  # the control plane, for all services except S3
S3 = IPv4Address("198.18.0.4")  # S3 has its own address, so that a gateway endpoint can route to it
RESOLVER = IPv4Address("198.18.0.3")  # Unbound
PACKAGES = IPv4Address("198.18.0.5")  # the package cache
EDGE = IPv4Address("198.18.0.6")  # CloudFront's edge, in the namespace of the API
EDGE_HTTP_1 = IPv4Address("198.18.0.7")  # the edge for distributions without HTTP/2
PARENT = IPv4Address("198.18.0.8")  # the name server of the zone `test`, which the registrar writes
ORIGIN_FACING = IPv4Address("198.18.0.9")  # the edge, when it connects to custom origins; nothing else does
TRUSTSTORE = IPv4Address("198.18.0.11")  # RDS' certificate bundles
NAME_SERVERS = tuple(IPv4Address(f"198.18.0.{number}") for number in range(33, 41))  # Route 53, by delegation set
AWS_PLANE = (
    API,
    S3,
    RESOLVER,
    PACKAGES,
    EDGE,
    EDGE_HTTP_1,
    PARENT,
    ORIGIN_FACING,
    TRUSTSTORE,
    *NAME_SERVERS,
)  # in the namespace `aws`
ORIGIN = (IPv4Address("127.0.0.1"), 8081)  # S3 for the edge, on the loopback of that namespace
LAPTOP = IPv4Address("198.18.0.10")  # the user
VISITOR = IPv4Address("198.18.0.20")  # another user on the internet
POOL = IPv4Network("198.19.0.0/16")  # Elastic IP addresses and automatic public addresses

UPSTREAM = IPv4Address("10.0.2.3")  # slirp4netns' resolver, which uses the machine's

REGISTRY = "test"  # the domain in which the registrar registers: reserved for tests (RFC 6761)

TRUST_STORE = Path("/etc/ssl/certs/ca-certificates.crt")  # the machine's trust store: update-ca-certificates(8)

REGION = "eu-central-1"
ACCOUNT = "123456789012"


def name_servers(number: int) -> tuple[str, ...]:
    """Return the names of the four name servers of a delegation set. They are below `test`, where the parent has glue.

    AWS' have this form below com, net, org and co.uk:
    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/GetInfoAboutHostedZone.html
    """
    return tuple(f"ns-{512 * place + number}.awsdns-{number:02}.{REGISTRY}" for place in range(4))


@dataclass(frozen=True)
class Settings:
    """The name and the folders of a lab."""

    name: str
    state: Path  # removed by `down`
    cache: Path  # base images; kept after `down`
    slow: float = 0.0  # seconds for which AWS reports what a deleted resource used

    @property
    def journal(self) -> Path:
        return self.state / "journal.jsonl"

    @property
    def control(self) -> Path:
        """Return the daemon's control socket, for root only."""
        return self.state / "control.sock"

    @property
    def daemon(self) -> Path:
        """Return the file that identifies the daemon: {"pid", "start", "started"}."""
        return self.state / "daemon.json"

    @property
    def boot(self) -> Path:
        """Return the file with the boot id at the start of the lab (`journal.boot_id`)."""
        return self.state / "boot"

    @property
    def log(self) -> Path:
        return self.state / "daemon.log"

    @property
    def authority(self) -> Path:
        """Return the folder of the lab's certificate authority. Its key is readable by root only."""
        return self.state / "authority"

    @property
    def bundle(self) -> Path:
        """Return the trust store for programs on the lab's internet: the machine's authorities and the lab's."""
        return self.authority / "bundle.pem"

    def namespace(self, part: str) -> str:
        """Return the name of a network namespace: `lab-internet`, `lab-i-0123…`."""
        return f"{self.name}-{part}"


def from_environment(environment: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings of the lab that `GROUNDWORK_LAB` names, with folders by the Filesystem Hierarchy Standard."""
    name = environment.get("GROUNDWORK_LAB", "lab")
    if not name.isalnum() or not name.islower() or len(name) > 8:
        message = f"GROUNDWORK_LAB is {name!r}; it must be 1 to 8 lower-case letters and digits, like 'lab'."
        raise ValueError(message)
    return Settings(
        name=name,
        state=Path("/var/lib/groundwork-lab") / name,
        cache=Path(environment.get("GROUNDWORK_LAB_CACHE", "/var/cache/groundwork-lab")),
        slow=float(environment.get("GROUNDWORK_LAB_SLOW") or 0),
    )
