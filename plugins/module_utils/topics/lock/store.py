# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The object of a lock in S3, which changes by conditional writes alone.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, call, refused
from ansible_collections.groundwork.aws.plugins.module_utils.engine.wait import SYSTEM_CLOCK, Clock
from ansible_collections.groundwork.aws.plugins.module_utils.topics.lock.claim import Claim, Found, dump, load

try:
    from botocore.exceptions import BotoCoreError, ClientError
except ImportError:
    pass  # AnsibleAWSModule fails with the remedy before anything here is called

ALLOW = "Allow s3:GetObject, s3:PutObject and s3:DeleteObject on the objects of this bucket to the credentials in use."
REMEDIES = {"AccessDenied": ALLOW, "403": ALLOW}
# S3 has not written: the condition is not met, or another request is changing the object at the same time.
UNMET = ("PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey")
MISSING = ("NoSuchKey", "NoSuchBucket")  # a bucket that was created a moment ago may be unknown


@dataclass(frozen=True)
class Store:
    """The place of a lock. `account` must own the bucket: everybody may have created one with this name.

    A request that was repeated because its response was lost fails with UNMET, and `read` returns the own claim.
    """

    clients: Clients
    bucket: str
    key: str
    account: str
    clock: Clock = SYSTEM_CLOCK

    @property
    def place(self) -> str:
        """Return the address for a message."""
        return f"s3://{self.bucket}/{self.key}"

    def read(self) -> Found | None:
        """Return the lock, or None if it is free."""
        response = self._call("get_object", MISSING)
        if response is None:
            return None
        try:
            text = response["Body"].read()
        except BotoCoreError as error:
            raise GroundworkError(f"Could not read the lock {self.place}: {error}") from error
        sent = parsedate_to_datetime(response["ResponseMetadata"]["HTTPHeaders"]["date"])
        age = (sent - response["LastModified"]).total_seconds()
        return Found(load(text, self.place), response["ETag"], age)

    def create(self, claim: Claim) -> str:
        """Return the ETag of the lock, or "" if it is not free."""
        return self._put(claim, "NoSuchBucket", IfNoneMatch="*")

    def replace(self, claim: Claim, etag: str) -> str:
        """Return the new ETag of the lock, or "" if it does not have this ETag any more."""
        return self._put(claim, IfMatch=etag)

    def delete(self, etag: str) -> None:
        """Delete the lock if it still has this ETag."""
        self._call("delete_object", UNMET, IfMatch=etag)

    def _put(self, claim: Claim, *settled: str, **condition: str) -> str:
        written = {"Body": dump(claim), "ContentType": "application/json", **condition}
        return str((self._call("put_object", (*UNMET, *settled), **written) or {}).get("ETag", ""))

    def _call(self, operation: str, settled: t.Container[str], **arguments: t.Any) -> dict[str, t.Any] | None:
        where = {"Bucket": self.bucket, "Key": self.key, "ExpectedBucketOwner": self.account}
        try:
            return call(self.clients, "s3", operation, {**where, **arguments}, self.clock)
        except ClientError as error:
            if error.response["Error"]["Code"] in settled:
                return None
            raise refused(f"use the lock {self.place}", "s3", operation, error, REMEDIES) from error
