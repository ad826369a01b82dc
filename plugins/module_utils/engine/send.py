# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Send a write so that it takes effect once, also when AWS throttles, fails or its response is lost.

botocore repeats every request whose response is lost. Most calls of EC2 that create a resource have no client token, so
that a repetition creates a second VPC. This module repeats a request only if AWS has certainly not accepted it, or if
repeating it is harmless. Else the run fails, and the next run finds the created resource by its tags.
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

# AWS did not accept the request. https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
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
# A repetition of these creates a second resource, unless they have a client token or their plan says otherwise.
CREATING = ("allocate_", "copy_", "create_", "import_", "register_", "run_")
# The ends of AWS' error codes for a repetition of a call that it accepted the first time.
ECHOES = ("NotFound", "Duplicate", "AlreadyExists", "AlreadyAssociated", "NotAttached")


def send(
    clients: Clients,
    service: str,
    operation: str,
    arguments: t.Mapping[str, t.Any],
    clock: Clock,
    *,
    repeatable: bool = False,
) -> dict[str, t.Any]:
    """Make one API call and return its response, or {} if a repetition shows that the lost response was a success.

    `clients` must not repeat requests. `repeatable` is the field of Call.

    Raise botocore's ClientError if AWS refuses the call, and GroundworkError if AWS does not answer and the request
    cannot be repeated.
    """
    repeatable = repeatable or is_repeatable(operation, arguments)
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
                raise GroundworkError(f"Could not call {operation} of {service}: {error}") from error
        except HTTPClientError as error:
            if attempt == ATTEMPTS or not repeatable:
                raise GroundworkError(
                    f"The response to {operation} of {service} was lost: {str(error).rstrip('.')}. "
                    "Run again; if AWS created the resource, the next run finds it by its tags."
                ) from error
            unanswered = True
        except BotoCoreError as error:
            raise GroundworkError(f"Could not call {operation} of {service}: {error}") from error
        clock.sleep(random.uniform(0, min(LONGEST_PAUSE, 2.0**attempt / 2)))  # noqa: S311 - jitter, no secret
    raise AssertionError("the last attempt returns or raises")


def is_repeatable(operation: str, arguments: t.Mapping[str, t.Any]) -> bool:
    """Return whether sending the same request twice has the same effect as sending it once."""
    return "ClientToken" in arguments or not operation.startswith(CREATING)


def _may_repeat(error: ClientError, repeatable: bool) -> bool:
    if error.response["Error"]["Code"] in THROTTLED:
        return True
    # After a server error it is unknown whether AWS accepted the request.
    return repeatable and error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500
