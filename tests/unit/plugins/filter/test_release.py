"""The reports of a release that failed, from what the play recorded on its servers."""

from __future__ import annotations

from typing import Any

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
