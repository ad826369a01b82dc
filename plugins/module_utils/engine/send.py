# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Send a write so that it takes effect once, also when AWS throttles, fails or its response is lost.

botocore repeats every request whose response is lost. Most calls of EC2 that create a resource have no client token, so
that a repetition creates a second VPC. This module repeats a request if AWS has certainly not accepted it, or if
repeating it is harmless. Otherwise it looks for what the lost request may have created, and repeats it only if there is
nothing. See docs/decisions/0038.
https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html
"""

from __future__ import annotations

import random
import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.cut import is_cut
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.held import check_lock
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients
from ansible_collections.groundwork.aws.plugins.module_utils.engine.reach import PATIENCE, is_unreached, unanswered
from ansible_collections.groundwork.aws.plugins.module_utils.engine.wait import Clock

try:
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        ConnectTimeoutError,
        EndpointConnectionError,
        HTTPClientError,
    )
    from botocore.parsers import ResponseParserError
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
# What is known after a request that failed: AWS has not accepted it, may have accepted it, or has refused it.
UNSENT, LOST, REFUSED = "unsent", "lost", "refused"
CUT = "it was incomplete, or not from AWS; check the network, and the proxy if there is one"
# The ends of AWS' error codes for a repetition of a call that it accepted the first time. NotFound is one only for a
# call that removes something: for another one, a resource that it refers to is not known yet.
REMOVING = ("delete_", "deregister_", "detach_", "disassociate_", "release_", "remove_", "revoke_", "terminate_")
GONE = ("NotFound", "NotAttached", "NoSuchEntity")
MADE = ("Duplicate", "AlreadyExists", "AlreadyAssociated")


Response = dict[str, t.Any]


def send(
    clients: Clients,
    service: str,
    operation: str,
    arguments: t.Mapping[str, t.Any],
    clock: Clock,
    *,
    repeatable: bool = False,
    find: t.Callable[[], Response | None] | None = None,
    echoes: t.Container[str] = (),
) -> Response:
    """Make one API call and return its response, or {} if a repetition shows that the lost response was a success.

    `clients` must not repeat requests. `repeatable` is the field of Call. `find` looks for what an earlier request has
    created, and returns it in place of the lost response, or None. `echoes` is the field of Call.

    Raise botocore's ClientError if AWS refuses the call, and GroundworkError if AWS does not answer and the request
    cannot be repeated, or if the run has lost the lock of its environment.
    """
    harmless = repeatable or is_repeatable(operation, arguments)
    lost, end = False, clock.monotonic() + PATIENCE
    for attempt in range(1, ATTEMPTS + 1):
        check_lock()
        try:
            response: Response = getattr(clients.client(service), operation)(**arguments)
            return response
        except (ClientError, BotoCoreError, ResponseParserError) as error:
            outcome = _outcome(error, operation)
            if lost and outcome == REFUSED:
                made = find() if find else None
                if made or _is_echo(_code(error), operation, echoes):
                    return made or {}
            over = attempt == ATTEMPTS or (outcome == UNSENT and is_unreached(error) and clock.monotonic() >= end)
            if over or outcome == REFUSED or (outcome == LOST and not (harmless or find)):
                raise _told(error, service, operation) from error
            lost = lost or outcome == LOST
        if lost and not harmless and find and (made := find()):
            return made
        clock.sleep(random.uniform(0, min(LONGEST_PAUSE, 2.0**attempt / 2)))  # noqa: S311 - jitter, no secret
    raise AssertionError("the last attempt returns or raises")


def _outcome(error: Exception, operation: str) -> str:
    """Return what is known after a request that failed. A refusal whose reason was cut is asked for again."""
    if isinstance(error, ClientError):
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        if _code(error) in THROTTLED or (status < 500 and is_cut(error, operation)):
            return UNSENT
        return LOST if status >= 500 else REFUSED
    if isinstance(error, (EndpointConnectionError, ConnectTimeoutError)):
        return UNSENT
    return LOST if isinstance(error, (HTTPClientError, ResponseParserError)) else REFUSED


def _is_echo(code: str, operation: str, echoes: t.Container[str]) -> bool:
    """Return whether a refusal of the repetition shows that the lost request was accepted."""
    return code in echoes or code.endswith(GONE if operation.startswith(REMOVING) else MADE)


def _code(error: Exception) -> str:
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else ""


def _told(error: Exception, service: str, operation: str) -> Exception:
    """Return the error to raise for a request that is not repeated."""
    if isinstance(error, ClientError):
        return t.cast(Exception, error)
    if _outcome(error, operation) != LOST:
        return unanswered(service, operation, error)
    why = CUT if isinstance(error, ResponseParserError) else str(error).rstrip(".")
    return GroundworkError(
        f"The response to {operation} of {service} was lost: {why}. "
        "Run again; if AWS created the resource, the next run finds it by its tags."
    )


def is_repeatable(operation: str, arguments: t.Mapping[str, t.Any]) -> bool:
    """Return whether sending the same request twice has the same effect as sending it once."""
    return "ClientToken" in arguments or not operation.startswith(CREATING)
