"""The names of the lab's resources. Pure functions.

Load balancers resolve to the addresses of their nodes, enabled distributions to the edge, AWS' endpoints to the lab's
control plane. A file system resolves to the addresses of all its mount targets (on AWS, to that in the zone of who
asks), and with the name of a zone before it, to that of the zone. The endpoint of a DB instance resolves to its private
address. Instances have their private and public names. Unlike on AWS, an instance's public name resolves to its public
address also in its own VPC (on AWS, to the private one).
Source: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-dns.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address

from groundwork_lab.apart import Apart
from groundwork_lab.model import Database, Distribution, FileSystem, Interface, LoadBalancer, World
from groundwork_lab.settings import API, EDGE, EDGE_HTTP_1, REGION, S3

FILE_SYSTEMS = f"efs.{REGION}.amazonaws.com"
DATABASES = f"{REGION}.rds.amazonaws.com"
TRUST_STORE_NAME = "truststore.pki.rds.amazonaws.com"


def records(world: World, apart: Apart) -> frozenset[tuple[IPv4Address, str]]:
    """Return all records of the `World` as (address, name), without those of resources that fail in `apart`."""
    found = [
        apart.each(world.interfaces.items(), lambda each: list(_instance(world, each))),
        apart.each(world.load_balancers.items(), lambda each: list(_balancer(world, each))),
        apart.each(world.file_systems.items(), lambda each: list(_file_system(world, each))),
        apart.each(world.databases.items(), lambda each: list(_database(world, each))),
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


def _database(world: World, database: Database) -> Iterator[tuple[IPv4Address, str]]:
    """Yield the endpoint of a DB instance, also while it is stopped.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_VPC.WorkingWithRDSInstanceinaVPC.html
    """
    interface = world.interfaces.get(database.interface_id)
    if interface:
        yield interface.private_ip, _checked(database.endpoint)


def _distribution(distribution: Distribution) -> Iterator[tuple[IPv4Address, str]]:
    if distribution.config.get("Enabled"):
        # nginx negotiates HTTP/2 for all names of an address alike, so that sites without it have one of their own.
        # https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DistributionConfig.html (HttpVersion)
        plain = str(distribution.config.get("HttpVersion", "http2")).lower() in {"http1.1", "http3"}
        yield EDGE_HTTP_1 if plain else EDGE, _checked(distribution.domain_name)


def _checked(name: str) -> str:
    """Return the name in lower case. Raise ValueError if it cannot be written to a zone file."""
    if not re.fullmatch(r"[a-z0-9_.-]{1,253}", name.lower()):
        raise ValueError(f"{name!r} is not a host name")
    return name.lower()


def _node_address(balancer: LoadBalancer, interface: Interface) -> IPv4Address | None:
    return interface.private_ip if balancer.scheme == "internal" else interface.public_ip


def endpoints(global_endpoints: Iterable[str]) -> list[tuple[str, IPv4Address]]:
    """Return AWS' endpoints, also those without a region, which `global_endpoints` names by service.

    Each includes all names below it (the name of a bucket is below that of S3).
    """
    regional = [(f"{region}.amazonaws.com", API) for region in (REGION, "us-east-1")]
    buckets = [(f"s3.{region}.amazonaws.com", S3) for region in (REGION, "us-east-1")]
    everywhere = [(f"{service}.amazonaws.com", S3 if service == "s3" else API) for service in global_endpoints]
    return [*regional, *buckets, *everywhere]


def endpoint_names(global_endpoints: Iterable[str]) -> list[str]:
    """Return the names of AWS' endpoints for a certificate: each endpoint, and all names one level below it."""
    return [name for domain, _ in endpoints(global_endpoints) for name in (domain, f"*.{domain}")]
