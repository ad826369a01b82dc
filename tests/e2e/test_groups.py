"""A tier whose servers come and go by themselves: launched from the image, they become LAMP servers at boot alone."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from laptop import Laptop, Play, besides_lock
from leaks import Leaks, host_of
from load import Seen
from running_site import Site
from sample_app import changed_app
from visitors import served, visitors
from watching import eventually, watching

TIER = {"instance_type": "t3.small"}
GROUP = {"group": {"min": 2, "max": 4}, "security_groups": ["private-servers"], **TIER}
COUNTED = {"public": {"count": 2, **TIER}, "private": {"count": 2, **TIER}}
NETWORK_TIERS = [{"name": "public", "public": True}, {"name": "private"}]
BALANCERS = {"public": "public-alb", "private": "private-alb"}
DETECTION = 5 * 2 + 2  # seconds: two health checks that fail, the last one by its timeout
LAUNCH = 30  # seconds to healthy: 6 to 8 on an idle machine, and 15 at most are promised there
TIERS = ("web",)
MINUTE = 5  # seconds of a minute of metrics, so that the alarms have their 3 and 15 data points soon
SCALING = {"requests_per_target": 80, "cpu_percent": 90, "warmup": 10}
FEW, MORE = (
    4,
    40,
)  # requests a second: 10 for each of two servers in a minute, and 110 with the others, or 73 with three


def balancer(name: str, group: str) -> dict[str, Any]:
    listener = {"port": 80, "default_action": {"target_groups": [{"name": name}]}}
    return {"name": name, "tier": "public", "security_groups": [group], "listeners": [listener]}


WITH_GROUP = {
    "network_tiers": [*NETWORK_TIERS, {"name": "web"}],
    "servers_tiers": {**COUNTED, "web": GROUP},
    "servers_refresh_max_healthy": 200,
    "alb_target_groups": [
        *({"name": name, "tier": name} for name in COUNTED),
        {"name": "web", "tier": "web", "deregistration_delay": 5},
    ],
    "alb_load_balancers": [balancer(name, group) for name, group in {**BALANCERS, "web": "private-alb"}.items()],
}
WITHOUT = {
    "network_tiers": NETWORK_TIERS,
    "network_purge": True,
    "servers_allow_removal": True,
    "alb_target_groups": [{"name": name, "tier": name} for name in COUNTED],
    "alb_load_balancers": [balancer(name, group) for name, group in BALANCERS.items()],
    "alb_purge": True,
}
INFRASTRUCTURE = ("--tags", "infrastructure,healthy")


SCALED_TIER = {**GROUP, "group": {"min": 2, "max": 4, "scaling": SCALING}}
SCALED = {**COUNTED, "web": SCALED_TIER}


class Web:
    """The group, as AWS and its visitors see it."""

    def __init__(self, laptop: Laptop) -> None:
        self._ec2, self._elb, self._scaling = map(laptop.client, ("ec2", "elbv2", "autoscaling"))

    def launched(self) -> dict[str, float]:
        """When each instance that there is was launched."""
        filters = [{"Name": "tag:groundwork:tier", "Values": ["web"]}]
        found = self._ec2.describe_instances(Filters=filters)["Reservations"]
        return {i["InstanceId"]: i["LaunchTime"].timestamp() for r in found for i in r["Instances"]}

    def healthy(self) -> set[str]:
        """Those that are in service, in rotation, and well; none before there is a group."""
        groups = self._scaling.describe_auto_scaling_groups()["AutoScalingGroups"]
        serving = {i["InstanceId"] for g in groups for i in g["Instances"] if i["LifecycleState"] == "InService"}
        if not serving:
            return set()
        target_group = groups[0]["TargetGroupARNs"][0]
        targets = self._elb.describe_target_health(TargetGroupArn=target_group)["TargetHealthDescriptions"]
        return {one["Target"]["Id"] for one in targets if one["TargetHealth"]["State"] == "healthy"} & serving

    def members(self) -> set[str]:
        """Return all instances of the group, until they are terminated."""
        [group] = self._scaling.describe_auto_scaling_groups()["AutoScalingGroups"]
        return {one["InstanceId"] for one in group["Instances"]}

    def policies(self) -> dict[str, dict[str, Any]]:
        """Return the scaling policies by name."""
        return {one["PolicyName"]: one for one in self._scaling.describe_policies()["ScalingPolicies"]}

    def causes(self) -> list[str]:
        """Return why instances were launched and terminated, the newest first."""
        told = self._scaling.describe_scaling_activities(AutoScalingGroupName="local-web")["Activities"]
        return [str(one["Cause"]) for one in told]

    @contextmanager
    def watched(self) -> Iterator[dict[str, float]]:
        """How long each server took from its launch until the balancer found it healthy, in seconds."""
        took: dict[str, float] = {}
        known = self.launched().keys()

        def look() -> None:
            new = self.healthy() - took.keys() - known
            now, launched = time.time(), self.launched()
            took.update({one: round(now - launched[one], 1) for one in new})

        try:
            with watching(look):
                yield took
        finally:
            print(json.dumps({"from launch to healthy behind the balancer": took}))


@pytest.fixture(scope="module")
def web(laptop: Laptop, image: str) -> Iterator[Web]:
    """Nothing of it is there before; afterwards it is gone again."""
    assert image
    yield Web(laptop)
    removed = laptop.play("--tags", "infrastructure", variables=WITHOUT)
    assert removed.code == 0, removed.failures() or removed.errors


def play(laptop: Laptop, *words: str, playbook: str = "site.yml", **variables: object) -> Play:
    done = laptop.play(*words, playbook=playbook, variables={**WITH_GROUP, **variables})
    assert done.code == 0, done.failures() or done.errors
    return done


def test_what_such_a_tier_cannot_is_refused_at_once(laptop: Laptop) -> None:
    laptop.calls(reset=True)
    wrong = {"lamp_database_passwords": {"app": "correct-horse-battery"}, "lamp_bucket": "groundwork-local-site"}
    refused = laptop.play(variables={**WITH_GROUP, **wrong})
    assert refused.code != 0
    assert laptop.calls()["writes"] == {}
    told = "\n".join(refused.failures())
    assert "lamp_database_passwords.app: the servers of web configure themselves" in told
    assert "lamp_bucket: 'groundwork-local-site' is the static site's bucket" in told


def test_check_tells_the_run_and_new_servers_serve_by_themselves(laptop: Laptop, web: Web) -> None:
    laptop.calls(reset=True)
    planned = play(laptop, *INFRASTRUCTURE, "--check", "--diff").changes()
    assert laptop.calls()["writes"] == {}
    for part in (
        "boot bundle web",
        "role web",
        "instance profile web",
        "launch template web",
        "auto scaling group web",
    ):
        assert f"localhost: create {part}" in planned
    with web.watched() as took:
        done = play(laptop, *INFRASTRUCTURE)
    assert done.changes() == planned
    assert took.keys() == web.healthy()
    assert len(took) == 2
    assert max(took.values()) <= LAUNCH


def test_each_server_is_itself(site: Site, web: Web) -> None:
    seen: dict[str, list[int]] = {}

    def visited() -> dict[str, list[int]]:
        told = site.whoami("web")
        assert told["tier"] == "web"
        seen.setdefault(told["server"], []).append(told["visits"])
        return seen

    eventually(visited, lambda seen: len(seen) == 2 and min(map(len, seen.values())) > 1, 10)
    assert set(seen) == web.healthy()
    for visits in seen.values():
        assert visits == list(range(visits[0], visits[0] + len(visits)))


def test_no_secret_is_where_others_can_read_it(laptop: Laptop, web: Web, tmp_path: Path) -> None:
    instance = next(iter(web.healthy()))
    told = laptop.client("ec2").describe_instance_attribute(InstanceId=instance, Attribute="userData")
    user_data = base64.b64decode(told["UserData"]["Value"])
    assert user_data.startswith(b"#!/usr/bin/python3")
    name = "/groundwork/local/lamp/app/database-password"
    password = laptop.client("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"].encode()
    console = laptop.run("groundwork-lab", "console", instance).stdout
    assert re.search(
        r"groundwork: after [0-9.]+ s the releases are set up .*, and the 1 pages are answered as expected", console
    )
    s3, bucket = laptop.client("s3"), bucket_of(laptop)
    kept = [one["Key"] for one in s3.list_objects_v2(Bucket=bucket)["Contents"]]
    assert {key.split("/")[0] for key in kept} == {"boot", "releases"}
    public = [user_data, console.encode(), *(s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in kept)]
    assert [place for place in public if password in place] == []
    assert Leaks(tmp_path, [password.decode()]).on_server(instance) == []


def bucket_of(laptop: Laptop) -> str:
    buckets: list[str] = [one["Name"] for one in laptop.client("s3").list_buckets()["Buckets"]]
    [bucket] = [name for name in buckets if name.startswith("groundwork-local-") and name != "groundwork-local-site"]
    return bucket


def test_the_second_run_changes_nothing(laptop: Laptop, web: Web) -> None:
    before = web.healthy()
    laptop.calls(reset=True)
    again = play(laptop, *INFRASTRUCTURE)
    assert (again.changes(), set(again.changed().values())) == ([], {0})
    calls = laptop.calls()
    assert besides_lock(calls) == {}
    print(json.dumps(calls["calls"]))
    assert web.healthy() == before


def test_a_killed_server_is_replaced_without_any_command(site: Site, web: Web) -> None:
    before = web.healthy()
    killed = min(before)
    with visitors(site, TIERS) as seen, web.watched() as took:
        began = time.monotonic()
        os.kill(host_of(killed), signal.SIGKILL)
        at = time.monotonic() - began
        now = eventually(web.healthy, lambda seen: len(seen) == 2 and killed not in seen, 90)
        eventually(lambda: took, bool, 5)
    assert len(now) == 2
    assert now & before == before - {killed}
    [place] = seen
    late = [line for line in place["failures"] if float(line.split(" ")[0]) > at + DETECTION]
    assert late == []
    print(json.dumps({"killed": round(at, 1), "failures": place["failures"][-1:], "requests": place["requests"]}))
    assert took.keys() == now - before


@pytest.fixture(scope="module")
def first(site: Site, web: Web) -> str:
    """The release before these."""
    assert web.healthy()
    [release] = set(served(site, TIERS).values())
    return release


def release(laptop: Laptop, site: Site, web: Web, **variables: object) -> tuple[Play, Seen]:
    """A release to the group alone, with what visitors saw."""
    before = web.healthy()
    with visitors(site, TIERS) as seen, web.watched() as took:
        done = play(laptop, playbook="playbooks/release.yml", release_tiers=["web"], **variables)
    [place] = seen
    assert place["failures"] == []
    now = web.healthy()
    assert (len(now), now & before) == (2, set())
    assert took.keys() == now
    return done, place


def test_a_release_replaces_the_servers_and_is_seen_by_nobody(
    laptop: Laptop, site: Site, web: Web, tmp_path: Path, first: str
) -> None:
    done, place = release(laptop, site, web, **changed_app(tmp_path))
    told = [line.removeprefix("localhost: ") for line in done.changes()]
    assert [line.rpartition(" ")[0] for line in told if "archive" in line] == ["create release archive app"]
    assert "create boot bundle web" in told
    assert "update launch template web" in told
    now = served(site, TIERS)
    assert set(now) == web.healthy()
    assert first not in now.values()
    answered = Counter(one["release"] for one in place["answers"])
    assert set(answered) == {first, *now.values()}


def test_a_release_whose_page_fails_reaches_no_visitor_and_tells_why(
    laptop: Laptop, site: Site, web: Web, tmp_path: Path
) -> None:
    """A refresh to it does not get through. AWS gives it up after an hour; here a person does."""
    before, known = web.healthy(), web.launched().keys()
    bad = changed_app(tmp_path, "<?php throw new RuntimeException('the configuration is missing'); ?>")
    variables = {**WITH_GROUP, "release_tiers": ["web"], **bad}
    with visitors(site, TIERS) as seen, laptop.playing("playbooks/release.yml", variables) as plays:
        new = eventually(lambda: web.launched().keys() - known, bool, 180)
        told = eventually(lambda: console(laptop, new), lambda text: "waiting for the pages" in text, 120)
        assert not new & web.healthy()
        laptop.client("autoscaling").rollback_instance_refresh(AutoScalingGroupName="local-web")
    assert "app: / answered 500, expected 200-399" in told
    assert "the configuration is missing" in told
    assert "RollbackSuccessful" in "\n".join(plays[0].failures())
    assert web.healthy() == before
    [place] = seen
    assert place["failures"] == []


def console(laptop: Laptop, instances: Iterable[str]) -> str:
    return "".join(laptop.run("groundwork-lab", "console", instance).stdout for instance in instances)


def commanded(folder: Path, command: list[str]) -> dict[str, Any]:
    [app] = changed_app(folder)["lamp_sites"]
    return {"lamp_sites": [{**app, "release_command": [command], "release_command_timeout": 60}]}


def records(laptop: Laptop) -> dict[str, dict[str, Any]]:
    """Return what servers have recorded about release commands, by the keys of the objects."""
    s3 = laptop.client("s3")
    [bucket] = [one["Name"] for one in s3.list_buckets()["Buckets"] if re.fullmatch(r"groundwork-\d+-.*", one["Name"])]
    keys = [one["Key"] for one in s3.list_objects_v2(Bucket=bucket, Prefix="commands/local/").get("Contents", [])]
    return {key: json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read()) for key in keys}


def test_one_server_of_a_group_runs_the_release_command(
    laptop: Laptop, site: Site, web: Web, tmp_path: Path, first: str
) -> None:
    command = ["sh", "-c", "test -f public/index.php && test ! -e ../../current && echo migrated"]
    before = records(laptop)
    release(laptop, site, web, **commanded(tmp_path, command))
    [record] = [record for key, record in records(laptop).items() if key not in before]
    assert record["state"] == "succeeded"
    assert record["server"] in web.healthy()
    assert first not in served(site, TIERS).values()


def test_a_release_command_that_fails_reaches_no_visitor_and_is_told(
    laptop: Laptop, site: Site, web: Web, tmp_path: Path
) -> None:
    before, known = web.healthy(), web.launched().keys()
    bad = commanded(tmp_path, ["sh", "-c", "echo the table is missing; exit 3"])
    variables = {**WITH_GROUP, "release_tiers": ["web"], **bad}
    with visitors(site, TIERS) as seen, laptop.playing("playbooks/release.yml", variables) as plays:
        new = eventually(lambda: web.launched().keys() - known, bool, 180)
        told = eventually(lambda: console(laptop, new), lambda text: "failed with exit code 3" in text, 120)
        assert not new & web.healthy()
        laptop.client("autoscaling").rollback_instance_refresh(AutoScalingGroupName="local-web")
    assert "the table is missing" in told
    story = plays[0].failures()[-1]
    assert "RollbackSuccessful" in story
    assert "failed with exit code 3: sh -c 'echo the table is missing; exit 3'" in story
    assert web.healthy() == before
    [place] = seen
    assert place["failures"] == []


def test_going_back_makes_nothing_new(laptop: Laptop, site: Site, web: Web, first: str) -> None:
    done, _ = release(laptop, site, web, lamp_release=first)
    made = [line for line in done.changes() if ": create " in line]
    assert made == ["localhost: create instance refresh web"], "the bundle and the version were there already"
    assert set(served(site, TIERS).values()) == {first}


@pytest.mark.parametrize("words", [(), ("--check",)], ids=["in a run", "in check mode"])
def test_a_release_that_is_nowhere_is_refused(laptop: Laptop, web: Web, words: tuple[str, ...]) -> None:
    laptop.calls(reset=True)
    variables = {**WITH_GROUP, "release_tiers": ["web"], "lamp_release": "000000000000"}
    refused = laptop.play(*words, playbook="playbooks/release.yml", variables=variables)
    assert refused.code != 0
    assert ("the release '000000000000' of 'app' is neither in the bucket nor packed on the controller") in "\n".join(
        refused.failures()
    )
    assert besides_lock(laptop.calls()) == {}


@pytest.fixture
def short_minute(laptop: Laptop) -> Iterator[None]:
    """Let the lab's metrics have short minutes."""
    assert laptop.run("groundwork-lab", "minute", str(MINUTE)).returncode == 0
    yield
    assert laptop.run("groundwork-lab", "minute", "60").returncode == 0


@pytest.mark.usefixtures("short_minute")
def test_load_adds_a_server_which_goes_with_the_load(laptop: Laptop, site: Site, web: Web) -> None:
    made = play(laptop, *INFRASTRUCTURE, servers_tiers=SCALED).changes()
    assert made == ["localhost: create scaling policy web cpu", "localhost: create scaling policy web requests"]
    before = web.healthy()
    assert len(before) == 2
    with visitors(site, TIERS, FEW) as few:
        with visitors(site, TIERS, MORE) as more, web.watched() as took:
            grown = eventually(web.healthy, lambda seen: len(seen) == 3, 180)
            assert len(grown) == 3
            eventually(lambda: set(served(site, TIERS)), lambda seen: seen == grown, 30)
            laptop.calls(reset=True)
            again = play(laptop, *INFRASTRUCTURE, servers_tiers=SCALED)
            assert (again.changes(), besides_lock(laptop.calls())) == ([], {})
            assert web.healthy() == grown, "a run does not put back what a policy has set"
        left = eventually(web.members, lambda seen: len(seen) == 2, 300)
        assert (len(left), left <= grown) == (2, True)
    for place in (*few, *more):
        assert place["failures"] == []
    assert {answer["server"] for answer in more[0]["answers"]} == grown
    assert took.keys() == grown - before
    high, low = (one["AlarmName"] for one in web.policies()["groundwork-requests"]["Alarms"])
    told = f"a monitor alarm {high} in state ALARM triggered policy groundwork-requests changing the desired capacity"
    assert any(f"{told} from 2 to 3." in cause for cause in web.causes())
    assert any("AlarmLow" in cause and "from 3 to 2." in cause for cause in web.causes())
    assert low.startswith("TargetTracking-local-web-AlarmLow-")


def test_policies_go_with_their_declaration(laptop: Laptop, web: Web) -> None:
    planned = play(laptop, *INFRASTRUCTURE, "--check").changes()
    assert planned == ["localhost: delete scaling policy web cpu", "localhost: delete scaling policy web requests"]
    assert play(laptop, *INFRASTRUCTURE).changes() == planned
    assert web.policies() == {}
