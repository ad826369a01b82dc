"""The computation of the network's `Kernel` state from a `World`. Pure functions."""

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
from groundwork_lab.settings import AWS_PLANE, BACKBONE, INTERNET, LAPTOP, VISITOR, Settings

HOST_DEVICE = "eth0"  # of interfaces, and of namespaces on the backbone
BACKBONE_ADDRESS = BACKBONE.network_address + 1
# slirp4netns(1): its network, the lab's address, its gateway. Its name server is 10.0.2.3.
UPLINK_ADDRESS = IPv4Interface("10.0.2.100/24")
UPLINK_GATEWAY = IPv4Address("10.0.2.2")

_INWARD_TABLE = 100  # of an internet gateway, towards the VPC
_INWARD_PRIORITY = 100


@dataclass(frozen=True)
class Part:
    """Namespaces and the links from them."""

    namespaces: tuple[Namespace, ...]
    links: tuple[Link, ...] = ()


@dataclass(frozen=True)
class Built:
    """The parts of a VPC, and the data that the backbone needs. `addresses` maps private to public addresses."""

    network: Network
    addresses: Mapping[IPv4Address, IPv4Address]
    parts: tuple[Part, ...]

    @property
    def namespaces(self) -> frozenset[str]:
        return frozenset(namespace.name for part in self.parts for namespace in part.namespaces)


def compute(world: World, settings: Settings) -> Kernel:
    """Return the kernel state for the `World`, without references to missing resources.

    Raise UnservedError with the VPCs that cannot be built.
    """
    apart = Apart()
    kernel = assemble(build(world, settings, apart).values(), settings)
    apart.end()
    return kernel


def build(world: World, settings: Settings, apart: Apart) -> dict[str, Built]:
    """Return the VPCs with routers by id, without those that fail in `apart`."""
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
    """Return the kernel state of the backbone and these VPCs."""
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
    """Return the sysctls of each namespace. `default` applies to devices that are created later.

    ip_forward comes first, because writing it resets other settings (ip-sysctl.rst of the kernel). Reverse path filters
    are off, because paths differ by table. The rulesets check the sources.
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
    """Return the sysctls for answering ARP on behalf of an interface's neighbors, without the delay of RFC 925."""
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
    """Return the router of the internet, with routes to the lab's parts, public addresses and the real internet."""
    residents = [*((naming.AWS, address) for address in AWS_PLANE)]
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
    """Return the namespaces on the backbone: the AWS plane with a link to each VPC, laptop, and visitor."""
    aws = _resident(
        naming.aws_namespace(settings),
        AWS_PLANE,
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
    """Return the router of a VPC, with one end of each interface's link.

    Its own addresses are those that hosts use directly or request by ARP: `.1` of the subnets, the name servers (`.2`
    may be in a subnet), and instance metadata.
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
    """Return the internet gateway of a VPC, between its router and the backbone."""
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
    """Return the namespace of an interface: of a host, a load balancer node, or a NAT gateway, which has a ruleset."""
    subnet = network.subnets[interface.subnet_id]
    gateway = interface.owner == "nat-gateway"
    namespace = Namespace(
        name=naming.interface_namespace(settings, interface.id),
        sysctls=base_sysctls(forwarding=gateway),
        addresses=frozenset([Address(HOST_DEVICE, IPv4Interface((interface.private_ip, subnet.cidr.prefixlen)))]),
        routes=frozenset([Route(DEFAULT, HOST_DEVICE, subnet.cidr.network_address + 1)]),
        ruleset=rulesets.nat_ruleset(network, interface) if gateway else "",
        confined=True,
    )
    return Part((namespace,))
