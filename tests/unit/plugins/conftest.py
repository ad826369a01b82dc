"""An AWS account in this process, whose calls are counted and which can be cut off at any of them."""

from __future__ import annotations

import threading
import typing as t

import boto3
import pytest
from moto import mock_aws

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


class Cloud:
    """Clients of an empty account of moto's. `calls` are those of the last run."""

    Killed = Killed

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.warnings: list[str] = []
        self.killed_before: int | None = None
        self.killed_after: int | None = None
        self._lock = threading.Lock()
        self._clients: dict[str, t.Any] = {}

    def client(self, service: str) -> t.Any:
        if service not in self._clients:
            client = boto3.client(service, region_name=REGION)
            client.meta.events.register(f"before-call.{service}", self._before)
            client.meta.events.register(f"after-call.{service}", self._after)
            self._clients[service] = client
        return self._clients[service]

    @property
    def ec2(self) -> t.Any:
        """A client whose calls are not counted."""
        return boto3.client("ec2", region_name=REGION)

    def run(
        self, converge: t.Callable[[Run], t.Any], options: t.Mapping[str, t.Any], *, check_mode: bool = False
    ) -> t.Any:
        """One run of a module."""
        self.calls, self.warnings = [], []
        return converge(Run(options, self, self.warnings.append, check_mode=check_mode, clock=Clock()))

    @property
    def writes(self) -> list[str]:
        return [call for call in self.calls if not call.startswith("Describe")]

    def _before(self, model: t.Any, **_event: t.Any) -> None:
        with self._lock:
            if self.killed_before == len(self.calls):
                raise Killed
            self.calls.append(model.name)

    def _after(self, model: t.Any, **_event: t.Any) -> None:
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


@pytest.fixture
def new_cloud(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[t.Callable[[], Cloud]]:
    """Makes an empty account, and forgets the one before."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    open_mocks: list[t.Any] = []

    def make() -> Cloud:
        while open_mocks:
            open_mocks.pop().stop()
        mock = mock_aws()
        mock.start()
        open_mocks.append(mock)
        return Cloud()

    yield make
    while open_mocks:
        open_mocks.pop().stop()


@pytest.fixture
def cloud(new_cloud: t.Callable[[], Cloud]) -> Cloud:
    return new_cloud()


@pytest.fixture
def survives(new_cloud: t.Callable[[], Cloud]) -> t.Callable[..., int]:
    """Kills a run before and after each of its calls; run again, the account has to look as if nothing had happened."""

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
        count, expected = len(whole.calls), look(whole)
        for moment in ("killed_before", "killed_after"):
            for position in range(count):
                victim = fresh()
                setattr(victim, moment, position)
                with pytest.raises(Killed):
                    victim.run(converge, options)
                setattr(victim, moment, None)
                victim.run(converge, options)
                assert look(victim) == expected, f"{moment} call {position}"
                assert victim.run(converge, options)["changes"] == [], f"{moment} call {position}"
        return count

    return check
