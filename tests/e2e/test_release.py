"""A release is not seen by visitors, and one that fails by few of them: both balancers under a steady load."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from laptop import Laptop, besides_lock
from running_site import Site
from sample_app import BROKEN, changed_app
from visitors import TIERS, served, short_delay, visitors
from watching import eventually

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


def await_draining(site: Site, server: str) -> None:
    """A release has come to this server."""
    tier, instance = server.partition("-")[0], site.server_id(server)
    assert eventually(lambda: site.health(tier).get(instance), lambda state: state == "draining", 60) == "draining"


def test_a_host_that_dies_in_its_batch_takes_nobody_along(laptop: Laptop, site: Site, tmp_path: Path) -> None:
    """It ends while it drains, so that the release does not reach it; the others go back, and are told apart."""
    before = served(site)
    lost, ec2 = site.server_id("private-1"), laptop.client("ec2")
    with laptop.playing(PLAYBOOK, changed_app(tmp_path)) as plays:
        await_draining(site, "private-1")
        ec2.stop_instances(InstanceIds=[lost], Force=True)
    story = plays[0].failures()[-1]
    assert "private-1 could not be reached." in story
    assert f"public-1 has app {before['public-1']} again." in story
    assert "private-2 is unchanged: it did not get the release." in story
    assert f"private-1 ({lost}) is deregistered from its target groups, and had app {before['private-1']}." in story
    assert served(site) == {name: release for name, release in before.items() if name != "private-1"}
    ec2.start_instances(InstanceIds=[lost])
    assert eventually(lambda: laptop.reaches("private-1"), bool, 60)
    [command] = re.findall("ansible-playbook .* -e lamp_release=.*", story)
    done = laptop.run(*command.split())
    assert done.returncode == 0, done.stdout
    assert served(site) == before


def test_a_page_that_had_failed_before_takes_nothing_back(
    laptop: Laptop, site: Site, tmp_path: Path, first: dict[str, str]
) -> None:
    """The databases are stopped, which no release is to blame for: no server leaves its balancer."""
    health = {tier: site.health(tier) for tier in TIERS}
    everywhere = ("ansible", "-i", "inventories/local", "servers", "-b", "-m", "ansible.builtin.service", "-a")
    assert laptop.run(*everywhere, "name=mariadb state=stopped").returncode == 0
    try:
        play = laptop.play(playbook=PLAYBOOK, variables=changed_app(tmp_path))
        assert play.code != 0
        assert {tier: site.health(tier) for tier in TIERS} == health
    finally:
        assert laptop.run(*everywhere, "name=mariadb state=started").returncode == 0
    story = play.failures()[-1]
    assert "was not rolled back" in story
    assert "app: / answered 503, expected 200-399" in story
    assert "public-2 is unchanged: it did not get the release." in story
    release = dict(served(site))
    assert {name for name in first if release[name] != first[name]} == {"public-1", "private-1"}
    back = laptop.play(playbook=PLAYBOOK, variables={"lamp_release": first["public-1"]})
    assert back.code == 0, back.failures() or back.errors
    assert served(site) == first


def test_with_nobody_else_to_serve_servers_go_back_in_place(laptop: Laptop, site: Site, tmp_path: Path) -> None:
    """The last batch is bad, and meanwhile somebody takes the others of its tier out of their balancer."""
    before = served(site)
    address = site.servers["public-2"]["PrivateIpAddress"]
    elb = laptop.client("elbv2")
    [group] = elb.describe_target_groups(Names=["local-public"])["TargetGroups"]
    bad = changed_app(tmp_path, BROKEN.replace("if (", f"if ($_SERVER['SERVER_ADDR'] === '{address}' && "))
    with laptop.playing(PLAYBOOK, bad) as plays:
        await_draining(site, "public-2")
        target = {"Id": site.server_id("public-1")}
        elb.deregister_targets(TargetGroupArn=group["TargetGroupArn"], Targets=[target])
    story = plays[0].failures()[-1]
    assert "app through public: " in story
    for name, release in before.items():
        assert f"{name} has app {release} again." in story
    assert served(site) == before
