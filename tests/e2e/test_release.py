"""A release is not seen by visitors, and one that fails by few of them: both balancers under a steady load."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from laptop import Laptop, besides_lock
from running_site import Site
from sample_app import BROKEN, changed_app
from visitors import TIERS, served, short_delay, visitors

PLAYBOOK = "playbooks/release.yml"


@pytest.fixture(scope="module", autouse=True)
def _short_delay(laptop: Laptop) -> Iterator[None]:
    with short_delay(laptop):
        yield


@pytest.fixture(scope="module")
def first(site: Site) -> dict[str, str]:
    """What every server had before these tests."""
    found = served(site)
    assert set(found) == {"public-1", "public-2", "private-1", "private-2"}
    return found


def refused(laptop: Laptop, *words: str, playbook: str = PLAYBOOK, **variables: object) -> str:
    laptop.calls(reset=True)
    play = laptop.play(*words, playbook=playbook, variables=variables)
    assert play.code != 0
    assert besides_lock(laptop.calls()) == {}
    return "\n".join(play.failures())


def test_nonsense_is_refused_at_once(laptop: Laptop) -> None:
    told = refused(laptop, release_canary=2, release_batch="0%", release_tiers=["public", "publik"], release_wram=1)
    for part in (
        "release_canary: 2 servers are all",
        "release_batch: '0%'",
        "'publik' is not the name of a tier",
        "release_wram: ",
    ):
        assert part in told


@pytest.mark.parametrize(
    ("playbook", "words", "message"),
    [
        (PLAYBOOK, (), "lamp_release: '000000000000' of 'app' is not on"),
        (PLAYBOOK, ("--check",), "lamp_release: '000000000000' of 'app' is not on"),
        ("site.yml", ("--check",), "lamp_release: '000000000000' is neither on public-1 nor packed in"),
    ],
)
def test_a_release_that_no_server_keeps_is_refused(
    laptop: Laptop, first: dict[str, str], playbook: str, words: tuple[str, ...], message: str
) -> None:
    told = refused(laptop, *words, playbook=playbook, lamp_release="000000000000")
    assert message in told
    assert first["public-1"] in told


def test_check_tells_who_would_get_what(laptop: Laptop, site: Site, first: dict[str, str], tmp_path: Path) -> None:
    laptop.calls(reset=True)
    play = laptop.play("--check", "--diff", playbook=PLAYBOOK, variables=changed_app(tmp_path))
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


def test_a_good_release_is_seen_by_nobody(laptop: Laptop, site: Site, first: dict[str, str], tmp_path: Path) -> None:
    variables = changed_app(tmp_path)
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


def test_a_bad_release_is_seen_by_the_canarys_visitors_only(laptop: Laptop, site: Site, tmp_path: Path) -> None:
    before = served(site)
    with visitors(site) as seen:
        play = laptop.play(playbook=PLAYBOOK, variables=changed_app(tmp_path, BROKEN))
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


def test_going_back_by_hand_is_seen_by_nobody(laptop: Laptop, site: Site, first: dict[str, str]) -> None:
    with visitors(site) as seen:
        play = laptop.play(playbook=PLAYBOOK, variables={"lamp_release": first["public-1"]})
    assert play.code == 0, play.failures() or play.errors
    assert [place["failures"] for place in seen] == [[], []]
    assert served(site) == first
