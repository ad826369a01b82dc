"""An Auto Scaling group behind a load balancer, with boto3: `grow_group.py build`, then the other steps.

Each step prints its result as JSON. The servers answer with a text from their launch template's version.
"""

from __future__ import annotations

import base64
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any
from urllib.request import urlopen

import boto3
from build_site import ANYWHERE, ZONES, group, leads, newest_debian, rule, subnet

NAME = "grow"
USER_DATA = """#!/bin/sh
mkdir -p /srv/www
echo {release} > /srv/www/index.html
systemd-run --unit=web python3 -m http.server 80 --directory /srv/www
"""
REFRESH = {"MinHealthyPercentage": 100, "MaxHealthyPercentage": 150, "InstanceWarmup": 0}

ec2, elb, scaling = boto3.client("ec2"), boto3.client("elbv2"), boto3.client("autoscaling")


def build() -> dict[str, Any]:
    vpc = ec2.create_vpc(CidrBlock="10.40.0.0/16")["Vpc"]["VpcId"]
    subnets = [subnet(vpc, f"10.40.{number}.0/24", zone) for number, zone in enumerate(ZONES)]
    internet = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=internet, VpcId=vpc)
    leads(vpc, subnets, GatewayId=internet)
    balancer_group = group(vpc, "balancer", [rule(80, CidrIp=ANYWHERE)])
    web_group = group(vpc, "web", [rule(80, GroupId=balancer_group)])
    target_group = make_balancer(vpc, subnets, balancer_group)
    data = template_data("one") | {"SecurityGroupIds": [web_group], "ImageId": newest_debian()}
    ec2.create_launch_template(LaunchTemplateName=NAME, LaunchTemplateData=data)
    scaling.create_auto_scaling_group(
        AutoScalingGroupName=NAME,
        MinSize=1,
        MaxSize=4,
        DesiredCapacity=2,
        VPCZoneIdentifier=",".join(subnets),
        LaunchTemplate={"LaunchTemplateName": NAME, "Version": "1"},
        TargetGroupARNs=[target_group],
        HealthCheckType="ELB",
        HealthCheckGracePeriod=90,
        Tags=[{"Key": "Name", "Value": "grown", "PropagateAtLaunch": True}],
    )
    return told(2)


def make_balancer(vpc: str, subnets: list[str], balancer_group: str) -> str:
    target_group = elb.create_target_group(
        Name=NAME,
        Protocol="HTTP",
        Port=80,
        VpcId=vpc,
        HealthCheckIntervalSeconds=5,
        HealthCheckTimeoutSeconds=2,
        HealthyThresholdCount=2,
        UnhealthyThresholdCount=2,
    )["TargetGroups"][0]["TargetGroupArn"]
    attributes = [{"Key": "deregistration_delay.timeout_seconds", "Value": "3"}]
    elb.modify_target_group_attributes(TargetGroupArn=target_group, Attributes=attributes)
    made = elb.create_load_balancer(Name=NAME, Subnets=subnets, SecurityGroups=[balancer_group])
    actions = [{"Type": "forward", "TargetGroupArn": target_group}]
    arn = made["LoadBalancers"][0]["LoadBalancerArn"]
    elb.create_listener(LoadBalancerArn=arn, Protocol="HTTP", Port=80, DefaultActions=actions)
    return str(target_group)


def template_data(release: str) -> dict[str, Any]:
    user_data = base64.b64encode(USER_DATA.format(release=release).encode()).decode()
    return {"InstanceType": "t3.micro", "UserData": user_data, "MetadataOptions": {"HttpTokens": "required"}}


def replaced(killed: str) -> dict[str, Any]:
    """Wait until the killed host is replaced, and return the result of `told`."""
    eventually(240, lambda: killed not in members())
    return told(2)


def resize(number: str) -> dict[str, Any]:
    scaling.set_desired_capacity(AutoScalingGroupName=NAME, DesiredCapacity=int(number))
    return told(int(number))


def scale() -> dict[str, Any]:
    """Let the group grow to 3 instances under load, and shrink to 2 when only few requests are left."""
    scaling.update_auto_scaling_group(AutoScalingGroupName=NAME, MinSize=2, MaxSize=3, DefaultInstanceWarmup=0)
    arn = elb.describe_target_groups(Names=[NAME])["TargetGroups"][0]["TargetGroupArn"]
    balancer = elb.describe_load_balancers(Names=[NAME])["LoadBalancers"][0]["LoadBalancerArn"]
    label = f"{balancer.partition(':loadbalancer/')[2]}/{arn.rpartition(':')[2]}"
    track("requests", 20.0, PredefinedMetricType="ALBRequestCountPerTarget", ResourceLabel=label)
    track("cpu", 99.0, PredefinedMetricType="ASGAverageCPUUtilization")
    visitors = Visitors()
    grown = told(3)
    visitors.pause = 0.5
    shrunk = told(2)
    answers = visitors.leave()
    for name in ("requests", "cpu"):
        scaling.delete_policy(AutoScalingGroupName=NAME, PolicyName=name)
    scaling.update_auto_scaling_group(AutoScalingGroupName=NAME, MinSize=1, MaxSize=4)
    return {**shrunk, "grown": list(grown["members"]), "answers": answers}


def track(name: str, target: float, **metric: str) -> None:
    scaling.put_scaling_policy(
        AutoScalingGroupName=NAME,
        PolicyName=name,
        PolicyType="TargetTrackingScaling",
        TargetTrackingConfiguration={"PredefinedMetricSpecification": metric, "TargetValue": target},
    )


def refresh() -> dict[str, Any]:
    """Release another version with an instance refresh while visitors send requests."""
    ec2.create_launch_template_version(
        LaunchTemplateName=NAME, SourceVersion="1", LaunchTemplateData=template_data("two")
    )
    visitors = Visitors()
    wanted = {"LaunchTemplate": {"LaunchTemplateName": NAME, "Version": "2"}}
    scaling.start_instance_refresh(AutoScalingGroupName=NAME, DesiredConfiguration=wanted, Preferences=REFRESH)
    percentages: list[int] = []

    def over() -> bool:
        found = scaling.describe_instance_refreshes(AutoScalingGroupName=NAME)["InstanceRefreshes"][0]
        percentages.append(found["PercentageComplete"])
        return found["Status"] not in ("Pending", "InProgress")

    eventually(240, over)
    found = scaling.describe_instance_refreshes(AutoScalingGroupName=NAME)["InstanceRefreshes"][0]
    answers = visitors.leave()
    return {"status": found["Status"], "percentages": sorted(set(percentages)), "answers": answers, **told(2)}


def remove() -> dict[str, Any]:
    scaling.delete_auto_scaling_group(AutoScalingGroupName=NAME, ForceDelete=True)
    eventually(60, lambda: not scaling.describe_auto_scaling_groups()["AutoScalingGroups"])
    return {}


class Visitors:
    """A visitor that sends requests to the load balancer continuously, with a pause in seconds after each."""

    def __init__(self) -> None:
        self.pause = 0.01
        self._url = f"http://{address()}/"
        self._answers: Counter[str] = Counter()
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._visit)
        self._thread.start()

    def _visit(self) -> None:
        while not self._leaving.wait(self.pause):
            self._answers[visit(self._url)] += 1

    def leave(self) -> dict[str, int]:
        """Stop, and return the count of each answer."""
        self._leaving.set()
        self._thread.join()
        return dict(self._answers)


def visit(url: str) -> str:
    try:
        with urlopen(url, timeout=10) as response:
            return str(response.read().decode().strip())
    except OSError as error:
        return f"failed: {error}"


def address() -> str:
    return str(elb.describe_load_balancers(Names=[NAME])["LoadBalancers"][0]["DNSName"])


def members() -> dict[str, Any]:
    groups = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[NAME])["AutoScalingGroups"]
    return {each["InstanceId"]: each for each in groups[0]["Instances"]}


def told(number: int) -> dict[str, Any]:
    """Wait until the group has this number of instances, all in service and healthy targets, and describe it."""
    target_group = elb.describe_target_groups(Names=[NAME])["TargetGroups"][0]["TargetGroupArn"]
    began = time.monotonic()

    def settled() -> bool:
        targets = elb.describe_target_health(TargetGroupArn=target_group)["TargetHealthDescriptions"]
        healthy = {each["Target"]["Id"] for each in targets if each["TargetHealth"]["State"] == "healthy"}
        found = members()
        in_service = all(each["LifecycleState"] == "InService" for each in found.values())
        return in_service and len(found) == len(targets) == number and set(found) == healthy

    eventually(240, settled)
    answers = Counter(visit(f"http://{address()}/") for _ in range(10))
    activities = scaling.describe_scaling_activities(AutoScalingGroupName=NAME)["Activities"]
    return {
        "members": members(),
        "visits": dict(answers),
        "seconds": time.monotonic() - began,
        "activities": [[each["Description"], each["Cause"], each["StatusCode"]] for each in activities],
    }


def eventually(seconds: float, predicate: Callable[[], bool]) -> None:
    deadline = time.monotonic() + seconds
    while not predicate():
        if time.monotonic() > deadline:
            groups = scaling.describe_auto_scaling_groups()["AutoScalingGroups"]
            raise TimeoutError(f"not within {seconds:g} s: {predicate}; {groups}")
        time.sleep(0.2)


STEPS: dict[str, Callable[..., dict[str, Any]]] = {
    "build": build,
    "replaced": replaced,
    "resize": resize,
    "scale": scale,
    "refresh": refresh,
    "remove": remove,
}

if __name__ == "__main__":
    print(json.dumps(STEPS[sys.argv[1]](*sys.argv[2:])))
