# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The recovery of servers whose keys are lost: the options, what is announced, and the changes. Pure functions."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems, check_range
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import ACCOUNT_NAME, INSTANCE_ID
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import HELD, Owner
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Change, Ref, Wait, ec2
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.changes import (
    STOP_DEADLINE,
    import_key,
    is_stopped,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.observed import KeyPair, Server
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.options import (
    ReadText,
    parse_key,
    read_text,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.recovery_data import recovery_in
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.ssh_keys import PublicKey

ALL = "all"
EACH = "each"
ACCEPTED = "accepted"
RUNNING, STOPPED = {"State": "running"}, {"State": "stopped"}
RECOVERING, OWN = "the server's own, with a script that installs the key and prints the host keys", "the server's own"
State = t.Literal["planned", "recovered"]


@dataclass(frozen=True)
class Recoveries:
    """The options. `wish` are names and ids of servers, or ("all",). `key` is None if check mode plans a new key.

    `database` is EACH, the name of the server with the database of all sites, or "" for none.
    """

    state: State
    wish: tuple[str, ...]
    accepted: bool
    key: PublicKey | None
    user: str
    known_hosts: Path
    database: str
    deadline: float  # seconds

    def wants(self, server: Server) -> bool:
        """Return whether a server is to be recovered."""
        return self.wish == (ALL,) or server.name in self.wish or server.id in self.wish


# Options ---------------------------------------------------------------------------------------------------------


def parse_wish(options: t.Mapping[str, t.Any], known: t.Collection[str] | None, problems: Problems) -> tuple[str, ...]:
    """Return the names and ids of the servers to recover. `known` are the names of the declared servers, if known."""
    asked = options["recover"]
    named = asked if isinstance(asked, list) else str(asked or "").split(",")
    wish = tuple(name for one in named if (name := str(one).strip()))
    for name in wish if wish != (ALL,) and known is not None else ():
        if name not in (known or ()) and not INSTANCE_ID.fullmatch(name):
            right = f"give only '{ALL}', or a list of ids of instances and of {_listed(known or ())}"
            problems.add("recover", f"'{name}' is not a server", right)
    return wish


def check_user(variable: str, user: str, problems: Problems) -> None:
    """Add to `problems` a name that cannot be one of a user."""
    if not ACCOUNT_NAME.fullmatch(user):
        problems.add(variable, f"'{user}' is not the name of a user", "give the user that Ansible connects as")


def parse_recoveries(
    options: t.Mapping[str, t.Any], problems: Problems, *, read: ReadText = read_text
) -> Recoveries | None:
    """Return the parsed options of `ec2_server_recovery`, or None after adding to `problems`."""
    before = len(problems.found)
    wish = parse_wish(options, None, problems)
    if not wish:
        right = f"give '{ALL}' or a list of servers (servers_recover in the inventory)"
        problems.add("recover", "is empty", right)
    check_user("user", options["user"], problems)
    key = parse_key(options["key_file"], bool(options["key_file_planned"]), problems, read)
    check_range("deadline", options["deadline"], 1, 86400, problems)
    if len(problems.found) > before:
        return None
    return Recoveries(
        options["state"],
        wish,
        options["recover_downtime"] == ACCEPTED,
        key,
        options["user"],
        Path(options["known_hosts"]),
        options["database"],
        float(options["deadline"]),
    )


# Checks ----------------------------------------------------------------------------------------------------------


def chosen(desired: Recoveries, servers: t.Mapping[str, Server]) -> list[Server]:
    """Return the servers to recover.

    Those that an interrupted recovery has left deregistered are first: the others serve meanwhile. Then come those with
    public addresses, because ssh reaches others through them.
    """
    found = [server for server in servers.values() if desired.wants(server)]
    return sorted(found, key=lambda one: (HELD not in one.tags, not one.public_ip, one.tier, one.number, one.succeeds))


def check(
    owner: Owner,
    desired: Recoveries,
    servers: t.Mapping[str, Server],
    pair: KeyPair | None,
    problems: Problems,
    *,
    check_mode: bool,
) -> None:
    """Add to `problems` unknown servers, a key pair of others, and an interruption that is not accepted."""
    known = {name for server in servers.values() for name in (server.name, server.id)}
    for name in desired.wish if desired.wish != (ALL,) else ():
        if name not in known:
            existing = _listed(f"{server.name} ({server.id})" for server in servers.values())
            problems.add("recover", f"'{name}' is not a server of the environment", f"give some of {existing}")
    if pair and not owner.owns_tags(pair.tags):
        problems.add("environment_name", *owner.foreign(f"the key pair '{pair.name}' ({pair.id})", pair.tags))
    if not check_mode and desired.state == "recovered" and not desired.key:
        problems.add("key_file", "does not exist", "create it with ssm_private_key first")
    if not (desired.accepted or check_mode):
        problems.add(
            "recover_downtime",
            f"the recovery interrupts servers: {'; '.join(lines(desired, servers))}",
            "set recover_downtime (servers_recover_downtime in the inventory) to accepted",
        )


# What is announced -----------------------------------------------------------------------------------------------


def lines(desired: Recoveries, servers: t.Mapping[str, Server]) -> list[str]:
    """Return what the recovery does to each server, for the user."""
    return [_line(desired, server, servers.values()) for server in chosen(desired, servers)]


def _line(desired: Recoveries, server: Server, servers: t.Iterable[Server]) -> str:
    serving = (one for one in servers if one.state == "running" and HELD not in one.tags)
    others = [one.name for one in serving if one.tier == server.tier and one.id != server.id]
    told = [f"{server.name} ({server.id}) is deregistered from its load balancers, stopped and started twice"]
    told.append("its disks and data are kept")
    if server.public_ip and not server.keeps_public_ip:
        told.append(f"its public address {server.public_ip} changes")
    if not others:
        told.append(f"no other server of the tier {server.tier} serves")
    if desired.database == server.name:
        told.append("all sites have no database meanwhile")
    return ", ".join(told)


# Changes ---------------------------------------------------------------------------------------------------------


def key_pair(owner: Owner, key: PublicKey | None, pair: KeyPair | None) -> list[Change]:
    """Return the change that gives the key pair another public key, or none. EC2 cannot change a key pair."""
    if pair and pair.key and pair.key == key:
        return []
    [imported] = import_key(owner, key)
    if not pair:
        return [imported]
    delete = ec2("delete_key_pair", KeyName=pair.name).settled_by("InvalidKeyPair.NotFound")
    before = {"PublicKey": str(pair.key) if pair.key else None}
    return [replace(imported, action="update", calls=(delete, *imported.calls), before=before)]


def restart(server: Server, user_data: bytes, *, running: bool) -> list[Change]:
    """Return the changes that stop a server, set its user data and start it."""
    ref = Ref("server", server.name)
    look = ec2("describe_instances", InstanceIds=[server.id])
    wait = Wait(f"{server.name} ({server.id}) to be stopped", look, is_stopped, deadline=STOP_DEADLINE)
    stop = ec2("stop_instances", InstanceIds=[server.id])
    modify = ec2("modify_instance_attribute", InstanceId=server.id, UserData={"Value": user_data})
    start = ec2("start_instances", InstanceIds=[server.id])
    told = RECOVERING if recovery_in(user_data) else OWN
    return [
        Change("update", ref.resource, ref.name, (stop,) if running else (), before=RUNNING, after=STOPPED, wait=wait),
        Change("update", ref.resource, ref.name, (modify,), after={"UserData": told}, awaits=(ref,)),
        Change("update", ref.resource, ref.name, (start,), before=STOPPED, after=RUNNING),
    ]


def _listed(names: t.Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
