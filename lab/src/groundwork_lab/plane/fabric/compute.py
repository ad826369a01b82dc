"""World -> Kernel: the whole network as a pure function, part by part."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

from groundwork_lab.apart import Apart
from groundwork_lab.model import Interface, World
from groundwork_lab.plane.fabric import naming, routing, rulesets
from groundwork_lab.plane.fabric.kernel import DEFAULT, Address, End, Kernel, Link, Namespace, Route, Rule, Sysctl
from groundwork_lab.plane.fabric.naming import device_name
from groundwork_lab.plane.fabric.topology import AWS_LINK, GATEWAY_LINK, ROUTER_LINK, Network, public_addresses, survey
from groundwork_lab.settings import API, BACKBONE, EDGE, INTERNET, LAPTOP, PACKAGES, RESOLVER, S3, VISITOR, Settings

HOST_DEVICE = "eth0"  # of interfaces, and of what lives on the backbone
BACKBONE_ADDRESS = BACKBONE.network_address + 1
# slirp4netns(1): its network, our end, its gateway; its name server is 10.0.2.3.
UPLINK_ADDRESS = IPv4Interface("10.0.2.100/24")
UPLINK_GATEWAY = IPv4Address("10.0.2.2")

_INWARD_TABLE = 100  # of an internet gateway: towards the VPC
_INWARD_PRIORITY = 100


@dataclass(frozen=True)
class Part:
    """Namespaces and the links that lead from them."""

    namespaces: tuple[Namespace, ...]
    links: tuple[Link, ...] = ()


@dataclass(frozen=True)
class Built:
    """A VPC's own parts, and what the backbone must know of it. `addresses`: private to public ones."""

    network: Network
    addresses: Mapping[IPv4Address, IPv4Address]
    parts: tuple[Part, ...]

    @property
    def namespaces(self) -> frozenset[str]:
        return frozenset(namespace.name for part in self.parts for namespace in part.namespaces)


def compute(world: World, settings: Settings) -> Kernel:
    """The kernel state that follows from the world: references that lead nowhere are left out.

    Raises UnservedError with the VPCs that cannot be built.
    """
    apart = Apart()
    kernel = assemble(build(world, settings, apart).values(), settings)
    apart.end()
    return kernel


def build(world: World, settings: Settings, apart: Apart) -> dict[str, Built]:
    """The VPCs that have something in the network, by id, without those that `apart` fails with."""
    networks = ((network.vpc.id, network) for network in survey(world))
    return apart.each(networks, lambda network: _built(world, settings, network))


def _built(world: World, settings: Settings, network: Network) -> Built:
    addresses = public_addresses(world, network)
    parts = [
        _router(settings, world, network),
        *_gateway(settings, network, addresses),
        *(_interface(settings, network, interface) for interface in network.interfaces.values()),
    ]
    return Built(network, addresses, tuple(parts))


def assemble(built: Collection[Built], settings: Settings) -> Kernel:
    """The backbone and these VPCs."""
    networks = [each.network for each in built]
    translations = {each.network.vpc.id: each.addresses for each in built}
    own = [part for each in built for part in each.parts]
    parts = [_backbone(settings, networks, translations), *_plane(settings, networks), *own]
    return Kernel(
        namespaces={namespace.name: namespace for part in parts for namespace in part.namespaces},
        links=frozenset(link for part in parts for link in part.links),
    )


# --- sysctls -----------------------------------------------------------------------------------------------


def base_sysctls(*, forwarding: bool) -> tuple[Sysctl, ...]:
    """What every namespace is told; `default` holds for devices that come later.

    Forwarding first: writing it resets others (ip-sysctl.rst of the kernel, ip_forward). Reverse path filters are
    off because paths here differ by table; the checks are in the rulesets.
    """
    return (
        Sysctl("net/ipv4/ip_forward", "1" if forwarding else "0"),
        *(
            Sysctl(f"net/ipv4/conf/{scope}/{name}", "0")
            for scope in ("all", "default")
            for name in ("rp_filter", "send_redirects", "accept_redirects", "accept_source_route")
        ),
        *(Sysctl(f"net/ipv6/conf/{scope}/disable_ipv6", "1") for scope in ("all", "default", "lo")),
    )


def proxy_sysctls(device: str) -> tuple[Sysctl, ...]:
    """The router answers ARP for the neighbours of an interface, without the delay of RFC 925's proxies."""
    return (
        Sysctl(f"net/ipv4/conf/{device}/proxy_arp", "1", device),
        Sysctl(f"net/ipv4/neigh/{device}/proxy_delay", "0", device),
    )


def _single(device: str, *addresses: IPv4Address) -> Iterator[Address]:
    return (Address(device, IPv4Interface((address, 32))) for address in addresses)


# --- the backbone ------------------------------------------------------------------------------------------


def _backbone(
    settings: Settings,
    networks: Iterable[Network],
    translations: Mapping[str, Mapping[IPv4Address, IPv4Address]],
) -> Part:
    """The internet's router: to the lab's own parts, to each public address in use, and to the real internet."""
    residents = [*((naming.AWS, address) for address in (API, S3, RESOLVER, PACKAGES, EDGE))]
    residents += [(naming.LAPTOP, LAPTOP), (naming.VISITOR, VISITOR)]
    name = naming.internet_namespace(settings)
    gateways = {network.vpc.id: network.gateway for network in networks}
    public = (
        Route(IPv4Network(address), device_name(gateway.id), GATEWAY_LINK)
        for vpc_id, gateway in gateways.items()
        if gateway is not None
        for address in translations[vpc_id].values()
    )
    namespace = Namespace(
        name=name,
        sysctls=base_sysctls(forwarding=True),
        addresses=frozenset([*_single("lo", BACKBONE_ADDRESS), Address(rulesets.UPLINK_DEVICE, UPLINK_ADDRESS)]),
        routes=frozenset(
            [
                *(Route(IPv4Network(address), device) for device, address in residents),
                *public,
                Route(INTERNET),
                Route(DEFAULT, rulesets.UPLINK_DEVICE, UPLINK_GATEWAY),
            ]
        ),
        ruleset=rulesets.backbone_ruleset(),
    )
    links = [
        Link(End(name, part), End(settings.namespace(part), HOST_DEVICE))
        for part in (naming.AWS, naming.LAPTOP, naming.VISITOR)
    ]
    return Part((namespace,), tuple(links))


def _plane(settings: Settings, networks: Iterable[Network]) -> list[Part]:
    """What lives on the backbone: the AWS plane with a link to every VPC, you, and someone else."""
    aws = _resident(
        naming.aws_namespace(settings),
        (API, S3, RESOLVER, PACKAGES, EDGE),
        addresses=_single("lo", AWS_LINK),
        routes=(Route(IPv4Network(network.transfer), device_name(network.vpc.id)) for network in networks),
    )
    laptop = _resident(naming.laptop_namespace(settings), (LAPTOP,))
    visitor = _resident(naming.visitor_namespace(settings), (VISITOR,))
    return [Part((aws, laptop, visitor))]


def _resident(
    name: str,
    own: Iterable[IPv4Address],
    *,
    addresses: Iterable[Address] = (),
    routes: Iterable[Route] = (),
) -> Namespace:
    return Namespace(
        name=name,
        sysctls=base_sysctls(forwarding=False),
        addresses=frozenset([*_single(HOST_DEVICE, *own), *addresses]),
        routes=frozenset([Route(DEFAULT, HOST_DEVICE, BACKBONE_ADDRESS), *routes]),
    )


# --- VPCs --------------------------------------------------------------------------------------------------


def _router(settings: Settings, world: World, network: Network) -> Part:
    """A VPC's router: an end of every interface's link.

    Its own addresses are those that hosts send to directly or ask for by ARP: the subnets' `.1`, the name servers
    (`.2` may lie in a subnet), instance metadata.
    """
    name = naming.router_namespace(settings, network.vpc.id)
    devices = {interface.id: device_name(interface.id) for interface in network.interfaces.values()}
    gateways = (subnet.cidr.network_address + 1 for subnet in network.subnets.values())
    servers = rulesets.name_servers(network.vpc)
    own = _single("lo", *gateways, *servers, rulesets.METADATA, ROUTER_LINK, network.transfer)
    namespace = Namespace(
        name=name,
        sysctls=(
            *base_sysctls(forwarding=True),
            *(sysctl for device in devices.values() for sysctl in proxy_sysctls(device)),
        ),
        addresses=frozenset(own),
        routes=routing.routes(world, network),
        rules=routing.rules(network),
        ruleset=rulesets.router_ruleset(world, network),
    )
    links = [
        Link(End(name, device), _host_end(settings, network.interfaces[interface_id]))
        for interface_id, device in devices.items()
    ]
    plane = End(naming.aws_namespace(settings), device_name(network.vpc.id))
    return Part((namespace,), (*links, Link(End(name, routing.AWS_DEVICE), plane)))


def _host_end(settings: Settings, interface: Interface) -> End:
    return End(naming.interface_namespace(settings, interface.id), HOST_DEVICE, interface.mac.lower())


def _gateway(settings: Settings, network: Network, addresses: Mapping[IPv4Address, IPv4Address]) -> list[Part]:
    """A VPC's internet gateway, between its router and the backbone."""
    if network.gateway is None:
        return []
    name = naming.gateway_namespace(settings, network.gateway.id)
    namespace = Namespace(
        name=name,
        sysctls=base_sysctls(forwarding=True),
        addresses=frozenset(_single("lo", GATEWAY_LINK)),
        routes=frozenset(
            [
                Route(DEFAULT, rulesets.INTERNET_DEVICE, BACKBONE_ADDRESS),
                Route(DEFAULT, rulesets.VPC_DEVICE, ROUTER_LINK, _INWARD_TABLE),
            ]
        ),
        rules=frozenset([Rule(_INWARD_PRIORITY, _INWARD_TABLE, incoming=rulesets.INTERNET_DEVICE)]),
        ruleset=rulesets.gateway_ruleset(network, addresses),
    )
    router = End(naming.router_namespace(settings, network.vpc.id), routing.GATEWAY_DEVICE)
    backbone = End(naming.internet_namespace(settings), device_name(network.gateway.id))
    links = (
        Link(router, End(name, rulesets.VPC_DEVICE)),
        Link(backbone, End(name, rulesets.INTERNET_DEVICE)),
    )
    return [Part((namespace,), links)]


def _interface(settings: Settings, network: Network, interface: Interface) -> Part:
    """A network interface: a host's, a balancer node's, or a NAT gateway, which is the only one with rules."""
    subnet = network.subnets[interface.subnet_id]
    gateway = interface.owner == "nat-gateway"
    namespace = Namespace(
        name=naming.interface_namespace(settings, interface.id),
        sysctls=base_sysctls(forwarding=gateway),
        addresses=frozenset([Address(HOST_DEVICE, IPv4Interface((interface.private_ip, subnet.cidr.prefixlen)))]),
        routes=frozenset([Route(DEFAULT, HOST_DEVICE, subnet.cidr.network_address + 1)]),
        ruleset=rulesets.nat_ruleset(network, interface) if gateway else "",
    )
    return Part((namespace,))
