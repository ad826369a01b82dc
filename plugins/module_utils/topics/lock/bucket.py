# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bucket of the locks: one for each account and region, which no teardown deletes.

New buckets are private, encrypted and without access control lists.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/create-bucket-faq.html
"""

from __future__ import annotations

import json
import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, call, refused
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import COMPONENT, tag_dict, tag_list
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call, Change

try:
    from botocore.exceptions import ClientError
except ImportError:
    pass  # AnsibleAWSModule fails with the remedy before anything here is called

SID = "GroundworkOnlyOverTls"
NO_BUCKET = "NoSuchBucket"
UNSET = ("NoSuchBucketPolicy", "NoSuchTagSet")
ELSEWHERE = ("AccessDenied", "403", "PermanentRedirect", "301")
TAGS = {COMPONENT: "lock"}
TAKEN = "Ask AWS Support to remove that bucket, or use another region or account."


class Bucket(t.NamedTuple):
    """The bucket. The name of a bucket is unique in the world, so it has the id of the account."""

    account: str
    region: str

    @property
    def name(self) -> str:
        """Return the name of the bucket."""
        return f"groundwork-{self.account}-{self.region}"


class Observed(t.NamedTuple):
    """The current state. `tags` are read only if the policy lacks the statement."""

    exists: bool
    policy: t.Mapping[str, t.Any] = {}
    tags: t.Mapping[str, str] = TAGS


def look(clients: Clients, bucket: Bucket) -> Observed:
    """Return the current state, with one call if there is nothing to do. Raise GroundworkError if it is not ours."""
    told = _read(clients, bucket, "get_bucket_policy")
    if told is None:
        return Observed(exists=False)
    policy = json.loads(told.get("Policy", "{}"))
    if _denies(policy, only_over_tls(bucket)):
        return Observed(exists=True, policy=policy)
    tags = tag_dict({"Tags": (_read(clients, bucket, "get_bucket_tagging") or {}).get("TagSet", [])})
    if not tags.items() >= TAGS.items():
        raise GroundworkError(
            f"The locks of the environments are in the bucket {bucket.name}. A bucket with this name exists in this "
            f"account, and lacks the tag {COMPONENT}=lock. Nothing was changed. Tag it if it is for the locks, or "
            "delete it."
        )
    return Observed(exists=True, policy=policy, tags=tags)


def _read(clients: Clients, bucket: Bucket, operation: str) -> dict[str, t.Any] | None:
    """Return the response to a read, {} if the setting does not exist, and None if the bucket does not exist."""
    try:
        return call(clients, "s3", operation, {"Bucket": bucket.name, "ExpectedBucketOwner": bucket.account})
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == NO_BUCKET:
            return None
        if code in UNSET:
            return {}
        failure = refused(f"read the bucket of the locks, {bucket.name}", "s3", operation, error)
        if code in ELSEWHERE:
            raise GroundworkError(
                f"{failure} If these actions are allowed, the bucket belongs to another AWS account, which has taken "
                f"the name. Nothing was changed. {TAKEN}",
                **failure.details,
            ) from error
        raise failure from error


def only_over_tls(bucket: Bucket) -> dict[str, t.Any]:
    """Return the statement that denies requests without TLS."""
    arn = f"arn:aws:s3:::{bucket.name}"
    return {
        "Sid": SID,
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def _denies(policy: t.Mapping[str, t.Any], statement: t.Mapping[str, t.Any]) -> bool:
    """Return whether the policy has the statement. AWS returns the resources in any order."""
    wanted = {**statement, "Resource": sorted(statement["Resource"])}
    return any({**one, "Resource": sorted(one.get("Resource", []))} == wanted for one in _statements(policy))


def _statements(policy: t.Mapping[str, t.Any]) -> list[dict[str, t.Any]]:
    found = policy.get("Statement", [])
    return found if isinstance(found, list) else [found]


def plan(bucket: Bucket, tags: t.Mapping[str, str], observed: Observed) -> list[Change]:
    """Return the changes: create the bucket, and deny requests without TLS. Other statements of its policy stay."""
    made = [] if observed.exists else [_creation(bucket, tags)]
    statement = only_over_tls(bucket)
    if _denies(observed.policy, statement):
        return made
    others = [one for one in _statements(observed.policy) if one.get("Sid") != SID]
    whole = {"Version": "2012-10-17", **observed.policy, "Statement": [*others, statement]}
    arguments = {"Bucket": bucket.name, "Policy": json.dumps(whole), "ExpectedBucketOwner": bucket.account}
    put = Call("s3", "put_bucket_policy", arguments, passing=(NO_BUCKET,))
    return [*made, Change("update", "bucket policy", bucket.name, (put,), after={"Statement": [statement]})]


def _creation(bucket: Bucket, tags: t.Mapping[str, str]) -> Change:
    # S3 creates buckets without a LocationConstraint in us-east-1, and rejects us-east-1 as a LocationConstraint.
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
    where = {} if bucket.region == "us-east-1" else {"LocationConstraint": bucket.region}
    own = {**tags, **TAGS, "Name": bucket.name}
    create = Call(
        "s3",
        "create_bucket",
        {
            "Bucket": bucket.name,
            "ObjectOwnership": "BucketOwnerEnforced",
            "CreateBucketConfiguration": {**where, "Tags": tag_list(own)},
        },
        settled=("BucketAlreadyOwnedByYou",),  # by a run that began at the same time, or whose response was lost
        repeatable=True,
        remedies={"BucketAlreadyExists": f"Another AWS account has taken this name. {TAKEN}"},
    )
    return Change("create", "bucket of the locks", bucket.name, (create,), after={"region": bucket.region})
