"""An AWS account, the lab's control plane, whose calls are counted and which can be cut off at any of them."""

from __future__ import annotations

import threading
import typing as t

import boto3
from botocore import xform_name
from botocore.config import Config
from clock import Clock

from ansible_collections.groundwork.aws.plugins.module_utils.engine.cut import watch
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import NO_REPETITION, TEN_ATTEMPTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from groundwork_lab.api import ControlPlane, Fault
from groundwork_lab.credentials import ACCESS_KEY
from groundwork_lab.model import InstanceState
from groundwork_lab.settings import REGION

# The state that EC2 reports next, once a host has done what was asked.
NEXT_STATE: dict[str, InstanceState] = {"pending": "running", "stopping": "stopped", "shutting-down": "terminated"}
READING = ("Describe", "Get", "Head", "List")


def is_write(operation: str) -> bool:
    return not operation.startswith(READING)


class Killed(BaseException):
    """The process died here."""


class Watched:
    """Clients that are made once, because that is slow, and that talk to the account of the moment."""

    def __init__(self) -> None:
        self.cloud: Cloud | None = None
        self.called: set[tuple[str, str]] = set()  # services and operations of runs
        self.running = False
        self._clients: dict[tuple[str, bool, str, bool], t.Any] = {}

    def client(self, service: str, *, watched: bool, region: str = REGION, writing: bool = False) -> t.Any:
        key = (service, watched, region, writing)
        if key not in self._clients:
            client = boto3.client(
                service,
                region_name=region,
                endpoint_url="http://cloud.invalid",
                config=Config(
                    s3={"addressing_style": "path"}, retries=dict(NO_REPETITION if writing else TEN_ATTEMPTS)
                ),
                aws_access_key_id=ACCESS_KEY,
                aws_secret_access_key="testing",
            )
            watch(client)
            client.meta.events.register(f"request-created.{service}", self._address)
            if watched:
                client.meta.events.register(f"before-call.{service}", self._before)
                client.meta.events.register(f"after-call.{service}", self._after)
            self._clients[key] = client
        return self._clients[key]

    def _address(self, request: t.Any, **_event: t.Any) -> None:
        assert self.cloud, "there is no account"
        request.url = request.url.replace("http://cloud.invalid", self.cloud.endpoint)

    def _before(self, model: t.Any, **_event: t.Any) -> None:
        if self.cloud:
            if self.running:
                self.called.add((model.service_model.service_name, xform_name(model.name)))
            self.cloud.before(model.name)

    def _after(self, **_event: t.Any) -> None:
        if self.cloud:
            self.cloud.after()


class Writers:
    """Clients of the account that do not repeat requests."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched

    def client(self, service: str, /, **extra: t.Any) -> t.Any:
        return self._watched.client(service, watched=True, writing=True, **extra)


LATE = 3.0  # seconds until AWS tells everyone of a change
# What may happen on the way to AWS and back, to one call of five, and what AWS may not tell yet, always or by turns.
WEATHER = {
    "throttled": (Fault(probability=0.2),),
    "failed before": (Fault(probability=0.2, code="InternalError", status=500),),
    "failed after": (Fault(probability=0.2, code="InternalError", status=500, executed=True),),
    "lost": (Fault(probability=0.2, drop=True),),
    "cut": (Fault(probability=0.2, cut=True),),
    "late": (Fault(stale=LATE), Fault(unknown=LATE)),
    "late by turns": (Fault(probability=0.5, stale=LATE), Fault(probability=0.5, unknown=LATE)),
}
# It is for none of the callers, and lets the account remember what it was.
REMEMBERED = Fault(access_key="none", stale=LATE)


class Cloud(Clock):
    """An empty account. `calls` are those of the last run; while somebody sleeps, the lab follows."""

    Killed = Killed

    def __init__(self, watched: Watched, plane: ControlPlane, endpoint: str) -> None:
        super().__init__()
        self.plane = plane
        plane.history.clock = plane.context.clock = self.monotonic
        self.endpoint = endpoint
        self.calls: list[str] = []
        self.warnings: list[str] = []
        self.killed_after: int | None = None
        self.ran: list[t.Callable[[Run], t.Any]] = []
        self._lock = threading.Lock()
        self._watched = watched

    def client(self, service: str, /, **extra: t.Any) -> t.Any:
        return self._watched.client(service, watched=True, **extra)

    def of(self, service: str) -> t.Any:
        """A client whose calls are not counted."""
        return self._watched.client(service, watched=False)

    @property
    def ec2(self) -> t.Any:
        return self.of("ec2")

    def run(
        self, converge: t.Callable[[Run], t.Any], options: t.Mapping[str, t.Any], *, check_mode: bool = False
    ) -> t.Any:
        """One run of a module."""
        self.ran.append(converge)
        self.calls, self.warnings = [], []
        writers = Writers(self._watched)
        run = Run(options, self, self.warnings.append, check_mode=check_mode, clock=self, writers=writers)
        self._watched.running = True
        try:
            return converge(run)
        finally:
            self._watched.running = False

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self.plane.reconciled(self.plane.snapshot())

    def follow(self) -> None:
        """Move the hosts to the states that the API wants."""
        for instance in self.plane.snapshot().instances.values():
            following = NEXT_STATE.get(instance.state)
            if following:
                self.plane.instance_state(instance.id, following)

    @property
    def writes(self) -> list[str]:
        return [call for call in self.calls if is_write(call)]

    def before(self, operation: str) -> None:
        with self._lock:
            self.calls.append(operation)

    def after(self) -> None:
        if self.killed_after is not None and len(self.calls) > self.killed_after:
            raise Killed


def told(result: t.Mapping[str, t.Any]) -> list[str]:
    """A result's changes as sentences."""
    return [f"{change['action']} {change['resource']} {change['name']}" for change in result["changes"]]


NewCloud = t.Callable[[], Cloud]


class Survives(t.Protocol):
    """Kills a run right after each of its writes and completes it by another one; returns the number of its writes."""

    def __call__(
        self,
        converge: t.Callable[[Run], t.Any],
        options: t.Mapping[str, t.Any],
        look: t.Callable[[Cloud], t.Any],
        prepare: t.Callable[[Cloud], object] = ...,
        *,
        recent: bool = ...,
    ) -> int: ...
