# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The replacement of servers: the options, the batches and the changes. Pure functions.

A successor is launched while its predecessor runs. Its tag `groundwork:replaces` has the predecessor's id. So EC2's
answer says how far a replacement is: while the predecessor exists it is in progress; afterwards only the successor's
name may still have to be changed.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems, check_range
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import INSTANCE_ID
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Change, Ref, Wait, ec2
from ansible_collections.groundwork.aws.plugins.module_utils.topics.rollout.planning import (
    check_batch,
    check_paths,
    check_target_groups,
    size_of,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.changes import (
    check_start,
    fix_tags,
    launch,
    newer_images,
    newest,
    retire,
    start,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.observed import (
    GONE,
    NEXT,
    REPLACES,
    Observed,
    Server,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.options import (
    Servers,
    Tier,
    parse_servers,
    server_name,
)

OUTDATED = "outdated"
State = t.Literal["planned", "launched", "replaced", "kept"]
Data = t.Literal["kept", "backed_up", "lost"]
BACKED_UP = "backed_up"
EACH = "each"
LONGEST_BACKUP_MINUTES = 7 * 24 * 60
# The id and the age in seconds of the newest backup of each server that has one.
Newest = t.Mapping[str, tuple[str, float]]


@dataclass(frozen=True)
class Wish:
    """The servers to replace: all outdated ones, or the `given` names and instance ids."""

    outdated: bool
    given: tuple[str, ...]
    batch: str


@dataclass(frozen=True)
class Replacement:
    """The options. `database` is EACH, the name of the server with the database of all sites, or "" for none.

    `files` is whether servers have shared files of sites that no other server has. `backup_minutes` is the greatest age
    of the backups that `data` requires with BACKED_UP.
    """

    servers: Servers
    state: State
    wish: Wish
    database: str
    files: bool
    data: Data
    backup_minutes: int


# Options ---------------------------------------------------------------------------------------------------------


def parse_wish(options: t.Mapping[str, t.Any], known: t.Collection[str], problems: Problems) -> Wish:
    """Return the servers to replace. `known` are the names of the declared servers."""
    asked = options["replace"]
    named = asked if isinstance(asked, list) else str(asked or "").split(",")
    given = tuple(name for one in named if (name := str(one).strip()))
    for name in given if given != (OUTDATED,) else ():
        if name not in known and not INSTANCE_ID.fullmatch(name):
            right = f"give only '{OUTDATED}', or a list of ids of instances and of {_listed(known)}"
            problems.add("replace", f"'{name}' is not a server", right)
    batch = str(options["replace_batch"])
    check_batch("replace_batch", batch, problems)
    return Wish(given == (OUTDATED,), given, batch)


def check_probing(options: t.Mapping[str, t.Any], tiers: t.Collection[str], problems: Problems) -> None:
    """Check the options of the requests that the playbook sends to successors and through target groups."""
    check_paths("replace_paths", options["replace_paths"], problems)
    check_range("replace_requests", options["replace_requests"], 1, 10000, problems)
    check_target_groups("replace_target_groups", options["replace_target_groups"], tiers, problems)


def parse_replacement(options: t.Mapping[str, t.Any], problems: Problems) -> Replacement | None:
    """Return the parsed options, or None after adding to `problems`."""
    before = len(problems.found)
    servers = parse_servers(options, problems)
    names = [server_name(tier.name, number) for tier, number in servers.wanted()] if servers else []
    wish = parse_wish(options, names, problems) if servers else None
    if wish and not wish.given:
        right = f"give '{OUTDATED}' or a list of servers (servers_replace in the inventory)"
        problems.add("replace", "is empty", right)
    check_range("replace_backup_minutes", options["replace_backup_minutes"], 1, LONGEST_BACKUP_MINUTES, problems)
    if len(problems.found) > before or not (servers and wish):
        return None
    minutes = options["replace_backup_minutes"]
    data = (options["database"], options["local_files"], options["replace_data"])
    return Replacement(servers, options["state"], wish, *data, minutes)


def wanted(desired: Replacement, observed: Observed) -> list[Server]:
    """Return the servers to replace, by tier and number.

    A name selects a server only if it is outdated or its replacement is in progress. An id selects that instance. So
    repeating a complete replacement changes nothing.
    """
    due = {name for newer in newer_images(desired.servers, observed).values() for name in newer["servers"]}
    due |= {server.place for server in observed.servers.values() if server.succeeds}
    found = []
    for tier, number in desired.servers.wanted():
        server = observed.servers.get(server_name(tier.name, number))
        named = server and (desired.wish.outdated or server.name in desired.wish.given)
        if server and ((named and server.name in due) or server.id in desired.wish.given):
            found.append(server)
    return found


def successor(server: Server, observed: Observed) -> Server | None:
    """Return the server that was launched to replace `server`, or None."""
    return observed.servers.get(f"{server.place}{NEXT}")


def batches(desired: Replacement, observed: Observed) -> list[list[Server]]:
    """Return the batches. A batch has servers of one tier; tiers with public IP addresses come last."""
    servers = wanted(desired, observed)
    found = []
    for tier in sorted(desired.servers.tiers, key=lambda tier: tier.public_ip):
        members = [server for server in servers if server.tier == tier.name]
        size = size_of(desired.wish.batch, tier.count) or 1
        found += [members[at : at + size] for at in range(0, len(members), size)]
    return found


# Checks ----------------------------------------------------------------------------------------------------------


def check_replacement(
    owner: Owner, desired: Replacement, observed: Observed, problems: Problems, backups: Newest | None = None
) -> None:
    """Add to `problems` the options that contradict AWS' state or that would delete a database.

    `backups` are the newest ones, or None if they need not be known.
    """
    servers = wanted(desired, observed)
    _check_ids(desired, observed, problems)
    _check_data(desired, servers, problems, backups or {})
    for tier in _tiers(desired, servers) if desired.state in ("planned", "launched") else ():
        check_start(owner, tier, newest(tier, observed), observed, problems)
    for server in servers if desired.state == "replaced" else ():
        if not successor(server, observed):
            problems.add("state", f"{server.name} ({server.id}) has no successor", "run with state=launched first")


def _check_ids(desired: Replacement, observed: Observed, problems: Problems) -> None:
    """Add to `problems` the ids that are neither of a declared server nor of a server that was replaced."""
    known = {server.id: server.name for server in wanted(desired, observed)}
    past = {server.id for server in observed.gone}
    past |= {server.tags.get(REPLACES, "") for server in observed.servers.values()}
    for given in desired.wish.given:
        if INSTANCE_ID.fullmatch(given) and given not in known and given not in past:
            declared = [server_name(tier.name, number) for tier, number in desired.servers.wanted()]
            ids = [f"{observed.servers[name].id} ({name})" for name in declared if name in observed.servers]
            problems.add("replace", f"'{given}' is not a declared server", f"give some of {_listed(ids)}")


def endangered(desired: Replacement, servers: t.Sequence[Server]) -> list[Server]:
    """Return those of the servers to replace that have a database or shared files, which are deleted with them."""
    return [server for server in servers if desired.files or desired.database in (EACH, server.name)]


def _kinds(desired: Replacement, servers: t.Iterable[Server]) -> str:
    """Return what is deleted with endangered servers."""
    with_database = any(desired.database in (EACH, server.name) for server in servers)
    return " and ".join([*(["databases"] if with_database else []), *(["shared files"] if desired.files else [])])


def is_asked_about(desired: Replacement) -> bool:
    """Return whether the ages of backups decide whether this step may be made: only before a server is launched."""
    return desired.data == BACKED_UP and desired.state in ("planned", "launched")


def _check_data(desired: Replacement, servers: t.Sequence[Server], problems: Problems, backups: Newest) -> None:
    """Add to `problems` databases and files that would be lost, unless they are in a backup, or their loss is said.

    The loss of the database of all sites is said by the name of its server: it may not be hit by "outdated".
    """
    lost = endangered(desired, servers)
    if desired.data == BACKED_UP:
        limit = desired.backup_minutes * 60
        ages = {name: age for name, (_id, age) in backups.items()}
        late = [one.name for one in lost if ages.get(one.name, limit + 1) > limit] if is_asked_about(desired) else []
        if late:
            wrong = f"{_listed(late)} has no backup from the last {desired.backup_minutes} minutes"
            right = "run groundwork.aws.backup, and then this again within that time (servers_replace_backup_minutes)"
            problems.add("replace_data", wrong, right)
        return
    everybodys = [server for server in lost if server.name == desired.database]
    if everybodys and not (desired.data == "lost" and _is_named(desired, everybodys[0])):
        others = [server.name for server in servers if server.name != desired.database]
        wrong = f"{desired.database} has the database of all sites, which would be deleted with it"
        ways = f"give only the others: {_listed(others)}; or " if others else ""
        right = (
            f"{ways}run groundwork.aws.backup and set replace_data (servers_replace_data in the inventory) to "
            f"backed_up. If the database is not needed, give {desired.database} by its name, with replace_data=lost"
        )
        problems.add("replace", wrong, right)
    own = [server for server in lost if server not in everybodys]
    if own and desired.data == "kept":
        names = _listed(server.name for server in own)
        wrong = f"the {_kinds(desired, own)} on {names} would be deleted with the servers"
        right = (
            "run groundwork.aws.backup and set replace_data (servers_replace_data in the inventory) to backed_up, or "
            "set it to lost if they are not needed"
        )
        problems.add("replace_data", wrong, right)


def _is_named(desired: Replacement, server: Server) -> bool:
    """Return whether the server is given by its name or id, and not by "outdated" alone."""
    return server.name in desired.wish.given or server.id in desired.wish.given


def afterwards(desired: Replacement, servers: t.Sequence[Server], backups: Newest) -> list[str]:
    """Return what is to be run after a replacement of servers with databases or shared files."""
    concerned = endangered(desired, servers)
    lost = [server.name for server in concerned]
    if not lost:
        return []
    way = "Run groundwork.aws.site, which leads the other servers to the new address. Then run "
    way = way if desired.database in lost else "Run "
    made = [backups[name][0] for name in lost if name in backups]
    back = "".join(f"{way}groundwork.aws.restore with restore_from={identity}. " for identity in made)
    return [f"The new servers in place of {_listed(lost)} have no {_kinds(desired, concerned)} yet. {back}".strip()]


def _tiers(desired: Replacement, servers: t.Sequence[Server]) -> list[Tier]:
    names = {server.tier for server in servers}
    return [tier for tier in desired.servers.tiers if tier.name in names]


# Changes ---------------------------------------------------------------------------------------------------------


def plan_replacement(owner: Owner, desired: Replacement, observed: Observed, *, check_mode: bool) -> list[Change]:
    """Return the changes of one step. In check mode the state `planned` includes those of the following steps."""
    changes = _names(owner, desired, observed)
    planned = batches(desired, observed)
    ahead = check_mode and desired.state == "planned"
    for batch in planned:
        if ahead or desired.state == "launched":
            changes += _launches(owner, desired, batch, observed)
        if ahead or desired.state == "replaced":
            changes += [*_terminations(batch, observed), *_renames(owner, desired, batch, observed)]
        if desired.state == "kept":
            changes += retire([one for server in batch if (one := successor(server, observed))], observed)
    return changes


def _names(owner: Owner, desired: Replacement, observed: Observed) -> list[Change]:
    """Return the renaming of servers whose predecessor is terminated, which an interrupted run left undone."""
    late = [one for one in observed.servers.values() if REPLACES in one.tags and not one.succeeds]
    return [change for server in late for change in _rename(owner, desired, server)]


def _rename(owner: Owner, desired: Replacement, server: Server) -> list[Change]:
    tier = desired.servers.tier(server.tier)
    fix = fix_tags(owner, tier, server) if tier else None
    if not fix:
        return []
    call, key, was, will_be = fix
    return [Change("update", "server", server.place, (call,), before={key: was}, after={key: will_be})]


def _launches(owner: Owner, desired: Replacement, batch: t.Sequence[Server], observed: Observed) -> list[Change]:
    """Return the changes that launch missing successors and start stopped ones."""
    changes = []
    for server in batch:
        following, tier = successor(server, observed), desired.servers.tier(server.tier)
        if following:
            changes += start(following)
        elif tier:
            image = newest(tier, observed)
            new = launch(owner, desired.servers, tier, server.number, observed, image=image, replaced=server.id)
            changes.append(new)
    return changes


def _terminations(batch: t.Sequence[Server], observed: Observed) -> list[Change]:
    """Return the changes that drain and terminate the predecessors. Their names are free when they shut down."""
    gone = {server.name: _until_going(server) for server in batch}
    return [
        replace(change, wait=gone[change.name]) if change.resource == "server" else change
        for change in retire(batch, observed)
    ]


def _until_going(server: Server) -> Wait:
    """Return the wait for an instance to shut down. EC2 may report it as running shortly after TerminateInstances.

    https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
    """
    look = ec2("describe_instances", InstanceIds=[server.id])
    return Wait(f"{server.name} ({server.id}) to begin shutting down", look, _is_going, interval=1.0)


def _is_going(response: t.Mapping[str, t.Any]) -> bool:
    states = [i["State"]["Name"] for r in response.get("Reservations", []) for i in r["Instances"]]
    return GONE.issuperset(states)


def _renames(owner: Owner, desired: Replacement, batch: t.Sequence[Server], observed: Observed) -> list[Change]:
    changes = []
    for server in batch:
        following = successor(server, observed)
        if following:
            own = _rename(owner, desired, following)
        else:  # check mode launches no successor
            own = [Change("update", "server", server.place, (), after={"Name": owner.name(server.place)})]
        changes += [replace(change, awaits=(Ref("server", server.name),)) for change in own]
    return changes


# Result ----------------------------------------------------------------------------------------------------------


def told(desired: Replacement, observed: Observed) -> dict[str, t.Any]:
    """Return the batches as data for the playbook, and as lines of text for the user."""
    planned = batches(desired, observed)
    described = [[_described(server) for server in batch] for batch in planned]
    lines = [
        f"batch {number}: {_line(server, desired, observed)}"
        for number, batch in enumerate(planned, 1)
        for server in batch
    ]
    return {"batches": described, "lines": [*lines, *_left_alone(desired, observed)]}


def _described(server: Server) -> dict[str, str]:
    return {"name": server.name, "id": server.id, "tier": server.tier, "successor": f"{server.place}{NEXT}"}


def _line(server: Server, desired: Replacement, observed: Observed) -> str:
    following = successor(server, observed)
    if following:
        return f"{server.name} ({server.id}) by {following.name} ({following.id}), which exists already"
    tier = desired.servers.tier(server.tier)
    image = newest(tier, observed) if tier else None
    return (
        f"{server.name} ({server.id}, {server.image_id}) by a new server from {image.name} ({image.id})"
        if image
        else ""
    )


def _left_alone(desired: Replacement, observed: Observed) -> list[str]:
    replaced = {server.name for server in wanted(desired, observed)}
    return [
        f"{name} is up to date and is not replaced; to replace it nevertheless, give {observed.servers[name].id}"
        for name in desired.wish.given
        if name in observed.servers and name not in replaced
    ]


def _listed(names: t.Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
