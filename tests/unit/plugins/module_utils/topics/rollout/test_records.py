"""What is recorded of a release that was taken back, and whom it concerns."""

from __future__ import annotations

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.topics.rollout.records import (
    Record,
    noted,
    records,
    records_for,
    tag_changes,
    taken_back,
)

AT = "2026-11-29T20:31Z"
BAD = Record("bad", "old", AT, "too many errors")
TAG = "groundwork:taken-back:app"


def tags(tier: str, **records: Record) -> dict[str, str]:
    return {"groundwork:tier": tier} | {f"groundwork:taken-back:{site}": one.value for site, one in records.items()}


def test_a_record_is_read_as_it_was_written() -> None:
    assert records(tags("web", app=BAD, shop=BAD)) == {"app": BAD, "shop": BAD}
    assert records({TAG: "by hand", "Name": "dev-web-1"}) == {}


def test_a_reason_fits_into_a_tag() -> None:
    [value] = taken_back([("app", "bad", "old")], AT, "web-1:\n  <b>12 of 50</b> answers, " + "x" * 300).values()
    assert value.startswith(f"bad, kept old, {AT}, web-1: b 12 of 50 /b answers x")
    assert len(value) == 256
    assert records({TAG: value})["app"].kept == "old"


@pytest.mark.parametrize(
    ("tier", "kept"),
    [
        ("web", "old"),
        ("api", None),
        ("group", "old"),
    ],
)
def test_a_record_concerns_the_servers_of_its_tier_and_groups(tier: str, kept: str | None) -> None:
    servers = [tags("web", app=BAD), tags("web"), tags("api")]
    found = records_for(tier, servers)
    assert (found["app"].kept if found else None) == kept


def test_the_latest_record_counts_and_then_the_most_common_one() -> None:
    older = Record("worse", "oldest", "2026-11-28T09:00Z", "")
    odd = Record("bad", "zzz", AT, "too many errors")
    servers = [tags("web", app=one) for one in (older, older, older, odd, BAD, BAD)]
    assert records_for("web", servers) == {"app": BAD}


def test_only_what_was_changed_was_taken_back() -> None:
    moves = [("app", "bad", "old"), ("app", "bad", "old"), ("app", "bad", "zzz"), ("shop", "same", "same")]
    assert taken_back(moves, AT, "too many errors") == {TAG: BAD.value}


@pytest.mark.parametrize(
    ("served", "changes"),
    [
        ({"app": "old"}, []),
        ({"shop": "new"}, []),
        ({"app": "bad"}, [{"state": "absent", "tags": {TAG: None}}]),
        ({"app": "new"}, [{"state": "present", "tags": {TAG: f"bad, kept new, {AT}, too many errors"}}]),
    ],
)
def test_a_record_follows_what_is_served(served: dict[str, str], changes: list[dict[str, object]]) -> None:
    assert tag_changes(tags("web", app=BAD), served) == changes


def test_the_warning_tells_what_to_do() -> None:
    text = noted(BAD, "app")
    for part in ("release bad of app was taken back", AT, "too many errors", "old stays", "lamp_release to app:bad"):
        assert part in text
