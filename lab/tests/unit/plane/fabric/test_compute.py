"""The computation of the whole `Kernel` state from a `World`."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path

from groundwork_lab.model import SecurityGroupRule, World
from groundwork_lab.plane.fabric.compute import compute
from groundwork_lab.plane.fabric.kernel import Kernel, Namespace, difference
from groundwork_lab.settings import Settings

SETTINGS = Settings("lab", Path("/state"), Path("/cache"))
BACKBONE = {"lab-internet", "lab-aws", "lab-laptop", "lab-visitor"}


def forwards(namespace: Namespace) -> bool:
    return {sysctl.key: sysctl.value for sysctl in namespace.sysctls}["net/ipv4/ip_forward"] == "1"


def routes(namespace: Namespace) -> dict[str, str | None]:
    return {str(route.destination): route.device for route in namespace.routes}


def addresses(namespace: Namespace) -> set[str]:
    return {f"{each.device} {each.address}" for each in namespace.addresses}


def test_an_empty_world_is_the_backbone() -> None:
    kernel = compute(World(), SETTINGS)
    assert set(kernel.namespaces) == BACKBONE
    assert addresses(kernel.namespaces["lab-aws"]) == {
        "eth0 198.18.0.2/32",
        "eth0 198.18.0.3/32",
        "eth0 198.18.0.4/32",
        "eth0 198.18.0.5/32",
        "eth0 198.18.0.6/32",
        "eth0 198.18.0.7/32",
        "eth0 198.18.0.8/32",
        "eth0 198.18.0.9/32",
        "eth0 198.18.0.11/32",
        *(f"eth0 198.18.0.{number}/32" for number in range(33, 41)),
        "lo 169.254.255.3/32",
    }
    assert routes(kernel.namespaces["lab-internet"]) == {
        "198.18.0.2/32": "aws",
        "198.18.0.3/32": "aws",
        "198.18.0.4/32": "aws",
        "198.18.0.5/32": "aws",
        "198.18.0.6/32": "aws",
        "198.18.0.7/32": "aws",
        "198.18.0.8/32": "aws",
        "198.18.0.9/32": "aws",
        "198.18.0.11/32": "aws",
        **{f"198.18.0.{number}/32": "aws" for number in range(33, 41)},
        "198.18.0.10/32": "laptop",
        "198.18.0.20/32": "visitor",
        "198.18.0.0/15": None,
        "0.0.0.0/0": "tap0",
    }


def test_a_vpc_adds_its_router_gateway_and_interfaces(world: World) -> None:
    kernel = compute(world, SETTINGS)
    interfaces = {f"lab-{name}" for name in world.interfaces}
    assert set(kernel.namespaces) == BACKBONE | {"lab-vpc-1", "lab-igw-1"} | interfaces
    assert {name for name in kernel.namespaces if forwards(kernel.namespaces[name])} == {
        "lab-internet",
        "lab-vpc-1",
        "lab-igw-1",
        "lab-eni-nat1",
    }
    assert len(kernel.links) == 3 + len(interfaces) + 3


def test_the_backbone_knows_the_public_addresses_in_use(world: World) -> None:
    ways = routes(compute(world, SETTINGS).namespaces["lab-internet"])
    assert {address for address, device in ways.items() if device == "igw1"} == {
        "198.19.0.9/32",
        "198.19.0.11/32",
        "198.19.0.12/32",
        "198.19.0.13/32",
    }


def test_a_host_has_its_address_and_its_subnets_gateway(world: World) -> None:
    kernel = compute(world, SETTINGS)
    host = kernel.namespaces["lab-eni-web3"]
    assert addresses(host) == {"eth0 10.0.1.13/24"}
    assert {(str(route.gateway), route.device) for route in host.routes} == {("10.0.1.1", "eth0")}
    assert host.ruleset == ""
    ends = {end.namespace: end for link in kernel.links for end in link.ends if end.device == "eth0"}
    assert ends["lab-eni-web3"].mac == world.interfaces["eni-web3"].mac


def test_the_router_answers_for_gateways_name_servers_and_metadata(world: World) -> None:
    kernel = compute(world, SETTINGS)
    own = {str(each.address.ip) for each in kernel.namespaces["lab-vpc-1"].addresses}
    assert {"10.0.0.1", "10.0.1.1", "10.0.10.1", "10.0.0.2", "169.254.169.253", "169.254.169.254"} <= own


def test_no_device_name_is_longer_than_the_kernel_allows(world: World) -> None:
    long = {
        f"eni-0123456789abcde{number:02}": replace(each, id=f"eni-0123456789abcde{number:02}")
        for number, each in enumerate(world.interfaces.values())
    }
    kernel = compute(replace(world, interfaces=long), SETTINGS)
    ends = [end for link in kernel.links for end in link.ends]
    assert max(len(end.device) for end in ends) == 15
    assert len({(end.namespace, end.device) for end in ends}) == len(ends)


def test_two_labs_share_no_name(world: World) -> None:
    other = compute(world, replace(SETTINGS, name="other"))
    assert not set(other.namespaces) & set(compute(world, SETTINGS).namespaces)


def test_a_changed_rule_changes_one_ruleset(world: World) -> None:
    rule = SecurityGroupRule("tcp", 443, 443, (IPv4Network("0.0.0.0/0"),))
    group = replace(world.security_groups["sg-web"], ingress=(rule,))
    changed = replace(world, security_groups={**world.security_groups, "sg-web": group})
    change = difference(compute(world, SETTINGS), compute(changed, SETTINGS))
    (delta,) = change.deltas
    assert delta.namespace == "lab-vpc-1"
    assert delta == replace(delta, routes=(), rules=(), addresses=(), sysctls=())
    assert (change.created, change.joined, change.cut, change.removed) == ((), (), (), ())


def test_an_interface_that_goes_leaves_the_others_alone(world: World) -> None:
    fewer = {name: each for name, each in world.interfaces.items() if name != "eni-web2"}
    change = difference(compute(world, SETTINGS), compute(replace(world, interfaces=fewer), SETTINGS))
    assert change.removed == ("lab-eni-web2",)
    assert {delta.namespace for delta in change.deltas} == {"lab-vpc-1", "lab-igw-1", "lab-internet"}


def test_the_same_world_computes_the_same_kernel(world: World) -> None:
    turned = replace(world, interfaces=dict(reversed(world.interfaces.items())))
    assert compute(turned, SETTINGS) == compute(world, SETTINGS)
    assert difference(compute(turned, SETTINGS), compute(world, SETTINGS)).empty
    assert compute(World(), SETTINGS) != Kernel()
