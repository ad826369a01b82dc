"""On an empty account the plan is complete, and the run makes exactly that."""

from __future__ import annotations

from typing import Any

import pytest

SPOILT = "rm -f /etc/php/8.2/fpm/pool.d/groundwork-app.conf; systemctl stop apache2"
PLANNED: dict[str, list[str]] = {}


def test_check_mode_completes_and_writes_nothing(laptop: Any) -> None:
    laptop.calls(reset=True)
    play = laptop.play("--check", "--diff")
    assert play.code == 0, play.failures() or play.errors
    assert sum(n for operations in laptop.calls()["writes"].values() for n in operations.values()) == 0
    PLANNED["first run"] = play.changes()
    for expected in ("create subnet public-a", "create server private-2", "create load balancer public"):
        assert any(expected in change for change in PLANNED["first run"]), (expected, PLANNED["first run"])
    for server in ("public-1", "public-2", "private-1", "private-2"):
        assert any(change.startswith(f"{server}: ") for change in PLANNED["first run"]), server


def test_the_run_makes_exactly_that(laptop: Any) -> None:
    play = laptop.play()
    assert play.code == 0, play.failures() or play.errors
    assert play.changes() == PLANNED["first run"]


@pytest.mark.parametrize("purge", [False, True])
def test_the_second_run_changes_nothing_with_few_calls(laptop: Any, purge: bool) -> None:
    laptop.calls(reset=True)
    play = laptop.play(variables={f"{role}_purge": purge for role in ("network", "nat", "firewall", "alb")})
    assert play.code == 0, play.failures() or play.errors
    assert set(play.changed().values()) == {0}, play.changes()
    counted = laptop.calls()
    assert not counted["writes"]
    calls = {service: sum(operations.values()) for service, operations in counted["calls"].items()}
    static_site = sum(calls.pop(service) for service in ("cloudfront", "resourcegroupstaggingapi", "s3"))
    assert static_site <= 12 + 3, counted["calls"]  # what serves it, and its few objects
    assert sum(calls.values()) <= 40, counted["calls"]


@pytest.mark.parametrize("server", ["public-1", "private-2"])
def test_check_mode_predicts_on_running_servers(laptop: Any, site: Any, eventually: Any, server: str) -> None:
    assert laptop.on(server, SPOILT)[0] == 0
    predicted = laptop.play("--check", "--diff", "--limit", server)
    made = laptop.play("--limit", server)
    assert predicted.code == made.code == 0, made.failures()
    assert predicted.changes() == made.changes() != []
    assert set(laptop.play("--limit", server).changed().values()) == {0}
    tier, instance = server.split("-", maxsplit=1)[0], site.servers[server]["InstanceId"]
    assert eventually(lambda: site.health(tier)[instance], lambda state: state == "healthy", 60) == "healthy"
