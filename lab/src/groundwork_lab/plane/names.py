"""The lab's resolver: dnsmasq answers for the lab's resources, and forwards other names to the machine's resolver.

Load balancers resolve to the addresses of their nodes, enabled distributions to the edge, AWS' endpoints to the lab's
control plane. A file system resolves to the addresses of all its mount targets (on AWS, to that in the zone of who
asks), and with the name of a zone before it, to that of the zone. Instances have their private and public names. Unlike
on AWS, an instance's public name resolves to its public address also in its own VPC (on AWS, to the private one).
Source: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-dns.html
"""

from __future__ import annotations

import logging
import re
import signal
import subprocess
import tempfile
from collections.abc import Collection, Iterable, Iterator
from ipaddress import IPv4Address
from pathlib import Path

from groundwork_lab.apart import Apart
from groundwork_lab.journal import Journal
from groundwork_lab.model import Distribution, FileSystem, Interface, LoadBalancer, World
from groundwork_lab.processes import spawn, stop, wait_listening
from groundwork_lab.settings import API, EDGE, EDGE_HTTP_1, INTERNET, REGION, RESOLVER, S3, UPSTREAM, Settings

FILE_SYSTEMS = f"efs.{REGION}.amazonaws.com"
TTL = 5  # seconds; AWS' load balancers have 60, but a user of the lab waits for it

_log = logging.getLogger(__name__)


def records(world: World, apart: Apart) -> frozenset[tuple[IPv4Address, str]]:
    """Return all records of the `World` as (address, name), without those of resources that fail in `apart`."""
    found = [
        apart.each(world.interfaces.items(), lambda each: list(_instance(world, each))),
        apart.each(world.load_balancers.items(), lambda each: list(_balancer(world, each))),
        apart.each(world.file_systems.items(), lambda each: list(_file_system(world, each))),
        apart.each(world.distributions.items(), lambda each: list(_distribution(each))),
    ]
    return frozenset(record for kind in found for those in kind.values() for record in those)


def private_name(address: IPv4Address) -> str:
    """Return `ip-10-20-0-5.eu-central-1.compute.internal` for the address 10.20.0.5."""
    return f"ip-{str(address).replace('.', '-')}.{REGION}.compute.internal"


def public_name(address: IPv4Address) -> str:
    """Return `ec2-198-19-0-5.eu-central-1.compute.amazonaws.com` for the address 198.19.0.5."""
    return f"ec2-{str(address).replace('.', '-')}.{REGION}.compute.amazonaws.com"


def _instance(world: World, interface: Interface) -> Iterator[tuple[IPv4Address, str]]:
    vpc = world.vpcs.get(interface.vpc_id)
    if interface.owner != "instance" or vpc is None or not vpc.dns_support:
        return
    yield interface.private_ip, private_name(interface.private_ip)
    if vpc.dns_hostnames and interface.public_ip:
        yield interface.public_ip, public_name(interface.public_ip)


def _balancer(world: World, balancer: LoadBalancer) -> Iterator[tuple[IPv4Address, str]]:
    for interface_id in balancer.interface_ids:
        interface = world.interfaces.get(interface_id)
        address = _node_address(balancer, interface) if interface else None
        if address:
            yield address, _checked(balancer.dns_name)


def _file_system(world: World, system: FileSystem) -> Iterator[tuple[IPv4Address, str]]:
    """Yield the names of a file system: that of all mount targets, and that of each with its zone.

    https://docs.aws.amazon.com/efs/latest/ug/mounting-fs-mount-cmd-dns-name.html
    """
    name = _checked(f"{system.id}.{FILE_SYSTEMS}")
    for target in system.mount_targets:
        interface = world.interfaces.get(target.interface_id)
        subnet = world.subnets.get(interface.subnet_id) if interface else None
        if interface and subnet:
            yield interface.private_ip, name
            yield interface.private_ip, _checked(f"{subnet.zone}.{name}")


def _distribution(distribution: Distribution) -> Iterator[tuple[IPv4Address, str]]:
    if distribution.config.get("Enabled"):
        # nginx negotiates HTTP/2 for all names of an address alike, so that sites without it have one of their own.
        # https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DistributionConfig.html (HttpVersion)
        plain = str(distribution.config.get("HttpVersion", "http2")).lower() in {"http1.1", "http3"}
        yield EDGE_HTTP_1 if plain else EDGE, _checked(distribution.domain_name)


def _checked(name: str) -> str:
    """Return the name in lower case. Raise ValueError if it cannot be written to the file of records."""
    if not re.fullmatch(r"[a-z0-9_.-]{1,253}", name.lower()):
        raise ValueError(f"{name!r} is not a host name")
    return name.lower()


def _node_address(balancer: LoadBalancer, interface: Interface) -> IPv4Address | None:
    return interface.private_ip if balancer.scheme == "internal" else interface.public_ip


def render_hosts(records: Iterable[tuple[IPv4Address, str]]) -> str:
    """Return the records in the format of hosts(5), in a stable order."""
    return "".join(f"{address} {name}\n" for address, name in sorted(records, key=lambda each: (each[1], each[0])))


def render_config(hosts: Path, global_endpoints: Iterable[str]) -> str:
    """Return dnsmasq's configuration. Source: dnsmasq(8)."""
    return "\n".join(
        [
            f"listen-address={RESOLVER}",
            "bind-interfaces",
            "user=root",  # it reads only its own folder, which belongs to root
            "no-hosts",
            "no-resolv",
            "no-poll",
            f"addn-hosts={hosts}",
            f"local-ttl={TTL}",
            f"server={UPSTREAM}",
            "bogus-priv",
            *(f"local=/{domain}/" for domain in _local_domains()),
            *(f"address=/{domain}/{address}" for domain, address in _endpoints(global_endpoints)),
            "log-facility=-",
            "",
        ]
    )


def _local_domains() -> list[str]:
    """Return the domains that only the lab answers for. An unknown name below them does not exist."""
    reverse = [".".join(reversed(str(net.network_address).split(".")[:2])) for net in INTERNET.subnets(new_prefix=16)]
    return [
        "compute.internal",
        "compute.amazonaws.com",
        "elb.amazonaws.com",
        "cloudfront.net",
        FILE_SYSTEMS,
        *(f"{octets}.in-addr.arpa" for octets in reverse),
    ]


def _endpoints(global_endpoints: Iterable[str]) -> list[tuple[str, IPv4Address]]:
    """Return AWS' endpoints, also those without a region, which `global_endpoints` names by service.

    Each includes all names below it (the name of a bucket is below that of S3).
    """
    regional = [(f"{region}.amazonaws.com", API) for region in (REGION, "us-east-1")]
    buckets = [(f"s3.{region}.amazonaws.com", S3) for region in (REGION, "us-east-1")]
    everywhere = [(f"{service}.amazonaws.com", S3 if service == "s3" else API) for service in global_endpoints]
    return [*regional, *buckets, *everywhere]


def endpoint_names(global_endpoints: Iterable[str]) -> list[str]:
    """Return the names of AWS' endpoints for a certificate: each endpoint, and all names one level below it."""
    return [name for domain, _ in _endpoints(global_endpoints) for name in (domain, f"*.{domain}")]


def render_resolv_conf() -> str:
    return f"nameserver {RESOLVER}\noptions timeout:2 attempts:3\n"


def render_nsswitch(machines: str) -> str:
    """Return the machine's nsswitch.conf with host lookup by DNS only: `resolve` or `mymachines` would bypass it."""
    lines = [line for line in machines.splitlines() if not line.startswith("hosts:")]
    return "\n".join([*lines, "hosts: files dns", ""])


class Names:
    """The process of the resolver, and its files in the state folder's `names`."""

    def __init__(self, settings: Settings, journal: Journal, global_endpoints: Collection[str]) -> None:
        self._settings = settings
        self._journal = journal
        self._global_endpoints = global_endpoints
        self._folder = settings.state / "names"
        self._hosts = self._folder / "hosts"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Write the files and start dnsmasq. Raise OSError, or CalledProcessError if it rejects its configuration."""
        self._folder.mkdir(parents=True, exist_ok=True)
        machines = Path("/etc/nsswitch.conf")
        write_atomically(self._folder / "resolv.conf", render_resolv_conf())
        write_atomically(self._folder / "nsswitch.conf", render_nsswitch(machines.read_text(encoding="utf-8")))
        write_atomically(self._hosts, "")
        config = self._folder / "dnsmasq.conf"
        write_atomically(config, render_config(self._hosts, self._global_endpoints))
        subprocess.run(["dnsmasq", "--test", f"--conf-file={config}"], check=True, capture_output=True)
        self._run(config)

    def reconcile(self, world: World) -> None:
        """Give dnsmasq the records of `world`, and restart it if its process has ended."""
        apart = Apart()
        text = render_hosts(records(world, apart))
        if self._process is not None and self._process.poll() is not None:
            _log.error("dnsmasq ended with code %s; restarting it.", self._process.returncode)
            self._run(self._folder / "dnsmasq.conf")
        if text != self._hosts.read_text(encoding="utf-8"):
            write_atomically(self._hosts, text)
            if self._process is not None:
                self._process.send_signal(signal.SIGHUP)  # it reads the hosts again and clears its cache
        apart.end()

    def close(self) -> None:
        if self._process is not None:
            stop(self._process, self._journal)
            self._process = None

    def _run(self, config: Path) -> None:
        self._process = spawn(
            ["dnsmasq", "--keep-in-foreground", f"--conf-file={config}"],
            self._journal,
            namespace=self._settings.namespace("aws"),
            log=self._folder / "dnsmasq.log",
        )
        # also necessary because a SIGHUP before its handler is installed would end it
        wait_listening(self._process, self._settings.namespace("aws"), str(RESOLVER), 53)


def write_atomically(path: Path, text: str) -> None:
    """Write a file so that a reader sees either the old or the new text."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as file:
        file.write(text)
    new = Path(file.name)
    new.chmod(0o644)
    new.replace(path)
