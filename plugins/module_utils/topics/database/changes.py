# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan the changes to the managed database of an environment.

What AWS does to a DB instance differs by setting: most changes are made at once, some wait for the maintenance window
and interrupt the database, and some parameters wait for a restart. A change that interrupts, or waits, says so by its
name. https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.DBInstance.Modifying.html
"""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner, tag_dict, tag_list
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import (
    KNOWN_AFTER_APPLY,
    Call,
    Change,
    Lookup,
    Ref,
    Wait,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.database.observed import (
    PASSWORD_VERSION,
    PENDING_PASSWORD,
    READY,
    UNFIT,
    Described,
    Observed,
    is_broken,
    remedy,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.database.options import (
    ENGINE,
    MASTER,
    NAME,
    PORT,
    STORAGE_TYPE,
    STRIPED_STORAGE,
    Database,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.database.versions import major_of, number_of
from ansible_collections.groundwork.aws.plugins.module_utils.topics.firewall.rules import group_ref
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.options import subnet_ref

INSTANCE, SUBNET_GROUP, PARAMETER_GROUP = "DB instance", "DB subnet group", "DB parameter group"
ADDRESS = Ref(INSTANCE, NAME, "address")
BATCH = 20  # parameters of a call. https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBParameterGroup.html
# While AWS makes one change or a backup, it refuses another one.
BUSY = ("InvalidDBInstanceState",)
CLASS_REMEDIES = {
    "InvalidParameterCombination": "RDS does not offer this instance class with this version, or not in these zones. "
    "See aws rds describe-orderable-db-instance-options --engine mariadb.",
}
REMEDIES = {
    "InsufficientDBInstanceCapacity": "AWS has no instances of this class in these zones at present. Run again later, "
    "or use another class.",
    "DBSubnetGroupDoesNotCoverEnoughAZs": "Give zones with subnets in two Availability Zones or more.",
}


def plan_database(desired: Database, observed: Observed, owner: Owner) -> list[Change]:
    """Return the changes: the two groups, then the DB instance."""
    return [
        *plan_groups(desired, observed, owner),
        *(_updates(desired, observed, owner) if observed.lives else [_creation(desired, owner)]),
    ]


def plan_groups(desired: Database, observed: Observed, owner: Owner) -> list[Change]:
    """Return the changes of the two groups that a DB instance needs."""
    return [*_subnet_group(desired, observed, owner), *_parameter_group(desired, observed, owner)]


def _subnet_group(desired: Database, observed: Observed, owner: Owner) -> t.Iterator[Change]:
    name, found = owner.name(NAME), observed.subnet_group
    wanted = [subnet_ref(subnet) for subnet in desired.subnets]
    if not found:
        about = f"Subnets of the database of {owner.environment}"
        own = {"DBSubnetGroupName": name, "DBSubnetGroupDescription": about, "SubnetIds": wanted}
        create = Call("rds", "create_db_subnet_group", {**own, "Tags": tag_list(owner.tags(NAME))}, remedies=REMEDIES)
        create = create.found_by(Lookup("describe_db_subnet_groups", "DBSubnetGroups", {"DBSubnetGroupName": name}))
        create = create.settled_by("DBSubnetGroupAlreadyExists")
        yield Change("create", SUBNET_GROUP, NAME, (create,), after={"subnets": list(desired.subnets)})
        return
    actual = sorted(one["SubnetIdentifier"] for one in found["Subnets"])
    if actual != sorted(observed.subnets.get(subnet, "") for subnet in desired.subnets):
        modify = Call("rds", "modify_db_subnet_group", {"DBSubnetGroupName": name, "SubnetIds": wanted})
        yield Change("update", SUBNET_GROUP, NAME, (modify,), {"subnets": actual}, {"subnets": list(desired.subnets)})
    yield from _tags(SUBNET_GROUP, NAME, found["DBSubnetGroupArn"], observed, owner)


def _parameter_group(desired: Database, observed: Observed, owner: Owner) -> t.Iterator[Change]:
    short, found = desired.parameter_group, observed.parameter_group
    name = owner.name(short)
    own = {"DBParameterGroupName": name}
    if not found:
        about = f"Parameters of the database of {owner.environment}"
        given = {**own, "DBParameterGroupFamily": desired.family, "Description": about}
        create = Call("rds", "create_db_parameter_group", {**given, "Tags": tag_list(owner.tags(short))})
        create = create.found_by(Lookup("describe_db_parameter_groups", "DBParameterGroups", own))
        create = create.settled_by("DBParameterGroupAlreadyExists")
        yield Change("create", PARAMETER_GROUP, short, (create,), after={"family": desired.family})
    yield from _parameters(desired, observed, own)
    if found:
        yield from _tags(PARAMETER_GROUP, short, found["DBParameterGroupArn"], observed, owner)


def _tags(kind: str, short: str, arn: str, observed: Observed, owner: Owner) -> t.Iterator[Change]:
    yield from retagged(kind, short, arn, observed.tags[arn], owner.tags(short))


def retagged(
    kind: str, short: str, arn: str, actual: t.Mapping[str, str], wanted: t.Mapping[str, str]
) -> t.Iterator[Change]:
    """Yield the change that adds or updates missing tags of a resource of RDS."""
    missing = {key: value for key, value in wanted.items() if actual.get(key) != value}
    if missing:
        add = Call("rds", "add_tags_to_resource", {"ResourceName": arn, "Tags": tag_list(missing)})
        yield Change("update", "tags", f"{kind} {short}", (add,), {key: actual.get(key) for key in missing}, missing)


def _parameters(desired: Database, observed: Observed, own: Described) -> t.Iterator[Change]:
    """Yield the changes of parameters: those that AWS applies at once, and those that wait for a restart."""
    actual = {name: str(one.get("ParameterValue", "")) for name, one in observed.values.items()}
    wanted = {name: value for name, value in desired.parameters.items() if actual.get(name) != value}
    former = {name: observed.values[name] for name in sorted(actual.keys() - desired.parameters.keys())}
    for static in (False, True):
        values = {name: wanted[name] for name in sorted(wanted) if _is_static(observed, name) == static}
        reset = [name for name in former if _is_static(observed, name) == static]
        if not values and not reset:
            continue
        method = "pending-reboot" if static else "immediate"
        waiting = static and observed.lives and not observed.is_unfit
        waits = f": {', '.join((*values, *reset))}, at the next restart" if waiting else ""
        calls = (
            *(_call("modify_db_parameter_group", own, part, method) for part in _batches(list(values.items()))),
            *(
                _call("reset_db_parameter_group", own, part, method)
                for part in _batches([(one, None) for one in reset])
            ),
        )
        before = {name: actual.get(name) for name in (*values, *reset)}
        after = {**values, **dict.fromkeys(reset)}
        yield Change("update", "parameters", f"{desired.parameter_group}{waits}", calls, before, after)


def _is_static(observed: Observed, name: str) -> bool:
    """Return whether AWS applies a parameter at a restart only."""
    found = observed.known.get(name) or observed.values.get(name) or {}
    return str(found.get("ApplyType", "dynamic")).lower() == "static"


def _batches(items: t.Sequence[tuple[str, str | None]]) -> t.Iterator[t.Sequence[tuple[str, str | None]]]:
    return (items[at : at + BATCH] for at in range(0, len(items), BATCH))


def _call(operation: str, own: Described, items: t.Sequence[tuple[str, str | None]], method: str) -> Call:
    listed = [
        {"ParameterName": name, "ApplyMethod": method, **({} if value is None else {"ParameterValue": value})}
        for name, value in items
    ]
    whole = {"ResetAllParameters": False} if operation.startswith("reset") else {}
    return Call("rds", operation, {**own, **whole, "Parameters": listed}, passing=("InvalidDBParameterGroupState",))


def _creation(desired: Database, owner: Owner) -> Change:
    name = owner.name(NAME)
    named = {"DBInstanceIdentifier": name}
    tags = {
        **owner.tags(NAME),
        **({PASSWORD_VERSION: str(desired.password_version)} if desired.password_version else {}),
    }
    settings = {
        "DBInstanceClass": desired.instance_class,
        "Engine": ENGINE,
        "EngineVersion": desired.version,
        "AllocatedStorage": desired.storage,
        **({"MaxAllocatedStorage": desired.most_storage} if desired.most_storage else {}),
        "StorageType": STORAGE_TYPE,
        "StorageEncrypted": True,
        **({"KmsKeyId": desired.kms_key} if desired.kms_key else {}),
        "MultiAZ": desired.multi_az,
        "PubliclyAccessible": False,
        "Port": PORT,
        "BackupRetentionPeriod": desired.retention,
        "PreferredBackupWindow": desired.backup_window,
        "PreferredMaintenanceWindow": desired.maintenance_window,
        "AutoMinorVersionUpgrade": False,
        "DeletionProtection": desired.protected,
        "CopyTagsToSnapshot": True,
        "MasterUsername": MASTER,
    }
    create = Call(
        "rds",
        "create_db_instance",
        {
            **named,
            **settings,
            "MasterUserPassword": desired.password,
            "DBSubnetGroupName": name,
            "DBParameterGroupName": owner.name(desired.parameter_group),
            "VpcSecurityGroupIds": [group_ref(group) for group in desired.groups],
            "Tags": tag_list(tags),
        },
        # The groups were created seconds ago.
        passing=("DBSubnetGroupNotFoundFault", "DBParameterGroupNotFound"),
        remedies={**REMEDIES, **CLASS_REMEDIES},
    )
    create = create.found_by(Lookup("describe_db_instances", "DBInstances", named))
    after = {"address": ADDRESS, **settings, "MasterUserPassword": "(secret, not shown)"}
    return Change("create", INSTANCE, NAME, (create,), after=after, wait=until(owner, desired, "be available"))


def until(
    owner: Owner,
    desired: Database,
    what: str,
    ready: t.Callable[[Described], bool] = lambda _: True,
    name: str = NAME,
) -> Wait:
    """Return the wait for a DB instance that has the settings that `ready` looks for, and accepts changes again."""
    return Wait(
        f"the DB instance {owner.name(name)} to {what}",
        Call("rds", "describe_db_instances", {"DBInstanceIdentifier": owner.name(name)}),
        lambda answer: any(is_ready(one) and ready(one) for one in answer.get("DBInstances", ())),
        lambda answer: next((_failure(one) for one in answer.get("DBInstances", ()) if _failure(one)), None),
        desired.deadline,
        10.0,
        lambda answer: next((f"It is {one['DBInstanceStatus']}." for one in answer.get("DBInstances", ())), ""),
    )


def is_ready(instance: Described) -> bool:
    """Return whether a DB instance accepts connections and changes."""
    return instance["DBInstanceStatus"] in READY and instance["DBInstanceStatus"] != "stopped"


def _failure(instance: Described) -> str:
    status = str(instance["DBInstanceStatus"])
    if status == UNFIT:
        return f"{unfit(instance)}."
    return f"its state is {status}; {remedy(instance)}" if is_broken(status) else ""


def unfit(instance: Described) -> str:
    """Return what to do about a MariaDB that does not start with its parameters, without a full stop."""
    name = instance["DBInstanceIdentifier"]
    see = f"aws rds describe-events --source-type db-instance --source-identifier {name}"
    return (
        f"The DB instance {name} is in the state {UNFIT}: MariaDB does not start with them. Correct or remove what is "
        f"wrong in database_parameters, for which '{see}' may name a reason, and run again, which restarts it"
    )


# Updates ----------------------------------------------------------------------------------------------------------


def _updates(desired: Database, observed: Observed, owner: Owner) -> list[Change]:
    """Return the changes of an existing DB instance. Each awaits the one before, since AWS makes one at a time."""
    instance = t.cast(Described, observed.lives)
    found = [
        *_recovery(desired, observed, owner),
        *_start(instance, desired, owner),
        *_settings(instance, desired, observed, owner),
        *_storage(instance, desired, owner),
        *_backups(instance, desired, owner),
        *_interrupting(instance, desired, owner),
        *_password(instance, desired, owner),
        *_restart(desired, observed, owner),
    ]
    changes = [
        replace(change, awaits=tuple(Ref(one.resource, one.name) for one in found[:at] if one.wait))
        for at, change in enumerate(found)
    ]
    actual = tag_dict({"Tags": instance.get("TagList", [])})
    return [*changes, *retagged(INSTANCE, NAME, instance["DBInstanceArn"], actual, owner.tags(NAME))]


def _recovery(desired: Database, observed: Observed, owner: Owner) -> t.Iterator[Change]:
    """Yield the restart of a MariaDB that did not start with its former parameters. It is down, so nothing waits."""
    if observed.is_unfit:
        name = f"{NAME}: restart with its parameters, with which it did not start before"
        yield _reboot(name, desired, owner, {"state": UNFIT}, {"state": "available"})


def _start(instance: Described, desired: Database, owner: Owner) -> t.Iterator[Change]:
    if instance["DBInstanceStatus"] == "stopped":
        start = Call("rds", "start_db_instance", {"DBInstanceIdentifier": owner.name(NAME)})
        states = {"state": "stopped"}, {"state": "available"}
        yield Change(
            "update", INSTANCE, f"{NAME}: start", (start,), *states, wait=until(owner, desired, "be available")
        )


def _modify(owner: Owner, desired: Database, members: Described, *, at_once: bool) -> Call:
    """Return the call that changes these members. AWS may make a backup meanwhile, which takes its time."""
    named = {"DBInstanceIdentifier": owner.name(NAME), "ApplyImmediately": at_once}
    remedies = {**REMEDIES, **(CLASS_REMEDIES if members.keys() & WORDS.keys() else {})}
    modify = Call("rds", "modify_db_instance", {**named, **members}, remedies=remedies)
    return replace(modify, passing=BUSY, patience=desired.deadline)


def actual_settings(instance: Described) -> dict[str, t.Any]:
    """Return the settings that AWS changes at once, whatever ApplyImmediately is."""
    groups: t.Sequence[Described] = instance.get("DBParameterGroups") or ({},)
    return {
        "BackupRetentionPeriod": pending(instance).get("BackupRetentionPeriod", instance["BackupRetentionPeriod"]),
        "PreferredBackupWindow": instance["PreferredBackupWindow"],
        "PreferredMaintenanceWindow": instance["PreferredMaintenanceWindow"].lower(),
        "DeletionProtection": instance["DeletionProtection"],
        "AutoMinorVersionUpgrade": instance["AutoMinorVersionUpgrade"],
        "CopyTagsToSnapshot": instance["CopyTagsToSnapshot"],
        "PubliclyAccessible": instance["PubliclyAccessible"],
        "DBParameterGroupName": groups[0].get("DBParameterGroupName"),
        "VpcSecurityGroupIds": sorted(one["VpcSecurityGroupId"] for one in instance["VpcSecurityGroups"]),
        # AWS does not report a maximum that equals the storage.
        "MaxAllocatedStorage": instance.get("MaxAllocatedStorage") or instance["AllocatedStorage"],
    }


def pending(instance: Described) -> Described:
    """Return the changes that AWS makes in the maintenance window, or is making."""
    found: Described = instance.get("PendingModifiedValues") or {}
    return found


# What AWS makes without an interruption. https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Overview.DBInstance.Modifying.html
HARMLESS = frozenset(
    {
        "AllocatedStorage",
        "BackupRetentionPeriod",
        "IAMDatabaseAuthenticationEnabled",
        "Iops",
        "MultiAZ",
        "PendingCloudwatchLogsExports",
        "StorageThroughput",
        PENDING_PASSWORD,
    }
)


def of_others(instance: Described) -> tuple[str, ...]:
    """Return the names of the changes that wait, may interrupt the database, and are not made by this collection."""
    waits = pending(instance)
    own = {"DBInstanceClass"}
    if waits.get("StorageType") == STORAGE_TYPE:
        own.add("StorageType")
    if not awaits_major_version(instance):
        own.add("EngineVersion")
    return tuple(sorted(waits.keys() - HARMLESS - own))


def awaits_major_version(instance: Described) -> bool:
    """Return whether another major version waits for the maintenance window, which people have asked for."""
    waits = pending(instance).get("EngineVersion")
    return bool(waits) and major_of(str(waits)) != major_of(str(instance["EngineVersion"]))


def is_queued(instance: Described, desired: Database) -> bool:
    """Return whether a change that interrupts nothing has to wait, since AWS would make others at once with it."""
    return bool(of_others(instance) or (pending(instance).keys() & WORDS.keys() and not desired.at_once))


def _settings(instance: Described, desired: Database, observed: Observed, owner: Owner) -> t.Iterator[Change]:
    actual = actual_settings(instance)
    wanted = {
        "BackupRetentionPeriod": desired.retention,
        "PreferredBackupWindow": desired.backup_window,
        "PreferredMaintenanceWindow": desired.maintenance_window,
        "DeletionProtection": desired.protected,
        "AutoMinorVersionUpgrade": False,
        "CopyTagsToSnapshot": True,
        "PubliclyAccessible": False,
        "DBParameterGroupName": owner.name(desired.parameter_group),
        "VpcSecurityGroupIds": sorted(observed.groups.get(name, KNOWN_AFTER_APPLY) for name in desired.groups),
        "MaxAllocatedStorage": desired.most_storage or max(instance["AllocatedStorage"], desired.storage),
    }
    growing = desired.storage > instance["AllocatedStorage"]
    # A request for another major version names a parameter group, which this one would replace.
    elsewhere = {
        *(["DBParameterGroupName"] if awaits_major_version(instance) else []),
        *(["MaxAllocatedStorage"] if growing else []),
        *([] if instance["BackupRetentionPeriod"] else ["BackupRetentionPeriod"]),
    }
    differing = [name for name in wanted if wanted[name] != actual[name] and name not in elsewhere]
    if not differing:
        return
    members = {name: wanted[name] for name in differing}
    if "VpcSecurityGroupIds" in members:
        members["VpcSecurityGroupIds"] = [group_ref(name) for name in desired.groups]

    def ready(one: Described) -> bool:
        now = actual_settings(one)
        return all(now[name] == wanted[name] for name in differing) and not pending(one).keys() & set(differing)

    yield Change(
        "update",
        INSTANCE,
        NAME,
        (_modify(owner, desired, members, at_once=False),),
        {name: actual[name] for name in differing},
        members,
        wait=until(owner, desired, "have its settings", ready),
    )


def _storage(instance: Described, desired: Database, owner: Owner) -> t.Iterator[Change]:
    """Yield the change of the storage, and of the standby, which interrupt nothing.

    AWS would make everything that is pending together with a change at once. So while something is pending that
    interrupts the database, this change waits too.
    """
    actual, waits = instance, pending(instance)
    members: dict[str, t.Any] = {}
    if desired.storage > waits.get("AllocatedStorage", actual["AllocatedStorage"]):
        members["AllocatedStorage"] = desired.storage
        members["MaxAllocatedStorage"] = desired.most_storage or desired.storage
        members.update(_performance(actual))
    if desired.multi_az != waits.get("MultiAZ", actual["MultiAZ"]):
        members["MultiAZ"] = desired.multi_az
    if waits.get("StorageType", actual["StorageType"]) != STORAGE_TYPE:
        members["StorageType"] = STORAGE_TYPE
    if not members:
        return
    queued = is_queued(instance, desired)
    when = f": storage and standby, {_when(instance, desired)}" if queued else ": storage and standby"

    def ready(one: Described) -> bool:
        grown = one["AllocatedStorage"] >= desired.storage and one["StorageType"] == STORAGE_TYPE
        return bool(grown and one["MultiAZ"] == desired.multi_az)

    yield Change(
        "update",
        INSTANCE,
        f"{NAME}{when}",
        (_modify(owner, desired, members, at_once=not queued),),
        {name: actual.get(name) for name in members},
        members,
        wait=None if queued else until(owner, desired, "have its storage and standby", ready),
    )


def _performance(instance: Described) -> dict[str, t.Any]:
    """Return the IOPS and the throughput of the storage, with which a request for more of it has to come.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html
    """
    if instance["StorageType"] != STORAGE_TYPE or instance["AllocatedStorage"] < STRIPED_STORAGE:
        return {}
    found = {name: instance.get(name) for name in ("Iops", "StorageThroughput")} | {
        name: value for name, value in pending(instance).items() if name in ("Iops", "StorageThroughput")
    }
    return {name: value for name, value in found.items() if value}


def _backups(instance: Described, desired: Database, owner: Owner) -> t.Iterator[Change]:
    """Yield the begin of the backups of a DB instance that has none, which interrupts nothing for longer than a minute.

    AWS begins them in the maintenance window, unless it is asked to make everything that waits at once.
    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_WorkingWithAutomatedBackups.Enabling.html
    """
    if instance["BackupRetentionPeriod"]:
        return
    queued = is_queued(instance, desired)
    if queued and pending(instance).get("BackupRetentionPeriod") == desired.retention:
        return
    when = f", {_when(instance, desired)}" if queued else ""

    def ready(one: Described) -> bool:
        kept = bool(one["BackupRetentionPeriod"] == desired.retention)
        return kept and "BackupRetentionPeriod" not in pending(one)

    yield Change(
        "update",
        INSTANCE,
        f"{NAME}: begin of its backups{when}",
        (_modify(owner, desired, {"BackupRetentionPeriod": desired.retention}, at_once=not queued),),
        {"BackupRetentionPeriod": 0},
        {"BackupRetentionPeriod": desired.retention},
        wait=None if queued else until(owner, desired, "have backups", ready),
    )


def _when(instance: Described, desired: Database) -> str:
    """Return when AWS makes a change. At once it would also make what others have queued, so that both wait."""
    others = of_others(instance)
    if desired.at_once and not others:
        return "with an interruption, at once"
    with_others = f", together with {' and '.join(others)}, which others have changed" if others else ""
    return f"with an interruption, in the maintenance window {desired.maintenance_window}{with_others}"


def _interrupting(instance: Described, desired: Database, owner: Owner) -> t.Iterator[Change]:
    """Yield the change of the class and of the minor version, which restart the database."""
    waits = pending(instance)
    members = _interrupted(instance, desired)
    if takes_back(instance, desired):
        yield _taking_back(instance, desired, owner, members)
        return
    at_once = desired.at_once and not of_others(instance)
    if at_once:  # what is due in the maintenance window is asked for again
        members = {**{name: waits[name] for name in WORDS if name in waits}, **members}
    if not members:
        return

    yield Change(
        "update",
        INSTANCE,
        f"{NAME}: {' and '.join(WORDS[name] for name in members)}, {_when(instance, desired)}",
        (_modify(owner, desired, members, at_once=at_once),),
        {name: instance[name] for name in members},
        members,
        wait=until(owner, desired, "have its class and version", lambda one: _is(one, desired)) if at_once else None,
    )


def _interrupted(instance: Described, desired: Database) -> dict[str, t.Any]:
    """Return the class and the version that neither the DB instance has nor will have in the maintenance window."""
    waits = pending(instance)
    members: dict[str, t.Any] = {}
    if waits.get("DBInstanceClass", instance["DBInstanceClass"]) != desired.instance_class:
        members["DBInstanceClass"] = desired.instance_class
    version = str(waits.get("EngineVersion", instance["EngineVersion"]))
    if not is_version(version, desired.version) and not awaits_major_version(instance):
        members["EngineVersion"] = desired.version
    return members


def takes_back(instance: Described, desired: Database) -> bool:
    """Return whether the DB instance has the desired class and version, and would lose them in the window."""
    members = _interrupted(instance, desired)
    waits = (pending(instance).keys() & WORDS.keys()) - set(of_others(instance))
    return bool(members) and not members.keys() ^ waits and _is(instance, desired)


def _is(instance: Described, desired: Database) -> bool:
    """Return whether a DB instance has the class and the version."""
    is_class = instance["DBInstanceClass"] == desired.instance_class
    return is_class and is_version(str(instance["EngineVersion"]), desired.version)


def _taking_back(instance: Described, desired: Database, owner: Owner, members: Described) -> Change:
    """Return the change that takes back all that waits for the maintenance window. It interrupts nothing.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ModifyInstance.ApplyImmediately.html
    """
    own = {name: instance[name] for name in members}

    def ready(one: Described) -> bool:
        return not pending(one).keys() & WORDS.keys()

    return Change(
        "update",
        INSTANCE,
        f"{NAME}: {' and '.join(WORDS[name] for name in members)}, which stays as it is",
        (_modify(owner, desired, own, at_once=True),),
        {name: pending(instance)[name] for name in members},
        own,
        wait=until(owner, desired, "keep its class and version", ready),
    )


WORDS = {"DBInstanceClass": "instance class", "EngineVersion": "minor version"}


def is_version(actual: str, wanted: str) -> bool:
    """Return whether a version that runs is the wanted one, as 11.4.5 is 11.4."""
    numbers = number_of(wanted)
    return number_of(actual)[: len(numbers)] == numbers


def _password(instance: Described, desired: Database, owner: Owner) -> t.Iterator[Change]:
    """Yield the change of the master password, if its parameter has another version than the one that was set last.

    The tag is written after the password. A run that dies between the two sets the same password again.
    """
    tags = tag_dict({"Tags": instance.get("TagList", [])})
    version, former = str(desired.password_version), tags.get(PASSWORD_VERSION)
    if not desired.password_version or version == former:
        return
    modify = _modify(owner, desired, {PENDING_PASSWORD: desired.password}, at_once=False)
    tag = {"ResourceName": instance["DBInstanceArn"], "Tags": tag_list({PASSWORD_VERSION: version})}

    def ready(one: Described) -> bool:
        return PENDING_PASSWORD not in pending(one)

    yield Change(
        "update",
        INSTANCE,
        f"{NAME}: master password",
        (modify, Call("rds", "add_tags_to_resource", tag)),
        {"password_version": former},
        {"password_version": version},
        wait=until(owner, desired, "have its master password", ready),
    )


def _restart(desired: Database, observed: Observed, owner: Owner) -> t.Iterator[Change]:
    """Yield the restart that parameters wait for, if changes with an interruption are made at once."""
    actual = {name: str(one.get("ParameterValue", "")) for name, one in observed.values.items()}
    changed = {name for name, value in desired.parameters.items() if actual.get(name) != value}
    changed |= actual.keys() - desired.parameters.keys()
    groups = t.cast(Described, observed.instance)["DBParameterGroups"]
    regrouped = any(group["DBParameterGroupName"] != owner.name(desired.parameter_group) for group in groups)
    due = observed.needs_restart or regrouped or any(_is_static(observed, name) for name in changed)
    if not desired.at_once or not due or observed.is_unfit:
        return
    name = f"{NAME}: restart for its parameters, with an interruption, at once"
    yield _reboot(name, desired, owner, {"parameters": "pending-reboot"}, {"parameters": "in-sync"})


def _reboot(name: str, desired: Database, owner: Owner, before: Described, after: Described) -> Change:
    reboot = Call("rds", "reboot_db_instance", {"DBInstanceIdentifier": owner.name(NAME)}, passing=BUSY)
    reboot = replace(reboot, patience=desired.deadline)

    def ready(one: Described) -> bool:
        return all(group["ParameterApplyStatus"] == "in-sync" for group in one["DBParameterGroups"])

    wait = until(owner, desired, "be restarted with its parameters", ready)
    return Change("update", INSTANCE, name, (reboot,), before, after, wait=wait)
