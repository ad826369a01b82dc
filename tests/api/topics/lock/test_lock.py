"""One run at a time has the lock of an environment, which is an object in S3."""

from __future__ import annotations

import json
import typing as t
from itertools import count

import pytest
from cloud import Cloud, Survives, told
from locks import bucket_of, lock_in, occupy, options, release

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, InputError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.process import Process, machine, this_process
from ansible_collections.groundwork.aws.plugins.module_utils.topics.lock import bucket, heartbeat, run
from ansible_collections.groundwork.aws.plugins.module_utils.topics.lock.heartbeat import Taken
from ansible_collections.groundwork.aws.plugins.module_utils.topics.lock.store import Store
from groundwork_lab.api import Fault
from groundwork_lab.settings import REGION

DEAD = 2**22 + 1  # no process has this number
NOTHING_NEW = ["GetCallerIdentity", "GetBucketPolicy", "PutObject"]
DENIES = {
    "Sid": "GroundworkOnlyOverTls",
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


@pytest.fixture(autouse=True)
def started(monkeypatch: pytest.MonkeyPatch) -> list[Taken]:
    """Return the locks whose heartbeats would have been started."""
    found: list[Taken] = []
    monkeypatch.setattr(heartbeat, "start", lambda _store, taken, _state: found.append(taken))
    return found


def take(cloud: Cloud, **more: t.Any) -> t.Any:
    return cloud.run(run.take_lock, options(**more))


def test_the_first_run_creates_the_bucket(cloud: Cloud, started: list[Taken]) -> None:
    planned = cloud.run(run.take_lock, options(tags={"cost": "web"}), check_mode=True)
    assert (cloud.writes, planned["lock"], started) == ([], None, [])
    result = take(cloud, tags={"cost": "web"})
    name = bucket_of(cloud.of)
    assert told(result) == told(planned) == [f"create bucket of the locks {name}", f"update bucket policy {name}"]
    assert cloud.writes == ["CreateBucket", "PutBucketPolicy", "PutObject"]
    s3 = cloud.of("s3")
    tags = {tag["Key"]: tag["Value"] for tag in s3.get_bucket_tagging(Bucket=name)["TagSet"]}
    assert tags == {"Name": name, "groundwork:component": "lock", "cost": "web"}
    [statement] = json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])["Statement"]
    arn = f"arn:aws:s3:::{name}"
    assert statement == {**DENIES, "Resource": [arn, f"{arn}/*"]}
    block = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    assert set(block.values()) == {True} and len(block) == 4
    [rule] = s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"]["Rules"]
    assert rule["ObjectOwnership"] == "BucketOwnerEnforced"
    assert s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]


def test_a_run_that_has_nothing_to_do_takes_it_with_three_calls(cloud: Cloud, started: list[Taken]) -> None:
    take(cloud)
    release(cloud.of)
    result = take(cloud)
    assert cloud.calls == NOTHING_NEW
    assert (result["changed"], result["changes"]) == (False, [])
    lock = lock_in(cloud.of)
    assert lock and lock["owner"]["token"] == result["lock"]["id"] == started[1].claim.owner.token
    assert lock["caller"] == result["arn"] and lock["command"] == "site.yml" and lock["environment"] == "dev"


def test_the_lock_of_another_run_is_refused(cloud: Cloud, started: list[Taken]) -> None:
    take(cloud)
    before = occupy(cloud.of)
    with pytest.raises(GroundworkError, match=r"bob@ci \(arn:aws:iam::1:user/bob\), since 2026-01-31.*'release.yml'"):
        take(cloud)
    assert cloud.calls == [*NOTHING_NEW, "GetObject"]
    held = lock_in(cloud.of)
    assert held and held["owner"]["token"] == before and len(started) == 1


def test_the_locks_of_two_environments_are_two(cloud: Cloud) -> None:
    take(cloud)
    take(cloud, environment_name="prod")
    with pytest.raises(GroundworkError, match="Another run is working on the environment prod: "):
        take(cloud, environment_name="prod")


@pytest.mark.parametrize(("wait", "polls"), [(0, 0), (12, 3)])
def test_a_run_waits_for_as_long_as_it_was_told(cloud: Cloud, wait: int, polls: int) -> None:
    take(cloud)
    occupy(cloud.of)
    with pytest.raises(GroundworkError, match="Another run is working on the environment dev"):
        take(cloud, wait=wait)
    assert cloud.slept == [run.POLL] * polls


def test_a_run_takes_the_lock_that_it_has_waited_for(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    take(cloud)
    occupy(cloud.of)
    monkeypatch.setattr(cloud, "sleep", lambda _seconds: release(cloud.of))
    assert take(cloud, wait=60)["lock"]["who"] == this_process().who
    assert cloud.warnings == []


@pytest.mark.parametrize(
    ("theirs", "lease", "looks", "words"),
    [
        ({"machine": machine(), "pid": DEAD}, 120, 2, "has ended without releasing it: bob@ci"),
        ({}, 0, 1, "has not renewed it for"),
    ],
)
def test_the_lock_of_a_dead_run_is_taken_over(
    cloud: Cloud, theirs: dict[str, t.Any], lease: int, looks: int, words: str
) -> None:
    take(cloud)
    occupy(cloud.of, lease=lease, **theirs)
    result = take(cloud)
    assert cloud.calls == [*NOTHING_NEW[:-1], *["PutObject", "GetObject"] * looks, "PutObject"]
    lock = lock_in(cloud.of)
    assert lock and lock["owner"]["token"] == result["lock"]["id"]
    [warning] = cloud.warnings
    assert words in warning and "This run completes what that one left." in warning


def test_a_lock_is_broken_by_its_id_alone(cloud: Cloud) -> None:
    take(cloud)
    theirs = occupy(cloud.of)
    with pytest.raises(GroundworkError, match="environment_break_lock: 'c0c' is not the id of this lock"):
        take(cloud, break_lock="c0c")
    result = take(cloud, break_lock=theirs)
    lock = lock_in(cloud.of)
    assert lock and lock["owner"]["token"] == result["lock"]["id"] != theirs
    assert cloud.slept == [run.NOTICE], "the other run has to learn that it has lost the lock"
    assert "was stopped by environment_break_lock: bob@ci" in cloud.warnings[0]


def test_a_lock_is_not_taken_over_from_the_run_that_was_faster(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs find the lock of a dead one; the ETag decides between them."""
    take(cloud)
    occupy(cloud.of, machine=machine(), pid=DEAD)
    read = Store.read

    def read_and_lose(store: Store) -> t.Any:
        found = read(store)
        monkeypatch.setattr(Store, "read", read)
        occupy(cloud.of, token="faster")
        return found

    monkeypatch.setattr(Store, "read", read_and_lose)
    with pytest.raises(GroundworkError, match="environment_break_lock=faster"):
        take(cloud)


@pytest.mark.parametrize(
    "fault",
    [
        Fault("s3", "PutObject", drop=True, times=1),
        Fault("s3", "PutObject", code="InternalError", status=500, executed=True, times=1),
        Fault("s3", "PutObject", code="ConditionalRequestConflict", status=409, times=1),
        Fault("s3", "PutObject", cut=True, times=1),
    ],
    ids=["lost", "failed after", "conflict", "cut"],
)
@pytest.mark.parametrize("over", [False, True])
def test_a_lost_response_loses_no_lock(cloud: Cloud, fault: Fault, over: bool) -> None:
    take(cloud)
    if over:
        occupy(cloud.of, machine=machine(), pid=DEAD)
    else:
        release(cloud.of)
    cloud.plane.faults.set(fault)
    result = take(cloud)
    lock = lock_in(cloud.of)
    assert lock and lock["owner"]["token"] == result["lock"]["id"]


def test_check_mode_takes_none_and_tells_who_holds_it(cloud: Cloud) -> None:
    take(cloud)
    before = occupy(cloud.of)
    result = cloud.run(run.take_lock, options(), check_mode=True)
    assert (cloud.writes, result["lock"]["id"], result["changes"]) == ([], before, [])
    [warning] = cloud.warnings
    assert "Another run is working on the environment dev: bob@ci" in warning


def test_a_bucket_of_another_account_is_told(cloud: Cloud) -> None:
    take(cloud)
    cloud.plane.faults.set(Fault("s3", "GetBucketPolicy", code="AccessDenied", status=403))
    with pytest.raises(GroundworkError, match="the bucket belongs to another AWS account, which has taken the name"):
        take(cloud)
    assert cloud.writes == []


def test_a_name_that_another_account_has_taken_is_told(cloud: Cloud) -> None:
    cloud.plane.faults.set(Fault("s3", "CreateBucket", code="BucketAlreadyExists", status=409))
    with pytest.raises(GroundworkError, match=r"Another AWS account has taken this name\. Ask AWS Support"):
        take(cloud)


def test_a_bucket_for_something_else_is_not_touched(cloud: Cloud) -> None:
    where = {"CreateBucketConfiguration": {"LocationConstraint": REGION}}
    cloud.of("s3").create_bucket(Bucket=bucket_of(cloud.of), **where)
    with pytest.raises(GroundworkError, match="exists in this account, and lacks the tag groundwork:component=lock"):
        take(cloud)
    assert cloud.writes == []


def test_what_was_removed_from_the_policy_is_restored_and_the_rest_is_kept(cloud: Cloud) -> None:
    take(cloud)
    release(cloud.of)
    s3, name = cloud.of("s3"), bucket_of(cloud.of)
    own = {"Sid": "Own", "Effect": "Deny", "Principal": "*", "Action": "s3:Put*", "Resource": f"arn:aws:s3:::{name}/x"}
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": own}))
    assert told(take(cloud)) == [f"update bucket policy {name}"]
    statements = json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])["Statement"]
    assert [one["Sid"] for one in statements] == ["Own", "GroundworkOnlyOverTls"]
    release(cloud.of)
    take(cloud)
    assert cloud.calls == NOTHING_NEW


def test_a_bucket_in_us_east_1_has_no_location_constraint() -> None:
    creation = bucket.plan(bucket.Bucket("1", "us-east-1"), {}, bucket.Observed(exists=False))[0]
    assert "LocationConstraint" not in creation.calls[0].arguments["CreateBucketConfiguration"]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"wait": -1}, "environment_lock_wait: -1 is out of range"),
        ({"region": None}, "region: is missing"),
        ({"environment_name": "Dev"}, "environment_name: 'Dev' is not a valid environment name"),
    ],
)
def test_wrong_options_are_refused_without_a_call(cloud: Cloud, wrong: dict[str, t.Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        take(cloud, **wrong)
    assert cloud.calls == []


def test_who_cannot_start_the_heartbeat_keeps_no_lock(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(heartbeat, "start", fail)
    with pytest.raises(GroundworkError, match="Could not start the process that renews the lock: Resource temporarily"):
        take(cloud)
    assert lock_in(cloud.of) is None


@pytest.mark.exhaustive
def test_it_survives_every_end_and_weather(survives: Survives, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each run has ended when the next one begins."""
    tokens = count()
    monkeypatch.setattr(run, "process", lambda _pid: Process("me@here", str(next(tokens)), machine(), DEAD, "1"))

    def look(cloud: Cloud) -> t.Any:
        name = bucket_of(cloud.of)
        return cloud.of("s3").get_bucket_policy(Bucket=name)["Policy"], (lock_in(cloud.of) or {})["command"]

    assert survives(run.take_lock, options(), look) == 3
