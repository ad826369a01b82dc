"""Complete rulesets against golden files. `test_packets` tests that nft accepts them and what they do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from groundwork_lab.model import World
from groundwork_lab.plane.fabric import rulesets
from groundwork_lab.plane.fabric.topology import Network, public_addresses, survey

GOLDEN = Path(__file__).parent / "golden"


def nat(_world: World, network: Network) -> str:
    return rulesets.nat_ruleset(network, network.interfaces["eni-nat1"])


def gateway(world: World, network: Network) -> str:
    return rulesets.gateway_ruleset(network, public_addresses(world, network))


def backbone(_world: World, _network: Network) -> str:
    return rulesets.backbone_ruleset()


@pytest.mark.parametrize(
    ("name", "render"),
    [("router", rulesets.router_ruleset), ("gateway", gateway), ("nat", nat), ("backbone", backbone)],
)
def test_rulesets(world: World, name: str, render: Callable[[World, Network], str]) -> None:
    (network,) = survey(world)
    assert render(world, network) == (GOLDEN / f"{name}.nft").read_text()


def test_a_gateway_without_addresses_drops_everything(world: World) -> None:
    (network,) = survey(world)
    assert rulesets.gateway_ruleset(network, {}) == (
        "chain translate {\n  type filter hook prerouting priority raw; policy drop;\n}\n"
    )


def test_a_vpc_of_public_addresses_cannot_be_spoofed_either(world: World) -> None:
    vpc = replace(world.vpcs["vpc-1"], cidrs=(IPv4Network("10.0.0.0/16"), IPv4Network("203.0.113.0/24")))
    world = replace(world, vpcs={"vpc-1": vpc})
    (network,) = survey(world)
    assert "224.0.0.0/3, 203.0.113.0/24 } drop" in gateway(world, network)


def test_an_empty_vpc_with_a_gateway_has_a_ruleset_without_sets(world: World) -> None:
    world = replace(world, interfaces={})
    (network,) = survey(world)
    text = rulesets.router_ruleset(world, network)
    assert "set " not in text.replace("meta mark set", "")
    assert "vmap" not in text
    assert "{  }" not in text


@pytest.mark.parametrize(
    ("name", "changes", "expected"),
    [
        ("eni-web1", {}, True),
        ("eni-web1", {"source_dest_check": False}, False),
        ("eni-nat1", {}, False),
    ],
)
def test_source_check(world: World, name: str, changes: dict[str, object], expected: bool) -> None:
    assert rulesets.checked(replace(world.interfaces[name], **changes)) is expected


def test_the_name_server_is_base_plus_two_of_the_first_block(world: World) -> None:
    vpc = replace(world.vpcs["vpc-1"], cidrs=(IPv4Network("10.7.0.0/20"), IPv4Network("10.8.0.0/16")))
    assert [str(address) for address in rulesets.name_servers(vpc)] == ["10.7.0.2", "169.254.169.253"]
    assert rulesets.name_servers(replace(vpc, dns_support=False)) == []
