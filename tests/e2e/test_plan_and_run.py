"""On an empty account the plan is complete, and the run makes exactly that."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest
from laptop import FPM_FOLDER, LOCK_CALLS, Calls, Laptop, Play, besides_lock
from running_site import START_AGAIN, Site
from watching import eventually

from ansible_collections.groundwork.aws.plugins.module_utils.project.summary import text

ONE_SCREEN = 48  # lines
HIDDEN = "localhost: create parameter /groundwork/local/lamp/app/database-password"
SPOILT = f"rm -f {FPM_FOLDER}/pool.d/groundwork-app.conf; systemctl stop apache2"


@dataclass(frozen=True)
class Planned:
    """A run in check mode, with the calls that it made."""

    play: Play
    calls: Calls


def told(summary: dict[str, Any]) -> list[str]:
    """Return the changes of a summary in the form of `Play.changes`."""
    return [
        f"{host}: {one['action']} {one['resource']} {one['name']}"
        for component in summary["components"]
        for names, changes in (
            (["localhost"], component["changes"]),
            *((group["names"], group["changes"]) for group in component["servers"]),
        )
        for host in names
        for one in changes
    ]


@pytest.fixture(scope="module")
def planned(laptop: Laptop, site: Site) -> Planned:
    """The plan of the first run."""
    assert not site.servers, f"this stage begins without a site, and the lab has one: {START_AGAIN}"
    laptop.calls(reset=True)
    return Planned(laptop.play("--check", "--diff"), laptop.calls())


def test_check_mode_completes_and_writes_nothing(planned: Planned) -> None:
    play = planned.play
    assert play.code == 0, play.failures() or play.errors
    assert planned.calls["writes"] == {}
    changes = play.changes()
    for expected in ("create subnet public-a", "create server private-2", "create load balancer public"):
        assert any(expected in change for change in changes), (expected, changes)
    for server in ("public-1", "public-2", "private-1", "private-2"):
        assert any(change.startswith(f"{server}: ") for change in changes), server


def test_the_run_makes_exactly_that(laptop: Laptop, site: Site, planned: Planned) -> None:
    play = laptop.play()
    assert play.code == 0, play.failures() or play.errors
    site.built = True
    assert play.changes() == planned.play.changes()
    plan, done = planned.play.summary(), play.summary()
    assert {**plan, "planned": False} == done
    # Ansible does not show the result with a secret.
    assert not Counter(play.changes()) - Counter(told(done))
    assert list((Counter(told(done)) - Counter(play.changes())).elements()) == [HIDDEN]
    assert len(text(plan)) <= ONE_SCREEN, text(plan)


@pytest.mark.parametrize("purge", [False, True])
def test_the_second_run_changes_nothing_with_few_calls(laptop: Laptop, purge: bool) -> None:
    laptop.calls(reset=True)
    play = laptop.play(variables={f"{role}_purge": purge for role in ("network", "nat", "firewall", "alb")})
    assert play.code == 0, play.failures() or play.errors
    assert set(play.changed().values()) == {0}, play.changes()
    counted = laptop.calls()
    assert besides_lock(counted) == {}
    calls = {service: sum(operations.values()) for service, operations in counted["calls"].items()}
    static_site = sum(calls.pop(service) for service in ("cloudfront", "resourcegroupstaggingapi", "s3"))
    assert static_site <= 12 + 3 + LOCK_CALLS, counted["calls"]  # what serves it, and its few objects
    assert calls.pop("sts") == 1
    assert sum(calls.values()) <= 42, counted["calls"]


@pytest.mark.parametrize("server", ["public-1", "private-2"])
def test_check_mode_predicts_on_running_servers(laptop: Laptop, site: Site, server: str) -> None:
    assert laptop.on(server, SPOILT)[0] == 0
    predicted = laptop.play("--check", "--diff", "--limit", server)
    made = laptop.play("--limit", server)
    assert predicted.code == made.code == 0, made.failures()
    assert predicted.changes() == made.changes() != []
    assert set(laptop.play("--limit", server).changed().values()) == {0}
    tier, instance = server.split("-", maxsplit=1)[0], site.server_id(server)
    assert eventually(lambda: site.health(tier)[instance], lambda state: state == "healthy", 60) == "healthy"
