"""What a deleted resource used is free a minute later, as on AWS: removals wait for it."""

from __future__ import annotations

import typing as t

import pytest
from account_listing import Listing
from accounts.teardown import Build, TearDown
from cloud import Cloud, told

from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.run import converge_load_balancers
from ansible_collections.groundwork.aws.plugins.module_utils.topics.firewall.run import converge_security_groups
from ansible_collections.groundwork.aws.plugins.module_utils.topics.nat.run import converge_nat

ZONES = ["eu-central-1a", "eu-central-1b"]
COMMON = {"environment_name": "dev", "tags": {}, "region": "eu-central-1", "zones": ZONES, "purge": True}
TIERS = [{"name": "public", "public": True}, {"name": "private", "public": False}]
GROUP: dict[str, t.Any] = {"description": None, "ingress": [], "egress": []}
SLOW = 60.0


@pytest.fixture
def built(cloud: Cloud, build: Build) -> Cloud:
    build(cloud)
    cloud.plane.context.slow = SLOW
    return cloud


def test_a_purge_waits_for_what_the_load_balancer_used(built: Cloud) -> None:
    begin = built.now
    done = built.run(converge_load_balancers, {**COMMON, "load_balancers": [], "target_groups": []})
    assert told(done) == ["delete load balancer public", "delete target group public"]
    assert SLOW <= built.now - begin < SLOW + 20
    assert "DeleteTargetGroup" in built.calls[-2:]


def test_a_purge_waits_for_the_interfaces_of_a_load_balancer(built: Cloud) -> None:
    elb = built.of("elbv2")
    elb.delete_load_balancer(LoadBalancerArn=elb.describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"])
    begin = built.now
    kept = [{**GROUP, "name": name} for name in ("public-servers", "private-servers")]
    done = built.run(converge_security_groups, {**COMMON, "groups": kept})
    assert "delete security group alb" in told(done)
    assert SLOW <= built.now - begin < SLOW + 20


def test_a_purge_waits_for_the_addresses_of_nat_gateways(built: Cloud) -> None:
    begin = built.now
    done = built.run(converge_nat, {**COMMON, "mode": "none", "tiers": TIERS, "tier": None, "addresses": {}})
    assert [change for change in told(done) if "elastic ip" in change] != []
    assert SLOW <= built.now - begin < 2 * SLOW
    assert built.ec2.describe_addresses()["Addresses"] == []


def test_everything_goes(cloud: Cloud, build: Build, tear_down: TearDown, listing: t.Callable[[], Listing]) -> None:
    before = listing()
    build(cloud)
    cloud.plane.context.slow = SLOW
    done = tear_down(cloud)
    assert listing() == before
    assert done["keepers"] == []
