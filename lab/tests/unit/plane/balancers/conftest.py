"""`World` values with one load balancer in two zones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from typing import Any

import pytest

from groundwork_lab.model import (
    Action,
    HealthCheck,
    Instance,
    Interface,
    Listener,
    ListenerRule,
    LoadBalancer,
    MetadataOptions,
    Subnet,
    Target,
    TargetGroup,
    World,
)

ARN = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/{}/{}"
CHECK = HealthCheck(True, "HTTP", "traffic-port", "/healthz", 5, 2, 3, 2, "200-299")
ZONES = {"subnet-a": "eu-central-1a", "subnet-b": "eu-central-1b", "subnet-c": "eu-central-1c"}


def arn(name: str) -> str:
    return ARN.format(name, name[0] * 4)


@dataclass
class Builder:
    """Builds a `World`. `instances` maps a number to the subnet of the instance."""

    instances: dict[int, tuple[str, Any]] = field(
        default_factory=lambda: {11: ("subnet-a", "running"), 12: ("subnet-b", "running"), 13: ("subnet-c", "running")}
    )

    def group(self, name: str, targets: Sequence[int] = (), **options: Any) -> TargetGroup:
        attributes: Mapping[str, str] = options.get("attributes", {})
        draining = tuple(Target(f"i-{number}", 80) for number in options.get("draining", ()))
        return TargetGroup(
            arn(name),
            name,
            "vpc-1",
            options.get("protocol", "HTTP"),
            80,
            "instance",
            options.get("check", CHECK),
            tuple(Target(f"i-{number}", 80) for number in targets),
            draining,
            attributes,
        )

    def forward(self, *groups: tuple[str, int], **config: Any) -> Action:
        pairs = [{"TargetGroupArn": arn(name), "Weight": weight} for name, weight in groups]
        return Action("forward", {"TargetGroups": pairs, **config})

    def listener(self, action: Action, *rules: ListenerRule, port: int = 80) -> Listener:
        return Listener(f"listener-{port}", port, "HTTP", (action,), rules)

    def world(
        self, groups: Sequence[TargetGroup], listeners: Sequence[Listener], attributes: Mapping[str, str] | None = None
    ) -> World:
        network = IPv4Network("10.0.0.0/24")
        nodes = {"eni-a": ("10.0.0.5", "subnet-a"), "eni-b": ("10.0.0.6", "subnet-b")}
        hosts = {f"eni-{number}": (f"10.0.0.{number}", subnet) for number, (subnet, _) in self.instances.items()}
        balancer = LoadBalancer(
            "arn:web",
            "web",
            "web.example",
            "internet-facing",
            "vpc-1",
            ("eni-a", "eni-b"),
            tuple(listeners),
            attributes or {},
        )
        return World(
            subnets={name: Subnet(name, "vpc-1", network, zone, "rtb", "acl") for name, zone in ZONES.items()},
            interfaces={
                name: Interface(name, "vpc-1", subnet, "", IPv4Address(address), None, (), True, "none", "")
                for name, (address, subnet) in {**nodes, **hosts}.items()
            },
            instances={
                f"i-{number}": Instance(
                    f"i-{number}",
                    "ami",
                    "t3.small",
                    ZONES[subnet],
                    state,
                    f"eni-{number}",
                    None,
                    None,
                    b"",
                    MetadataOptions("required", 1, True),
                    None,
                    "",
                )
                for number, (subnet, state) in self.instances.items()
            },
            target_groups={group.arn: group for group in groups},
            load_balancers={"arn:web": balancer},
        )


@pytest.fixture
def build() -> Builder:
    return Builder()


@pytest.fixture
def arn_of() -> Callable[[str], str]:
    return arn
