# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The current state: the records of releases and a listing of the bucket. Reading it takes ⌈N/1000⌉ + 2 requests."""

from __future__ import annotations

import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.records import (
    CURRENT,
    Claim,
    Manifest,
    load_claim,
    load_manifest,
    manifest_key,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.s3 import Answer, Bucket, Listed


@dataclass(frozen=True)
class Records:
    """The records of releases. `whole` is false if a release is incomplete. `age` is in seconds, by S3's clock."""

    claim: Claim | None = None
    etag: str = ""
    age: float = 0.0
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    last: Manifest = field(default_factory=Manifest)
    whole: bool = True
    bucket_exists: bool = True


@dataclass(frozen=True)
class Observed:
    """The current state. The paths of `listing` are relative to the prefix."""

    records: Records
    listing: t.Mapping[str, Listed]


def look(bucket: Bucket, prefix: str) -> Observed:
    """Read the records and the listing in parallel. Raise GroundworkError on failure."""
    with ThreadPoolExecutor(1) as pool:
        listing = pool.submit(bucket.list, f"{prefix}/")
        records = look_at_records(bucket)
        found = listing.result() or {}
    return Observed(records, {key.removeprefix(f"{prefix}/"): one for key, one in found.items()})


def look_at_records(bucket: Bucket) -> Records:
    """Read the claim and the last complete release."""
    answer = bucket.get(CURRENT, "NoSuchKey", "NoSuchBucket")
    now = _date(answer, "Date")
    if answer.code:
        return Records(now=now, bucket_exists=answer.code != "NoSuchBucket")
    claim = load_claim(answer.body)
    last = _manifest(bucket, claim.release)
    whole = last is not None
    if last is None and claim.previous:
        last = _manifest(bucket, claim.previous)
        if last is None:
            raise GroundworkError(
                f"The bucket {bucket.name} does not contain the record of the release {claim.previous}. Restore the "
                f"last version of {manifest_key(claim.previous)}, or delete {CURRENT} to publish all files again."
            )
    age = (now - _date(answer, "Last-Modified")).total_seconds()
    return Records(claim, answer.etag, age, now, last or Manifest(), whole)


def read_manifest(bucket: Bucket, release: str) -> Manifest:
    """Read the record of a release. Raise GroundworkError if it does not exist."""
    found = _manifest(bucket, release)
    if found is None:
        raise GroundworkError(
            f"The bucket {bucket.name} does not contain the record of the release {release}. Use another release."
        )
    return found


def _manifest(bucket: Bucket, release: str) -> Manifest | None:
    answer = bucket.get(manifest_key(release), "NoSuchKey")
    return None if answer.code else load_manifest(release, answer.body)


def _date(answer: Answer, header: str) -> datetime:
    return parsedate_to_datetime(answer.headers[header])
