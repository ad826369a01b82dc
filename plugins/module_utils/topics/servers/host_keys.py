# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The work of the module `ec2_console_host_keys`: record SSH host keys that are read from the servers' consoles.

cloud-init prints a server's public host keys on the console at its first boot. An attacker on the network cannot
change the console. The keys are recorded in a `known_hosts` file under the instance's id, which ssh looks up with
`HostKeyAlias=<instance id>`. So a key is never trusted for another server that later uses the same address.
"""

from __future__ import annotations

import os
import re
import tempfile
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import (
    DeadlineError,
    GroundworkError,
    Problems,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import INSTANCE_ID
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, call, observe, refused
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import KNOWN_AFTER_APPLY, Change
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.engine.wait import wait_until
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.observed import (
    instances_read,
    split_instances,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.ssh_keys import PublicKey, find_public_key

try:
    from botocore.exceptions import ClientError
except ImportError:
    pass  # AnsibleAWSModule fails with the remedy before anything here is called

COMPONENT = "servers"
POLL_INTERVAL = 3.0  # seconds; the rate limit of GetConsoleOutput is one of EC2's lowest

# Printed by cloud-init's write-ssh-key-fingerprints.
BLOCK = re.compile(r"-----BEGIN SSH HOST KEY KEYS-----(?P<keys>.*?)-----END SSH HOST KEY KEYS-----", re.DOTALL)


@dataclass(frozen=True)
class Host:
    """A server whose host keys are to be recorded. `id` is None if check mode only plans the server."""

    name: str
    id: str | None


@dataclass(frozen=True)
class HostKeys:
    """The options. `hosts` is None for all servers of the environment."""

    hosts: tuple[Host, ...] | None
    path: Path
    verify: bool
    deadline: float  # seconds


Recorded = dict[str, frozenset[PublicKey]]  # by instance id


# Options ---------------------------------------------------------------------------------------------------------


def parse_host_keys(options: t.Mapping[str, t.Any], problems: Problems) -> HostKeys | None:
    """Return the parsed options of `ec2_console_host_keys`, or None after adding to `problems`."""
    before = len(problems.found)
    servers = options.get("servers")
    for name, instance_id in (servers or {}).items():
        if instance_id != KNOWN_AFTER_APPLY and not INSTANCE_ID.fullmatch(str(instance_id)):
            problems.add(
                f"servers.{name}",
                f"'{instance_id}' is not the id of an instance",
                "give an id such as i-0123456789abcdef0, as ec2_instance_group returns it",
            )
    if options["deadline"] < 1:
        problems.add("deadline", f"{options['deadline']} is out of range", "give at least 1 second")
    if len(problems.found) > before:
        return None
    hosts = None if servers is None else tuple(Host(name, _known(given)) for name, given in servers.items())
    return HostKeys(hosts, Path(options["known_hosts"]), options["verify"], float(options["deadline"]))


def _known(instance_id: str) -> str | None:
    return None if instance_id == KNOWN_AFTER_APPLY else instance_id


# Formats ---------------------------------------------------------------------------------------------------------


def parse_console(text: str) -> frozenset[PublicKey]:
    """Return the host keys in the last complete block that cloud-init printed. Ignore damaged lines.

    Kernel messages can stand between the lines, and lines can end with carriage returns.
    """
    blocks = list(BLOCK.finditer(text))
    if not blocks:
        return frozenset()
    keys = map(find_public_key, blocks[-1]["keys"].splitlines())
    return frozenset(key for key in keys if key)


def parse_known_hosts(text: str) -> Recorded:
    """Return the keys by instance id. Ignore the lines that begin with a host name or an address."""
    recorded: dict[str, set[PublicKey]] = {}
    for line in text.splitlines():
        alias = _alias(line)
        key = find_public_key(line)
        if alias and key:
            recorded.setdefault(alias, set()).add(key)
    return {alias: frozenset(keys) for alias, keys in recorded.items()}


def render_known_hosts(text: str, keys: Recorded, names: t.Mapping[str, str], gone: t.Collection[str]) -> str:
    """Return `text` with the lines of the new `keys`, and without the previous lines of these and of the `gone` ids.

    `names` are the servers' names by id. Each is written as the comment of its key.
    """
    stale = {*gone, *keys}
    kept = [line for line in text.splitlines() if _alias(line) not in stale]
    added = [f"{alias} {key} {names[alias]}" for alias in sorted(keys) for key in sorted(keys[alias])]
    return "".join(f"{line}\n" for line in [*kept, *added])


def _alias(line: str) -> str | None:
    """Return the instance id that a line of known_hosts begins with, or None if it is of another host."""
    alias, space, _rest = line.replace("\t", " ").partition(" ")
    return alias if space and INSTANCE_ID.fullmatch(alias) else None


# Changes ---------------------------------------------------------------------------------------------------------


def plan(hosts: t.Iterable[Host], recorded: Recorded) -> list[Change]:
    """Return the changes: record the keys of new servers, and delete the entries of servers that do not exist."""
    hosts = list(hosts)
    present = {host.id for host in hosts}
    learnt = [
        Change("create", "host keys", host.name, (), after={"InstanceId": host.id or KNOWN_AFTER_APPLY})
        for host in hosts
        if host.id not in recorded
    ]
    forgotten = [
        Change("delete", "host keys", alias, (), before={"Keys": sorted(map(str, recorded[alias]))})
        for alias in sorted(recorded)
        if alias not in present
    ]
    return [*learnt, *forgotten]


def converge_host_keys(run: Run) -> dict[str, t.Any]:
    """Record the missing host keys, and return the module's result. Raise GroundworkError on failure."""
    owner, desired = run.parse(COMPONENT, parse_host_keys)
    hosts = desired.hosts
    if hosts is None:
        live, _gone = split_instances(observe(run.clients, {"instances": instances_read(owner)})["instances"])
        hosts = tuple(Host(server.name, server.id) for server in live.values())
    text = _read(desired.path)
    recorded = parse_known_hosts(text)
    if desired.verify:
        _verify(run.clients, hosts, recorded)
    changes = plan(hosts, recorded)
    result = run.make(changes, {})
    if changes and not run.check_mode:
        _record(run, desired, hosts, text, recorded)
    return {**result, "known_hosts": str(desired.path)}


def _record(run: Run, desired: HostKeys, hosts: t.Sequence[Host], text: str, recorded: Recorded) -> None:
    """Wait for the missing keys and write the file. On failure, write the keys that were found."""
    names = {host.id: host.name for host in hosts if host.id}
    missing = [instance_id for instance_id in names if instance_id not in recorded]
    gone = [alias for alias in recorded if alias not in names]
    found: Recorded = {}
    try:
        _await_keys(run, desired, names, missing, found)
    finally:
        _write(desired.path, render_known_hosts(text, found, names, gone))


def _await_keys(
    run: Run, desired: HostKeys, names: t.Mapping[str, str], missing: t.Sequence[str], found: Recorded
) -> None:
    """Read the consoles of the `missing` ids until `found` has the keys of all. Raise GroundworkError on timeout."""

    def look() -> list[str]:
        for instance_id in [i for i in missing if i not in found]:
            keys = parse_console(read_console(run.clients, instance_id))
            if keys:
                found[instance_id] = keys
        return [f"{names[i]} ({i})" for i in missing if i not in found]

    try:
        wait_until(
            look,
            lambda lacking: not lacking,
            until="the consoles to show the host keys",
            deadline=desired.deadline,
            interval=POLL_INTERVAL,
            clock=run.clock,
        )
    except DeadlineError as error:
        lacking = ", ".join(f"{names[i]} ({i})" for i in missing if i not in found)
        raise GroundworkError(
            f"Timed out after {desired.deadline:.0f} s waiting for the SSH host keys on the console of {lacking}. "
            "cloud-init prints them at the first boot: look for errors of the boot on the console. If the console does "
            "not contain the keys any more, read them in another way that you trust and add lines such as "
            f"'<instance id> ssh-ed25519 AAAA…' to {desired.path}, or terminate the server and run groundwork.aws.site "
            "again to replace it."
        ) from error


def _verify(clients: Clients, hosts: t.Iterable[Host], recorded: Recorded) -> None:
    """Compare the recorded keys with those on the consoles. Raise GroundworkError if a server's keys all differ."""
    for host in hosts:
        if host.id not in recorded:
            continue
        shown = parse_console(read_console(clients, host.id))
        if shown and not shown & recorded[host.id]:
            raise GroundworkError(
                f"The SSH host keys on the console of {host.name} ({host.id}) differ from the recorded ones. Either "
                "the server has new keys, or the file or the server was manipulated. Find out which; if the new keys "
                f"are right, remove the lines that begin with {host.id} from the known_hosts file and run again."
            )


def read_console(clients: Clients, instance_id: str) -> str:
    """Return the current console output of an instance, or the buffered one if EC2 does not support `Latest`.

    `Latest` requires a Nitro instance: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetConsoleOutput.html
    """
    try:
        return _console(clients, instance_id, Latest=True)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code.endswith("NotFound"):  # a new instance is not known to all of EC2's endpoints yet
            return ""
        if code not in ("UnsupportedOperation", "InvalidParameterCombination"):
            raise refused(f"read the console of {instance_id}", "ec2", "get_console_output", error) from error
    try:
        return _console(clients, instance_id)
    except ClientError as error:
        raise refused(f"read the console of {instance_id}", "ec2", "get_console_output", error) from error


def _console(clients: Clients, instance_id: str, **arguments: t.Any) -> str:
    output: str = call(clients, "ec2", "get_console_output", {"InstanceId": instance_id, **arguments}).get("Output", "")
    return output


# File ------------------------------------------------------------------------------------------------------------


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise GroundworkError(
            f"known_hosts: {path} cannot be read: {error.strerror}; give the path of a readable file."
        ) from error


def _write(path: Path, text: str) -> None:
    """Replace the file atomically, so that ssh never reads a part of it. Raise GroundworkError on failure."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(temporary).replace(path)
        except OSError:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise GroundworkError(
            f"known_hosts: {path} cannot be written: {error.strerror}; give the path of a writable file."
        ) from error
