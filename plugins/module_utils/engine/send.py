# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sending a write so that it is made once, also when AWS throttles, stumbles or its answer is lost.

botocore repeats any request whose answer did not come. Most of EC2's creating calls know no client token, so that
the repetition makes a second VPC. Here a request is repeated when AWS surely did not take it, or when taking it
twice does no harm; else the run ends, and the next one finds by its tags what was made.
https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html
"""

from __future__ import annotations

import random
import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients
from ansible_collections.groundwork.aws.plugins.module_utils.engine.wait import Clock

try:
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        ConnectTimeoutError,
        EndpointConnectionError,
        HTTPClientError,
    )
except ImportError:
    pass  # AnsibleAWSModule fails with the remedy before anything here is called

ATTEMPTS = 10
LONGEST_PAUSE = 20.0

# AWS did not take the request. https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
THROTTLED = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "OperationAborted",  # S3 is busy with another change of the bucket
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
# Making these twice makes a second thing, unless they carry a client token.
CREATING = ("allocate_", "copy_", "create_", "import_", "register_", "run_")
# An invalidation's CallerReference makes a repetition the same invalidation; a second thing of a name is refused.
NAMED = ("create_auto_scaling_group", "create_instance_profile", "create_role")
HARMLESS = frozenset(
    {*NAMED, "create_invalidation", "create_or_update_tags", "create_route", "create_tags", "register_targets"}
)
# What AWS says to a repetition of a call that it took the first time.
ECHOES = ("NotFound", "Duplicate", "AlreadyExists", "AlreadyAssociated", "NotAttached")


def send(
    clients: Clients, service: str, operation: str, arguments: t.Mapping[str, t.Any], clock: Clock
) -> dict[str, t.Any]:
    """The response of one API call; {} when a repetition shows that the lost answer was a yes.

    `clients` must not repeat requests by themselves. Raises botocore's ClientError when AWS refuses, and
    GroundworkError when AWS does not answer and the request cannot be repeated.
    """
    repeatable = is_repeatable(operation, arguments)
    unanswered = False
    for attempt in range(1, ATTEMPTS + 1):
        try:
            response: dict[str, t.Any] = getattr(clients.client(service), operation)(**arguments)
            return response
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if unanswered and code.endswith(ECHOES):
                return {}
            if attempt == ATTEMPTS or not _may_repeat(error, repeatable):
                raise
            unanswered = unanswered or code not in THROTTLED
        except (EndpointConnectionError, ConnectTimeoutError) as error:  # it was never sent
            if attempt == ATTEMPTS:
                raise GroundworkError(f"Could not ask {service} to {operation}: {error}") from error
        except HTTPClientError as error:
            if attempt == ATTEMPTS or not repeatable:
                raise GroundworkError(
                    f"AWS did not answer whether it took {service}'s {operation}: {str(error).rstrip('.')}. "
                    "Run again: if it did, the next run finds what was made by its tags."
                ) from error
            unanswered = True
        except BotoCoreError as error:
            raise GroundworkError(f"Could not ask {service} to {operation}: {error}") from error
        clock.sleep(random.uniform(0, min(LONGEST_PAUSE, 2.0**attempt / 2)))  # noqa: S311 - jitter, no secret
    raise AssertionError("the last attempt returns or raises")


def is_repeatable(operation: str, arguments: t.Mapping[str, t.Any]) -> bool:
    """Whether the same request sent twice does what it does once."""
    return "ClientToken" in arguments or operation in HARMLESS or not operation.startswith(CREATING)


def _may_repeat(error: ClientError, repeatable: bool) -> bool:
    if error.response["Error"]["Code"] in THROTTLED:
        return True
    # An error on AWS' side leaves open whether the request was taken.
    return repeatable and error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500
