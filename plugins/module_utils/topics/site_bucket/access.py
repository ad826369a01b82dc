# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bucket policy. It allows one distribution to read the content below a prefix, and denies requests without TLS.

For a missing object S3 answers 404 to a client that may list the bucket, and 403 to others. So the distribution may
list the bucket. Its origin path puts all its requests below the prefix, so that none of them is a listing.
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import PREFIX, check_bucket
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner
from ansible_collections.groundwork.aws.plugins.module_utils.engine.partitions import partition_of
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import KNOWN_AFTER_APPLY, Change
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.engine.wait import wait_until
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.policies import check_name
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.reusable import COMPONENT
from ansible_collections.groundwork.aws.plugins.module_utils.topics.distribution.finding import (
    Existing,
    Found,
    candidates,
    distributions_read,
    existing,
    in_front_of,
    leads_to,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_bucket.policy import (
    SID,
    Statement,
    only_over_tls,
    parse_policy,
    plan_policy,
    policy_read,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_bucket.remedies import NO_BUCKET, REMEDIES

SHOWN_DEADLINE = 120.0  # seconds until CloudFront's lists contain a new distribution
POLL_INTERVAL = 2.0


@dataclass(frozen=True)
class Access:
    """The names of the distributions that may read the objects below `prefix`. Those in `more` may be missing."""

    bucket: str
    prefix: str
    distribution: str
    region: str
    more: tuple[str, ...] = ()


def parse_access(options: t.Mapping[str, t.Any], problems: Problems) -> Access:
    """Return the access that the options of `s3_site_access` describe."""
    check_bucket(options["bucket"], problems)
    check_name(options["distribution"], problems, "distribution")
    more = tuple(options.get("more_distributions") or ())
    for position, name in enumerate(more):
        check_name(name, problems, f"more_distributions[{position}]")
    if not PREFIX.fullmatch(options["prefix"]):
        right = "give one such as site, without a slash at the beginning or the end"
        problems.add("prefix", f"'{options['prefix']}' is not a valid prefix", right)
    return Access(options["bucket"], options["prefix"], options["distribution"], options.get("region") or "", more)


def converge_access(run: Run) -> dict[str, t.Any]:
    """Update the bucket policy, and return the module's result. Two calls are made if nothing has to change."""
    owner, desired = run.parse(COMPONENT, parse_access)
    read = policy_read(desired.bucket, *((NO_BUCKET,) if run.check_mode else ()), remedies=REMEDIES)
    answers = observe(run.clients, {"policy": read, "tagged": distributions_read(owner)})
    tagged = candidates(owner, desired.distribution, answers["tagged"])
    policy = parse_policy(answers["policy"])
    further = {name: candidates(owner, name, answers["tagged"]) for name in desired.more}
    more = [one.arn for found in further.values() for one in found]
    arn = tagged[0].arn if len(tagged) == 1 else ""
    if not arn or plan(desired, policy, arn, more):  # the tags may be of deleted distributions: check before a change
        arn = _arn(run, owner, desired, tagged)
        more = [one for name, found in further.items() for one in _existing_arns(run, owner, desired, name, found)]
    return {**run.make(plan(desired, policy, arn, more), {}), "distribution_arn": arn}


def _existing_arns(run: Run, owner: Owner, desired: Access, name: str, tagged: t.Sequence[Found]) -> list[str]:
    there = existing(run.clients, owner, name, tagged, leads_to(desired.bucket))
    return [there.found.arn] if there else []


def _arn(run: Run, owner: Owner, desired: Access, tagged: t.Sequence[Found]) -> str:
    """Return the distribution's ARN. Wait for a new one to be listed. Raise GroundworkError on timeout."""

    def look() -> Existing | None:
        return existing(run.clients, owner, desired.distribution, tagged, in_front_of(desired.bucket))

    there = look() if run.check_mode else _shown_soon(run, owner, desired, look)
    return there.found.arn if there else KNOWN_AFTER_APPLY


def _shown_soon(run: Run, owner: Owner, desired: Access, look: t.Callable[[], Existing | None]) -> Existing | None:
    return wait_until(
        look,
        bool,
        until=f"CloudFront to list the distribution {owner.name(desired.distribution)}, created by "
        f"cloudfront_distribution (the role static_site), with the bucket {desired.bucket} as an origin",
        deadline=SHOWN_DEADLINE,
        interval=POLL_INTERVAL,
        clock=run.clock,
    )


def plan(desired: Access, policy: t.Mapping[str, t.Any], arn: str, more: t.Sequence[str] = ()) -> list[Change]:
    """Return the change that adds the statements to the bucket policy. All other statements are kept."""
    return plan_policy(desired.bucket, policy, statements(desired, arn, more), REMEDIES)


def statements(desired: Access, arn: str, more: t.Sequence[str] = ()) -> list[Statement]:
    """Return the statements of the bucket policy for the distribution `arn`, and `more` distributions."""
    bucket = partition_of(desired.region).arn("s3", desired.bucket)
    edge = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Condition": {"StringEquals": {"AWS:SourceArn": sorted({arn, *more}) if more else arn}},
    }
    return [
        {"Sid": f"{SID}Read", **edge, "Action": "s3:GetObject", "Resource": f"{bucket}/{desired.prefix}/*"},
        {"Sid": f"{SID}TellWhatIsMissing", **edge, "Action": "s3:ListBucket", "Resource": bucket},
        only_over_tls(bucket),
    ]
