# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the existing file system of an environment, and the subnets and security groups of its mount targets."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner, tag_dict
from ansible_collections.groundwork.aws.plugins.module_utils.topics.file_system.options import NAME, FileSystem
from ansible_collections.groundwork.aws.plugins.module_utils.topics.firewall.options import COMPONENT as FIREWALL
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.options import COMPONENT as NETWORK

Described = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class Observed:
    """The file system, its mount targets by zone, their groups by mount target, and ids of subnets and groups.

    `deleting` is a former file system, and `leaving` are mount targets, that AWS deletes at this moment.
    """

    system: Described | None = None
    deleting: Described | None = None
    targets: t.Mapping[str, Described] = field(default_factory=dict)
    leaving: t.Sequence[Described] = ()
    groups_of: t.Mapping[str, t.Sequence[str]] = field(default_factory=dict)
    subnets: t.Mapping[str, str] = field(default_factory=dict)
    groups: t.Mapping[str, str] = field(default_factory=dict)


def look(owner: Owner, clients: Clients) -> Observed:
    """Return what exists, read in five calls, or in three before the file system exists."""
    network, firewall = Owner(owner.environment, NETWORK), Owner(owner.environment, FIREWALL)
    token = {"CreationToken": owner.name(NAME)}
    first = observe(
        clients,
        {
            "systems": Read("efs", "describe_file_systems", "FileSystems", token),
            "subnets": Read("ec2", "describe_subnets", "Subnets", {"Filters": network.filters()}),
            "groups": Read("ec2", "describe_security_groups", "SecurityGroups", {"Filters": firewall.filters()}),
        },
    )
    found = next((one for one in first["systems"] if one["LifeCycleState"] != "deleted"), None)
    deleting = found if found and found["LifeCycleState"] == "deleting" else None
    system = None if deleting else found
    targets: list[t.Any] = []
    groups_of: dict[str, list[str]] = {}
    if system:
        own = {"FileSystemId": system["FileSystemId"]}
        read = Read("efs", "describe_mount_targets", "MountTargets", own, absent=("FileSystemNotFound",))
        targets = [one for one in observe(clients, {"targets": read})["targets"] if one["LifeCycleState"] != "deleted"]
    if targets:
        groups_of = _groups_of(targets, clients)
    return Observed(
        system,
        deleting,
        {one["AvailabilityZoneName"]: one for one in targets if one["LifeCycleState"] != "deleting"},
        [one for one in targets if one["LifeCycleState"] == "deleting"],
        groups_of,
        {name: one["SubnetId"] for name, one in network.by_name(first["subnets"]).items()},
        {name: one["GroupId"] for name, one in firewall.by_name(first["groups"]).items()},
    )


def _groups_of(targets: t.Sequence[Described], clients: Clients) -> dict[str, list[str]]:
    """Return the ids of the security groups by mount target. One call tells those of all network interfaces."""
    interfaces = {one["NetworkInterfaceId"]: one["MountTargetId"] for one in targets if "NetworkInterfaceId" in one}
    wanted = [{"Name": "network-interface-id", "Values": sorted(interfaces)}]
    found = observe(
        clients, {"all": Read("ec2", "describe_network_interfaces", "NetworkInterfaces", {"Filters": wanted})}
    )
    return {
        interfaces[one["NetworkInterfaceId"]]: sorted(group["GroupId"] for group in one["Groups"])
        for one in found["all"]
    }


def check(desired: FileSystem, observed: Observed, owner: Owner, problems: Problems, *, planning: bool) -> None:
    """Add to `problems` what AWS would refuse, and what cannot be changed. While planning, nothing need exist."""
    system = observed.system
    if system and not owner.owns(system):
        problems.add("environment_name", *owner.foreign(f"file system {system['FileSystemId']}", tag_dict(system)))
    if system and not system.get("Encrypted"):
        problems.add(
            "environment_name",
            f"the file system {system['FileSystemId']} is not encrypted, and AWS cannot change that",
            "copy its files to another one, and delete it",
        )
    if not planning:
        for name in desired.subnets.values():
            if name not in observed.subnets:
                problems.add_missing("tier", f"the network has no subnet {name}", "run ec2_vpc_network first")
        for at, name in enumerate(desired.groups):
            if name not in observed.groups:
                where = f"security_groups[{at}]"
                problems.add_missing(
                    where, f"the security group {name} does not exist", "run ec2_security_groups first"
                )
    for zone, name in desired.subnets.items():
        target = observed.targets.get(zone)
        if target and name in observed.subnets and target["SubnetId"] != observed.subnets[name] and not desired.purge:
            problems.add(
                "tier",
                f"the mount target of {zone} is in {target['SubnetId']}, which is not {name}, and a zone has only one",
                "set purge, which replaces it and ends its mounts, or give the former tier",
            )
