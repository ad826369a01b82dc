from __future__ import annotations

import pytest

from groundwork_lab.aws.autoscaling import refreshing
from groundwork_lab.aws.autoscaling.refreshing import Standing
from groundwork_lab.aws.autoscaling.state import Preferences


def preferences(minimum: int, maximum: int = 100, *checkpoints: int) -> Preferences:
    return Preferences(minimum, maximum, warmup=0, checkpoints=checkpoints)


def standing(desired: int, ready: int, olds: int, fresh: int = 0, unready: int = 0, useless: int = 0) -> Standing:
    return Standing(desired, ready, olds, fresh, unready, useless)


@pytest.mark.parametrize(
    ("desired", "minimum", "maximum", "bounds"),
    [
        (10, 90, 100, (9, 10)),
        (2, 90, 100, (1, 2)),  # rounding up would be all of them: one at a time
        (1, 100, 100, (0, 1)),
        (4, 50, 100, (2, 4)),
        (4, 0, 100, (0, 4)),
        (2, 100, 110, (2, 3)),  # rounding down would be none: one at a time
        (4, 100, 200, (4, 8)),
        (4, 50, 150, (2, 6)),
    ],
)
def test_bounds(desired: int, minimum: int, maximum: int, bounds: tuple[int, int]) -> None:
    assert refreshing.bounds(desired, preferences(minimum, maximum)) == bounds


@pytest.mark.parametrize(
    ("now", "chosen", "removable", "surplus"),
    [
        pytest.param(standing(4, 4, 4), preferences(50), 2, 0, id="half-of-them"),
        pytest.param(standing(4, 2, 2), preferences(50), 0, 0, id="half-is-missing-already"),
        pytest.param(standing(4, 3, 2, fresh=1), preferences(50), 1, 0, id="one-came"),
        pytest.param(standing(2, 2, 2), preferences(100, 150), 0, 1, id="launch-first"),
        pytest.param(standing(2, 3, 2, fresh=1), preferences(100, 150), 1, 1, id="then-terminate"),
        pytest.param(standing(2, 2, 0, fresh=2), preferences(100, 150), 0, 0, id="done"),
        pytest.param(standing(2, 1, 2, useless=1), preferences(100, 150), 1, 1, id="an-old-one-is-ill"),
        pytest.param(standing(2, 0, 2, useless=2), preferences(90), 2, 0, id="all-old-ones-are-ill"),
        pytest.param(standing(0, 0, 0), preferences(90), 0, 0, id="an-empty-group"),
    ],
)
def test_steps(now: Standing, chosen: Preferences, removable: int, surplus: int) -> None:
    assert refreshing.removable(now, chosen) == removable
    assert refreshing.surplus(now, chosen) == surplus


@pytest.mark.parametrize(
    ("total", "kept", "now", "expected"),
    [
        (4, 0, standing(4, 4, 4), 0),
        (4, 0, standing(4, 3, 3, unready=1), 0),  # terminated, but the new one is not ready
        (4, 0, standing(4, 4, 3, fresh=1), 25),
        (3, 0, standing(3, 3, 2, fresh=1), 33),
        (2, 0, standing(2, 3, 2, fresh=1), 0),  # the new one is ready, but the old one is not terminated
        (2, 2, standing(4, 4, 2, fresh=2), 0),  # two did not need to be replaced
        (0, 2, standing(2, 2, 0, fresh=2), 100),
    ],
)
def test_percentage(total: int, kept: int, now: Standing, expected: int) -> None:
    assert refreshing.percentage(total, kept, now) == expected


@pytest.mark.parametrize(
    ("checkpoints", "passed", "olds", "quota"),
    [
        ((), 0, 3, 3),
        ((50, 100), 0, 4, 2),
        ((50, 100), 0, 2, 0),
        ((50, 100), 1, 2, 2),
        ((50,), 1, 2, 0),
        ((1,), 0, 4, 1),
    ],
)
def test_checkpoints(checkpoints: tuple[int, ...], passed: int, olds: int, quota: int) -> None:
    now = standing(4, 4, olds, fresh=4 - olds)
    assert refreshing.quota(4, now, preferences(50, 100, *checkpoints), passed) == quota
