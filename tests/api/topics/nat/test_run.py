"""NAT against the lab's control plane: plan = run, nothing twice, calls counted, given addresses kept."""

from __future__ import annotations

import typing as t

import pytest
from cloud import Cloud, Survives, told

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import InputError
from ansible_collections.groundwork.aws.plugins.module_utils.topics.nat.run import converge_nat

Make = t.Callable[..., dict[str, t.Any]]


def look(cloud: Cloud) -> t.Any:
    """Return gateways, addresses and the private subnets' default routes, without ids."""
    ec2 = cloud.ec2
    gateways = [g for g in ec2.describe_nat_gateways()["NatGateways"] if g["State"] == "available"]
    by_id = {g["NatGatewayId"]: next(tag["Value"] for tag in g["Tags"] if tag["Key"] == "Name") for g in gateways}
    private = [{"Name": "tag:groundwork:tier", "Values": ["private"]}]
    return {
        "gateways": sorted(by_id.values()),
        "addresses": len(ec2.describe_addresses()["Addresses"]),
        "routes": sorted(
            (next(tag["Value"] for tag in table["Tags"] if tag["Key"] == "Name"), by_id.get(route.get("NatGatewayId")))
            for table in ec2.describe_route_tables(Filters=private)["RouteTables"]
            for route in table["Routes"]
            if route.get("DestinationCidrBlock") == "0.0.0.0/0"
        ),
    }


def test_the_plan_of_an_empty_account_is_the_run(
    cloud: Cloud, options: Make, build_network: t.Callable[..., dict[str, t.Any]]
) -> None:
    planned = cloud.run(converge_nat, options(), check_mode=True)
    assert cloud.writes == []
    build_network(cloud)
    between = cloud.run(converge_nat, options(), check_mode=True)
    done = cloud.run(converge_nat, options())
    assert (
        told(planned)
        == told(between)
        == told(done)
        == [
            "create elastic ip nat-a",
            "create nat gateway nat-a",
            "create default route private-a",
            "create default route private-b",
        ]
    )
    assert planned["gateways"] == {"eu-central-1a": {"id": "(known after apply)", "public_ip": "(known after apply)"}}
    assert done["gateways"]["eu-central-1a"]["id"].startswith("nat-")
    assert look(cloud) == {
        "gateways": ["dev-nat-a"],
        "addresses": 1,
        "routes": [("dev-private-a", "dev-nat-a"), ("dev-private-b", "dev-nat-a")],
    }


@pytest.mark.parametrize("mode", ["none", "single", "per_zone"])
def test_the_second_run_changes_nothing_in_three_calls(
    cloud: Cloud, options: Make, build_network: t.Callable[..., dict[str, t.Any]], mode: str
) -> None:
    build_network(cloud)
    first = cloud.run(converge_nat, options(mode=mode, purge=True))
    again = cloud.run(converge_nat, options(mode=mode, purge=True))
    assert told(again) == []
    assert again["gateways"] == first["gateways"]
    assert len(cloud.calls) == 3
    assert told(build_network(cloud, purge=True)) == []


@pytest.mark.exhaustive
def test_killed_anywhere_it_converges(
    survives: Survives, options: Make, build_network: t.Callable[..., dict[str, t.Any]]
) -> None:
    assert survives(converge_nat, options(mode="per_zone"), look, build_network) == 6


def test_a_removal_killed_anywhere_converges(
    survives: Survives, options: Make, build_network: t.Callable[..., dict[str, t.Any]]
) -> None:
    def prepare(cloud: Cloud) -> None:
        build_network(cloud)
        cloud.run(converge_nat, options(mode="per_zone"))

    assert survives(converge_nat, options(mode="none", purge=True), look, prepare) == 6


def test_from_one_to_many_and_back(
    cloud: Cloud, options: Make, build_network: t.Callable[..., dict[str, t.Any]]
) -> None:
    build_network(cloud)
    one = cloud.run(converge_nat, options())
    many = cloud.run(converge_nat, options(mode="per_zone"))
    assert told(many) == ["create elastic ip nat-b", "create nat gateway nat-b", "update default route private-b"]
    assert one["gateways"].items() <= many["gateways"].items()
    kept = cloud.run(converge_nat, options())
    assert told(kept) == ["update default route private-b"]
    second = many["gateways"]["eu-central-1b"]["id"]
    assert cloud.warnings == [
        (f"The NAT gateways {second} are not declared, and AWS charges for them. Set purge to delete them.")
    ]
    assert told(cloud.run(converge_nat, options(purge=True))) == ["delete nat gateway nat-b", "delete elastic ip nat-b"]
    assert look(cloud)["addresses"] == 1


@pytest.mark.parametrize("form", ["AllocationId", "PublicIp"])
def test_a_given_address_is_used_and_never_released(
    cloud: Cloud, options: Make, build_network: t.Callable[..., dict[str, t.Any]], form: str
) -> None:
    build_network(cloud)
    given = cloud.ec2.allocate_address(Domain="vpc")
    wanted = options(addresses={"eu-central-1a": given[form]}, purge=True)
    done = cloud.run(converge_nat, wanted)
    assert told(done)[0] == "create nat gateway nat-a"
    assert done["gateways"]["eu-central-1a"]["public_ip"] == given["PublicIp"]
    assert told(cloud.run(converge_nat, wanted)) == []
    assert len(cloud.calls) == 3
    assert told(cloud.run(converge_nat, options(purge=True))) == []
    assert told(cloud.run(converge_nat, options(mode="none", purge=True)))[-1] == "delete nat gateway nat-a"
    assert [a["PublicIp"] for a in cloud.ec2.describe_addresses()["Addresses"]] == [given["PublicIp"]]


def test_an_address_can_be_given_later(
    cloud: Cloud, options: Make, build_network: t.Callable[..., dict[str, t.Any]]
) -> None:
    build_network(cloud)
    cloud.run(converge_nat, options())
    given = cloud.ec2.allocate_address(Domain="vpc")["PublicIp"]
    assert told(cloud.run(converge_nat, options(addresses={"eu-central-1a": given}, purge=True))) == [
        "create nat gateway nat-a",
        "update default route private-a",
        "update default route private-b",
        "delete nat gateway nat-a",
        "delete elastic ip nat-a",
    ]
    assert look(cloud)["gateways"] == ["dev-nat-a"] and look(cloud)["addresses"] == 1


def test_extra_tags_are_added(cloud: Cloud, options: Make, build_network: t.Callable[..., dict[str, t.Any]]) -> None:
    build_network(cloud)
    cloud.run(converge_nat, options())
    assert told(cloud.run(converge_nat, options(tags={"team": "web"}))) == [
        "update tags nat gateway nat-a, elastic ip nat-a"
    ]


def test_without_a_network_nothing_is_written(cloud: Cloud, options: Make) -> None:
    with pytest.raises(
        InputError, match="the network lacks the subnets private-a, private-b, public-a; its subnets are none"
    ):
        cloud.run(converge_nat, options())
    assert cloud.writes == []
    assert cloud.run(converge_nat, options(mode="none"))["changes"] == []
