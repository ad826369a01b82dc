# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The invalidation of the distribution in front of the bucket."""

from __future__ import annotations

import hashlib
import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import call, refused
from ansible_collections.groundwork.aws.plugins.module_utils.engine.send import send
from ansible_collections.groundwork.aws.plugins.module_utils.engine.wait import wait_until

if t.TYPE_CHECKING:
    from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run

try:
    from botocore.exceptions import ClientError
except ImportError:
    pass  # AnsibleAWSModule fails with the remedy before anything here is called

INTERVAL = 2.0
COMPLETED = "Completed"
# https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateInvalidation.html
BUSY = "TooManyInvalidationsInProgress"


class Edge:
    """The caches of a distribution."""

    def __init__(self, run: Run, distribution: str, deadline: float) -> None:
        self._run = run
        self._id = distribution
        self._deadline = deadline

    def invalidate(self, paths: t.Sequence[str], release: str, keep: t.Callable[[], None]) -> str:
        """Create an invalidation of the paths and return its id. Call `keep` before each attempt.

        The CallerReference depends on the release and the paths, so that a repeated request creates no second one.
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
                    repeatable=True,
                )
            except ClientError as error:
                if error.response["Error"]["Code"] == BUSY:
                    return ""
                raise refused("create an invalidation", "cloudfront", "create_invalidation", error) from error
            return str(response["Invalidation"]["Id"])

        return self._wait(attempt, bool, "CloudFront to accept another invalidation")

    def settle(self, invalidation: str, keep: t.Callable[[], None]) -> None:
        """Wait until the invalidation is completed at all edge locations."""
        arguments = {"DistributionId": self._id, "Id": invalidation}

        def look() -> str:
            keep()
            try:
                response = call(self._run.clients, "cloudfront", "get_invalidation", arguments)
            except ClientError as error:
                raise refused("read the invalidation", "cloudfront", "get_invalidation", error) from error
            return str(response["Invalidation"]["Status"])

        until = f"the invalidation {invalidation} to be completed"
        self._wait(look, lambda status: status == COMPLETED, until)

    def _wait(self, look: t.Callable[[], str], ready: t.Callable[[str], bool], until: str) -> str:
        return wait_until(look, ready, until=until, deadline=self._deadline, interval=INTERVAL, clock=self._run.clock)
