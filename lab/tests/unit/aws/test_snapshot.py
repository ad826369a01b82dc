"""Resources that cannot be read are listed by id, and all others are read."""

from __future__ import annotations

from typing import Any

import pytest
from control_plane import Lab


def break_subnet(lab: Lab, subnet: str) -> None:
    """Remove the network ACL of a subnet, which no API call can do."""
    for acl in lab.plane.context.ec2.network_acls.values():
        acl._associations = {key: each for key, each in acl._associations.items() if each.subnet_id != subnet}


def test_what_was_never_read_is_left_out_and_told(lab: Lab) -> None:
    vpc = lab.vpc()
    good, bad = lab.subnet(vpc), lab.subnet(vpc, "10.0.1.0/24")
    break_subnet(lab, bad)
    world = lab.plane.snapshot()
    assert good in world.subnets
    assert bad not in world.subnets
    [told] = world.unreadable
    assert (told.type, told.id, told.why) == ("subnets", bad, "LookupError: the subnet has no network ACL")


def test_what_was_read_before_stays_as_it_was_until_it_is_mended(lab: Lab) -> None:
    vpc = lab.vpc()
    good, bad = lab.subnet(vpc), lab.subnet(vpc, "10.0.1.0/24")
    before = lab.plane.snapshot()
    break_subnet(lab, bad)
    gateway = lab.gateway(vpc)
    for _ in range(2):
        world = lab.plane.snapshot()
        assert [each.id for each in world.unreadable] == [bad]
        assert world.subnets == before.subnets
        assert gateway in world.internet_gateways
    lab.ec2.delete_subnet(SubnetId=bad)
    world = lab.plane.snapshot()
    assert world.unreadable == ()
    assert good in world.subnets
    assert bad not in world.subnets


@pytest.mark.parametrize(
    ("kind", "attribute"),
    [
        ("vpcs", "enable_dns_support"),
        ("route_tables", "routes"),
        ("internet_gateways", "vpc"),
        ("nat_gateways", "interface"),
        ("interfaces", "mac_address"),
        ("security_groups", "ingress_rules"),
        ("network_acls", "network_acl_entries"),
        ("instances", "placement"),
    ],
)
def test_each_kind_is_read_apart(lab: Lab, kind: str, attribute: str, monkeypatch: pytest.MonkeyPatch) -> None:
    vpc = lab.vpc()
    lab.gateway(vpc)
    subnet = lab.subnet(vpc)
    lab.nat(subnet)
    lab.running(subnet)
    before = lab.plane.snapshot()
    stores = {"interfaces": "enis", "security_groups": "groups"}
    ec2 = lab.plane.context.ec2
    broken = sorted(getattr(before, kind))[0]
    found = getattr(ec2, stores.get(kind, kind), {})
    things = {each.id: each for each in ec2.all_instances()} if kind == "instances" else found
    if kind == "security_groups":
        things = {each.id: each for groups in found.values() for each in groups.values()}

    class Broken(type(things[broken])):  # type: ignore[misc]
        def __getattribute__(self, name: str) -> Any:
            if name == attribute:
                raise TypeError(f"{attribute} is broken")
            return super().__getattribute__(name)

    monkeypatch.setattr(things[broken], "__class__", Broken)
    world = lab.plane.snapshot()
    assert [(each.type, each.id) for each in world.unreadable] == [(kind, broken)]
    assert getattr(world, kind) == getattr(before, kind)
