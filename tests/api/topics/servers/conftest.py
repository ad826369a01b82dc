"""The lab's control plane with a network, hosts that follow while somebody waits, and calls that are counted or cut."""

from __future__ import annotations

import socket
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest
from accounts.servers import Account

from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import specification
from groundwork_lab.api import ControlPlane
from groundwork_lab.credentials import ACCESS_KEY
from groundwork_lab.settings import Settings

ZONES = ["eu-central-1a", "eu-central-1b"]
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJIF4M9mOM1CgqWnVr0CnU4jUDqUDV/AiWYOf4qqJmz"


@pytest.fixture
def new_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[t.Callable[[], Account]]:
    """Makes an empty account, and forgets the one before."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    planes: list[ControlPlane] = []

    def make() -> Account:
        while planes:
            planes.pop().close()
        plane = ControlPlane(Settings("test", tmp_path, tmp_path), lambda: None)
        planes.append(plane)
        sockets = [socket.create_server(("127.0.0.1", 0)) for __ in range(2)]
        plane.serve(sockets)
        return Account(plane, sockets[0].getsockname()[1])

    yield make
    while planes:
        planes.pop().close()


@pytest.fixture
def account(new_account: t.Callable[[], Account]) -> Account:
    return new_account()


@pytest.fixture
def new_network(new_account: t.Callable[[], Account]) -> t.Callable[[], Account]:
    """Makes an account with the environment's subnets and security groups, and forgets the one before."""

    def make() -> Account:
        account = new_account()
        ec2 = account.ec2
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
                TagSpecifications=specification(
                    "security-group", {"Name": f"dev-{name}", "groundwork:environment": "dev"}
                ),
            )
        return account

    return make


@pytest.fixture
def network(new_network: t.Callable[[], Account]) -> Account:
    return new_network()


@pytest.fixture
def options(tmp_path: Path) -> t.Callable[..., dict[str, t.Any]]:
    """The module's options: two servers in each of two tiers unless told otherwise."""
    key_file = tmp_path / "id_ed25519.pub"
    key_file.write_text(f"{KEY} someone@somewhere\n")

    def make(
        public: dict[str, t.Any] | None = None, private: dict[str, t.Any] | None = None, **given: t.Any
    ) -> dict[str, t.Any]:
        tier = {"count": 2, "instance_type": "t3.small"}
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
