# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clients that retry, and parallel, paginated reads of resources."""

from __future__ import annotations

import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from ansible_collections.groundwork.aws.plugins.module_utils.engine.cut import is_cut, watch
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.reach import TIMEOUTS, limit, unanswered
from ansible_collections.groundwork.aws.plugins.module_utils.engine.remedies import api_name, remedy
from ansible_collections.groundwork.aws.plugins.module_utils.engine.wait import SYSTEM_CLOCK, Clock

try:
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError
except ImportError:
    pass  # AnsibleAWSModule fails with the remedy before anything here is called


T = t.TypeVar("T")


class Clients(t.Protocol):
    """Boto3 clients by service name. AnsibleAWSModule has the same method."""

    def client(self, service: str, /, **extra: t.Any) -> t.Any:
        """Return a client of this service."""


@dataclass(frozen=True)
class _Regional:
    """The clients of one region."""

    clients: Clients
    region: str

    def client(self, service: str, /, **_extra: t.Any) -> t.Any:
        """Return the client of this service in the region."""
        return self.clients.client(service, region=self.region)


def at(clients: Clients, region: str) -> Clients:
    """Return the clients of a region, or the same clients if `region` is ""."""
    return _Regional(clients, region) if region else clients


@dataclass(frozen=True)
class Read:
    """One read of all resources of a type.

    `result` is the dotted path of the list in the response, as "Vpcs"; "" means the whole response. A value that is not
    a list counts as a list of one item. `marker` is the dotted path of the next page's Marker, for an operation that
    boto3 does not paginate. `region` is given if the resources are in one region, whatever the environment's region.
    `remedies` are those of a Call.
    """

    service: str
    operation: str
    result: str
    arguments: t.Mapping[str, t.Any] = field(default_factory=dict)
    absent: tuple[str, ...] = ()  # error codes that mean that the resource does not exist
    marker: str = ""
    region: str = ""
    remedies: t.Mapping[str, str] = field(default_factory=dict)

    def client(self, clients: Clients) -> t.Any:
        """Return the client that makes the read."""
        return at(clients, self.region).client(self.service)


# https://docs.aws.amazon.com/boto3/latest/guide/retries.html
TEN_ATTEMPTS = {"mode": "standard", "max_attempts": 10}  # jittered, throttling included
NO_REPETITION = {"mode": "standard", "total_max_attempts": 1}  # for writes: see send.py


class RetryingClients:
    """Clients that are created once per service and region: with botocore's retries, or without them for writes."""

    def __init__(self, module: t.Any, *, writing: bool = False) -> None:
        self._module = module
        self._writing = writing
        self._made: dict[tuple[str, str], t.Any] = {}

    def client(self, service: str, /, **extra: t.Any) -> t.Any:
        """Return the client of this service. Creating it is not thread-safe, using it is."""
        key = (service, extra.get("region", ""))
        if key not in self._made:
            own = self._module.params.get("aws_config") or {}
            retries = NO_REPETITION if self._writing else own.get("retries", TEN_ATTEMPTS)
            timeouts = {"connect_timeout": TIMEOUTS["connect_timeout"]} if self._writing else TIMEOUTS
            config = {"max_pool_connections": 20, **timeouts, **own, "retries": dict(retries)}
            self._made[key] = self._module.client(service, aws_config=config, **extra)
            watch(self._made[key])
            limit(self._made[key])
        return self._made[key]


# botocore does not repeat a request whose response was cut.
CUT_ATTEMPTS = 6
CUT = (
    "The response to {operation} of {service} was incomplete {attempts} times, or it was not from AWS. "
    "Check the network, and the proxy if there is one, and run again."
)


def call(
    clients: Clients,
    service: str,
    operation: str,
    arguments: t.Mapping[str, t.Any],
    clock: Clock = SYSTEM_CLOCK,
) -> dict[str, t.Any]:
    """Make one API call that reads. Raise botocore's ClientError unchanged, and GroundworkError without a response."""
    try:
        response: dict[str, t.Any] = _whole(
            lambda: getattr(clients.client(service), operation)(**arguments), service, operation, clock
        )
    except ClientError:
        raise
    except BotoCoreError as error:
        raise unanswered(service, operation, error) from error
    return response


def _whole(read: t.Callable[[], T], service: str, operation: str, clock: Clock) -> T:
    """Return the result of a read, which is repeated while a response is cut."""
    for attempt in range(1, CUT_ATTEMPTS + 1):
        try:
            return read()
        except (ClientError, ResponseParserError) as error:
            if not is_cut(error, operation):
                raise
            if attempt == CUT_ATTEMPTS:
                told = CUT.format(operation=operation, service=service, attempts=attempt)
                raise GroundworkError(told) from error
        clock.sleep(0.1 * 2**attempt)
    raise AssertionError("the last attempt returns or raises")


def observe(clients: Clients, reads: t.Mapping[str, Read]) -> dict[str, list[t.Any]]:
    """Make all reads in parallel, and return the complete list of each under the key of the read.

    Raise GroundworkError with the operation that failed.
    """
    if not reads:
        return {}
    for read in reads.values():  # one after the other: creating clients is not thread-safe
        read.client(clients)
    with ThreadPoolExecutor(max_workers=min(len(reads), 16)) as pool:
        pending = {key: pool.submit(read_all, clients, read) for key, read in reads.items()}
        return {key: future.result() for key, future in pending.items()}


def read_all(clients: Clients, read: Read, clock: Clock = SYSTEM_CLOCK) -> list[t.Any]:
    """Make one read, and return the complete list. Raise GroundworkError with the operation that failed."""
    client = read.client(clients)

    def once() -> list[t.Any]:
        return [item for page in _pages(client, read) for item in _listed(_found(page, read.result, []))]

    try:
        return _whole(once, read.service, read.operation, clock)
    except ClientError as error:
        if error.response["Error"]["Code"] in read.absent:
            return []
        raise refused(f"read {read.result}", read.service, read.operation, error, read.remedies) from error
    except BotoCoreError as error:
        raise unanswered(read.service, read.operation, error) from error


def _pages(client: t.Any, read: Read) -> t.Iterator[t.Mapping[str, t.Any]]:
    if client.can_paginate(read.operation):
        yield from client.get_paginator(read.operation).paginate(**read.arguments)
        return
    page = getattr(client, read.operation)(**read.arguments)
    yield page
    while read.marker and (marker := _found(page, read.marker, "")):
        page = getattr(client, read.operation)(**read.arguments, Marker=marker)
        yield page


def _found(page: t.Mapping[str, t.Any], path: str, missing: t.Any) -> t.Any:
    try:
        return dig(page, path)
    except LookupError:
        return missing


def _listed(answer: t.Any) -> list[t.Any]:
    return answer if isinstance(answer, list) else [answer]


def dig(response: t.Any, path: str) -> t.Any:
    """Return the value at a dotted path, as `dig(r, "Instances.0.InstanceId")`, or `response` itself for ""."""
    for part in path.split(".") if path else ():
        response = response[int(part)] if isinstance(response, list) else response[part]
    return response


def refused(
    doing: str, service: str, operation: str, error: ClientError, remedies: t.Mapping[str, str] | None = None
) -> GroundworkError:
    """Return the error for a call that AWS refused: what failed, AWS' error code and message, and a remedy.

    `remedies` are those of the call, which precede those of all calls.
    """
    code, words = error.response["Error"]["Code"], error.response["Error"]["Message"]
    text = f"Could not {doing}: AWS refused {api_name(operation)} with {code}: {words}"
    return GroundworkError(f"{text} {remedy(code, service, operation, remedies or {})}".rstrip(), error_code=code)
