"""Times of schedules: what is accepted without systemd is accepted by systemd."""

from __future__ import annotations

import random
import shutil
import subprocess

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.project.lamp.calendar import SHORT, check_calendar

GOOD = [
    *SHORT,
    "*-*-* 03:00:00",
    "*-*-* 3:00",
    "Mon..Fri 08:00",
    "Mon,Wed..Fri 1..5/2:00 UTC",
    "*:0/15",
    "*:*:0/15",
    "*-*-1..7 04:00 Europe/Berlin",
    "2027-12-24",
    "Sun",
    "12-24 18:00",
    "2027..2030/2-*-1 00:00,30",
]
BAD = [
    "",
    " ",
    "never",
    "25:00",
    "*-13-01",
    "*-*-32",
    "*:60",
    "*:0/0",
    "Sat..Tue",
    "Mon  08:00",
    "5..1:00",
    "UTC",
    "@0",
]
BAD += ["*:*/5", "*:57/4", "Monday", "*-*-* 03:00:00\n", "--help", '08:00" "x', "08:00 %n", "1", "08:00 europe/berlin"]


@pytest.mark.parametrize("text", BAD)
def test_what_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a"):
        check_calendar(text)


def elapses(text: str) -> bool:
    return not subprocess.run(["systemd-analyze", "calendar", text], capture_output=True, check=False).returncode


def part(chance: random.Random, least: int, most: int) -> str:
    """Return a part of a time."""
    first, last = sorted(chance.randint(least, most) for _each in range(2))
    step = chance.randint(1, 9)
    plain = ["*", str(first), f"{first:02}", f"{first}..{last}"]
    return chance.choice([*plain, *([f"{first}/{step}"] if first + step <= most else plain)])


def generated(seed: int) -> str:
    chance = random.Random(seed)  # noqa: S311 - a reproducible choice
    days = chance.choice(["", "", "Mon", "Tue..Fri", "Mon,Sat..Sun"])
    date = chance.choice(["", f"{part(chance, 1970, 2199)}-{part(chance, 1, 12)}-{part(chance, 1, 31)}", "*-*-*"])
    time = ":".join([part(chance, 0, 23), part(chance, 0, 59), part(chance, 0, 59)][: chance.choice([2, 3])])
    return " ".join(filter(None, [days, date, time, chance.choice(["", "UTC"])]))


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed on this machine")
@pytest.mark.parametrize("text", [*GOOD, *map(generated, range(60))])
def test_systemd_accepts_what_is_accepted(text: str) -> None:
    check_calendar(text)
    assert elapses(text)
