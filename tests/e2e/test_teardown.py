"""The end of the environment: nothing of it is left, and a second one and what people made by hand go on serving.

Each test stands on the one before it. At the end the account is as it was before the first file.
"""

from __future__ import annotations

import json
import os
import random
import socket
from dataclasses import dataclass
from typing import Any

import pytest
from account_listing import Listing, account_listing
from laptop import ENVIRONMENT, ROOT, Laptop, Play, besides_lock
from running_site import START_AGAIN, name_of
from watching import eventually

TEARDOWN = "playbooks/teardown.yml"
CONFIRMED = {"environment_confirm": "local", "teardown_buckets": True, "teardown_images": True}
OTHER = {"environment_name": "other", "environment_confirm": "other"}
SEED = int(os.environ.get("GROUNDWORK_SEED") or random.SystemRandom().randrange(1_000_000))
INFRASTRUCTURE, STATIC_SITE = 58, 15  # the writes of a first run with these tags


@dataclass(frozen=True)
class Point:
    """Where a run of these tags is killed: as soon as it has made so many writes, or so many of one service."""

    tags: str
    writes: int
    service: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.tags, str(self.writes), self.service)))


def points(seed: int) -> list[Point]:
    """Points all over a run, whose parts are killed one by one: none of them needs another one's result."""
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
    several, few = (6, 3) if os.environ.get("GROUNDWORK_MANY_KILLS") else (1, 1)
    infrastructure = [
        Point("infrastructure", writes) for writes in chance.sample(range(1, INFRASTRUCTURE - 2), several)
    ]
    site = [Point("static_site", writes) for writes in chance.sample(range(1, STATIC_SITE - 2), few)]
    return [*infrastructure, Point("infrastructure,lamp", 2, "ssm"), *site]


@dataclass(frozen=True)
class Stranger:
    """An instance that people made, with a public address and sshd for the world to reach."""

    id: str
    address: str
    group: str


@dataclass(frozen=True)
class Planned:
    """A teardown in check mode, with the account before and after it."""

    play: Play
    before: Listing
    after: Listing


@pytest.fixture(scope="module")
def planned(laptop: Laptop, strangers: dict[str, Stranger]) -> Planned:
    """The plan of the teardown while all strangers are there."""
    assert strangers
    before = account_listing(laptop.client)
    play = laptop.play("--check", "--diff", playbook=TEARDOWN, variables=CONFIRMED)
    return Planned(play, before, account_listing(laptop.client))


@pytest.fixture(scope="module")
def empty_account(before_site: Listing) -> Listing:
    """The account before the environment was built, as it should be in the end."""
    built = [vpc for vpc in before_site["Vpcs"].values() if name_of(vpc).startswith(f"{ENVIRONMENT}-")]
    assert not built, f"this stage compares with the account without a site, and it had one: {START_AGAIN}"
    return before_site


@pytest.fixture(scope="module")
def strangers(laptop: Laptop, empty_account: Listing) -> dict[str, Stranger]:
    """One in a second environment's network, one in a subnet of ours."""
    assert empty_account
    network = {"environment_name": "other", "region": "eu-central-1", "cidr": "10.40.0.0/16"}
    zones = {"zones": ["eu-central-1a", "eu-central-1b"]}
    made = laptop.run(
        *("ansible", "-i", "inventories/local", "localhost", "-m", "groundwork.aws.ec2_vpc_network"),
        *("-a", json.dumps({**network, **zones})),
    )
    assert made.returncode == 0, made.stdout + made.stderr
    found = {
        "other": launch(laptop.client("ec2"), "other", {"groundwork:environment": "other"}),
        "hand": launch(laptop.client("ec2"), "local", {"Name": "hand"}),
    }
    assert eventually(lambda: all(answers(stranger) for stranger in found.values()), bool, 60)
    return found


def tagged(environment: str, **tags: str) -> list[dict[str, Any]]:
    wanted = {"groundwork:environment": environment, **tags}
    return [{"Name": f"tag:{key}", "Values": [value]} for key, value in wanted.items()]


def launch(ec2: Any, environment: str, tags: dict[str, str]) -> Stranger:
    """In the environment's subnet public-a, with a security group of its own."""
    [subnet] = ec2.describe_subnets(Filters=tagged(environment, Name=f"{environment}-public-a"))["Subnets"]
    specification = [{"Key": key, "Value": value} for key, value in tags.items()]
    group = ec2.create_security_group(
        GroupName="hand",
        Description="By hand",
        VpcId=subnet["VpcId"],
        TagSpecifications=[{"ResourceType": "security-group", "Tags": specification}],
    )["GroupId"]
    ec2.authorize_security_group_ingress(GroupId=group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0")
    interface = {"DeviceIndex": 0, "SubnetId": subnet["SubnetId"], "Groups": [group], "AssociatePublicIpAddress": True}
    named = [{"Name": "name", "Values": ["debian-12-amd64-*"]}]
    images = ec2.describe_images(Owners=["136693071363"], Filters=named)["Images"]
    made = ec2.run_instances(
        ImageId=max(images, key=lambda image: image["CreationDate"])["ImageId"],
        InstanceType="t3.small",
        MinCount=1,
        MaxCount=1,
        NetworkInterfaces=[interface],
        TagSpecifications=[{"ResourceType": "instance", "Tags": specification}],
    )
    own = made["Instances"][0]["InstanceId"]
    ec2.get_waiter("instance_running").wait(InstanceIds=[own], WaiterConfig={"Delay": 1})
    [reservation] = ec2.describe_instances(InstanceIds=[own])["Reservations"]
    return Stranger(own, reservation["Instances"][0]["PublicIpAddress"], group)


def answers(stranger: Stranger) -> bool:
    try:
        with socket.create_connection((stranger.address, 22), timeout=2) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def hosts(laptop: Laptop) -> set[str]:
    """The instances that the lab has a host for."""
    told = json.loads(laptop.run("groundwork-lab", "status", "--json").stdout)
    return {host["id"] for host in told["hosts"]}


@pytest.mark.parametrize("variables", [{}, {"environment_confirm": "prod"}], ids=["without", "another's"])
def test_without_the_right_confirmation_nothing_happens(
    laptop: Laptop, strangers: dict[str, Stranger], variables: dict[str, str]
) -> None:
    laptop.calls(reset=True)
    play = laptop.play(playbook=TEARDOWN, variables=variables)
    assert play.code != 0
    [message] = play.failures()
    assert "environment_confirm: " in message
    assert "give -e environment_confirm=local to remove all resources of local" in message
    calls = laptop.calls()["calls"]
    lock = {"sts": {"GetCallerIdentity"}, "s3": {"GetBucketPolicy", "PutObject", "DeleteObject"}}
    asked = {service: set(operations) - lock.get(service, set()) for service, operations in calls.items()}
    assert {service: names for service, names in asked.items() if names} == {"ec2": {"DescribeInstances"}}, (
        "the inventory asks for its servers, and besides the lock nothing else is asked"
    )


def test_check_mode_tells_what_would_go(planned: Planned) -> None:
    assert planned.play.code == 0, planned.play.failures()
    assert planned.after == planned.before
    changes = planned.play.changes()
    assert any("delete server private-1" in change for change in changes)
    assert "localhost: delete subnet public-a" not in changes


def test_what_is_not_ours_keeps_serving_and_all_the_rest_goes(
    laptop: Laptop, strangers: dict[str, Stranger], planned: Planned
) -> None:
    hand = strangers["hand"]
    play = laptop.play(playbook=TEARDOWN, variables=CONFIRMED)
    assert play.code != 0
    assert play.changes() == planned.play.changes()
    [message] = play.failures()
    [keeper] = [line for line in message.splitlines() if hand.id in line]
    assert (
        f"instance ({hand.id}) in subnet public-a, which is not part of the environment, prevents the removal of "
    ) in keeper
    for kept in ("subnet public-a", "route table public-a", "internet gateway main", "vpc main"):
        assert kept in keeper
    assert all(answers(stranger) for stranger in strangers.values())
    assert hosts(laptop) == {stranger.id for stranger in strangers.values()}
    assert laptop.client("elbv2").describe_load_balancers()["LoadBalancers"] == []


def test_once_that_is_gone_so_is_the_environment(laptop: Laptop, strangers: dict[str, Stranger]) -> None:
    ec2, hand = laptop.client("ec2"), strangers["hand"]
    ec2.terminate_instances(InstanceIds=[hand.id])
    ec2.get_waiter("instance_terminated").wait(InstanceIds=[hand.id], WaiterConfig={"Delay": 1})
    ec2.delete_security_group(GroupId=hand.group)
    play = laptop.play(playbook=TEARDOWN, variables=CONFIRMED)
    assert play.code == 0, play.failures()
    found = next(result["found"] for _, _, result in play.results() if "found" in result)
    assert set(found.values()) == {0}
    assert ec2.describe_vpcs(Filters=tagged("local"))["Vpcs"] == []
    assert not (ROOT / ".environments" / "local").exists()
    assert answers(strangers["other"])


def test_the_second_time_nothing_is_done_with_few_calls(laptop: Laptop, strangers: dict[str, Stranger]) -> None:
    laptop.calls(reset=True)
    play = laptop.play(playbook=TEARDOWN, variables=CONFIRMED)
    assert play.code == 0, play.failures()
    assert set(play.changed().values()) == {0}
    counted = laptop.calls()
    assert besides_lock(counted) == {}
    assert sum(n for operations in counted["calls"].values() for n in operations.values()) <= 44, counted["calls"]


@pytest.mark.parametrize("point", points(SEED), ids=str)
def test_what_a_killed_run_left_goes_too(laptop: Laptop, strangers: dict[str, Stranger], point: Point) -> None:
    print(f"repeat it with GROUNDWORK_SEED={SEED}")
    before = account_listing(laptop.client)
    made = laptop.play_until(point.writes, point.service, "--tags", point.tags)
    print(f"killed after {made} writes")
    play = laptop.play(playbook=TEARDOWN, variables=CONFIRMED)
    assert play.code == 0, play.failures()
    assert play.changes()
    assert account_listing(laptop.client) == before
    assert hosts(laptop) == {strangers["other"].id}


def test_the_second_environment_goes_the_same_way(
    laptop: Laptop, strangers: dict[str, Stranger], empty_account: Listing
) -> None:
    play = laptop.play(playbook=TEARDOWN, variables=OTHER)
    assert play.code == 0, play.failures()
    assert account_listing(laptop.client) == empty_account
    assert hosts(laptop) == set()
