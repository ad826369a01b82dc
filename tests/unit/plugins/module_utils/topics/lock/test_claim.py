"""What a lock is to a run, and what its messages say."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.process import Process, process, this_process
from ansible_collections.groundwork.aws.plugins.module_utils.topics.lock import claim as claims
from ansible_collections.groundwork.aws.plugins.module_utils.topics.lock.claim import Claim, Found

TOKEN = "a0a"  # a random one would give the tests other names in each process
OWNER = replace(this_process(), token=TOKEN)
CLAIM = Claim("dev", OWNER, "arn:aws:iam::1:user/ann", "site.yml", "2026-01-31T12:00:00Z")


def dead() -> Process:
    """Return a process of this machine that has ended."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        theirs = process(other.pid)
        other.kill()
    return theirs


def other(age: float = 1.0, owner: Process | None = None) -> Found:
    """Return the lock of another run, which was renewed `age` seconds ago."""
    return Found(replace(CLAIM, owner=owner or Process("bob@ci", "b0b", machine="another", pid=1)), '"1"', age)


@pytest.mark.parametrize(
    ("found", "breaking", "expected"),
    [
        (None, "", claims.FREE),
        (None, "b0b", claims.FREE),
        (Found(CLAIM, '"1"', 0.0), "", claims.OURS),
        (Found(CLAIM, '"1"', 1000.0), "", claims.OURS),
        (Found(CLAIM, '"1"', 1.0), TOKEN, claims.OURS),
        (other(), "", claims.HELD),
        (other(119), "", claims.HELD),
        (other(120), "", claims.EXPIRED),
        (other(-3), "", claims.HELD),
        (other(), "b0b", claims.BROKEN),
        (other(120), "b0b", claims.EXPIRED),
        (other(), "c0c", claims.HELD),
        (other(owner=process(CLAIM.owner.pid)), "", claims.HELD),
        (other(owner=dead()), "", claims.ENDED),
        (other(owner=replace(dead(), machine="another")), "", claims.HELD),
        (other(owner=replace(dead(), machine="")), "", claims.HELD),
    ],
)
def test_what_a_lock_is_to_a_run(found: Found | None, breaking: str, expected: str) -> None:
    assert claims.standing(found, TOKEN, breaking) == expected


def test_a_claim_survives_being_written() -> None:
    assert claims.load(claims.dump(CLAIM), "s3://b/k") == CLAIM
    assert claims.dump(CLAIM.renewed()) != claims.dump(CLAIM), "each renewal needs another ETag"


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"format": 2}', b'{"format": 1, "owner": {}}', b"\xff"])
def test_what_is_not_a_claim_is_named(text: bytes) -> None:
    with pytest.raises(GroundworkError, match=r"^s3://b/k is not a lock that this version can read"):
        claims.load(text, "s3://b/k")


def test_who_is_refused_learns_who_holds_the_lock_and_what_to_do() -> None:
    told = str(claims.refusal(other()))
    assert "the environment dev: bob@ci (arn:aws:iam::1:user/ann), since 2026-01-31T12:00:00Z, with 'site.yml'." in told
    assert "Nothing was changed. If its machine or container has ended, the lock expires in 119 s. Run again" in told
    assert "-e environment_lock_wait=<seconds>" in told and "-e environment_break_lock=b0b: it stops" in told
    assert "the lock expires in 20 s" in str(claims.refusal(other(100)))
    assert "environment_break_lock: 'c0c' is not the id of this lock" in str(claims.refusal(other(), "c0c"))


def test_who_has_lost_the_lock_learns_to_whom() -> None:
    assert "Another run has taken it: bob@ci (" in claims.loss("dev", other())
    assert "Its object in S3 was deleted." in claims.loss("dev", None)


@pytest.mark.parametrize(
    ("why", "words"),
    [
        (claims.ENDED, "a run that has ended without releasing it: bob@ci"),
        (claims.EXPIRED, "a run that has not renewed it for 200 s: bob@ci"),
        (claims.BROKEN, "a run that was stopped by environment_break_lock: bob@ci"),
    ],
)
def test_a_lock_that_was_taken_over_is_told(why: str, words: str) -> None:
    assert words in claims.took_over(other(200), why)
