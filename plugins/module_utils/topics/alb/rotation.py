# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers in and out of their balancers' rotation: which calls and waits that takes. Pure, apart from `look_at`.

A target that is deregistered gets no new request, and has the group's deregistration delay to end what it has begun.
It is told as `draining` until the delay is over, however early it is done. Registered again while it drains it serves
at once.
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Change, Ref, Wait
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.changes import elb
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.health import Target, describe_target
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.routing import group_ref

DELAY = "deregistration_delay.timeout_seconds"
MARGIN = 60.0  # seconds after the delay, in which ELB has to have noticed
INTERVAL = 1.0  # seconds between looks

Described = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class Group:
    """A target group. `targets` are all that ELB tells of, those that drain included."""

    name: str
    arn: str
    port: int
    delay: int  # seconds
    targets: tuple[Target, ...]

    def state(self, instance_id: str) -> str:
        """A target's state in ELB's words; "" for none. A server can be registered with one port only here."""
        return next((one.state for one in self.targets if (one.id, one.port) == (instance_id, self.port)), "")

    def holds(self, instance_id: str) -> bool:
        """Whether it is registered: what drains is not any more."""
        return self.state(instance_id) not in ("", "draining")

    def healthy_besides(self, instance_ids: t.Collection[str]) -> int:
        """How many healthy targets there are without these."""
        return sum(one.state == "healthy" and one.id not in instance_ids for one in self.targets)


def look_at(clients: Clients, described: t.Iterable[Described], prefix: str) -> list[Group]:
    """The described target groups with their targets: two parallel calls for each."""
    groups = {str(one["TargetGroupArn"]): one for one in described}
    reads = {}
    for arn in groups:
        by_arn = {"TargetGroupArn": arn}
        reads[f"health {arn}"] = Read("elbv2", "describe_target_health", "TargetHealthDescriptions", by_arn)
        reads[f"attributes {arn}"] = Read("elbv2", "describe_target_group_attributes", "Attributes", by_arn)
    answers = observe(clients, reads)
    found = [_group(one, arn, prefix, answers) for arn, one in groups.items()]
    return sorted(found, key=lambda group: group.name)


def _group(described: Described, arn: str, prefix: str, answers: t.Mapping[str, list[t.Any]]) -> Group:
    name = described["TargetGroupName"].removeprefix(prefix)
    attributes = {one["Key"]: one["Value"] for one in answers[f"attributes {arn}"]}
    targets = tuple(describe_target(name, one) for one in answers[f"health {arn}"])
    return Group(name, arn, described["Port"], int(attributes[DELAY]), targets)


def targets_ref(group: str) -> Ref:
    """What later changes await: that the targets of a group are where they should be."""
    return Ref("targets", group)


def take_out(group: Group, servers: t.Mapping[str, str]) -> list[Change]:
    """Changes that take servers (ids by name) out of a group and await that they have drained."""
    registered = {name: id_ for name, id_ in sorted(servers.items()) if group.holds(id_)}
    states = {name: group.state(id_) for name, id_ in sorted(servers.items()) if group.state(id_)}
    if not states:
        return []
    targets = [{"Id": id_, "Port": group.port} for id_ in registered.values()]
    call = elb("deregister_targets", TargetGroupArn=group_ref(group.name), Targets=targets)
    wait = Wait(
        f"{', '.join(states)} to be drained in the target group {group.name}",
        elb("describe_target_health", TargetGroupArn=group_ref(group.name)),
        lambda answer: not any(told(answer, group, {name: servers[name] for name in states}).values()),
        deadline=group.delay + MARGIN,
        interval=INTERVAL,
    )
    action: t.Literal["update", "delete"] = "delete" if registered else "update"
    calls = (call,) if registered else ()
    after = {} if registered else dict.fromkeys(states, "drained")
    return [Change(action, "targets", group.name, calls, before=states, after=after, wait=wait)]


def put_in(group: Group, servers: t.Mapping[str, str | Ref], deadline: float) -> list[Change]:
    """Changes that put servers (ids by name) into a group and await that they are healthy."""
    ids = {name: id_ for name, id_ in sorted(servers.items()) if isinstance(id_, str)}
    missing = [name for name, id_ in sorted(servers.items()) if not (isinstance(id_, str) and group.holds(id_))]
    unwell = {name: group.state(id_) for name, id_ in ids.items() if group.state(id_) != "healthy"}
    if not missing and not unwell:
        return []
    targets = [{"Id": servers[name], "Port": group.port} for name in missing]
    call = elb("register_targets", TargetGroupArn=group_ref(group.name), Targets=targets)
    wait = Wait(
        f"{', '.join(sorted(servers))} to be healthy in the target group {group.name}",
        elb("describe_target_health", TargetGroupArn=group_ref(group.name)),
        lambda answer: set(told(answer, group, ids).values()) == {"healthy"},
        deadline=deadline,
        interval=INTERVAL,
    )
    if not missing:
        after = dict.fromkeys(unwell, "healthy")
        return [Change("update", "targets", group.name, (), before=unwell, after=after, wait=wait)]
    return [Change("create", "targets", group.name, (call,), after={n: servers[n] for n in missing}, wait=wait)]


def told(answer: Described, group: Group, servers: t.Mapping[str, str]) -> dict[str, str]:
    """The state of each of the servers by name, "" for one that is no target, in an answer of DescribeTargetHealth."""
    states = {
        (one["Target"]["Id"], one["Target"]["Port"]): one["TargetHealth"]
        for one in answer.get("TargetHealthDescriptions", [])
    }
    found = {name: states.get((id_, group.port), {}) for name, id_ in servers.items()}
    # What AWS tells of a target that is asked for by its id, but is none.
    gone = "Target.NotRegistered"
    return {name: "" if one.get("Reason") == gone else one.get("State", "") for name, one in found.items()}
