# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make the changes of a plan. All modules use this interpreter of `Change`s."""

from __future__ import annotations

import typing as t
from dataclasses import replace
from functools import partial

from ansible_collections.groundwork.aws.plugins.module_utils.engine.created import find, lookup_of, value_at
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import (
    DeadlineError,
    GroundworkError,
    is_unknown,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, at, call, dig, refused
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import (
    Call,
    Change,
    Ids,
    Lookup,
    Wait,
    references,
    resolve,
    shown,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.progress import INTERVAL, awaiting, tell
from ansible_collections.groundwork.aws.plugins.module_utils.engine.send import REMOVING, send
from ansible_collections.groundwork.aws.plugins.module_utils.engine.wait import SYSTEM_CLOCK, Clock, wait_until

try:
    from botocore.exceptions import ClientError
except ImportError:
    pass  # AnsibleAWSModule fails with the remedy before anything here is called

# Another endpoint may not know yet a resource that was created seconds ago, by this run or by another one.
# https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
CONSISTENCY_DEADLINE = 60.0
# For so long AWS may report a deleted resource as a user of another one: its interfaces and addresses are freed later.
PASSING_DEADLINE = 300.0
IN_USE = frozenset(
    {
        "DeleteConflict",
        "DependencyViolation",
        "InvalidIPAddress.InUse",
        "InvalidNetworkInterface.InUse",
        "InvalidSnapshot.InUse",
        "ResourceInUse",
        "ScalingActivityInProgress",
        "VolumeInUse",
    }
)
INCOMPLETE = "IncompleteResponse"


def report(changes: t.Sequence[Change], ids: Ids) -> dict[str, t.Any]:
    """Return a module's `changed`, `changes` and `diff`, which are the same in check mode and in a real run.

    `changes` is a list of {action, resource, name}. `diff` has one entry per change, for --diff.
    """
    return {
        "changed": bool(changes),
        "changes": [{"action": c.action, "resource": c.resource, "name": c.name} for c in changes],
        "diff": [
            {
                "before_header": str(c),
                "after_header": str(c),
                "before": shown(c.before, ids) if c.before else "",
                "after": shown(c.after, ids) if c.after else "",
            }
            for c in changes
        ],
    }


def apply(
    changes: t.Sequence[Change],
    clients: Clients,
    ids: Ids,
    clock: Clock = SYSTEM_CLOCK,
    writers: Clients | None = None,
) -> None:
    """Make all changes in order, and add to `ids` the ids of the created resources.

    Writes use `writers`, clients that do not repeat requests. Waits read with `clients`.

    Raise GroundworkError at the first failure, with the changes that were made and those that were not in its details,
    and as `awaited` the kind and the name of the resource if it is a wait that failed.
    """
    run = _Run(clients, ids, clock, writers or clients)
    for position, change in enumerate(changes):
        try:
            run.make(change)
        except GroundworkError as error:
            error.details["made"] = [str(c) for c in changes[:position]]
            error.details["not_made"] = [str(c) for c in changes[position:]]
            raise
    try:
        run.settle()
    except GroundworkError as error:
        error.details["made"] = [str(c) for c in changes]
        raise


def settle(wait: Wait, clients: Clients, ids: Ids, clock: Clock = SYSTEM_CLOCK) -> None:
    """Wait for a change that an earlier run began. Raise GroundworkError at the deadline or if the wait fails."""
    _Run(clients, ids, clock, clients).wait(wait)


class _Run:
    def __init__(self, clients: Clients, ids: Ids, clock: Clock, writers: Clients) -> None:
        self.clients = clients
        self.writers = writers
        self.ids = ids
        self.clock = clock
        self.waits: dict[tuple[str, str], list[Wait]] = {}

    def make(self, change: Change) -> None:
        for ref in change.awaits:
            self._await((ref.resource, ref.name))
        for one in change.calls:
            self._make_call(change, one)
        if change.wait:
            self.waits.setdefault((change.resource, change.name), []).append(change.wait)

    def settle(self) -> None:
        """Do all waits that are not done yet."""
        for key in list(self.waits):
            self._await(key)

    def _make_call(self, change: Change, one: Call) -> None:
        needed = {(ref.resource, ref.name) for ref in references(one.arguments)}
        for key in needed - {(change.resource, change.name)}:
            self._await(key)
        self.ids.update(self._patiently(change, one, resolve(one.arguments, self.ids)))

    def _learn(self, change: Change, one: Call, arguments: t.Mapping[str, t.Any]) -> Ids:
        """Make the call, and return the values of the Refs that it yields."""
        response = self._once(change, one, arguments)
        try:
            return {ref: value_at(response, path) for ref, path in one.yields.items()}
        except LookupError as error:
            wanted = ", ".join(one.yields.values())
            raise GroundworkError(
                f"Could not {change}: the response of {one.operation} lacks {wanted}", error_code=INCOMPLETE
            ) from error

    def _once(self, change: Change, one: Call, arguments: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        try:
            lookup = lookup_of(one, arguments)
            response = send(
                at(self.writers, one.region),
                one.service,
                one.operation,
                arguments,
                self.clock,
                repeatable=one.repeatable,
                echoes=one.echoes,
                find=partial(self._find, one, lookup) if lookup else None,
            )
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in one.settled:
                return {}
            if code in one.instead:
                other = one.instead[code]
                return self._once(change, other, resolve(other.arguments, self.ids))
            raise refused(str(change), one.service, one.operation, error, one.remedies) from error
        for refusal in refusals(one, response):
            raise refused(str(change), one.service, one.operation, refusal, one.remedies)
        return response

    def _find(self, one: Call, lookup: Lookup) -> dict[str, t.Any] | None:
        resolved = replace(lookup, arguments=resolve(lookup.arguments, self.ids))
        return find(at(self.clients, one.region), one.service, resolved, self.clock)

    def _patiently(self, change: Change, one: Call, arguments: t.Mapping[str, t.Any]) -> Ids:
        """Make the call as `_learn` does, and repeat it while AWS refuses it for a temporary reason."""
        start = told = self.clock.monotonic()
        delay = 0.5
        while True:
            try:
                return self._learn(change, one, arguments)
            except GroundworkError as error:
                deadline, now = _patience(one, error), self.clock.monotonic()
                if now >= start + deadline:
                    raise
                if now >= told + INTERVAL:
                    tell(awaiting(f"AWS to accept '{change}'", now - start, deadline, str(error)))
                    told = now
            self.clock.sleep(delay)
            delay = min(delay * 2, 8.0)

    def _await(self, key: tuple[str, str]) -> None:
        for wait in self.waits.pop(key, []):
            try:
                self.wait(wait)
            except GroundworkError as error:
                error.details["awaited"] = list(key)
                raise

    def wait(self, wait: Wait) -> None:
        """Read until the condition is met. Raise GroundworkError at the deadline or if the wait fails."""
        arguments = resolve(wait.call.arguments, self.ids)

        def look() -> dict[str, t.Any]:
            try:
                return call(at(self.clients, wait.call.region), wait.call.service, wait.call.operation, arguments)
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code in wait.call.settled or is_unknown(code):
                    return {}
                raise refused(f"wait for {wait.until}", wait.call.service, wait.call.operation, error) from error

        def ready(response: dict[str, t.Any]) -> bool:
            reason = wait.broken(response)
            if reason:
                raise GroundworkError(f"Waiting for {wait.until} failed: {reason}")
            return wait.ready(response)

        last: dict[str, t.Any] = {}

        def noted() -> dict[str, t.Any]:
            last.clear()
            last.update(look())
            return last

        try:
            wait_until(
                noted,
                ready,
                until=wait.until,
                deadline=wait.deadline,
                interval=wait.interval,
                clock=self.clock,
                standing=wait.standing,
            )
        except DeadlineError as error:
            if standing := wait.standing(last):
                raise DeadlineError(f"{error} {standing}", error.seen) from error
            raise


def refusals(one: Call, response: t.Mapping[str, t.Any]) -> t.Iterator[ClientError]:
    """Yield the errors of the items that AWS refused, although the call as a whole succeeded."""
    try:
        items = dig(response, one.refusals) if one.refusals else []
    except LookupError:
        items = []
    for item in items:
        error = item.get("Error", item)
        if error.get("Code") and error["Code"] not in one.settled:
            which = item.get("ResourceId") or item.get("InstanceId") or item.get("Key") or ""
            told = {"Code": error["Code"], "Message": f"{error.get('Message', '').rstrip('.')} ({which})"}
            yield ClientError({"Error": told}, one.operation)


def _patience(one: Call, refusal: GroundworkError) -> float:
    """Return for how many seconds a call is repeated that AWS refused with this error."""
    code = str(refusal.details.get("error_code", ""))
    passing = (each.partition(":") for each in one.passing)
    if any(code == wanted and words in str(refusal) for wanted, _colon, words in passing):
        return one.patience or PASSING_DEADLINE
    if one.operation.startswith(REMOVING) and code in IN_USE:
        return PASSING_DEADLINE
    return CONSISTENCY_DEADLINE if is_unknown(code) or code == INCOMPLETE else 0.0
