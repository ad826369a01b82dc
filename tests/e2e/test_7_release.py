"""A release is not seen by visitors, and one that fails by few of them: both balancers under a steady load."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

PLAYBOOK = "playbooks/release.yml"
APP = Path(__file__).parents[2] / "roles" / "lamp" / "files" / "app"
LOAD = Path(__file__).with_name("load.py")
TIERS = ("public", "private")
RATE = 200  # requests a second, both balancers together
DELAY = "deregistration_delay.timeout_seconds"
# Its own server finds nothing wrong with it: only who comes through the balancer does.
BROKEN = "<?php if ($_SERVER['REMOTE_ADDR'] !== '127.0.0.1') { http_response_code(500); exit; } ?>"


@pytest.fixture(scope="module", autouse=True)
def _short_delay(laptop: Any) -> Iterator[None]:
    """Draining takes the whole delay, whatever there is to drain: as short as the pages allow, for the time being."""
    elb = laptop.client("elbv2")
    groups = [group["TargetGroupArn"] for group in elb.describe_target_groups()["TargetGroups"]]

    def delay(arn: str) -> str:
        attributes = elb.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
        return next(str(one["Value"]) for one in attributes if one["Key"] == DELAY)

    def put(arn: str, seconds: str) -> None:
        elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=[{"Key": DELAY, "Value": seconds}])

    before = {arn: delay(arn) for arn in groups}
    for arn in groups:
        put(arn, "5")
    yield
    for arn, seconds in before.items():
        put(arn, seconds)


@pytest.fixture
def source(tmp_path: Path) -> Callable[[str], dict[str, Any]]:
    """The variables of a release of the sample application with something at the head of its page."""

    def changed(head: str) -> dict[str, Any]:
        app = shutil.copytree(APP, tmp_path / "app")
        page = app / "public" / "index.php"
        page.write_text(f"{page.read_text()}<!-- {tmp_path} -->\n")
        page.write_text(page.read_text().replace("<?php\n\ndeclare(strict_types=1);", f"{head}<?php", 1))
        return {"lamp_sites": [{"name": "app", "web_root": "public", "source": {"path": str(app)}}]}

    return changed


@contextmanager
def visitors(site: Any) -> Iterator[list[dict[str, Any]]]:
    """Visitors come at a steady rate; afterwards the list holds what they saw, by balancer."""
    seen: list[dict[str, Any]] = []
    urls = [f"{site.urls[tier]}/" for tier in TIERS]
    with subprocess.Popen([sys.executable, str(LOAD), str(RATE), *urls], stdout=subprocess.PIPE, text=True) as load:
        try:
            yield seen
        finally:
            load.terminate()
            told = json.loads(load.communicate(timeout=30)[0])
            seen.extend(told["places"])
            print(json.dumps(told))
    assert sum(place["requests"] for place in seen) > 0.9 * RATE * told["seconds"], "the load was not steady"


def served(site: Any) -> dict[str, str]:
    """The release of every server that answers, as the balancers' visitors get it."""
    found = {}
    for tier in TIERS:
        for _ in range(20):
            with urllib.request.urlopen(f"{site.urls[tier]}/", timeout=5) as answer:
                found[answer.headers["X-Groundwork-Server"]] = answer.headers["X-Groundwork-Release"]
    return found


@pytest.fixture(scope="module")
def first(site: Any) -> dict[str, str]:
    """What every server had before these tests."""
    found = served(site)
    assert set(found) == {"public-1", "public-2", "private-1", "private-2"}
    return found


def refused(laptop: Any, **variables: Any) -> str:
    laptop.calls(reset=True)
    play = laptop.play(playbook=PLAYBOOK, variables=variables)
    assert play.code != 0
    assert laptop.calls()["writes"] == {}
    return "\n".join(play.failures())


def test_nonsense_is_refused_at_once(laptop: Any) -> None:
    told = refused(laptop, release_canary=2, release_batch="0%", release_tiers=["public", "publik"], release_wram=1)
    for part in ("release_canary: 2 servers are all", "release_batch: '0%'", "no tier 'publik'", "release_wram: "):
        assert part in told


def test_a_release_that_no_server_keeps_is_refused(laptop: Any, first: dict[str, str]) -> None:
    told = refused(laptop, lamp_release="000000000000")
    assert "lamp_release: '000000000000' of 'app' is not on" in told
    assert first["public-1"] in told


def test_check_tells_who_would_get_what(laptop: Any, site: Any, first: dict[str, str], source: Any) -> None:
    laptop.calls(reset=True)
    play = laptop.play("--check", "--diff", playbook=PLAYBOOK, variables=source(""))
    assert play.code == 0, play.failures() or play.errors
    (plan,) = [result for task, _, result in play.results() if task.endswith("Plan the release")]
    assert [change["name"].rpartition(" on ")[2] for change in plan["changes"]] == [
        f"{tier}-{n}" for n in (1, 2) for tier in TIERS
    ]
    assert [part["before_header"] for part in plan["diff"]] == ["canary", "batch 2"]
    assert f"public-1: app {first['public-1']}\n" in plan["diff"][0]["before"]
    assert sum(play.changed().values()) == 1
    assert laptop.calls()["writes"] == {}
    assert served(site) == first


def test_a_good_release_is_seen_by_nobody(laptop: Any, site: Any, first: dict[str, str], source: Any) -> None:
    variables = source("")
    with visitors(site) as seen:
        play = laptop.play(playbook=PLAYBOOK, variables=variables)
    assert play.code == 0, play.failures() or play.errors
    assert [place["failures"] for place in seen] == [[], []]
    now = served(site)
    assert set(now) == set(first)
    assert len(set(now.values())) == 1
    assert set(now.values()) != set(first.values())
    again = laptop.play(playbook=PLAYBOOK, variables=variables)
    assert (again.code, again.changes(), set(again.changed().values())) == (0, [], {0})


def test_a_bad_release_is_seen_by_the_canarys_visitors_only(laptop: Any, site: Any, source: Any) -> None:
    before = served(site)
    with visitors(site) as seen:
        play = laptop.play(playbook=PLAYBOOK, variables=source(BROKEN))
    assert play.code != 0
    story = play.failures()[-1]
    assert "app through public: " in story
    assert f"public-1 has app {before['public-1']} again" in story
    for tier, place in zip(TIERS, seen, strict=True):
        by_server = Counter({one["server"]: 0 for one in place["answers"]})
        for one in place["answers"]:
            by_server[one["server"]] += one["count"] if one["status"] != "200" else 0
        assert by_server[f"{tier}-1"] == len(place["failures"]), "the canary, and nobody else, and not the balancer"
        assert 0 < len(place["failures"]) < place["requests"] / 2
    assert served(site) == before


def test_going_back_by_hand_is_seen_by_nobody(laptop: Any, site: Any, first: dict[str, str]) -> None:
    with visitors(site) as seen:
        play = laptop.play(playbook=PLAYBOOK, variables={"lamp_release": first["public-1"]})
    assert play.code == 0, play.failures() or play.errors
    assert [place["failures"] for place in seen] == [[], []]
    assert served(site) == first
