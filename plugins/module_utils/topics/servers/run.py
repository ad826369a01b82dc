# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The work of the module `ec2_instance_group`."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import (
    DeadlineError,
    GroundworkError,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner, tag_dict
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import KNOWN_AFTER_APPLY, Ids, Ref
from ansible_collections.groundwork.aws.plugins.module_utils.engine.quotas import refuse_exceeding
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.engine.wait import wait_until
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.changes import (
    check,
    newer_images,
    pinned,
    plan,
    remarks,
    surplus,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.launching import Launch, refuse_launches
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.observed import (
    Observed,
    Server,
    instances_read,
    observe_servers,
    observe_target_groups,
    split_instances,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.options import (
    Placement,
    Servers,
    Tier,
    group_uses,
    parse_servers,
    server_name,
)

COMPONENT = "servers"
POLL_INTERVAL = 2.0  # seconds
VISIBLE_DEADLINE = 10.0  # seconds until an instance is found by its tags


def converge_servers(run: Run) -> dict[str, t.Any]:
    """Launch, update, start and terminate servers, and return the module's result. Raise GroundworkError on failure."""
    owner, desired = run.parse(COMPONENT, parse_servers)
    observed = run.observe(
        lambda: observe_servers(run.clients, owner, desired),
        lambda seen, problems: check(owner, desired, seen, problems, check_mode=run.check_mode),
    )
    for remark in remarks(desired, observed):
        run.warn(remark)
    if surplus(desired, observed):
        observed = replace(observed, target_groups=observe_target_groups(run.clients, owner))
    changes = plan(owner, desired, observed)
    refuse_launches(run.clients, launches(desired, observed))
    if changes:
        refuse_exceeding(run.clients, group_uses(desired.tiers), run.warn)
    ids = observed.ids()
    result = run.make(changes, ids)
    servers = observed.servers
    if not run.check_mode and (changes or _lacking(dict.fromkeys(_names(desired), False), servers)):
        expected = {name: tier.public_ip and name not in servers for name, tier in _names(desired).items()}
        servers = await_running(run, owner, expected, ids, desired.deadline)
    return {
        **result,
        "servers": described(desired, observed, servers),
        "newer_image": newer_images(desired, observed),
        "key_name": owner.name("servers"),
    }


def launches(desired: Servers, observed: Observed) -> list[Launch]:
    """Return the launches of the servers that do not exist, by tier."""
    found = []
    for tier in desired.tiers:
        missing = [n for n in range(1, tier.count + 1) if server_name(tier.name, n) not in observed.servers]
        zones = [_zone(tier.placement(number), observed) for number in missing]
        if missing:
            image = pinned(tier, desired, observed)
            found.append(
                Launch(f"tiers.{tier.name}", tier.instance_type, tuple(sorted(set(zones))), image, len(missing))
            )
    return found


def _zone(placement: Placement, observed: Observed) -> str:
    return observed.subnets.get(placement.subnet, ("", placement.zone))[1]


def _names(desired: Servers) -> dict[str, Tier]:
    """Return the tiers of all declared servers, by the servers' names."""
    return {server_name(tier.name, number): tier for tier, number in desired.wanted()}


def await_running(
    run: Run, owner: Owner, expected: t.Mapping[str, bool], ids: Ids, deadline: float
) -> t.Mapping[str, Server]:
    """Poll all servers with one call until each expected server is running. Return the servers by name.

    The values of `expected` say whether a server must have a public IP address too. Raise GroundworkError with EC2's
    reason if a server is terminated instead, or is not running within `deadline` seconds.
    """
    read = {"instances": instances_read(owner)}
    names = {ids[Ref("server", name)]: name for name in expected if Ref("server", name) in ids}
    live: dict[str, Server] = {}

    def look() -> tuple[Server, ...]:
        servers, gone = split_instances(observe(run.clients, read)["instances"])
        live.clear()
        live.update(servers)
        return gone

    patience = run.clock.monotonic() + VISIBLE_DEADLINE

    def ready(gone: tuple[Server, ...]) -> bool:
        if run.clock.monotonic() >= patience:
            _refuse_unseen(run, owner, names, {*(s.id for s in live.values()), *(s.id for s in gone)})
        for server in gone:
            name = names.get(server.id)
            if name:
                raise GroundworkError(
                    f"{name} ({server.id}) was terminated before it was running: {_reason(server)}. "
                    "Remove the cause and run again to launch another server in its place."
                )
        return not _lacking(expected, live)

    try:
        wait_until(
            look,
            ready,
            until="all servers to be running",
            deadline=deadline,
            interval=POLL_INTERVAL,
            clock=run.clock,
            standing=lambda _: "; ".join(_lacking(expected, live)),
        )
    except DeadlineError as error:
        told = "\n".join(f"- {line}" for line in _lacking(expected, live))
        raise GroundworkError(
            f"Timed out after {deadline:.0f} s waiting for all servers to be running. EC2 reports:\n{told}\n"
            "Run again to continue waiting and to start stopped servers."
        ) from error
    return live


def _refuse_unseen(run: Run, owner: Owner, names: t.Mapping[str, str], seen: t.Container[str]) -> None:
    """Raise GroundworkError if EC2 returned an instance for a client token that the environment's tags do not find.

    It was launched by an earlier run, and one of its tags has been edited since.
    """
    unseen = sorted(own for own in names if own not in seen)
    if not unseen:
        return
    read = Read("ec2", "describe_instances", "Reservations", {"InstanceIds": unseen}, ("InvalidInstanceID.NotFound",))
    for instance in (i for r in observe(run.clients, {"unseen": read})["unseen"] for i in r["Instances"]):
        own, tags = instance["InstanceId"], tag_dict(instance)
        if not owner.owns_tags(tags):
            wrong, right = owner.foreign(f"The instance {own}, which EC2 returned as {names[own]},", tags)
            raise GroundworkError(f"{wrong}; {right}.")


def _lacking(expected: t.Mapping[str, bool], live: t.Mapping[str, Server]) -> list[str]:
    """Return a line for each expected server that is not running, or lacks the public IP address that it must have."""
    lines = []
    for name, addressed in expected.items():
        server = live.get(name)
        if server is None:
            lines.append(f"{name} does not exist")
        elif server.state != "running":
            lines.append(f"{name} ({server.id}) is {server.state}: {_reason(server)}")
        elif addressed and not server.public_ip:
            lines.append(f"{name} ({server.id}) has no public IP address")
    return lines


def _reason(server: Server) -> str:
    return server.state_reason or "AWS reports no reason"


def described(desired: Servers, observed: Observed, servers: t.Mapping[str, Server]) -> list[dict[str, t.Any]]:
    """Return the declared servers as the module returns them, then the successors. Servers to launch are `planned`."""
    found = []
    for tier, number in desired.wanted():
        name = server_name(tier.name, number)
        server = servers.get(name)
        facts = _seen(server) if server else _planned(desired, observed, tier.name, number)
        found.append({"name": name, "tier": tier.name, "number": number, "planned": server is None, **facts})
    following = [server for name, server in sorted(servers.items()) if server.succeeds]
    found += [
        {"name": server.name, "tier": server.tier, "number": server.number, "planned": False, **_seen(server)}
        for server in following
    ]
    return found


def _seen(server: Server) -> dict[str, t.Any]:
    return {
        "id": server.id,
        "zone": server.zone,
        "subnet_id": server.subnet_id,
        "instance_type": server.instance_type,
        "image_id": server.image_id,
        "private_ip": server.private_ip,
        "public_ip": server.public_ip,
        "state": server.state,
    }


def _planned(desired: Servers, observed: Observed, tier_name: str, number: int) -> dict[str, t.Any]:
    tier = next(tier for tier in desired.tiers if tier.name == tier_name)
    placement = tier.placement(number)
    subnet_id, zone = observed.subnets.get(placement.subnet, (KNOWN_AFTER_APPLY, placement.zone or KNOWN_AFTER_APPLY))
    image = pinned(tier, desired, observed)
    return {
        "id": KNOWN_AFTER_APPLY,
        "zone": zone,
        "subnet_id": subnet_id,
        "instance_type": tier.instance_type,
        "image_id": image.id if image else KNOWN_AFTER_APPLY,
        "private_ip": KNOWN_AFTER_APPLY,
        "public_ip": KNOWN_AFTER_APPLY if tier.public_ip else "",
        "state": "pending",
    }
