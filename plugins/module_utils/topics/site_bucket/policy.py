# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The statements of this collection in a bucket policy. All other statements are kept."""

from __future__ import annotations

import json
import typing as t
from types import MappingProxyType

from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Read
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call, Change

SID = "Groundwork"
Statement = dict[str, t.Any]
Remedies = t.Mapping[str, str]
NO_REMEDIES: Remedies = MappingProxyType({})


def policy_read(bucket: str, *absent: str, remedies: Remedies = NO_REMEDIES) -> Read:
    """Return the read of the bucket policy, which accepts a bucket without a policy."""
    return Read(
        "s3", "get_bucket_policy", "Policy", {"Bucket": bucket}, ("NoSuchBucketPolicy", *absent), remedies=remedies
    )


def parse_policy(answers: t.Sequence[str]) -> dict[str, t.Any]:
    """Return the policy in the answers of `policy_read`, {} if the bucket has none."""
    return dict(json.loads(answers[0])) if answers else {}


def only_over_tls(arn: str) -> Statement:
    """Return the statement that denies requests without TLS to the bucket `arn`."""
    return {
        "Sid": f"{SID}OnlyOverTls",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [arn, f"{arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }


def plan_policy(
    bucket: str, policy: t.Mapping[str, t.Any], wanted: t.Sequence[Statement], remedies: Remedies = NO_REMEDIES
) -> list[Change]:
    """Return the change that makes `wanted` the statements of this collection, or [] if they are."""
    told = policy.get("Statement", [])
    actual = told if isinstance(told, list) else [told]
    ours = [one for one in actual if str(one.get("Sid", "")).startswith(SID)]
    if [_canonical(one) for one in ours] == [_canonical(one) for one in wanted]:
        return []
    whole = {"Version": "2012-10-17", **policy, "Statement": [*(one for one in actual if one not in ours), *wanted]}
    arguments = {"Bucket": bucket, "Policy": json.dumps(whole, separators=(",", ":"))}
    call = Call("s3", "put_bucket_policy", arguments, passing=("NoSuchBucket",), remedies=remedies)
    action: t.Literal["create", "update"] = "update" if actual else "create"
    before = {"Statement": ours} if ours else {}
    return [Change(action, "bucket policy", bucket, (call,), before, {"Statement": list(wanted)})]


def _canonical(value: t.Any) -> t.Any:
    """Return a comparable form: AWS returns a list with one item as that item, and lists in any order."""
    if isinstance(value, dict):
        return {key: _canonical(item) for key, item in value.items()}
    if isinstance(value, list):
        return value[0] if len(value) == 1 else sorted(value)
    return value
