"""A release fails for other reasons than its own: a host dies, a database is stopped, a tier loses its other server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from laptop import Laptop
from running_site import Site
from sample_app import BROKEN, changed_app
from visitors import TIERS, served, short_delay
from watching import eventually

PLAYBOOK = "playbooks/release.yml"


@pytest.fixture(scope="module", autouse=True)
def _short_delay(laptop: Laptop) -> Iterator[None]:
    with short_delay(laptop):
        yield


def await_draining(site: Site, server: str) -> None:
    """A release has come to this server."""
    tier, instance = server.partition("-")[0], site.server_id(server)
    assert eventually(lambda: site.health(tier).get(instance), lambda state: state == "draining", 60) == "draining"


def test_a_host_that_dies_in_its_batch_leaves_the_others_serving(laptop: Laptop, site: Site, tmp_path: Path) -> None:
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


def test_a_page_that_had_failed_before_takes_nothing_back(laptop: Laptop, site: Site, tmp_path: Path) -> None:
    """The databases are stopped, which no release is to blame for: no server leaves its balancer."""
    first = served(site)
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


def test_servers_go_back_in_place_if_no_other_serves(laptop: Laptop, site: Site, tmp_path: Path) -> None:
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
