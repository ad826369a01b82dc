"""The checks of Auto Scaling's requests. Pure functions.

https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_CreateAutoScalingGroup.html and
https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_RefreshPreferences.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NoReturn, cast

from groundwork_lab.aws.autoscaling.placement import POLICIES
from groundwork_lab.aws.autoscaling.state import Group, Metric, Preferences
from groundwork_lab.aws.context import refuse

PROCESSES = (
    "AddToLoadBalancer",
    "AlarmNotification",
    "AZRebalance",
    "HealthCheck",
    "InstanceRefresh",
    "Launch",
    "ReplaceUnhealthy",
    "ScheduledActions",
    "Terminate",
)
METRICS = (
    "GroupAndWarmPoolDesiredCapacity",
    "GroupAndWarmPoolTotalCapacity",
    "GroupDesiredCapacity",
    "GroupInServiceCapacity",
    "GroupInServiceInstances",
    "GroupMaxSize",
    "GroupMinSize",
    "GroupPendingCapacity",
    "GroupPendingInstances",
    "GroupStandbyCapacity",
    "GroupStandbyInstances",
    "GroupTerminatingCapacity",
    "GroupTerminatingInstances",
    "GroupTotalCapacity",
    "GroupTotalInstances",
    "WarmPoolDesiredCapacity",
    "WarmPoolMinSize",
    "WarmPoolPendingCapacity",
    "WarmPoolTerminatingCapacity",
    "WarmPoolTotalCapacity",
    "WarmPoolWarmedCapacity",
)
DELETION_PROTECTION = ("none", "prevent-force-deletion", "prevent-all-deletion")
GRANULARITY = "1Minute"
TAGS_LIMIT = 50
POLICIES_LIMIT = 50
POLICY_TYPES = ("PredictiveScaling", "SimpleScaling", "StepScaling", "TargetTrackingScaling")
OF_OTHER_POLICIES = (
    "AdjustmentType",
    "Cooldown",
    "MetricAggregationType",
    "MinAdjustmentMagnitude",
    "MinAdjustmentStep",
    "PredictiveScalingConfiguration",
    "ScalingAdjustment",
    "StepAdjustments",
)
COUNTED_METRICS: tuple[Metric, ...] = ("ALBRequestCountPerTarget", "ASGAverageCPUUtilization")
OTHER_METRICS = ("ASGAverageCPUUtilizationHighResolution", "ASGAverageNetworkIn", "ASGAverageNetworkOut")
NOT_IN_THE_LAB = {  # parameters of CreateAutoScalingGroup and UpdateAutoScalingGroup
    "AvailabilityZoneDistribution": "zonal distributions other than balanced-best-effort",
    "AvailabilityZoneIds": "zones by their ids",
    "AvailabilityZoneImpairmentPolicy": "zonal shift",
    "CapacityRebalance": "spot instances",
    "CapacityReservationSpecification": "capacity reservations",
    "DesiredCapacityType": "capacity in other units than instances",
    "InstanceId": "groups from an instance",
    "InstanceLifecyclePolicy": "instance lifecycle policies",
    "LaunchConfigurationName": "launch configurations",
    "LifecycleHookSpecificationList": "lifecycle hooks",
    "LoadBalancerNames": "Classic Load Balancers",
    "MaxInstanceLifetime": "a maximum instance lifetime",
    "MixedInstancesPolicy": "mixed instances",
    "PlacementGroup": "placement groups",
}


def check_deletable(group: Group, *, force: bool) -> None:
    """Refuse to delete a protected group.

    https://docs.aws.amazon.com/autoscaling/ec2/userguide/resource-deletion-protection.html
    """
    level = group.deletion_protection
    if level == "prevent-all-deletion" or (force and level == "prevent-force-deletion"):
        invalid(f"The Auto Scaling group {group.name} has deletion protection ({level}) and can't be deleted.")


def invalid(message: str) -> NoReturn:
    refuse("ValidationError", message)


def check_supported(params: Mapping[str, Any]) -> None:
    for name, words in NOT_IN_THE_LAB.items():
        if params.get(name):
            refuse("UnsupportedOperation", f"The lab does not have {words} ({name}).")


def check_name(name: str) -> None:
    if not 1 <= len(name) <= 255 or ":" in name or not name.isprintable():
        invalid("The name of an Auto Scaling group has 1 to 255 printable characters, and no colon.")


def check_sizes(minimum: int, maximum: int, desired: int) -> None:
    if min(minimum, maximum, desired) < 0:
        invalid("Sizes must be at least 0")
    if maximum < minimum:
        invalid(f"Max bound, {maximum}, must be greater than or equal to min bound, {minimum}")
    if not minimum <= desired <= maximum:
        invalid(f"Desired capacity:{desired} must be between the specified min size:{minimum} and max size:{maximum}")


def check_desired(group: Group, desired: int) -> None:
    if desired < group.minimum:
        below = "is below min value"
        invalid(f"New SetDesiredCapacity value {desired} {below} {group.minimum} for the AutoScalingGroup.")
    if desired > group.maximum:
        above = "is above max value"
        invalid(f"New SetDesiredCapacity value {desired} {above} {group.maximum} for the AutoScalingGroup.")


def check_settings(params: Mapping[str, Any]) -> None:
    kinds = set(str(params.get("HealthCheckType") or "EC2").split(","))
    if kinds - {"EC2", "ELB"}:
        invalid(f"Invalid HealthCheckType: {params['HealthCheckType']}; the lab has EC2 and ELB.")
    for name in ("HealthCheckGracePeriod", "DefaultCooldown"):
        if int(params.get(name) or 0) < 0:
            invalid(f"{name} must be at least 0")
    if int(params.get("DefaultInstanceWarmup") or 0) < -1:
        invalid("DefaultInstanceWarmup must be at least 0, or -1 to remove it")
    for policy in params.get("TerminationPolicies") or []:
        if policy not in POLICIES:
            invalid(f"Termination policy {policy} is not one of {', '.join(POLICIES)}")
    if (params.get("DeletionProtection") or "none") not in DELETION_PROTECTION:
        invalid(f"DeletionProtection must be one of {', '.join(DELETION_PROTECTION)}")
    maintenance = params.get("InstanceMaintenancePolicy")
    if maintenance and maintenance.get("MinHealthyPercentage", -1) != -1:
        check_percentages(maintenance.get("MinHealthyPercentage", 100), maintenance.get("MaxHealthyPercentage", 100))


def check_percentages(minimum: int, maximum: int) -> None:
    if not 0 <= minimum <= 100:
        invalid("MinHealthyPercentage must be between 0 and 100")
    if not 100 <= maximum <= 200:
        invalid("MaxHealthyPercentage must be between 100 and 200")
    if maximum - minimum > 100:
        invalid("The difference between MinHealthyPercentage and MaxHealthyPercentage cannot be greater than 100.")


def check_tags(tags: Sequence[Mapping[str, Any]], before: int = 0) -> None:
    keys = [str(tag.get("Key") or "") for tag in tags]
    if len(keys) + before > TAGS_LIMIT:
        refuse("LimitExceeded", f"A group can have at most {TAGS_LIMIT} tags.")
    for key, tag in zip(keys, tags, strict=True):
        if not 1 <= len(key) <= 128 or len(str(tag.get("Value") or "")) > 256:
            invalid(f"Tag key '{key}' must have 1 to 128 characters, and its value at most 256.")
        if key.lower().startswith("aws:"):
            invalid(f"Tag keys starting with 'aws:' are reserved for internal use: {key}")
    if len(set(keys)) < len(keys):
        invalid("Each tag key must be given once.")


def target_tracking(params: Mapping[str, Any], group: Group) -> tuple[Metric, str, float, bool]:
    """Return metric, resource label, target value and whether it scales in, of a PutScalingPolicy request.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PutScalingPolicy.html
    """
    name, kind = str(params["PolicyName"]), params.get("PolicyType") or "SimpleScaling"
    if not 1 <= len(name) <= 255 or not name.isprintable():
        invalid("The name of a scaling policy has 1 to 255 printable characters.")
    if kind not in POLICY_TYPES:
        invalid(f"Unknown policy type '{kind}'. Valid policy types are [{', '.join(POLICY_TYPES)}].")
    if kind != "TargetTrackingScaling":
        refuse("UnsupportedOperation", f"The lab has target tracking scaling policies only, and no {kind}.")
    for parameter in OF_OTHER_POLICIES:
        if params.get(parameter) is not None:
            invalid(f"{parameter} is not supported by policy type TargetTrackingScaling")
    if int(params.get("EstimatedInstanceWarmup") or 0) < 0:
        invalid("EstimatedInstanceWarmup must be at least 0")
    given = params.get("TargetTrackingConfiguration")
    if not given:
        invalid("TargetTrackingConfiguration is required for policy type TargetTrackingScaling")
    if given.get("TargetValue") is None:
        invalid("TargetValue is required in the TargetTrackingConfiguration")
    if float(given["TargetValue"]) <= 0:
        invalid("TargetValue must be greater than 0")
    if given.get("CustomizedMetricSpecification"):
        refuse("UnsupportedOperation", "The lab does not have CloudWatch, and so no customized metrics.")
    metric, label = _predefined_metric(given.get("PredefinedMetricSpecification") or {})
    if metric == "ALBRequestCountPerTarget":
        _check_label(label, group)
    return metric, label, float(given["TargetValue"]), not given.get("DisableScaleIn")


def _predefined_metric(given: Mapping[str, Any]) -> tuple[Metric, str]:
    metric, label = str(given.get("PredefinedMetricType") or ""), str(given.get("ResourceLabel") or "")
    if not metric:
        invalid("Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification must be specified")
    if metric not in (*COUNTED_METRICS, *OTHER_METRICS):
        known = ", ".join((*COUNTED_METRICS, *OTHER_METRICS))
        invalid(f"Invalid predefined metric type {metric}; it must be one of [{known}].")
    if metric in OTHER_METRICS:
        refuse("UnsupportedOperation", f"The lab counts {' and '.join(COUNTED_METRICS)}, and not {metric}.")
    if metric == "ALBRequestCountPerTarget" and not label:
        invalid(f"Resource label should be specified for predefined metric type {metric}")
    if metric != "ALBRequestCountPerTarget" and label:
        invalid(f"Resource label should not be specified for predefined metric type {metric}")
    return cast(Metric, metric), label


def check_policy_types(kinds: Sequence[str]) -> None:
    for kind in kinds:
        if kind not in POLICY_TYPES:
            invalid(f"Unknown policy type '{kind}'. Valid policy types are [{', '.join(POLICY_TYPES)}].")


def label_of(balancer_arn: str, target_group_arn: str) -> str:
    """Return the resource label of a target group behind a load balancer."""
    return f"{balancer_arn.partition(':loadbalancer/')[2]}/{target_group_arn.rpartition(':')[2]}"


def labelled_group(label: str, arns: Sequence[str]) -> str | None:
    """Return the ARN of the target group that a resource label names, None if it is not one of `arns`."""
    named = "/".join(label.split("/")[-3:])
    return next((arn for arn in arns if arn.rpartition(":")[2] == named), None)


def _check_label(label: str, group: Group) -> None:
    """Refuse a resource label of another form, or of a target group that is not attached to the group.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_PredefinedMetricSpecification.html
    """
    if not re.fullmatch(r"app/[^/]+/[0-9a-f]+/targetgroup/[^/]+/[0-9a-f]+", label):
        invalid(
            f"Resource label {label} is not of the form "
            "app/load-balancer-name/load-balancer-id/targetgroup/target-group-name/target-group-id"
        )
    if labelled_group(label, group.target_groups) is None:
        invalid(f"The target group of the resource label {label} is not attached to Auto Scaling group {group.name}.")


def check_processes(names: Sequence[str]) -> None:
    for name in names:
        if name not in PROCESSES:
            invalid(f"{name} is not a valid process type. Valid process types are [{', '.join(PROCESSES)}].")


def check_metrics(names: Sequence[str]) -> None:
    for name in names:
        if name not in METRICS:
            invalid(f"Invalid metric collection type: {name}; it must be one of [{', '.join(METRICS)}].")


def preferences(given: Mapping[str, Any], group: Group) -> Preferences:
    """Return the preferences of a refresh, with defaults from the settings of the group."""
    if given.get("AlarmSpecification"):
        refuse("UnsupportedOperation", "The lab does not have alarms (AlarmSpecification).")
    policy = group.maintenance or {}
    minimum = int(given.get("MinHealthyPercentage", policy.get("MinHealthyPercentage", 90)))
    maximum = int(given.get("MaxHealthyPercentage", policy.get("MaxHealthyPercentage", 100)))
    check_percentages(minimum, maximum)
    if "MaxHealthyPercentage" in given and "MinHealthyPercentage" not in given:
        invalid("MinHealthyPercentage must be specified when MaxHealthyPercentage is specified.")
    checkpoints = tuple(int(each) for each in given.get("CheckpointPercentages") or ())
    if any(not 1 <= each <= 100 for each in checkpoints) or list(checkpoints) != sorted(set(checkpoints)):
        invalid("CheckpointPercentages must be unique, between 1 and 100, and in ascending order.")
    if "CheckpointDelay" in given and not checkpoints:
        invalid("CheckpointDelay requires CheckpointPercentages.")
    for name, most in (("CheckpointDelay", 172800), ("BakeTime", 172800), ("InstanceWarmup", 10**9)):
        if not 0 <= int(given.get(name) or 0) <= most:
            invalid(f"{name} must be between 0 and {most}")
    protected = given.get("ScaleInProtectedInstances") or "Wait"
    if protected not in ("Refresh", "Ignore", "Wait"):
        invalid("ScaleInProtectedInstances must be Refresh, Ignore or Wait.")
    warmup = given.get("InstanceWarmup", group.warmup)
    return Preferences(
        minimum=minimum,
        maximum=maximum,
        warmup=int(group.grace if warmup is None else warmup),
        skip_matching=bool(given.get("SkipMatching")),
        auto_rollback=bool(given.get("AutoRollback")),
        checkpoints=checkpoints,
        checkpoint_delay=int(given.get("CheckpointDelay", 3600)),
        protected=cast(Literal["Refresh", "Ignore", "Wait"], protected),
        bake=int(given.get("BakeTime") or 0),
    )
