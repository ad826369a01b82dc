"""An environment with network, firewall, balancers and a promoted image, whose hosts follow while somebody waits."""

from __future__ import annotations

import typing as t

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.autoscaling_server_groups import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.arguments.elbv2_application_lb import (
    ARGUMENTS as BALANCERS,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.arguments import COMMON_ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.run import converge_load_balancers
from ansible_collections.groundwork.aws.plugins.module_utils.topics.firewall.run import converge_security_groups
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.run import converge_network
from ansible_collections.groundwork.aws.plugins.module_utils.topics.scaling.run import converge_server_groups

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
PARAMETER = "/groundwork/dev/image/lamp"
NEXT_STATE = {"pending": "running", "stopping": "stopped", "shutting-down": "terminated"}


def follow(cloud: t.Any) -> None:
    """The hosts reach the states that the API wants."""
    for reservation in cloud.ec2.describe_instances()["Reservations"]:
        for instance in reservation["Instances"]:
            following = NEXT_STATE.get(instance["State"]["Name"])
            if following:
                cloud.plane.instance_state(instance["InstanceId"], following)


@pytest.fixture(autouse=True)
def hosts_follow(new_cloud: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """While somebody waits."""
    kind = new_cloud.__globals__["Cloud"]
    sleep = kind.sleep

    def sleep_and_follow(cloud: t.Any, seconds: float) -> None:
        sleep(cloud, seconds)
        follow(cloud)
        cloud.plane.reconciled(cloud.plane.snapshot())

    monkeypatch.setattr(kind, "sleep", sleep_and_follow)


def valid(spec: t.Mapping[str, t.Any], given: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    result = ArgumentSpecValidator({**COMMON_ARGUMENTS, **spec}).validate(given)
    assert result.error_messages == []
    return dict(result.validated_parameters)


def furnish(cloud: t.Any) -> None:
    """What other roles make before."""
    cloud.run(converge_network, NETWORK)
    names = ("public-servers", "private-servers", "monitored")
    groups = [{"name": name, "description": name, "ingress": [], "egress": []} for name in names]
    cloud.run(converge_security_groups, {**COMMON, "groups": groups})
    balance(cloud)
    promote(cloud, 0)


def balance(cloud: t.Any, **given: t.Any) -> t.Any:
    """Two target groups, which no balancer uses."""
    wanted = {"environment_name": "dev", "zones": ZONES, "load_balancers": [], **given}
    target_groups = [{"name": name, "tier": name} for name in ("public", "private")]
    return cloud.run(converge_load_balancers, valid(BALANCERS, {**wanted, "target_groups": target_groups}))


def promote(cloud: t.Any, position: int) -> str:
    """Name an image in the parameter; its id."""
    images = sorted(image["ImageId"] for image in cloud.ec2.describe_images()["Images"])
    image = str(images[position])
    cloud.of("ssm").put_parameter(Name=PARAMETER, Value=image, Type="String", Overwrite=True)
    return image


class Site:
    """That environment, and runs of the module in it."""

    def __init__(self, cloud: t.Any) -> None:
        self.cloud = cloud
        self.scaling = cloud.of("autoscaling")

    def converge(self, *, check_mode: bool = False, **given: t.Any) -> t.Any:
        return self.cloud.run(converge_server_groups, options(**given), check_mode=check_mode)

    def balance(self, **given: t.Any) -> t.Any:
        return balance(self.cloud, **given)

    def promote(self, position: int) -> str:
        return promote(self.cloud, position)

    def group(self, tier: str = "public") -> dict[str, t.Any]:
        found = self.scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[f"dev-{tier}"])
        return dict(found["AutoScalingGroups"][0])

    def members(self, tier: str = "public") -> list[str]:
        return sorted(one["InstanceId"] for one in self.group(tier)["Instances"])

    def instances(self, tier: str = "public") -> list[dict[str, t.Any]]:
        reservations = self.cloud.ec2.describe_instances(InstanceIds=self.members(tier))["Reservations"]
        return [instance for reservation in reservations for instance in reservation["Instances"]]

    def versions(self, tier: str = "public") -> list[int]:
        """Of the launch template, the oldest first."""
        found = self.cloud.ec2.describe_launch_template_versions(LaunchTemplateName=f"dev-{tier}")
        return sorted(version["VersionNumber"] for version in found["LaunchTemplateVersions"])

    def refreshes(self, tier: str = "public") -> list[dict[str, t.Any]]:
        found = self.scaling.describe_instance_refreshes(AutoScalingGroupName=f"dev-{tier}")
        return list(found["InstanceRefreshes"])


def options(public: dict[str, t.Any] | None = None, **given: t.Any) -> dict[str, t.Any]:
    """The module's options as `main()` hands them over: a group of two servers unless told otherwise."""
    group = {"min": 2, "max": 4, **((public or {}).pop("group", {}) if public else {})}
    tiers = {"public": {"group": group, "instance_type": "t3.small", **(public or {})}}
    return valid(ARGUMENTS, {"environment_name": "dev", "zones": ZONES, "tiers": tiers, **given})


@pytest.fixture(name="options")
def options_fixture() -> t.Callable[..., dict[str, t.Any]]:
    return options


@pytest.fixture(name="furnish")
def furnish_fixture() -> t.Callable[[t.Any], None]:
    return furnish


@pytest.fixture
def site(cloud: t.Any) -> Site:
    furnish(cloud)
    return Site(cloud)


@pytest.fixture
def site_of() -> t.Callable[[t.Any], Site]:
    return Site
