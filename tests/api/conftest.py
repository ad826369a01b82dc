"""The tests in this folder call the lab's API, which runs in their own process. They need no root."""

from __future__ import annotations

import json
import socket
import typing as t
from dataclasses import replace
from pathlib import Path

import pytest
from botocore.retries.standard import ExponentialBackoff
from checkout import ROOT
from clock import Clock
from cloud import LATE, REMEMBERED, WEATHER, Cloud, Killed, NewCloud, Survives, Watched, is_write

from ansible_collections.groundwork.aws.plugins.module_utils.engine import apply
from ansible_collections.groundwork.aws.plugins.module_utils.engine.remedies import actions
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.engine.send import is_repeatable, send
from groundwork_lab.api import ControlPlane, Fault
from groundwork_lab.settings import Settings


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def watched() -> t.Iterator[Watched]:
    """Clients of all tests, which must not call what the policies of docs/policies do not allow."""
    made = Watched()
    yield made
    documents = [json.loads(path.read_text()) for path in (ROOT / "docs" / "policies").glob("*.json")]
    statements = [statement for document in documents for statement in document["Statement"]]
    allowed = {action for statement in statements for action in statement["Action"]}
    needed = {action for service, operation in made.called for action in actions(service, operation)}
    assert needed - allowed == set(), "tools/policies does not find these calls in the code"


@pytest.fixture
def new_cloud(watched: Watched, tmp_path: Path) -> t.Iterator[NewCloud]:
    """Makes an empty account, and forgets the one before."""

    def close() -> None:
        if watched.cloud:
            watched.cloud.plane.close()
            watched.cloud = None

    def make() -> Cloud:
        close()
        plane = ControlPlane(Settings("test", tmp_path, tmp_path), lambda: None)
        sockets = [socket.create_server(("127.0.0.1", 0)) for __ in ("api", "s3")]
        plane.serve(sockets)
        watched.cloud = Cloud(watched, plane, f"http://127.0.0.1:{sockets[0].getsockname()[1]}")
        return watched.cloud

    yield make
    close()


@pytest.fixture
def cloud(new_cloud: NewCloud) -> Cloud:
    return new_cloud()


@pytest.fixture
def hosts_follow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Move the hosts on during a wait."""
    sleep = Cloud.sleep

    def sleep_and_follow(cloud: Cloud, seconds: float) -> None:
        sleep(cloud, seconds)
        cloud.follow()
        cloud.plane.reconciled(cloud.plane.snapshot())

    monkeypatch.setattr(Cloud, "sleep", sleep_and_follow)


@pytest.fixture(autouse=True)
def _recoverable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no module make a call that could neither be repeated nor found after its response was lost (0038)."""

    def checked(clients: t.Any, service: str, operation: str, arguments: t.Any, clock: t.Any, **more: t.Any) -> t.Any:
        recoverable = more["repeatable"] or more["find"] or is_repeatable(operation, arguments)
        assert recoverable, f"{operation} of {service} creates something: make it repeatable, or give it a Lookup"
        return send(clients, service, operation, arguments, clock, **more)

    monkeypatch.setattr(apply, "send", checked)


@pytest.fixture
def survives(new_cloud: NewCloud, monkeypatch: pytest.MonkeyPatch) -> Survives:
    """Kills a run right after each of its writes, and then sends a run through each weather.

    After a kill the next run, and in bad weather the first run, has to leave the account as if nothing had happened.
    Nothing outlives a run but the account, so that after one call is before the next. What `prepare` has made is so
    `recent` that AWS may not tell of it, unless an earlier run of the same module has made it.
    """
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda _self, _context: 0)

    def check(
        converge: t.Callable[[Run], t.Any],
        options: t.Mapping[str, t.Any],
        look: t.Callable[[Cloud], t.Any],
        prepare: t.Callable[[Cloud], object] = lambda _cloud: None,
        *,
        recent: bool = True,
    ) -> int:
        def fresh(*remembered: Fault) -> Cloud:
            made = new_cloud()
            made.plane.faults.set(*remembered)
            prepare(made)
            return made

        whole = fresh()
        whole.run(converge, options)
        expected, operations = look(whole), whole.calls
        writes = [position for position, name in enumerate(operations) if is_write(name)]
        for position in writes:
            victim = fresh()
            victim.killed_after = position
            with pytest.raises(Killed):
                victim.run(converge, options)
            victim.killed_after = None
            victim.run(converge, options)
            assert look(victim) == expected, f"killed after {operations[position]}, call {position}"
            assert victim.run(converge, options)["changes"] == [], f"killed after {operations[position]}"
        for name, faults in WEATHER.items():
            traveller = fresh(REMEMBERED)
            if converge in traveller.ran or not recent:
                traveller.sleep(LATE + 1)
            traveller.plane.faults.set(*(replace(fault, seed=len(operations)) for fault in faults))
            traveller.run(converge, options)
            traveller.plane.faults.clear()
            assert look(traveller) == expected, name
            assert traveller.run(converge, options)["changes"] == [], name
        return len(writes)

    return check
