"""All servers are replaced by new ones from a golden image, and no visitor of either balancer notices."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from account_listing import account_listing
from golden_images import forget_images
from laptop import Laptop, besides_lock
from running_site import Site
from visitors import TIERS, served, short_delay, visitors
from watching import eventually

PLAYBOOK = "playbooks/replace.yml"
NAMES = tuple(f"{tier}-{number}" for tier in TIERS for number in (1, 2))
# All that do not run the promoted image, a tier at a time.
ALL = {"servers_replace": "outdated", "servers_replace_batch": "100%", "servers_replace_data": "lost"}
BATCH = NAMES[2:]


@pytest.fixture(scope="module", autouse=True)
def _no_image_after(laptop: Laptop, image: str) -> Iterator[None]:
    assert image
    yield
    forget_images(laptop)


@pytest.fixture
def _short_delay(laptop: Laptop) -> Iterator[None]:
    with short_delay(laptop):
        yield


@pytest.fixture
def deaf(laptop: Laptop, site: Site) -> Iterator[str]:
    """A security group of the environment that lets nobody in but those who configure the private servers."""
    ec2 = laptop.client("ec2")
    server = site.servers["private-1"]
    own = next(group["GroupId"] for group in site.servers["public-1"]["SecurityGroups"])
    tags = [{"Key": "groundwork:environment", "Value": "local"}, {"Key": "Name", "Value": "local-deaf"}]
    group: str = ec2.create_security_group(
        GroupName="local-deaf",
        Description="SSH and nothing else",
        VpcId=server["VpcId"],
        TagSpecifications=[{"ResourceType": "security-group", "Tags": tags}],
    )["GroupId"]
    ssh = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "UserIdGroupPairs": [{"GroupId": own}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[ssh])
    yield group
    inside = [{"Name": "group-id", "Values": [group]}]
    left = eventually(lambda: ec2.describe_network_interfaces(Filters=inside)["NetworkInterfaces"], lambda n: not n, 30)
    assert left == []
    ec2.delete_security_group(GroupId=group)


def ids(site: Site) -> dict[str, str]:
    return {name: server["InstanceId"] for name, server in site.servers.items()}


REFUSED = [
    ({}, "replace: is empty; give 'outdated' or a list of servers"),
    ({"servers_replace": ["public-3"]}, "servers_replace: 'public-3' is not a server"),
    (
        {"servers_replace": "outdated", "servers_replace_batch": "0"},
        "servers_replace_batch: '0' is not a number of servers",
    ),
    ({**ALL, "servers_replace": ["i-00000000000000000"]}, "replace: 'i-00000000000000000' is not a declared server"),
    ({**ALL, "servers_replace_data": "kept"}, f"the databases on {', '.join(sorted(NAMES))} would be deleted"),
    ({**ALL, "lamp_database_server": "private-1"}, "replace: private-1 has the database of all sites"),
]


@pytest.mark.parametrize(("variables", "message"), REFUSED, ids=[message[:40] for _, message in REFUSED])
def test_nonsense_is_refused_at_once(laptop: Laptop, variables: dict[str, Any], message: str) -> None:
    laptop.calls(reset=True)
    play = laptop.play(playbook=PLAYBOOK, variables=variables)
    assert play.code != 0
    [told] = play.failures()
    assert message in told
    assert besides_lock(laptop.calls()) == {}


def test_check_tells_who_would_be_replaced(laptop: Laptop, site: Site) -> None:
    before = ids(site)
    laptop.calls(reset=True)
    play = laptop.play("--check", "--diff", playbook=PLAYBOOK, variables=ALL)
    assert play.code == 0, play.failures() or play.errors
    assert play.changes() == sorted(
        [
            *(f"localhost: create server {name}-next" for name in NAMES),
            *(f"localhost: delete server {name}" for name in NAMES),
            *(f"localhost: delete targets {tier}" for tier in TIERS),
            *(f"localhost: update server {name}" for name in NAMES),
        ]
    )
    assert laptop.calls()["writes"] == {}
    assert ids(site) == before


@pytest.mark.usefixtures("_short_delay")
def test_one_that_does_not_become_healthy_takes_its_batch_along(laptop: Laptop, site: Site, deaf: str) -> None:
    """Of two successors one is out of the balancer's reach: both go, nobody is replaced, and the one is told."""
    before = ids(site)
    with visitors(site) as seen, laptop.playing(PLAYBOOK, {**ALL, "servers_deadline": 25}) as plays:
        launched = eventually(lambda: ids(site), lambda servers: "private-2-next" in servers, 60)
        successor = launched["private-2-next"]
        laptop.client("ec2").modify_instance_attribute(InstanceId=successor, Groups=[deaf])
    assert plays[0].code != 0
    told = plays[0].failures()[-1]
    assert f"{', '.join(BATCH)} could not be replaced" in told
    assert f"private-2-next ({successor}) is unhealthy" in told
    assert not re.search(r"private-1-next \S+ is unhealthy", told)
    assert "run the same command again" in told
    assert [place["failures"] for place in seen] == [[], []]
    assert ids(site) == before
    assert site.health("private") == {before[name]: "healthy" for name in BATCH}


@pytest.mark.usefixtures("_short_delay")
def test_a_replacement_is_seen_by_nobody(laptop: Laptop, site: Site, image: str) -> None:
    before, releases = ids(site), served(site)
    began = time.monotonic()
    with visitors(site) as seen:
        play = laptop.play(playbook=PLAYBOOK, variables=ALL)
    print(json.dumps({"all servers replaced, in seconds": round(time.monotonic() - began, 1)}))
    assert play.code == 0, play.failures() or play.errors
    assert [place["failures"] for place in seen] == [[], []]
    now = ids(site)
    assert set(now) == set(before) == set(NAMES)
    assert not set(now.values()) & set(before.values())
    assert {server["ImageId"] for server in site.servers.values()} == {image}
    for tier in TIERS:
        assert site.health(tier) == {now[f"{tier}-{number}"]: "healthy" for number in (1, 2)}
    assert served(site) == releases


@pytest.mark.usefixtures("_short_delay")
def test_killed_anywhere_the_next_run_goes_on(laptop: Laptop, site: Site) -> None:
    """One replacement in five runs, of which each but the last is killed as soon as it has taken another step."""
    before, account = ids(site), amounts(laptop)
    variables = {**ALL, "servers_replace": [before["public-1"]]}
    with visitors(site, rate=20) as seen:
        for service in ("ec2", "elbv2", "elbv2", "ec2"):  # launched, put in, predecessor taken out, terminated
            laptop.play_until(1, service, playbook=PLAYBOOK, variables=variables)
        play = laptop.play(playbook=PLAYBOOK, variables=variables)
    assert play.code == 0, play.failures() or play.errors
    assert [place["failures"] for place in seen] == [[], []]
    now = ids(site)
    assert now.keys() == before.keys()
    assert {name for name in now if now[name] != before[name]} == {"public-1"}
    assert site.health("public") == {now[name]: "healthy" for name in NAMES[:2]}
    assert amounts(laptop) == account, "nothing is left that was made half"


def amounts(laptop: Laptop) -> dict[str, int]:
    return {kind: len(things) for kind, things in account_listing(laptop.client).items()}


def test_a_second_run_changes_nothing(laptop: Laptop, site: Site) -> None:
    before = ids(site)
    laptop.calls(reset=True)
    again = laptop.play(playbook=PLAYBOOK, variables=ALL)
    assert (again.code, again.changes(), set(again.changed().values())) == (0, [], {0})
    assert besides_lock(laptop.calls()) == {}
    assert ids(site) == before


def test_the_new_servers_are_as_site_yml_wants_them(laptop: Laptop) -> None:
    play = laptop.play("--tags", "infrastructure,lamp")
    assert (play.code, play.changes(), set(play.changed().values())) == (0, [], {0}), play.failures()
