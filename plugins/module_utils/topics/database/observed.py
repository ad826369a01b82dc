# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the existing database of an environment: the DB instance, its groups, and what they refer to."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field
from datetime import date

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner, tag_dict
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import KNOWN_AFTER_APPLY
from ansible_collections.groundwork.aws.plugins.module_utils.topics.database.options import (
    ENGINE,
    LEAST_GROWTH,
    NAME,
    Database,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.database.versions import (
    CALENDAR,
    ending,
    major_of,
    number_of,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.firewall.options import COMPONENT as FIREWALL
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.options import COMPONENT as NETWORK

Described = t.Mapping[str, t.Any]

# The version of the parameter with the master password that the DB instance has.
PASSWORD_VERSION = "groundwork:password-version"  # noqa: S105 - the key of a tag
# The DB instance that a restore makes, until it is the database, and the tag with the backup that it has from then on.
RESTORED = f"{NAME}-restored"
RESTORED_FROM = "groundwork:restored-from"
PENDING_PASSWORD = "MasterUserPassword"  # noqa: S105 - the name of a member
REBOOT = "pending-reboot"
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/accessing-monitoring.html#Overview.DBInstance.Status
BACKING_UP = "backing-up"
# The database serves in all of them but the last. Some changes AWS refuses in some of them, until they end.
READY = (
    "available",
    BACKING_UP,
    "storage-config-upgrade",
    "storage-full",
    "storage-initialization",
    "storage-optimization",
    "stopped",
)
KEYLESS = "inaccessible-encryption-credentials"
RECOVERABLE = f"{KEYLESS}-recoverable"  # for seven days
BROKEN = ("failed", KEYLESS, RECOVERABLE, "insufficient-capacity", "restore-error")
DELETING = "deleting"
# MariaDB does not start with its parameters. AWS then accepts other parameters and a reboot, and no other change.
# https://repost.aws/knowledge-center/rds-incompatible-parameters
UNFIT = "incompatible-parameters"
RANGE = re.compile(r"(-?\d+)-(-?\d+)")
FORMULA = ("{", "GREATEST", "LEAST", "SUM", "log")


@dataclass(frozen=True)
class Observed:
    """What exists. `tags` are those of the two groups, by their ARNs, and `values` the parameters that are set.

    `known` are the parameters of the engine by name. They are read only if the user gives some that are not set yet.
    `restored` is the DB instance of an interrupted restore, which is looked for if the database does not exist.
    """

    instance: Described | None = None
    subnet_group: Described | None = None
    parameter_group: Described | None = None
    tags: t.Mapping[str, t.Mapping[str, str]] = field(default_factory=dict)
    values: t.Mapping[str, Described] = field(default_factory=dict)
    known: t.Mapping[str, Described] = field(default_factory=dict)
    subnets: t.Mapping[str, str] = field(default_factory=dict)
    groups: t.Mapping[str, str] = field(default_factory=dict)
    restored: Described | None = None

    @property
    def status(self) -> str:
        """Return the state of the DB instance, "" if there is none."""
        return str(self.instance["DBInstanceStatus"]) if self.instance else ""

    @property
    def is_busy(self) -> bool:
        """Return whether AWS is changing the DB instance, so that it accepts no other change."""
        return bool(self.status) and self.status not in READY and not is_broken(self.status)

    @property
    def is_unfit(self) -> bool:
        """Return whether MariaDB does not start with the parameters of the parameter group."""
        return self.status == UNFIT

    @property
    def lives(self) -> Described | None:
        """Return the DB instance, None if there is none or AWS deletes it."""
        return None if self.status == DELETING else self.instance

    @property
    def needs_restart(self) -> bool:
        """Return whether parameters wait for a restart of the DB instance."""
        groups = self.instance["DBParameterGroups"] if self.instance else ()
        return any(group["ParameterApplyStatus"] == REBOOT for group in groups)


def is_broken(status: str) -> bool:
    """Return whether a DB instance in this state cannot become available by itself."""
    return status in BROKEN or status.startswith("incompatible-")


def read_instance(owner: Owner) -> Read:
    """Return the read of the DB instance, with its tags."""
    named = {"DBInstanceIdentifier": owner.name(NAME)}
    return Read("rds", "describe_db_instances", "DBInstances", named, ("DBInstanceNotFound",))


def look(desired: Database, owner: Owner, clients: Clients) -> Observed:
    """Return what exists, read in eight calls, or in six before anything exists.

    The parameters of the engine take some more calls, if the user gives parameters that are not set yet.
    """
    network, firewall = Owner(owner.environment, NETWORK), Owner(owner.environment, FIREWALL)
    subnet_group = {"DBSubnetGroupName": owner.name(NAME)}
    parameter_group = {"DBParameterGroupName": owner.name(desired.parameter_group)}
    absent = ("DBSubnetGroupNotFoundFault",)
    first = observe(
        clients,
        {
            "instances": read_instance(owner),
            "subnet groups": Read("rds", "describe_db_subnet_groups", "DBSubnetGroups", subnet_group, absent),
            "parameter groups": Read(
                "rds",
                "describe_db_parameter_groups",
                "DBParameterGroups",
                parameter_group,
                ("DBParameterGroupNotFound",),
            ),
            "subnets": Read("ec2", "describe_subnets", "Subnets", {"Filters": network.filters()}),
            "groups": Read("ec2", "describe_security_groups", "SecurityGroups", {"Filters": firewall.filters()}),
        },
    )
    arns = [
        *(group["DBSubnetGroupArn"] for group in first["subnet groups"]),
        *(group["DBParameterGroupArn"] for group in first["parameter groups"]),
    ]
    reads = {arn: Read("rds", "list_tags_for_resource", "TagList", {"ResourceName": arn}) for arn in arns}
    if first["parameter groups"]:
        set_by_user = {**parameter_group, "Source": "user"}
        reads["values"] = Read("rds", "describe_db_parameters", "Parameters", set_by_user)
    if not first["instances"]:
        beside = {"DBInstanceIdentifier": owner.name(RESTORED)}
        reads["restored"] = Read("rds", "describe_db_instances", "DBInstances", beside, ("DBInstanceNotFound",))
    second = observe(clients, reads)
    values = {one["ParameterName"]: one for one in second.get("values", ())}
    return Observed(
        next(iter(first["instances"]), None),
        next(iter(first["subnet groups"]), None),
        next(iter(first["parameter groups"]), None),
        {arn: tag_dict({"Tags": second[arn]}) for arn in arns},
        values,
        _known(desired, values, clients),
        {name: one["SubnetId"] for name, one in network.by_name(first["subnets"]).items()},
        {name: one["GroupId"] for name, one in firewall.by_name(first["groups"]).items()},
        next(iter(second.get("restored", ())), None),
    )


def _known(desired: Database, values: t.Mapping[str, Described], clients: Clients) -> dict[str, Described]:
    """Return the parameters of the engine, if their types decide how a parameter of the user is set."""
    if all(_value(values.get(name)) == desired.parameters[name] for name in desired.given):
        return {}
    family = {"DBParameterGroupFamily": desired.family}
    path = "EngineDefaults.Parameters"
    read = Read("rds", "describe_engine_default_parameters", path, family)
    return {one["ParameterName"]: one for one in observe(clients, {"all": read})["all"]}


def _value(parameter: Described | None) -> str | None:
    return parameter.get("ParameterValue") if parameter else None


def check(
    desired: Database, observed: Observed, owner: Owner, problems: Problems, *, planning: bool, today: date
) -> None:
    """Add to `problems` what AWS would refuse, and what cannot be changed. While planning, nothing need exist."""
    instance = observed.lives
    if observed.restored and not desired.restore_from:
        begun = tag_dict({"Tags": observed.restored.get("TagList", [])}).get(RESTORED_FROM, "<the backup>")
        wrong = (
            f"a restore of its database was interrupted: {owner.name(RESTORED)} exists, and {owner.name(NAME)} does not"
        )
        right = f"complete it with playbooks/restore_database.yml -e restore_from={begun}"
        problems.add("environment_name", wrong, right)
    if instance and desired.restore_from:  # its data are replaced, whatever its state
        tags = tag_dict({"Tags": instance.get("TagList", [])})
        if not owner.owns_tags(tags):
            own = f"DB instance {instance['DBInstanceIdentifier']}"
            problems.add("environment_name", *owner.foreign(own, tags))
    elif instance:
        _check_instance(instance, desired, owner, problems)
    else:
        told = ending(desired.version, today)
        if "has ended" in told:
            problems.add("engine_version", told, "give a version that AWS supports")
    for group, arn in ((observed.subnet_group, "DBSubnetGroupArn"), (observed.parameter_group, "DBParameterGroupArn")):
        if group and not owner.owns_tags(observed.tags[group[arn]]):
            kind = "DB subnet group" if arn == "DBSubnetGroupArn" else "DB parameter group"
            problems.add("environment_name", *owner.foreign(f"{kind} {group[arn]}", observed.tags[group[arn]]))
    for name in sorted(desired.given) if observed.known else ():
        _check_parameter(name, desired, observed, problems)
    if not planning:
        _check_present(desired, observed, problems)


def _check_present(desired: Database, observed: Observed, problems: Problems) -> None:
    for name in desired.subnets:
        if name not in observed.subnets:
            problems.add_missing("tier", f"the network has no subnet {name}", "run ec2_vpc_network first")
    for at, name in enumerate(desired.groups):
        if name not in observed.groups:
            where = f"security_groups[{at}]"
            problems.add_missing(where, f"the security group {name} does not exist", "run ec2_security_groups first")
    if desired.password == KNOWN_AFTER_APPLY:
        problems.add("secrets", "does not contain the master password", "give it by the path in password")


def _check_instance(instance: Described, desired: Database, owner: Owner, problems: Problems) -> None:
    own, status = f"DB instance {instance['DBInstanceIdentifier']}", str(instance["DBInstanceStatus"])
    if not owner.owns_tags(tag_dict({"Tags": instance.get("TagList", [])})):
        problems.add("environment_name", *owner.foreign(own, tag_dict({"Tags": instance.get("TagList", [])})))
        return
    if instance["Engine"] != ENGINE:
        problems.add("environment_name", f"the {own} is {instance['Engine']}, not MariaDB", "use another environment")
        return
    if not instance.get("StorageEncrypted"):
        wrong = f"the {own} is not encrypted, and AWS cannot change that"
        right = "restore an encrypted copy of its snapshot: aws rds copy-db-snapshot with --kms-key-id"
        problems.add("environment_name", wrong, right)
    if desired.kms_key and instance.get("KmsKeyId") != desired.kms_key:
        wrong = f"the {own} is encrypted with {instance.get('KmsKeyId')}, and AWS cannot change that"
        problems.add("kms_key_id", wrong, "give that key, or none")
    if is_broken(status) and status != UNFIT:
        wrong = f"the {own} is in the state {status}, from which it does not recover by itself"
        problems.add("environment_name", wrong, remedy(instance))
    _check_growth(desired, instance, own, problems)
    _check_upgrade(desired.version, str(instance["EngineVersion"]), own, problems)


def _check_growth(desired: Database, instance: Described, own: str, problems: Problems) -> None:
    """Add to `problems` a maximum that the storage has passed, and a new one that AWS does not accept any more."""
    most, present = desired.most_storage, instance["AllocatedStorage"]
    if most and most < present:
        wrong = f"{most} is less than the {present} GiB that the {own} has by now"
        problems.add("max_storage_gib", wrong, "give more, or 0: the storage of a DB instance never shrinks")
    elif most not in (0, present, instance.get("MaxAllocatedStorage")) and most < present * LEAST_GROWTH:
        wrong = f"{most} is less than 10 % more than the {present} GiB that the {own} has by now"
        problems.add("max_storage_gib", wrong, f"give at least {-(-present * 11 // 10)}, the least that AWS accepts")


def remedy(instance: Described) -> str:
    """Return what to do about a DB instance that does not recover by itself."""
    name, status = instance["DBInstanceIdentifier"], instance["DBInstanceStatus"]
    if status in (KEYLESS, RECOVERABLE):
        # https://repost.aws/knowledge-center/rds-aurora-inaccessible-state
        key = f"enable its KMS key {instance.get('KmsKeyId', '')}, or cancel the deletion of the key"
        if status == KEYLESS:
            return f"{key}, and restore a backup"
        return f"{key}, then 'aws rds start-db-instance --db-instance-identifier {name}', within seven days"
    see = f"aws rds describe-events --source-type db-instance --source-identifier {name}"
    return f"find the cause with '{see}', or restore a backup"


def _check_upgrade(wanted: str, actual: str, own: str, problems: Problems) -> None:
    """Add to `problems` another major version, and a minor version that is older."""
    if major_of(wanted) != major_of(actual):
        wrong = f"the {own} runs {actual}, and another major version is not made by this collection"
        right = (
            f"give {major_of(actual)}, or upgrade it on a day of your choice, after a test on a restored snapshot, as "
            f"docs/guide/database.md shows it, and give {major_of(wanted)} afterwards ({CALENDAR})"
        )
        problems.add("engine_version", wrong, right)
    elif number_of(wanted) != number_of(actual)[: len(number_of(wanted))] and number_of(wanted) < number_of(actual):
        wrong = f"the {own} runs {actual}, and AWS makes no version older"
        problems.add("engine_version", wrong, f"give {actual}, or {major_of(actual)} for the one that runs")


def _check_parameter(name: str, desired: Database, observed: Observed, problems: Problems) -> None:
    """Add to `problems` a parameter that the engine does not have, or that has a wrong value."""
    where, value, found = f"parameters.{name}", desired.parameters[name], observed.known.get(name)
    if found is None:
        problems.add(where, f"{desired.family} has no parameter of this name", "remove it, or correct its name")
    elif not found.get("IsModifiable", True):
        problems.add(where, f"AWS sets it for {desired.family}", "remove it")
    elif not allows(str(found.get("AllowedValues") or ""), value):
        problems.add(where, f"'{value}' is not allowed", f"give one of {found['AllowedValues']}")


def allows(allowed: str, value: str) -> bool:
    """Return whether AWS' description of the allowed values has a value, as far as that can be told.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_Parameter.html
    """
    if not allowed or value.startswith(FORMULA):
        return True
    for part in (one.strip() for one in allowed.split(",")):
        if part == value:
            return True
        bounds = RANGE.fullmatch(part)
        if bounds and value.removeprefix("-").isdecimal() and int(bounds[1]) <= int(value) <= int(bounds[2]):
            return True
    # What is neither a list of words nor ranges of numbers is for people.
    return not all(RANGE.fullmatch(one.strip()) or re.fullmatch(r"[\w.-]+", one.strip()) for one in allowed.split(","))
