"""The lab's control plane with a network, hosts that follow while somebody waits, and calls that are counted or cut."""

from __future__ import annotations

import socket
import typing as t
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import specification
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.run import converge_servers
from groundwork_lab.api import ControlPlane
from groundwork_lab.credentials import ACCESS_KEY
from groundwork_lab.settings import REGION, Settings

ZONES = ["eu-central-1a", "eu-central-1b"]
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJIF4M9mOM1CgqWnVr0CnU4jUDqUDV/AiWYOf4qqJmz"
NEXT_STATE = {"pending": "running", "stopping": "stopped", "shutting-down": "terminated"}


class Killed(BaseException):
    """The run was killed."""


class Account:
    """One account and region. `killed_before` and `killed_after` are the number of a run's call."""

    Killed = Killed

    def __init__(self, plane: ControlPlane, port: int) -> None:
        self.plane = plane
        self.endpoint = f"http://127.0.0.1:{port}"
        self.calls: list[str] = []
        self.warnings: list[str] = []
        self.killed_before: int | None = None
        self.killed_after: int | None = None
        self.now = 0.0
        self._clients: dict[str, t.Any] = {}

    # The module's clients and clock

    def client(self, service: str, /, **_: t.Any) -> t.Any:
        if service not in self._clients:
            client = self.plain(service)
            client.meta.events.register(f"before-call.{service}", self._before)
            client.meta.events.register(f"after-call.{service}", self._after)
            self._clients[service] = client
        return self._clients[service]

    def _before(self, model: t.Any, **_: t.Any) -> None:
        if self.killed_before == len(self.calls):
            raise Killed
        self.calls.append(model.name)

    def _after(self, **_: t.Any) -> None:
        if self.killed_after is not None and len(self.calls) > self.killed_after:
            raise Killed

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float, /) -> None:
        self.now += seconds
        self.settle()

    # What tests do

    def plain(self, service: str) -> t.Any:
        """A client whose calls are not counted."""
        return boto3.client(service, region_name=REGION, endpoint_url=self.endpoint)

    @property
    def ec2(self) -> t.Any:
        return self.plain("ec2")

    @property
    def backend(self) -> t.Any:
        return self.plane.context.ec2

    def settle(self) -> None:
        """The hosts reach the states that the API wants."""
        for instance in self.instances(alive=False):
            following = NEXT_STATE.get(instance["State"]["Name"])
            if following:
                self.plane.instance_state(instance["InstanceId"], following)  # type: ignore[arg-type]

    def instances(self, *, alive: bool = True) -> list[dict[str, t.Any]]:
        reservations = self.ec2.describe_instances()["Reservations"]
        found = [instance for reservation in reservations for instance in reservation["Instances"]]
        return [i for i in found if not alive or i["State"]["Name"] not in ("shutting-down", "terminated")]

    def converge(self, options: dict[str, t.Any], *, check_mode: bool = False) -> dict[str, t.Any]:
        self.calls.clear()
        self.warnings.clear()
        return converge_servers(Run(options, self, self.warnings.append, check_mode=check_mode, clock=self))

    @property
    def counted(self) -> Counter[str]:
        return Counter(self.calls)

    def images(self) -> list[str]:
        """The ids of all images, the newest first."""
        images = self.ec2.describe_images()["Images"]
        return [image["ImageId"] for image in sorted(images, key=lambda i: i["CreationDate"], reverse=True)]


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
