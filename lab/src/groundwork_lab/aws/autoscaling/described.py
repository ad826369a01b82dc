"""Auto Scaling's resources as the API describes them. Pure functions.

https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_Types.html
"""

from __future__ import annotations

import json
from typing import Any

from groundwork_lab.aws.autoscaling.state import Activity, Group, Member, Policy, Refresh, now, stamp
from groundwork_lab.aws.autoscaling.validation import GRANULARITY


def group(it: Group, role: str, *, with_members: bool = True) -> dict[str, Any]:
    told = {
        "AutoScalingGroupName": it.name,
        "AutoScalingGroupARN": it.arn,
        "LaunchTemplate": it.template.told,
        "MinSize": it.minimum,
        "MaxSize": it.maximum,
        "DesiredCapacity": it.desired,
        "DefaultCooldown": it.cooldown,
        "AvailabilityZones": it.zones,
        "LoadBalancerNames": [],
        "TargetGroupARNs": list(it.target_groups),
        "TrafficSources": [{"Identifier": arn, "Type": "elbv2"} for arn in it.target_groups],
        "HealthCheckType": it.health_check_type,
        "HealthCheckGracePeriod": it.grace,
        "Instances": [member(each) for each in it.members.values()] if with_members else [],
        "CreatedTime": it.created,
        "SuspendedProcesses": [
            {"ProcessName": name, "SuspensionReason": reason} for name, reason in sorted(it.suspended.items())
        ],
        "VPCZoneIdentifier": ",".join(it.subnets),
        "EnabledMetrics": [{"Metric": name, "Granularity": GRANULARITY} for name in sorted(it.metrics)],
        "Tags": tags(it),
        "TerminationPolicies": list(it.policies),
        "NewInstancesProtectedFromScaleIn": it.protect_new,
        "DeletionProtection": it.deletion_protection,
        "ServiceLinkedRoleARN": role,
        "CapacityRebalance": False,
    }
    if it.warmup is not None:
        told["DefaultInstanceWarmup"] = it.warmup
    if it.maintenance is not None:
        told["InstanceMaintenancePolicy"] = dict(it.maintenance)
    if it.deleting:
        told["Status"] = "Delete in progress"
    return told


def member(it: Member) -> dict[str, Any]:
    return {
        "InstanceId": it.id,
        "InstanceType": it.instance_type,
        "AvailabilityZone": it.zone,
        "LifecycleState": it.state,
        "HealthStatus": "Healthy" if it.healthy else "Unhealthy",
        "LaunchTemplate": it.template.told,
        "ProtectedFromScaleIn": it.protected,
    }


def instance(it: Member, of: Group) -> dict[str, Any]:
    """Describe a member for DescribeAutoScalingInstances, which returns the health in upper case."""
    told = member(it)
    return {**told, "AutoScalingGroupName": of.name, "HealthStatus": told["HealthStatus"].upper()}


def activity(it: Activity, of: Group) -> dict[str, Any]:
    told = {
        "ActivityId": it.id,
        "AutoScalingGroupName": of.name,
        "AutoScalingGroupARN": of.arn,
        "Description": it.description,
        "Cause": it.cause,
        "StartTime": it.started,
        "StatusCode": it.status,
        "Progress": it.progress,
        "Details": json.dumps(dict(it.details), separators=(",", ":")),
    }
    if it.ended is not None:
        told["EndTime"] = it.ended
    if it.message:
        told["StatusMessage"] = it.message
    return told


def tags(it: Group) -> list[dict[str, Any]]:
    return [
        {
            "ResourceId": it.name,
            "ResourceType": "auto-scaling-group",
            "Key": key,
            "Value": value,
            "PropagateAtLaunch": propagated,
        }
        for key, (value, propagated) in sorted(it.tags.items())
    ]


def refresh(it: Refresh, of: Group) -> dict[str, Any]:
    preferences = it.preferences
    told: dict[str, Any] = {
        "InstanceRefreshId": it.id,
        "AutoScalingGroupName": of.name,
        "Status": it.status,
        "StartTime": it.started,
        "PercentageComplete": it.percentage,
        "InstancesToUpdate": len(it.olds) if it.rollback is None else 0,
        "Strategy": "Rolling",
        "Preferences": {
            **it.given,
            "MinHealthyPercentage": preferences.minimum,
            "MaxHealthyPercentage": preferences.maximum,
            "InstanceWarmup": preferences.warmup,
            "SkipMatching": preferences.skip_matching,
            "AutoRollback": preferences.auto_rollback,
            "ScaleInProtectedInstances": preferences.protected,
        },
    }
    if it.reason:
        told["StatusReason"] = it.reason
    if it.ended is not None:
        told["EndTime"] = it.ended
    if it.desired is not None:
        told["DesiredConfiguration"] = {"LaunchTemplate": it.desired.told}
    if it.rollback is not None:
        told["RollbackDetails"] = dict(it.rollback)
    return told


def policy(it: Policy, of: Group, alarm_prefix: str) -> dict[str, Any]:
    """Describe a scaling policy. `alarm_prefix` is what the ARNs of alarms begin with."""
    metric = {"PredefinedMetricType": it.metric, **({"ResourceLabel": it.label} if it.label else {})}
    told: dict[str, Any] = {
        "AutoScalingGroupName": of.name,
        "PolicyName": it.name,
        "PolicyARN": it.arn,
        "PolicyType": "TargetTrackingScaling",
        "StepAdjustments": [],
        "Alarms": alarms(it, alarm_prefix),
        "TargetTrackingConfiguration": {
            "PredefinedMetricSpecification": metric,
            "TargetValue": it.target,
            "DisableScaleIn": not it.scales_in,
        },
        "Enabled": it.enabled,
    }
    if it.warmup is not None:
        told["EstimatedInstanceWarmup"] = it.warmup
    return told


def alarms(it: Policy, alarm_prefix: str) -> list[dict[str, str]]:
    return [{"AlarmName": name, "AlarmARN": f"{alarm_prefix}{name}"} for _, name in sorted(it.alarms.items())]


def stamp_now() -> str:
    return stamp(now())
