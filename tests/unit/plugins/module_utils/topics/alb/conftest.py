"""An environment with network, security groups and servers, and the balancers' options as Ansible completes them."""

from __future__ import annotations

import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.elbv2_application_lb import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.arguments import COMMON_ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.topics.firewall.run import converge_security_groups
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.run import converge_network

ZONES = ["eu-central-1a", "eu-central-1b"]
COMMON = {"environment_name": "dev", "tags": {}, "region": "eu-central-1", "zones": ZONES, "purge": False}
NETWORK = {
    **COMMON,
    "cidr": "10.20.0.0/16",
    "subnet_prefix": 24,
    "subnet_cidrs": {},
    "s3_endpoint": False,
    "tiers": [{"name": "public", "public": True}, {"name": "private", "public": False}],
}


def complete(**given: t.Any) -> dict[str, t.Any]:
    """Return the module's options as `main()` passes them on, with two load balancers by default."""
    wanted: dict[str, t.Any] = {
        "environment_name": "dev",
        "zones": ZONES,
        "target_groups": [{"name": "public", "tier": "public"}, {"name": "private", "tier": "private"}],
        "load_balancers": [balancer("public"), balancer("private")],
        **given,
    }
    result = ArgumentSpecValidator({**COMMON_ARGUMENTS, **ARGUMENTS}).validate(wanted)
    assert result.error_messages == []
    return dict(result.validated_parameters)


def balancer(name: str, /, **given: t.Any) -> dict[str, t.Any]:
    """Return a load balancer and a target group with this name."""
    action = {"target_groups": [{"name": name}]}
    return {
        "name": name,
        "tier": "public",
        "security_groups": ["web"],
        "listeners": [{"port": 80, "default_action": action}],
        **given,
    }


@pytest.fixture
def options() -> t.Callable[..., dict[str, t.Any]]:
    return complete


@pytest.fixture(name="balancer")
def balancer_fixture() -> t.Callable[..., dict[str, t.Any]]:
    return balancer


def furnish(cloud: t.Any) -> None:
    """An account with a network, a security group, and servers 1 and 2 of both tiers."""
    cloud.run(converge_network, NETWORK)
    group = {"name": "web", "description": "Web", "ingress": [], "egress": []}
    cloud.run(converge_security_groups, {**COMMON, "groups": [group]})
    for tier in ("public", "private"):
        for number in (1, 2):
            launch(cloud, tier, number)


def launch(cloud: t.Any, tier: str, number: int) -> str:
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
def site(cloud: t.Any) -> t.Any:
    """Return the account."""
    furnish(cloud)
    return cloud


@pytest.fixture
def elb(watched: t.Any) -> t.Any:
    """Return a client whose calls are not counted."""
    return watched.client("elbv2", watched=False)
