# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bucket of the backups: private, encrypted, versioned, only over TLS, and with an end for each backup."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems, check_range
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import backup_bucket
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner
from ansible_collections.groundwork.aws.plugins.module_utils.engine.partitions import partition_at
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_bucket import bucket as buckets
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_bucket.policy import (
    only_over_tls,
    parse_policy,
    plan_policy,
    policy_read,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_bucket.remedies import NO_BUCKET

COMPONENT = "backup"
MOST_DAYS = 3650


@dataclass(frozen=True)
class Keeping:
    """How long backups are kept, in days. Deleted and overwritten ones can be brought back for as long again."""

    days: int


def parse_keeping(options: t.Mapping[str, t.Any], problems: Problems) -> Keeping:
    """Return how long backups are kept. Add to `problems` what is wrong."""
    check_range("keep_days", options["keep_days"], 1, MOST_DAYS, problems)
    return Keeping(options["keep_days"])


def bucket_of(clients: Clients, owner: Owner) -> str:
    """Return the name of the environment's bucket, with one call for the account."""
    [caller] = observe(clients, {"caller": Read("sts", "get_caller_identity", "")})["caller"]
    return backup_bucket(owner.environment, caller["Account"], clients.client("s3").meta.region_name)


def converge_backup_bucket(run: Run) -> dict[str, t.Any]:
    """Create or update the bucket, and return the module's result. Raise GroundworkError on failure."""
    owner, keeping = run.parse(COMPONENT, parse_keeping)
    client = run.clients.client("s3")
    name = bucket_of(run.clients, owner)
    desired = buckets.Bucket(name, client.meta.region_name, keeping.days, expire_days=keeping.days)
    observed = buckets.look(run.clients, name)
    buckets.check_owner(owner, name, observed)
    policy = {}
    if observed.tags is not None:
        policy = parse_policy(observe(run.clients, {"policy": policy_read(name, NO_BUCKET)})["policy"])
    secured = plan_policy(name, policy, [only_over_tls(partition_at(client).arn("s3", name))])
    result = run.make([*buckets.plan(owner, desired, observed), *secured], {})
    return {**result, "bucket": name}
