# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may read the bucket: one distribution, the content and nothing else, over TLS.

Whoever may list a bucket is told 404 for an object that is not there, and 403 otherwise. The distribution may, so that
403 means what it says. Its origin path keeps its requests below the prefix, so that none of them is a listing.
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html
"""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.aws import Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.cloudfront.policies import check_name
from ansible_collections.groundwork.aws.plugins.module_utils.cloudfront.reusable import COMPONENT
from ansible_collections.groundwork.aws.plugins.module_utils.distribution.finding import (
    distributions_read,
    find_soon,
    named,
)
from ansible_collections.groundwork.aws.plugins.module_utils.distribution.origins import check_bucket
from ansible_collections.groundwork.aws.plugins.module_utils.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.plan import KNOWN_AFTER_APPLY, Call, Change
from ansible_collections.groundwork.aws.plugins.module_utils.running import Run

SID = "Groundwork"
PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(/[A-Za-z0-9][A-Za-z0-9_-]*)*")
Statement = dict[str, t.Any]


@dataclass(frozen=True)
class Access:
    """Which distribution (by name) may read what is below `prefix`."""

    bucket: str
    prefix: str
    distribution: str


def parse_access(options: t.Mapping[str, t.Any], problems: Problems) -> Access:
    """The access of the options of `s3_site_access`."""
    check_bucket(options["bucket"], problems)
    check_name(options["distribution"], problems, "distribution")
    if not PREFIX.fullmatch(options["prefix"]):
        problems.add("prefix", f"'{options['prefix']}' is no prefix", "give one like site, without slashes at its ends")
    return Access(options["bucket"], options["prefix"], options["distribution"])


def converge_access(run: Run) -> dict[str, t.Any]:
    """The result of the module `s3_site_access`. Two calls when there is nothing to do."""
    owner, desired = run.parse(COMPONENT, parse_access)
    policy = Read(
        "s3", "get_bucket_policy", "Policy", {"Bucket": desired.bucket}, ("NoSuchBucket", "NoSuchBucketPolicy")
    )
    answers = observe(run.clients, {"policy": policy, "tagged": distributions_read(owner)})
    found = named(owner, desired.distribution, answers["tagged"])
    if not found and not run.check_mode:
        found = find_soon(run.clients, owner, desired.distribution, run.clock)
    actual = json.loads(answers["policy"][0])["Statement"] if answers["policy"] else []
    changes = plan(desired, actual if isinstance(actual, list) else [actual], found.arn if found else KNOWN_AFTER_APPLY)
    return {**run.make(changes, {}), "distribution_arn": found.arn if found else KNOWN_AFTER_APPLY}


def plan(desired: Access, actual: t.Sequence[Statement], arn: str) -> list[Change]:
    """The policy with our statements in it; those of others stay. Pure."""
    ours = [one for one in actual if str(one.get("Sid", "")).startswith(SID)]
    wanted = statements(desired, arn)
    if [_canonical(one) for one in ours] == [_canonical(one) for one in wanted]:
        return []
    whole = [*(one for one in actual if one not in ours), *wanted]
    policy = json.dumps({"Version": "2012-10-17", "Statement": whole}, separators=(",", ":"))
    call = Call("s3", "put_bucket_policy", {"Bucket": desired.bucket, "Policy": policy})
    action: t.Literal["create", "update"] = "update" if actual else "create"
    return [
        Change(
            action, "bucket policy", desired.bucket, (call,), {"Statement": ours} if ours else {}, {"Statement": wanted}
        )
    ]


def statements(desired: Access, arn: str) -> list[Statement]:
    """Our statements for the distribution with that ARN."""
    bucket = f"arn:aws:s3:::{desired.bucket}"
    edge = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Condition": {"StringEquals": {"AWS:SourceArn": arn}},
    }
    return [
        {"Sid": f"{SID}Read", **edge, "Action": "s3:GetObject", "Resource": f"{bucket}/{desired.prefix}/*"},
        {"Sid": f"{SID}TellWhatIsMissing", **edge, "Action": "s3:ListBucket", "Resource": bucket},
        {
            "Sid": f"{SID}OnlyOverTls",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [bucket, f"{bucket}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
    ]


def _canonical(value: t.Any) -> t.Any:
    """A list of one is its item, and lists are sets: AWS gives them back either way."""
    if isinstance(value, dict):
        return {key: _canonical(item) for key, item in value.items()}
    if isinstance(value, list):
        return value[0] if len(value) == 1 else sorted(value)
    return value
