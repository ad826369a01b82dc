# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan to register servers with target groups, to deregister them, and to hold them.

Except `look_at`, these functions are pure.

A deregistered target gets no new requests, and has the group's deregistration delay to complete its requests. Its state
is `draining` until the delay is over, even if it has completed them before. If it is registered again while it drains,
it gets requests at once.
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html

A held server has the tag `HELD`, and is not registered before it serves what the others of its tier serve.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import HELD, tag_list
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Change, Ref, Wait, ec2
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.changes import elb
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.health import Target, describe_target
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.observed import Instance
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.routing import group_ref

DELAY = "deregistration_delay.timeout_seconds"
MARGIN = 60.0  # seconds after the delay until ELB reports the new state
INTERVAL = 1.0  # seconds between reads

Described = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class Group:
    """A target group. `targets` are all targets that ELB reports, including draining ones."""

    name: str
    arn: str
    port: int
    delay: int  # seconds
    targets: tuple[Target, ...]

    def state(self, instance_id: str) -> str:
        """Return a target's state as ELB names it, or "". A server can be registered with only one port here."""
        return next((one.state for one in self.targets if (one.id, one.port) == (instance_id, self.port)), "")

    def holds(self, instance_id: str) -> bool:
        """Return whether the server is registered. A draining target is not."""
        return self.state(instance_id) not in ("", "draining")

    def healthy_besides(self, instance_ids: t.Collection[str]) -> int:
        """Return the number of healthy targets other than these."""
        return sum(one.state == "healthy" and one.id not in instance_ids for one in self.targets)


def look_at(clients: Clients, described: t.Iterable[Described], prefix: str) -> list[Group]:
    """Return the described target groups with their targets, read in two parallel calls per group."""
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
    """Return the reference for which later changes wait, until the targets of a group are registered or drained."""
    return Ref("targets", group)


def deregister(group: Group, servers: t.Mapping[str, str]) -> list[Change]:
    """Return changes that deregister servers (ids by name) from a group, and do not wait."""
    return [replace(change, wait=None) for change in take_out(group, servers) if change.calls]


def hold(servers: t.Iterable[Instance], reason: str) -> list[Change]:
    """Return the change that tags servers as held. The reason of a server that is held already stays."""
    free = sorted((one for one in servers if not one.held), key=lambda one: one.name)
    if not free:
        return []
    call = ec2("create_tags", Resources=[one.id for one in free], Tags=tag_list({HELD: reason})).safe_to_repeat()
    return [Change("create", "tag", HELD, (call,), after={one.name: reason for one in free})]


def let_in(servers: t.Iterable[Instance], groups: t.Iterable[Group]) -> list[Change]:
    """Return the change that removes the tag of held servers, after the waits for them to be healthy in the groups."""
    held = sorted((one for one in servers if one.held), key=lambda one: one.name)
    if not held:
        return []
    call = ec2("delete_tags", Resources=[one.id for one in held], Tags=[{"Key": HELD}])
    awaits = tuple(targets_ref(group.name) for group in groups)
    return [Change("delete", "tag", HELD, (call,), before={one.name: one.held for one in held}, awaits=awaits)]


def take_out(group: Group, servers: t.Mapping[str, str]) -> list[Change]:
    """Return changes that deregister servers (ids by name) from a group and wait for them to be drained."""
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
    """Return changes that register servers (ids by name) with a group and wait for them to be healthy."""
    ids = {name: id_ for name, id_ in sorted(servers.items()) if isinstance(id_, str)}
    missing = [name for name, id_ in sorted(servers.items()) if not (isinstance(id_, str) and group.holds(id_))]
    unwell = {name: group.state(id_) for name, id_ in ids.items() if group.state(id_) != "healthy"}
    if not missing and not unwell:
        return []
    targets = [{"Id": servers[name], "Port": group.port} for name in missing]
    call = elb("register_targets", TargetGroupArn=group_ref(group.name), Targets=targets).safe_to_repeat()
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
    """Return the state of each server by name, or "" if it is not a target, from a response of DescribeTargetHealth."""
    states = {
        (one["Target"]["Id"], one["Target"]["Port"]): one["TargetHealth"]
        for one in answer.get("TargetHealthDescriptions", [])
    }
    found = {name: states.get((id_, group.port), {}) for name, id_ in servers.items()}
    # The reason for a target that was asked for by its id but is not registered.
    gone = "Target.NotRegistered"
    return {name: "" if one.get("Reason") == gone else one.get("State", "") for name, one in found.items()}
