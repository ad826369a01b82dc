"""One publisher at a time, by S3's clock; a lost answer is no lost lease."""

from __future__ import annotations

import os
import subprocess
import sys
import typing as t
from dataclasses import replace

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content import lease
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.records import (
    CURRENT,
    Claim,
    load_claim,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.s3 import Bucket
from groundwork_lab.api import Fault

CLAIM = Claim("r", "site", "d", "now", "now", lease.LEASE, lease.this_process(), 1, 1)


def test_who_lives_and_who_has_ended() -> None:
    owner = lease.this_process()
    assert owner.pid == os.getpid() and owner.who.count("@") == 1 and not lease.has_ended(owner)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        theirs = replace(owner, pid=other.pid, started=lease._started(other.pid))
        assert not lease.has_ended(theirs)
        other.kill()
    assert lease.has_ended(theirs)
    assert lease.has_ended(replace(owner, started="1")), "the same number is another process now"
    assert not lease.has_ended(replace(theirs, machine="another")), "nobody knows"
    assert not lease.has_ended(replace(theirs, machine=""))


@pytest.mark.parametrize(("age", "free"), [(0, False), (119, False), (120, True), (100_000, True)])
def test_a_lease_ends(age: float, free: bool) -> None:
    if free:
        lease.check_free(CLAIM, age)
    else:
        with pytest.raises(GroundworkError, match=f"its lease expires in {120 - age} s"):
            lease.check_free(CLAIM, age)


@pytest.fixture
def bucket(site: t.Any) -> Bucket:
    return Bucket(site.client("s3"), "dev-site", site.cloud)


def test_it_is_renewed_when_a_third_is_over(site: t.Any, bucket: Bucket) -> None:
    held = lease.Lease(bucket, CLAIM, "", site.cloud)
    held.take()
    site.cloud.now += 39
    held.keep()
    assert bucket.calls["PutObject"] == 1
    site.cloud.now += 1
    held.keep()
    held.keep()
    assert bucket.calls["PutObject"] == 2


def test_who_lost_it_stops(site: t.Any, bucket: Bucket) -> None:
    held = lease.Lease(bucket, CLAIM, "", site.cloud)
    held.take()
    other = replace(CLAIM, owner=lease.this_process())
    lease.Lease(bucket, other, bucket.get(CURRENT).etag, site.cloud).take()
    site.cloud.now += 500
    with pytest.raises(GroundworkError, match="This run was suspended for so long"):
        held.keep()
    held.give_back()
    assert load_claim(bucket.get(CURRENT).body).owner == other.owner


@pytest.mark.parametrize("first", [True, False])
def test_a_lost_answer_is_no_lost_lease(site: t.Any, bucket: Bucket, first: bool) -> None:
    """S3 refuses the repetition, because the first attempt was taken."""
    held = lease.Lease(bucket, CLAIM, "", site.cloud)
    if not first:
        held.take()
    site.cloud.plane.faults.set(Fault("s3", "PutObject", drop=True, times=1))
    site.cloud.now += 100
    if first:
        held.take()
    else:
        held.keep()
    site.cloud.now += 100
    held.keep()
    assert load_claim(bucket.get(CURRENT).body) == CLAIM
