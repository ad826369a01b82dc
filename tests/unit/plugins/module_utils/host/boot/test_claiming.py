"""A tick is claimed by one server, whatever happens to requests, clocks and servers."""

from __future__ import annotations

import json
import random
import shutil
import typing as t

import conditional_bucket
import pytest
from conditional_bucket import Bucket

from ansible_collections.groundwork.aws.plugins.module_utils.host.boot.claiming import (
    CLAIM_PATIENCE,
    FAIL,
    PROCEED,
    SKIP,
    WINDOW,
    Job,
    decide,
    parse_ticks,
    ticks,
)

JOB = Job("dev", "app", "nightly", "*:*:0/15")
NOON = 1796040000  # 2026-11-30 12:00:00 UTC, a tick
CLAIM = "/claims/dev/app/nightly/20261130T120000Z"
LAST = "/schedules/dev/app/nightly"


class Server(conditional_bucket.Server):
    """A server with the schedule."""

    def decide(self, now: float, *, timer: bool = True, find: t.Callable[..., list[int]] | None = None) -> int:
        return decide(JOB, self.cloud(), now=now, timer=timer, say=self.said.append, find=find or every_15_seconds)


def every_15_seconds(_on_calendar: str, since: int, number: int) -> list[int]:
    first = since - since % 15 + 15
    return [first + 15 * at for at in range(number)]


def daily(_on_calendar: str, since: int, number: int) -> list[int]:
    first = since - (since - NOON) % 86400 + 86400
    return [first + 86400 * at for at in range(number)]


def test_the_first_server_runs_the_job_and_the_others_do_not() -> None:
    bucket = Bucket()
    servers = [Server(name, bucket) for name in ("i-1", "i-2", "i-3")]
    codes = [server.decide(NOON + late) for server, late in zip(servers, (0.2, 0.1, 14.9), strict=True)]
    assert codes == [PROCEED, SKIP, SKIP]
    assert list(bucket.objects) == [CLAIM, LAST]
    assert json.loads(bucket.objects[CLAIM])["server"] == "i-1"
    assert servers[0].hosts == {"groundwork-123456789012-eu-central-1.s3.eu-central-1.amazonaws.com"}
    assert servers[0].said == ["This server runs the job of 2026-11-30 12:00:00 UTC."]
    assert servers[1].said == ["Another server has claimed the tick at 2026-11-30 12:00:00 UTC."]


def test_a_claim_whose_response_was_lost_is_recognized() -> None:
    lost = iter(["response"])
    server = Server("i-1", Bucket(), lambda when: when == "response" and next(lost, "") == "response")
    assert server.decide(NOON) == PROCEED
    assert Server("i-2", server.bucket).decide(NOON) == SKIP


def test_a_server_that_cannot_reach_s3_does_not_run_the_job_and_tells_it() -> None:
    server = Server("i-1", Bucket(), lambda when: True)
    assert server.decide(NOON) == FAIL
    assert CLAIM_PATIENCE <= server.time < 2 * CLAIM_PATIENCE
    assert server.said[0].startswith(
        "This server does not run the job. Could not claim the tick at 2026-11-30 12:00:00"
    )
    assert "the request was lost" in server.said[0]


@pytest.mark.parametrize("seed", range(30))
def test_each_tick_is_run_once_at_most_and_missed_only_without_a_server(seed: int) -> None:
    """Requests and responses are lost, servers come and go, and clocks differ."""
    chance = random.Random(seed)  # noqa: S311 - a reproducible choice
    bucket, ran, up = Bucket(), dict[int, int](), dict[int, bool]()
    for tick in range(NOON, NOON + 30 * 15, 15):
        working = [name for name in ("i-1", "i-2", "i-3") if chance.random() < 0.6]
        up[tick], ran[tick] = bool(working), 0
        for name in chance.sample(working, len(working)):
            server = Server(name, bucket, lambda when: chance.random() < 0.1)
            code = server.decide(tick + chance.random() * 14)
            assert code in (PROCEED, SKIP)
            ran[tick] += code == PROCEED
    assert {tick: count for tick, count in ran.items() if count != up[tick]} == {}


def test_missed_ticks_are_told_by_the_next_server() -> None:
    bucket = Bucket({LAST: str(NOON - 60)})
    server = Server("i-1", bucket)
    assert server.decide(NOON) == PROCEED
    assert server.said[0] == (
        "3 ticks from 2026-11-30 11:59:15 UTC to 2026-11-30 11:59:45 UTC were missed, because no server claimed them."
    )
    assert bucket.objects[LAST] == str(NOON)


@pytest.mark.parametrize("last", [str(NOON), str(NOON + 15), "damaged"])
def test_a_record_that_is_newer_stays(last: str) -> None:
    server = Server("i-1", Bucket({LAST: last}))
    assert server.decide(NOON) == PROCEED
    assert len(server.said) == 1
    assert server.bucket.objects[LAST] == (str(NOON) if last == "damaged" else last)


@pytest.mark.parametrize(
    ("late", "timer", "code"),
    [(WINDOW - 1, True, PROCEED), (WINDOW + 1, True, SKIP), (WINDOW + 1, False, PROCEED), (1, False, PROCEED)],
)
def test_a_tick_of_long_ago_is_not_run_unless_by_hand(late: int, timer: bool, code: int) -> None:
    server = Server("i-1", Bucket())
    assert server.decide(NOON + late, timer=timer, find=daily) == code
    assert (CLAIM in server.bucket.objects) is (late <= WINDOW)


def test_ticks_are_read_in_utc() -> None:
    berlin = """  Original form: *:*:0/15
Normalized form: *-*-* *:*:00/15
    Next elapse: Mon 2026-11-30 13:00:00 CET
       (in UTC): Mon 2026-11-30 12:00:00 UTC
       From now: 1h 7min ago
       Iter. #2: Mon 2026-11-30 13:00:15 CET
       (in UTC): Mon 2026-11-30 12:00:15 UTC
       From now: 1h 7min ago
"""
    utc = """    Next elapse: Mon 2026-11-30 12:00:00 UTC
       From now: 1h 7min ago
       Iter. #2: Mon 2026-11-30 12:00:15 UTC
"""
    assert parse_ticks(berlin) == parse_ticks(utc) == [NOON, NOON + 15]
    trixie = utc.replace("Iter. #2", "Iteration #2")  # systemd 257
    assert parse_ticks(trixie) == [NOON, NOON + 15]
    assert parse_ticks("    Next elapse: never\n") == []


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed on this machine")
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Pacific/Kiritimati"])
def test_systemd_computes_the_ticks_whatever_the_environment_is(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", zone)
    assert ticks("*:*:0/15", NOON - 16, 3) == [NOON - 15, NOON, NOON + 15]
    assert ticks("*-*-* 12:00 UTC", NOON - 1, 1) == [NOON]
