"""An account of moto's with a network, images and security groups, and clients that count, stop and lose calls."""

from __future__ import annotations

import typing as t
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import boto3
import pytest
from moto import mock_aws
from moto.ec2 import ec2_backends

from ansible_collections.groundwork.aws.plugins.module_utils.instances.run import converge_servers
from ansible_collections.groundwork.aws.plugins.module_utils.ownership import specification
from ansible_collections.groundwork.aws.plugins.module_utils.running import Run

REGION = "eu-central-1"
ACCOUNT = "123456789012"
ZONES = ["eu-central-1a", "eu-central-1b"]
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJIF4M9mOM1CgqWnVr0CnU4jUDqUDV/AiWYOf4qqJmz"


class Killed(BaseException):
    """The run was killed."""


@dataclass
class Account:
    """One account and region; `killed_before` is the number of the call that is not made any more."""

    Killed: t.ClassVar[type[BaseException]] = Killed

    calls: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    killed_before: int | None = None
    made: dict[str, t.Any] = field(default_factory=dict)

    def client(self, service: str, /, **extra: t.Any) -> t.Any:
        if service not in self.made:
            client = boto3.client(service, region_name=REGION, **extra)
            client.meta.events.register(f"before-call.{service}", self._count)
            self.made[service] = client
        return self.made[service]

    def _count(self, model: t.Any, **_: t.Any) -> None:
        if self.killed_before is not None and len(self.calls) >= self.killed_before:
            raise Killed
        self.calls.append(model.name)

    @property
    def counted(self) -> Counter[str]:
        return Counter(self.calls)

    def converge(self, options: dict[str, t.Any], *, check_mode: bool = False) -> dict[str, t.Any]:
        self.calls.clear()
        self.warnings.clear()
        return converge_servers(Run(options, self, self.warnings.append, check_mode=check_mode, clock=NoWaiting()))

    @property
    def backend(self) -> t.Any:
        return ec2_backends[ACCOUNT][REGION]

    def instances(self) -> list[dict[str, t.Any]]:
        answer = boto3.client("ec2", region_name=REGION).describe_instances()
        found = [instance for reservation in answer["Reservations"] for instance in reservation["Instances"]]
        return [instance for instance in found if instance["State"]["Name"] != "terminated"]

    def add_image(self, name: str, created: str) -> str:
        image_id: str = boto3.client("ec2", region_name=REGION).register_image(
            Name=name, RootDeviceName="/dev/xvda", Architecture="x86_64", VirtualizationType="hvm"
        )["ImageId"]
        self.backend.amis[image_id].creation_date = datetime.fromisoformat(created)
        return image_id


class NoWaiting:
    """A clock on which waiting takes no time."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float, /) -> None:
        self.now += seconds


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """An account without anything but two images, an older and a newer one."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    with mock_aws():
        account = Account()
        account.made["old image"] = account.add_image("debian-12-amd64-20240101-1", "2024-01-01T00:00:00.000Z")
        account.made["new image"] = account.add_image("debian-12-amd64-20250101-1", "2025-01-01T00:00:00.000Z")
        account.add_image("debian-13-amd64-20260101-1", "2026-01-01T00:00:00.000Z")
        yield account


@pytest.fixture
def network(account: Account) -> Account:
    """The account with the environment's subnets and security groups."""
    ec2 = boto3.client("ec2", region_name=REGION)
    vpc_id = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
    for position, (tier, zone) in enumerate((tier, zone) for tier in ("public", "private") for zone in ZONES):
        ec2.create_subnet(
            VpcId=vpc_id,
            CidrBlock=f"10.20.{position}.0/24",
            AvailabilityZone=zone,
            TagSpecifications=specification(
                "subnet", {"Name": f"dev-{tier}-{zone[-1]}", "groundwork:environment": "dev"}
            ),
        )
    for name in ("public-servers", "private-servers", "monitored"):
        ec2.create_security_group(
            GroupName=name,
            Description=name,
            VpcId=vpc_id,
            TagSpecifications=specification("security-group", {"Name": f"dev-{name}", "groundwork:environment": "dev"}),
        )
    return account


@pytest.fixture
def options(tmp_path: Path) -> t.Callable[..., dict[str, t.Any]]:
    """The module's options: two servers in each of two tiers unless told otherwise."""
    key_file = tmp_path / "id_ed25519.pub"
    key_file.write_text(f"{KEY} someone@somewhere\n")

    def make(public: dict[str, t.Any] | None = None, private: dict[str, t.Any] | None = None, **given: t.Any):
        tier = {"count": 2, "instance_type": "t3.small", "image": {"owner": "self"}}
        return {
            "environment_name": "dev",
            "tags": {},
            "tiers": {"public": {**tier, **(public or {})}, "private": {**tier, **(private or {})}},
            "zones": ZONES,
            "key_file": str(key_file),
            "key_file_planned": False,
            "metadata_hop_limit": 1,
            "allow_removal": False,
            "deadline": 30,
            **given,
        }

    return make
