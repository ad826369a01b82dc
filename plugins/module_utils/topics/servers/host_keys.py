# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The work of the module `ec2_console_host_keys`: record SSH host keys that are read from the servers' consoles.

cloud-init prints a server's public host keys on the console at its first boot. An attacker on the network cannot
change the console. The keys are recorded in a `known_hosts` file under the instance's id, which ssh looks up with
`HostKeyAlias=<instance id>`. So a key is never trusted for another server that later uses the same address.

One key of each server is also recorded in a tag of its instance, where other controllers find it (decision 0041).
"""

from __future__ import annotations

import re
import typing as t
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import (
    DeadlineError,
    GroundworkError,
    Problems,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import INSTANCE_ID
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, call, observe, refused
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner, tag_list
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import KNOWN_AFTER_APPLY, Change, ec2
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.engine.wait import wait_until
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.local_files import read_file, write_file
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.observed import (
    HOST_KEY,
    Server,
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

LONGEST_TAG = 256  # characters of a value: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html

# cloud-init's last line of a boot. At a first boot the host keys are printed before it.
FINISHED = re.compile(r"Cloud-init v\. \S+ finished at ")
# Printed by cloud-init's write-ssh-key-fingerprints.
BLOCK = re.compile(r"-----BEGIN SSH HOST KEY KEYS-----(?P<keys>.*?)-----END SSH HOST KEY KEYS-----", re.DOTALL)


@dataclass(frozen=True)
class Host:
    """A server whose host keys are to be recorded.

    `id` is None if check mode only plans the server. `tagged` is the key in the instance's tag, and `tagged_at` says
    when it was written.
    """

    name: str
    id: str | None
    tagged: PublicKey | None = None
    tagged_at: str = ""


@dataclass(frozen=True)
class HostKeys:
    """The options. `hosts` is None for all servers of the environment.

    `required` are the names of the servers whose keys must be recorded, None for all.
    """

    hosts: tuple[Host, ...] | None
    path: Path
    shared: bool
    required: frozenset[str] | None
    verify: bool
    deadline: float  # seconds

    def requires(self, host: Host) -> bool:
        """Return whether a host's keys must be recorded."""
        return self.required is None or host.name in self.required


Recorded = dict[str, frozenset[PublicKey]]  # by instance id
WAY_BACK = (
    "Run groundwork.aws.recover with servers_recover=<name>, which stops and starts the server and keeps its data. Or "
    "run groundwork.aws.replace with servers_replace=<instance id> and servers_replace_data=lost, which deletes its "
    "disk with all data on it."
)


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
    required = options.get("required")
    return HostKeys(
        hosts=None if servers is None else tuple(Host(name, _known(given)) for name, given in servers.items()),
        path=Path(options["known_hosts"]),
        shared=options["shared"],
        required=None if required is None else frozenset(required),
        verify=options["verify"],
        deadline=float(options["deadline"]),
    )


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


def tag_value(keys: Collection[PublicKey], now: datetime) -> str:
    """Return the value of the tag for a server's host keys: the shortest kind of key and the time, or "" if none fits.

    An RSA key is too long for a tag. ssh prefers the types of the keys that it knows, so that one key is enough.
    """
    ordered = sorted(keys, key=lambda key: (len(str(key)), key))
    value = f"{ordered[0]} {now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if ordered else ""
    return value if len(value) <= LONGEST_TAG else ""


def tagged(name: str, server: Server) -> Host:
    """Return a server with the key in its tag."""
    value = server.tags.get(HOST_KEY, "")
    return Host(name, server.id, find_public_key(value), "".join(value.split(" ")[2:3]))


# Changes ---------------------------------------------------------------------------------------------------------


def plan(desired: HostKeys, hosts: t.Iterable[Host], recorded: Recorded) -> list[Change]:
    """Return the changes: record keys in the file and in tags, and delete the entries of servers that do not exist.

    They have no calls, because a key is known only after its server's console was read.
    """
    hosts = list(hosts)
    present = {host.id for host in hosts}
    learnt = [
        Change("create", "host keys", host.name, (), after={"InstanceId": host.id or KNOWN_AFTER_APPLY})
        for host in hosts
        if host.id not in recorded and (host.tagged or desired.requires(host))
    ]
    untagged = [
        Change("update", "host keys", host.name, (), before={HOST_KEY: None}, after={HOST_KEY: value})
        for host in hosts
        if host.id in recorded and not host.tagged and (value := _shown(desired, recorded[host.id]))
    ]
    forgotten = [
        Change("delete", "host keys", alias, (), before={"Keys": sorted(map(str, recorded[alias]))})
        for alias in sorted(recorded)
        if alias not in present
    ]
    return [*learnt, *untagged, *forgotten]


def _shown(desired: HostKeys, keys: Collection[PublicKey]) -> str:
    """Return the key for a server's tag without the time, or ""."""
    return " ".join(tag_value(keys, datetime.now(UTC)).split(" ")[:2]) if desired.shared else ""


def converge_host_keys(run: Run) -> dict[str, t.Any]:
    """Record the missing host keys, and return the module's result. Raise GroundworkError on failure.

    The keys in tags are copied in check mode too, because check mode connects to the servers with them.
    """
    owner, desired = run.parse(COMPONENT, parse_host_keys)
    hosts = _look(run, owner, desired)
    text = read_file(desired.path, "known_hosts")
    recorded = parse_known_hosts(text)
    _compare(desired, hosts, recorded)
    if desired.verify:
        _verify(run.clients, hosts, recorded)
    for host in hosts:
        if host.id and host.id not in recorded and not (host.tagged or desired.requires(host)):
            run.warn(
                f"The host keys of {host.name} ({host.id}) are not known, so that ssh refuses to connect to it. "
                f"{WAY_BACK}"
            )
    changes = plan(desired, hosts, recorded)
    result = run.make(changes, {})
    if changes:
        _record(run, desired, hosts, text, recorded)
    return {**result, "known_hosts": str(desired.path)}


def _look(run: Run, owner: Owner, desired: HostKeys) -> tuple[Host, ...]:
    """Return the given servers or all of them, with the keys in their tags if these are used."""
    given = desired.hosts
    if given is not None and not (desired.shared and any(host.id for host in given)):
        return given
    live, _gone = split_instances(observe(run.clients, {"instances": instances_read(owner)})["instances"])
    if given is None:
        found = tuple(tagged(server.name, server) for server in live.values())
        return found if desired.shared else tuple(replace(host, tagged=None) for host in found)
    by_id = {server.id: server for server in live.values()}
    return tuple(tagged(host.name, by_id[host.id]) if host.id in by_id else host for host in given)


def _compare(desired: HostKeys, hosts: t.Iterable[Host], recorded: Recorded) -> None:
    """Raise GroundworkError if a server's recorded keys do not contain the key in its tag."""
    for host in hosts:
        if host.id and host.tagged and host.id in recorded and host.tagged not in recorded[host.id]:
            changed = datetime.fromtimestamp(desired.path.stat().st_mtime, UTC)
            raise GroundworkError(
                f"The host key of {host.name} ({host.id}) in {desired.path}, last changed at "
                f"{changed:%Y-%m-%dT%H:%M:%SZ}, is not the one in the instance's tag {HOST_KEY}, written at "
                f"{host.tagged_at or 'an unknown time'}. Either another controller has recorded new keys of the "
                "server, or the file or the tag was manipulated. Nothing was changed. To read the keys from the "
                f"server, run groundwork.aws.recover with servers_recover={host.name}, which stops and starts it. To "
                f"trust the tag, remove the lines with 'ssh-keygen -R {host.id} -f {desired.path}' and run again."
            )


def _record(run: Run, desired: HostKeys, hosts: t.Sequence[Host], text: str, recorded: Recorded) -> None:
    """Wait for the missing keys, and write the file and the tags. On failure, write the keys that were found.

    In check mode copy the keys in tags and nothing else.
    """
    names = {host.id: host.name for host in hosts if host.id}
    found: Recorded = {
        host.id: frozenset({host.tagged}) for host in hosts if host.id and host.tagged and host.id not in recorded
    }
    missing = [host.id for host in hosts if host.id and not {host.id} & {*recorded, *found} and desired.requires(host)]
    try:
        if not run.check_mode:
            _await_keys(run, desired, names, missing, found)
    finally:
        gone = [] if run.check_mode else [alias for alias in recorded if alias not in names]
        if found or gone:
            write_file(desired.path, render_known_hosts(text, found, names, gone), "known_hosts")
        if desired.shared and not run.check_mode:
            _tag(run, [host for host in hosts if host.id and not host.tagged], {**recorded, **found})


def _tag(run: Run, hosts: t.Iterable[Host], keys: Recorded) -> None:
    now = datetime.now(UTC)
    values = {host: value for host in hosts if host.id in keys and (value := tag_value(keys[host.id], now))}
    run.make([tagging(host.name, str(host.id), value) for host, value in values.items()], {})


def tagging(name: str, instance_id: str, value: str) -> Change:
    """Return the change that writes a server's host key to its tag."""
    call = ec2("create_tags", Resources=[instance_id], Tags=tag_list({HOST_KEY: value})).safe_to_repeat()
    return Change("update", "host keys", name, (call,), after={HOST_KEY: value})


def _await_keys(
    run: Run, desired: HostKeys, names: t.Mapping[str, str], missing: t.Sequence[str], found: Recorded
) -> None:
    """Read the consoles of the `missing` ids until `found` has the keys of all. Raise GroundworkError on timeout."""

    silent: set[str] = set()  # booted without printing the keys

    def look() -> list[str]:
        for instance_id in [i for i in missing if i not in found]:
            console = read_console(run.clients, instance_id)
            keys = parse_console(console)
            if keys:
                found[instance_id] = keys
            elif FINISHED.search(console):
                silent.add(instance_id)
        return [i for i in missing if i not in found]

    try:
        lacking = wait_until(
            look,
            silent.issuperset,
            until="the consoles to show the host keys",
            deadline=desired.deadline,
            interval=POLL_INTERVAL,
            clock=run.clock,
        )
    except DeadlineError as error:
        raise GroundworkError(
            f"Timed out after {desired.deadline:.0f} s waiting for the SSH host keys on the console of "
            f"{_listed(names, found, missing)}. cloud-init prints them at the first boot: look for errors of the boot "
            f"on the console. {WAY_BACK}"
        ) from error
    if lacking:
        raise GroundworkError(
            f"The console of {_listed(names, found, missing)} does not contain the SSH host keys, and no controller "
            f"has recorded them. cloud-init prints them at the first boot only. {WAY_BACK}"
        )


def _listed(names: t.Mapping[str, str], found: Recorded, missing: t.Iterable[str]) -> str:
    return ", ".join(f"{names[i]} ({i})" for i in missing if i not in found)


def _verify(clients: Clients, hosts: t.Iterable[Host], recorded: Recorded) -> None:
    """Compare the recorded keys with those on the consoles. Raise GroundworkError if a server's keys all differ."""
    for host in hosts:
        if host.id not in recorded:
            continue
        shown = parse_console(read_console(clients, host.id))
        if shown and not shown & recorded[host.id]:
            raise GroundworkError(
                f"The SSH host keys on the console of {host.name} ({host.id}) differ from the recorded ones. Either "
                "the server has new keys, or the file or the server was manipulated. Find out which. If the new keys "
                f"are right, run groundwork.aws.recover with servers_recover={host.name}, which records them."
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
