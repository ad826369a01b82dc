# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The place where servers claim ticks of schedules and commands of releases: prefixes of the bucket of the locks.

Claims of ticks expire. Records of release commands do not, because a new server reads them long after the release.

The bucket exists, because each run takes the lock of its environment first.
"""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Read
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call, Change

PREFIXES = {"claims": 7, "schedules": 400}  # the days after which objects expire
RECORDS = "commands"  # host/releases/release_command
ABSENT = ("NoSuchLifecycleConfiguration", "NoSuchBucket")

Rule = dict[str, t.Any]


def bucket_name(account: str, region: str) -> str:
    """Return the name of the bucket of the locks."""
    return f"groundwork-{account}-{region}"


def resources(partition: str, bucket: str, environment: str) -> list[str]:
    """Return the ARNs of the objects that the servers of an environment may write and read."""
    return [f"arn:{partition}:s3:::{bucket}/{prefix}/{environment}/*" for prefix in (*PREFIXES, RECORDS)]


def lifecycle_read(bucket: str, account: str) -> Read:
    """Return the read of the bucket's lifecycle configuration."""
    arguments = {"Bucket": bucket, "ExpectedBucketOwner": account}
    return Read("s3", "get_bucket_lifecycle_configuration", "", arguments, absent=ABSENT)


def rules() -> list[Rule]:
    """Return the lifecycle rules.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/intro-lifecycle-rules.html
    """
    return [
        {
            "ID": f"groundwork-{prefix}",
            "Status": "Enabled",
            "Filter": {"Prefix": f"{prefix}/"},
            "Expiration": {"Days": days},
        }
        for prefix, days in PREFIXES.items()
    ]


def plan_lifecycle(bucket: str, account: str, actual: t.Mapping[str, t.Any]) -> list[Change]:
    """Return the change that makes claims expire, or none. Other rules of the bucket stay. Pure."""
    found, wanted = list(actual.get("Rules", ())), rules()
    if all(rule in found for rule in wanted):
        return []
    names = {rule["ID"] for rule in wanted}
    whole = [*(rule for rule in found if rule.get("ID") not in names), *wanted]
    kept = "TransitionDefaultMinimumObjectSize"
    arguments = {
        "Bucket": bucket,
        "ExpectedBucketOwner": account,
        "LifecycleConfiguration": {"Rules": whole},
        **({kept: actual[kept]} if actual.get(kept) else {}),
    }
    call = Call("s3", "put_bucket_lifecycle_configuration", arguments)
    before = {rule["ID"]: rule for rule in found if rule.get("ID") in names}
    return [Change("update", "bucket lifecycle", bucket, (call,), before, {rule["ID"]: rule for rule in wanted})]
