"""Load balancers: names, subnets, security groups, and their network interfaces in the subnets."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from moto.elbv2.models import AvailabilityZone, ELBv2Backend, FakeLoadBalancer
from moto.moto_api._internal import mock_random

from groundwork_lab.aws.context import Context, refuse
from groundwork_lab.aws.elbv2 import attributes, rules
from groundwork_lab.aws.elbv2.attributes import LOAD_BALANCER
from groundwork_lab.model import World

BALANCERS_LIMIT = 50
FREE_ADDRESSES = 8
ZONE_ID = "Z215JYRZR1TBD5"  # of the Application Load Balancers in eu-central-1
# https://docs.aws.amazon.com/general/latest/gr/elb.html


def check_name(name: str) -> None:
    """Refuse an invalid name.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html
    """
    if not name:
        rules.invalid("The load balancer name cannot be empty")
    if len(name) > 32:
        rules.invalid(f"The load balancer name '{name}' cannot be longer than '32' characters")
    if not re.fullmatch(r"[A-Za-z0-9-]+", name):
        rules.invalid(
            f"The load balancer name '{name}' can only contain characters that are alphanumeric characters "
            "and hyphens(-)"
        )
    if name.startswith("-") or name.endswith("-"):
        rules.invalid(f"The load balancer name '{name}' cannot begin or end with '-'")
    if name.startswith("internal-"):
        rules.invalid(f"The load balancer name '{name}' cannot begin with 'internal-'")


def dns_name(name: str, scheme: str, region: str, number: str) -> str:
    """Return the DNS name of a load balancer.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html
    """
    prefix = "internal-" if scheme == "internal" else ""
    return f"{prefix}{name}-{number}.{region}.elb.amazonaws.com".lower()


class LoadBalancer(FakeLoadBalancer):
    """A load balancer. `interfaces` holds its network interfaces (moto's class) by subnet id."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.attrs = attributes.defaults(LOAD_BALANCER)
        self.interfaces: dict[str, Any] = {}
        self.canonical_hosted_zone_id = ZONE_ID
        region = self.arn.split(":")[3]
        number = f"{mock_random.randint(10**8, 10**10 - 1)}"
        self.dns_name = dns_name(self.name, self.scheme, region, number)

    def activate(self) -> None:
        """Do nothing. moto calls this when the balancer is described; here `BalancersBackend.follow` activates it."""

    @property
    def description(self) -> str:
        return f"ELB {self.arn.split(':loadbalancer/')[1]}"

    @property
    def target_group_arns(self) -> list[str]:
        """Return the ARNs of the target groups that its listeners and rules forward to."""
        actions = [
            action.data
            for listener in self.listeners.values()
            for rule in listener.rules.values()
            for action in rule.actions
        ]
        return [arn for action in actions for arn in rules.groups_of(action)]


class BalancersBackend(ELBv2Backend):
    context: Context

    def balancer(self, arn: str) -> Any:
        balancer = self.load_balancers.get(arn)
        if balancer is None:
            refuse("LoadBalancerNotFound", f"Load balancer '{arn}' not found")
        return balancer

    def create_load_balancer(  # noqa: PLR0917 - moto's signature
        self,
        name: str,
        security_groups: list[str],
        subnet_ids: list[str],
        subnet_mappings: list[dict[str, str]] | None = None,
        scheme: str | None = None,
        loadbalancer_type: str | None = None,
        ip_address_type: str | None = None,
        tags: list[dict[str, str]] | None = None,
    ) -> Any:
        check_name(name or "")
        scheme = scheme or "internet-facing"
        _check_kind(scheme, loadbalancer_type, ip_address_type)
        subnets = self._checked_subnets([*subnet_ids, *_mapped(subnet_mappings)], scheme)
        groups = self._checked_groups(security_groups, subnets[0].vpc_id)
        existing = next((each for each in self.load_balancers.values() if each.name == name), None)
        if existing is not None:
            return self._same_balancer(existing, scheme, subnets, groups, tags)
        if len(self.load_balancers) >= BALANCERS_LIMIT:
            refuse("TooManyLoadBalancers", "The maximum number of load balancers has been reached.")
        check_tags(tags or [])
        balancer = super().create_load_balancer(
            name, groups, [subnet.id for subnet in subnets], None, scheme, "application", "ipv4", tags
        )
        self._place(balancer, subnets)
        return balancer

    def _same_balancer(
        self, existing: Any, scheme: str, subnets: Sequence[Any], groups: Sequence[str], tags: Any
    ) -> Any:
        """Return the existing load balancer, or refuse if it has other settings.

        "If you attempt to create multiple load balancers with the same settings, each call succeeds."
        """
        wanted = (scheme, {subnet.id for subnet in subnets}, set(groups), tag_dict(tags))
        actual = (
            existing.scheme,
            {subnet.id for subnet in existing.subnets},
            set(existing.security_groups),
            dict(self.tagging_service.get_tag_dict_for_resource(existing.arn)),
        )
        if wanted != actual:
            message = f"A load balancer with the same name '{existing.name}' exists, but with different settings"
            refuse("DuplicateLoadBalancerName", message)
        return existing

    def _checked_subnets(self, ids: Sequence[str], scheme: str) -> list[Any]:
        """Return the subnets (moto's class), which must be in at least two zones of one VPC, one in each zone.

        https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html#subnets-load-balancer
        """
        known = {subnet.id: subnet for subnet in self.ec2_backend.describe_subnets()}
        for subnet_id in ids:
            if subnet_id not in known:
                refuse("SubnetNotFound", f"The subnet ID '{subnet_id}' does not exist")
        subnets = [known[subnet_id] for subnet_id in dict.fromkeys(ids)]
        zones = [subnet.availability_zone for subnet in subnets]
        if len({subnet.vpc_id for subnet in subnets}) > 1:
            refuse("InvalidConfigurationRequest", "All subnets must belong to the same VPC")
        if len(set(zones)) < len(zones):
            message = "A load balancer cannot be attached to multiple subnets in the same Availability Zone"
            refuse("InvalidConfigurationRequest", message)
        if len(set(zones)) < 2:
            rules.invalid("At least two subnets in two different Availability Zones must be specified")
        for subnet in subnets:
            self._check_subnet(subnet, scheme)
        return subnets

    def _check_subnet(self, subnet: Any, scheme: str) -> None:
        if scheme == "internet-facing" and self.ec2_backend.gateway_of(subnet.vpc_id) is None:
            refuse("InvalidSubnet", f"VPC {subnet.vpc_id} has no internet gateway")
        if subnet.cidr.prefixlen > 27:
            message = f"The subnet {subnet.id} is too small: a load balancer needs at least a /27 bitmask."
            refuse("InvalidSubnet", message)
        own = any(subnet.id in balancer.interfaces for balancer in self.load_balancers.values())
        if not own and subnet.available_ip_address_count < FREE_ADDRESSES:
            message = f"Not enough IP space available in {subnet.id}. ELB requires at least 8 free IP addresses in each"
            refuse("InvalidSubnet", f"{message} subnet.")

    def _checked_groups(self, ids: Sequence[str], vpc_id: str) -> list[str]:
        """Return the ids of the security groups. Without any, return the VPC's default security group."""
        if not ids:
            return [self.ec2_backend.get_default_security_group(vpc_id).id]
        for group_id in ids:
            group = self.ec2_backend.get_security_group_from_id(group_id)
            if group is None:
                refuse("InvalidSecurityGroup", f"Security group '{group_id}' does not exist")
            if group.vpc_id != vpc_id:
                refuse("InvalidConfigurationRequest", "One or more security groups are invalid")
        if len(set(ids)) > 5:
            refuse("InvalidConfigurationRequest", "A load balancer can have a maximum of 5 security groups")
        return list(dict.fromkeys(ids))

    def _place(self, balancer: Any, subnets: Sequence[Any]) -> None:
        """Create the missing interfaces in the subnets, and delete those in other subnets."""
        wanted = {subnet.id for subnet in subnets}
        for subnet_id in [each for each in balancer.interfaces if each not in wanted]:
            self.context.delete_interface(balancer.interfaces.pop(subnet_id).id)
        for subnet in subnets:
            if subnet.id not in balancer.interfaces:
                balancer.interfaces[subnet.id] = self.context.create_interface(
                    subnet_id=subnet.id,
                    group_ids=balancer.security_groups,
                    owner="load-balancer",
                    owner_id=balancer.arn,
                    public=balancer.scheme == "internet-facing",
                    description=balancer.description,
                )

    def follow(self, world: World) -> None:
        """Mark the load balancers in `world` as active: the data plane serves them."""
        for arn in world.load_balancers:
            balancer = self.load_balancers.get(arn)
            if balancer is not None and balancer.state == "provisioning":
                balancer.state = "active"

    def describe_load_balancers(self, arns: list[str] | None, names: list[str] | None) -> list[Any]:
        known = list(self.load_balancers.values())
        if arns and names:
            rules.invalid("Load balancer names and load balancer ARNs cannot be specified at the same time")
        for kind, wanted in (("arn", arns or []), ("name", names or [])):
            missing = [each for each in wanted if each not in {getattr(balancer, kind) for balancer in known}]
            if missing:
                refuse("LoadBalancerNotFound", f"Load balancers '[{', '.join(missing)}]' not found")
        if not arns and not names:
            return known
        return [balancer for balancer in known if balancer.arn in (arns or []) or balancer.name in (names or [])]

    def delete_load_balancer(self, arn: str) -> None:
        """Delete a load balancer.

        "If the load balancer does not exist or has already been deleted, the call succeeds."
        """
        balancer = self.load_balancers.get(arn)
        if balancer is None:
            return
        if balancer.attrs["deletion_protection.enabled"] == "true":
            message = f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
            refuse("OperationNotPermitted", message)
        self._place(balancer, [])
        for group in self.target_groups.values():
            if arn in group.load_balancer_arns and self.context.slow:
                group.busy_until = self.context.later
        for listener in balancer.listeners.values():
            for owned in (listener.arn, *listener.rules):
                self.tagging_service.delete_all_tags_for_resource(str(owned))
        self.tagging_service.delete_all_tags_for_resource(arn)
        super().delete_load_balancer(arn)

    def set_security_groups(self, arn: str, sec_groups: list[str]) -> None:
        balancer = self.balancer(arn)
        if not sec_groups:
            rules.invalid("At least one security group must be specified")
        groups = self._checked_groups(sec_groups, balancer.vpc_id)
        balancer.security_groups = groups
        for interface in balancer.interfaces.values():
            interface.set_groups([self.ec2_backend.get_security_group_from_id(each) for each in groups])

    def set_subnets(self, arn: str, subnets: list[str], subnet_mappings: list[dict[str, Any]]) -> list[Any]:
        balancer = self.balancer(arn)
        found = self._checked_subnets([*subnets, *_mapped(subnet_mappings)], balancer.scheme)
        if found[0].vpc_id != balancer.vpc_id:
            refuse("InvalidConfigurationRequest", f"The subnets must belong to the VPC '{balancer.vpc_id}'")
        balancer.subnets = found
        self._place(balancer, found)
        return [AvailabilityZone(subnet) for subnet in found]

    def set_ip_address_type(self, arn: str, ip_type: str) -> None:
        self.balancer(arn)
        _check_kind("internal", None, ip_type)

    def modify_load_balancer_attributes(self, arn: str, attrs: dict[str, Any]) -> dict[str, Any]:
        balancer = self.balancer(arn)
        wanted = {key: str(value if value is not None else "") for key, value in attrs.items()}
        attributes.check("Load balancer", LOAD_BALANCER, wanted)
        balancer.attrs.update(wanted)
        return dict(balancer.attrs)

    # Tags

    def add_tags(self, resource_arns: list[str], tags: list[dict[str, str]]) -> None:
        check_tags(tags)
        for arn in resource_arns:
            self._get_resource_by_arn(arn)
            if len({*self.tagging_service.get_tag_dict_for_resource(arn), *tag_dict(tags)}) > TAGS_LIMIT:
                refuse("TooManyTags", f"A resource can have a maximum of {TAGS_LIMIT} tags")
        for arn in resource_arns:
            self.tagging_service.tag_resource(arn, tags)

    def describe_tags(self, resource_arns: list[str]) -> dict[str, dict[str, str]]:
        if len(resource_arns) > 20:
            rules.invalid(
                "1 validation error detected: Value at 'resourceArns' failed to satisfy constraint: "
                "Member must have length less than or equal to 20"
            )
        for arn in resource_arns:
            self._get_resource_by_arn(arn)
        return {arn: self.tagging_service.get_tag_dict_for_resource(arn) for arn in resource_arns}


TAGS_LIMIT = 50


def tag_dict(tags: Sequence[Mapping[str, str]] | None) -> dict[str, str]:
    return {tag["Key"]: tag.get("Value") or "" for tag in tags or []}


def check_tags(tags: Sequence[Mapping[str, str]]) -> None:
    """Refuse invalid, duplicate, and too many tags.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_AddTags.html
    """
    keys = [tag["Key"] for tag in tags]
    if len(set(keys)) < len(keys):
        repeated = next(key for key in keys if keys.count(key) > 1)
        refuse("DuplicateTagKeys", f"The tag key '{repeated}' was specified more than once")
    if len(keys) > TAGS_LIMIT:
        refuse("TooManyTags", f"A resource can have a maximum of {TAGS_LIMIT} tags")
    for key in keys:
        if key.lower().startswith("aws:") or not 1 <= len(key) <= 128:
            rules.invalid(f"The tag key '{key}' is not valid")


def _check_kind(scheme: str, kind: str | None, addresses: str | None) -> None:
    if kind not in (None, "application"):
        refuse("OperationNotPermitted", "The lab has application load balancers only.")
    if scheme not in ("internet-facing", "internal"):
        rules.invalid(
            f"1 validation error detected: Value '{scheme}' at 'scheme' failed to satisfy constraint: "
            "Member must satisfy enum value set: [internet-facing, internal]"
        )
    if addresses not in (None, "ipv4"):
        refuse("InvalidConfigurationRequest", "The lab has no IPv6: the IP address type must be ipv4.")


def _mapped(mappings: Sequence[Mapping[str, Any]] | None) -> list[str]:
    for mapping in mappings or []:
        if set(mapping) - {"SubnetId"}:
            refuse("InvalidConfigurationRequest", "You cannot specify addresses for an application load balancer")
    return [str(mapping["SubnetId"]) for mapping in mappings or []]
