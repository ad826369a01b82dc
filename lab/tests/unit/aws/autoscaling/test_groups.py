from __future__ import annotations

import re
from typing import Any

import pytest


def test_instances_are_in_service_once_they_run(scaling: Any) -> None:
    scaling.create(Tags=[{"Key": "Name", "Value": "grown", "PropagateAtLaunch": True}, {"Key": "own", "Value": "x"}])
    assert scaling.lifecycle == ["Pending", "Pending"]
    assert scaling.zones == ["a", "b"]
    scaling.hosts_follow()
    assert scaling.lifecycle == ["InService", "InService"]
    tags = {tag["Key"]: tag["Value"] for tag in scaling.lab.instance(scaling.ids[0])["Tags"]}
    assert tags["Name"] == "grown"
    assert tags["aws:autoscaling:groupName"] == "web"
    assert tags["aws:ec2launchtemplate:version"] == "1"
    assert "own" not in tags


def test_activities_can_be_read(scaling: Any) -> None:
    first = scaling.created(DesiredCapacity=1)[0]
    [activity] = scaling.activities
    assert activity["Description"] == f"Launching a new EC2 instance: {first}"
    assert activity["StatusCode"] == "Successful"
    assert activity["Progress"] == 100
    assert re.fullmatch(
        r"At \S+Z a user request created an AutoScalingGroup changing the desired capacity from 0 to 1.  "
        r"At \S+Z an instance was started in response to a difference between desired and actual capacity, increasing "
        r"the capacity from 0 to 1.",
        activity["Cause"],
    )


def test_more_and_fewer(scaling: Any) -> None:
    scaling.created()
    scaling.api.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=4)
    scaling.settle()
    assert scaling.zones == ["a", "a", "b", "b"]
    scaling.api.update_auto_scaling_group(AutoScalingGroupName="web", MaxSize=2)
    scaling.settle()
    assert scaling.zones == ["a", "b"]
    assert scaling.group["DesiredCapacity"] == 2


def test_an_instance_that_is_gone_is_replaced(scaling: Any) -> None:
    first, second = scaling.created()
    scaling.lab.ec2.terminate_instances(InstanceIds=[first])
    scaling.settle()
    assert first not in scaling.ids
    assert second in scaling.ids
    assert scaling.zones == ["a", "b"]
    causes = [activity["Cause"] for activity in scaling.activities]
    assert any("EC2 health check indicating it has been terminated or stopped" in cause for cause in causes)
    assert any("in response to an unhealthy instance needing to be replaced" in cause for cause in causes)


def test_a_host_that_went_down_by_itself_is_replaced(scaling: Any) -> None:
    first, _ = scaling.created(HealthCheckGracePeriod=300)
    scaling.lab.plane.instance_state(first, "stopped", reason="Server.InternalError: killed")
    scaling.settle()
    assert first not in scaling.ids
    assert scaling.lab.instance(first)["State"]["Name"] == "terminated"


def test_an_instance_is_registered_when_it_is_in_service(scaling: Any) -> None:
    scaling.create(TargetGroupARNs=[scaling.target_group])
    assert scaling.registered == set()
    scaling.settle()
    assert scaling.registered == set(scaling.ids)


@pytest.mark.parametrize(("kind", "elapsed", "replaced"), [("ELB", 59, False), ("ELB", 60, True), ("EC2", 3600, False)])
def test_what_the_balancer_says_counts_after_the_grace_period(
    scaling: Any, kind: str, elapsed: int, replaced: bool
) -> None:
    first, _ = scaling.created(TargetGroupARNs=[scaling.target_group], HealthCheckType=kind, HealthCheckGracePeriod=60)
    scaling.balancers.health[first] = "unhealthy"
    scaling.passes(elapsed)
    scaling.settle()
    assert (first not in scaling.ids) is replaced
    assert scaling.registered == set(scaling.ids)


def test_a_terminating_instance_is_drained_first(scaling: Any) -> None:
    first, _ = scaling.created(TargetGroupARNs=[scaling.target_group])
    delay = [{"Key": "deregistration_delay.timeout_seconds", "Value": "300"}]
    scaling.elb.modify_target_group_attributes(TargetGroupArn=scaling.target_group, Attributes=delay)
    scaling.api.terminate_instance_in_auto_scaling_group(InstanceId=first, ShouldDecrementDesiredCapacity=True)
    scaling.settle()
    assert dict(scaling.state)[first] == "Terminating"
    assert scaling.lab.instance(first)["State"]["Name"] == "running"
    assert scaling.activities[0]["StatusCode"] == "WaitingForELBConnectionDraining"
    scaling.elb.modify_target_group_attributes(
        TargetGroupArn=scaling.target_group, Attributes=[{**delay[0], "Value": "0"}]
    )
    group = scaling.controller.balancing.target_groups[scaling.target_group]
    group._draining.clear()  # the delay is over
    scaling.settle()
    assert scaling.lab.instance(first)["State"]["Name"] == "terminated"
    assert len(scaling.ids) == 1


def test_a_launch_that_is_refused_is_told_and_tried_again(scaling: Any) -> None:
    scaling.create(DesiredCapacity=0)
    scaling.lab.ec2.delete_launch_template(LaunchTemplateName="web")
    scaling.api.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=1)
    for _ in range(3):
        scaling.follow()
    [failed] = scaling.activities
    assert failed["StatusCode"] == "Failed"
    assert "does not exist" in failed["StatusMessage"]
    scaling.passes(1)
    assert len(scaling.activities) == 2
    scaling.passes(1)
    assert len(scaling.activities) == 2


def test_zones_are_balanced_when_the_subnets_change(scaling: Any) -> None:
    scaling.created(VPCZoneIdentifier=scaling.subnets[0])
    assert scaling.zones == ["a", "a"]
    scaling.api.update_auto_scaling_group(AutoScalingGroupName="web", VPCZoneIdentifier=",".join(scaling.subnets))
    scaling.follow()
    assert sorted(scaling.lifecycle) == ["InService", "InService", "Pending"]  # launched before one is terminated
    scaling.settle()
    assert scaling.zones == ["a", "b"]


@pytest.mark.parametrize(
    ("process", "happens"),
    [
        ("Launch", False),
        ("Terminate", False),
        ("ReplaceUnhealthy", False),
        ("HealthCheck", False),
        ("AZRebalance", True),
    ],
)
def test_suspended_processes(scaling: Any, process: str, happens: bool) -> None:
    first, _ = scaling.created()
    scaling.api.suspend_processes(AutoScalingGroupName="web", ScalingProcesses=[process])
    scaling.lab.ec2.stop_instances(InstanceIds=[first])
    scaling.lab.plane.instance_state(first, "stopped")
    scaling.settle()
    assert (len(scaling.ids) == 2 and first not in scaling.ids) is happens
    scaling.api.resume_processes(AutoScalingGroupName="web")
    scaling.settle()
    assert len(scaling.ids) == 2
    assert first not in scaling.ids


def test_protected_instances_stay(scaling: Any) -> None:
    first, second = scaling.created()
    scaling.api.set_instance_protection(AutoScalingGroupName="web", InstanceIds=[first], ProtectedFromScaleIn=True)
    scaling.api.set_desired_capacity(AutoScalingGroupName="web", DesiredCapacity=0)
    scaling.settle()
    assert scaling.ids == [first]
    assert second not in scaling.ids


def test_terminating_by_hand(scaling: Any) -> None:
    first, second = scaling.created()
    answer = scaling.api.terminate_instance_in_auto_scaling_group(
        InstanceId=first, ShouldDecrementDesiredCapacity=False
    )
    assert answer["Activity"]["StatusCode"] == "InProgress"
    scaling.settle()
    assert len(scaling.ids) == 2
    scaling.api.terminate_instance_in_auto_scaling_group(InstanceId=second, ShouldDecrementDesiredCapacity=True)
    scaling.settle()
    assert len(scaling.ids) == scaling.group["DesiredCapacity"] == 1


def test_set_instance_health(scaling: Any) -> None:
    first, _ = scaling.created(HealthCheckGracePeriod=60)
    scaling.api.set_instance_health(InstanceId=first, HealthStatus="Unhealthy")
    scaling.settle()
    assert first in scaling.ids
    scaling.api.set_instance_health(InstanceId=first, HealthStatus="Unhealthy", ShouldRespectGracePeriod=False)
    scaling.settle()
    assert first not in scaling.ids


def test_target_groups_come_and_go(scaling: Any) -> None:
    scaling.created()
    arns = {"AutoScalingGroupName": "web", "TargetGroupARNs": [scaling.target_group]}
    scaling.api.attach_load_balancer_target_groups(**arns)
    scaling.settle()
    assert scaling.registered == set(scaling.ids)
    [told] = scaling.api.describe_load_balancer_target_groups(AutoScalingGroupName="web")["LoadBalancerTargetGroups"]
    assert told["State"] == "InService"
    scaling.api.detach_load_balancer_target_groups(**arns)
    assert scaling.registered == set()


def test_detached_instances_go_on(scaling: Any) -> None:
    first, _ = scaling.created()
    scaling.api.detach_instances(AutoScalingGroupName="web", InstanceIds=[first], ShouldDecrementDesiredCapacity=True)
    scaling.settle()
    assert first not in scaling.ids
    assert scaling.lab.instance(first)["State"]["Name"] == "running"


def test_deletion(scaling: Any) -> None:
    first = scaling.created()[0]
    scaling.lab.refused("ResourceInUse", scaling.api.delete_auto_scaling_group, AutoScalingGroupName="web")
    scaling.api.delete_auto_scaling_group(AutoScalingGroupName="web", ForceDelete=True)
    assert scaling.group["Status"] == "Delete in progress"
    scaling.lab.refused("AlreadyExists", scaling.create)
    scaling.settle()
    assert scaling.api.describe_auto_scaling_groups()["AutoScalingGroups"] == []
    assert scaling.lab.instance(first)["State"]["Name"] == "terminated"


def test_deletion_of_an_empty_group(scaling: Any) -> None:
    scaling.create(DesiredCapacity=0)
    scaling.api.delete_auto_scaling_group(AutoScalingGroupName="web")
    assert scaling.api.describe_auto_scaling_groups()["AutoScalingGroups"] == []


def test_deletion_while_it_is_busy(scaling: Any) -> None:
    scaling.create()
    scaling.lab.refused("ScalingActivityInProgress", scaling.api.delete_auto_scaling_group, AutoScalingGroupName="web")


def test_tags(scaling: Any) -> None:
    scaling.create(DesiredCapacity=0, Tags=[{"Key": "a", "Value": "1"}])
    of = {"ResourceId": "web", "ResourceType": "auto-scaling-group"}
    tags = [{**of, "Key": "b", "Value": "2", "PropagateAtLaunch": True}]
    scaling.api.create_or_update_tags(Tags=tags)
    scaling.api.delete_tags(Tags=[{**of, "Key": "a"}])
    assert scaling.api.describe_tags()["Tags"] == tags == scaling.group["Tags"]
    filters = [{"Name": "tag:b", "Values": ["2"]}]
    assert len(scaling.api.describe_auto_scaling_groups(Filters=filters)["AutoScalingGroups"]) == 1
    filters = [{"Name": "tag:b", "Values": ["3"]}]
    assert scaling.api.describe_auto_scaling_groups(Filters=filters)["AutoScalingGroups"] == []


def test_metrics(scaling: Any) -> None:
    scaling.create(DesiredCapacity=0)
    scaling.api.enable_metrics_collection(
        AutoScalingGroupName="web", Granularity="1Minute", Metrics=["GroupMinSize", "GroupMaxSize"]
    )
    scaling.api.disable_metrics_collection(AutoScalingGroupName="web", Metrics=["GroupMaxSize"])
    assert scaling.group["EnabledMetrics"] == [{"Metric": "GroupMinSize", "Granularity": "1Minute"}]
    scaling.api.disable_metrics_collection(AutoScalingGroupName="web")
    assert scaling.group["EnabledMetrics"] == []


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        (
            {"MinSize": 3, "MaxSize": 2},
            "ValidationError",
            "Max bound, 2, must be greater than or equal to min bound, 3",
        ),
        ({"DesiredCapacity": 9}, "ValidationError", "Desired capacity:9 must be between"),
        ({"VPCZoneIdentifier": ","}, "ValidationError", "At least one Availability Zone or VPC Subnet"),
        ({"VPCZoneIdentifier": "subnet-0123456789abcdef0"}, "ValidationError", "does not exist"),
        ({"AvailabilityZones": ["eu-central-1c"]}, "ValidationError", "do not match"),
        ({"LaunchTemplate": {"LaunchTemplateName": "unknown"}}, "ValidationError", "does not exist"),
        ({"LaunchTemplate": {"LaunchTemplateName": "web", "Version": "7"}}, "ValidationError", "version 7"),
        ({"TargetGroupARNs": ["arn:aws:elasticloadbalancing:x"]}, "ValidationError", "Provided Target Groups"),
        ({"HealthCheckType": "HTTP"}, "ValidationError", "HealthCheckType"),
        ({"HealthCheckGracePeriod": -1}, "ValidationError", "HealthCheckGracePeriod"),
        ({"TerminationPolicies": ["Random"]}, "ValidationError", "Random"),
        ({"Tags": [{"Key": "aws:x", "Value": "y"}]}, "ValidationError", "reserved"),
        (
            {"InstanceMaintenancePolicy": {"MinHealthyPercentage": 50, "MaxHealthyPercentage": 180}},
            "ValidationError",
            "100",
        ),
        (
            {"MixedInstancesPolicy": {"InstancesDistribution": {"OnDemandBaseCapacity": 1}}},
            "UnsupportedOperation",
            "mixed instances",
        ),
        ({"LaunchConfigurationName": "old"}, "UnsupportedOperation", "launch configurations"),
    ],
)
def test_groups_that_aws_refuses(scaling: Any, changes: dict[str, Any], code: str, words: str) -> None:
    assert words in scaling.lab.refused(code, scaling.create, **changes)
    assert scaling.api.describe_auto_scaling_groups()["AutoScalingGroups"] == []


def test_a_template_that_cannot_be_launched(scaling: Any) -> None:
    data = {"ImageId": "ami-0123456789abcdef0", "InstanceType": "t3.micro"}
    scaling.lab.ec2.create_launch_template(LaunchTemplateName="broken", LaunchTemplateData=data)
    message = scaling.lab.refused("ValidationError", scaling.create, LaunchTemplate={"LaunchTemplateName": "broken"})
    assert message.startswith("You must use a valid fully-formed launch template. The image id")


@pytest.mark.parametrize(
    ("operation", "arguments", "code"),
    [
        ("create_auto_scaling_group", None, "AlreadyExists"),
        ("set_desired_capacity", {"AutoScalingGroupName": "web", "DesiredCapacity": 9}, "ValidationError"),
        ("set_desired_capacity", {"AutoScalingGroupName": "unknown", "DesiredCapacity": 1}, "ValidationError"),
        (
            "set_desired_capacity",
            {"AutoScalingGroupName": "web", "DesiredCapacity": 1, "HonorCooldown": True},
            "ScalingActivityInProgress",
        ),
        ("update_auto_scaling_group", {"AutoScalingGroupName": "web", "MinSize": 9}, "ValidationError"),
        ("delete_auto_scaling_group", {"AutoScalingGroupName": "unknown"}, "ValidationError"),
        (
            "terminate_instance_in_auto_scaling_group",
            {"InstanceId": "i-0123456789abcdef0", "ShouldDecrementDesiredCapacity": False},
            "ValidationError",
        ),
        ("set_instance_health", {"InstanceId": "i-0123456789abcdef0", "HealthStatus": "Unhealthy"}, "ValidationError"),
        ("suspend_processes", {"AutoScalingGroupName": "web", "ScalingProcesses": ["Sleep"]}, "ValidationError"),
        ("enable_metrics_collection", {"AutoScalingGroupName": "web", "Granularity": "1Hour"}, "ValidationError"),
        (
            "put_scaling_policy",
            {"AutoScalingGroupName": "web", "PolicyName": "p", "PolicyType": "SimpleScaling"},
            "UnsupportedOperation",
        ),
        ("create_launch_configuration", {"LaunchConfigurationName": "old"}, "UnsupportedOperation"),
    ],
)
def test_what_aws_refuses(scaling: Any, operation: str, arguments: dict[str, Any] | None, code: str) -> None:
    scaling.created()
    if arguments is None:
        scaling.lab.refused(code, scaling.create)
    else:
        scaling.lab.refused(code, getattr(scaling.api, operation), **arguments)
    assert len(scaling.ids) == 2


def test_below_the_minimum_nobody_is_taken_out_for_good(scaling: Any) -> None:
    first = scaling.created(MinSize=2)[0]
    message = scaling.lab.refused(
        "ValidationError",
        scaling.api.terminate_instance_in_auto_scaling_group,
        InstanceId=first,
        ShouldDecrementDesiredCapacity=True,
    )
    assert "Currently, desiredSize equals minSize (2)." in message


def test_pages(scaling: Any) -> None:
    scaling.created()
    pages = scaling.api.get_paginator("describe_auto_scaling_instances").paginate(PaginationConfig={"PageSize": 1})
    assert [len(page["AutoScalingInstances"]) for page in pages] == [1, 1]


def test_what_a_group_has_none_of_is_told(scaling: Any) -> None:
    scaling.create(DesiredCapacity=0)
    of = {"AutoScalingGroupName": "web"}
    assert scaling.api.describe_policies(**of)["ScalingPolicies"] == []
    assert scaling.api.describe_lifecycle_hooks(**of)["LifecycleHooks"] == []
    assert scaling.api.describe_load_balancers(**of)["LoadBalancers"] == []
    assert scaling.api.describe_scheduled_actions()["ScheduledUpdateGroupActions"] == []


@pytest.mark.parametrize(
    ("level", "empty", "force", "goes"),
    [
        ("none", False, True, True),
        ("prevent-force-deletion", False, True, False),
        ("prevent-force-deletion", True, False, True),
        ("prevent-all-deletion", True, False, False),
        ("prevent-all-deletion", False, True, False),
    ],
)
def test_deletion_protection(scaling: Any, level: str, *, empty: bool, force: bool, goes: bool) -> None:
    sizes = {"MinSize": 0, "DesiredCapacity": 0} if empty else {}
    scaling.create(DeletionProtection=level, **sizes)
    assert scaling.group["DeletionProtection"] == level
    wanted = {"AutoScalingGroupName": "web", "ForceDelete": force}
    if goes:
        scaling.api.delete_auto_scaling_group(**wanted)
    else:
        scaling.lab.refused("ValidationError", scaling.api.delete_auto_scaling_group, **wanted)
