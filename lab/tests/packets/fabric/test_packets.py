"""Packets through a fabric in its own namespaces. Requires root, nftables and slirp4netns.

Run with `pytest -m lab`. Each test starts from the same `World` and changes one resource, as an API call would.
"""

from __future__ import annotations

import re
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest
from pyroute2 import IPRoute

from groundwork_lab.apart import UnservedError
from groundwork_lab.journal import Journal
from groundwork_lab.model import (
    GatewayEndpoint,
    Interface,
    NetworkAcl,
    NetworkAclEntry,
    Route,
    SecurityGroupRule,
    World,
)
from groundwork_lab.plane.fabric import Fabric, apply, namespaces
from groundwork_lab.plane.fabric.compute import compute
from groundwork_lab.plane.fabric.kernel import Delta, Difference, difference
from groundwork_lab.plane.fabric.naming import interface_namespace, router_namespace
from groundwork_lab.plane.fabric.observation import observe
from groundwork_lab.processes import end, in_namespace, listen
from groundwork_lab.settings import LAPTOP, RESOLVER, S3, UPSTREAM, VISITOR, Settings

pytestmark = pytest.mark.lab

ANYWHERE = IPv4Network("0.0.0.0/0")
ELSEWHERE = IPv4Network("203.0.113.0/24")
ALL = SecurityGroupRule("-1", None, None, (ANYWHERE,))
ANY = ""  # all addresses of a namespace
PATIENCE = 0.6  # seconds until a packet counts as lost; all paths here take less than a millisecond


@dataclass(frozen=True)
class Lab:
    """A fabric, and sockets in its namespaces."""

    settings: Settings
    fabric: Fabric
    sockets: ExitStack

    def place(self, name: str) -> str:
        return self.settings.namespace(name)

    def serve(self, place: str, address: object, port: int) -> None:
        """Answer TCP connections with the source address of the client."""
        server = self.sockets.enter_context(listen(self.place(place), str(address), port))

        def body() -> None:
            while True:
                try:
                    connection, peer = server.accept()
                except OSError:
                    return  # closed
                threading.Thread(target=answer, args=(connection, peer[0]), daemon=True).start()

        threading.Thread(target=body, daemon=True).start()
        self.sockets.callback(server.shutdown, socket.SHUT_RDWR)

    def answer_datagrams(self, place: str, address: object, port: int) -> None:
        """Answer UDP datagrams with the source address of the sender."""
        server = self.sockets.enter_context(
            listen(self.place(place), str(address), port, kind=socket.SOCK_DGRAM),
        )
        server.settimeout(20)

        def body() -> None:
            while True:
                try:
                    _, peer = server.recvfrom(100)
                    server.sendto(peer[0].encode(), peer)
                except OSError:
                    return  # closed

        threading.Thread(target=body, daemon=True).start()

    def connect(self, place: str, address: object, port: int, *, source: str = "") -> socket.socket:
        def work() -> socket.socket:
            return socket.create_connection((str(address), port), PATIENCE, source_address=(source, 0))

        return self.sockets.enter_context(in_namespace(self.place(place), work))

    def dial(self, place: str, address: object, port: int) -> str | None:
        """Return the address that a TCP server sees for a client in `place`, or None if there is no answer in time."""
        try:
            return ask(self.connect(place, address, port))
        except OSError:
            return None

    def send(self, place: str, address: object, port: int) -> str | None:
        """Return the address that a UDP server sees for a client in `place`, or None if there is no answer in time."""

        def work() -> str | None:
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.settimeout(PATIENCE)
                client.sendto(b"?", (str(address), port))
                try:
                    return client.recv(100).decode()
                except OSError:
                    return None

        return in_namespace(self.place(place), work)

    def opens(self, place: str, address: object, port: int) -> bool:
        """Return whether a TCP connection can be opened."""
        try:
            self.connect(place, address, port)
        except OSError:
            return False
        return True

    def hear(self, place: str, address: object, port: int) -> Callable[[], str]:
        """Return a function that returns the sender of the next UDP datagram, or raises TimeoutError."""
        server = self.sockets.enter_context(
            listen(self.place(place), str(address), port, kind=socket.SOCK_DGRAM),
        )
        server.settimeout(PATIENCE)
        return lambda: str(server.recvfrom(10)[1][0])


def answer(connection: socket.socket, seen: str) -> None:
    with connection, suppress(ConnectionError):
        while connection.recv(1):
            connection.sendall(seen.encode() + b"\n")


def ask(client: socket.socket) -> str:
    client.sendall(b"?")
    return client.recv(100).decode().strip()


@pytest.fixture(scope="module")
def fabric_of_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Settings, Fabric]]:
    state = tmp_path_factory.mktemp("state")
    settings = Settings("fabtest", state, state)
    with closing(Fabric(settings, Journal(settings.journal))) as fabric:
        fabric.start()
        yield settings, fabric


@pytest.fixture
def lab(fabric_of_module: tuple[Settings, Fabric], world: World) -> Iterator[Lab]:
    settings, fabric = fabric_of_module
    fabric.reconcile(world)
    with ExitStack() as sockets:
        yield Lab(settings, fabric, sockets)


def with_interface(world: World, name: str, **changes: object) -> World:
    return replace(world, interfaces={**world.interfaces, name: replace(world.interfaces[name], **changes)})


def with_group(world: World, name: str, **changes: object) -> World:
    changed = replace(world.security_groups[name], **changes)
    return replace(world, security_groups={**world.security_groups, name: changed})


def with_routes(world: World, name: str, *routes: Route) -> World:
    return replace(world, route_tables={**world.route_tables, name: replace(world.route_tables[name], routes=routes)})


def with_acl(world: World, subnet: str, *entries: NetworkAclEntry) -> World:
    acl = NetworkAcl("acl-2", "vpc-1", entries)
    return replace(
        world,
        network_acls={**world.network_acls, "acl-2": acl},
        subnets={**world.subnets, subnet: replace(world.subnets[subnet], network_acl_id="acl-2")},
    )


def tcp(port: int, source: str = "0.0.0.0/0") -> SecurityGroupRule:
    return SecurityGroupRule("tcp", port, port, (IPv4Network(source),))


# --- internet and NAT gateways -----------------------------------------------------------------------------


def test_a_public_server_is_reached_and_seen_with_its_public_address(lab: Lab) -> None:
    lab.serve("eni-web1", "10.0.0.11", 80)
    lab.serve("visitor", VISITOR, 8000)
    assert lab.dial("visitor", "198.19.0.11", 80) == str(VISITOR)
    assert lab.dial("eni-web1", VISITOR, 8000) == "198.19.0.11"


def test_a_private_server_is_seen_with_the_address_of_the_nat_gateway(lab: Lab) -> None:
    lab.serve("visitor", VISITOR, 8000)
    lab.answer_datagrams("visitor", VISITOR, 8000)
    assert lab.dial("eni-app1", VISITOR, 8000) == "198.19.0.9"
    assert lab.send("eni-app1", VISITOR, 8000) == "198.19.0.9"


def test_nothing_on_the_internet_reaches_a_private_server(lab: Lab, world: World) -> None:
    lab.fabric.reconcile(with_group(world, "sg-app", ingress=(ALL,)))
    lab.serve("eni-app1", ANY, 80)
    lab.serve("eni-nat1", ANY, 80)
    assert lab.dial("eni-web1", "10.0.10.21", 80) == "10.0.0.11"
    assert lab.dial("visitor", "10.0.10.21", 80) is None
    assert lab.dial("visitor", "198.19.0.9", 80) is None


def test_a_public_address_in_a_private_subnet_is_of_no_use(lab: Lab, world: World) -> None:
    world = with_interface(world, "eni-app1", public_ip=IPv4Address("198.19.0.77"))
    lab.fabric.reconcile(with_group(world, "sg-app", ingress=(ALL,)))
    lab.serve("eni-app1", "10.0.10.21", 80)
    assert lab.dial("visitor", "198.19.0.77", 80) is None


def test_a_public_server_without_a_public_address_has_no_way_out(lab: Lab, world: World) -> None:
    lab.serve("visitor", VISITOR, 8000)
    lab.fabric.reconcile(with_interface(world, "eni-web1", public_ip=None))
    assert lab.dial("eni-web1", VISITOR, 8000) is None
    assert lab.dial("eni-web2", VISITOR, 8000) == "198.19.0.12"


def test_an_address_that_is_taken_away_stops_at_once(lab: Lab, world: World) -> None:
    lab.serve("eni-web1", "10.0.0.11", 80)
    client = lab.connect("visitor", "198.19.0.11", 80)
    assert ask(client) == str(VISITOR)
    lab.fabric.reconcile(with_interface(world, "eni-web1", public_ip=None))
    with pytest.raises(TimeoutError):
        ask(client)


NO_ROUTE = ()
BLACK_HOLE = (Route(ANYWHERE, "nat-gone"),)
OTHER_WAY = (Route(ANYWHERE, "nat-gone"), Route(IPv4Network("198.18.0.0/24"), "nat-1"))
NOT_THAT_WAY = (Route(ANYWHERE, "nat-1"), Route(IPv4Network("198.18.0.20/32"), "eni-gone"))


@pytest.mark.parametrize(
    ("routes", "seen"),
    [
        (NO_ROUTE, None),
        (BLACK_HOLE, None),
        (OTHER_WAY, "198.19.0.9"),
        (NOT_THAT_WAY, None),
        ((Route(ANYWHERE, "igw-1"),), None),
    ],
)
def test_a_private_subnet_follows_its_own_route_table(
    lab: Lab, world: World, routes: tuple[Route, ...], seen: str | None
) -> None:
    lab.serve("visitor", VISITOR, 8000)
    lab.fabric.reconcile(with_routes(world, "rtb-p", *routes))
    assert lab.dial("eni-app1", VISITOR, 8000) == seen
    assert lab.dial("eni-web1", VISITOR, 8000) == "198.19.0.11"


def test_a_nat_gateway_in_a_private_subnet_has_no_way_out(lab: Lab, world: World) -> None:
    lab.serve("visitor", VISITOR, 8000)
    moved = with_interface(world, "eni-nat1", subnet_id="subnet-p", private_ip=IPv4Address("10.0.10.9"))
    lab.fabric.reconcile(moved)
    assert lab.dial("eni-app1", VISITOR, 8000) is None


def test_a_detached_internet_gateway_ends_it_all(lab: Lab, world: World) -> None:
    lab.serve("visitor", VISITOR, 8000)
    lab.serve("eni-web1", "10.0.0.11", 80)
    detached = replace(world.internet_gateways["igw-1"], vpc_id=None)
    lab.fabric.reconcile(replace(world, internet_gateways={"igw-1": detached}))
    assert lab.dial("eni-web1", VISITOR, 8000) is None
    assert lab.dial("eni-app1", VISITOR, 8000) is None
    assert lab.dial("visitor", "198.19.0.11", 80) is None
    lab.fabric.reconcile(world)
    assert lab.dial("visitor", "198.19.0.11", 80) == str(VISITOR)


def test_two_servers_of_one_vpc_talk_by_their_public_addresses(lab: Lab) -> None:
    lab.serve("eni-web2", "10.0.0.12", 80)
    lab.serve("eni-web3", "10.0.1.13", 80)
    assert lab.dial("eni-web1", "198.19.0.12", 80) == "198.19.0.11"
    assert lab.dial("eni-web1", "198.19.0.13", 80) == "198.19.0.11"
    assert lab.dial("eni-app1", "198.19.0.13", 80) == "198.19.0.9"


def test_a_nat_gateway_serves_its_own_subnet_too(lab: Lab, world: World) -> None:
    lab.serve("visitor", VISITOR, 8000)
    moved = with_interface(world, "eni-app1", subnet_id="subnet-n", private_ip=IPv4Address("10.0.20.21"))
    subnet = replace(world.subnets["subnet-p"], id="subnet-n", cidr=IPv4Network("10.0.20.0/28"))
    lab.fabric.reconcile(replace(moved, subnets={**world.subnets, "subnet-n": subnet}))
    assert lab.dial("eni-app1", VISITOR, 8000) == "198.19.0.9"


# --- security groups ---------------------------------------------------------------------------------------


def test_a_group_reference_means_its_members(lab: Lab, world: World) -> None:
    lab.serve("eni-app1", "10.0.10.21", 3306)
    assert lab.dial("eni-web1", "10.0.10.21", 3306) == "10.0.0.11"
    assert lab.dial("eni-app2", "10.0.10.21", 3306) == "10.0.10.22"
    lab.fabric.reconcile(with_interface(world, "eni-app2", security_group_ids=("sg-app",)))
    assert lab.dial("eni-app2", "10.0.10.21", 3306) is None


def test_groups_hold_within_a_subnet(lab: Lab) -> None:
    lab.serve("eni-web2", "10.0.0.12", 80)
    lab.serve("eni-web2", "10.0.0.12", 22)
    assert lab.dial("eni-web1", "10.0.0.12", 80) == "10.0.0.11"
    assert lab.dial("eni-web1", "10.0.0.12", 22) is None


@pytest.mark.parametrize(
    ("rule", "egress", "kept"),
    [
        (tcp(80, "198.18.0.0/16"), ALL, True),
        (tcp(80), tcp(443), True),
        (tcp(80), ALL, False),
        (SecurityGroupRule("-1", None, None, (ANYWHERE,)), ALL, False),
    ],
)
def test_a_removed_rule_cuts_new_connections_and_untracked_ones(
    lab: Lab, world: World, rule: SecurityGroupRule, egress: SecurityGroupRule, kept: bool
) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/security-group-connection-tracking.html"""
    lab.serve("eni-web1", "10.0.0.11", 80)
    lab.fabric.reconcile(with_group(world, "sg-web", ingress=(rule,), egress=(egress,)))
    client = lab.connect("visitor", "198.19.0.11", 80)
    client.settimeout(PATIENCE)
    assert ask(client) == str(VISITOR)
    lab.fabric.reconcile(with_group(world, "sg-web", ingress=(tcp(22),), egress=(egress,)))
    assert lab.dial("visitor", "198.19.0.11", 80) is None
    assert heard(client) is kept


@pytest.mark.parametrize(("ingress", "kept"), [((tcp(80),), True), ((ALL,), False)])
def test_a_removed_rule_of_the_sender_cuts_untracked_connections(
    lab: Lab, world: World, ingress: tuple[SecurityGroupRule, ...], kept: bool
) -> None:
    lab.serve("visitor", VISITOR, 8000)
    lab.fabric.reconcile(with_group(world, "sg-web", ingress=ingress))
    client = lab.connect("eni-web1", VISITOR, 8000)
    client.settimeout(PATIENCE)
    assert ask(client) == "198.19.0.11"
    lab.fabric.reconcile(with_group(world, "sg-web", ingress=ingress, egress=(tcp(443),)))
    assert heard(client) is kept


def heard(client: socket.socket) -> bool:
    try:
        return bool(ask(client))
    except TimeoutError:
        return False


def test_egress_has_a_gate_of_its_own(lab: Lab, world: World) -> None:
    lab.serve("visitor", VISITOR, 8000)
    lab.serve("visitor", VISITOR, 8001)
    lab.serve("eni-web1", "10.0.0.11", 80)
    lab.fabric.reconcile(with_group(world, "sg-web", egress=(tcp(8001),)))
    assert lab.dial("eni-web1", VISITOR, 8000) is None
    assert lab.dial("eni-web1", VISITOR, 8001) == "198.19.0.11"
    assert lab.dial("visitor", "198.19.0.11", 80) == str(VISITOR), "replies need no rule"


def test_a_rule_names_addresses(lab: Lab, world: World) -> None:
    lab.serve("eni-web1", "10.0.0.11", 22)
    lab.fabric.reconcile(with_group(world, "sg-web", ingress=(tcp(22, f"{LAPTOP}/32"),)))
    assert lab.dial("laptop", "198.19.0.11", 22) == str(LAPTOP)
    assert lab.dial("visitor", "198.19.0.11", 22) is None


def ping(address: str, identifier: int) -> bool:
    """Return whether one ICMP echo request is answered.

    RFC 792: type 8, code 0, checksum, identifier, sequence. Requests with one identifier are one tracked connection.
    """
    checksum = 0xFFFF - (0x0800 + identifier + 1)
    request = struct.pack("!BBHHH", 8, 0, checksum, identifier, 1)
    with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as client:
        client.settimeout(PATIENCE)
        client.sendto(request, (address, 0))
        try:
            reply, (sender, _) = client.recvfrom(100)
        except TimeoutError:
            return False
        return sender == address and reply[20] == 0


@pytest.mark.parametrize(("kind", "code", "answered"), [(8, 0, True), (-1, -1, True), (13, -1, False)])
def test_icmp_by_type_and_code(lab: Lab, world: World, kind: int, code: int, answered: bool) -> None:
    rule = SecurityGroupRule("icmp", kind, code, (ANYWHERE,))
    lab.fabric.reconcile(with_group(world, "sg-web", ingress=(rule,)))
    assert in_namespace(lab.place("visitor"), partial(ping, "198.19.0.11", 100 + kind)) is answered
    assert in_namespace(lab.place("eni-app1"), partial(ping, "10.0.0.11", 100 + kind)) is answered


RULES = [
    SecurityGroupRule("-1", None, None, (ANYWHERE, IPv4Network("10.0.0.0/8"))),
    SecurityGroupRule("tcp", 0, 65535, (IPv4Network("10.0.0.0/8"), IPv4Network("10.1.0.0/16"))),
    SecurityGroupRule("udp", 1, 1024, (IPv4Network("192.0.2.1/32"), IPv4Network("192.0.2.7/32")), ("sg-none",)),
    SecurityGroupRule("icmp", 3, 4, (IPv4Network("192.0.2.0/24"),), ("sg-web", "sg-app")),
    SecurityGroupRule("50", None, None, (IPv4Network("192.0.2.0/24"),)),
    SecurityGroupRule("carrier-pigeon", None, None, (ANYWHERE,)),
]


def test_nft_takes_every_kind_of_rule(lab: Lab, world: World) -> None:
    entries = tuple(
        NetworkAclEntry(100 + number, egress, rule.protocol, egress, rule.cidrs[0], rule.from_port, rule.to_port)
        for egress in (True, False)
        for number, rule in enumerate(RULES)
    )
    ruled = with_group(world, "sg-web", ingress=tuple(RULES), egress=tuple(RULES))
    lab.fabric.reconcile(with_acl(ruled, "subnet-a", *entries))
    lab.fabric.reconcile(replace(world, interfaces={}, security_groups={}, network_acls={}))


# --- network ACLs ------------------------------------------------------------------------------------------


def entry(number: int, *, egress: bool, allow: bool = True, **fields: object) -> NetworkAclEntry:
    return NetworkAclEntry(number, egress, **{"protocol": "-1", "cidr": ANYWHERE, **fields}, allow=allow)


EVERYTHING = (entry(100, egress=True), entry(100, egress=False))


def test_an_acl_is_stateless(lab: Lab, world: World) -> None:
    lab.serve("eni-web1", "10.0.0.11", 80)
    http = entry(100, egress=False, protocol="tcp", from_port=80, to_port=80)
    lab.fabric.reconcile(with_acl(world, "subnet-a", http))
    assert lab.dial("visitor", "198.19.0.11", 80) is None, "the replies need a rule"
    replies = entry(100, egress=True, protocol="6", from_port=1024, to_port=65535)
    lab.fabric.reconcile(with_acl(world, "subnet-a", http, replies))
    assert lab.dial("visitor", "198.19.0.11", 80) == str(VISITOR)


def test_an_acl_follows_its_numbers_and_cuts_what_is_established(lab: Lab, world: World) -> None:
    lab.serve("eni-web1", "10.0.0.11", 80)
    client = lab.connect("visitor", "198.19.0.11", 80)
    deny = entry(90, egress=False, allow=False, cidr=IPv4Network(f"{VISITOR}/32"))
    lab.fabric.reconcile(with_acl(world, "subnet-a", *EVERYTHING, deny))
    assert lab.dial("visitor", "198.19.0.11", 80) is None
    assert lab.dial("laptop", "198.19.0.11", 80) == str(LAPTOP)
    with pytest.raises(TimeoutError):
        ask(client)


def test_an_acl_stands_at_the_boundary_only_and_before_nat_gateways_too(lab: Lab, world: World) -> None:
    lab.serve("eni-web2", "10.0.0.12", 80)
    lab.serve("visitor", VISITOR, 8000)
    lab.fabric.reconcile(with_acl(world, "subnet-a"))
    assert lab.dial("eni-web1", "10.0.0.12", 80) == "10.0.0.11"
    assert lab.dial("eni-web3", "10.0.0.12", 80) is None
    assert lab.dial("eni-app1", VISITOR, 8000) is None


# --- names, metadata, S3 -----------------------------------------------------------------------------------

CLOSED = ("sg-web", "sg-app")


@pytest.fixture
def closed(world: World) -> World:
    """Return groups without rules, an ACL without rules, and no route: DNS and metadata must still work."""
    for name in CLOSED:
        world = with_group(world, name, ingress=(), egress=())
    for name in ("rtb-a", "rtb-p"):
        world = with_routes(world, name)
    return with_acl(with_acl(world, "subnet-a"), "subnet-p")


@pytest.mark.parametrize("place", ["eni-web1", "eni-app1"])
@pytest.mark.parametrize("server", ["10.0.0.2", "169.254.169.253"])
def test_the_name_server_answers_whatever_the_rules_say(lab: Lab, closed: World, place: str, server: str) -> None:
    lab.answer_datagrams("aws", RESOLVER, 53)
    lab.serve("aws", RESOLVER, 53)
    lab.fabric.reconcile(closed)
    assert lab.send(place, server, 53) is not None
    assert lab.dial(place, server, 53) is not None
    assert lab.dial(place, RESOLVER, 53) is None, "its public address needs a way out"


def test_without_dns_support_there_is_no_name_server(lab: Lab, world: World) -> None:
    lab.answer_datagrams("aws", RESOLVER, 53)
    lab.fabric.reconcile(replace(world, vpcs={"vpc-1": replace(world.vpcs["vpc-1"], dns_support=False)}))
    assert lab.send("eni-web1", "10.0.0.2", 53) is None
    assert lab.send("eni-web1", "169.254.169.253", 53) is None


@pytest.mark.parametrize(("place", "address"), [("eni-web1", "10.0.0.11"), ("eni-app1", "10.0.10.21")])
def test_metadata_is_served_by_the_router_whatever_the_rules_say(
    lab: Lab, closed: World, place: str, address: str
) -> None:
    lab.serve("vpc-1", "169.254.169.254", 80)
    lab.serve("vpc-1", ANY, 81)
    lab.fabric.reconcile(closed)
    assert lab.dial(place, "169.254.169.254", 80) == address
    assert lab.dial(place, "169.254.169.254", 81) is None
    assert lab.dial(place, "10.0.0.1", 81) is None


def test_a_gateway_endpoint_leads_to_s3_without_internet(lab: Lab, world: World) -> None:
    lab.serve("aws", S3, 80)
    private = with_routes(world, "rtb-p")
    lab.fabric.reconcile(private)
    assert lab.dial("eni-app1", S3, 80) is None
    table = replace(private.route_tables["rtb-p"], endpoint_ids=("vpce-1",))
    endpoint = replace(
        private,
        route_tables={**private.route_tables, "rtb-p": table},
        gateway_endpoints={"vpce-1": GatewayEndpoint("vpce-1", "vpc-1", "com.amazonaws.eu-central-1.s3")},
    )
    lab.fabric.reconcile(endpoint)
    assert lab.dial("eni-app1", S3, 80) is not None
    lab.fabric.reconcile(with_group(endpoint, "sg-app", egress=()))
    assert lab.dial("eni-app1", S3, 80) is None, "security groups hold there too"


# --- apart, and contained ----------------------------------------------------------------------------------


def test_two_vpcs_with_the_same_addresses_stay_apart(lab: Lab, world: World) -> None:
    lab.fabric.reconcile(twins(world))
    lab.answer_datagrams("aws", RESOLVER, 53)
    lab.serve("eni-web1", "10.0.0.11", 80)
    lab.serve("twin-web1", "10.0.0.11", 8080)
    lab.serve("visitor", VISITOR, 8000)
    assert lab.dial("eni-app2", "10.0.0.11", 80) == "10.0.10.22"
    assert lab.dial("twin-app2", "10.0.0.11", 80) is None
    assert lab.dial("eni-web1", VISITOR, 8000) == "198.19.0.11"
    assert lab.dial("twin-web1", VISITOR, 8000) == "198.19.1.11"
    assert lab.dial("twin-app1", VISITOR, 8000) == "198.19.1.9"
    seen = {lab.send("eni-web1", "10.0.0.2", 53), lab.send("twin-web1", "10.0.0.2", 53)}
    assert None not in seen
    assert len(seen) == 2, "the name server tells them apart"


def twins(world: World) -> World:
    """Return a `World` with the VPC and a copy of it, which has other ids and public addresses."""

    def renamed(name: str) -> str:
        return name.replace("eni-", "twin-").replace("-1", "-2") if name != "local" else name

    def twin(interface: Interface) -> Interface:
        public = interface.public_ip + 256 if interface.public_ip else None
        return replace(
            interface,
            id=renamed(interface.id),
            vpc_id="vpc-2",
            subnet_id=f"{interface.subnet_id}2",
            public_ip=public,
            owner_id=renamed(interface.owner_id),
        )

    tables = {
        f"{name}2": replace(
            table,
            id=f"{name}2",
            vpc_id="vpc-2",
            routes=tuple(replace(route, target=renamed(route.target)) for route in table.routes),
        )
        for name, table in world.route_tables.items()
    }
    subnets = {
        f"{name}2": replace(subnet, id=f"{name}2", vpc_id="vpc-2", route_table_id=f"{subnet.route_table_id}2")
        for name, subnet in world.subnets.items()
    }
    nat = replace(world.nat_gateways["nat-1"], id="nat-2", vpc_id="vpc-2", interface_id="twin-nat1")
    interfaces = {renamed(name): twin(interface) for name, interface in world.interfaces.items()}
    gateway = replace(world.internet_gateways["igw-1"], id="igw-2", vpc_id="vpc-2")
    return replace(
        world,
        vpcs={**world.vpcs, "vpc-2": replace(world.vpcs["vpc-1"], id="vpc-2")},
        subnets={**world.subnets, **subnets},
        route_tables={**world.route_tables, **tables},
        internet_gateways={**world.internet_gateways, "igw-2": gateway},
        nat_gateways={**world.nat_gateways, "nat-2": nat},
        interfaces={**world.interfaces, **interfaces},
    )


@contextmanager
def extra_address(namespace: str, address: str) -> Iterator[None]:
    """Add a second address to `eth0` for the block, as the administrator of the host could."""

    def change(command: str) -> None:
        with IPRoute() as netlink:
            netlink.addr(command, index=socket.if_nametoindex("eth0"), address=address, prefixlen=32)

    in_namespace(namespace, partial(change, "add"))
    try:
        yield
    finally:
        in_namespace(namespace, partial(change, "del"))


def shout(source: str, address: str, port: int) -> None:
    """Send one UDP datagram from the given address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.bind((source, 0))
        client.sendto(b"?", (address, port))


def test_an_interface_sends_with_its_own_address_only(lab: Lab, world: World) -> None:
    lab.serve("eni-web3", "10.0.1.13", 80)
    with extra_address(lab.place("eni-web1"), "10.0.0.99"):
        with pytest.raises(TimeoutError):
            lab.connect("eni-web1", "10.0.1.13", 80, source="10.0.0.99")
        heard = lab.hear("eni-web3", "10.0.1.13", 80)
        lab.fabric.reconcile(with_group(world, "sg-web", ingress=(ALL,)))
        in_namespace(lab.place("eni-web1"), partial(shout, "10.0.0.99", "10.0.1.13", 80))
        with pytest.raises(TimeoutError):
            heard()
        unchecked = with_interface(world, "eni-web1", source_dest_check=False)
        lab.fabric.reconcile(with_group(unchecked, "sg-web", ingress=(ALL,)))
        in_namespace(lab.place("eni-web1"), partial(shout, "10.0.0.99", "10.0.1.13", 80))
        assert heard() == "10.0.0.99"


def test_an_unchecked_interface_is_a_router_for_others(lab: Lab, world: World) -> None:
    """Test a NAT instance: the default route of the private subnet has an interface as its target."""
    routed = with_routes(with_group(world, "sg-web", ingress=(ALL,)), "rtb-p", Route(ANYWHERE, "eni-web1"))
    for check, hears in ((True, False), (False, True)):
        lab.fabric.reconcile(with_interface(routed, "eni-web1", source_dest_check=check))
        with extra_address(lab.place("eni-web1"), str(VISITOR)), ExitStack() as sockets:
            heard = replace(lab, sockets=sockets).hear("eni-web1", VISITOR, 9000)
            in_namespace(lab.place("eni-app1"), partial(shout, "10.0.10.21", str(VISITOR), 9000))
            if hears:
                assert heard() == "10.0.10.21"
            else:
                with pytest.raises(TimeoutError):
                    heard()


def test_no_private_source_comes_in_from_the_internet(lab: Lab, world: World) -> None:
    """Test that such a packet is not accepted as one of a member of a referenced group."""
    lab.fabric.reconcile(with_group(world, "sg-web", ingress=(ALL,)))
    heard = lab.hear("eni-web2", "10.0.0.12", 80)
    in_namespace(lab.place("visitor"), partial(shout, str(VISITOR), "198.19.0.12", 80))
    assert heard() == str(VISITOR)
    for source in ("10.0.0.11", "192.168.1.1"):
        with extra_address(lab.place("visitor"), source):
            in_namespace(lab.place("visitor"), partial(shout, source, "198.19.0.12", 80))
            with pytest.raises(TimeoutError):
                heard()


def test_only_the_aws_plane_reaches_private_addresses_behind_the_uplink(lab: Lab) -> None:
    assert lab.opens("aws", UPSTREAM, 53)
    for place in ("laptop", "visitor", "eni-web1", "eni-app1"):
        assert not lab.opens(place, UPSTREAM, 53)


def test_unassigned_public_addresses_stay_in_the_lab(lab: Lab) -> None:
    for address in ("198.18.0.99", "198.19.200.1"):
        assert not lab.opens("visitor", address, 80)
        assert not lab.opens("aws", address, 80)


# --- the fabric itself -------------------------------------------------------------------------------------


def test_it_is_repaired_after_a_failed_step(lab: Lab, world: World) -> None:
    lab.serve("visitor", VISITOR, 8000)
    apply.apply(Difference(removed=(lab.place("eni-web1"),)), Journal(lab.settings.journal))
    moved = with_routes(world, "rtb-a", *world.route_tables["rtb-a"].routes, Route(ELSEWHERE, "eni-web1"))
    lab.fabric.reconcile(with_interface(moved, "eni-web1", mac="02:00:00:00:01:01"))
    assert lab.dial("eni-web1", VISITOR, 8000) == "198.19.0.11"
    assert lab.dial("eni-app1", VISITOR, 8000) == "198.19.0.9"


def test_what_is_read_back_is_what_was_applied(lab: Lab, world: World) -> None:
    """Test everything except rulesets and sysctls, which are not read."""
    wanted = compute(world, lab.settings)
    change = difference(observe(lab.settings, wanted), wanted)
    unread = tuple(Delta(delta.namespace, ruleset=delta.ruleset, sysctls=delta.sysctls) for delta in change.deltas)
    assert change == Difference(deltas=unread)


def test_packets_pass_when_reconcile_is_back(lab: Lab, world: World) -> None:
    lab.serve("visitor", VISITOR, 8000)
    for _ in range(3):
        lab.fabric.reconcile(World())
        lab.fabric.reconcile(world)
        assert lab.dial("eni-web1", VISITOR, 8000) == "198.19.0.11"
        assert lab.dial("eni-app1", VISITOR, 8000) == "198.19.0.9"


def test_what_cannot_be_done_is_told_with_its_place(lab: Lab, world: World) -> None:
    odd = with_interface(world, "eni-web1", mac="ff:ff:ff:ff:ff:ff")  # the broadcast address, which the kernel refuses
    with pytest.raises(UnservedError, match="vpc-1: FabricError: create links of fabtest-vpc-1"):
        lab.fabric.reconcile(odd)
    lab.fabric.reconcile(world)
    lab.serve("visitor", VISITOR, 8000)
    assert lab.dial("eni-web1", VISITOR, 8000) == "198.19.0.11"


def test_a_lost_uplink_comes_back(lab: Lab, world: World) -> None:
    entry = next(each for each in Journal(lab.settings.journal).entries() if each.kind == "process")
    end(int(entry.name), entry.start)
    lab.fabric.reconcile(world)
    assert lab.opens("aws", UPSTREAM, 53)


@pytest.mark.parametrize("place", ["eni-web1", "eni-nat1", "vpc-1", "igw-1", "internet", "aws", "laptop"])
def test_every_namespace_has_its_loopback_and_no_ipv6(lab: Lab, place: str) -> None:
    def state() -> tuple[str, str]:
        flags = Path("/proc/self/task", str(threading.get_native_id()), "net/if_inet6")
        with IPRoute() as netlink:
            return netlink.get_links(ifname="lo")[0].get("state"), flags.read_text()

    assert in_namespace(lab.place(place), state) == ("up", "")


def test_an_interface_that_goes_takes_its_namespace_along(lab: Lab, world: World) -> None:
    interfaces = {name: interface for name, interface in world.interfaces.items() if name != "eni-web2"}
    lab.fabric.reconcile(replace(world, interfaces=interfaces))
    assert interface_namespace(lab.settings, "eni-web2") not in namespaces.existing(lab.settings)
    lab.fabric.reconcile(World())
    assert namespaces.existing(lab.settings) == [lab.place(name) for name in ("aws", "internet", "laptop", "visitor")]
    assert router_namespace(lab.settings, "vpc-1") not in namespaces.existing(lab.settings)


def test_the_machines_own_network_stays_as_it_is_and_close_leaves_nothing(tmp_path: Path, world: World) -> None:
    before = machine_state()
    settings = Settings("fabclose", tmp_path, tmp_path)
    with closing(Fabric(settings, Journal(settings.journal))) as fabric:
        fabric.start()
        fabric.reconcile(world)
        assert len(namespaces.existing(settings)) == 12
        assert machine_state() == before
    assert namespaces.existing(settings) == []
    assert Journal(settings.journal).entries() == []
    assert machine_state() == before


def machine_state() -> tuple[str, ...]:
    """Return links, addresses, routes, rules, filters and settings of the machine's own namespace."""
    commands = ("ip -d link", "ip addr", "ip route show table all", "ip rule", "nft list ruleset")
    texts = [subprocess.run(command.split(), capture_output=True, text=True, check=True).stdout for command in commands]
    settings = [
        f"{path}={path.read_text()}"
        for path in sorted(Path("/proc/sys/net/ipv4").rglob("*"))
        if path.name in {"ip_forward", "rp_filter", "proxy_arp", "send_redirects", "forwarding"}
    ]
    return (*(re.sub(r"\b(valid|preferred)_lft \d+sec", "", text) for text in texts), *settings)


def test_it_is_quick(lab: Lab, world: World) -> None:
    """Test 20 more interfaces within 2 s, a rule within 0.5 s, no change within 20 ms. A busy machine has more time."""
    more = {
        f"eni-more{number}": replace(
            world.interfaces["eni-web1"],
            id=f"eni-more{number}",
            mac=f"02:00:00:00:01:{number:02x}",
            private_ip=IPv4Address("10.0.0.100") + number,
            public_ip=IPv4Address("198.19.0.100") + number,
        )
        for number in range(20)
    }
    larger = replace(world, interfaces={**world.interfaces, **more})
    changed = with_group(larger, "sg-web", ingress=(tcp(81),))
    for wanted, limit in ((larger, 2.0), (changed, 0.5), (changed, 0.02), (world, 3.0)):
        started = time.monotonic()
        lab.fabric.reconcile(wanted)
        took = time.monotonic() - started
        print(f"{len(wanted.interfaces)} interfaces: {1000 * took:.0f} ms")
        assert took < 5 * limit
