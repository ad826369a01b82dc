"""The number of servers is a number: what a run costs does not depend on it, and fewer are fewer only on demand."""

from __future__ import annotations

import json
from typing import Any

from laptop import Laptop, besides_lock
from running_site import Site

INFRASTRUCTURE = ("--tags", "infrastructure")
TIER = {"instance_type": "t3.small"}


def tiers(count: int) -> dict[str, Any]:
    return {"servers_tiers": {"public": {"count": count, **TIER}, "private": {"count": count, **TIER}}}


def calls_with_nothing_to_do(laptop: Laptop, count: int) -> dict[str, Any]:
    laptop.calls(reset=True)
    play = laptop.play(*INFRASTRUCTURE, variables=tiers(count))
    assert play.code == 0, play.failures() or play.errors
    assert play.changes() == []
    calls: dict[str, Any] = laptop.calls()["calls"]
    return calls


def test_a_run_asks_no_more_with_8_servers_a_tier_than_with_2(laptop: Laptop, site: Site) -> None:
    with_2 = calls_with_nothing_to_do(laptop, 2)
    grown = laptop.play(*INFRASTRUCTURE, variables=tiers(8))
    assert grown.code == 0, grown.failures() or grown.errors
    assert len(site.servers) == 16
    zones = [site.servers[f"private-{number}"]["Placement"]["AvailabilityZone"] for number in range(1, 9)]
    assert zones == ["eu-central-1a", "eu-central-1b"] * 4
    assert calls_with_nothing_to_do(laptop, 8) == with_2, json.dumps(with_2)


def test_fewer_servers_only_when_that_is_allowed(laptop: Laptop, site: Site) -> None:
    kept = {name: site.server_id(name) for name in ("public-1", "public-2", "private-1", "private-2")}
    laptop.calls(reset=True)
    refused = laptop.play(*INFRASTRUCTURE, variables=tiers(2))
    assert refused.code != 0
    assert "servers_allow_removal" in "".join(refused.failures())
    assert besides_lock(laptop.calls()) == {}
    allowed = laptop.play(*INFRASTRUCTURE, variables={**tiers(2), "servers_allow_removal": True})
    assert allowed.code == 0, allowed.failures() or allowed.errors
    assert {name: server["InstanceId"] for name, server in site.servers.items()} == kept
