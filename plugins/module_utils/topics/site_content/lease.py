# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lock of a publication: a lease on `releases/current.json`, by S3's conditional writes and S3's clock.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

from __future__ import annotations

import threading

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.held import check_lock
from ansible_collections.groundwork.aws.plugins.module_utils.engine.process import has_ended
from ansible_collections.groundwork.aws.plugins.module_utils.engine.wait import Clock
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.records import (
    CURRENT,
    Claim,
    dump_claim,
    load_claim,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.s3 import Bucket

LEASE = 120  # seconds; renewed after a third of it
JSON = {"Content-Type": "application/json"}
REFUSED = ("PreconditionFailed",)


def check_free(claim: Claim, age: float) -> None:
    """Raise GroundworkError if another process is publishing. `age` is the claim's age in seconds, by S3's clock."""
    if age >= claim.lease or has_ended(claim.owner):
        return
    raise GroundworkError(
        f"{claim.owner.who} has been publishing the release {claim.release} since {claim.since}. Nothing was changed. "
        f"Run again when it has finished. If it was stopped, its lease expires in {claim.lease - age:.0f} s.",
        publisher=claim.owner.who,
        since=claim.since,
    )


class Lease:
    """The exclusive right to publish to the bucket."""

    def __init__(self, bucket: Bucket, claim: Claim, etag: str, clock: Clock) -> None:
        """Prepare the lease. `etag` is the ETag of the previous claim, or "" if there is none."""
        self._bucket = bucket
        self._claim = claim
        self._etag = etag
        self._clock = clock
        self._renewed = 0.0
        self._lock = threading.Lock()

    def take(self) -> None:
        """Take the lease. Raise GroundworkError if another process has taken it."""
        check_lock()
        self._renewed = self._clock.monotonic()
        if not self._write(self._claim):
            raise GroundworkError(
                "Another process has begun to publish in the meantime. Nothing was changed. Run again when it has "
                "finished."
            )

    def keep(self) -> None:
        """Renew the lease if a third of it has passed. Raise GroundworkError if it is lost: then stop writing.

        The lock of the environment is checked each time.
        """
        check_lock()
        with self._lock:
            now = self._clock.monotonic()
            if now - self._renewed < LEASE / 3:
                return
            if not self._write(self._claim):
                raise GroundworkError(
                    "This run was suspended for so long that its lease expired, and another process is publishing "
                    "now. This run has stopped. The other process completes the publication."
                )
            self._renewed = now

    def give_back(self) -> None:
        """Release the lease after a failure, so that the next run can begin immediately. Ignore errors."""
        try:
            self._write(self._claim.without_lease())
        except GroundworkError:
            pass

    def _write(self, claim: Claim) -> bool:
        condition = {"If-Match": f'"{self._etag}"'} if self._etag else {"If-None-Match": "*"}
        answer = self._bucket.put(CURRENT, dump_claim(claim), {**JSON, **condition}, expected=REFUSED)
        if answer.code and answer.repeated:  # the first attempt may have succeeded although its answer was lost
            return self._is_ours()
        if not answer.code:
            self._etag = answer.etag
        return not answer.code

    def _is_ours(self) -> bool:
        answer = self._bucket.get(CURRENT)
        self._etag = answer.etag
        return load_claim(answer.body).owner == self._claim.owner
