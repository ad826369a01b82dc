"""An environment with network, security groups and servers, and the balancers' options as Ansible completes them."""

from __future__ import annotations

import typing as t

import pytest
from cloud import Cloud, Watched
from topic_options import alb, network

from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.run import converge_load_balancers
from ansible_collections.groundwork.aws.plugins.module_utils.topics.firewall.run import converge_security_groups
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.run import converge_network

COMMON = {"environment_name": "dev", "tags": {}, "region": "eu-central-1", "zones": alb.ZONES, "purge": False}


@pytest.fixture
def options() -> alb.Make:
    return alb.options


@pytest.fixture
def balancer() -> alb.Make:
    return alb.balancer


def furnish(cloud: Cloud) -> None:
    """An account with a network, a security group, and servers 1 and 2 of both tiers."""
    cloud.run(converge_network, network.options())
    group = {"name": "web", "description": "Web", "ingress": [], "egress": []}
    cloud.run(converge_security_groups, {**COMMON, "groups": [group]})
    for tier in ("public", "private"):
        for number in (1, 2):
            launch(cloud, tier, number)


def launch(cloud: Cloud, tier: str, number: int) -> str:
    """Create the server of this tier and number, and return its id."""
    wanted = [{"Name": "tag:Name", "Values": [f"dev-{tier}-{'ba'[number % 2]}"]}]
    [subnet] = cloud.ec2.describe_subnets(Filters=wanted)["Subnets"]
    tags = {
        "Name": f"dev-{tier}-{number}",
        "groundwork:environment": "dev",
        "groundwork:component": "servers",
        "groundwork:tier": tier,
    }
    specification = {"ResourceType": "instance", "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]}
    made = cloud.ec2.run_instances(
        ImageId=cloud.ec2.describe_images()["Images"][0]["ImageId"],
        MinCount=1,
        MaxCount=1,
        SubnetId=subnet["SubnetId"],
        TagSpecifications=[specification],
    )
    instance = str(made["Instances"][0]["InstanceId"])
    cloud.plane.instance_state(instance, "running")
    return instance


@pytest.fixture(name="furnish")
def furnish_fixture() -> t.Callable[[t.Any], None]:
    return furnish


@pytest.fixture(name="launch")
def launch_fixture() -> t.Callable[..., str]:
    return launch


@pytest.fixture
def site(cloud: Cloud) -> Cloud:
    """Return the account."""
    furnish(cloud)
    return cloud


@pytest.fixture
def elb(watched: Watched) -> t.Any:
    """Return a client whose calls are not counted."""
    return watched.client("elbv2", watched=False)


@pytest.fixture
def balanced(site: Cloud, options: alb.Make) -> Cloud:
    """Return two load balancers with two servers each, and a deregistration delay of 0."""
    groups = [{"name": name, "tier": name, "deregistration_delay": 0} for name in alb.GROUPS]
    site.run(converge_load_balancers, options(target_groups=groups))
    return site
