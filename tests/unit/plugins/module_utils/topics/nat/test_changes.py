"""The order of changes, and NAT gateways in all states, which moto does not support."""

from __future__ import annotations

import typing as t

import pytest
from clock import Clock

from ansible_collections.groundwork.aws.plugins.module_utils.engine.apply import apply
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner, tag_list
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import THIS_HOUR
from ansible_collections.groundwork.aws.plugins.module_utils.topics.nat.changes import plan_nat
from ansible_collections.groundwork.aws.plugins.module_utils.topics.nat.matching import (
    check_addresses,
    check_subnets,
    match,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.nat.observed import Observed
from ansible_collections.groundwork.aws.plugins.module_utils.topics.nat.options import parse_nat
from ansible_collections.groundwork.aws.plugins.module_utils.topics.nat.run import known_ids

Make = t.Callable[..., dict[str, t.Any]]
OWNER = Owner("dev", "nat")


def gateway(
    id_: str, state: str = "available", zone: str = "a", address: str = "", subnet: str = ""
) -> dict[str, t.Any]:
    return {
        "NatGatewayId": id_,
        "State": state,
        "SubnetId": subnet or f"subnet-public-{zone}",
        "NatGatewayAddresses": [{"AllocationId": address or f"eipalloc-{zone}", "PublicIp": f"198.51.100.{zone}"}],
        "Tags": tag_list(OWNER.tags(f"nat-{zone}")),
    }


def address(id_: str, zone: str | None = None, **more: str) -> dict[str, t.Any]:
    tags = tag_list(OWNER.tags(f"nat-{zone}")) if zone else []
    return {"AllocationId": id_, "PublicIp": f"ip-of-{id_}", "Tags": tags, **more}


def table(name: str, *, nat: str = "", igw: str = "") -> dict[str, t.Any]:
    default = {"DestinationCidrBlock": "0.0.0.0/0", **({"NatGatewayId": nat} if nat else {"GatewayId": igw})}
    return {
        "RouteTableId": f"rtb-{name}",
        "Associations": [{"SubnetId": f"subnet-{name}"}],
        "Routes": [{"DestinationCidrBlock": "10.20.0.0/16", "GatewayId": "local"}, *([default] if nat or igw else [])],
    }


def tables(**nat: str) -> dict[str, t.Any]:
    """Return the network's route tables. `a="nat-1"` is the target of the default route of private-a."""
    private = {f"private-{zone}": table(f"private-{zone}", nat=nat.get(zone, "")) for zone in "ab"}
    return {**private, **{f"public-{zone}": table(f"public-{zone}", igw="igw-1") for zone in "ab"}}


def plan(options: dict[str, t.Any], observed: Observed) -> list[str]:
    desired = parse_nat(options, Problems())
    assert desired
    return [str(change) for change in plan_nat(desired, observed, match(desired, observed, OWNER), OWNER)]


NEW = ["create elastic ip nat-a", "create nat gateway nat-a"]
SINGLE = ["default route private-a", "default route private-b"]
GIVEN = {"addresses": {"eu-central-1a": "eipalloc-00000001"}}


@pytest.mark.parametrize(
    ("given", "observed", "expected"),
    [
        pytest.param(
            {},
            Observed((gateway("nat-1"),), (address("eipalloc-a", "a"),), tables(a="nat-1", b="nat-1")),
            [],
            id="nothing to do",
        ),
        *(
            pytest.param(
                {},
                Observed((gateway("nat-1", state),), (), tables()),
                [*NEW, *(f"create {route}" for route in SINGLE)],
                id=f"{state} is not there",
            )
            for state in ("failed", "deleting", "deleted")
        ),
        pytest.param(
            {},
            Observed((gateway("nat-1", "pending"),), (address("eipalloc-a", "a"),), tables()),
            ["update nat gateway nat-a", *(f"create {route}" for route in SINGLE)],
            id="pending is awaited",
        ),
        pytest.param(
            {},
            Observed((gateway("nat-0", "failed"),), (address("eipalloc-a", "a"),), tables()),
            ["create nat gateway nat-a", *(f"create {route}" for route in SINGLE)],
            id="the address of a failed one is used again",
        ),
        pytest.param(
            {},
            Observed((gateway("nat-1"),), (address("eipalloc-a", "a"),), tables(a="nat-0", b="nat-1")),
            ["update default route private-a"],
            id="a black hole is mended",
        ),
        pytest.param(
            {"purge": True},
            Observed(
                (gateway("nat-1", subnet="subnet-old"),), (address("eipalloc-a", "a"),), tables(a="nat-1", b="nat-1")
            ),
            [*NEW, *(f"update {route}" for route in SINGLE), "delete nat gateway nat-a", "delete elastic ip nat-a"],
            id="replaced: new gateway, routes, old gateway, old address",
        ),
        pytest.param(
            {},
            Observed(
                (gateway("nat-1", subnet="subnet-old"),), (address("eipalloc-a", "a"),), tables(a="nat-1", b="nat-1")
            ),
            [*NEW, *(f"update {route}" for route in SINGLE)],
            id="without purge the old one stays",
        ),
        pytest.param(
            {"purge": True, **GIVEN},
            Observed(
                (gateway("nat-1", subnet="subnet-old", address="eipalloc-00000001"),),
                (address("eipalloc-00000001"),),
                tables(a="nat-1", b="nat-1"),
            ),
            ["delete nat gateway nat-a", "create nat gateway nat-a", *(f"update {route}" for route in SINGLE)],
            id="a given address has to be let go of first",
        ),
        pytest.param(
            GIVEN,
            Observed(
                (gateway("nat-1", "deleting", address="eipalloc-00000001"),), (address("eipalloc-00000001"),), tables()
            ),
            ["delete nat gateway nat-a", "create nat gateway nat-a", *(f"create {route}" for route in SINGLE)],
            id="a given address of a gateway that is going is awaited",
        ),
        pytest.param(
            {"mode": "none", "purge": True},
            Observed((gateway("nat-1"),), (address("eipalloc-a", "a"),), tables(a="nat-1", b="nat-1")),
            [*(f"delete {route}" for route in SINGLE), "delete nat gateway nat-a", "delete elastic ip nat-a"],
            id="none",
        ),
        pytest.param(
            {"mode": "none", "purge": True},
            Observed((gateway("nat-1", "deleting"),), (address("eipalloc-a", "a", AssociationId="x"),), tables()),
            ["delete nat gateway nat-a", "delete elastic ip nat-a"],
            id="killed while it was being deleted",
        ),
        pytest.param(
            {"mode": "none", "purge": True},
            Observed((gateway("nat-1", "deleted"),), (address("eipalloc-a", "a"),), tables()),
            ["delete elastic ip nat-a"],
            id="killed before the release",
        ),
        pytest.param(
            {"mode": "none", "purge": True},
            Observed((), (address("eipalloc-a", "a", InstanceId="i-1"),), tables()),
            [],
            id="an address that somebody took is not released",
        ),
        pytest.param(
            {"zones": ["eu-central-1a"], "purge": True},
            Observed(
                (gateway("nat-1"), gateway("nat-2", zone="b")),
                (address("eipalloc-a", "a"), address("eipalloc-b", "b")),
                tables(a="nat-1", b="nat-2"),
            ),
            ["delete default route private-b", "delete nat gateway nat-b", "delete elastic ip nat-b"],
            id="routes of undeclared subnets go with their gateway",
        ),
        pytest.param(
            {"mode": "none", "purge": True},
            Observed((), (), {**tables(), "private-a": table("private-a", igw="vgw-1")}),
            [],
            id="a route of others stays",
        ),
    ],
)
def test_plans(options: Make, given: t.Any, observed: Observed, expected: list[str]) -> None:
    assert plan(options(**given), observed) == expected


class Slow:
    """A fake of AWS in which gateways change state slowly, and used addresses cannot be released."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.looks = {"nat-1": ["deleting", "deleted"], "nat-2": ["pending", "available"]}

    def client(self, _service: str) -> Slow:
        return self

    def describe_nat_gateways(self, *, NatGatewayIds: list[str]) -> t.Any:  # noqa: N803 - AWS' name
        [one] = NatGatewayIds
        states = self.looks[one]
        state = states.pop(0) if len(states) > 1 else states[0]
        self.log.append(f"{one} {state}")
        return {"NatGateways": [{"NatGatewayId": one, "State": state, "FailureMessage": "no free address"}]}

    def __getattr__(self, operation: str) -> t.Callable[..., t.Any]:
        def answer(**_arguments: t.Any) -> t.Any:
            self.log.append(operation)
            return {
                "allocate_address": {"AllocationId": "eipalloc-new", "PublicIp": "198.51.100.9"},
                "create_nat_gateway": {"NatGateway": {"NatGatewayId": "nat-2"}},
            }.get(operation, {})

        return answer


def replacement(options: Make) -> tuple[t.Any, t.Any]:
    desired = parse_nat(options(zones=["eu-central-1a"], purge=True), Problems())
    assert desired
    everything = {name: one for name, one in tables(a="nat-1").items() if name.endswith("-a")}
    observed = Observed((gateway("nat-1", subnet="subnet-old"),), (address("eipalloc-a", "a"),), everything)
    matches = match(desired, observed, OWNER)
    ids = {**known_ids(observed, matches), THIS_HOUR: "2024-01-01T00"}
    return plan_nat(desired, observed, matches, OWNER), ids


def test_each_step_awaits_the_one_before(options: Make, clock: Clock) -> None:
    changes, ids = replacement(options)
    slow = Slow()
    apply(changes, slow, ids, clock)
    assert slow.log == [
        "allocate_address",
        "create_nat_gateway",
        "nat-2 pending",
        "nat-2 available",
        "replace_route",
        "delete_nat_gateway",
        "nat-1 deleting",
        "nat-1 deleted",
        "release_address",
    ]


def test_a_gateway_that_fails_says_why(options: Make, clock: Clock) -> None:
    changes, ids = replacement(options)
    slow = Slow()
    slow.looks["nat-2"] = ["pending", "failed"]
    with pytest.raises(GroundworkError, match="the NAT gateway nat-a to be available failed: nat-2: no free address"):
        apply(changes, slow, ids, clock)
    assert slow.log[-1] == "nat-2 failed"


def tokens(options: Make, observed: Observed) -> list[t.Any]:
    desired = parse_nat(options(), Problems())
    assert desired
    changes = plan_nat(desired, observed, match(desired, observed, OWNER), OWNER)
    return [c.arguments["ClientToken"] for change in changes for c in change.calls if "ClientToken" in c.arguments]


def test_a_second_request_has_the_same_token_and_a_replacement_another(options: Make) -> None:
    first = tokens(options, Observed((), (), tables()))
    assert first == tokens(options, Observed((), (), tables()))
    assert first != tokens(options, Observed((gateway("nat-1", "failed"),), (), tables()))


@pytest.mark.parametrize(
    ("given", "observed", "told"),
    [
        (
            GIVEN,
            Observed((), (), tables()),
            "addresses.eu-central-1a: the account has not allocated the Elastic IP address "
            "eipalloc-00000001 in this region; "
            "allocate it, or remove it here.",
        ),
        (
            GIVEN,
            Observed((), (address("eipalloc-00000001", InstanceId="i-1"),), tables()),
            "addresses.eu-central-1a: eipalloc-00000001 is in use by i-1; disassociate it, or give another address.",
        ),
        (
            GIVEN,
            Observed(
                (gateway("nat-1", subnet="subnet-old", address="eipalloc-00000001"),),
                (address("eipalloc-00000001"),),
                tables(),
            ),
            "addresses.eu-central-1a: eipalloc-00000001 is in use by nat-1; set purge, which deletes that gateway.",
        ),
        (
            {},
            Observed((), (), {"public-b": table("public-b", igw="igw-1")}),
            "zones: the network lacks the subnets private-a, private-b, public-a; its subnets are public-b; "
            "run ec2_vpc_network (the role network) first, with the same zones and tiers.",
        ),
        (
            {},
            Observed((), (), {**tables(), "public-a": table("public-a", nat="nat-1")}),
            "tier: the subnet public-a of a NAT gateway has no route to an internet gateway; "
            "run ec2_vpc_network (the role network) first, or name a public tier.",
        ),
    ],
)
def test_what_aws_could_not_do(options: Make, given: t.Any, observed: Observed, told: str) -> None:
    desired, problems = parse_nat(options(**given), Problems()), Problems()
    assert desired
    check_addresses(desired, match(desired, observed, OWNER), observed, problems)
    check_subnets(desired, observed, problems)
    assert [str(problem) for problem in problems.found] == [told]
