"""Tags at creation and afterwards: the resource types of each operation, and the checks of tags.

https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.models import EC2Backend
from moto.ec2.responses import EC2Response
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, get_prefix

from groundwork_lab.aws.context import refuse

LIMIT = 50
TYPES: dict[str, tuple[str, ...]] = {  # the resource types that an operation creates, and so can tag
    "AllocateAddress": ("elastic-ip",),
    "AuthorizeSecurityGroupEgress": ("security-group-rule",),
    "AuthorizeSecurityGroupIngress": ("security-group-rule",),
    "CreateImage": ("image", "snapshot"),
    "CreateInternetGateway": ("internet-gateway",),
    "CreateKeyPair": ("key-pair",),
    "CreateLaunchTemplate": ("launch-template",),
    "CreateNatGateway": ("natgateway",),
    "CreateNetworkAcl": ("network-acl",),
    "CreateNetworkInterface": ("network-interface",),
    "CreateRouteTable": ("route-table",),
    "CreateSecurityGroup": ("security-group",),
    "CreateSnapshot": ("snapshot",),
    "CreateSubnet": ("subnet",),
    "CreateVolume": ("volume",),
    "CreateVpc": ("vpc",),
    "CreateVpcEndpoint": ("vpc-endpoint",),
    "ImportKeyPair": ("key-pair",),
    "RunInstances": ("instance", "volume", "network-interface", "spot-instances-request", "elastic-gpu"),
}


def check_tags(tags: Sequence[Mapping[str, Any]]) -> None:
    """Refuse reserved, empty, too long, duplicate, and too many tags."""
    keys = [str(tag.get("Key") or "") for tag in tags]
    if len(keys) > LIMIT:
        refuse("TagLimitExceeded", "The maximum number of Tags for a resource has been reached.")
    for key, tag in zip(keys, tags, strict=True):
        if not key:
            refuse("InvalidParameterValue", "Tag key cannot be null or empty")
        if key.lower().startswith("aws:"):
            message = f"Tag keys starting with 'aws:' are reserved for internal use: {key}"
            refuse("InvalidParameterValue", message)
        if len(key) > 128:
            refuse("InvalidParameterValue", f"Tag key exceeds the maximum length of 128 characters: {key}")
        if len(str(tag.get("Value") or "")) > 256:
            refuse("InvalidParameterValue", f"Tag value exceeds the maximum length of 256 characters: {key}")
    if len(set(keys)) < len(keys):
        refuse("InvalidParameterValue", "Duplicate tag keys found. Please note that Tag keys are case insensitive.")


def check_specifications(operation: str, specifications: Sequence[Mapping[str, Any]]) -> None:
    """Refuse tags for a resource type that the operation does not create, and specifications without tags."""
    allowed = TYPES.get(operation)
    seen: set[str] = set()
    for specification in specifications:
        kind = specification.get("ResourceType")
        if not kind:
            refuse("InvalidParameterValue", "Tag specification resource type must have a value")
        if allowed is not None and kind not in allowed:
            refuse("InvalidParameterValue", f"'{kind}' is not a valid taggable resource type for this operation.")
        if kind in seen:
            refuse("InvalidParameterValue", f"Duplicate resource type '{kind}' in tag specifications.")
        if not specification.get("Tags"):
            refuse("InvalidParameterValue", "Tag specification must have at least one tag")
        seen.add(kind)
        check_tags(specification["Tags"])


RENAMED = {"nat-gateway": "natgateway", "vpc-elastic-ip": "elastic-ip", "managed-prefix-list": "prefix-list"}


def resource_type(resource_id: str) -> str:
    """Return the resource type of an id, as in TagSpecifications and DescribeTags."""
    name = str(EC2_PREFIX_TO_RESOURCE.get(get_prefix(resource_id), ""))
    return RENAMED.get(name, name)


def _described(resource_id: str, tags: Mapping[str, str]) -> list[dict[str, str]]:
    kind = resource_type(resource_id)
    return [
        {"resource_id": resource_id, "resource_type": kind, "key": key, "value": value} for key, value in tags.items()
    ]


class TagsBackend(EC2Backend):
    def describe_tags(self, filters: dict[str, list[str]] | None = None) -> list[dict[str, str]]:
        """Return all tags, or those of some resources, which moto asks for by the filter `resource-id`."""
        ids = (filters or {}).get("resource-id")
        return [
            tag
            for resource_id in (self.tags if ids is None else ids)
            for tag in _described(resource_id, self.tags.get(resource_id, {}))
        ]

    def forget(self, *resource_ids: str) -> None:
        """Delete the tags of deleted resources."""
        for resource_id in resource_ids:
            self.tags.pop(resource_id, None)

    def delete_volume(self, volume_id: str) -> Any:
        deleted = super().delete_volume(volume_id)
        self.forget(volume_id)
        return deleted

    def do_resources_exist(self, resource_ids: list[str]) -> bool:
        super().do_resources_exist(resource_ids)
        for resource_id in resource_ids:
            self._check_exists(resource_id)
        return True

    def _check_exists(self, resource_id: str) -> None:
        """Refuse an id that does not exist, for the resource types that moto does not check."""
        stores: dict[str, tuple[Iterable[str], str]] = {
            "nat-": (self.nat_gateways, "InvalidNatGatewayID.NotFound"),
            "eipalloc-": ([each.id for each in self.addresses], "InvalidAllocationID.NotFound"),
            "key-": ([each.id for each in self.key_pairs.values()], "InvalidKeyPair.NotFound"),
            "vpce-": (self.vpc_end_points, "InvalidVpcEndpointId.NotFound"),
            "ami-": (self.amis, "InvalidAMIID.NotFound"),
            "snap-": (self.snapshots, "InvalidSnapshot.NotFound"),
            "lt-": (self.launch_templates, "InvalidLaunchTemplateId.NotFound"),
            "acl-": (self.network_acls, "InvalidNetworkAclID.NotFound"),
            "i-": ([each.id for each in self.all_instances()], "InvalidInstanceID.NotFound"),
            "sgr-": (self._rule_ids(), "InvalidSecurityGroupRuleId.NotFound"),
        }
        for prefix, (known, code) in stores.items():
            if resource_id.startswith(prefix) and resource_id not in known:
                refuse(code, f"The ID '{resource_id}' does not exist")

    def _rule_ids(self) -> set[str]:
        groups = (group for groups in self.groups.values() for group in groups.values())
        return {rule.id for group in groups for rule in (*group.ingress_rules, *group.egress_rules)}


class TagsResponses(EC2Response):
    def create_tags(self) -> ActionResult:
        tags = self._get_param("Tags", [])
        check_tags(tags)
        for tag in tags:
            tag.setdefault("Value", "")
        return super().create_tags()

    def delete_tags(self) -> ActionResult:
        if self._get_param("Tags"):
            return super().delete_tags()
        self.error_on_dryrun()
        for resource_id in self._get_param("Resources", []):  # "If you omit this parameter, we delete all tags"
            self.ec2_backend.tags.pop(resource_id, None)
        return EmptyResult()
