# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan the changes to the file system of an environment."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner, tag_dict, tag_list
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call, Change, Lookup, Ref, Wait
from ansible_collections.groundwork.aws.plugins.module_utils.topics.file_system.observed import Described, Observed
from ansible_collections.groundwork.aws.plugins.module_utils.topics.file_system.options import (
    FILE_SYSTEM,
    NAME,
    FileSystem,
    address_ref,
    target_ref,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.firewall.rules import group_ref
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.options import subnet_ref

# AWS takes seconds to create a file system, and a minute or two to create or delete a mount target.
DEADLINE = 600.0
GONE = ("MountTargetNotFound",)


def plan_file_system(desired: FileSystem, observed: Observed, owner: Owner) -> list[Change]:
    """Return the changes: the file system, mount targets that leave, then those that are new or have other groups."""
    removed = [observed.targets[zone] for zone in sorted(stale(desired, observed)) if desired.purge]
    removals = [_target_removal(one) for one in (*observed.leaving, *removed)]
    former = tuple(Ref(one.resource, one.name) for one in removals)
    return [
        *_system_changes(desired, observed, owner),
        *removals,
        *(change for zone in desired.subnets for change in _target_changes(zone, desired, observed, former)),
    ]


def stale(desired: FileSystem, observed: Observed) -> set[str]:
    """Return the zones of mount targets that are not declared, or are in other subnets than the declared ones."""
    wanted = {zone: observed.subnets.get(name) for zone, name in desired.subnets.items()}
    return {zone for zone, target in observed.targets.items() if target["SubnetId"] != wanted.get(zone)}


def _system_changes(desired: FileSystem, observed: Observed, owner: Owner) -> t.Iterator[Change]:
    system, tags = observed.system, owner.tags(NAME)
    former: tuple[Ref, ...] = ()
    if observed.deleting:
        own = observed.deleting["FileSystemId"]
        gone = Change("delete", "file system", f"{NAME} ({own})", (), {"id": own}, wait=_deleted(observed.deleting))
        former = (Ref(gone.resource, gone.name),)
        yield gone
    if not system:
        yield replace(_creation(desired, owner, tags), awaits=former)
        return
    if system["LifeCycleState"] == "creating":  # created by an interrupted run
        states = {"state": "creating"}, {"state": "available"}
        yield Change("update", "file system", NAME, (), *states, wait=_available())
    if system["ThroughputMode"] != desired.throughput:
        update = Call("efs", "update_file_system", {"FileSystemId": FILE_SYSTEM, "ThroughputMode": desired.throughput})
        before, after = ({"throughput_mode": one} for one in (system["ThroughputMode"], desired.throughput))
        yield Change("update", "file system", NAME, (update,), before, after, wait=_available())
    actual = tag_dict(system)
    missing = {key: value for key, value in tags.items() if actual.get(key) != value}
    if missing:
        tag = Call("efs", "tag_resource", {"ResourceId": FILE_SYSTEM, "Tags": tag_list(missing)})
        before = {key: actual.get(key) for key in missing}
        yield Change("update", "tags", f"file system {NAME}", (tag.safe_to_repeat(),), before, missing)


def _creation(desired: FileSystem, owner: Owner, tags: t.Mapping[str, str]) -> Change:
    """Return the creation. AWS has one file system for a creation token, and refuses a second one.

    https://docs.aws.amazon.com/efs/latest/ug/API_CreateFileSystem.html
    """
    token = {"CreationToken": owner.name(NAME)}
    settings = {"Encrypted": True, "ThroughputMode": desired.throughput}
    create = Call("efs", "create_file_system", {**token, **settings, "Tags": tag_list(tags)})
    create = create.found_by(Lookup("describe_file_systems", "FileSystems", token))
    # An interrupted run may have created it seconds ago, so that the first read did not report it yet.
    existing = Call("efs", "describe_file_systems", token)
    code = "FileSystemAlreadyExists"
    create = replace(create, echoes=(code,), instead={code: existing})
    after = {"id": FILE_SYSTEM, "encrypted": True, "throughput_mode": desired.throughput}
    creating = create.yielding(FILE_SYSTEM, "FileSystems.0.FileSystemId")  # of both calls
    return Change("create", "file system", NAME, (creating,), after=after, wait=_available())


def _available() -> Wait:
    return Wait(
        "the file system to be available",
        Call("efs", "describe_file_systems", {"FileSystemId": FILE_SYSTEM}),
        lambda answer: [one["LifeCycleState"] for one in answer.get("FileSystems", [])] == ["available"],
        lambda answer: _failure(answer.get("FileSystems", [])),
        DEADLINE,
    )


def _deleted(system: Described) -> Wait:
    own = system["FileSystemId"]
    return Wait(
        f"the file system {own} to be deleted",
        Call("efs", "describe_file_systems", {"CreationToken": system["CreationToken"]}),
        lambda answer: own not in [one["FileSystemId"] for one in answer.get("FileSystems", [])],
        deadline=DEADLINE,
    )


def _failure(described: t.Sequence[Described]) -> str | None:
    states = [one["LifeCycleState"] for one in described if one["LifeCycleState"] in ("error", "deleting", "deleted")]
    return f"its state is {states[0]}" if states else None


def _target_changes(zone: str, desired: FileSystem, observed: Observed, former: tuple[Ref, ...]) -> t.Iterator[Change]:
    """Yield the changes of the mount target of a zone. A new one awaits the end of `former` ones."""
    target = None if zone in stale(desired, observed) else observed.targets.get(zone)
    ref, groups = target_ref(zone), [group_ref(name) for name in desired.groups]
    if not target:
        yield replace(_target_creation(zone, desired), awaits=former)
        return
    if target["LifeCycleState"] == "creating":  # created by an interrupted run
        states = {"state": "creating"}, {"state": "available"}
        yield Change("update", ref.resource, ref.name, (), *states, wait=_target_available(zone))
    actual = observed.groups_of.get(target["MountTargetId"], [])
    if sorted(actual) != sorted(observed.groups.get(name, "") for name in desired.groups):
        modify = Call("efs", "modify_mount_target_security_groups", {"MountTargetId": ref, "SecurityGroups": groups})
        before, after = {"security_groups": actual}, {"security_groups": groups}
        yield Change("update", ref.resource, ref.name, (modify,), before, after)


def _target_creation(zone: str, desired: FileSystem) -> Change:
    """Return the creation of a mount target. AWS refuses a second one in a zone."""
    ref, subnet = target_ref(zone), subnet_ref(desired.subnets[zone])
    own = {"FileSystemId": FILE_SYSTEM}
    groups = [group_ref(name) for name in desired.groups]
    create = Call("efs", "create_mount_target", {**own, "SubnetId": subnet, "SecurityGroups": groups})
    lookup = Lookup("describe_mount_targets", "MountTargets", own, lambda one: one.get("AvailabilityZoneName") == zone)
    creating = create.yielding(ref, "MountTargetId").yielding(address_ref(zone), "IpAddress").found_by(lookup)
    creating = replace(creating, echoes=("MountTargetConflict",))
    after = {"id": ref, "subnet": desired.subnets[zone], "security_groups": groups}
    return Change("create", ref.resource, ref.name, (creating,), after=after, wait=_target_available(zone))


def _target_available(zone: str) -> Wait:
    return Wait(
        f"the mount target in {zone} to be available",
        Call("efs", "describe_mount_targets", {"MountTargetId": target_ref(zone)}),
        lambda answer: [one["LifeCycleState"] for one in answer.get("MountTargets", [])] == ["available"],
        lambda answer: _failure(answer.get("MountTargets", [])),
        DEADLINE,
    )


def _target_removal(target: Described) -> Change:
    """Return the deletion of a mount target. It is awaited before another one is created in its zone."""
    own, system = target["MountTargetId"], target["FileSystemId"]
    gone = Wait(
        f"the mount target {own} to be deleted",
        Call("efs", "describe_mount_targets", {"FileSystemId": system}),
        lambda answer: own not in [one["MountTargetId"] for one in answer.get("MountTargets", [])],
        deadline=DEADLINE,
    )
    ref = target_ref(target["AvailabilityZoneName"])
    delete = Call("efs", "delete_mount_target", {"MountTargetId": own}, settled=GONE)
    before = {"id": own, "subnet_id": target["SubnetId"]}
    calls = () if target["LifeCycleState"] == "deleting" else (delete,)
    return Change("delete", ref.resource, f"{ref.name} ({own})", calls, before, wait=gone)
