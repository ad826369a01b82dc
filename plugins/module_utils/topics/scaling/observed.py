# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The current state of the Auto Scaling groups: the reads, and the dataclasses that are made of AWS' answers."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import (
    ENVIRONMENT,
    Owner,
    tag_dict,
    tag_filter,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Ids, Ref
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.routing import group_ref
from ansible_collections.groundwork.aws.plugins.module_utils.topics.scaling.options import ServerGroups
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.observed import Image, image_of

Described = t.Mapping[str, t.Any]

KINDS = ("cpu", "requests")  # of scaling policies

# https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_InstanceRefresh.html
ENDED = frozenset({"Successful", "Failed", "Cancelled", "RollbackFailed", "RollbackSuccessful"})


def template_ref(tier: str) -> Ref:
    """Return the reference to the launch template of a tier."""
    return Ref("launch template", tier)


@dataclass(frozen=True)
class Version:
    """A version of a launch template, which is immutable."""

    number: int
    description: str
    data: Described


@dataclass(frozen=True)
class Template:
    """A launch template with its versions by number."""

    id: str
    default: int
    tags: t.Mapping[str, str]
    versions: t.Mapping[int, Version] = field(default_factory=dict)


@dataclass(frozen=True)
class Member:
    """An instance of a group. `version` is "" if it was not launched from a launch template."""

    id: str
    zone: str
    state: str
    healthy: bool
    template_id: str
    version: str

    @property
    def in_service(self) -> bool:
        """Return whether the instance is healthy and in service."""
        return self.state == "InService" and self.healthy

    @property
    def leaving(self) -> bool:
        """Return whether the instance is being terminated or detached."""
        return self.state.startswith(("Terminat", "Detach"))


@dataclass(frozen=True)
class Group:
    """An Auto Scaling group. `tags` have the value, and whether it is propagated to new instances."""

    name: str
    minimum: int
    maximum: int
    desired: int
    template_id: str
    version: str  # a number, `$Latest` or `$Default`
    subnet_ids: tuple[str, ...]
    target_group_arns: tuple[str, ...]
    health_check: str
    grace: int
    warmup: int | None
    tags: t.Mapping[str, tuple[str, bool]]
    members: tuple[Member, ...]
    going: bool

    @property
    def standing(self) -> list[Member]:
        """Return the instances that are not being terminated or detached."""
        return [member for member in self.members if not member.leaving]


@dataclass(frozen=True)
class Policy:
    """A target tracking scaling policy. `metric` is "" for a policy of another type."""

    metric: str
    label: str
    target: float
    disable_scale_in: bool
    warmup: int | None
    enabled: bool


@dataclass(frozen=True)
class Refresh:
    """An instance refresh."""

    id: str
    status: str
    percent: int
    version: str  # "" if it was started without a desired configuration

    @property
    def under_way(self) -> bool:
        """Return whether the instance refresh has not ended."""
        return self.status not in ENDED


@dataclass(frozen=True)
class Stranger:
    """A group or launch template that has a tier's name, and not the tags of the environment."""

    kind: str
    tier: str
    id: str
    tags: t.Mapping[str, str]


@dataclass(frozen=True)
class Observed:
    """The current state, by tier. `strangers` have the environment's names and do not belong to it."""

    groups: t.Mapping[str, Group] = field(default_factory=dict)
    templates: t.Mapping[str, Template] = field(default_factory=dict)
    refreshes: t.Mapping[str, Refresh] = field(default_factory=dict)  # the newest
    strangers: tuple[Stranger, ...] = ()
    subnets: t.Mapping[str, str] = field(default_factory=dict)
    security_groups: t.Mapping[str, str] = field(default_factory=dict)
    target_groups: t.Mapping[str, str] = field(default_factory=dict)
    balancers: t.Mapping[str, str] = field(default_factory=dict)  # the ARN of the load balancer, by target group
    policies: t.Mapping[str, t.Mapping[str, Policy]] = field(default_factory=dict)  # by kind: "cpu", "requests"
    parameters: t.Mapping[str, str] = field(default_factory=dict)
    images: t.Mapping[str, Image] = field(default_factory=dict)

    def ids(self) -> Ids:
        """Return the ids of the existing resources, by the references that a plan contains."""
        ids: Ids = {template_ref(tier): template.id for tier, template in self.templates.items()}
        ids.update({Ref("subnet", name): own for name, own in self.subnets.items()})
        ids.update({Ref("security group", name): own for name, own in self.security_groups.items()})
        ids.update({group_ref(name): own for name, own in self.target_groups.items()})
        return ids


def policy_name(kind: str) -> str:
    """Return the name of a group's scaling policy of a kind: `groundwork-cpu`."""
    return f"groundwork-{kind}"


def groups_read() -> Read:
    """Return the read of all groups, because a group with the environment's name may belong to someone else."""
    return Read("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups")


def first_reads(owner: Owner, desired: ServerGroups) -> dict[str, Read]:
    """Return the reads of everything but the images, by name."""
    environment = {"Filters": [tag_filter(ENVIRONMENT, owner.environment)]}
    policies = [policy_name(kind) for kind in KINDS]  # of all groups: DescribePolicies takes the name of one at most
    reads = {
        "groups": groups_read(),
        "templates": Read("ec2", "describe_launch_templates", "LaunchTemplates", {"Filters": owner.filters()}),
        "subnets": Read("ec2", "describe_subnets", "Subnets", environment),
        "security groups": Read("ec2", "describe_security_groups", "SecurityGroups", environment),
        "target groups": Read("elbv2", "describe_target_groups", "TargetGroups"),
        "policies": Read("autoscaling", "describe_policies", "ScalingPolicies", {"PolicyNames": policies}),
    }
    parameters = sorted({group.image_parameter for group in desired.groups if not group.image_id})
    if parameters:
        reads["parameters"] = Read("ssm", "get_parameters", "Parameters", {"Names": parameters})
    for group in desired.groups:
        name = owner.name(group.name)
        reads[f"versions {group.name}"] = Read(
            "ec2",
            "describe_launch_template_versions",
            "LaunchTemplateVersions",
            {"LaunchTemplateName": name},
            absent=("InvalidLaunchTemplateName.NotFoundException",),
        )
        # Auto Scaling answers with ValidationError if the group does not exist.
        reads[f"refreshes {group.name}"] = Read(
            "autoscaling",
            "describe_instance_refreshes",
            "InstanceRefreshes",
            {"AutoScalingGroupName": name},
            absent=("ValidationError",),
        )
    return reads


def images_read(ids: t.Iterable[str]) -> dict[str, Read]:
    """Return the read of the images. Its answer is empty if one of them does not exist."""
    named = {"ImageIds": sorted(set(ids)), "IncludeDeprecated": True}
    absent = ("InvalidAMIID.NotFound", "InvalidAMIID.Unavailable", "InvalidAMIID.Malformed")
    return {"images": Read("ec2", "describe_images", "Images", named, absent)} if named["ImageIds"] else {}


def _strange_templates_read(answers: t.Mapping[str, list[t.Any]]) -> dict[str, Read]:
    """Return the read of the launch templates with names of tiers that the tags did not find, if there are any."""
    found = {one["LaunchTemplateId"] for one in answers["templates"]}
    versions = [one for key, told in answers.items() if key.startswith("versions ") for one in told[:1]]
    ids = sorted({one["LaunchTemplateId"] for one in versions} - found)
    named = {"LaunchTemplateIds": ids}
    return {"strange templates": Read("ec2", "describe_launch_templates", "LaunchTemplates", named)} if ids else {}


def observe_groups(clients: Clients, owner: Owner, desired: ServerGroups) -> Observed:
    """Read the current state in two rounds, because the answers of the first one contain ids of images."""
    first = observe(clients, first_reads(owner, desired))
    parameters = {one["Name"]: one["Value"] for one in first.get("parameters", [])}
    wanted = [group.image_id or parameters.get(group.image_parameter, "") for group in desired.groups]
    second = observe(clients, {**images_read(filter(None, wanted)), **_strange_templates_read(first)})
    return observed({**first, **second}, owner)


def observed(answers: t.Mapping[str, list[t.Any]], owner: Owner) -> Observed:
    """Return the current state from the answers to the reads."""
    prefix = owner.name("")
    targets = [g for g in answers["target groups"] if g["TargetGroupName"].startswith(prefix)]
    policies: dict[str, dict[str, Policy]] = {}
    for told in answers.get("policies", ()):
        tier = told["AutoScalingGroupName"].removeprefix(prefix)
        if told["AutoScalingGroupName"].startswith(prefix):
            policies.setdefault(tier, {})[told["PolicyName"].removeprefix(policy_name(""))] = policy_of(told)
    named = {g["AutoScalingGroupName"]: g for g in answers["groups"] if g["AutoScalingGroupName"].startswith(prefix)}
    versions = {key.removeprefix("versions "): one for key, one in answers.items() if key.startswith("versions ")}
    refreshes = {key.removeprefix("refreshes "): one for key, one in answers.items() if key.startswith("refreshes ")}
    templates = {t_["LaunchTemplateName"].removeprefix(prefix): t_ for t_ in answers["templates"]}
    strangers = [
        Stranger("Auto Scaling group", name.removeprefix(prefix), group["AutoScalingGroupARN"], tag_dict(group))
        for name, group in named.items()
        if not owner.owns(group)
    ]
    foreign = {one["LaunchTemplateId"]: tag_dict(one) for one in answers.get("strange templates", [])}
    strangers += [
        Stranger("launch template", tier, told[0]["LaunchTemplateId"], foreign.get(told[0]["LaunchTemplateId"], {}))
        for tier, told in versions.items()
        if told and tier not in templates
    ]
    return Observed(
        groups={name.removeprefix(prefix): group_of(g) for name, g in named.items() if owner.owns(g)},
        templates={tier: _template(told, versions.get(tier, [])) for tier, told in templates.items()},
        refreshes={tier: refresh_of(_newest(told)) for tier, told in refreshes.items() if told},
        strangers=tuple(strangers),
        subnets={owner.short(tag_dict(s)): s["SubnetId"] for s in answers["subnets"]},
        security_groups={owner.short(tag_dict(g)): g["GroupId"] for g in answers["security groups"]},
        target_groups={g["TargetGroupName"].removeprefix(prefix): g["TargetGroupArn"] for g in targets},
        balancers={
            g["TargetGroupName"].removeprefix(prefix): g["LoadBalancerArns"][0]
            for g in targets
            if g.get("LoadBalancerArns")
        },
        policies=policies,
        parameters={one["Name"]: one["Value"] for one in answers.get("parameters", [])},
        images={one["ImageId"]: image_of(one) for one in answers.get("images", [])},
    )


def _template(told: Described, versions: t.Iterable[Described]) -> Template:
    found = [Version(v["VersionNumber"], v.get("VersionDescription", ""), v["LaunchTemplateData"]) for v in versions]
    numbered = {version.number: version for version in found}
    return Template(told["LaunchTemplateId"], told["DefaultVersionNumber"], tag_dict(told), numbered)


def group_of(told: Described) -> Group:
    """Return the group of an element of DescribeAutoScalingGroups' answer."""
    template = told.get("LaunchTemplate", {})
    return Group(
        name=told["AutoScalingGroupName"],
        minimum=told["MinSize"],
        maximum=told["MaxSize"],
        desired=told["DesiredCapacity"],
        template_id=template.get("LaunchTemplateId", ""),
        version=template.get("Version", ""),
        subnet_ids=tuple(sorted(filter(None, told.get("VPCZoneIdentifier", "").split(",")))),
        target_group_arns=tuple(told.get("TargetGroupARNs", [])),
        health_check=told["HealthCheckType"],
        grace=told.get("HealthCheckGracePeriod", 0),
        warmup=told.get("DefaultInstanceWarmup"),
        tags={tag["Key"]: (tag.get("Value", ""), bool(tag.get("PropagateAtLaunch"))) for tag in told.get("Tags", [])},
        members=tuple(_member(one) for one in told.get("Instances", [])),
        going=bool(told.get("Status")),
    )


def policy_of(told: Described) -> Policy:
    """Return the policy of an element of DescribePolicies' answer."""
    tracking = told.get("TargetTrackingConfiguration", {})
    metric = tracking.get("PredefinedMetricSpecification", {})
    return Policy(
        metric=metric.get("PredefinedMetricType", ""),
        label=metric.get("ResourceLabel", ""),
        target=tracking.get("TargetValue", 0.0),
        disable_scale_in=bool(tracking.get("DisableScaleIn")),
        warmup=told.get("EstimatedInstanceWarmup"),
        enabled=told.get("Enabled", True),
    )


def _member(told: Described) -> Member:
    template = told.get("LaunchTemplate", {})
    return Member(
        told["InstanceId"],
        told["AvailabilityZone"],
        told["LifecycleState"],
        told["HealthStatus"] == "Healthy",
        template.get("LaunchTemplateId", ""),
        template.get("Version", ""),
    )


def _newest(told: t.Sequence[Described]) -> Described:
    """Return the instance refresh that is in progress, or the first one: AWS returns the newest first."""
    return next((one for one in told if one["Status"] not in ENDED), told[0])


def refresh_of(told: Described) -> Refresh:
    """Return the instance refresh of an element of DescribeInstanceRefreshes' answer."""
    wanted = told.get("DesiredConfiguration", {}).get("LaunchTemplate", {})
    return Refresh(
        told["InstanceRefreshId"], told["Status"], told.get("PercentageComplete", 0), wanted.get("Version", "")
    )
