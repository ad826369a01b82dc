"""A wait reads first, sleeps between reads, and ends at its deadline."""

from __future__ import annotations

from pathlib import Path

import pytest
from clock import Clock

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import DeadlineError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.progress import VARIABLE
from ansible_collections.groundwork.aws.plugins.module_utils.engine.wait import wait_until


def wait(answers: list[int], clock: Clock, deadline: float = 10) -> int:
    seen = iter(answers)
    return wait_until(
        lambda: next(seen), lambda n: n > 2, until="it to be there", deadline=deadline, interval=4, clock=clock
    )


@pytest.mark.parametrize(("answers", "slept"), [([3], []), ([0, 3], [4]), ([0, 0, 0, 3], [4, 4, 4])])
def test_waits_as_long_as_it_takes(answers: list[int], slept: list[float], clock: Clock) -> None:
    assert wait(answers, clock) == 3
    assert clock.slept == slept


def test_gives_up_at_the_deadline(clock: Clock) -> None:
    with pytest.raises(DeadlineError, match=r"Timed out after 10 s waiting for it to be there\. Run again") as caught:
        wait([0] * 9, clock)
    assert clock.now == 12
    assert caught.value.details == {"last_seen": "0"}


def test_a_deadline_of_nothing_still_looks_once(clock: Clock) -> None:
    assert wait([3], clock, deadline=0) == 3


def test_a_long_wait_is_told_every_15_seconds(clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = tmp_path / "progress"
    monkeypatch.setenv(VARIABLE, str(told))
    numbers = iter(range(12))
    wait_until(
        lambda: next(numbers),
        lambda number: number == 11,
        until="it to be there",
        deadline=60,
        interval=4,
        clock=clock,
        standing=lambda number: f"{number} of 11.",
    )
    assert told.read_text().splitlines() == [
        "Waiting for it to be there: 16 s of at most 60 s. 4 of 11.",
        "Waiting for it to be there: 32 s of at most 60 s. 8 of 11.",
    ]


def test_a_short_wait_is_not_told(clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "progress"))
    wait([0, 0, 3], clock)
    assert list(tmp_path.iterdir()) == []
