# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bring the data of the managed database back from a backup of RDS.

AWS restores to a new DB instance only. So one is made beside the database, with the groups and tags of the environment,
and then the two exchange their identifiers, by which the name of the endpoint stays. The former database is kept.
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_RestoreFromSnapshot.html
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner, tag_dict, tag_list
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call, Change, Lookup, Ref
from ansible_collections.groundwork.aws.plugins.module_utils.topics.database.changes import (
    BUSY,
    CLASS_REMEDIES,
    INSTANCE,
    REMEDIES,
    plan_groups,
    until,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.database.observed import (
    DELETING,
    RESTORED,
    RESTORED_FROM,
    Described,
    Observed,
    is_broken,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.database.options import (
    ENGINE,
    NAME,
    NEWEST,
    RESTORE_TIME,
    Database,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.database.versions import major_of
from ansible_collections.groundwork.aws.plugins.module_utils.topics.firewall.rules import group_ref

LONGEST_ID = 12  # characters of the resource id in the name of a former DB instance
TIME = "%Y-%m-%dT%H:%M:%SZ"
Window = tuple[datetime, datetime]


@dataclass(frozen=True)
class Backups:
    """The backups that a restore can use. `instances` are those of the environment, by identifier.

    `snapshot` is the one that is asked for. `windows` are the times to which DB instances can be restored, by their
    resource ids.
    """

    instances: t.Mapping[str, Described] = field(default_factory=dict)
    snapshot: Described | None = None
    windows: t.Mapping[str, Window] = field(default_factory=dict)


def look_backups(desired: Database, owner: Owner, clients: Clients) -> Backups:
    """Return what can be restored, read in two calls."""
    reads = {"instances": Read("rds", "describe_db_instances", "DBInstances")}
    if is_snapshot(desired.restore_from):
        named = {"DBSnapshotIdentifier": desired.restore_from}
        reads["snapshots"] = Read("rds", "describe_db_snapshots", "DBSnapshots", named, ("DBSnapshotNotFound",))
    else:
        own = "describe_db_instance_automated_backups"
        reads["windows"] = Read("rds", own, "DBInstanceAutomatedBackups")
    found = observe(clients, reads)
    return Backups(
        {one["DBInstanceIdentifier"]: one for one in found["instances"] if _is_own(one, owner)},
        next(iter(found.get("snapshots", ())), None),
        {
            one["DbiResourceId"]: (one["RestoreWindow"]["EarliestTime"], one["RestoreWindow"]["LatestTime"])
            for one in found.get("windows", ())
            if one.get("RestoreWindow", {}).get("LatestTime")
        },
    )


def is_snapshot(restore_from: str) -> bool:
    """Return whether a snapshot is asked for, and not a time."""
    return restore_from != NEWEST and not RESTORE_TIME.fullmatch(restore_from)


def _is_own(instance: Described, owner: Owner) -> bool:
    named = str(instance["DBInstanceIdentifier"]).startswith(owner.name(NAME))
    return named and owner.owns_tags(_tags(instance)) and instance["DBInstanceStatus"] != DELETING


def _tags(instance: Described | None) -> dict[str, str]:
    return tag_dict({"Tags": (instance or {}).get("TagList", [])})


def former_name(instance: Described) -> str:
    """Return the identifier under which a DB instance is kept, which is another one for each."""
    own = str(instance["DbiResourceId"]).removeprefix("db-")[:LONGEST_ID].lower()
    return f"{instance['DBInstanceIdentifier']}-former-{own}"


def formers(backups: Backups, owner: Owner) -> list[str]:
    """Return the identifiers of the DB instances that restores have kept."""
    return sorted(name for name in backups.instances if name.startswith(f"{owner.name(NAME)}-former-"))


def is_begun(desired: Database, backups: Backups, owner: Owner) -> bool:
    """Return whether an earlier run has begun this restore, or made it."""
    begun = (backups.instances.get(owner.name(name)) for name in (RESTORED, NAME))
    return any(_tags(one).get(RESTORED_FROM) == desired.restore_from for one in begun if one)


def source_of(desired: Database, backups: Backups, owner: Owner) -> Described | None:
    """Return the DB instance whose backups have the time that is asked for: the present one, or a former one."""
    names = (owner.name(NAME), *reversed(formers(backups, owner)))
    for one in (backups.instances[name] for name in names if name in backups.instances):
        window = backups.windows.get(one["DbiResourceId"])
        if window and (desired.restore_from == NEWEST or _has(window, _time(desired.restore_from))):
            return one
    return None


def _has(window: Window, time: datetime) -> bool:
    return window[0].replace(microsecond=0) <= time <= window[1]


def _time(text: str) -> datetime:
    return datetime.strptime(text, TIME).replace(tzinfo=UTC)


def is_busy(backups: Backups) -> bool:
    """Return whether AWS still does what an interrupted run has asked for."""
    return any(Observed(one).is_busy for one in backups.instances.values())


def check_restore(desired: Database, backups: Backups, owner: Owner, problems: Problems) -> None:
    """Add to `problems` what AWS would refuse, and what would not be the database of the inventory."""
    beside = backups.instances.get(owner.name(RESTORED))
    begun = _tags(beside).get(RESTORED_FROM, "")
    if beside and begun != desired.restore_from:
        name = owner.name(RESTORED)
        wrong = f"a restore from {begun or 'something else'} was interrupted, and its DB instance {name} exists"
        delete = f"aws rds delete-db-instance --db-instance-identifier {name} --skip-final-snapshot"
        problems.add("restore_from", wrong, f"give restore_from={begun} to complete it, or give it up with '{delete}'")
        return
    if beside and is_broken(str(beside["DBInstanceStatus"])):
        wrong = f"the DB instance {owner.name(RESTORED)}, which it is restored to, is {beside['DBInstanceStatus']}"
        delete = f"aws rds delete-db-instance --db-instance-identifier {owner.name(RESTORED)} --skip-final-snapshot"
        problems.add("restore_from", wrong, f"delete it with '{delete}', and run again")
    if beside and (told := blocked(backups, owner)):
        problems.add("restore_from", *told)
    present = backups.instances.get(owner.name(NAME))
    if present and present["DBInstanceStatus"] == "stopped":
        start = f"aws rds start-db-instance --db-instance-identifier {owner.name(NAME)}"
        wrong = f"the DB instance {owner.name(NAME)} is stopped, and AWS does not change its name"
        problems.add("restore_from", wrong, f"start it with '{start}', and run again when it is available")
    if is_begun(desired, backups, owner):
        return
    if is_snapshot(desired.restore_from):
        _check_snapshot(desired, backups.snapshot, problems)
    else:
        _check_time(desired, backups, owner, problems)


def blocked(backups: Backups, owner: Owner) -> tuple[str, str] | None:
    """Return what is wrong with a database that AWS does not rename, and what to do, or None if it is renamed.

    Its data are restored nevertheless, and then it can be deleted.
    """
    name = owner.name(NAME)
    present = backups.instances.get(name)
    if not present or not is_broken(str(present["DBInstanceStatus"])):
        return None
    wrong = (
        f"the data are restored to the DB instance {owner.name(RESTORED)}, but {name} is "
        f"{present['DBInstanceStatus']}, and AWS does not change its name"
    )
    delete = f"aws rds delete-db-instance --db-instance-identifier {name} --skip-final-snapshot"
    return wrong, f"delete it with '{delete} --no-delete-automated-backups', and run again when it is gone"


def _check_snapshot(desired: Database, snapshot: Described | None, problems: Problems) -> None:
    if snapshot is None:
        listed = "aws rds describe-db-snapshots --query 'DBSnapshots[].DBSnapshotIdentifier'"
        wrong = f"the DB snapshot {desired.restore_from} does not exist"
        problems.add("restore_from", wrong, f"give one of '{listed}', a time as 2026-11-30T02:30:00Z, or {NEWEST}")
        return
    own = f"the DB snapshot {desired.restore_from}"
    if snapshot["Engine"] != ENGINE:
        problems.add("restore_from", f"{own} is of {snapshot['Engine']}, not MariaDB", "give another one")
        return
    if snapshot["Status"] != "available":
        problems.add("restore_from", f"{own} is {snapshot['Status']}", "run again when it is available")
    if not snapshot.get("Encrypted"):
        right = "give an encrypted copy of it: aws rds copy-db-snapshot with --kms-key-id"
        problems.add("restore_from", f"{own} is not encrypted, and AWS cannot change that", right)
    elif desired.kms_key and snapshot.get("KmsKeyId") != desired.kms_key:
        wrong = f"{own} is encrypted with {snapshot.get('KmsKeyId')}, and AWS cannot change that"
        problems.add("kms_key_id", wrong, "give that key, or none, or restore a copy of the snapshot with your key")
    _check_version(desired, own, str(snapshot["EngineVersion"]), problems)


def _check_version(desired: Database, own: str, version: str, problems: Problems) -> None:
    if major_of(version) != major_of(desired.version):
        wrong = f"{own} has MariaDB {version}, and the inventory has {desired.version}"
        problems.add("engine_version", wrong, f"give {major_of(version)}, and upgrade afterwards")


def _check_time(desired: Database, backups: Backups, owner: Owner, problems: Problems) -> None:
    source = source_of(desired, backups, owner)
    if source:
        own = f"the DB instance {source['DBInstanceIdentifier']}"
        _check_version(desired, own, str(source["EngineVersion"]), problems)
        return
    known = (backups.windows.get(one["DbiResourceId"]) for one in backups.instances.values())
    told = [f"{one[0].strftime(TIME)} to {one[1].strftime(TIME)}" for one in known if one]
    wrong = f"the backups have no {desired.restore_from}" if told else f"{owner.name(NAME)} has no backups"
    right = f"give a time from {' or from '.join(told)}, or " if told else "give "
    problems.add("restore_from", wrong, f"{right}the id of a DB snapshot")


def plan_restore(desired: Database, observed: Observed, backups: Backups, owner: Owner) -> list[Change]:
    """Return the changes: the groups, the restored DB instance, and the exchange. Each awaits the one before."""
    found = [*plan_groups(desired, observed, owner), *_exchange(desired, backups, owner)]
    return [
        replace(change, awaits=tuple(Ref(one.resource, one.name) for one in found[:at] if one.wait))
        for at, change in enumerate(found)
    ]


def _exchange(desired: Database, backups: Backups, owner: Owner) -> t.Iterator[Change]:
    name, beside = owner.name(NAME), owner.name(RESTORED)
    present, restored = backups.instances.get(name), backups.instances.get(beside)
    if not restored and is_begun(desired, backups, owner):
        return
    if not restored:
        yield _restoration(desired, backups, owner)
    if present and blocked(backups, owner):
        return
    if present:
        former = former_name(present)
        yield _renaming(f"{NAME}: kept as {former}, with an interruption", name, former, desired, owner)
    yield _renaming(f"{NAME}: the restored data, which end the interruption", beside, name, desired, owner)


def _restoration(desired: Database, backups: Backups, owner: Owner) -> Change:
    beside = owner.name(RESTORED)
    settings = {
        "DBInstanceClass": desired.instance_class,
        "DBSubnetGroupName": owner.name(NAME),
        "DBParameterGroupName": owner.name(desired.parameter_group),
        "VpcSecurityGroupIds": [group_ref(group) for group in desired.groups],
        "MultiAZ": desired.multi_az,
        "PubliclyAccessible": False,
        "AutoMinorVersionUpgrade": False,
        "BackupRetentionPeriod": desired.retention,
        "CopyTagsToSnapshot": True,
        "DeletionProtection": False,  # until it is the database
        "Tags": tag_list({**owner.tags(NAME), RESTORED_FROM: desired.restore_from}),
    }
    if is_snapshot(desired.restore_from):
        operation = "restore_db_instance_from_db_snapshot"
        own: dict[str, t.Any] = {"DBInstanceIdentifier": beside, "DBSnapshotIdentifier": desired.restore_from}
        told = f"the DB snapshot {desired.restore_from}"
    else:
        operation = "restore_db_instance_to_point_in_time"
        source = source_of(desired, backups, owner) or {}
        own = {"TargetDBInstanceIdentifier": beside, "SourceDbiResourceId": source.get("DbiResourceId")}
        if desired.restore_from == NEWEST:
            own["UseLatestRestorableTime"] = True
        else:
            own["RestoreTime"] = _time(desired.restore_from)
        told = f"{source.get('DBInstanceIdentifier')} as of {desired.restore_from}"
    restore = Call("rds", operation, {**own, **settings}, remedies={**REMEDIES, **CLASS_REMEDIES})
    restore = replace(restore, passing=("DBSubnetGroupNotFoundFault", "DBParameterGroupNotFound", *BUSY))
    restore = restore.found_by(Lookup("describe_db_instances", "DBInstances", {"DBInstanceIdentifier": beside}))
    wait = until(owner, desired, "be restored", name=RESTORED)
    return Change("create", INSTANCE, f"{RESTORED} from {told}", (restore,), after=settings, wait=wait)


def _renaming(told: str, old: str, new: str, desired: Database, owner: Owner) -> Change:
    """Return the change of an identifier, and with it of the endpoint's name.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_RenameInstance.html
    """
    named = {"DBInstanceIdentifier": old, "NewDBInstanceIdentifier": new, "ApplyImmediately": True}
    rename = Call("rds", "modify_db_instance", named, echoes=("DBInstanceNotFound",), patience=desired.deadline)
    rename = replace(rename, passing=(*BUSY, "DBInstanceAlreadyExists"))
    short = new.removeprefix(f"{owner.environment}-")
    before, after = {"DBInstanceIdentifier": old}, {"DBInstanceIdentifier": new}
    wait = until(owner, desired, "have this name", name=short)
    return Change("update", INSTANCE, told, (rename,), before, after, wait=wait)


def telling(desired: Database, backups: Backups, owner: Owner) -> t.Iterator[str]:
    """Yield sentences without a full stop: how to restore the same again, and how to delete what is kept and paid."""
    present = backups.instances.get(owner.name(NAME))
    if present and _tags(present).get(RESTORED_FROM) == desired.restore_from:
        again = (
            f"aws rds remove-tags-from-resource --resource-name {present['DBInstanceArn']} --tag-keys {RESTORED_FROM}"
        )
        yield (
            f"The database has the data of {desired.restore_from}, and what was written since. The same restore_from "
            f"changes nothing any more; to restore it once more, run '{again}' first"
        )
    for name in formers(backups, owner):
        unlock = f"aws rds modify-db-instance --db-instance-identifier {name} --no-deletion-protection"
        delete = f"aws rds delete-db-instance --db-instance-identifier {name} --skip-final-snapshot"
        yield (
            f"The former database is kept as the DB instance {name}, and is paid. Once its data and its backups are "
            f"not needed, delete it with '{unlock}' and '{delete}'"
        )
