"""Servers are replaced by new ones from another image, and no visitor of the public balancer notices."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

PLAYBOOK = "playbooks/replace.yml"
LOAD = Path(__file__).with_name("load.py")
RATE = 200  # requests a second
DELAY = "deregistration_delay.timeout_seconds"
NAMES = ("public-1", "public-2")


@pytest.fixture
def _short_delay(laptop: Any) -> Iterator[None]:
    """Draining takes the whole delay, whatever there is to drain: as short as the pages allow, for the time being."""
    elb = laptop.client("elbv2")
    arn = elb.describe_target_groups(Names=["local-public"])["TargetGroups"][0]["TargetGroupArn"]
    attributes = elb.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
    before = next(str(one["Value"]) for one in attributes if one["Key"] == DELAY)
    elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=[{"Key": DELAY, "Value": "5"}])
    yield
    elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=[{"Key": DELAY, "Value": before}])


@pytest.fixture(scope="module")
def other_image(laptop: Any, site: Any) -> dict[str, Any]:
    """The variables that want the public servers replaced, all at once, by ones from another image than they run on."""
    own = site.servers["public-1"]["ImageId"]
    images = laptop.client("ec2").describe_images(Filters=[{"Name": "name", "Values": ["debian-12-amd64-*"]}])["Images"]
    image = next(image["ImageId"] for image in images if image["ImageId"] != own)
    tier = {"count": 2, "instance_type": "t3.small"}
    return {
        "servers_tiers": {"public": {**tier, "image": {"id": image}}, "private": tier},
        "servers_replace": "outdated",
        "servers_replace_batch": "100%",
        "servers_replace_data": "lost",
    }


@contextmanager
def visitors(site: Any) -> Iterator[dict[str, Any]]:
    """Visitors come at a steady rate; afterwards the dictionary holds what they saw."""
    seen: dict[str, Any] = {}
    argv = [sys.executable, str(LOAD), str(RATE), f"{site.urls['public']}/"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as load:
        try:
            yield seen
        finally:
            load.terminate()
            told = json.loads(load.communicate(timeout=30)[0])
            seen.update(told["places"][0])
            print(json.dumps(told))
    assert seen["requests"] > 0.9 * RATE * told["seconds"], "the load was not steady"


def ids(site: Any) -> dict[str, str]:
    return {name: server["InstanceId"] for name, server in site.servers.items()}


REFUSED = [
    ({}, "replace: nobody is named; give 'outdated' or a list of servers"),
    ({"servers_replace": ["public-3"]}, "servers_replace: there is no server 'public-3'"),
    ({"servers_replace": "outdated", "servers_replace_batch": "0"}, "servers_replace_batch: '0' is no number"),
    (
        {"servers_replace": ["i-00000000000000000"]},
        "replace: no declared server is 'i-00000000000000000'; give some of",
    ),
]


@pytest.mark.parametrize(("variables", "message"), REFUSED, ids=[message[:40] for _, message in REFUSED])
def test_nonsense_is_refused_at_once(laptop: Any, variables: dict[str, Any], message: str) -> None:
    laptop.calls(reset=True)
    play = laptop.play(playbook=PLAYBOOK, variables=variables)
    assert play.code != 0
    assert message in "\n".join(play.failures())
    assert laptop.calls()["writes"] == {}


def test_databases_are_not_lost_by_oversight(laptop: Any, other_image: dict[str, Any]) -> None:
    laptop.calls(reset=True)
    play = laptop.play(playbook=PLAYBOOK, variables={**other_image, "servers_replace_data": "kept"})
    assert "replace_data: the databases of public-1, public-2 are on their disks" in "\n".join(play.failures())
    assert laptop.calls()["writes"] == {}


def test_check_tells_who_would_be_replaced(laptop: Any, site: Any, other_image: dict[str, Any]) -> None:
    before = ids(site)
    laptop.calls(reset=True)
    play = laptop.play("--check", "--diff", playbook=PLAYBOOK, variables=other_image)
    assert play.code == 0, play.failures() or play.errors
    assert play.changes() == [
        "localhost: create server public-1-next",
        "localhost: create server public-2-next",
        "localhost: delete server public-1",
        "localhost: delete server public-2",
        "localhost: delete targets public",
        "localhost: update server public-1",
        "localhost: update server public-2",
    ]
    assert laptop.calls()["writes"] == {}
    assert ids(site) == before


@pytest.mark.usefixtures("_short_delay")
def test_a_replacement_is_seen_by_nobody(laptop: Any, site: Any, other_image: dict[str, Any]) -> None:
    before = ids(site)
    with visitors(site) as seen:
        play = laptop.play(playbook=PLAYBOOK, variables=other_image)
    assert play.code == 0, play.failures() or play.errors
    assert seen["failures"] == []
    now = ids(site)
    assert set(now) == set(before)
    assert {name for name in now if now[name] != before[name]} == set(NAMES)
    image = other_image["servers_tiers"]["public"]["image"]["id"]
    assert {site.servers[name]["ImageId"] for name in NAMES} == {image}
    assert site.health("public") == {now[name]: "healthy" for name in NAMES}
    assert {site.whoami("public")["server"] for _ in range(20)} == set(NAMES)


def test_a_second_run_changes_nothing(laptop: Any, site: Any, other_image: dict[str, Any]) -> None:
    before = ids(site)
    laptop.calls(reset=True)
    again = laptop.play(playbook=PLAYBOOK, variables=other_image)
    assert (again.code, again.changes(), set(again.changed().values())) == (0, [], {0})
    assert laptop.calls()["writes"] == {}
    assert ids(site) == before


def test_the_new_servers_are_as_site_yml_wants_them(laptop: Any, other_image: dict[str, Any]) -> None:
    play = laptop.play("--tags", "infrastructure,lamp", variables=other_image)
    assert (play.code, play.changes(), set(play.changed().values())) == (0, [], {0}), play.failures()
