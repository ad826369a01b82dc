"""Security groups: rules in AWS' format, all-or-nothing changes, and checks for dependent objects.

https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html
"""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import IPv6Network
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.ec2.models.security_groups import SecurityGroup as MotoGroup
from moto.ec2.models.security_groups import SecurityGroupRule as MotoRule
from moto.ec2.responses import EC2Response

from groundwork_lab.aws.context import refuse
from groundwork_lab.aws.ec2.prefix_lists import PrefixListsBackend
from groundwork_lab.aws.ec2.subnets import network_of

PROTOCOLS = {"6": "tcp", "17": "udp", "1": "icmp", "58": "icmpv6", "all": "-1"}
WITH_PORTS = ("tcp", "udp")
WITH_TYPES = ("icmp", "icmpv6")
NAME = re.compile(r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{1,255}")
MOST_RULES = 60
# What AWS' prefix lists count as, by the ends of their names. Others count as 1.
# https://docs.aws.amazon.com/vpc/latest/userguide/working-with-aws-managed-prefix-lists.html
WEIGHTS = {"cloudfront.origin-facing": 55, "groundstation": 5, "vpc-lattice": 10}
PEERS = {  # by the member of a SecurityGroupRuleRequest: the member of an IpPermission, and of its elements
    "CidrIpv4": ("IpRanges", "CidrIp"),
    "CidrIpv6": ("Ipv6Ranges", "CidrIpv6"),
    "ReferencedGroupId": ("UserIdGroupPairs", "GroupId"),
    "PrefixListId": ("PrefixListIds", "PrefixListId"),
}
PREFIX_LIST = 2  # its position among a rule's last arguments
ALLOWED = "a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*"


def protocol_of(given: object) -> str:
    """Return the protocol's name (`tcp`, `udp`, `icmp`, `icmpv6`), its number, or `-1`. Refuse an invalid one."""
    if given is None:
        message = "Invalid value 'null' for protocol. VPC security group rules must specify protocols explicitly."
        refuse("InvalidParameterValue", message)
    name = PROTOCOLS.get(str(given).lower(), str(given).lower())
    if name not in (*WITH_PORTS, *WITH_TYPES, "-1") and not (name.isdigit() and int(name) <= 255):
        refuse("InvalidParameterValue", f"Invalid value '{given}' for IP protocol. Unknown protocol.")
    return name


def ports_of(protocol: str, first: int | None, last: int | None) -> tuple[int | None, int | None]:
    """Return the ports (ICMP: type and code) of a rule, or None for both if the protocol has no ports."""
    if protocol in WITH_TYPES:
        return (-1 if first is None else first), (-1 if last is None else last)
    if protocol not in WITH_PORTS:
        return None, None
    if first is None or last is None:
        message = "Invalid value for portRange. Must specify both from and to ports with TCP/UDP."
        refuse("InvalidParameterValue", message)
    if (first, last) == (-1, -1):
        return 0, 65535
    if not 0 <= first <= 65535 or not 0 <= last <= 65535:
        refuse("InvalidParameterValue", f"Invalid value '{first}-{last}' for portRange. Ports are 0-65535.")
    if first > last:
        refuse("InvalidParameterValue", f"Invalid {protocol.upper()} port range ({first}:{last})")
    return first, last


def checked_permission(permission: dict[str, Any]) -> dict[str, Any]:
    """Return an IpPermission in AWS' canonical form. Refuse one that is malformed or allows nothing."""
    protocol = protocol_of(permission.get("IpProtocol"))
    first, last = ports_of(protocol, permission.get("FromPort"), permission.get("ToPort"))
    sources = [permission.get(name) for name in ("IpRanges", "Ipv6Ranges", "UserIdGroupPairs", "PrefixListIds")]
    if not any(sources):
        message = "The request must contain exactly one of: cidrIp, cidrIpv6, prefixListId, or referencedGroupId"
        refuse("MissingParameter", message)
    ranges = [{**each, "CidrIp": canonical_range(each.get("CidrIp"))} for each in permission.get("IpRanges") or []]
    six = [{**each, "CidrIpv6": canonical_ipv6(each.get("CidrIpv6"))} for each in permission.get("Ipv6Ranges") or []]
    return {
        **permission,
        "IpProtocol": protocol,
        "FromPort": first,
        "ToPort": last,
        "IpRanges": ranges,
        "Ipv6Ranges": six,
    }


def permission_of(request: dict[str, Any], description: str | None) -> dict[str, Any]:
    """Return the IpPermission of a SecurityGroupRuleRequest.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SecurityGroupRuleRequest.html
    """
    given = [name for name in PEERS if request.get(name)]
    if len(given) > 1:
        message = "Only one of cidrIp, cidrIpv6, prefixListId, or referencedGroupId can be specified"
        refuse("InvalidParameterCombination", message)
    described = {"Description": description} if description else {}
    peers = {PEERS[name][0]: [{PEERS[name][1]: request[name], **described}] for name in given}
    return {**{name: request.get(name) for name in ("IpProtocol", "FromPort", "ToPort")}, **peers}


def canonical_range(cidr: str | None) -> str:
    """Return the network address of the block: AWS "canonicalizes IPv4 and IPv6 CIDRs" (API_IpRange)."""
    network = network_of(str(cidr))
    if network is None:
        refuse("InvalidParameterValue", f"CIDR block {cidr} is malformed")
    return str(network)


def canonical_ipv6(cidr: str | None) -> str:
    """Return the block in the spelling of RFC 5952, which AWS returns too (API_Ipv6Range)."""
    try:
        return str(IPv6Network(str(cidr), strict=False))
    except ValueError:
        refuse("InvalidParameterValue", f"CIDR block {cidr} is malformed")


class Rule(MotoRule):
    def __init__(  # positional arguments of moto
        self, backend: Any, ip_protocol: str, group_id: str, first: Any, last: Any, *rest: Any, **options: Any
    ) -> None:
        super().__init__(backend, "-1", group_id, None, None, *rest, **options)
        # moto requires ports also for protocols that have none
        self.ip_protocol, self.from_port, self.to_port = ip_protocol, first, last
        self.prefix_list: dict[str, str] = dict(rest[PREFIX_LIST] or {}) if len(rest) > PREFIX_LIST else {}

    @property
    def key(self) -> tuple[Any, ...]:
        """Return the values that identify a rule. The description is not one of them."""
        return (
            self.ip_protocol,
            self.from_port,
            self.to_port,
            self.ip_range.get("CidrIp"),
            self.ip_range.get("CidrIpv6"),
            self.source_group.get("GroupId"),
            self.prefix_list_id,
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rule) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    @property
    def description(self) -> str | None:
        peers = (self.ip_range, self.source_group, self.prefix_list)
        return next((peer["Description"] for peer in peers if peer.get("Description")), None)

    @property
    def peer(self) -> str:
        """Return the member of a SecurityGroupRuleRequest that the rule has."""
        if self.source_group:
            return "ReferencedGroupId"
        if self.prefix_list_id:
            return "PrefixListId"
        return "CidrIpv6" if self.ip_range.get("CidrIpv6") else "CidrIpv4"

    def change(self, permission: dict[str, Any], pairs: list[dict[str, Any]]) -> None:
        """Take the values of a checked IpPermission, whose groups are `pairs`."""
        self.ip_protocol, self.from_port, self.to_port = (permission[n] for n in ("IpProtocol", "FromPort", "ToPort"))
        ranges = [*permission["IpRanges"], *permission["Ipv6Ranges"]]
        self.ip_range = ranges[0] if ranges else {}
        self.source_group = next(iter(pairs), {})
        self.prefix_list = next(iter(permission.get("PrefixListIds") or []), {})
        self.prefix_list_id = self.prefix_list.get("PrefixListId")

    def describe(self, text: str | None) -> None:
        """Replace the description, or remove it."""
        for peer in (self.ip_range, self.source_group, self.prefix_list):
            peer.pop("Description", None)
            if peer and text:
                peer["Description"] = text


class Group(MotoGroup):
    def _flattened_rules(self, rules: list[Any]) -> list[Any]:
        """Return the rules merged by protocol and ports. moto leaves out the descriptions of prefix lists."""
        views: list[Any] = super()._flattened_rules(rules)
        for view in views:
            alike = (rule for rule in rules if (rule.ip_protocol, rule.from_port, rule.to_port) == _numbers(view))
            view.prefix_list_ids = [rule.prefix_list for rule in alike if rule.prefix_list_id]
        return views

    def refers_to(self, group_id: str) -> bool:
        rules = [*self.ingress_rules, *self.egress_rules]
        return any(rule.source_group.get("GroupId") == group_id for rule in rules)


class GroupsBackend(PrefixListsBackend):
    def create_security_group(
        self, name: str, description: str, vpc_id: str | None = None, *arguments: Any, **options: Any
    ) -> Any:
        if not options.get("is_default"):
            check_names(name, description)
        if vpc_id is not None:
            self.get_vpc(vpc_id)
        vpc_id = vpc_id or self.default_vpc.id
        if any(group.name == name for group in self.groups[vpc_id].values()):
            message = f"The security group '{name}' already exists for VPC '{vpc_id}'"
            refuse("InvalidGroup.Duplicate", message)
        options["force"] = True  # moto also compares the name with ids
        group = super().create_security_group(name, description, vpc_id, *arguments, **options)
        if group.is_default:
            self._allow_members(group)
        return group

    def _allow_members(self, group: Any) -> None:
        """Add the rule of a default security group.

        It "allows inbound traffic from resources that are assigned to the same security group".
        https://docs.aws.amazon.com/vpc/latest/userguide/default-security-group.html
        """
        source = {"GroupId": group.id, "UserId": self.account_id}
        group.ingress_rules.append(Rule(self, "-1", group.id, None, None, None, source, is_egress=False))

    def delete_security_group(self, name: str | None = None, group_id: str | None = None) -> None:
        group = self._group(group_id, name)
        if group.is_default:
            message = f'the specified group: "{group.id}" name: "default" cannot be deleted by a user'
            refuse("CannotDelete", message)
        others = (other for groups in self.groups.values() for other in groups.values() if other is not group)
        if any(other.refers_to(group.id) for other in others) or self._is_in_use(group):
            refuse("DependencyViolation", f"resource {group.id} has a dependent object")
        self.forget(group.id, *(rule.id for rule in (*group.ingress_rules, *group.egress_rules)))
        super().delete_security_group(group_id=group.id)

    def _group(self, group_id: str | None, name: str | None) -> Any:
        found = self.get_security_group_from_id(group_id) if group_id else None
        if found is None and name:
            found = self.get_security_group_from_name(name, self.default_vpc.id)
        if found is None:
            refuse("InvalidGroup.NotFound", f"The security group '{group_id or name}' does not exist")
        return found

    def _is_in_use(self, group: Any) -> bool:
        return any(group in interface.group_set for interface in self.enis.values())

    def _verify_group_will_respect_rule_count_limit(self, *_arguments: Any, **_options: Any) -> None:
        """Count no rule before it is added: `check_count` counts them in AWS' way."""

    def check_prefix_lists(self, permission: dict[str, Any]) -> None:
        for each in permission.get("PrefixListIds") or []:
            self._prefix_list(each.get("PrefixListId"))

    def check_count(self, group: Any) -> None:
        """Refuse more rules than the default quota, which is "enforced separately for IPv4 rules and IPv6 rules".

        A rule with a group counts for both, and a prefix list as its entries can be at most.
        https://docs.aws.amazon.com/vpc/latest/userguide/amazon-vpc-limits.html#vpc-limits-security-groups
        """
        for rules in (group.ingress_rules, group.egress_rules):
            for ipv6 in (False, True):
                if sum(self._weight(rule, ipv6) for rule in rules) > MOST_RULES:
                    message = "The maximum number of rules per security group has been reached."
                    refuse("RulesPerSecurityGroupLimitExceeded", message)

    def _weight(self, rule: Any, ipv6: bool) -> int:
        if rule.source_group:
            return 1
        prefix_list = self.managed_prefix_lists.get(rule.prefix_list_id)
        if prefix_list is None:
            return int(bool(rule.ip_range.get("CidrIpv6")) == ipv6)
        if (prefix_list.address_family == "IPv6") != ipv6:
            return 0
        ends = (weight for end, weight in WEIGHTS.items() if prefix_list.prefix_list_name.endswith(end))
        return int(prefix_list.max_entries or next(ends, 1))

    def _add_source_group(self, source_groups: Any, vpc_id: str | None) -> Any:  # noqa: ARG002
        """Return the referenced groups by id. In a VPC's rules AWS returns the account id and no group name."""
        pairs = []
        for given in source_groups or []:
            source = self._group(given.get("GroupId"), given.get("GroupName"))
            pair = {"GroupId": source.id, "UserId": self.account_id}
            if given.get("Description"):
                pair["Description"] = given["Description"]
            pairs.append(pair)
        return pairs

    def _sg_update_description(self, security_rule: Any, rule: Any) -> None:
        """Replace the description. A description that the request does not contain is removed.

        https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_UpdateSecurityGroupRuleDescriptionsIngress.html
        """
        for given, kept in (
            (security_rule.ip_range, rule.ip_range),
            (security_rule.source_group, rule.source_group),
            (security_rule.prefix_list, rule.prefix_list),
        ):
            kept.pop("Description", None)
            if given.get("Description"):
                kept["Description"] = given["Description"]


def _numbers(view: Any) -> tuple[Any, ...]:
    return view.ip_protocol, view.from_port, view.to_port


def check_names(name: str, description: str | None) -> None:
    """Refuse an invalid name or description.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html
    """
    if not NAME.fullmatch(name or ""):
        message = f"Invalid security group name. Valid names are strings less than 256 characters from: {ALLOWED}"
        refuse("InvalidParameterValue", message)
    if name.startswith("sg-"):
        message = f"Invalid value '{name}' for groupName. Group names may not be in the format sg-*."
        refuse("InvalidParameterValue", message)
    if name == "default":
        refuse("InvalidParameterValue", "Cannot use reserved security group name: default")
    if not NAME.fullmatch(description or ""):
        message = "Invalid security group description. Valid descriptions are strings less than 256 characters"
        refuse("InvalidParameterValue", f"{message} from the following set:  {ALLOWED}")


class GroupsResponses(EC2Response):
    """Responses for lists of rules. AWS applies the whole list or none of it, and returns all rules that it created."""

    def authorize_security_group_ingress(self) -> ActionResult:
        return self._authorize(self.ec2_backend.authorize_security_group_ingress)

    def authorize_security_group_egress(self) -> ActionResult:
        return self._authorize(self.ec2_backend.authorize_security_group_egress)

    def revoke_security_group_ingress(self) -> ActionResult:
        return self._revoke(self.ec2_backend.revoke_security_group_ingress)

    def revoke_security_group_egress(self) -> ActionResult:
        return self._revoke(self.ec2_backend.revoke_security_group_egress)

    def _authorize(self, authorize: Callable[..., Any]) -> ActionResult:
        self.error_on_dryrun()
        made: list[Any] = []

        def all_of_them() -> None:
            for options in self._permissions():
                self._check_sources(options["source_groups"])
                made.extend(authorize(**options)[0])
            self.ec2_backend.check_count(self._named_group())

        self._all_or_none(all_of_them)
        return ActionResult({"Return": True, "SecurityGroupRules": made})

    def _check_sources(self, sources: Any) -> None:
        """Refuse a group of another VPC: the lab has no VPC peering."""
        vpc_id = self._named_group().vpc_id
        if any(
            self.ec2_backend._group(each.get("GroupId"), each.get("GroupName")).vpc_id != vpc_id
            for each in sources or []
        ):
            refuse("InvalidGroup.NotFound", "You have specified two resources that belong to different networks.")

    def _revoke(self, revoke: Callable[..., Any]) -> ActionResult:
        self.error_on_dryrun()

        def all_of_them() -> None:
            if self._get_param("SecurityGroupRuleIds"):
                group, rule_ids = self._named_group().id, self._get_param("SecurityGroupRuleIds")
                revoke(group, "-1", None, None, [], security_rule_ids=rule_ids)
                return
            for options in self._permissions():
                options.pop("sgrule_tags")
                revoke(**options)

        before = self._rule_ids()
        self._all_or_none(all_of_them)
        self.ec2_backend.forget(*(before - self._rule_ids()))
        return ActionResult({"Return": True})

    def _rule_ids(self) -> set[str]:
        group = self._named_group()
        return {rule.id for rule in (*group.ingress_rules, *group.egress_rules)}

    def _permissions(self) -> Any:
        group = self._named_group()
        permissions = self._get_param("IpPermissions")
        if not permissions:
            permissions = [self._single_permission()]
        self.params["IpPermissions"] = [checked_permission(each) for each in permissions]
        for each in self.params["IpPermissions"]:
            self.ec2_backend.check_prefix_lists(each)
        for options in self._process_rules_from_querystring():
            yield {**options, "group_name_or_id": group.id}

    def _single_permission(self) -> dict[str, Any]:
        """Return the permission of a request in the old format, which has one rule in the top-level parameters."""
        permission = {name: self.params.get(name) for name in ("IpProtocol", "FromPort", "ToPort")}
        if self.params.get("CidrIp"):
            permission["IpRanges"] = [{"CidrIp": self.params["CidrIp"]}]
        if self.params.get("SourceSecurityGroupName"):
            permission["UserIdGroupPairs"] = [{"GroupName": self.params["SourceSecurityGroupName"]}]
        return permission

    def _named_group(self) -> Any:
        group_id, name = self._get_param("GroupId"), self._get_param("GroupName")
        if not group_id and not name:
            refuse("MissingParameter", "The request must contain the parameter groupName or groupId")
        return self.ec2_backend._group(group_id, name)

    def _all_or_none(self, change: Callable[[], None]) -> None:
        group = self._named_group()
        ingress, egress = list(group.ingress_rules), list(group.egress_rules)
        try:
            change()
        except ServiceException:
            group.ingress_rules, group.egress_rules = ingress, egress
            raise

    def update_security_group_rule_descriptions_ingress(self) -> ActionResult:
        return self._describe(self.ec2_backend.update_security_group_rule_descriptions_ingress)

    def update_security_group_rule_descriptions_egress(self) -> ActionResult:
        return self._describe(self.ec2_backend.update_security_group_rule_descriptions_egress)

    def _describe(self, update: Callable[..., Any]) -> ActionResult:
        self.error_on_dryrun()
        by_id = self._get_param("SecurityGroupRuleDescriptions") or []
        for each in by_id:
            self._rule(each.get("SecurityGroupRuleId")).describe(each.get("Description"))
        for options in () if by_id else self._permissions():
            options.pop("sgrule_tags")
            update(**options)
        return ActionResult({"Return": True})

    def _rule(self, rule_id: str | None) -> Any:
        rule = self._named_group().get_rule(rule_id)
        if rule is None:
            message = f"The security group rule ID '{rule_id}' does not exist"
            refuse("InvalidSecurityGroupRuleId.NotFound", message)
        return rule

    def modify_security_group_rules(self) -> ActionResult:
        """Change rules as AuthorizeSecurityGroupIngress makes them. A rule keeps its kind of source or destination."""
        self.error_on_dryrun()
        group = self._named_group()
        for each in self._get_param("SecurityGroupRules", []):
            self._modify(each.get("SecurityGroupRuleId"), each.get("SecurityGroupRule") or {})
        for rules in (group.ingress_rules, group.egress_rules):
            if len(rules) != len(set(rules)):
                refuse("InvalidPermission.Duplicate", "The specified rule already exists")
        self.ec2_backend.check_count(group)
        return ActionResult({"Return": True})

    def _modify(self, rule_id: str | None, wanted: dict[str, Any]) -> None:
        rule = self._rule(rule_id)
        description = rule.description if wanted.get("Description") is None else wanted["Description"]
        permission = checked_permission(permission_of(wanted, description))
        if not wanted.get(rule.peer):
            message = (
                f"Invalid rule type for security group rule '{rule_id}'. It has a {rule.peer}, which must be given."
            )
            refuse("InvalidParameterValue", message)
        self.ec2_backend.check_prefix_lists(permission)
        self._check_sources(permission.get("UserIdGroupPairs"))
        rule.change(permission, self.ec2_backend._add_source_group(permission.get("UserIdGroupPairs"), None))
