"""The releases that servers serve after a play."""

from __future__ import annotations

from typing import Any

from ansible_collections.groundwork.aws.plugins.filter.served import served


def test_what_servers_serve_is_known_by_tier() -> None:
    seen = {"sites": {"app": {"current": "old", "kept": ["old"]}}}
    given = [{"name": "app", "id": "new"}]
    hostvars: dict[str, dict[str, Any]] = {
        "public-1": {"server_tags": {"groundwork:tier": "public"}, "lamp_seen": seen, "lamp_releases": given},
        "private-1": {"server_tags": {"groundwork:tier": "private"}, "lamp_made": {"served": {"app": "made"}}},
        "planned-1": {"server_tier": "public", "lamp_made": {"served": {"app": "new"}}},
        "unreached-1": {"server_tags": {"groundwork:tier": "public"}},
        "localhost": {"lamp_booted": {"workers": {"app": "booted"}}},
    }
    hosts = ["public-1", "private-1", "planned-1", "unreached-1"]
    workers = {"tier": "workers", "releases": {"app": "booted"}}
    assert served(hostvars, hosts) == [
        {"tier": "public", "releases": {"app": "new"}},
        {"tier": "private", "releases": {"app": "made"}},
        {"tier": "public", "releases": {"app": "new"}},
        {"tier": "public", "releases": {}},
        workers,
    ]
    rolled_back = served(hostvars, ["public-1"], stays=False)
    assert rolled_back == [{"tier": "public", "releases": {"app": "old"}}, workers]
