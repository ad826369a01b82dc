"""The filters of the Describe operations, applied to what the operation describes.

The names of an operation's filters are in the documentation of its parameter, which botocore's model has. A name is the
path of a member of the described resource: `network-interface.status` is `NetworkInterfaces[].Status`. `PATHS` has the
names for which this does not hold. A documented filter of something that the API does not describe matches nothing.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import product
from typing import Any

from moto.core.responses import ActionResult, XFormedAttributePicker
from moto.core.serialize import EC2Serializer, ResponseSerializer
from moto.core.utils import get_pagination_model, get_service_model

from groundwork_lab.aws.context import refuse
from groundwork_lab.aws.ec2.filters import invalid_filter, is_tag_filter, matches, tag_values

Path = tuple[str, ...]
Wanted = Mapping[str, Sequence[str]]
FILTERS = ("Filters", "Filter")  # EC2 has both names for the parameter
MOST_FILTERS, MOST_VALUES, DEEPEST = 50, 200, 6
PROTOCOLS = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6"}
NUMBERS = {name: number for number, name in PROTOCOLS.items()}
PLURALS = (("ies", "y"), ("es", ""), ("s", ""), ("set", ""))
TAGS = ("Tags", "TagSet", "Key", "Value")
NESTED = {"DescribeInstances": "Instances"}  # the list with the resources, in each element of the operation's list
PARENT = "^"  # begins the path of a member of the element with the nested list

UNKNOWN = {
    "PlacementGroup": "InvalidPlacementGroup.Unknown",
    "CapacityReservation": "InvalidCapacityReservationId.NotFound",
}
NOT_EMPTY = frozenset(
    {
        "DescribeAggregateIdFormat",
        "DescribeApplicationStatus",
        "DescribeCapacityBlockExtensionOfferings",
        "DescribeCapacityBlockOfferings",
        "DescribeFpgaImages",
        "DescribeHostReservationOfferings",
        "DescribeIdFormat",
        "DescribeIdentityIdFormat",
        "DescribeImageReferences",
        "DescribeInstanceImageMetadata",
        "DescribeInstanceTopology",
        "DescribeMetricCategories",
        "DescribePrincipalIdFormat",
        "DescribeScheduledInstanceAvailability",
    }
)

PATHS: Mapping[str, Mapping[str, str]] = {
    "DescribeAddresses": {"domain": "Domain"},  # documented until 2022; ec2_eip of amazon.aws sends it
    "DescribeAvailabilityZones": {"message": "Messages.Message"},
    "DescribeDhcpOptions": {"key": "DhcpConfigurations.Key", "value": "DhcpConfigurations.Values.Value"},
    "DescribeFlowLogs": {"deliver-log-status": "DeliverLogsStatus"},
    "DescribeHosts": {"instance-type": "HostProperties.InstanceType"},
    "DescribeImages": {
        "block-device-mapping.": "BlockDeviceMappings.Ebs.",
        "block-device-mapping.device-name": "BlockDeviceMappings.DeviceName",
        "is-public": "Public",
        "manifest-location": "ImageLocation",
        "owner-alias": "ImageOwnerAlias",
        "product-code": "ProductCodes.ProductCodeId",
        "product-code.type": "ProductCodes.ProductCodeType",
    },
    "DescribeImportImageTasks": {"task-state": "Status"},
    "DescribeInstances": {
        "affinity": "Placement.Affinity",
        "availability-zone": "Placement.AvailabilityZone",
        "availability-zone-id": "Placement.AvailabilityZoneId",
        "block-device-mapping.": "BlockDeviceMappings.Ebs.",
        "block-device-mapping.device-name": "BlockDeviceMappings.DeviceName",
        "dns-name": "PublicDnsName",
        "host-id": "Placement.HostId",
        "instance.": "SecurityGroups.",
        "ip-address": "PublicIpAddress",
        "launch-index": "AmiLaunchIndex",
        "network-interface.addresses.": "NetworkInterfaces.PrivateIpAddresses.",
        "network-interface.attachment.instance-id": "InstanceId",
        "network-interface.attachment.instance-owner-id": "^OwnerId",
        "network-interface.availability-zone": "Placement.AvailabilityZone",
        "network-interface.group-id": "NetworkInterfaces.Groups.GroupId",
        "network-interface.group-name": "NetworkInterfaces.Groups.GroupName",
        "network-interface.ipv6-address": "NetworkInterfaces.Ipv6Addresses.Ipv6Address",
        "network-interface.public-dns-name": "NetworkInterfaces.Association.PublicDnsName",
        "owner-id": "^OwnerId",
        "product-code": "ProductCodes.ProductCodeId",
        "product-code.type": "ProductCodes.ProductCodeType",
        "reason": "StateTransitionReason",
        "requester-id": "^RequesterId",
        "reservation-id": "^ReservationId",
        "tenancy": "Placement.Tenancy",
        # The names before those with `instance.`, which AWS' documentation of 2013 had and many programs use
        "group-id": "SecurityGroups.GroupId",
        "group-name": "SecurityGroups.GroupName",
    },
    "DescribeInstanceStatus": {
        "instance-status.reachability": "InstanceStatus.Details.Status",
        "system-status.reachability": "SystemStatus.Details.Status",
    },
    "DescribeKeyPairs": {"fingerprint": "KeyFingerprint"},
    "DescribeLaunchTemplateVersions": {
        "http-": "LaunchTemplateData.MetadataOptions.Http",
        "host-resource-group-arn": "LaunchTemplateData.Placement.HostResourceGroupArn",
        "iam-instance-profile": "LaunchTemplateData.IamInstanceProfile.Arn LaunchTemplateData.IamInstanceProfile.Name",
        "is-default-version": "DefaultVersion",
        "license-configuration-arn": "LaunchTemplateData.LicenseSpecifications.LicenseConfigurationArn",
        "network-card-index": "LaunchTemplateData.NetworkInterfaces.NetworkCardIndex",
        **{
            name: f"LaunchTemplateData.{member}"
            for name, member in {
                "ebs-optimized": "EbsOptimized",
                "image-id": "ImageId",
                "instance-type": "InstanceType",
                "kernel-id": "KernelId",
                "ram-disk-id": "RamDiskId",
            }.items()
        },
    },
    "DescribeNetworkAcls": {
        "association.association-id": "Associations.NetworkAclAssociationId",
        "default": "IsDefault",
        "entry.cidr": "Entries.CidrBlock",
        "entry.icmp.": "Entries.IcmpTypeCode.",
        "entry.ipv6-cidr": "Entries.Ipv6CidrBlock",
    },
    "DescribeNetworkInterfaces": {
        "addresses.": "PrivateIpAddresses.",
        "addresses.association.owner-id": "PrivateIpAddresses.Association.IpOwnerId",
        "group-id": "Groups.GroupId",
    },
    "DescribeSecurityGroups": {
        f"{prefix}ip-permission.{name}": f"{member}.{path}"
        for prefix, member in (("", "IpPermissions"), ("egress.", "IpPermissionsEgress"))
        for name, path in {
            "cidr": "IpRanges.CidrIp",
            "from-port": "FromPort",
            "group-id": "UserIdGroupPairs.GroupId",
            "group-name": "UserIdGroupPairs.GroupName",
            "ipv6-cidr": "Ipv6Ranges.CidrIpv6",
            "prefix-list-id": "PrefixListIds.PrefixListId",
            "protocol": "IpProtocol",
            "to-port": "ToPort",
            "user-id": "UserIdGroupPairs.UserId",
        }.items()
    },
    "DescribeSnapshots": {"status": "State"},
    "DescribeSubnets": {
        "cidr": "CidrBlock",
        "ipv6-cidr-block-association.state": "Ipv6CidrBlockAssociationSet.Ipv6CidrBlockState.State",
    },
    "DescribeVolumes": {"attachment.status": "Attachments.State", "status": "State"},
    "DescribeVpcClassicLink": {"is-classic-link-enabled": "ClassicLinkEnabled"},
    "DescribeVpcEndpointServices": {"service-type": "ServiceType.ServiceType"},
    "DescribeVpcs": {
        "cidr": "CidrBlock",
        "cidr-block": "CidrBlock",  # as amazon.aws calls it
        "cidrBlock": "CidrBlock",
        "isDefault": "IsDefault",
        "cidr-block-association.state": "CidrBlockAssociationSet.CidrBlockState.State",
        "ipv6-cidr-block-association.state": "Ipv6CidrBlockAssociationSet.Ipv6CidrBlockState.State",
    },
}
"""By operation and filter, or beginning of filters: the paths of members, or their beginning."""


@cache
def names(operation: str) -> frozenset[str]:
    """Return the documented names of the operation's filters."""
    given = get_service_model("ec2").operation_model(operation).input_shape
    parameter = next((given.members[each] for each in FILTERS if given and each in given.members), None)
    text = parameter.documentation if parameter is not None else ""
    found = re.findall(r"<li>\s*<p>\s*<code>([^<]+)</code>", text)
    for also in re.findall(r"[Yy]ou can also use (.*?) as the filter name", text):
        found += re.findall(r"<code>([^<]+)</code>", also)
    found += PATHS.get(operation, ())
    return frozenset(html.unescape(each).strip() for each in found if each[-1] not in ".-")


def taken(operation: str, params: dict[str, Any]) -> Wanted:
    """Take the filters out of a request's parameters, and return the wanted values by name. Refuse unknown names."""
    given: list[dict[str, Any]] = next((each for name in FILTERS if (each := params.pop(name, None))), [])
    if len(given) > MOST_FILTERS or any(len(each.get("Values") or []) > MOST_VALUES for each in given):
        message = f"A request has at most {MOST_FILTERS} filters, and a filter at most {MOST_VALUES} values."
        refuse("FilterLimitExceeded", message)
    known = names(operation)
    for each in given:
        name = each.get("Name") or "null"
        if name not in known and not (is_tag_filter(name) and _has_tags(operation)):
            invalid_filter(name)
    return {each["Name"]: each.get("Values") or [] for each in given}


def _has_tags(operation: str) -> bool:
    """Return whether the resource is described with tags. Some pages leave the filters of tags out."""
    resource = _members(_members(_output(operation)).get(list_key(operation) or ""))
    return any(each.startswith("tag") for each in names(operation)) or bool({"Tags", "TagSet"} & set(resource))


def select(operation: str, result: ActionResult, wanted: Wanted, transformers: Any) -> ActionResult:
    """Return the result with the resources that pass all filters."""
    key = list_key(operation)
    if not wanted or key is None:
        return result
    plain = Plain(
        operation_model=get_service_model("ec2").operation_model(operation),
        value_picker=XFormedAttributePicker(response_transformers=transformers),
    )
    plain.needed = None if operation in NESTED else {key, *TAGS, *_members_on(operation, wanted)}
    told = plain.serialize(result.result)["body"].get(key, [])
    if operation in NESTED:
        return ActionResult({key: list(_nested(operation, told, wanted))})
    whole = list(result.result.get(key) or [])
    kept = [each for each, item in zip(whole, told, strict=True) if passes(operation, item, wanted)]
    more = {"ServiceNames": [_name(each) for each in kept]} if "ServiceNames" in result.result else {}
    return ActionResult({**result.result, key: kept, **more})


def nothing(operation: str, params: Mapping[str, Any]) -> ActionResult:
    """Answer an operation that the lab does not implement: an empty list, if nothing that it describes can be created.

    The operations in `NOT_EMPTY` describe what there is, in this account or in AWS' catalogue.
    """
    key = list_key(operation) if operation.startswith("Describe") else None
    if key is None or operation in NOT_EMPTY:
        refuse("UnsupportedOperation", f"The lab does not implement {operation}.")
    named = next((f"{value[0]}" for name, value in params.items() if name.endswith(("Ids", "Names")) and value), None)
    if named is not None:
        noun = operation.removeprefix("Describe").removesuffix("s")
        refuse(UNKNOWN.get(noun, f"Invalid{noun}ID.NotFound"), f"The {noun} '{named}' does not exist.")
    return ActionResult({key: []})


def _members_on(operation: str, wanted: Wanted) -> Iterator[str]:
    return (member for name in wanted for path in paths(operation, name) for member in path)


def _name(service: Any) -> str:
    return str(service["ServiceName"] if isinstance(service, dict) else service.service_name)


def _nested(operation: str, told: Sequence[Mapping[str, Any]], wanted: Wanted) -> Iterator[dict[str, Any]]:
    inner = NESTED[operation]
    for parent in told:
        kept = [each for each in parent.get(inner, []) if passes(operation, each, wanted, parent)]
        if kept:
            yield {**parent, inner: kept}


def passes(operation: str, item: Mapping[str, Any], wanted: Wanted, parent: Mapping[str, Any] | None = None) -> bool:
    """Return whether a described resource passes all filters."""
    return all(matches(_value(operation, item, name, parent or {}), values) for name, values in wanted.items())


def _value(operation: str, item: Mapping[str, Any], name: str, parent: Mapping[str, Any]) -> object:
    if is_tag_filter(name):
        return tag_values(_tags(operation, item), name)
    found: list[Any] = []
    for path in paths(operation, name):
        of_parent = path[0].startswith(PARENT)
        found += _values(parent if of_parent else item, (path[0].removeprefix(PARENT), *path[1:]))
    return [each for value in found for each in _spellings(name, value)]


def _tags(operation: str, item: Mapping[str, Any]) -> dict[str, str]:
    tags = [item] if operation == "DescribeTags" else item.get("Tags") or item.get("TagSet") or []
    return {each["Key"]: each.get("Value", "") for each in tags}


def _values(item: Any, path: Path) -> Iterator[Any]:
    if isinstance(item, list):
        for each in item:
            yield from _values(each, path)
    elif not path:
        yield item
    elif isinstance(item, Mapping) and item.get(path[0]) is not None:
        yield from _values(item[path[0]], path[1:])


def _spellings(name: str, value: Any) -> Iterator[Any]:
    """Yield the value as it is described, and a protocol by its name and its number."""
    yield value
    if name.endswith("protocol"):
        yield from (table[value] for table in (PROTOCOLS, NUMBERS) if value in table)


# The path of a filter


@cache
def paths(operation: str, name: str) -> tuple[Path, ...]:
    """Return the paths of the members of a resource that the filter compares: none, if the API describes none."""
    table = PATHS.get(operation, {})
    begun = max((each for each in table if each[-1] in ".-" and name.startswith(each)), key=len, default="")
    if name in table:
        return tuple(tuple(each.split(".")) for each in table[name].split())
    wanted = _letters(table.get(begun, "") + name.removeprefix(begun))
    shapes = _spelled(operation)
    resource = _letters(operation.removeprefix("Describe").removesuffix("s"))
    for spelling in (wanted, wanted.removeprefix(resource)):
        found = [path for path, spellings in shapes if spelling in spellings]
        if found:
            return (min(found, key=len),)
    return ()


def _letters(name: str) -> str:
    return re.sub("[^a-z0-9]", "", name.lower())


def list_key(operation: str) -> str | None:
    """Return the member of the answer that lists the resources, or None if the answer describes one thing."""
    model = get_pagination_model("ec2").get(operation)
    if operation == "DescribeVpcEndpointServices":
        return "ServiceDetails"
    if model is not None:
        key = model["result_key"]
        return str(key[0] if isinstance(key, list) else key)
    lists = [name for name, shape in _members(_output(operation)).items() if shape.type_name == "list"]
    return lists[0] if len(lists) == 1 else None


def _output(operation: str) -> Any:
    return get_service_model("ec2").operation_model(operation).output_shape


@cache
def _spelled(operation: str) -> tuple[tuple[Path, frozenset[str]], ...]:
    """Return the paths of a resource's members, each with the names that a filter may have for it."""
    key = list_key(operation)
    shape = _members(_output(operation)).get(key or "")
    if operation in NESTED:
        shape = _members(shape)[NESTED[operation]]
    found = _leaves(shape, ())
    return tuple((tuple(name for name, _ in path), _names_of(path)) for path in found)


def _names_of(path: Sequence[tuple[str, Any]]) -> frozenset[str]:
    return frozenset("".join(each) for each in product(*(_forms(name, shape) for name, shape in path)))


def _forms(name: str, shape: Any) -> set[str]:
    """Return the member's name, and the singulars of a list's name."""
    plain = _letters(name)
    if shape.type_name != "list":
        return {plain}
    return {plain, *(plain.removesuffix(end) + single for end, single in PLURALS if plain.endswith(end))}


def _leaves(shape: Any, above: tuple[str, ...]) -> Iterator[tuple[tuple[str, Any], ...]]:
    for name, member in _members(shape).items():
        inner = _element(member)
        if inner.type_name != "structure":
            yield ((name, member),)
        elif inner.name not in above and len(above) < DEEPEST:
            for path in _leaves(inner, (*above, inner.name)):
                yield ((name, member), *path)


def _members(shape: Any) -> Mapping[str, Any]:
    inner = _element(shape)
    members: Mapping[str, Any] = inner.members if inner is not None and inner.type_name == "structure" else {}
    return members


def _element(shape: Any) -> Any:
    while shape is not None and shape.type_name == "list":
        shape = shape.member
    return shape


class Plain(ResponseSerializer):
    """Serializes an answer to dictionaries and lists, with the names of the API's members and EC2's form of times."""

    DEFAULT_TIMESTAMP_FORMAT = EC2Serializer.DEFAULT_TIMESTAMP_FORMAT
    needed: set[str] | None = None  # the members to serialize, None for all: picking a value is slow

    def _serialize_structure_member(self, serialized: Any, value: Any, shape: Any, key: str) -> None:
        if self.needed is None or key in self.needed:
            super()._serialize_structure_member(serialized, value, shape, key)

    def get_serialized_name(self, shape: Any, default_name: str) -> str:  # noqa: ARG002 - moto's signature
        return default_name

    def _serialize_type_list(self, serialized: Any, value: Any, shape: Any, key: str) -> None:
        found: list[Any] = []
        for each in value:
            wrapper: dict[str, Any] = {}
            self._serialize(wrapper, each, shape.member, shape.member.name)
            found += wrapper.values()
        serialized[key] = found

    def _serialized_result_to_response(self, resp: Any, result: Any, shape: Any, serialized_result: Any) -> Any:  # noqa: ARG002 - moto's
        return {**resp, "body": serialized_result}
