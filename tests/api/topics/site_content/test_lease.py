"""A publisher keeps its lease, by S3's clock; a lost answer is no lost lease."""

from __future__ import annotations

from dataclasses import replace

import pytest
from accounts.site_content import Site

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.process import this_process
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content import lease
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.records import (
    CURRENT,
    Claim,
    load_claim,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.s3 import Bucket
from groundwork_lab.api import Fault

CLAIM = Claim("r", "site", "d", "now", "now", lease.LEASE, this_process(), 1, 1)


@pytest.fixture
def bucket(site: Site) -> Bucket:
    return Bucket(site.client("s3"), "dev-site", site.cloud)


def test_it_is_renewed_when_a_third_is_over(site: Site, bucket: Bucket) -> None:
    held = lease.Lease(bucket, CLAIM, "", site.cloud)
    held.take()
    site.cloud.now += 39
    held.keep()
    assert bucket.calls["PutObject"] == 1
    site.cloud.now += 1
    held.keep()
    held.keep()
    assert bucket.calls["PutObject"] == 2


def test_who_lost_it_stops(site: Site, bucket: Bucket) -> None:
    held = lease.Lease(bucket, CLAIM, "", site.cloud)
    held.take()
    other = replace(CLAIM, owner=this_process())
    lease.Lease(bucket, other, bucket.get(CURRENT).etag, site.cloud).take()
    site.cloud.now += 500
    with pytest.raises(GroundworkError, match="This run was suspended for so long"):
        held.keep()
    held.give_back()
    assert load_claim(bucket.get(CURRENT).body).owner == other.owner


@pytest.mark.parametrize("first", [True, False])
def test_a_lost_answer_is_no_lost_lease(site: Site, bucket: Bucket, first: bool) -> None:
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
