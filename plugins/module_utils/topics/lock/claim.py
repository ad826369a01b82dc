# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The claim: the content of the lock's object, and what a run may do about the claim of another run. Pure functions."""

from __future__ import annotations

import json
import typing as t
from dataclasses import asdict, dataclass, replace

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.process import Process, has_ended

FORMAT = 1
LEASE = 120  # seconds without a renewal after which another run may take the lock over
RENEWAL = 30.0  # seconds between renewals
# Seconds after the last renewal in which the run may write: a request that begins at the end must be over before LEASE.
TRUST = 90.0
LAST_REQUEST = 5.0  # seconds for a request that a killed run has sent

# What a lock is to a run.
FREE, OURS, ENDED, EXPIRED, BROKEN, HELD = "free", "ours", "ended", "expired", "broken", "held"


@dataclass(frozen=True)
class Claim:
    """A run that holds the lock.

    `owner` is its ansible-playbook, `caller` the ARN of its credentials. Each renewal has another number, so that each
    has another ETag.
    """

    environment: str
    owner: Process
    caller: str
    command: str
    since: str
    lease: int = LEASE
    renewals: int = 0

    def renewed(self) -> Claim:
        """Return the claim of the next renewal."""
        return replace(self, renewals=self.renewals + 1)

    def __str__(self) -> str:
        return f"{self.owner.who} ({self.caller}), since {self.since}, with '{self.command}'"


class Found(t.NamedTuple):
    """The object of a lock. `age` is the time since the last renewal in seconds, by S3's clock."""

    claim: Claim
    etag: str
    age: float


def standing(found: Found | None, token: str, breaking: str = "") -> str:
    """Return what a lock is to the run with this token, which wants to break the lock with the id `breaking`."""
    if found is None:
        return FREE
    owner = found.claim.owner
    if owner.token == token:
        return OURS
    if has_ended(owner):
        return ENDED
    if found.age >= found.claim.lease:
        return EXPIRED
    return BROKEN if owner.token == breaking else HELD


def dump(claim: Claim) -> bytes:
    """Return a claim as JSON."""
    return json.dumps({"format": FORMAT, **asdict(claim)}, indent=1).encode()


def load(text: bytes, place: str) -> Claim:
    """Return the claim of a JSON text. Raise GroundworkError if it is not one."""
    try:
        fields = json.loads(text)
        if fields.pop("format") == FORMAT:
            return Claim(**{**fields, "owner": Process(**fields["owner"])})
    except (ValueError, AttributeError, KeyError, TypeError):
        pass
    raise GroundworkError(
        f"{place} is not a lock that this version can read. Use the version of the collection that wrote it, or delete "
        "the object if no run uses the environment."
    )


def refusal(found: Found, breaking: str = "") -> GroundworkError:
    """Return the error for a lock that another run holds."""
    claim = found.claim
    left = claim.lease - found.age
    expiry = f"If its machine or container has ended, the lock expires in {max(left, 0):.0f} s. "
    other = f"environment_break_lock: '{breaking}' is not the id of this lock. " if breaking else ""
    return GroundworkError(
        f"Another run is working on the environment {claim.environment}: {claim}. Nothing was changed. {other}{expiry}"
        "Run again when it has finished, or wait for it with -e environment_lock_wait=<seconds>. If it hangs, stop it, "
        f"or break its lock with -e environment_break_lock={claim.owner.token}: it stops before its next change.",
        lock=told(claim),
    )


def loss(environment: str, found: Found | None) -> str:
    """Return why a run has lost its lock: `found` is what is in its place."""
    by = f"Another run has taken it: {found.claim}." if found else "Its object in S3 was deleted."
    return f"This run has lost the lock of the environment {environment}. {by}"


def took_over(found: Found, why: str) -> str:
    """Return what to tell the user whose run has taken over a lock."""
    because = {
        ENDED: "has ended without releasing it",
        EXPIRED: f"has not renewed it for {found.age:.0f} s",
        BROKEN: "was stopped by environment_break_lock",
    }
    return (
        f"The lock of the environment {found.claim.environment} was taken over from a run that {because[why]}: "
        f"{found.claim}. This run completes what that one left."
    )


def told(claim: Claim) -> dict[str, t.Any]:
    """Return a claim as a part of the module's result."""
    return {
        "id": claim.owner.token,
        "who": claim.owner.who,
        "caller": claim.caller,
        "since": claim.since,
        "command": claim.command,
    }
