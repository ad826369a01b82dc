# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The recovery of servers whose keys are lost: the options, what is announced, and the changes. Pure functions."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems, check_range
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import ACCOUNT_NAME
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Change, ec2
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.changes import import_key
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.observed import KeyPair, Server
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.options import (
    ReadText,
    parse_key,
    read_text,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.recovery_data import recovery_in
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.restarting import (
    ACCEPTED,
    Wish,
    check_accepted,
    check_given,
    check_names,
    interruption,
    parse_wish,
    restart,
    wanted,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.ssh_keys import PublicKey

RECOVERING, OWN = "the server's own, with a script that installs the key and prints the host keys", "the server's own"
State = t.Literal["planned", "recovered"]


@dataclass(frozen=True)
class Recoveries:
    """The options. `wish` are names and ids of servers, or ("all",). `key` is None if check mode plans a new key.

    `database` is EACH, the name of the server with the database of all sites, or "" for none.
    """

    state: State
    wish: Wish
    accepted: bool
    key: PublicKey | None
    user: str
    known_hosts: Path
    database: str
    deadline: float  # seconds


# Options ---------------------------------------------------------------------------------------------------------


def check_user(variable: str, user: str, problems: Problems) -> None:
    """Add to `problems` a name that cannot be one of a user."""
    if not ACCOUNT_NAME.fullmatch(user):
        problems.add(variable, f"'{user}' is not the name of a user", "give the user that Ansible connects as")


def parse_recoveries(
    options: t.Mapping[str, t.Any], problems: Problems, *, read: ReadText = read_text
) -> Recoveries | None:
    """Return the parsed options of `ec2_server_recovery`, or None after adding to `problems`."""
    before = len(problems.found)
    wish = parse_wish("recover", options["recover"], None, problems)
    check_given("recover", wish, problems)
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
    check_names("recover", desired.wish, servers, problems)
    if pair and not owner.owns_tags(pair.tags):
        problems.add("environment_name", *owner.foreign(f"the key pair '{pair.name}' ({pair.id})", pair.tags))
    if not check_mode and desired.state == "recovered" and not desired.key:
        problems.add("key_file", "does not exist", "create it with ssm_private_key first")
    accepted = desired.accepted or check_mode
    check_accepted("recover_downtime", "the recovery", lines(desired, servers), accepted, problems)


# What is announced -----------------------------------------------------------------------------------------------


def lines(desired: Recoveries, servers: t.Mapping[str, Server]) -> list[str]:
    """Return what the recovery does to each server, for the user."""
    twice = "stopped and started twice"
    return [interruption(one, servers.values(), desired.database, twice) for one in wanted(desired.wish, servers)]


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


def with_user_data(server: Server, user_data: bytes, *, running: bool) -> list[Change]:
    """Return the changes that stop a server, set its user data and start it."""
    modify = ec2("modify_instance_attribute", InstanceId=server.id, UserData={"Value": user_data})
    told = RECOVERING if recovery_in(user_data) else OWN
    return restart(server, modify, {}, {"UserData": told}, running=running)
