"""An environment with network, firewall, balancers and a promoted image, whose hosts follow while somebody waits."""

from __future__ import annotations

import typing as t

from cloud import Cloud
from topic_options import network
from topic_options.scaling import ZONES, options, valid

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.elbv2_application_lb import (
    ARGUMENTS as BALANCERS,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.run import converge_load_balancers
from ansible_collections.groundwork.aws.plugins.module_utils.topics.firewall.run import converge_security_groups
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.run import converge_network
from ansible_collections.groundwork.aws.plugins.module_utils.topics.scaling.run import converge_server_groups

COMMON = {"environment_name": "dev", "tags": {}, "region": "eu-central-1", "zones": ZONES, "purge": False}
PARAMETER = "/groundwork/dev/image/lamp"


def furnish(cloud: Cloud) -> None:
    """What other roles make before."""
    cloud.run(converge_network, network.options())
    names = ("public-servers", "private-servers", "monitored")
    groups = [{"name": name, "description": name, "ingress": [], "egress": []} for name in names]
    cloud.run(converge_security_groups, {**COMMON, "groups": groups})
    balance(cloud)
    promote(cloud, 0)


def balance(cloud: Cloud, **given: t.Any) -> t.Any:
    """Two target groups, which no balancer uses unless it is given."""
    wanted = {"environment_name": "dev", "zones": ZONES, "load_balancers": [], **given}
    target_groups = [{"name": name, "tier": name} for name in ("public", "private")]
    return cloud.run(converge_load_balancers, valid(BALANCERS, {**wanted, "target_groups": target_groups}))


def promote(cloud: Cloud, position: int) -> str:
    """Name an image in the parameter; its id."""
    bookworm = [{"Name": "name", "Values": ["debian-12-amd64-*"]}]
    images = sorted(image["ImageId"] for image in cloud.ec2.describe_images(Filters=bookworm)["Images"])
    image = str(images[position])
    cloud.of("ssm").put_parameter(Name=PARAMETER, Value=image, Type="String", Overwrite=True)
    return image


def balancer(name: str = "public", group: str = "public") -> dict[str, t.Any]:
    """Return the options of a load balancer that forwards to a target group."""
    listener = {"port": 80, "default_action": {"type": "forward", "target_groups": [{"name": group}]}}
    return {"name": name, "tier": "public", "security_groups": ["public-servers"], "listeners": [listener]}


class Site:
    """That environment, and runs of the module in it."""

    def __init__(self, cloud: Cloud) -> None:
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

    def policies(self) -> dict[str, dict[str, t.Any]]:
        found = self.scaling.describe_policies()["ScalingPolicies"]
        return {f"{one['AutoScalingGroupName']} {one['PolicyName']}": one for one in found}

    def refreshes(self, tier: str = "public") -> list[dict[str, t.Any]]:
        found = self.scaling.describe_instance_refreshes(AutoScalingGroupName=f"dev-{tier}")
        return list(found["InstanceRefreshes"])
