# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Servers that are stopped, changed and started: which ones, what is announced, and the changes.

EC2 changes the user data and the type of a stopped instance only, so that a recovery and a resize have this in common.
The role servers deregisters a server before and registers it afterwards.
"""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import INSTANCE_ID
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import HELD, Owner
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call, Change, Ids, Ref, Wait, ec2
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.changes import STOP_DEADLINE, is_stopped
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.observed import (
    Server,
    instances_read,
    split_instances,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.run import await_running

ALL = "all"
EACH = "each"
ACCEPTED = "accepted"
RUNNING, STOPPED = {"State": "running"}, {"State": "stopped"}

Wish = tuple[str, ...]  # names and ids of servers, or ("all",)


# Which servers ---------------------------------------------------------------------------------------------------


def parse_wish(variable: str, asked: t.Any, known: t.Collection[str] | None, problems: Problems) -> Wish:
    """Return the names and ids of the servers to restart. `known` are the names of the declared servers, if known."""
    named = asked if isinstance(asked, list) else str(asked or "").split(",")
    wish = tuple(name for one in named if (name := str(one).strip()))
    for name in wish if wish != (ALL,) and known is not None else ():
        if name not in (known or ()) and not INSTANCE_ID.fullmatch(name):
            right = f"give only '{ALL}', or a list of ids of instances and of {_listed(known or ())}"
            problems.add(variable, f"'{name}' is not a server", right)
    return wish


def check_given(variable: str, wish: Wish, problems: Problems) -> None:
    """Add to `problems` that no server is named."""
    if not wish:
        right = f"give '{ALL}' or a list of servers (servers_{variable} in the inventory)"
        problems.add(variable, "is empty", right)


def wanted(wish: Wish, servers: t.Mapping[str, Server]) -> list[Server]:
    """Return the servers of a wish, in the order of their restarts.

    Those that an interrupted run has left deregistered are first: the others serve meanwhile. Then come those with
    public addresses, because ssh reaches others through them.
    """
    found = [one for one in servers.values() if wish == (ALL,) or one.name in wish or one.id in wish]
    return sorted(found, key=lambda one: (HELD not in one.tags, not one.public_ip, one.tier, one.number, one.succeeds))


def check_names(variable: str, wish: Wish, servers: t.Mapping[str, Server], problems: Problems) -> None:
    """Add to `problems` the servers of a wish that do not exist."""
    known = {name for server in servers.values() for name in (server.name, server.id)}
    for name in wish if wish != (ALL,) else ():
        if name not in known:
            existing = _listed(f"{server.name} ({server.id})" for server in servers.values())
            problems.add(variable, f"'{name}' is not a server of the environment", f"give some of {existing}")


# What is announced -----------------------------------------------------------------------------------------------


def interruption(server: Server, servers: t.Iterable[Server], database: str, how: str) -> str:
    """Return what a restart does to a server, for the user. `how` follows "is deregistered from its load balancers"."""
    serving = (one for one in servers if one.state == "running" and HELD not in one.tags)
    others = [one.name for one in serving if one.tier == server.tier and one.id != server.id]
    told = [f"{server.name} ({server.id}) is deregistered from its load balancers, {how}"]
    told.append("its disks and data are kept")
    if server.public_ip and not server.keeps_public_ip:
        told.append(f"its public address {server.public_ip} changes")
    if not others:
        told.append(f"no other server of the tier {server.tier} serves")
    if database == server.name:
        told.append("all sites have no database meanwhile")
    return ", ".join(told)


def check_accepted(variable: str, what: str, lines: t.Sequence[str], accepted: bool, problems: Problems) -> None:
    """Add to `problems` an interruption of servers that the user has not accepted."""
    if not accepted:
        wrong = f"{what} interrupts servers: {'; '.join(lines)}"
        problems.add(variable, wrong, f"set {variable} (servers_{variable} in the inventory) to {ACCEPTED}")


# The restart -----------------------------------------------------------------------------------------------------


def restart(
    server: Server,
    modify: Call | None,
    before: t.Mapping[str, t.Any],
    after: t.Mapping[str, t.Any],
    *,
    running: bool,
) -> list[Change]:
    """Return the changes that stop a server, make the call if there is one, and start the server."""
    ref = Ref("server", server.name)
    look = ec2("describe_instances", InstanceIds=[server.id])
    wait = Wait(f"{server.name} ({server.id}) to be stopped", look, is_stopped, deadline=STOP_DEADLINE)
    stop = ec2("stop_instances", InstanceIds=[server.id])
    start = ec2("start_instances", InstanceIds=[server.id])
    stopped = Change(
        "update", ref.resource, ref.name, (stop,) if running else (), before=RUNNING, after=STOPPED, wait=wait
    )
    started = Change("update", ref.resource, ref.name, (start,), before=STOPPED, after=RUNNING)
    if modify is None:
        return [stopped, replace(started, awaits=(ref,))]
    modified = Change("update", ref.resource, ref.name, (modify,), before=before, after=after, awaits=(ref,))
    return [stopped, modified, started]


def restarted(
    run: Run, owner: Owner, server: Server, plan: t.Callable[[Server], list[Change]], deadline: float
) -> dict[str, t.Any]:
    """Make the changes that `plan` returns for the server as it is now, and wait until it is running."""
    result = run.make(plan(look_again(run, owner, server)), {})
    ids: Ids = {Ref("server", server.name): server.id}
    await_running(run, owner, {server.name: bool(server.public_ip)}, ids, deadline)
    return result


def look_again(run: Run, owner: Owner, server: Server) -> Server:
    """Return the server as it is now. Raise GroundworkError if it was terminated."""
    live, _gone = split_instances(observe(run.clients, {"instances": instances_read(owner)})["instances"])
    if server.name not in live or live[server.name].id != server.id:
        raise GroundworkError(
            f"{server.name} ({server.id}) was terminated meanwhile. Run groundwork.aws.site to launch it again."
        )
    return live[server.name]


def is_up(server: Server) -> bool:
    """Return whether a server has to be stopped before it can be changed."""
    return server.state in ("pending", "running")


def target_groups_read() -> Read:
    """Return the read of all target groups."""
    return Read("elbv2", "describe_target_groups", "TargetGroups")


def target_groups_of(owner: Owner, answer: t.Iterable[t.Mapping[str, t.Any]]) -> list[str]:
    """Return the names of the environment's target groups, without the environment."""
    prefix = owner.name("")
    names = [group["TargetGroupName"] for group in answer]
    return sorted(name.removeprefix(prefix) for name in names if name.startswith(prefix))


def listing(servers: t.Iterable[Server]) -> list[dict[str, str]]:
    """Return the servers as the modules return them."""
    return [{"name": one.name, "id": one.id, "tier": one.tier, "held": one.tags.get(HELD, "")} for one in servers]


def _listed(names: t.Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
