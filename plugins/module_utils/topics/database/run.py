# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the module `rds_database_instance`."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Ids, shown
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.engine.wait import wait_until
from ansible_collections.groundwork.aws.plugins.module_utils.topics.database.changes import (
    ADDRESS,
    WORDS,
    awaits_major_version,
    of_others,
    pending,
    plan_database,
    takes_back,
    unfit,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.database.observed import (
    BACKING_UP,
    DELETING,
    REBOOT,
    UNFIT,
    Described,
    Observed,
    check,
    is_broken,
    look,
    read_instance,
    remedy,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.database.options import (
    COMPONENT,
    MASTER,
    NAME,
    PORT,
    Database,
    parse_database,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.database.restoring import (
    Backups,
    blocked,
    check_restore,
    is_busy,
    look_backups,
    plan_restore,
    telling,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.database.versions import end_of_support, ending
from ansible_collections.groundwork.aws.plugins.module_utils.topics.firewall.rules import group_ref
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.options import subnet_ref

INTERVAL = 10.0  # seconds between two looks at a DB instance


def converge_database(run: Run) -> dict[str, t.Any]:
    """Return the result of the module `rds_database_instance`."""
    owner, desired = run.parse(COMPONENT, parse_database)
    return _restore(run, owner, desired) if desired.restore_from else _converge(run, owner, desired)


def _restore(run: Run, owner: Owner, desired: Database) -> dict[str, t.Any]:
    """Restore the database from a backup, and return the result of the module."""
    today = datetime.now(UTC).date()

    def look_at_all() -> tuple[Observed, Backups]:
        return look(desired, owner, run.clients), look_backups(desired, owner, run.clients)

    def checked(seen: tuple[Observed, Backups], problems: Problems) -> None:
        check(desired, seen[0], owner, problems, planning=run.check_mode, today=today)
        check_restore(desired, seen[1], owner, problems)

    observed, backups = run.observe(look_at_all, checked)
    if is_busy(backups) and not run.check_mode:
        wait_until(
            lambda: look_backups(desired, owner, run.clients),
            lambda found: not is_busy(found),
            until=f"AWS to finish what it does to the DB instances of {owner.environment}",
            deadline=desired.deadline,
            interval=INTERVAL,
            clock=run.clock,
        )
        observed, backups = run.observe(look_at_all, checked)
    ids = known_ids(observed)
    result = run.make(plan_restore(desired, observed, backups, owner), ids)
    if not run.check_mode:
        observed, backups = look_at_all()
        if told := blocked(backups, owner):
            raise GroundworkError(f"{told[0][0].upper()}{told[0][1:]}: {told[1]}.")
    for line in telling(desired, backups, owner):
        run.warn(f"{line}.")
    return {**result, "database": facts(observed.lives, desired, owner, ids)}


def _converge(run: Run, owner: Owner, desired: Database) -> dict[str, t.Any]:
    today = datetime.now(UTC).date()

    def checked(observed: Observed, problems: Problems) -> None:
        check(desired, observed, owner, problems, planning=run.check_mode, today=today)
        check_queue(desired, observed, problems)

    def seen() -> Observed:
        return run.observe(lambda: look(desired, owner, run.clients), checked)

    observed = seen()
    changes = plan_database(desired, observed, owner)
    # AWS refuses changes during a backup.
    if (observed.is_busy or (changes and observed.status == BACKING_UP)) and not run.check_mode:
        _settle(run, owner, desired)
        observed = seen()
        changes = plan_database(desired, observed, owner)
    ids = known_ids(observed)
    result = run.make(changes, ids)
    instance = observed.lives
    if changes and not run.check_mode:
        instance = next(iter(observe(run.clients, {"instances": read_instance(owner)})["instances"]), None)
    if instance:
        for line in notices(instance):
            run.warn(f"{line}.")
    if told := ending(str(instance["EngineVersion"]) if instance else desired.version, today):
        run.warn(f"{told}.")
    return {**result, "database": facts(instance, desired, owner, ids)}


def check_queue(desired: Database, observed: Observed, problems: Problems) -> None:
    """Add to `problems` a change of class or version that cannot be taken back alone.

    It is taken back at once, and AWS would make at once what others have queued, as another identifier or port.
    """
    instance = observed.lives
    others = of_others(instance) if instance else ()
    if instance and others and takes_back(instance, desired):
        waits = pending(instance)
        for name in (waits.keys() & WORDS.keys()) - set(others):
            variable = {"DBInstanceClass": "instance_class", "EngineVersion": "engine_version"}[name]
            wrong = (
                f"{waits[name]} waits for the maintenance window, and cannot be taken back: AWS would make with it "
                f"what others have changed ({', '.join(f'{one} to {waits[one]}' for one in others)})"
            )
            problems.add(variable, wrong, f"take back that change first, or give {waits[name]}")


def _settle(run: Run, owner: Owner, desired: Database) -> None:
    """Wait until AWS has made what an interrupted run, or AWS itself, has begun. Raise GroundworkError if it fails."""

    def look_again() -> Described | None:
        return next(iter(observe(run.clients, {"instances": read_instance(owner)})["instances"]), None)

    def settled(found: Described | None) -> bool:
        status = str(found["DBInstanceStatus"]) if found else ""
        if is_broken(status) and status != UNFIT:
            told = f"The DB instance {owner.name(NAME)} is in the state {status}"
            raise GroundworkError(f"{told}: {remedy(found)}." if found else f"{told}.")
        return not Observed(found).is_busy and status != BACKING_UP

    wait_until(
        look_again,
        settled,
        until=f"AWS to finish what it does to the DB instance {owner.name(NAME)}",
        deadline=desired.deadline,
        interval=INTERVAL,
        clock=run.clock,
        standing=lambda found: f"It is {found['DBInstanceStatus']}." if found else "",
    )


def known_ids(observed: Observed) -> Ids:
    """Return the ids of the existing resources."""
    ids: Ids = {subnet_ref(name): own for name, own in observed.subnets.items()}
    ids.update({group_ref(name): own for name, own in observed.groups.items()})
    return ids


def notices(instance: Described) -> t.Iterator[str]:
    """Yield sentences about what waits for the maintenance window or for a restart."""
    others = of_others(instance)
    waits = [WORDS[name] for name in WORDS if name in pending(instance) and name not in others]
    name = instance["DBInstanceIdentifier"]
    if waits and instance["DBInstanceStatus"] != DELETING:
        window = instance["PreferredMaintenanceWindow"]
        yield (
            f"The {' and the '.join(waits)} of the DB instance {name} will change in the maintenance window {window}, "
            "with an interruption"
        )
    if not instance["BackupRetentionPeriod"] and pending(instance).get("BackupRetentionPeriod"):
        yield (
            f"The DB instance {name} has no backups. They begin in the maintenance window "
            f"{instance['PreferredMaintenanceWindow']}"
        )
    if others and instance["DBInstanceStatus"] != DELETING:
        listed = " and ".join(f"{one} to {pending(instance)[one]}" for one in others)
        yield (
            f"Others have changed {listed} for the DB instance {name}. AWS makes that in the maintenance window "
            f"{instance['PreferredMaintenanceWindow']}, or with the next change that is made at once"
        )
    if awaits_major_version(instance):
        yield (
            f"The upgrade to the major version {pending(instance)['EngineVersion']} interrupts the database. Take it "
            f"back with 'aws rds modify-db-instance --db-instance-identifier {name} --engine-version "
            f"{instance['EngineVersion']} --apply-immediately', or give the new version as engine_version when it runs"
        )
    if instance["DBInstanceStatus"] == UNFIT:
        yield unfit(instance)
    elif any(group["ParameterApplyStatus"] == REBOOT for group in instance.get("DBParameterGroups", ())):
        yield (
            f"Parameters of the DB instance {name} wait for a restart, which interrupts the database: set "
            f"apply_immediately, or run 'aws rds reboot-db-instance --db-instance-identifier {name}'"
        )


def facts(instance: Described | None, desired: Database, owner: Owner, ids: Ids) -> dict[str, t.Any]:
    """Return what servers and users need to know of the database, without secrets."""
    found = instance or {}
    version = str(found.get("EngineVersion") or desired.version)
    end = end_of_support(version)
    restorable = found.get("LatestRestorableTime")
    return {
        "identifier": owner.name(NAME),
        "address": found.get("Endpoint", {}).get("Address") or shown(ADDRESS, ids),
        "port": found.get("Endpoint", {}).get("Port") or PORT,
        "master_username": found.get("MasterUsername") or MASTER,
        "state": found.get("DBInstanceStatus") or "absent",
        "engine_version": version,
        "support_ends": end.isoformat() if end else "",
        "instance_class": found.get("DBInstanceClass") or desired.instance_class,
        "storage_gib": found.get("AllocatedStorage") or desired.storage,
        "max_storage_gib": found.get("MaxAllocatedStorage") or desired.most_storage,
        "multi_az": bool(found.get("MultiAZ", desired.multi_az)),
        "restorable_until": restorable.isoformat() if restorable else "",
        "waiting": list(notices(found)) if found else [],
    }
