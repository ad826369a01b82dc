# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The distribution in front of the bucket: found by its tags, invalidated, awaited."""

from __future__ import annotations

import hashlib
import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.aws import Clients, Read, call, observe, refused
from ansible_collections.groundwork.aws.plugins.module_utils.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.ownership import COMPONENT, ENVIRONMENT, Owner, tag_dict
from ansible_collections.groundwork.aws.plugins.module_utils.sending import send
from ansible_collections.groundwork.aws.plugins.module_utils.waiting import wait_until

if t.TYPE_CHECKING:
    from ansible_collections.groundwork.aws.plugins.module_utils.running import Run

try:
    from botocore.exceptions import ClientError
except ImportError:
    pass  # AnsibleAWSModule fails with the remedy before anything here is called

TAGGING = "resourcegroupstaggingapi"
TAGGING_REGION = "us-east-1"  # where CloudFront's resources, which have no region, are listed
INTERVAL = 2.0
COMPLETED = "Completed"
# https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateInvalidation.html
BUSY = "TooManyInvalidationsInProgress"


def find_distribution(clients: Clients, owner: Owner, name: str) -> str | None:
    """The id of the distribution that people call `name`; None when there is none.

    https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html
    """
    clients.client(TAGGING, region=TAGGING_REGION)
    filters = [{"Key": key, "Values": [value]} for key, value in _tags(owner, name).items()]
    arguments = {"ResourceTypeFilters": ["cloudfront:distribution"], "TagFilters": filters}
    found = observe(clients, {"d": Read(TAGGING, "get_resources", "ResourceTagMappingList", arguments)})["d"]
    ids = [one["ResourceARN"].rpartition("/")[2] for one in found if owner.owns_tags(tag_dict(one))]
    if len(ids) > 1:
        raise GroundworkError(f"Two distributions are called {owner.name(name)}: {', '.join(ids)}. Remove one.")
    return ids[0] if ids else None


def _tags(owner: Owner, name: str) -> dict[str, str]:
    return {ENVIRONMENT: owner.environment, COMPONENT: owner.component, "Name": owner.name(name)}


class Edge:
    """One distribution's caches."""

    def __init__(self, run: Run, distribution: str, deadline: float) -> None:
        self._run = run
        self._id = distribution
        self._deadline = deadline

    def invalidate(self, paths: t.Sequence[str], release: str, keep: t.Callable[[], None]) -> str:
        """The id of an invalidation of these paths. `keep` is called between attempts.

        The reference is made of release and paths, so that the same request twice is one invalidation.
        """
        paths_digest = hashlib.sha256("\n".join(paths).encode()).hexdigest()[:16]
        batch = {
            "Paths": {"Quantity": len(paths), "Items": list(paths)},
            "CallerReference": f"{release}-{paths_digest}",
        }
        arguments = {"DistributionId": self._id, "InvalidationBatch": batch}

        def attempt() -> str:
            keep()
            try:
                response = send(
                    self._run.writers or self._run.clients,
                    "cloudfront",
                    "create_invalidation",
                    arguments,
                    self._run.clock,
                )
            except ClientError as error:
                if error.response["Error"]["Code"] == BUSY:
                    return ""
                raise refused("invalidate the edge", "cloudfront", "create_invalidation", error) from error
            return str(response["Invalidation"]["Id"])

        return self._wait(attempt, bool, "CloudFront has room for another invalidation")

    def settle(self, invalidation: str, keep: t.Callable[[], None]) -> None:
        """Wait until every edge location has forgotten the paths."""
        arguments = {"DistributionId": self._id, "Id": invalidation}

        def look() -> str:
            keep()
            try:
                response = call(self._run.clients, "cloudfront", "get_invalidation", arguments)
            except ClientError as error:
                raise refused("await the invalidation", "cloudfront", "get_invalidation", error) from error
            return str(response["Invalidation"]["Status"])

        until = f"the invalidation {invalidation} is completed"
        self._wait(look, lambda status: status == COMPLETED, until)

    def _wait(self, look: t.Callable[[], str], ready: t.Callable[[str], bool], until: str) -> str:
        return wait_until(look, ready, until=until, deadline=self._deadline, interval=INTERVAL, clock=self._run.clock)
