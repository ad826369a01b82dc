# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the module `elbv2_target_rotation`, which takes servers out of their target groups, and puts them back."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.groundwork.aws.plugins.module_utils.engine.domains import concrete
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import (
    DeadlineError,
    GroundworkError,
    Problems,
    check_range,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Change, Ids, Ref
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.health import (
    Target,
    check_groups,
    describe_target,
    groups_read,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.observed import (
    ALIVE,
    Instance,
    instances_of,
    instances_read,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.options import COMPONENT
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.rotation import (
    Group,
    deregister,
    hold,
    let_in,
    look_at,
    put_in,
    take_out,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.routing import (
    group_ref,
    listed,
)

SERVING, DRAINED, HELD = "serving", "drained", "held"
PLANNED = "planned"
LONGEST = 256  # characters of a tag's value


@dataclass(frozen=True)
class Rotation:
    """The servers to take out or to put back, by name. `tiers` are the tiers of the target groups, by group.

    `skips_held` is whether held servers are left as they are. `drain_planned` is whether check mode takes the servers
    for drained, because an earlier task of the play would have deregistered them, and held if they are to serve again.
    """

    servers: tuple[str, ...]
    state: str
    tiers: t.Mapping[str, str]
    leave: int
    deadline: float  # seconds
    reason: str = ""
    skips_held: bool = False
    drain_planned: bool = False
    names: t.Mapping[str, t.Sequence[str]] = field(default_factory=dict)  # of load balancers
    behind: t.Collection[str] = ()  # the load balancers that only their names reach


class Seen(t.NamedTuple):
    """What AWS reports: the target groups as described, with their targets, and the servers by name."""

    described: t.Sequence[t.Mapping[str, t.Any]]
    groups: t.Sequence[Group]
    instances: t.Mapping[str, Instance]


def parse_rotation(options: t.Mapping[str, t.Any], problems: Problems) -> Rotation | None:
    """Return the desired rotation, or None if the options add problems."""
    before = len(problems.found)
    check_range("leave", options["leave"], 0, 1000, problems)
    check_range("deadline", options["deadline"], 1, 86400, problems)
    if not options["target_groups"]:
        problems.add("target_groups", "is empty", "give each target group with its tier, as {public: public}")
    reason = " ".join((options["reason"] or "").split())
    if options["state"] == HELD and not 1 <= len(reason) <= LONGEST:
        wrong = f"{len(reason)} characters are not possible for the value of a tag"
        problems.add("reason", wrong, f"tell why in 1 to {LONGEST} characters")
    for balancer, names in options["names"].items():
        if not isinstance(names, list) or not all(isinstance(one, str) for one in names):
            problems.add(f"names.{balancer}", f"'{names}' is not a list of names", "give one as [www.example.com]")
    if len(problems.found) > before:
        return None
    return Rotation(
        tuple(dict.fromkeys(options["servers"])),
        options["state"],
        {str(group): str(tier) for group, tier in options["target_groups"].items()},
        options["leave"],
        float(options["deadline"]),
        reason,
        options["skip_held"],
        bool(options["drain_planned"]),
        {name: [concrete(one) for one in names] for name, names in options["names"].items() if names},
        tuple(options["behind"]),
    )


def converge_target_rotation(run: Run) -> dict[str, t.Any]:
    """Return the module's result. Raise GroundworkError, with the state of each target, at the deadline."""
    owner, desired = run.parse(COMPONENT, parse_rotation)
    reads = {"groups": groups_read([owner.name(group) for group in desired.tiers]), "instances": instances_read(owner)}

    def look() -> Seen:
        first = observe(run.clients, reads)
        instances = {one.name: one for one in instances_of(first["instances"], owner) if not one.scaled}
        return Seen(first["groups"], look_at(run.clients, first["groups"], owner.name("")), instances)

    def check_seen(seen: Seen, problems: Problems) -> None:
        if not run.check_mode:  # in check mode the target groups may not exist yet
            check_groups(seen.described, owner, desired.tiers, problems)
        check(_rotated(desired, seen.instances), seen.groups, seen.instances, problems, check_mode=run.check_mode)

    described, groups, instances = run.observe(look, check_seen)
    desired = _rotated(desired, instances)
    if run.check_mode and desired.drain_planned:
        groups, instances = _as_planned(desired, groups, instances)
    ids: Ids = {group_ref(group.name): group.arn for group in groups}
    changes = plan_rotation(desired, groups, instances)
    try:
        result = run.make(changes, ids)
    except GroundworkError as error:
        raise _in_vain(error, {one.id: one.name for one in instances.values()}) from error
    reached = _reached(run, owner, desired, described)
    return {
        **result,
        "absent": absent(desired, groups, instances),
        "urls": {group: url for group, (url, _names) in reached.items()},
        "names": {group: list(names) for group, (_url, names) in reached.items()},
    }


def _as_planned(
    desired: Rotation, groups: t.Sequence[Group], instances: t.Mapping[str, Instance]
) -> tuple[list[Group], dict[str, Instance]]:
    """Return the target groups without the servers, and the servers as held ones if they are to serve again."""
    leaving = {name: one for name, one in instances.items() if name in desired.servers}
    ids = {one.id for one in leaving.values()}
    drained = [replace(group, targets=tuple(one for one in group.targets if one.id not in ids)) for group in groups]
    if desired.state != SERVING:
        return drained, dict(instances)
    held = {name: replace(one, held=one.held or PLANNED) for name, one in leaving.items()}
    return drained, {**instances, **held}


def _rotated(desired: Rotation, instances: t.Mapping[str, Instance]) -> Rotation:
    """Return the rotation without the held servers, if it skips them."""
    if not desired.skips_held:
        return desired
    left = [name for name in desired.servers if not (name in instances and instances[name].held)]
    return replace(desired, servers=tuple(left))


def plan_rotation(desired: Rotation, groups: t.Sequence[Group], instances: t.Mapping[str, Instance]) -> list[Change]:
    """Return one change for each group in which servers of its tier are still registered, or are not registered yet.

    A server is tagged as held before it is deregistered, and the tag is removed when the server is healthy. So a run
    that is interrupted leaves the tag.
    """
    servers = [instances[name] for name in desired.servers if name in instances]
    changes: list[Change] = hold(servers, desired.reason) if desired.state == HELD else []
    for group in groups:
        members = _members(desired, group.name, instances)
        known = {name: instances[name].id for name in members if name in instances}
        if desired.state == SERVING:
            planned = {name: known.get(name, Ref("server", name)) for name in members}
            changes += put_in(group, planned, desired.deadline) if members else []
        else:
            changes += take_out(group, known) if desired.state == DRAINED else deregister(group, known)
    return [*changes, *(let_in(servers, groups) if desired.state == SERVING else ())]


def check(
    desired: Rotation,
    groups: t.Sequence[Group],
    instances: t.Mapping[str, Instance],
    problems: Problems,
    *,
    check_mode: bool,
) -> None:
    """Add to `problems` unknown servers, and target groups that keep too few healthy targets."""
    for name in desired.servers:
        if name not in instances and not check_mode:
            right = f"use some of {listed(instances)}"
            problems.add_missing("servers", f"the environment has no server '{name}'", right)
    for group in groups if desired.state != SERVING else ():
        members = [instances[name] for name in _members(desired, group.name, instances) if name in instances]
        leaving = {one.id for one in members if desired.state == DRAINED or one.state in ALIVE}
        healthy = group.healthy_besides(leaving)
        if any(group.holds(id_) for id_ in leaving) and healthy < desired.leave:
            wrong = f"without {listed(desired.servers)} the target group '{group.name}' has {healthy} healthy targets"
            problems.add("servers", wrong, f"wait until {desired.leave} others are healthy, or lower leave")


def absent(desired: Rotation, groups: t.Sequence[Group], instances: t.Mapping[str, Instance]) -> list[str]:
    """Return the servers that were held, or not registered with all target groups of their tier, when the run began."""
    found = {
        name
        for group in groups
        for name in _members(desired, group.name, instances)
        if name not in instances or instances[name].held or not group.holds(instances[name].id)
    }
    return sorted(found)


def _members(desired: Rotation, group: str, instances: t.Mapping[str, Instance]) -> list[str]:
    """Return the servers of a group's tier. The tier of a server that does not exist yet is taken from its name."""
    tier = desired.tiers[group]
    return [
        name
        for name in desired.servers
        if (instances[name].tier if name in instances else name.rpartition("-")[0]) == tier
    ]


def _in_vain(error: GroundworkError, names: t.Mapping[str, str]) -> GroundworkError:
    """Return the same error, with the last state of each target of its group."""
    if not isinstance(error, DeadlineError):
        return error
    targets: list[Target] = [describe_target("", one) for one in error.seen.get("TargetHealthDescriptions", [])]
    lines = [
        f"- {names.get(one.id, one.id)} ({one.id}) is {one.state}"
        f"{f': {one.reason} {one.description}'.rstrip() if one.reason else ''}"
        for one in targets
        if one.state != "healthy"
    ]
    return GroundworkError(
        "\n".join([str(error), "Elastic Load Balancing reports:", *lines]) if lines else str(error), **error.details
    )


def _reached(
    run: Run, owner: Owner, desired: Rotation, described: t.Sequence[t.Mapping[str, t.Any]]
) -> dict[str, tuple[str, t.Sequence[str]]]:
    """Return the URL of each target group, and the names of its load balancer.

    The URL has the load balancer's DNS name and the port of a listener that uses the group, or the first of the names
    if only these reach it.
    """
    arns = {one["TargetGroupName"]: list(one.get("LoadBalancerArns", ())) for one in described}
    wanted = sorted({arn for some in arns.values() for arn in some})
    if desired.state != SERVING or not wanted:
        return {}
    reads = {arn: Read("elbv2", "describe_listeners", "Listeners", {"LoadBalancerArn": arn}) for arn in wanted}
    reads["balancers"] = Read("elbv2", "describe_load_balancers", "LoadBalancers", {"LoadBalancerArns": wanted})
    answers = run.observe(lambda: observe(run.clients, reads))
    balancers = {one["LoadBalancerArn"]: one for one in answers["balancers"]}
    groups = {one["TargetGroupName"]: one["TargetGroupArn"] for one in described}
    found = {}
    for name, some in arns.items():
        for arn in some[:1]:  # a target group has one load balancer at most
            balancer = balancers[arn]["LoadBalancerName"].removeprefix(owner.name(""))
            names = desired.names.get(balancer, ())
            url = _url(balancers[arn]["DNSName"], _leading_to(groups[name], answers[arn]))
            if balancer in desired.behind and names:
                url = f"https://{names[0]}"
            found[name.removeprefix(owner.name(""))] = (url, names)
    return found


def _url(host: str, listener: t.Mapping[str, t.Any]) -> str:
    scheme, port = listener["Protocol"].lower(), listener["Port"]
    return f"{scheme}://{host}" if (scheme, port) in (("http", 80), ("https", 443)) else f"{scheme}://{host}:{port}"


def _leading_to(group: str, listeners: t.Sequence[t.Mapping[str, t.Any]]) -> t.Mapping[str, t.Any]:
    """Return a listener whose default action forwards to the group, or else a listener with a rule that does."""

    def direct(listener: t.Mapping[str, t.Any]) -> bool:
        return any(
            group in (action.get("TargetGroupArn"), *(one["TargetGroupArn"] for one in forwarded(action)))
            for action in listener["DefaultActions"]
        )

    def forwarded(action: t.Mapping[str, t.Any]) -> list[t.Any]:
        return list(action.get("ForwardConfig", {}).get("TargetGroups", ()))

    return next(filter(direct, listeners), listeners[0])
