# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one who publishes: a lease on `releases/current.json`, by S3's conditional writes and S3's clock.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

from __future__ import annotations

import getpass
import os
import platform
import secrets
import threading
import typing as t
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.wait import Clock
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.records import (
    CURRENT,
    Claim,
    Owner,
    dump_claim,
    load_claim,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.s3 import Bucket

LEASE = 120  # seconds; renewed when a third is over
JSON = {"Content-Type": "application/json"}
REFUSED = ("PreconditionFailed",)


def this_process() -> Owner:
    """Who we are."""
    try:
        who = f"{getpass.getuser()}@{platform.node()}"
    except (KeyError, OSError):  # a container's user may have no name
        who = f"{os.getuid()}@{platform.node()}"
    return Owner(who, secrets.token_hex(8), _machine(), os.getpid(), _started(os.getpid()))


def has_ended(owner: Owner) -> bool:
    """Whether the process that published is known to be gone: killed, and on this very machine."""
    return bool(owner.machine) and owner.machine == _machine() and owner.started != _started(owner.pid)


def _machine() -> str:
    """This boot of this machine, as far as process ids reach; "" where that cannot be told."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _started(pid: int) -> str:
    """When a process was started, in ticks since the boot; "" when there is none. See proc(5), `stat`."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def check_free(claim: Claim, age: float) -> None:
    """Refuse to interfere with somebody who publishes. `age`: seconds since the claim was written, by S3's clock."""
    if age >= claim.lease or has_ended(claim.owner):
        return
    raise GroundworkError(
        f"{claim.owner.who} publishes the release {claim.release} since {claim.since}. Nothing was changed. Run again "
        f"when that is done. Should it have been stopped, its lease ends in {claim.lease - age:.0f} s.",
        publisher=claim.owner.who,
        since=claim.since,
    )


class Lease:
    """The right to write into the bucket: taken, kept while working, given back."""

    def __init__(self, bucket: Bucket, claim: Claim, etag: str, clock: Clock) -> None:
        """`etag` is that of the claim before this one, "" when there is none."""
        self._bucket = bucket
        self._claim = claim
        self._etag = etag
        self._clock = clock
        self._renewed = 0.0
        self._lock = threading.Lock()

    def take(self) -> None:
        """Raises GroundworkError when somebody else was faster."""
        self._renewed = self._clock.monotonic()
        if not self._write(self._claim):
            raise GroundworkError(
                "Somebody else has begun to publish in the meantime. Nothing was changed. Run again when that is done."
            )

    def keep(self) -> None:
        """Renew when it is time. Raises GroundworkError when it was lost: then nothing may be written any more."""
        with self._lock:
            now = self._clock.monotonic()
            if now - self._renewed < LEASE / 3:
                return
            if not self._write(self._claim):
                raise GroundworkError(
                    "This run was suspended for so long that somebody else publishes now. It has stopped; what it left "
                    "is completed by the other one."
                )
            self._renewed = now

    def give_back(self) -> None:
        """After a failure: let the next run begin at once. Best effort, because the failure itself is to be told."""
        try:
            self._write(self._claim.without_lease())
        except GroundworkError:
            pass

    def _write(self, claim: Claim) -> bool:
        condition = {"If-Match": f'"{self._etag}"'} if self._etag else {"If-None-Match": "*"}
        answer = self._bucket.put(CURRENT, dump_claim(claim), {**JSON, **condition}, expected=REFUSED)
        if answer.code and answer.repeated:  # the first attempt may have been taken, and only its answer lost
            return self._is_ours()
        if not answer.code:
            self._etag = answer.etag
        return not answer.code

    def _is_ours(self) -> bool:
        answer = self._bucket.get(CURRENT)
        self._etag = answer.etag
        return load_claim(answer.body).owner == self._claim.owner


def tell_progress(path: str) -> t.Callable[[str], None]:
    """Appends lines to a file, for somebody who watches; to nothing without one."""

    def tell(line: str) -> None:
        with Path(path).open("a", encoding="utf-8") as opened:
            opened.write(line + "\n")

    return tell if path else lambda _line: None
