"""Balancers under a steady load, and a drain that is as short as their pages allow."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from laptop import Laptop
from load import Report, Seen
from running_site import Site

LOAD = Path(__file__).with_name("load.py")
TIERS = ("public", "private")
RATE = 200  # requests a second, all balancers together
DELAY = "deregistration_delay.timeout_seconds"


@contextmanager
def visitors(site: Site, tiers: Sequence[str] = TIERS, rate: int = RATE) -> Iterator[list[Seen]]:
    """Visitors come at a steady rate; afterwards the list holds what they saw, by balancer."""
    with visitors_of([f"{site.urls[tier]}/" for tier in tiers], rate) as seen:
        yield seen


@contextmanager
def visitors_of(urls: Sequence[str], rate: int) -> Iterator[list[Seen]]:
    """Visitors come at a steady rate; afterwards the list holds what they saw, by URL."""
    seen: list[Seen] = []
    with subprocess.Popen([sys.executable, str(LOAD), str(rate), *urls], stdout=subprocess.PIPE, text=True) as load:
        try:
            yield seen
        finally:
            load.terminate()
            told: Report = json.loads(load.communicate(timeout=30)[0])
            seen.extend(told["places"])
            print(json.dumps(told))
    assert sum(place["requests"] for place in seen) > 0.9 * rate * told["seconds"], "the load was not steady"


def served(site: Site, tiers: Sequence[str] = TIERS) -> dict[str, str]:
    """The release of every server that answers, as the balancers' visitors get it."""
    found = {}
    for tier in tiers:
        for _visit in range(20):
            with urllib.request.urlopen(f"{site.urls[tier]}/", timeout=5) as answer:
                found[answer.headers["X-Groundwork-Server"]] = answer.headers["X-Groundwork-Release"]
    return found


@contextmanager
def short_delay(laptop: Laptop) -> Iterator[None]:
    """Draining takes the whole delay, whatever there is to drain: as short as the pages allow, for the time being."""
    elb = laptop.client("elbv2")

    def groups() -> set[str]:
        return {group["TargetGroupArn"] for group in elb.describe_target_groups()["TargetGroups"]}

    def delay(arn: str) -> str:
        attributes = elb.describe_target_group_attributes(TargetGroupArn=arn)["Attributes"]
        return next(str(one["Value"]) for one in attributes if one["Key"] == DELAY)

    def put(arn: str, seconds: str) -> None:
        elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=[{"Key": DELAY, "Value": seconds}])

    before = {arn: delay(arn) for arn in groups()}
    for arn in before:
        put(arn, "5")
    yield
    for arn in before.keys() & groups():  # the stage may have removed the site
        put(arn, before[arn])
