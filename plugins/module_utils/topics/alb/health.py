# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the module `elbv2_target_health`, which waits for the targets of load balancers to be healthy."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import (
    DeadlineError,
    GroundworkError,
    Problems,
    check_range,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.engine.wait import wait_until
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.options import COMPONENT

INTERVAL = 1.0  # seconds between reads


@dataclass(frozen=True)
class Expected:
    """The awaited target groups. `healthy` is the number of healthy targets of each, or 0 for all targets."""

    groups: tuple[str, ...]
    healthy: int
    deadline: float  # seconds
    wait: bool = True


@dataclass(frozen=True)
class Target:
    """A target's health as Elastic Load Balancing reports it."""

    group: str
    id: str
    port: int
    state: str
    reason: str
    description: str

    def __str__(self) -> str:
        words = " ".join(word for word in (self.reason, self.description) if word)
        return f"{self.group}: {self.id} port {self.port} is {self.state}{f' ({words})' if words else ''}"


def parse_expected(options: t.Mapping[str, t.Any], problems: Problems) -> Expected | None:
    """Return the desired health, or None if the options add problems."""
    before = len(problems.found)
    check_range("healthy", options["healthy"], 0, 1000, problems)
    check_range("deadline", options["deadline"], 1, 86400, problems)
    if len(problems.found) > before:
        return None
    groups = tuple(dict.fromkeys(options["target_groups"]))
    return Expected(groups, options["healthy"], float(options["deadline"]), options.get("wait", True))


def lacking(expected: Expected, targets: t.Sequence[Target]) -> list[str]:
    """Return the target groups that do not have enough healthy targets."""
    return [name for name in expected.groups if not _is_well(expected, [one for one in targets if one.group == name])]


def _is_well(expected: Expected, targets: t.Sequence[Target]) -> bool:
    """Return whether a target group has enough healthy targets.

    Targets that are draining, or whose server is stopped, are not counted. A target group without targets is well,
    because its tier has no servers. A target group with no counted target is not.
    """
    counted = [target for target in targets if target.state not in ("draining", "unused")]
    healthy = sum(target.state == "healthy" for target in counted)
    if expected.healthy:
        return healthy >= expected.healthy
    return healthy == len(counted) and bool(counted or not targets)


def converge_target_health(run: Run) -> dict[str, t.Any]:
    """Return the module's result, in check mode what a run would wait for.

    Raise GroundworkError with each target's state at the deadline.
    """
    owner, expected = run.parse(COMPONENT, parse_expected)
    if run.check_mode and expected.wait:
        return {"changed": False, "targets": [], "awaited": list(expected.groups)}
    arns = _arns(run, owner, expected)

    def look() -> list[Target]:
        reads = {
            name: Read("elbv2", "describe_target_health", "TargetHealthDescriptions", {"TargetGroupArn": arn})
            for name, arn in arns.items()
        }
        return [describe_target(name, one) for name, answer in observe(run.clients, reads).items() for one in answer]

    if not expected.wait:
        return {"changed": False, "targets": [vars(target) for target in look()], "awaited": []}
    seen: list[Target] = []

    def ready(targets: list[Target]) -> bool:
        seen[:] = targets
        return not lacking(expected, targets)

    until = f"the targets of {', '.join(expected.groups)} to be healthy"
    try:
        wait_until(
            look,
            ready,
            until=until,
            deadline=expected.deadline,
            interval=INTERVAL,
            clock=run.clock,
            standing=_standing,
        )
    except DeadlineError as error:
        raise _in_vain(expected, seen) from error
    return {"changed": False, "targets": [vars(target) for target in seen], "awaited": list(expected.groups)}


def _standing(targets: t.Sequence[Target]) -> str:
    return f"{sum(one.state == 'healthy' for one in targets)} of {len(targets)} are healthy."


def _in_vain(expected: Expected, seen: t.Sequence[Target]) -> GroundworkError:
    lines = [str(target) for target in seen if target.state != "healthy"]
    lines += [
        f"{name}: the target group has no targets"
        for name in expected.groups
        if not any(one.group == name for one in seen)
    ]
    told = "\n".join(f"- {line}" for line in lines)
    return GroundworkError(
        f"Timed out after {expected.deadline:.0f} s waiting for the targets of "
        f"{', '.join(lacking(expected, seen))} to be healthy. Elastic Load Balancing reports:\n{told}\nCheck what the "
        "servers answer on the health check's path, and that their security group allows the load balancer; then run "
        "again.",
        targets=[vars(target) for target in seen],
    )


def _arns(run: Run, owner: Owner, expected: Expected) -> dict[str, str]:
    reads = {"groups": groups_read([owner.name(name) for name in expected.groups])}
    described = run.observe(
        lambda: observe(run.clients, reads)["groups"],
        lambda found, problems: check_groups(found, owner, expected.groups, problems),
    )
    found = {group["TargetGroupName"]: group["TargetGroupArn"] for group in described}
    return {name: found[owner.name(name)] for name in expected.groups}


def groups_read(names: t.Sequence[str]) -> Read:
    """Return the read of the target groups with these names. It returns none if one of them does not exist."""
    return Read("elbv2", "describe_target_groups", "TargetGroups", {"Names": names}, absent=("TargetGroupNotFound",))


def check_groups(
    described: t.Iterable[t.Mapping[str, t.Any]], owner: Owner, names: t.Iterable[str], problems: Problems
) -> None:
    """Add to `problems` the target groups, by short name, that are not among the described ones."""
    found = {group["TargetGroupName"] for group in described}
    for name in names:
        if owner.name(name) not in found:
            wrong = f"the target group '{name}', or another one of the list, does not exist in the environment"
            problems.add_missing("target_groups", wrong, "run elbv2_application_lb (the role alb) first")


def describe_target(group: str, described: t.Mapping[str, t.Any]) -> Target:
    """Return a target from a response of DescribeTargetHealth."""
    health = described["TargetHealth"]
    return Target(
        group,
        described["Target"]["Id"],
        described["Target"]["Port"],
        health["State"],
        health.get("Reason", ""),
        health.get("Description", ""),
    )
