"""Scaling policies: the API, and the capacity that follows from what balancers and hosts count."""

from __future__ import annotations

import re
from typing import Any

import pytest

CPU = {"PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"}, "TargetValue": 50.0}


def put(scaling: Any, name: str = "cpu", configuration: Any = None, **given: Any) -> dict[str, Any]:
    request = {"AutoScalingGroupName": "web", "PolicyName": name, "PolicyType": "TargetTrackingScaling", **given}
    made = scaling.api.put_scaling_policy(**request, TargetTrackingConfiguration=configuration or CPU)
    scaling.follow()
    return dict(made)


def policies(scaling: Any, **given: Any) -> list[dict[str, Any]]:
    return list(scaling.api.describe_policies(**given)["ScalingPolicies"])


def label(scaling: Any) -> str:
    balancer = scaling.elb.describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
    return f"{balancer.split(':loadbalancer/')[1]}/{scaling.target_group.split(':')[-1]}"


def requests(scaling: Any, target: float = 100.0, **given: Any) -> dict[str, Any]:
    metric = {"PredefinedMetricType": "ALBRequestCountPerTarget", "ResourceLabel": label(scaling), **given}
    return {"PredefinedMetricSpecification": metric, "TargetValue": target}


def minutes(scaling: Any, number: int, sent: int = 0, cpu: float = 0.0) -> None:
    """Let minutes pass, in each of which there are requests, and hosts use so many seconds of CPU time."""
    for _ in range(number):
        scaling.balancers.sent += sent
        for instance in scaling.ids:
            scaling.lab.hosts.cpu[instance] = scaling.lab.hosts.cpu.get(instance, 0.0) + cpu
        scaling.passes(60)


def test_a_policy_is_described_with_its_alarms(scaling: Any) -> None:
    scaling.created()
    made = put(scaling, EstimatedInstanceWarmup=30)
    assert re.fullmatch(
        r"arn:aws:autoscaling:eu-central-1:123456789012:scalingPolicy:[-0-9a-f]{36}:"
        r"autoScalingGroupName/web:policyName/cpu",
        made["PolicyARN"],
    )
    assert [one["AlarmName"][:-36] for one in made["Alarms"]] == [
        "TargetTracking-web-AlarmHigh-",
        "TargetTracking-web-AlarmLow-",
    ]
    [told] = policies(scaling)
    assert told["Alarms"] == made["Alarms"]
    assert (told["PolicyType"], told["Enabled"], told["EstimatedInstanceWarmup"]) == ("TargetTrackingScaling", True, 30)
    assert told["TargetTrackingConfiguration"] == {**CPU, "DisableScaleIn": False}


def test_a_policy_is_replaced_and_keeps_its_arn(scaling: Any) -> None:
    scaling.created()
    before = put(scaling)
    after = put(scaling, configuration={**CPU, "TargetValue": 70.0, "DisableScaleIn": True})
    assert after == {**before, "ResponseMetadata": after["ResponseMetadata"]}
    [told] = policies(scaling)
    assert told["TargetTrackingConfiguration"]["TargetValue"] == 70.0
    assert told["TargetTrackingConfiguration"]["DisableScaleIn"] is True


def test_policies_are_selected_and_paged(scaling: Any) -> None:
    scaling.created()
    arns = [put(scaling, name)["PolicyARN"] for name in ("one", "two", "three")]
    assert [one["PolicyName"] for one in policies(scaling, PolicyNames=["two", "four"])] == ["two"]
    assert [one["PolicyName"] for one in policies(scaling, PolicyNames=[arns[2]])] == ["three"]
    assert policies(scaling, AutoScalingGroupName="other") == []
    assert policies(scaling, PolicyTypes=["StepScaling"]) == []
    pages = scaling.api.get_paginator("describe_policies").paginate(PaginationConfig={"PageSize": 2})
    assert [[one["PolicyName"] for one in page["ScalingPolicies"]] for page in pages] == [["one", "two"], ["three"]]


def test_a_policy_is_deleted_by_name_or_arn(scaling: Any) -> None:
    scaling.created()
    arn = put(scaling, "one")["PolicyARN"]
    put(scaling, "two")
    scaling.api.delete_policy(PolicyName=arn)
    scaling.api.delete_policy(PolicyName="two", AutoScalingGroupName="web")
    assert policies(scaling) == []
    scaling.lab.refused("ValidationError", scaling.api.delete_policy, PolicyName=arn)
    scaling.lab.refused("ValidationError", scaling.api.delete_policy, PolicyName="two", AutoScalingGroupName="web")
    scaling.lab.refused("ValidationError", scaling.api.delete_policy, PolicyName="two")


def test_policies_go_with_their_group(scaling: Any) -> None:
    scaling.created()
    put(scaling)
    scaling.api.delete_auto_scaling_group(AutoScalingGroupName="web", ForceDelete=True)
    scaling.settle()
    assert policies(scaling) == []


@pytest.mark.parametrize(
    ("given", "code", "message"),
    [
        ({"PolicyType": "StepScaling"}, "UnsupportedOperation", "The lab has target tracking scaling policies only"),
        ({"PolicyType": "Tracking"}, "ValidationError", "Unknown policy type 'Tracking'"),
        ({"Cooldown": 5}, "ValidationError", "Cooldown is not supported"),
        ({"EstimatedInstanceWarmup": -1}, "ValidationError", "EstimatedInstanceWarmup must be at least 0"),
        ({"TargetTrackingConfiguration": {**CPU, "TargetValue": 0.0}}, "ValidationError", "TargetValue"),
        ({"TargetTrackingConfiguration": {"TargetValue": 5.0}}, "ValidationError", "Exactly one of"),
        ({"AutoScalingGroupName": "other"}, "ValidationError", "no such group: other"),
    ],
)
def test_wrong_policies_are_refused(scaling: Any, given: dict[str, Any], code: str, message: str) -> None:
    scaling.created()
    request = {"AutoScalingGroupName": "web", "PolicyName": "cpu", "PolicyType": "TargetTrackingScaling"}
    wrong = {**request, "TargetTrackingConfiguration": CPU, **given}
    assert message in scaling.lab.refused(code, scaling.api.put_scaling_policy, **wrong)
    assert policies(scaling) == []


@pytest.mark.parametrize(
    ("metric", "code", "message"),
    [
        ({"PredefinedMetricType": "ASGAverageNetworkIn"}, "UnsupportedOperation", "and not ASGAverageNetworkIn"),
        ({"PredefinedMetricType": "Requests"}, "ValidationError", "Invalid predefined metric type Requests"),
        ({"PredefinedMetricType": "ALBRequestCountPerTarget"}, "ValidationError", "Resource label should be specified"),
        (
            {"PredefinedMetricType": "ALBRequestCountPerTarget", "ResourceLabel": "app/web/1"},
            "ValidationError",
            "not of the form",
        ),
        (
            {"PredefinedMetricType": "ALBRequestCountPerTarget", "ResourceLabel": "app/web/1/targetgroup/web/2"},
            "ValidationError",
            "is not attached to Auto Scaling group web",
        ),
    ],
)
def test_wrong_metrics_are_refused(scaling: Any, metric: dict[str, str], code: str, message: str) -> None:
    scaling.created(TargetGroupARNs=[scaling.target_group])
    wrong = {"PredefinedMetricSpecification": metric, "TargetValue": 50.0}
    request = {"AutoScalingGroupName": "web", "PolicyName": "cpu", "PolicyType": "TargetTrackingScaling"}
    told = scaling.lab.refused(code, scaling.api.put_scaling_policy, **request, TargetTrackingConfiguration=wrong)
    assert message in told


def test_a_label_of_another_balancer_is_refused(scaling: Any) -> None:
    scaling.created(TargetGroupARNs=[scaling.target_group])
    other = f"app/other/0123456789abcdef/{scaling.target_group.split(':')[-1]}"
    told = scaling.lab.refused(
        "ValidationError",
        scaling.api.put_scaling_policy,
        AutoScalingGroupName="web",
        PolicyName="requests",
        PolicyType="TargetTrackingScaling",
        TargetTrackingConfiguration=requests(scaling, ResourceLabel=other),
    )
    assert told == "The load balancer does not route traffic to the target group."


def test_requests_add_servers_and_take_them_away(scaling: Any) -> None:
    scaling.created(TargetGroupARNs=[scaling.target_group], MinSize=2, DefaultInstanceWarmup=0)
    put(scaling, "requests", requests(scaling))
    minutes(scaling, 2, sent=290)
    assert scaling.group["DesiredCapacity"] == 2
    minutes(scaling, 1, sent=290)
    assert scaling.group["DesiredCapacity"] == 3
    scaling.settle()
    assert len(scaling.ids) == 3
    alarm = policies(scaling)[0]["Alarms"][0]["AlarmName"]
    cause = next(one["Cause"] for one in scaling.activities if "monitor alarm" in one["Cause"])
    assert re.fullmatch(
        rf"At \S+Z a monitor alarm {alarm} in state ALARM triggered policy requests changing the desired capacity from "
        r"2 to 3.  At \S+Z an instance was started in response to a difference between desired and actual capacity, "
        r"increasing the capacity from 2 to 3.",
        cause,
    )
    minutes(scaling, 5, sent=290)
    assert scaling.group["DesiredCapacity"] == 3
    minutes(scaling, 14, sent=6)
    assert scaling.group["DesiredCapacity"] == 3
    minutes(scaling, 1, sent=6)
    assert scaling.group["DesiredCapacity"] == 2
    scaling.settle()
    assert len(scaling.ids) == 2
    assert "AlarmLow" in next(one["Cause"] for one in scaling.activities if "Terminating" in one["Description"])


def test_without_requests_there_is_no_data_and_the_group_stays(scaling: Any) -> None:
    scaling.created(TargetGroupARNs=[scaling.target_group], DefaultInstanceWarmup=0)
    put(scaling, "requests", requests(scaling))
    minutes(scaling, 20)
    assert scaling.group["DesiredCapacity"] == 2


def test_cpu_adds_servers_within_the_bounds(scaling: Any) -> None:
    scaling.created(MaxSize=3, DefaultInstanceWarmup=0)
    put(scaling)
    minutes(scaling, 4, cpu=108.0)  # t3.micro has 2 vCPUs: 90 %
    assert scaling.group["DesiredCapacity"] == 3
    scaling.settle()
    minutes(scaling, 4, cpu=108.0)
    assert scaling.group["DesiredCapacity"] == 3


def test_instances_that_warm_up_are_no_part_of_the_cpu(scaling: Any) -> None:
    scaling.created(DefaultInstanceWarmup=0)
    put(scaling, EstimatedInstanceWarmup=600)
    minutes(scaling, 10, cpu=108.0)
    assert scaling.group["DesiredCapacity"] == 2
    minutes(scaling, 4, cpu=108.0)
    assert scaling.group["DesiredCapacity"] == 4


def test_suspended_alarms_change_nothing(scaling: Any) -> None:
    scaling.created(DefaultInstanceWarmup=0)
    put(scaling)
    scaling.api.suspend_processes(AutoScalingGroupName="web", ScalingProcesses=["AlarmNotification"])
    minutes(scaling, 5, cpu=108.0)
    assert scaling.group["DesiredCapacity"] == 2
    scaling.api.resume_processes(AutoScalingGroupName="web")
    minutes(scaling, 1, cpu=108.0)
    assert scaling.group["DesiredCapacity"] == 4


def test_a_shorter_minute_begins_the_data_anew(scaling: Any) -> None:
    scaling.created(TargetGroupARNs=[scaling.target_group], DefaultInstanceWarmup=0)
    put(scaling, "requests", requests(scaling))
    minutes(scaling, 3, sent=100)
    scaling.lab.plane.context.minute = 5.0
    scaling.passes(1)
    for _ in range(3):
        assert scaling.group["DesiredCapacity"] == 2
        scaling.balancers.sent += 210
        scaling.passes(5)
    assert scaling.group["DesiredCapacity"] == 3
