# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Give up after about a minute when AWS cannot be reached, and say what to check.

botocore waits 60 seconds for a connection, and repeats that as often as it repeats a call that AWS throttles.
"""

from __future__ import annotations

import time
import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError

try:
    from botocore.exceptions import (
        ConnectTimeoutError,
        EndpointConnectionError,
        ProxyConnectionError,
        ReadTimeoutError,
    )
except ImportError:
    pass  # AnsibleAWSModule fails with the remedy before anything here is called

# Seconds, for reads. https://docs.aws.amazon.com/boto3/latest/guide/configuration.html
TIMEOUTS = {"connect_timeout": 10, "read_timeout": 30}
PATIENCE = 30.0  # seconds after the first failure, in which a request is repeated
STARTED = "groundwork_unreached_since"
REMEDY = (
    "Check the network of this machine, whether it resolves the name, and the proxy (HTTPS_PROXY) if there is one. "
    "Then run again."
)


def is_unreached(error: BaseException | None) -> bool:
    """Return whether AWS did not answer, because there was no connection."""
    return isinstance(error, (ConnectTimeoutError, EndpointConnectionError, ProxyConnectionError, ReadTimeoutError))


def limit(client: t.Any, now: t.Callable[[], float] = time.monotonic) -> None:
    """Make a boto3 client raise botocore's error when AWS cannot be reached for PATIENCE seconds."""

    def give_up(caught_exception: Exception | None, request_dict: t.Any, **_event: t.Any) -> None:
        if caught_exception is None or not is_unreached(caught_exception):
            return
        if now() - request_dict["context"].setdefault(STARTED, now()) >= PATIENCE:
            raise caught_exception

    client.meta.events.register_first("needs-retry", give_up)


def unanswered(service: str, operation: str, error: Exception) -> GroundworkError:
    """Return the error for a call that AWS did not answer, with what to do."""
    why = f"{str(error).rstrip('.')}. {REMEDY}" if is_unreached(error) else str(error)
    return GroundworkError(f"Could not call {operation} of {service}: {why}")
