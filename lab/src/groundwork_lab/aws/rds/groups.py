"""DB subnet groups and DB parameter groups: rules and errors as in the API reference.

https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBSubnetGroup.html and
https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBParameterGroup.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from groundwork_lab.aws.context import refuse
from groundwork_lab.aws.rds import checks, parameters
from groundwork_lab.aws.rds.catalog import families, family, memory_of
from groundwork_lab.aws.rds.checks import Members, Request, combination, invalid
from groundwork_lab.aws.rds.state import UNFIT, Backend, Instance, ParameterGroup, SubnetGroup

ZONES = 2  # Availability Zones that a subnet group has to cover
SUBNETS_LIMIT = 20
GROUPS_LIMIT = 50
AT_ONCE = 20  # parameters of one request
DEFAULT = "default"


# Subnet groups


def create_db_subnet_group(backend: Backend, request: Request) -> Members:
    name = checks.group_name("DBSubnetGroupName", request["DBSubnetGroupName"])
    if name == DEFAULT:
        invalid("The DB subnet group name default is reserved.")
    if name in backend.subnet_groups:
        refuse("DBSubnetGroupAlreadyExists", f"The DB subnet group '{name}' already exists.")
    if len(backend.subnet_groups) >= GROUPS_LIMIT:
        refuse("DBSubnetGroupQuotaExceeded", f"You have reached your limit of {GROUPS_LIMIT} DB subnet groups.")
    tags = checks.tags(request.get("Tags") or [])
    vpc, subnets = _subnets(backend, request["SubnetIds"])
    description = request["DBSubnetGroupDescription"]
    group = SubnetGroup(name, backend.arn("subgrp", name), description, vpc, subnets, tags)
    backend.subnet_groups[name] = group
    return {"DBSubnetGroup": told_subnet_group(backend, group)}


def _subnets(backend: Backend, given: Iterable[str]) -> tuple[str, list[str]]:
    """Return the VPC of the subnets, and the subnets. They cover two zones of one VPC."""
    names = list(dict.fromkeys(given))
    found = {each.id: each for each in backend.context.ec2.describe_subnets()}
    missing = [name for name in names if name not in found]
    if missing:
        refuse("InvalidSubnet", f"Some input subnets in :[{', '.join(missing)}] are invalid.")
    vpcs = {found[name].vpc_id for name in names}
    if len(vpcs) > 1:
        refuse("InvalidSubnet", f"Some input subnets in :[{', '.join(names)}] are not in the same VPC.")
    if len(names) > SUBNETS_LIMIT:
        refuse("DBSubnetQuotaExceededFault", f"A DB subnet group has at most {SUBNETS_LIMIT} subnets.")
    zones = sorted({found[name].availability_zone for name in names})
    if len(zones) < ZONES:
        refuse(
            "DBSubnetGroupDoesNotCoverEnoughAZs",
            "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. "
            f"Current AZ coverage: {', '.join(zones)}. Add subnets to cover at least {ZONES} AZs.",
        )
    return vpcs.pop(), names


def told_subnet_group(backend: Backend, group: SubnetGroup) -> Members:
    found = {each.id: each for each in backend.context.ec2.describe_subnets()}
    subnets = [
        {
            "SubnetIdentifier": name,
            "SubnetAvailabilityZone": {"Name": found[name].availability_zone} if name in found else {},
            "SubnetOutpost": {},
            "SubnetStatus": "Active" if name in found else "Inactive",
        }
        for name in group.subnets
    ]
    return {
        "DBSubnetGroupName": group.name,
        "DBSubnetGroupDescription": group.description,
        "VpcId": group.vpc_id,
        "SubnetGroupStatus": "Complete",
        "Subnets": subnets,
        "DBSubnetGroupArn": group.arn,
        "SupportedNetworkTypes": ["IPV4"],
    }


def describe_db_subnet_groups(backend: Backend, request: Request) -> Members:
    name = request.get("DBSubnetGroupName")
    groups = [subnet_group(backend, name)] if name else list(backend.subnet_groups.values())
    return checks.page(request, "DBSubnetGroups", [told_subnet_group(backend, each) for each in groups])


def modify_db_subnet_group(backend: Backend, request: Request) -> Members:
    """Change the subnets of a group. A subnet with a DB instance stays in it.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBSubnetGroup.html
    """
    group = subnet_group(backend, request["DBSubnetGroupName"])
    vpc, subnets = _subnets(backend, request["SubnetIds"])
    if vpc != group.vpc_id:
        refuse("InvalidSubnet", f"Some input subnets are not in the VPC {group.vpc_id} of the DB subnet group.")
    for instance in backend.instances.values():
        used = {each.subnet.id for each in (instance.interface, instance.standby) if each is not None}
        if instance.subnet_group == group.name and not used <= set(subnets):
            refuse("SubnetAlreadyInUse", f"Some of the subnets to be deleted are currently in use: {', '.join(used)}")
    group.subnets = subnets
    group.description = request.get("DBSubnetGroupDescription") or group.description
    return {"DBSubnetGroup": told_subnet_group(backend, group)}


def delete_db_subnet_group(backend: Backend, request: Request) -> Members:
    group = subnet_group(backend, request["DBSubnetGroupName"])
    if group.name == DEFAULT:
        refuse("InvalidDBSubnetGroupStateFault", "You can't delete the default subnet group.")
    for instance in backend.instances.values():
        if instance.subnet_group == group.name:
            refuse(
                "InvalidDBSubnetGroupStateFault",
                f"Cannot delete the subnet group '{group.name}' because at least one database instance: "
                f"{instance.identifier} is still using it.",
            )
    del backend.subnet_groups[group.name]
    return {}


def subnet_group(backend: Backend, name: str) -> SubnetGroup:
    group = backend.subnet_groups.get(name.lower())
    if group is None:
        refuse("DBSubnetGroupNotFoundFault", f"DB subnet group '{name.lower()}' does not exist.")
    return group


def default_subnet_group(backend: Backend) -> SubnetGroup:
    """Return the group of the default VPC's subnets, which RDS creates when a request names none."""
    if DEFAULT not in backend.subnet_groups:
        subnets = [each for each in backend.context.ec2.describe_subnets() if each.default_for_az]
        if not subnets:
            refuse("DBSubnetGroupNotFoundFault", "No default subnet detected in VPC. Please contact AWS Support.")
        backend.subnet_groups[DEFAULT] = SubnetGroup(
            DEFAULT, backend.arn("subgrp", DEFAULT), DEFAULT, subnets[0].vpc_id, [each.id for each in subnets], {}
        )
    return backend.subnet_groups[DEFAULT]


# Parameter groups


def default_name(name: str) -> str:
    return f"default.{name}"


def _with_defaults(backend: Backend) -> list[ParameterGroup]:
    """Return all parameter groups, with the default groups of the families."""
    return [*(_default(backend, each) for each in families(backend.context)), *backend.parameter_groups.values()]


def _default(backend: Backend, of: str) -> ParameterGroup:
    name = default_name(of)
    return ParameterGroup(name, backend.arn("pg", name), of, f"Default parameter group for {of}")


def create_db_parameter_group(backend: Backend, request: Request) -> Members:
    name = checks.identifier("DBParameterGroupName", request["DBParameterGroupName"], 255)
    if any(each.name == name for each in _with_defaults(backend)):
        refuse("DBParameterGroupAlreadyExists", f"Parameter group {name} already exists")
    if len(backend.parameter_groups) >= GROUPS_LIMIT:
        refuse("DBParameterGroupQuotaExceeded", f"You have reached your limit of {GROUPS_LIMIT} DB parameter groups.")
    of = request["DBParameterGroupFamily"]
    _check_family(backend, of)
    tags = checks.tags(request.get("Tags") or [])
    group = ParameterGroup(name, backend.arn("pg", name), of, request["Description"], tags)
    backend.parameter_groups[name] = group
    return {"DBParameterGroup": _told_group(group)}


def _check_family(backend: Backend, of: str) -> None:
    if of not in families(backend.context):
        invalid(f"ParameterGroupFamily {of} is not a valid parameter group family")


def _told_group(group: ParameterGroup) -> Members:
    return {
        "DBParameterGroupName": group.name,
        "DBParameterGroupFamily": group.family,
        "Description": group.description,
        "DBParameterGroupArn": group.arn,
    }


def describe_db_parameter_groups(backend: Backend, request: Request) -> Members:
    name = request.get("DBParameterGroupName")
    groups = [parameter_group(backend, name)] if name else _with_defaults(backend)
    return checks.page(request, "DBParameterGroups", [_told_group(each) for each in groups])


def parameter_group(backend: Backend, name: str) -> ParameterGroup:
    """Return a parameter group, which may be a default one."""
    group = next((each for each in _with_defaults(backend) if each.name == name.lower()), None)
    if group is None:
        refuse("DBParameterGroupNotFound", f"DBParameterGroup not found: {name.lower()}")
    return group


def _own(backend: Backend, name: str, verb: str) -> ParameterGroup:
    group = parameter_group(backend, name)
    if group.name not in backend.parameter_groups:
        refuse("InvalidDBParameterGroupState", f"The default parameter group {group.name} cannot be {verb}.")
    return group


def delete_db_parameter_group(backend: Backend, request: Request) -> Members:
    group = _own(backend, request["DBParameterGroupName"], "deleted")
    for instance in backend.instances.values():
        if instance.parameter_group == group.name:
            message = "One or more database instances are still members of this parameter group"
            refuse("InvalidDBParameterGroupState", f"{message} {group.name}, so the group cannot be deleted")
    del backend.parameter_groups[group.name]
    return {}


def describe_db_parameters(backend: Backend, request: Request) -> Members:
    group = parameter_group(backend, request["DBParameterGroupName"])
    source = request.get("Source")
    told = [_told_parameter(each, group.values.get(each.name), group) for each in parameters.table().values()]
    return checks.page(request, "Parameters", [each for each in told if not source or each["Source"] == source])


def describe_engine_default_parameters(backend: Backend, request: Request) -> Members:
    of = request["DBParameterGroupFamily"]
    _check_family(backend, of)
    told = [_told_parameter(each, None, _default(backend, of)) for each in parameters.table().values()]
    page = checks.page(request, "Parameters", told)
    return {"EngineDefaults": {"DBParameterGroupFamily": of, **page}}


def _told_parameter(parameter: parameters.Parameter, value: str | None, group: ParameterGroup) -> Members:
    default = parameters.default(parameter, group.family)
    source = "user" if value is not None else "system" if default else "engine-default"
    told = {
        "ParameterName": parameter.name,
        "ParameterValue": value if value is not None else default,
        "Description": parameter.description,
        "Source": source,
        "ApplyType": parameter.apply,
        "DataType": parameter.type,
        "AllowedValues": parameter.allowed,
        "IsModifiable": parameter.modifiable,
        "ApplyMethod": group.methods.get(parameter.name, "pending-reboot"),
    }
    return {name: each for name, each in told.items() if each != ""}


def modify_db_parameter_group(backend: Backend, request: Request) -> Members:
    """Change parameters: dynamic ones at once or with the next reboot, static ones with the next reboot.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBParameterGroup.html
    """
    group = _own(backend, request["DBParameterGroupName"], "modified")
    given = list(request["Parameters"])
    if not 1 <= len(given) <= AT_ONCE:
        invalid(f"A request must have 1 to {AT_ONCE} parameters.")
    for each in given:
        _check_parameter(each, with_value=True)
    for each in given:
        group.values[each["ParameterName"]] = each["ParameterValue"]
        group.methods[each["ParameterName"]] = each["ApplyMethod"]
    _follow(backend, group, given)
    return {"DBParameterGroupName": group.name}


def reset_db_parameter_group(backend: Backend, request: Request) -> Members:
    """Give parameters their defaults again: those of the request, or all.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ResetDBParameterGroup.html
    """
    group = _own(backend, request["DBParameterGroupName"], "modified")
    given = list(request.get("Parameters") or [])
    everything = request.get("ResetAllParameters", True) if not given else request.get("ResetAllParameters", False)
    if everything and given:
        combination("ResetAllParameters and Parameters cannot be specified together.")
    if not everything and not given:
        combination("Parameters is required when ResetAllParameters is false.")
    if everything:
        given = [{"ParameterName": name, "ApplyMethod": _method(name)} for name in group.values]
    for each in given:
        _check_parameter(each, with_value=False)
    for each in given:
        group.values.pop(each["ParameterName"], None)
        group.methods.pop(each["ParameterName"], None)
    _follow(backend, group, given)
    return {"DBParameterGroupName": group.name}


def _method(name: str) -> str:
    return "immediate" if parameters.table()[name].apply == "dynamic" else "pending-reboot"


def _check_parameter(given: Mapping[str, Any], *, with_value: bool) -> None:
    name, method = given.get("ParameterName") or "", given.get("ApplyMethod")
    parameter = parameters.table().get(name)
    if parameter is None:
        invalid(f"Could not find parameter with name: {name}")
    if not parameter.modifiable:
        invalid(f"The parameter {name} cannot be modified.")
    if method not in ("immediate", "pending-reboot"):
        invalid(f"ApplyMethod is required for the parameter {name}; it is immediate or pending-reboot.")
    if method == "immediate" and parameter.apply == "static":
        combination(f"cannot use immediate apply method for static parameter {name}")
    value = given.get("ParameterValue")
    if with_value and (value is None or not parameters.permits(parameter, value)):
        allowed = f" allowed values are: {parameter.allowed}" if parameter.allowed else ""
        invalid(f"Invalid parameter value: {value} for: {name}{allowed}")


def _follow(backend: Backend, group: ParameterGroup, given: Iterable[Mapping[str, Any]]) -> None:
    """Apply the parameters to the DB instances of the group: some at once, the others with the next reboot.

    A server that does not start with its parameters gets all others with a reboot.
    """
    at_once = [each["ParameterName"] for each in given if each["ApplyMethod"] == "immediate"]
    waiting = [each["ParameterName"] for each in given if each["ApplyMethod"] == "pending-reboot"]
    for instance in backend.instances.values():
        if instance.parameter_group != group.name:
            continue
        wanted = effective(backend, instance)
        if instance.trouble == UNFIT:
            instance.parameter_status = "pending-reboot"
            continue
        if any(wanted.get(name) != instance.parameters.get(name) for name in waiting):
            instance.parameter_status = "pending-reboot"
        if any(wanted.get(name) != instance.parameters.get(name) for name in at_once):
            _apply(instance, {name: wanted.get(name) for name in at_once})


def _apply(instance: Instance, values: Mapping[str, str | None]) -> None:
    for name, value in values.items():
        if value is None:
            instance.parameters.pop(name, None)
        else:
            instance.parameters[name] = value
    instance.generation += 1
    if instance.parameter_status == "in-sync" and instance.status == "available":
        instance.parameter_status = "applying"


def effective(backend: Backend, instance: Instance) -> dict[str, str]:
    """Return the parameters that the server of an instance has after its next start."""
    group = parameter_group(backend, instance.parameter_group)
    settings = instance.settings
    memory = memory_of(settings["DBInstanceClass"])
    return parameters.effective(group.values, group.family, memory, settings["AllocatedStorage"], settings["Port"])


def fits(backend: Backend, name: str | None, version: str) -> str:
    """Return the name of the parameter group for an engine version: the given one, or the default one."""
    of = family(version)
    group = parameter_group(backend, name or default_name(of))
    if group.family != of:
        combination(
            f"The parameter group {group.name} with DBParameterGroupFamily {group.family} can't be used for this "
            f"instance. Please use a parameter group with DBParameterGroupFamily {of}"
        )
    return group.name


OPERATIONS: Mapping[str, Callable[[Backend, Request], Members]] = {
    "CreateDBParameterGroup": create_db_parameter_group,
    "CreateDBSubnetGroup": create_db_subnet_group,
    "DeleteDBParameterGroup": delete_db_parameter_group,
    "DeleteDBSubnetGroup": delete_db_subnet_group,
    "DescribeDBParameterGroups": describe_db_parameter_groups,
    "DescribeDBParameters": describe_db_parameters,
    "DescribeDBSubnetGroups": describe_db_subnet_groups,
    "DescribeEngineDefaultParameters": describe_engine_default_parameters,
    "ModifyDBParameterGroup": modify_db_parameter_group,
    "ModifyDBSubnetGroup": modify_db_subnet_group,
    "ResetDBParameterGroup": reset_db_parameter_group,
}
