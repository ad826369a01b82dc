"""A server that boots by itself waits for its pages, tells why, and gives up before its group does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from clock import Clock

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.host.boot.fetching import PATIENCE, Cloud
from ansible_collections.groundwork.aws.plugins.module_utils.host.boot.server import _release
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.pages import Answer, Page
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.serving import PagesError

PAGE = Page("app")


def fails(fault: str) -> PagesError:
    return PagesError(f"1 of 1 pages: {fault}", [Answer(PAGE, 503, fault)])


@dataclass
class Host:
    """A fake that raises these errors in order, or returns its result."""

    failures: list[GroundworkError] = field(default_factory=list)
    for_ever: bool = False
    asked: int = 0

    def converge(self, _releases: Any, *, check_mode: bool) -> dict[str, Any]:
        assert not check_mode
        self.asked += 1
        if self.failures:
            raise self.failures[0] if self.for_ever else self.failures.pop(0)
        return {"pages": ["app: /"]}


def boot(host: Any, clock: Clock) -> tuple[list[str], Any]:
    """Return the messages and the result."""
    told = []
    steps = _release(host, [], Cloud("eu-central-1", "amazonaws.com", clock=clock.monotonic, sleep=clock.sleep))
    while True:
        try:
            told.append(next(steps))
        except StopIteration as end:
            return told, end.value


def test_pages_that_are_answered_are_not_waited_for(clock: Clock) -> None:
    assert boot(Host(), clock) == ([], {"pages": ["app: /"]})
    assert clock.slept == []


def test_it_waits_for_a_database_that_comes_later_and_tells_each_reason_once(clock: Clock) -> None:
    host = Host([fails("answered 503"), fails("answered 503"), fails("answered 500")])
    told, result = boot(host, clock)
    assert told == [
        "waiting for the pages. 1 of 1 pages: answered 503",
        "waiting for the pages. 1 of 1 pages: answered 500",
    ]
    assert (result["pages"], host.asked) == (["app: /"], 4)


def test_it_gives_up_before_its_group_does(clock: Clock) -> None:
    with pytest.raises(PagesError, match="answered 503"):
        boot(Host([fails("answered 503")], for_ever=True), clock)
    assert PATIENCE <= clock.now < 300


def test_what_else_fails_is_told_at_once(clock: Clock) -> None:
    with pytest.raises(GroundworkError, match="Could not unpack"):
        boot(Host([GroundworkError("Could not unpack")]), clock)
    assert clock.slept == []
