"""A network, a launch template and a target group for Auto Scaling groups, and hosts that the tests control."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pytest
from control_plane import Lab

from groundwork_lab.ports import HealthReport


class FakeBalancers:
    def __init__(self) -> None:
        self.health: dict[str, str] = {}  # by instance
        self.sent: int | None = 0  # requests to targets of any group

    def target_health(self, target_group_arn: str) -> dict[tuple[str, int], HealthReport]:
        del target_group_arn
        return {(instance, 80): HealthReport(state) for instance, state in self.health.items()}  # type: ignore[arg-type]

    def requests(self, target_group_arn: str) -> int | None:
        del target_group_arn
        return self.sent


@dataclass
class Scaling:
    """`lab` with the resources for a group `web`. The tests advance the time."""

    lab: Lab
    balancers: FakeBalancers
    time: float = 0.0
    subnets: list[str] = field(default_factory=list)
    default: str = "healthy"  # the health of new hosts
    name: str = "web"

    @cached_property
    def api(self) -> Any:
        return self.lab.client("autoscaling")

    @cached_property
    def elb(self) -> Any:
        return self.lab.client("elbv2")

    @property
    def controller(self) -> Any:
        [found] = [each for each in self.lab.plane.workers if type(each).__name__ == "Controller"]
        return found

    def prepare(self) -> None:
        self.controller.clock = lambda: self.time
        vpc = self.lab.vpc()
        self.lab.gateway(vpc)
        self.subnets = [self.lab.subnet(vpc, f"10.0.{number}.0/24", zone) for number, zone in enumerate("ab")]
        data = {"ImageId": self.lab.image, "InstanceType": "t3.micro"}
        self.lab.ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData=data)

    @cached_property
    def target_group(self) -> str:
        """Return a target group that a load balancer uses."""
        vpc = self.lab.ec2.describe_subnets(SubnetIds=self.subnets)["Subnets"][0]["VpcId"]
        made = self.elb.create_target_group(Name="web", Protocol="HTTP", Port=80, VpcId=vpc)
        arn = str(made["TargetGroups"][0]["TargetGroupArn"])
        delay = [{"Key": "deregistration_delay.timeout_seconds", "Value": "0"}]
        self.elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=delay)
        balancer = self.elb.create_load_balancer(Name="web", Subnets=self.subnets)["LoadBalancers"][0]
        self.elb.create_listener(
            LoadBalancerArn=balancer["LoadBalancerArn"],
            Protocol="HTTP",
            Port=80,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": arn}],
        )
        return arn

    def create(self, **options: Any) -> None:
        request = {
            "AutoScalingGroupName": self.name,
            "MinSize": 0,
            "MaxSize": 4,
            "DesiredCapacity": 2,
            "VPCZoneIdentifier": ",".join(self.subnets),
            "LaunchTemplate": {"LaunchTemplateName": "web", "Version": "1"},
            **options,
        }
        self.api.create_auto_scaling_group(**request)
        self.follow()

    def created(self, **options: Any) -> list[str]:
        """Create a group. Return the ids of its instances when all are in service."""
        self.create(**options)
        self.settle()
        return self.ids

    def version(self) -> None:
        """Create another version of the launch template, which is then the latest."""
        data = {"InstanceType": "t3.small"}
        self.lab.ec2.create_launch_template_version(
            LaunchTemplateName="web", SourceVersion="1", LaunchTemplateData=data
        )

    def follow(self) -> None:
        """Report the current `World` as applied. The hosts do not change."""
        self.lab.plane.reconciled(self.lab.plane.snapshot())

    def hosts_follow(self) -> None:
        """Start the hosts that must run, with the health `default`, and remove those that must end."""
        for instance in self.lab.plane.snapshot().instances.values():
            if instance.state == "pending":
                self.balancers.health.setdefault(instance.id, self.default)
                self.lab.plane.instance_state(instance.id, "running")
            elif instance.state == "shutting-down":
                self.balancers.health.pop(instance.id, None)
                self.lab.plane.instance_state(instance.id, "terminated")
        self.follow()

    def settle(self) -> None:
        """Repeat until nothing changes."""
        before = None
        while before != self._everything:
            before = self._everything
            self.hosts_follow()

    @property
    def _everything(self) -> object:
        instances = self.lab.plane.snapshot().instances.values()
        return self.state, sorted((instance.id, instance.state) for instance in instances)

    def passes(self, seconds: float) -> None:
        self.time += seconds
        self.follow()

    @property
    def group(self) -> dict[str, Any]:
        found = self.api.describe_auto_scaling_groups(AutoScalingGroupNames=[self.name])["AutoScalingGroups"]
        return dict(found[0])

    @property
    def state(self) -> list[tuple[str, str]]:
        groups = self.api.describe_auto_scaling_groups()["AutoScalingGroups"]
        return [(each["InstanceId"], each["LifecycleState"]) for group in groups for each in group["Instances"]]

    @property
    def ids(self) -> list[str]:
        return [each["InstanceId"] for each in self.group["Instances"]]

    @property
    def lifecycle(self) -> list[str]:
        return [each["LifecycleState"] for each in self.group["Instances"]]

    @property
    def zones(self) -> list[str]:
        return sorted(each["AvailabilityZone"][-1] for each in self.group["Instances"])

    @property
    def versions(self) -> list[str]:
        return sorted(each["LaunchTemplate"]["Version"] for each in self.group["Instances"])

    @property
    def activities(self) -> list[dict[str, Any]]:
        return list(self.api.describe_scaling_activities(AutoScalingGroupName=self.name)["Activities"])

    @property
    def registered(self) -> set[str]:
        told = self.elb.describe_target_health(TargetGroupArn=self.target_group)["TargetHealthDescriptions"]
        return {each["Target"]["Id"] for each in told}

    def refresh(self, **preferences: Any) -> None:
        """Start an instance refresh to the latest version, and make its first pass."""
        configuration = {"LaunchTemplate": {"LaunchTemplateName": "web", "Version": "2"}}
        self.api.start_instance_refresh(
            AutoScalingGroupName=self.name, DesiredConfiguration=configuration, Preferences=preferences
        )
        self.follow()

    @property
    def refreshed(self) -> dict[str, Any]:
        return dict(self.api.describe_instance_refreshes(AutoScalingGroupName=self.name)["InstanceRefreshes"][0])


@pytest.fixture
def scaling(lab: Lab) -> Iterator[Scaling]:
    balancers = FakeBalancers()
    lab.plane.attach(lab.hosts, balancers)
    made = Scaling(lab, balancers)
    made.prepare()
    yield made
