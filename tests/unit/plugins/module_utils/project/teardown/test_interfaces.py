"""The owner of a network interface: from its attachment, from AWS' description, and from its tag."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.removal import Sight, Thing, Whose
from ansible_collections.groundwork.aws.plugins.module_utils.project.removals import REMOVALS
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.interfaces import (
    holder_of,
    interface_things,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.removal import TAGS

OURS = [{"Key": "groundwork:environment", "Value": "dev"}]
ARN = "arn:aws:elasticloadbalancing:eu-central-1:1:loadbalancer/app/{}/50dc6c495c0c9188"
OWNERS = [removal.interfaces for removal in REMOVALS.values() if removal.interfaces]
ANSWERS: dict[str, list[t.Any]] = {
    "instances": [
        {"Instances": [{"InstanceId": "i-ours", "State": {"Name": "running"}, "Tags": OURS}]},
        {"Instances": [{"InstanceId": "i-gone", "State": {"Name": "terminated"}, "Tags": OURS}]},
    ],
    "nat gateways": [
        {"NatGatewayId": "nat-ours", "State": "available", "Tags": OURS},
        {"NatGatewayId": "nat-gone", "State": "deleted", "Tags": OURS},
        {"NatGatewayId": "nat-theirs", "State": "available", "Tags": []},
    ],
    "balancers": [{"LoadBalancerArn": ARN.format("dev-web")}, {"LoadBalancerArn": ARN.format("theirs")}],
    f"{TAGS}0": [{"ResourceArn": ARN.format("dev-web"), "Tags": OURS}],
    "subnets": [{"SubnetId": "subnet", "Tags": [{"Key": "Name", "Value": "dev-public-a"}]}],
}


def interface(**given: t.Any) -> dict[str, t.Any]:
    common = {"NetworkInterfaceId": "eni", "SubnetId": "subnet", "VpcId": "vpc", "Groups": [{"GroupId": "sg"}]}
    return {**common, "TagSet": [], "Description": "", **given}


def things_of(one: dict[str, t.Any]) -> list[Thing]:
    return interface_things(OWNERS, Sight(Whose("dev"), {**ANSWERS, "interfaces": [one]}))


def attached(instance: str, *, goes: bool = True) -> dict[str, t.Any]:
    return {"Attachment": {"InstanceId": instance, "DeleteOnTermination": goes}}


def nat(own: str) -> dict[str, t.Any]:
    return {"InterfaceType": "nat_gateway", "Description": f"Interface for NAT Gateway {own}"}


def balancer(name: str) -> dict[str, t.Any]:
    return {"RequesterManaged": True, "Description": f"ELB app/{name}/50dc6c495c0c9188"}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, ("eni", False, "call none")),
        ({"TagSet": OURS}, ("eni", True, "call delete")),
        (attached("i-ours"), None),
        (attached("i-ours", goes=False), ("eni", False, "call none")),
        ({**attached("i-ours", goes=False), "TagSet": OURS}, ("eni", True, "call delete")),
        (attached("i-theirs"), ("i-theirs", False, "call none")),
        (attached("i-gone"), ("eni", True, "await")),
        (nat("nat-ours"), None),
        (nat("nat-gone"), ("eni", True, "await")),
        (nat("nat-theirs"), ("nat-theirs", False, "call none")),
        (balancer("dev-web"), None),
        (balancer("theirs"), ("app/theirs/50dc6c495c0c9188", False, "call none")),
        (balancer("just-deleted"), ("eni", True, "await")),
        # a description that somebody wrote
        ({"Description": "ELB app/just-deleted/50dc6c495c0c9188"}, ("eni", False, "call none")),
    ],
)
def test_whose_it_is(given: dict[str, t.Any], told: tuple[str, bool, str] | None) -> None:
    things = things_of(interface(**given))
    if told is None:
        assert things == []
        return
    [thing] = things
    how = "await" if thing.wait else "call delete" if thing.calls else "call none"
    assert (thing.id, thing.ours, how) == told
    assert thing.needs == {"subnet", "sg"}


def test_with_a_public_address_it_needs_internet_access() -> None:
    public = interface(Association={"PublicIp": "203.0.113.7"})
    [thing] = things_of(public)
    assert thing.needs == {"subnet", "sg", "internet access of vpc"}
    assert thing.place == "subnet public-a"


def test_an_interface_without_anything_belongs_to_nothing() -> None:
    assert holder_of({"NetworkInterfaceId": "eni"}, OWNERS) == (None, "")
