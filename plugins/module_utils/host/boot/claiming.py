# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Claim a tick of a schedule for this server, so that one server at most starts the job (docs/decisions/0049).

systemd runs this as the condition of the job's service. The text of this file follows that of `fetching` in a program.
"""

from __future__ import annotations

import calendar
import json
import os
import re
import subprocess
import sys
import time
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.groundwork.aws.plugins.module_utils.host.boot.fetching import (
    Cloud,
    FetchError,
    RefusedError,
    Request,
)

Find = t.Callable[[str, int, int], list[int]]

CLAIMS, LAST = "claims", "schedules"  # prefixes in the bucket, whose objects expire (topics/server_roles/claims)
WINDOW = 120  # seconds in which a timer must have fired after its tick
CLAIM_PATIENCE = 60.0
MOST_MISSED = 1000
TIMESTAMP = "%Y-%m-%d %H:%M:%S"
KEY_TIME = "%Y%m%dT%H%M%SZ"
# The lines of `systemd-analyze calendar`: Iter. #2 in Debian 12, Iteration #2 in Debian 13. The last form follows
# unless the server's time zone is UTC.
ELAPSES = re.compile(r"(Next elapse|Iter(?:\.|ation) #\d+|\(in UTC\)): \w{3} (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\S* (\S+)")
PROCEED, SKIP, FAIL = 0, 1, 255  # https://www.freedesktop.org/software/systemd/man/latest/systemd.service.html


@dataclass(frozen=True)
class Job:
    """A schedule of a site."""

    environment: str
    site: str
    name: str
    on_calendar: str

    @property
    def last_key(self) -> str:
        """Return the key of the object with the last tick that was claimed."""
        return f"{LAST}/{self.environment}/{self.site}/{self.name}"

    def claim_key(self, tick: int) -> str:
        """Return the key of the claim of a tick."""
        when = time.strftime(KEY_TIME, time.gmtime(tick))
        return f"{CLAIMS}/{self.environment}/{self.site}/{self.name}/{when}"


def ticks(on_calendar: str, since: int, number: int) -> list[int]:
    """Return the next ticks of a schedule after a time, in seconds since 1970, as systemd computes them."""
    argv = ["systemd-analyze", "calendar", f"--iterations={number}", f"--base-time=@{since}", on_calendar]
    own = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
    # This is a program of its own, without AnsibleModule.
    done = subprocess.run(  # pylint: disable=ansible-bad-function
        argv, capture_output=True, text=True, check=True, env=own
    )
    return parse_ticks(done.stdout)


def parse_ticks(text: str) -> list[int]:
    """Return the ticks in the output of `systemd-analyze calendar`. Pure."""
    found: list[str] = []
    for label, when, zone in ELAPSES.findall(text):
        if label == "(in UTC)":
            found[-1] = when
        elif zone == "UTC":
            found.append(when)
        else:
            found.append("")  # the next line has it in UTC
    return [calendar.timegm(time.strptime(when, TIMESTAMP)) for when in found if when]


def tick_before(on_calendar: str, now: float, find: Find = ticks) -> int | None:
    """Return the latest tick within `WINDOW` seconds, or None. All servers compute the same one."""
    past = [tick for tick in find(on_calendar, int(now) - WINDOW, WINDOW + 2) if tick <= now]
    return past[-1] if past else None


@dataclass(frozen=True)
class Place:
    """The bucket of the claims, and this server, which are known from the instance metadata."""

    cloud: Cloud
    bucket: str
    server: str

    def put(self, key: str, content: bytes, **headers: str) -> None:
        """Write an object."""
        self.cloud.ask("s3", Request("PUT", self.host, f"/{key}", headers, content))

    def get(self, key: str) -> bytes:
        """Return the content of an object."""
        return self.cloud.ask("s3", Request("GET", self.host, f"/{key}"))

    @property
    def host(self) -> str:
        """Return the host name of the bucket."""
        return f"{self.bucket}.s3.{self.cloud.region}.{self.cloud.domain}"


def place_of(cloud: Cloud) -> Place:
    """Return the place of the claims: the bucket of the locks of the account and region.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-metadata.html
    """
    found = replace(cloud, region=cloud.metadata("placement/region"), domain=cloud.metadata("services/domain"))
    owner = cloud.metadata(f"network/interfaces/macs/{cloud.metadata('mac')}/owner-id")
    return Place(found, f"groundwork-{owner}-{found.region}", cloud.metadata("instance-id"))


def claim(place: Place, key: str, mark: bytes) -> bool:
    """Return whether this server has claimed the tick: the first write of the object wins.

    A claim whose response was lost is recognized by its content.
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
    """
    try:
        place.put(key, mark, **{"if-none-match": "*"})
    except RefusedError as error:
        if error.status != 412:
            raise
        return place.get(key) == mark
    return True


def missed(place: Place, job: Job, tick: int, find: Find = ticks) -> list[int]:
    """Record the tick as the last one, and return the ticks since the one before it, which no server has claimed.

    Without the permission to list a bucket, S3 answers 403 for an object that does not exist.
    """
    try:
        last = int(place.get(job.last_key))
    except (RefusedError, ValueError):
        last = tick - 1
    if last >= tick:
        return []
    place.put(job.last_key, str(tick).encode())
    return [one for one in find(job.on_calendar, last, MOST_MISSED) if last < one < tick]


def decide(
    job: Job, cloud: Cloud, *, now: float, timer: bool, say: t.Callable[[str], t.Any], find: Find = ticks
) -> int:
    """Return the exit code for systemd: whether this server runs the job now. `timer` is whether a timer started it."""
    tick = tick_before(job.on_calendar, now, find)
    if tick is None:
        say("The timer fired too late, and the tick is not run." if timer else "Started by hand, without a claim.")
        return SKIP if timer else PROCEED
    when = _text(tick)

    def attempt() -> tuple[Place, bool]:
        place = place_of(cloud)
        mark = json.dumps({"server": place.server, "process": os.getpid(), "at": now}).encode()
        return place, claim(place, job.claim_key(tick), mark)

    try:
        place, mine = cloud.patiently(f"claim the tick at {when}", attempt, CLAIM_PATIENCE)
    except FetchError as error:
        say(f"This server does not run the job. {error}")
        return FAIL
    if not mine:
        say(f"Another server has claimed the tick at {when}.")
        return SKIP
    try:
        lost = missed(place, job, tick, find)
    except Exception as error:  # pylint: disable=broad-exception-caught  # the tick is claimed, so that the job has to run
        say(f"The last tick could not be recorded: {type(error).__name__}: {error}")
        lost = []
    if lost:
        say(
            f"{len(lost)} ticks from {_text(lost[0])} to {_text(lost[-1])} were missed, because no server claimed them."
        )
    say(f"This server runs the job of {when}.")
    return PROCEED


def _text(tick: int) -> str:
    return time.strftime(f"{TIMESTAMP} UTC", time.gmtime(tick))


def main(argv: t.Sequence[str]) -> t.NoReturn:
    """Report to systemd, by the exit code, whether this server runs the job of the arguments now."""

    def say(words: str) -> None:
        sys.stdout.write(f"{words}\n")

    try:
        timer = bool(os.environ.get("TRIGGER_UNIT"))  # set by systemd
        raise SystemExit(decide(Job(*argv), Cloud("", ""), now=time.time(), timer=timer, say=say))
    except Exception as error:  # pylint: disable=broad-exception-caught  # systemd would take the exit code 1 for SKIP
        say(f"This server does not run the job: {type(error).__name__}: {error}")
        raise SystemExit(FAIL) from None


if __name__ == "__main__":
    main(sys.argv[1:])
