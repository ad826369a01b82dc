"""A control plane on loopback in this process, with boto3 as its client and fakes as its data plane."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from groundwork_lab.api import ControlPlane
from groundwork_lab.credentials import ACCESS_KEY
from groundwork_lab.ports import HealthReport
from groundwork_lab.settings import REGION

SESSION = boto3.Session()  # keeps the service models between tests
PUBLIC_KEY = b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGFKn0ZzsBdsO5sKWDbGLJQPBsxrzRdZTMVfSnCbzXyM someone@example.com"


TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
)
"""The trust policy of a role for instances."""


@dataclass
class FakeHosts:
    consoles: dict[str, bytes] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)  # seconds by instance

    def console_output(self, instance_id: str) -> bytes:
        return self.consoles.get(instance_id, b"")

    def cpu_seconds(self, instance_id: str) -> float | None:
        return self.cpu.get(instance_id)


class FakeBalancers:
    def target_health(self, target_group_arn: str) -> dict[tuple[str, int], HealthReport]:
        return {}

    def requests(self, target_group_arn: str) -> int | None:
        return None


def tags(kind: str, **values: str) -> list[dict[str, Any]]:
    """Return TagSpecifications for one resource type."""
    return [{"ResourceType": kind, "Tags": [{"Key": key, "Value": value} for key, value in values.items()]}]


@dataclass
class Lab:
    """The control plane under test, its clients, and helpers to create common resources."""

    plane: ControlPlane
    api: int  # port
    s3_port: int
    origin_port: int
    hosts: FakeHosts
    changes: list[str]

    def client(self, service: str, region: str = REGION, **config: Any) -> Any:
        port = self.s3_port if service == "s3" else self.api
        return SESSION.client(
            service,
            region_name=region,
            endpoint_url=f"http://127.0.0.1:{port}",
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key="secret",
            config=Config(retries={"total_max_attempts": 1}, **config),
        )

    @cached_property
    def ec2(self) -> Any:
        return self.client("ec2")

    @cached_property
    def ssm(self) -> Any:
        return self.client("ssm")

    def refused(self, code: str, call: Callable[..., Any], **arguments: Any) -> str:
        """Make a call that must be refused with `code`, and return the message."""
        with pytest.raises(ClientError) as caught:
            call(**arguments)
        error = caught.value.response["Error"]
        assert error["Code"] == code, error
        return str(error["Message"])

    def vpc(self, cidr: str = "10.0.0.0/16") -> str:
        return str(self.ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"])

    def subnet(self, vpc: str, cidr: str = "10.0.0.0/24", zone: str = "a") -> str:
        zone = f"{REGION}{zone}"
        made = self.ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone=zone)
        return str(made["Subnet"]["SubnetId"])

    def gateway(self, vpc: str) -> str:
        gateway = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
        return str(gateway)

    def address(self) -> str:
        return str(self.ec2.allocate_address(Domain="vpc")["AllocationId"])

    def group(self, vpc: str, name: str = "web") -> str:
        return str(self.ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc)["GroupId"])

    def nat(self, subnet: str, **options: Any) -> dict[str, Any]:
        made = self.ec2.create_nat_gateway(SubnetId=subnet, **{"AllocationId": self.address(), **options})
        return dict(made["NatGateway"])

    @cached_property
    def image(self) -> str:
        images = self.ec2.describe_images(Owners=["136693071363"])["Images"]
        return str(images[0]["ImageId"])

    def launch(self, subnet: str, **options: Any) -> dict[str, Any]:
        request = {"ImageId": self.image, "InstanceType": "t3.micro", "MinCount": 1, "MaxCount": 1, **options}
        if "NetworkInterfaces" not in request:
            request["SubnetId"] = subnet
        return dict(self.ec2.run_instances(**request)["Instances"][0])

    def running(self, subnet: str, **options: Any) -> str:
        instance = str(self.launch(subnet, **options)["InstanceId"])
        self.plane.instance_state(instance, "running")
        return instance

    def instance(self, instance_id: str) -> dict[str, Any]:
        return dict(self.ec2.describe_instances(InstanceIds=[instance_id])["Reservations"][0]["Instances"][0])
