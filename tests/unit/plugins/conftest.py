"""An AWS account in this process, whose calls are counted and which can be cut off at any of them."""

from __future__ import annotations

import threading
import typing as t

import boto3
import pytest
from moto import mock_aws
from moto.ec2.models import ec2_backends

from ansible_collections.groundwork.aws.plugins.module_utils.running import Run

REGION = "eu-central-1"


class Killed(BaseException):
    """The process died here."""


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Watched:
    """Clients that are made once, because that is slow, and that tell the account of the moment of their calls."""

    def __init__(self) -> None:
        self.cloud: Cloud | None = None
        self._clients: dict[tuple[str, bool], t.Any] = {}

    def client(self, service: str, *, watched: bool) -> t.Any:
        key = (service, watched)
        if key not in self._clients:
            self._clients[key] = boto3.client(
                service, region_name=REGION, aws_access_key_id="testing", aws_secret_access_key="testing"
            )
            if watched:
                self._clients[key].meta.events.register(f"before-call.{service}", self._before)
                self._clients[key].meta.events.register(f"after-call.{service}", self._after)
        return self._clients[key]

    def _before(self, model: t.Any, **_event: t.Any) -> None:
        if self.cloud:
            self.cloud.before(model.name)

    def _after(self, **_event: t.Any) -> None:
        if self.cloud:
            self.cloud.after()


class Cloud:
    """An empty account of moto's. `calls` are those of the last run."""

    Killed = Killed

    def __init__(self, watched: Watched) -> None:
        self.calls: list[str] = []
        self.warnings: list[str] = []
        self.killed_after: int | None = None
        self._lock = threading.Lock()
        self._watched = watched

    def client(self, service: str) -> t.Any:
        return self._watched.client(service, watched=True)

    @property
    def ec2(self) -> t.Any:
        """A client whose calls are not counted."""
        return self._watched.client("ec2", watched=False)

    def run(
        self, converge: t.Callable[[Run], t.Any], options: t.Mapping[str, t.Any], *, check_mode: bool = False
    ) -> t.Any:
        """One run of a module."""
        self.calls, self.warnings = [], []
        return converge(Run(options, self, self.warnings.append, check_mode=check_mode, clock=Clock()))

    @property
    def writes(self) -> list[str]:
        return [call for call in self.calls if not call.startswith("Describe")]

    def before(self, operation: str) -> None:
        with self._lock:
            self.calls.append(operation)

    def after(self) -> None:
        if self.killed_after is not None and len(self.calls) > self.killed_after:
            raise Killed


def told(result: t.Mapping[str, t.Any]) -> list[str]:
    """A result's changes as sentences."""
    return [f"{change['action']} {change['resource']} {change['name']}" for change in result["changes"]]


@pytest.fixture(name="told")
def told_fixture() -> t.Callable[[t.Mapping[str, t.Any]], list[str]]:
    return told


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def watched() -> Watched:
    return Watched()


@pytest.fixture
def new_cloud(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> t.Iterator[t.Callable[[], Cloud]]:
    """Makes an empty account, and forgets the one before."""
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")  # 300 of them, with every reset

    def make() -> Cloud:
        for account in ec2_backends.values():
            account.reset()
        watched.cloud = Cloud(watched)
        return watched.cloud

    with mock_aws():
        yield make
    watched.cloud = None


@pytest.fixture
def cloud(new_cloud: t.Callable[[], Cloud]) -> Cloud:
    return new_cloud()


@pytest.fixture
def survives(new_cloud: t.Callable[[], Cloud]) -> t.Callable[..., int]:
    """Kills a run right after each of its writes; run again, the account has to look as if nothing had happened.

    Nothing outlives a run but the account, so that after one call is before the next.
    """

    def check(
        converge: t.Callable[[Run], t.Any],
        options: t.Mapping[str, t.Any],
        look: t.Callable[[Cloud], t.Any],
        prepare: t.Callable[[Cloud], None] = lambda _cloud: None,
    ) -> int:
        def fresh() -> Cloud:
            made = new_cloud()
            prepare(made)
            return made

        whole = fresh()
        whole.run(converge, options)
        expected, operations = look(whole), whole.calls
        writes = [position for position, name in enumerate(operations) if not name.startswith("Describe")]
        for position in writes:
            victim = fresh()
            victim.killed_after = position
            with pytest.raises(Killed):
                victim.run(converge, options)
            victim.killed_after = None
            victim.run(converge, options)
            assert look(victim) == expected, f"killed after {operations[position]}, call {position}"
            assert victim.run(converge, options)["changes"] == [], f"killed after {operations[position]}"
        return len(writes)

    return check
