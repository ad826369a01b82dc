# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find and remove file systems of EFS, and their mount targets.

A mount target keeps its subnet and security groups, and its file system. So the mount targets of an environment are
always removed, and the file system, which has the users' files, only if that is asked for.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Read
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import tag_dict
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call, Wait
from ansible_collections.groundwork.aws.plugins.module_utils.engine.removal import (
    Described,
    Interfaces,
    Removal,
    Sight,
    State,
    Thing,
    some,
)

FILE_SYSTEMS = "file_systems"  # the option for their removal
GONE = ("FileSystemNotFound",)
INTERFACE = re.compile(r"EFS mount target for fs-[0-9a-f]+ \((?P<target>fsmt-[0-9a-f]+)\)")


def _reads(sight: Sight) -> t.Iterator[tuple[str, Read]]:
    """Yield the read of all file systems, with their tags, and then those of the environment's mount targets."""
    yield "file systems", Read("efs", "describe_file_systems", "FileSystems")
    for system in _owned(sight):
        own = system["FileSystemId"]
        yield _key(own), Read("efs", "describe_mount_targets", "MountTargets", {"FileSystemId": own}, GONE)


def _owned(sight: Sight) -> list[Described]:
    return [one for one in sight.found("file systems") if sight.whose.owns_described(one)]


def _key(system_id: str) -> str:
    return f"mount targets of {system_id}"


def _things(sight: Sight) -> t.Iterator[Thing]:
    for system in _owned(sight):
        yield from (_target(target, sight) for target in sight.found(_key(system["FileSystemId"])))
        if system["LifeCycleState"] not in ("deleting", "deleted"):
            yield _system(system, sight)


def _target(target: Described, sight: Sight) -> Thing:
    """Return a mount target. Its network interface, and so its subnet and groups, are free when it is gone."""
    own, system = target["MountTargetId"], target["FileSystemId"]
    gone = Wait(
        f"the mount target {own} to be deleted",
        Call("efs", "describe_mount_targets", {"FileSystemId": system}),
        lambda answer: own not in [one["MountTargetId"] for one in answer.get("MountTargets", [])],
        deadline=sight.deadline,
    )
    delete = Call("efs", "delete_mount_target", {"MountTargetId": own}, settled=("MountTargetNotFound",))
    interface = [one for one in sight.found("interfaces") if _holder(one) == own]
    groups = [group["GroupId"] for one in interface for group in one.get("Groups", [])]
    return Thing(
        "mount target",
        own,
        "",
        needs=some(system, target["SubnetId"], *groups),
        calls=() if target["LifeCycleState"] == "deleting" else (delete,),
        wait=gone,
        before={"subnet_id": target["SubnetId"], "address": target.get("IpAddress")},
    )


def _system(system: Described, sight: Sight) -> Thing:
    own = system["FileSystemId"]
    delete = Call("efs", "delete_file_system", {"FileSystemId": own}, settled=GONE)
    return Thing(
        "file system",
        own,
        sight.whose.name_of(system, own),
        calls=(delete,),
        before={"bytes": system["SizeInBytes"]["Value"]},
        wish=FILE_SYSTEMS,
        tags=tag_dict(system),
    )


def _holder(interface: Described) -> str:
    """Return the mount target that AWS reports in the description ("EFS mount target for <id> (<id>)")."""
    found = INTERFACE.match(str(interface.get("Description", "")))
    return found["target"] if found and interface.get("RequesterManaged") else ""


def _states(sight: Sight) -> dict[str, State]:
    systems = _owned(sight)
    return {one["MountTargetId"]: "ours" for own in systems for one in sight.found(_key(own["FileSystemId"]))}


REMOVAL = Removal(
    kinds=("mount target", "file system"),
    things=_things,
    reads=_reads,
    interfaces=Interfaces("mount target", _holder, _states),
    after="servers",
    optional=True,
)
