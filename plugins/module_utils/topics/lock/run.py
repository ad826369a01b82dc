# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The work of the module `environment_lock`: check the account, and take the lock of the environment."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import (
    GroundworkError,
    Problems,
    check_range,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.held import now
from ansible_collections.groundwork.aws.plugins.module_utils.engine.process import process
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.topics.lock import bucket as buckets
from ansible_collections.groundwork.aws.plugins.module_utils.topics.lock import heartbeat
from ansible_collections.groundwork.aws.plugins.module_utils.topics.lock.account import identify, parse_account
from ansible_collections.groundwork.aws.plugins.module_utils.topics.lock.claim import (
    BROKEN,
    ENDED,
    HELD,
    LAST_REQUEST,
    OURS,
    RENEWAL,
    Claim,
    Found,
    refusal,
    standing,
    told,
    took_over,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.lock.heartbeat import Taken
from ansible_collections.groundwork.aws.plugins.module_utils.topics.lock.store import Store

COMPONENT = "lock"
LONGEST_WAIT = 86400
POLL = 5.0  # seconds between two looks at a lock that another run holds
ATTEMPTS = 20  # times that the lock may change between a read and the write that depends on it
# A run whose lock was broken learns that with its next renewal.
NOTICE = RENEWAL + 10


@dataclass(frozen=True)
class Wish:
    """The options of `environment_lock`. `account` is "" if any account is right."""

    account: str
    wait: int
    breaking: str
    command: str
    pid: int
    state: Path


def parse_lock(options: t.Mapping[str, t.Any], problems: Problems) -> Wish:
    """Return the parsed options."""
    account = parse_account(options.get("account_id"), problems)
    if not options.get("region"):
        problems.add("region", "is missing", "give the region of the environment")
    check_range("environment_lock_wait", options["wait"], 0, LONGEST_WAIT, problems)
    return Wish(
        account,
        options["wait"],
        options["break_lock"],
        options["command"],
        options["pid"],
        Path(options["state_file"]),
    )


def take_lock(run: Run) -> dict[str, t.Any]:
    """Return the module's result. Raise GroundworkError if another run holds the lock."""
    owner, wish = run.parse(COMPONENT, parse_lock)
    caller = identify(run.clients, owner.environment, wish.account)
    bucket = buckets.Bucket(caller.account, run.options["region"])
    observed = buckets.look(run.clients, bucket)
    result = {
        **run.make(buckets.plan(bucket, owner.extra, observed), {}),
        "account": caller.account,
        "arn": caller.arn,
    }
    store = Store(run.clients, bucket.name, f"locks/{owner.environment}.json", caller.account, run.clock)
    since = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    claim = Claim(owner.environment, process(wish.pid), caller.arn, wish.command, since)
    if run.check_mode:
        return {**result, "lock": _seen(run, store, claim) if observed.exists else None}
    taken = take(run, store, claim, wish)
    try:
        heartbeat.start(store, taken, wish.state)
    except OSError as error:
        store.delete(taken.etag)
        raise GroundworkError(f"Could not start the process that renews the lock: {error.strerror}.") from error
    return {**result, "lock": told(taken.claim)}


def _seen(run: Run, store: Store, claim: Claim) -> dict[str, t.Any] | None:
    """Return the lock of another run, and warn of it. Check mode reads what that run is changing."""
    found = store.read()
    if not found or standing(found, claim.owner.token) != HELD:
        return None
    run.warn(f"Another run is working on the environment {claim.environment}: {found.claim}. The plan may be outdated.")
    return told(found.claim)


def take(run: Run, store: Store, claim: Claim, wish: Wish) -> Taken:
    """Take the lock, also from a run that has ended. Raise GroundworkError if another run holds it to the end."""
    end = run.clock.monotonic() + wish.wait
    over: tuple[Found, str] | None = None
    changed = 0
    waited = False
    while changed < ATTEMPTS:
        begun = now()
        if etag := store.create(claim):
            return Taken(claim, etag, begun)
        found = store.read()
        why = standing(found, claim.owner.token, wish.breaking)
        if found and why == HELD:
            if run.clock.monotonic() >= end:
                raise refusal(found, wish.breaking)
            run.clock.sleep(POLL)
            continue
        if found and why == ENDED and not waited:  # its heartbeat stops what it has left, and releases the lock
            waited = True
            run.clock.sleep(LAST_REQUEST + 2)
            continue
        if found and why != OURS:
            over, etag = (found, why), store.replace(claim, found.etag)
        if found and (etag or why == OURS):
            _report(run, over)
            return Taken(claim, etag or found.etag, begun)
        changed += 1
        run.clock.sleep(changed / 10)
    raise GroundworkError(f"Could not take the lock {store.place}: other runs changed it again and again. Run again.")


def _report(run: Run, over: tuple[Found, str] | None) -> None:
    """Warn of a lock that was taken over, and wait until a run whose lock was broken has learned that."""
    if over is None:
        return
    run.warn(took_over(*over))
    if over[1] == BROKEN:
        run.clock.sleep(NOTICE)
