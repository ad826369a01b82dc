# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The work of the module `ec2_server_recovery`: announce a recovery, or recover servers one after the other.

A recovery is interrupted by nothing but AWS' answers: its token and the server's own user data are in the user data,
and its result is on the console. So a run that follows an interrupted one goes on, or begins again.
"""

from __future__ import annotations

import base64
import secrets
import typing as t
from datetime import UTC, datetime

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import (
    DeadlineError,
    GroundworkError,
    Problems,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Change
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.engine.wait import wait_until
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.host_keys import (
    FINISHED,
    POLL_INTERVAL,
    parse_known_hosts,
    read_console,
    render_known_hosts,
    tag_value,
    tagging,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.local_files import read_file, write_file
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.observed import (
    KeyPair,
    Server,
    instances_read,
    key_pair_of,
    key_pairs_read,
    split_instances,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.recovery import (
    Recoveries,
    check,
    key_pair,
    lines,
    parse_recoveries,
    with_user_data,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.recovery_data import (
    Recovery,
    failure,
    printed,
    recovery_in,
    script,
    with_recovery,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.restarting import (
    is_up,
    listing,
    restarted,
    target_groups_of,
    target_groups_read,
    wanted,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.run import COMPONENT
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.ssh_keys import PublicKey

BOOT_DEADLINE = 60.0  # seconds; a server whose boot is not complete by then is stopped nevertheless

Keys = frozenset[PublicKey]


def converge_recovery(run: Run) -> dict[str, t.Any]:
    """Make the recovery or only report it, and return the module's result. Raise GroundworkError on failure."""
    owner, desired = run.parse(COMPONENT, parse_recoveries)
    servers, pair, target_groups = _observe(run, owner)
    problems = Problems()
    check(owner, desired, servers, pair, problems, check_mode=run.check_mode)
    problems.raise_if_any()
    leaving = wanted(desired.wish, servers)
    for server in leaving:
        _recovering(server, _began(owner, desired, _own_user_data(run, server)[1]))
    result = run.make(_planned(owner, desired, leaving, pair) if run.check_mode else [], {})
    if desired.state == "recovered" and not run.check_mode:
        result = _recovered(run, owner, desired, leaving, pair)
    return {**result, "servers": listing(leaving), "lines": lines(desired, servers), "target_groups": target_groups}


def _observe(run: Run, owner: Owner) -> tuple[dict[str, Server], KeyPair | None, list[str]]:
    """Return the servers, the key pair, and the names of the target groups."""
    reads = {
        "instances": instances_read(owner),
        "pairs": key_pairs_read(owner),
        "groups": target_groups_read(),
    }
    answers = observe(run.clients, reads)
    live, _gone = split_instances(answers["instances"])
    pairs = [key_pair_of(answer) for answer in answers["pairs"]]
    return live, pairs[0] if pairs else None, target_groups_of(owner, answers["groups"])


def _planned(owner: Owner, desired: Recoveries, leaving: t.Sequence[Server], pair: KeyPair | None) -> list[Change]:
    """Return the changes that check mode shows."""
    if desired.state == "planned":
        return []
    changes = key_pair(owner, desired.key, pair)
    for server in leaving:
        planned = with_recovery(Recovery("planned", "", b"")) or b""
        changes += with_user_data(server, planned, running=server.state == "running")
        changes.append(Change("update", "host keys", server.name, ()))
        changes += with_user_data(server, b"", running=True)
    return changes


def _recovered(
    run: Run, owner: Owner, desired: Recoveries, leaving: t.Sequence[Server], pair: KeyPair | None
) -> dict[str, t.Any]:
    """Recover the servers, and return the changes of all."""
    results = [run.make(key_pair(owner, desired.key, pair), {})]
    for server in leaving:
        results += _recover(run, owner, desired, server)
    return {
        "changed": any(one["changed"] for one in results),
        "changes": [change for one in results for change in one["changes"]],
        "diff": [entry for one in results for entry in one["diff"]],
    }


def _recover(run: Run, owner: Owner, desired: Recoveries, server: Server) -> t.Iterator[dict[str, t.Any]]:
    """Recover one server, and yield the results of its steps. A recovery that has printed the keys goes on."""
    began, own = _own_user_data(run, server)
    keys = _printed(run, owner, desired, server, began)
    if keys is None:
        recovery = _began(owner, desired, own)
        yield _restart(run, owner, desired, server, _recovering(server, recovery))
        keys = _await_printed(run, desired, server, recovery.token)
    yield _remember(run, desired, server, keys)
    yield _restart(run, owner, desired, server, own)


def _own_user_data(run: Run, server: Server) -> tuple[Recovery | None, bytes]:
    """Return the recovery that an interrupted run has begun, or None, and the server's own user data."""
    named = {"InstanceId": server.id, "Attribute": "userData"}
    read = Read("ec2", "describe_instance_attribute", "UserData", named)
    found = observe(run.clients, {"user data": read})["user data"]
    user_data = base64.b64decode(found[0].get("Value", "") if found else "")
    began = recovery_in(user_data)
    return began, began.original if began else user_data


def _script(owner: Owner, desired: Recoveries, token: str) -> str:
    return script(token, t.cast(PublicKey, desired.key), owner.name("servers"), desired.user)


def _printed(run: Run, owner: Owner, desired: Recoveries, server: Server, recovery: Recovery | None) -> Keys | None:
    """Return the keys that an interrupted recovery has printed, or None if it is to begin again."""
    if recovery is None or server.state != "running" or recovery.script != _script(owner, desired, recovery.token):
        return None
    return printed(read_console(run.clients, server.id), recovery.token)


def _began(owner: Owner, desired: Recoveries, original: bytes) -> Recovery:
    """Return a new recovery of a server with this user data."""
    token = secrets.token_hex(8)
    return Recovery(token, _script(owner, desired, token), original)


def _recovering(server: Server, recovery: Recovery) -> bytes:
    """Return the user data of a recovery. Raise GroundworkError if the server's own leaves too little room for it."""
    data = with_recovery(recovery)
    if data is None:
        raise GroundworkError(
            f"{server.name} ({server.id}) cannot be recovered: its user data leaves too little room for the script "
            "that installs the key. Nothing was changed. Run groundwork.aws.replace with servers_replace="
            f"{server.id} and servers_replace_data=lost, which deletes its disk with all data on it."
        )
    return data


def _restart(run: Run, owner: Owner, desired: Recoveries, server: Server, user_data: bytes) -> dict[str, t.Any]:
    """Stop the server, set its user data, start it, and wait until it is running."""

    def plan(now: Server) -> list[Change]:
        return with_user_data(server, user_data, running=is_up(now))

    return restarted(run, owner, server, plan, desired.deadline)


def _await_printed(run: Run, desired: Recoveries, server: Server, token: str) -> Keys:
    """Wait for the host keys on the console, and then for the end of the boot. Raise GroundworkError on failure."""

    def look() -> str:
        console = read_console(run.clients, server.id)
        if reason := failure(console, token):
            raise GroundworkError(
                f"{server.name} ({server.id}) could not install the key: {reason}. Correct servers_recover_user and "
                "run again, which continues."
            )
        return console

    try:
        console = wait_until(
            look,
            lambda text: printed(text, token) is not None,
            until=f"{server.name} ({server.id}) to print its host keys",
            deadline=desired.deadline,
            interval=POLL_INTERVAL,
            clock=run.clock,
        )
    except DeadlineError as error:
        raise GroundworkError(
            f"Timed out after {desired.deadline:.0f} s waiting for {server.name} ({server.id}) to print its host keys. "
            "cloud-init does this at the start: look for errors of the boot on the console. Run again to try once "
            f"more. Or run groundwork.aws.replace with servers_replace={server.id} and servers_replace_data=lost, "
            "which deletes its disk with all data on it."
        ) from error
    keys = t.cast(Keys, printed(console, token))
    try:
        wait_until(
            look,
            lambda text: bool(FINISHED.search(text)),
            until=f"the boot of {server.name} to be complete",
            deadline=BOOT_DEADLINE,
            interval=POLL_INTERVAL,
            clock=run.clock,
        )
    except DeadlineError:
        pass  # not all images print it
    return keys


def _remember(run: Run, desired: Recoveries, server: Server, keys: Keys) -> dict[str, t.Any]:
    """Write the host keys to the file and to the tag, and return the result of that step."""
    text = read_file(desired.known_hosts, "known_hosts")
    known = parse_known_hosts(text).get(server.id)
    if known and not known & keys:
        run.warn(f"{server.name} ({server.id}) has other host keys than those that were recorded.")
    rendered = render_known_hosts(text, {server.id: keys}, {server.id: server.name}, gone=[])
    write_file(desired.known_hosts, rendered, "known_hosts")
    value = tag_value(keys, datetime.now(UTC))
    if not value:
        run.warn(
            f"The host keys of {server.name} ({server.id}) are too long for a tag. Other controllers do not know them."
        )
        return run.make([Change("update", "host keys", server.name, ())], {})
    return run.make([tagging(server.name, server.id, value)], {})
