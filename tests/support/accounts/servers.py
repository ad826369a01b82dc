"""The lab's control plane with a network, hosts that follow while somebody waits, and calls that are counted or cut."""

from __future__ import annotations

import typing as t
from collections import Counter

import boto3
from cloud import NEXT_STATE, Killed

from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.run import converge_servers
from groundwork_lab.api import ControlPlane
from groundwork_lab.settings import REGION


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
                self.plane.instance_state(instance["InstanceId"], following)

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
        """The ids of the images that servers start from by default, the newest first."""
        bookworm = [{"Name": "name", "Values": ["debian-12-amd64-*"]}]
        images = self.ec2.describe_images(Filters=bookworm)["Images"]
        return [image["ImageId"] for image in sorted(images, key=lambda i: i["CreationDate"], reverse=True)]
