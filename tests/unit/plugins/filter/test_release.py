"""The reports of a release that failed, from what the play recorded on its servers."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.groundwork.aws.plugins.filter.release import release

TAGS = {"server_tags": {"groundwork:tier": "public"}}
PLAN = {"public-2": {"back": [{"name": "app", "id": "old"}], "rotated": True}}


def test_a_server_that_had_the_release_already_is_unchanged() -> None:
    """Its name is not in the plan, which holds the servers of the batches."""
    hostvars: dict[str, dict[str, Any]] = {
        "public-1": {**TAGS, "server_id": "i-1", "release_answer": {"ping": "pong"}},
        "public-2": {**TAGS, "server_id": "i-2", "release_answer": {"ping": "pong"}, "release_returned": []},
    }
    play = {"hosts": list(hostvars), "plan": PLAN, "touched": ["public-2"]}
    assert release(hostvars, "rolled_back", **play) == ["public-2"]
    told = release(hostvars, "report", **play, unwell=[], stays=False, command="again", sites=1)
    assert told.splitlines() == [
        "The release failed and was rolled back.",
        "- public-1 is unchanged: it did not get the release.",
        "- public-2 has app old again.",
        "To release again when the cause is fixed:",
        "  again",
    ]


RECORD = "new, kept old, 2026-11-29T20:31Z, public-1: a page fails"
FORWARD = [{"name": "app", "id": "new"}]
BACK = [{"name": "app", "id": "old"}]


def servers(**facts: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the variables of public-1 and private-1 with these facts, by the tier."""
    return {
        f"{tier}-1": {"server_tags": {"groundwork:tier": tier}, "server_id": f"i-{tier}", **facts.get(tier, {})}
        for tier in ("public", "private")
    }


@pytest.mark.parametrize(
    ("facts", "planned", "recorded"),
    [
        ({"release_went_back": True}, ("public-1", "private-1"), ["i-public", "i-private"]),
        ({"release_given": {"taken_back": {"app": "old"}}}, ("public-1", "private-1"), ["i-public", "i-private"]),
        ({"release_went_back": True}, ("public-1",), ["i-public"]),
        ({"release_went_back": False, "release_given": {"taken_back": {}}}, ("public-1", "private-1"), []),
    ],
    ids=["rolled back", "taken back by the server itself", "a tier keeps it", "no server had it"],
)
def test_what_was_taken_back_is_recorded_in_its_tiers(
    facts: dict[str, Any], planned: tuple[str, ...], recorded: list[str]
) -> None:
    hostvars = servers(public={**facts, "release_failure": "public-1: a page fails"})
    plan = {name: {"forward": FORWARD, "back": BACK} for name in planned}
    found = release(hostvars, "taken_back", hosts=list(hostvars), plan=plan, at="2026-11-29T20:31Z")
    assert [one["resource"] for one in found] == recorded
    assert all(one["tags"] == {"groundwork:taken-back:app": RECORD} for one in found)


def test_a_record_ends_when_its_release_is_served() -> None:
    hostvars = servers()
    hostvars["public-1"]["server_tags"]["groundwork:taken-back:app"] = RECORD
    assert release(hostvars, "outdated_records", hosts=list(hostvars), releases=FORWARD) == [
        {"resource": "i-public", "state": "absent", "tags": {"groundwork:taken-back:app": None}}
    ]
