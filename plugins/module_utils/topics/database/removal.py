# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find and remove DB instances, their groups, and their snapshots.

A DB instance keeps its subnets and security groups, and is paid by the hour. So it is always removed, and what it has
stored stays in a final snapshot, together with the snapshots that users have made, unless their removal is asked for.
"""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Read
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import tag_dict
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call, Wait
from ansible_collections.groundwork.aws.plugins.module_utils.engine.removal import (
    Described,
    Interfaces,
    Protection,
    Removal,
    Sight,
    State,
    Thing,
    some,
)

DATABASES = "databases"  # the option for the removal of what the databases have stored
GONE = ("DBInstanceNotFound",)
# https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DeleteDBInstance.html
WITHOUT_SNAPSHOT = ("failed", "incompatible-network", "incompatible-restore")
INTERFACE = "RDSNetworkInterface"  # the description of the interfaces that RDS creates
SUBNET_GROUP_ID, PARAMETER_GROUP_ID = "DB subnet group ", "DB parameter group "
LONGEST_ID = 12  # characters of the resource id in the name of a final snapshot


def _reads(sight: Sight) -> t.Iterator[tuple[str, Read]]:
    """Yield the reads of all DB instances, groups and snapshots, and then those of the groups' tags."""
    yield "DB instances", Read("rds", "describe_db_instances", "DBInstances")
    yield "DB subnet groups", Read("rds", "describe_db_subnet_groups", "DBSubnetGroups")
    yield "DB parameter groups", Read("rds", "describe_db_parameter_groups", "DBParameterGroups")
    yield "DB snapshots", Read("rds", "describe_db_snapshots", "DBSnapshots", {"SnapshotType": "manual"})
    for kind in ("Subnet", "Parameter"):
        for group in sight.found(f"DB {kind.lower()} groups"):
            if sight.whose.has_name(group[f"DB{kind}GroupName"]):
                arn = group[f"DB{kind}GroupArn"]
                absent = ("DBSubnetGroupNotFoundFault", "DBParameterGroupNotFound")
                yield f"tags {arn}", Read("rds", "list_tags_for_resource", "TagList", {"ResourceName": arn}, absent)


def _tags(resource: Described) -> dict[str, str]:
    return tag_dict({"Tags": resource.get("TagList", [])})


def _is_ours(resource: Described, sight: Sight) -> bool:
    return sight.whose.owns(_tags(resource))


def _things(sight: Sight) -> t.Iterator[Thing]:
    ours = [one for one in sight.found("DB instances") if _is_ours(one, sight)]
    yield from (_instance(one, sight) for one in ours)
    yield from (
        _other(one) for one in sight.found("DB instances") if not _is_ours(one, sight) and _is_inside(one, sight)
    )
    for group in sight.found("DB subnet groups"):
        if sight.owns(group["DBSubnetGroupArn"]):
            yield _subnet_group(group, sight)
    for group in sight.found("DB parameter groups"):
        if sight.owns(group["DBParameterGroupArn"]):
            yield _parameter_group(group, sight)
    yield from (_snapshot(one, sight) for one in sight.found("DB snapshots") if _is_ours(one, sight))


def _is_inside(instance: Described, sight: Sight) -> bool:
    """Return whether a DB instance is in a VPC of the environment."""
    vpcs = {vpc["VpcId"] for vpc in sight.found("vpcs") if sight.whose.owns_described(vpc)}
    return instance.get("DBSubnetGroup", {}).get("VpcId") in vpcs


def _needs(instance: Described) -> frozenset[str]:
    group = instance.get("DBSubnetGroup", {})
    return some(
        *(f"{SUBNET_GROUP_ID}{name}" for name in [group.get("DBSubnetGroupName")] if name),
        *(f"{PARAMETER_GROUP_ID}{one['DBParameterGroupName']}" for one in instance.get("DBParameterGroups", ())),
        *(subnet["SubnetIdentifier"] for subnet in group.get("Subnets", ())),
        *(one["VpcSecurityGroupId"] for one in instance.get("VpcSecurityGroups", ())),
    )


def final_snapshot(instance: Described) -> str:
    """Return the name of the final snapshot, which is another one for each DB instance of the same name."""
    own = str(instance["DbiResourceId"]).removeprefix("db-")[:LONGEST_ID].lower()
    return f"{instance['DBInstanceIdentifier']}-final-{own}"


def _instance(instance: Described, sight: Sight) -> Thing:
    own, arn = instance["DBInstanceIdentifier"], instance["DBInstanceArn"]
    snapshot = "" if DATABASES in sight.wishes else final_snapshot(instance)
    kept = {"FinalDBSnapshotIdentifier": snapshot} if snapshot else {}
    named = {"DBInstanceIdentifier": own}
    delete = Call(
        "rds",
        "delete_db_instance",
        {**named, "SkipFinalSnapshot": not snapshot, **kept, "DeleteAutomatedBackups": True},
        settled=GONE,
        passing=("InvalidDBInstanceState",),  # of a backup, for example
        patience=sight.deadline,
    )
    leaves = instance["DBInstanceStatus"] == "deleting"
    gone = Wait(
        f"the DB instance {own} to be deleted" + (f" and its snapshot {snapshot} to be made" if snapshot else ""),
        Call("rds", "describe_db_instances", named, settled=GONE),
        lambda answer: not answer.get("DBInstances"),
        deadline=sight.deadline,
        interval=10.0,
        standing=lambda answer: next(
            (f"It is {one['DBInstanceStatus']}." for one in answer.get("DBInstances", ())), ""
        ),
    )
    data = {"final_snapshot": snapshot} if snapshot else {"final_snapshot": "none: all data are deleted"}
    return Thing(
        "DB instance",
        arn,
        f"{sight.short(own)}, whose data stay in the DB snapshot {snapshot}"
        if snapshot and not leaves
        else sight.short(own),
        needs=_needs(instance),
        calls=() if leaves else (delete,),
        wait=gone,
        before={"storage_gib": instance.get("AllocatedStorage"), **({} if leaves else data)},
        tags=_tags(instance),
        protections=tuple(_protections(instance, snapshot)) if not leaves else (),
    )


def _protections(instance: Described, snapshot: str) -> t.Iterator[Protection]:
    """Yield what prevents the deletion: a setting, or a state in which AWS makes no final snapshot."""
    own, status = instance["DBInstanceIdentifier"], instance["DBInstanceStatus"]
    if snapshot and status in WITHOUT_SNAPSHOT:
        yield Protection(
            f"in the state {status} AWS deletes it only without a final snapshot, with its backups",
            f"aws rds delete-db-instance --db-instance-identifier {own} --skip-final-snapshot",
            "Restore its data first if you need them: aws rds restore-db-instance-to-point-in-time.",
        )
    if instance.get("DeletionProtection"):
        yield Protection(
            "deletion protection is enabled",
            f"aws rds modify-db-instance --db-instance-identifier {own} --no-deletion-protection",
            "Set database_deletion_protection to false and run groundwork.aws.site.",
        )


def _other(instance: Described) -> Thing:
    """Return a DB instance of others in a VPC of the environment."""
    own = instance["DBInstanceIdentifier"]
    return Thing("DB instance", instance["DBInstanceArn"], own, ours=False, needs=_needs(instance))


def _subnet_group(group: Described, sight: Sight) -> Thing:
    name = group["DBSubnetGroupName"]
    delete = Call(
        "rds",
        "delete_db_subnet_group",
        {"DBSubnetGroupName": name},
        settled=("DBSubnetGroupNotFoundFault",),
        passing=("InvalidDBSubnetGroupStateFault",),
    )
    subnets = (subnet["SubnetIdentifier"] for subnet in group.get("Subnets", ()))
    own = f"{SUBNET_GROUP_ID}{name}"
    return Thing("DB subnet group", own, sight.short(name), needs=some(*subnets), calls=(delete,))


def _parameter_group(group: Described, sight: Sight) -> Thing:
    name = group["DBParameterGroupName"]
    delete = Call(
        "rds",
        "delete_db_parameter_group",
        {"DBParameterGroupName": name},
        settled=("DBParameterGroupNotFound",),
        passing=("InvalidDBParameterGroupState",),
    )
    return Thing("DB parameter group", f"{PARAMETER_GROUP_ID}{name}", sight.short(name), calls=(delete,))


def _snapshot(snapshot: Described, sight: Sight) -> Thing:
    own = snapshot["DBSnapshotIdentifier"]
    delete = Call(
        "rds",
        "delete_db_snapshot",
        {"DBSnapshotIdentifier": own},
        settled=("DBSnapshotNotFound",),
        passing=("InvalidDBSnapshotState",),  # while AWS makes it
        patience=sight.deadline,
    )
    return Thing(
        "DB snapshot",
        snapshot["DBSnapshotArn"],
        sight.short(own),
        calls=(delete,),
        before={"storage_gib": snapshot.get("AllocatedStorage"), "engine_version": snapshot.get("EngineVersion")},
        wish=DATABASES,
        tags=_tags(snapshot),
    )


def _holder(interface: Described) -> str:
    """Return the security groups of an interface that RDS has created, which does not name its DB instance."""
    if interface.get("Description") != INTERFACE:
        return ""
    return _key(interface["VpcId"], (group["GroupId"] for group in interface.get("Groups", ())))


def _key(vpc_id: str, groups: t.Iterable[str]) -> str:
    return f"{vpc_id} {' '.join(sorted(groups))}"


def _states(sight: Sight) -> dict[str, State]:
    """Return the interfaces of the DB instances that are known here: those of others are found by their subnets."""
    return {
        _key(
            one["DBSubnetGroup"]["VpcId"], (group["VpcSecurityGroupId"] for group in one.get("VpcSecurityGroups", ()))
        ): "ours"
        for one in sight.found("DB instances")
        if one.get("DBSubnetGroup")
    }


REMOVAL = Removal(
    kinds=("DB instance", "DB subnet group", "DB parameter group", "DB snapshot"),
    things=_things,
    reads=_reads,
    interfaces=Interfaces("DB instance", _holder, _states),
    after="file_system",
    optional=True,
)
