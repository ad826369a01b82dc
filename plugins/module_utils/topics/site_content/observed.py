# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is there: the last release, who publishes, and a listing. ⌈N/1000⌉ + 2 requests with nothing to do."""

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
    """`whole`: whether the claimed release is complete, or there is none. `age` in seconds, by S3's clock."""

    claim: Claim | None = None
    etag: str = ""
    age: float = 0.0
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    last: Manifest = field(default_factory=Manifest)
    whole: bool = True
    bucket_exists: bool = True


@dataclass(frozen=True)
class Observed:
    """`listing` by path below the prefix."""

    records: Records
    listing: t.Mapping[str, Listed]


def look(bucket: Bucket, prefix: str) -> Observed:
    """Records and listing at the same time. Raises GroundworkError."""
    with ThreadPoolExecutor(1) as pool:
        listing = pool.submit(bucket.list, f"{prefix}/")
        records = look_at_records(bucket)
        found = listing.result() or {}
    return Observed(records, {key.removeprefix(f"{prefix}/"): one for key, one in found.items()})


def look_at_records(bucket: Bucket) -> Records:
    """Who publishes, and the last whole release."""
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
                f"The record of the release {claim.previous} is gone from the bucket {bucket.name}. Bring back the "
                f"last version of {manifest_key(claim.previous)}, or delete {CURRENT}: then all is published anew."
            )
    age = (now - _date(answer, "Last-Modified")).total_seconds()
    return Records(claim, answer.etag, age, now, last or Manifest(), whole)


def read_manifest(bucket: Bucket, release: str) -> Manifest:
    """The record of a release. Raises GroundworkError when it is gone."""
    found = _manifest(bucket, release)
    if found is None:
        raise GroundworkError(f"The record of the release {release} is gone from the bucket {bucket.name}.")
    return found


def _manifest(bucket: Bucket, release: str) -> Manifest | None:
    answer = bucket.get(manifest_key(release), "NoSuchKey")
    return None if answer.code else load_manifest(release, answer.body)


def _date(answer: Answer, header: str) -> datetime:
    return parsedate_to_datetime(answer.headers[header])
