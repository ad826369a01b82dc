from __future__ import annotations

from typing import Any

import pytest
from control_plane import Lab

from groundwork_lab.aws.context import AwsError
from groundwork_lab.aws.ec2.groups import canonical_range, check_names, ports_of, protocol_of
from groundwork_lab.settings import ACCOUNT

ANYWHERE = [{"CidrIp": "0.0.0.0/0"}]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("tcp", "tcp"),
        ("TCP", "tcp"),
        ("6", "tcp"),
        ("17", "udp"),
        ("1", "icmp"),
        ("-1", "-1"),
        ("all", "-1"),
        ("50", "50"),
    ],
)
def test_protocol_of(given: str, expected: str) -> None:
    assert protocol_of(given) == expected


@pytest.mark.parametrize("given", [None, "http", "256", "-2", ""])
def test_no_protocol(given: str | None) -> None:
    with pytest.raises(AwsError):
        protocol_of(given)


@pytest.mark.parametrize(
    ("protocol", "first", "last", "expected"),
    [
        ("tcp", 80, 80, (80, 80)),
        ("udp", -1, -1, (0, 65535)),
        ("-1", 80, 80, (None, None)),
        ("50", None, None, (None, None)),
        ("icmp", None, None, (-1, -1)),
        ("icmp", 8, -1, (8, -1)),
    ],
)
def test_ports_of(protocol: str, first: int | None, last: int | None, expected: tuple[int | None, int | None]) -> None:
    assert ports_of(protocol, first, last) == expected


@pytest.mark.parametrize(("first", "last"), [(None, 80), (80, None), (90, 80), (0, 65536), (-1, 80)])
def test_no_ports(first: int | None, last: int | None) -> None:
    with pytest.raises(AwsError):
        ports_of("tcp", first, last)


def test_ranges_lose_their_host_bits() -> None:
    assert canonical_range("100.68.0.18/18") == "100.68.0.0/18"
    with pytest.raises(AwsError):
        canonical_range("100.68.0.18")


@pytest.mark.parametrize(
    ("name", "description"),
    [
        ("default", "d"),
        ("sg-1", "d"),
        ("ü", "d"),
        ("x" * 256, "d"),
        ("", "d"),
        ("web", ""),
        ("web", "ä"),
        ("web", None),
    ],
)
def test_names_that_aws_refuses(name: str, description: str | None) -> None:
    with pytest.raises(AwsError):
        check_names(name, description)


@pytest.fixture
def group(lab: Lab) -> str:
    return str(lab.group(lab.vpc()))


def allow(port: int, **source: Any) -> dict[str, Any]:
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **(source or {"IpRanges": ANYWHERE})}


def ingress(lab: Lab, group: str) -> list[tuple[Any, ...]]:
    rules = lab.plane.snapshot().security_groups[group].ingress
    return [(rule.protocol, rule.from_port, [str(cidr) for cidr in rule.cidrs], rule.group_ids) for rule in rules]


@pytest.mark.correction(
    "ec2:AuthorizeSecurityGroupIngress", "A request adds all of its rules in their order, or none of them."
)
@pytest.mark.correction("ec2:RevokeSecurityGroupIngress", "A request removes all of its rules, or none of them.")
def test_all_rules_or_none(lab: Lab, group: str) -> None:
    authorize = lab.ec2.authorize_security_group_ingress
    made = authorize(GroupId=group, IpPermissions=[allow(80), allow(443)])["SecurityGroupRules"]
    assert [rule["FromPort"] for rule in made] == [80, 443]
    lab.refused("InvalidPermission.Duplicate", authorize, GroupId=group, IpPermissions=[allow(22), allow(80)])
    lab.refused("InvalidPermission.Duplicate", authorize, GroupId=group, IpPermissions=[allow(22), allow(22)])
    unknown = [{"GroupId": "sg-0123456789abcdef0"}]
    permissions = [allow(22), allow(23, UserIdGroupPairs=unknown)]
    lab.refused("InvalidGroup.NotFound", authorize, GroupId=group, IpPermissions=permissions)
    assert [rule[1] for rule in ingress(lab, group)] == [80, 443]
    revoke = lab.ec2.revoke_security_group_ingress
    lab.refused("InvalidPermission.NotFound", revoke, GroupId=group, IpPermissions=[allow(80), allow(22)])
    assert [rule[1] for rule in ingress(lab, group)] == [80, 443]
    revoke(GroupId=group, SecurityGroupRuleIds=[made[0]["SecurityGroupRuleId"]])
    lab.refused(
        "InvalidPermission.NotFound", revoke, GroupId=group, SecurityGroupRuleIds=[made[0]["SecurityGroupRuleId"]]
    )
    assert [rule[1] for rule in ingress(lab, group)] == [443]


@pytest.mark.correction(
    "ec2:AuthorizeSecurityGroupIngress",
    "Two rules are the same if they differ in their description only, or in bits behind the prefix of a CIDR block.",
    also=(
        "Rule.__eq__",
        "Rule.description",
    ),
)
def test_rules_are_the_same_whatever_they_are_described_as(lab: Lab, group: str) -> None:
    authorize, revoke = lab.ec2.authorize_security_group_ingress, lab.ec2.revoke_security_group_ingress
    described = allow(80, UserIdGroupPairs=[{"GroupId": group, "Description": "ourselves"}])
    authorize(GroupId=group, IpPermissions=[described, allow(22, IpRanges=[{"CidrIp": "100.68.0.18/18"}])])
    plain = allow(80, UserIdGroupPairs=[{"GroupId": group}])
    canonical = allow(22, IpRanges=[{"CidrIp": "100.68.0.0/18", "Description": "office"}])
    for again in (plain, canonical):
        lab.refused("InvalidPermission.Duplicate", authorize, GroupId=group, IpPermissions=[again])
    rules = lab.ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])
    assert {rule.get("Description") for rule in rules["SecurityGroupRules"] if not rule["IsEgress"]} == {
        "ourselves",
        None,
    }
    revoke(GroupId=group, IpPermissions=[plain, canonical])
    assert ingress(lab, group) == []


@pytest.mark.correction(
    "ec2:AuthorizeSecurityGroupIngress", "A rule has a protocol, both ports in ascending order, and a source."
)
@pytest.mark.parametrize(
    ("permission", "code"),
    [
        ({"IpProtocol": "tcp", "IpRanges": ANYWHERE}, "InvalidParameterValue"),
        ({"IpProtocol": "tcp", "FromPort": 90, "ToPort": 80, "IpRanges": ANYWHERE}, "InvalidParameterValue"),
        ({"IpProtocol": "http", "IpRanges": ANYWHERE}, "InvalidParameterValue"),
        ({"IpProtocol": "-1"}, "MissingParameter"),
        ({"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.0.0"}]}, "InvalidParameterValue"),
        ({"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": "2001:db8::x/32"}]}, "InvalidParameterValue"),
        (
            {"IpProtocol": "-1", "PrefixListIds": [{"PrefixListId": "pl-0123456789abcdef0"}]},
            "InvalidPrefixListID.NotFound",
        ),
        ({"IpRanges": ANYWHERE}, "InvalidParameterValue"),
    ],
)
def test_rules_that_aws_refuses(lab: Lab, group: str, permission: dict[str, Any], code: str) -> None:
    lab.refused(code, lab.ec2.authorize_security_group_ingress, GroupId=group, IpPermissions=[permission])


def test_sixty_rules(lab: Lab, group: str) -> None:
    authorize = lab.ec2.authorize_security_group_ingress
    authorize(GroupId=group, IpPermissions=[allow(port) for port in range(1, 61)])
    lab.refused("RulesPerSecurityGroupLimitExceeded", authorize, GroupId=group, IpPermissions=[allow(61)])


def origin_facing(lab: Lab) -> str:
    named = [{"Name": "prefix-list-name", "Values": ["com.amazonaws.global.cloudfront.origin-facing"]}]
    [found] = lab.ec2.describe_managed_prefix_lists(Filters=named)["PrefixLists"]
    return str(found["PrefixListId"])


@pytest.mark.correction(
    "ec2:AuthorizeSecurityGroupIngress",
    "IPv4 and IPv6 rules are counted separately, and a prefix list counts as its entries can be at most.",
    also=("GroupsBackend._verify_group_will_respect_rule_count_limit",),
)
def test_how_rules_are_counted(lab: Lab, group: str) -> None:
    authorize, full = lab.ec2.authorize_security_group_ingress, "RulesPerSecurityGroupLimitExceeded"
    lists = [{"PrefixListId": origin_facing(lab)}]
    authorize(GroupId=group, IpPermissions=[allow(port) for port in range(1, 61)])
    authorize(GroupId=group, IpPermissions=[allow(port, Ipv6Ranges=[{"CidrIpv6": "::/0"}]) for port in range(1, 61)])
    lab.refused(full, authorize, GroupId=group, IpPermissions=[allow(61, UserIdGroupPairs=[{"GroupId": group}])])
    lab.ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[allow(port) for port in range(1, 7)])
    lab.refused(full, authorize, GroupId=group, IpPermissions=[allow(61, PrefixListIds=lists)])
    lab.ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[allow(port) for port in range(7, 56)])
    authorize(GroupId=group, IpPermissions=[allow(61, PrefixListIds=lists)])


@pytest.mark.correction(
    "ec2:AuthorizeSecurityGroupIngress",
    "An IPv6 CIDR block is returned as RFC 5952 spells it. Two rules are the same if only the spelling differs.",
    page="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Ipv6Range.html",
)
def test_ipv6_rules_are_canonical(lab: Lab, group: str) -> None:
    authorize = lab.ec2.authorize_security_group_ingress
    given = [{"CidrIpv6": "2001:DB8:0::1/32", "Description": "six"}]
    authorize(GroupId=group, IpPermissions=[allow(80, Ipv6Ranges=given)])
    again = allow(80, Ipv6Ranges=[{"CidrIpv6": "2001:db8::/32"}])
    lab.refused("InvalidPermission.Duplicate", authorize, GroupId=group, IpPermissions=[again])
    authorize(GroupId=group, IpPermissions=[allow(80, Ipv6Ranges=[{"CidrIpv6": "2001:db9::/32"}])])
    [found] = lab.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    assert found["IpPermissions"][0]["Ipv6Ranges"] == [
        {"CidrIpv6": "2001:db8::/32", "Description": "six"},
        {"CidrIpv6": "2001:db9::/32"},
    ]
    lab.ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[again])
    [found] = lab.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    assert found["IpPermissions"][0]["Ipv6Ranges"] == [{"CidrIpv6": "2001:db9::/32"}]


def test_ipv6_and_lists_in_the_world(lab: Lab, group: str) -> None:
    peers = {"PrefixListIds": [{"PrefixListId": origin_facing(lab)}], "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}
    echo = {"IpProtocol": "icmpv6", "FromPort": 128, "ToPort": -1, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}
    lab.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[allow(443, **peers), echo])
    assert ingress(lab, group) == [
        ("tcp", 443, [], ()),  # no packet of the lab is IPv6
        ("tcp", 443, ["198.18.0.9/32"], ()),
        ("icmpv6", 128, [], ()),
    ]


@pytest.mark.correction(
    "ec2:DescribeSecurityGroups", "A prefix list has the description of its rule.", also=("Group._flattened_rules",)
)
def test_prefix_lists_are_described(lab: Lab, group: str) -> None:
    one = {"PrefixListId": origin_facing(lab)}
    lab.ec2.authorize_security_group_ingress(
        GroupId=group, IpPermissions=[allow(443, PrefixListIds=[{**one, "Description": "CloudFront"}])]
    )

    def lists() -> Any:
        [found] = lab.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
        return found["IpPermissions"][0]["PrefixListIds"]

    assert lists() == [{**one, "Description": "CloudFront"}]
    lab.ec2.update_security_group_rule_descriptions_ingress(
        GroupId=group, IpPermissions=[allow(443, PrefixListIds=[one])]
    )
    assert lists() == [one]


@pytest.mark.correction(
    "ec2:AuthorizeSecurityGroupEgress",
    "A rule can have a prefix list, another group, an ICMP type, or a protocol by its number.",
)
@pytest.mark.correction(
    "ec2:RevokeSecurityGroupEgress", "The rule that allows all outgoing traffic can be removed by its fields."
)
def test_every_kind_of_source_reaches_the_world(lab: Lab, group: str) -> None:
    [s3] = lab.ec2.describe_prefix_lists(
        Filters=[{"Name": "prefix-list-name", "Values": ["com.amazonaws.eu-central-1.s3"]}]
    )["PrefixLists"]
    lab.ec2.revoke_security_group_egress(GroupId=group, IpPermissions=[{"IpProtocol": "-1", "IpRanges": ANYWHERE}])
    lab.ec2.authorize_security_group_egress(
        GroupId=group, IpPermissions=[allow(443, PrefixListIds=[{"PrefixListId": s3["PrefixListId"]}])]
    )
    lab.ec2.authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=[
            {"IpProtocol": "icmp", "FromPort": 8, "ToPort": -1, "IpRanges": ANYWHERE},
            {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group}]},
            {"IpProtocol": "50", "IpRanges": [{"CidrIp": "192.0.2.0/24"}]},
        ],
    )
    [egress] = lab.plane.snapshot().security_groups[group].egress
    assert [str(cidr) for cidr in egress.cidrs] == ["198.18.0.4/32"]
    assert ingress(lab, group) == [
        ("icmp", 8, ["0.0.0.0/0"], ()),
        ("-1", None, [], (group,)),
        ("50", None, ["192.0.2.0/24"], ()),
    ]


@pytest.mark.correction(
    "ec2:DeleteSecurityGroup",
    "A group that an interface or a rule of another group refers to cannot be deleted, nor can a default group.",
)
def test_groups_that_something_needs_stay(lab: Lab) -> None:
    vpc = lab.vpc()
    web, balancer = lab.group(vpc, "web"), lab.group(vpc, "balancer")
    pairs = [allow(80, UserIdGroupPairs=[{"GroupId": balancer}]), allow(81, UserIdGroupPairs=[{"GroupId": web}])]
    lab.ec2.authorize_security_group_ingress(GroupId=web, IpPermissions=pairs)
    delete = lab.ec2.delete_security_group
    lab.refused("DependencyViolation", delete, GroupId=balancer)
    instance = lab.running(lab.subnet(vpc), SecurityGroupIds=[web])
    lab.refused("DependencyViolation", delete, GroupId=web)
    lab.plane.instance_state(instance, "terminated")
    delete(GroupId=web)  # a reference to itself does not prevent the deletion
    delete(GroupId=balancer)
    lab.refused("InvalidGroup.NotFound", delete, GroupId=web)
    [default] = lab.ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["SecurityGroups"]
    lab.refused("CannotDelete", delete, GroupId=default["GroupId"])


def test_names_are_unique_in_a_vpc(lab: Lab) -> None:
    one, two = lab.vpc(), lab.vpc("10.1.0.0/16")
    lab.group(one)
    lab.group(two)
    create = lab.ec2.create_security_group
    lab.refused("InvalidGroup.Duplicate", create, GroupName="web", Description="again", VpcId=one)
    lab.refused("InvalidVpcID.NotFound", create, GroupName="web", Description="d", VpcId="vpc-0123456789abcdef0")


@pytest.mark.correction("ec2:CreateSecurityGroup", "A name has characters of a set, and not the form of an id.")
def test_names_that_are_refused(lab: Any) -> None:
    create, vpc = lab.ec2.create_security_group, lab.vpc()
    for name, description in (("sg-1", "d"), ("default", "d"), ("\u00fc", "d"), ("web", "\u00e4")):
        lab.refused("InvalidParameterValue", create, GroupName=name, Description=description, VpcId=vpc)


@pytest.mark.correction("ec2:DescribeSecurityGroups", "A filter of an unknown name is refused.")
def test_unknown_filters_of_groups(lab: Any) -> None:
    lab.refused("InvalidParameterValue", lab.ec2.describe_security_groups, Filters=[{"Name": "nme", "Values": ["x"]}])


@pytest.mark.correction(
    "ec2:ModifySecurityGroupRules", "The bits of a CIDR block behind its prefix are zero, and ports are checked."
)
def test_a_rule_is_modified(lab: Any, group: str) -> None:
    [rule] = lab.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[allow(80)])["SecurityGroupRules"]
    modify = lab.ec2.modify_security_group_rules
    changed = {"IpProtocol": "TCP", "FromPort": 443, "ToPort": 443, "CidrIpv4": "10.0.0.9/8"}
    wrong = {**changed, "ToPort": 80}
    wanted, refused = (
        [{"SecurityGroupRuleId": rule["SecurityGroupRuleId"], "SecurityGroupRule": each}] for each in (changed, wrong)
    )
    lab.refused("InvalidParameterValue", modify, GroupId=group, SecurityGroupRules=refused)
    modify(GroupId=group, SecurityGroupRules=wanted)
    here = [{"Name": "group-id", "Values": [group]}]
    rules = lab.ec2.describe_security_group_rules(Filters=here)["SecurityGroupRules"]
    [found] = [each for each in rules if not each["IsEgress"]]
    assert (found["IpProtocol"], found["FromPort"], found["CidrIpv4"]) == ("tcp", 443, "10.0.0.0/8")


def rule_of(lab: Any, group: str) -> dict[str, Any]:
    here = [{"Name": "group-id", "Values": [group]}]
    rules = lab.ec2.describe_security_group_rules(Filters=here)["SecurityGroupRules"]
    [found] = [each for each in rules if not each["IsEgress"]]
    return dict(found)


@pytest.mark.correction(
    "ec2:ModifySecurityGroupRules", "Rules of each kind of source are modified, and keep the kind.",
    page="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SecurityGroupRuleRequest.html",
)  # fmt: skip
def test_rules_of_each_kind_are_modified(lab: Any, group: str) -> None:
    other = lab.group(lab.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["VpcId"], "other")
    lists = [each["PrefixListId"] for each in lab.ec2.describe_managed_prefix_lists()["PrefixLists"]][:2]
    kinds: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = [
        ({"IpRanges": ANYWHERE}, {"CidrIpv4": "10.0.0.9/8"}, {"CidrIpv4": "10.0.0.0/8"}),
        ({"Ipv6Ranges": [{"CidrIpv6": "::/0"}]}, {"CidrIpv6": "2001:DB8:0::1/32"}, {"CidrIpv6": "2001:db8::/32"}),
        (
            {"UserIdGroupPairs": [{"GroupId": group}]},
            {"ReferencedGroupId": other},
            {"ReferencedGroupInfo": {"GroupId": other, "UserId": ACCOUNT}},
        ),
        ({"PrefixListIds": [{"PrefixListId": lists[0]}]}, {"PrefixListId": lists[1]}, {"PrefixListId": lists[1]}),
    ]
    modify = lab.ec2.modify_security_group_rules
    for made, wanted, found in kinds:
        request = {"GroupId": group, "IpPermissions": [allow(80, **made)]}
        [rule] = lab.ec2.authorize_security_group_ingress(**request)["SecurityGroupRules"]

        def modified(changed: Any, rule: Any = rule) -> dict[str, Any]:
            one = {"SecurityGroupRuleId": rule["SecurityGroupRuleId"], "SecurityGroupRule": changed}
            return {"GroupId": group, "SecurityGroupRules": [one]}

        assert modify(**modified({"IpProtocol": "-1", **wanted, "Description": "new"}))["Return"] is True
        told = rule_of(lab, group)
        assert told.items() >= {**found, "IpProtocol": "-1", "Description": "new"}.items()
        for _, foreign, _ in kinds:
            if foreign is not wanted:
                lab.refused("InvalidParameterValue", modify, **modified({"IpProtocol": "-1", **foreign}))
                lab.refused(
                    "InvalidParameterCombination", modify, **modified({"IpProtocol": "-1", **foreign, **wanted})
                )
        assert rule_of(lab, group) == told
        modify(**modified({"IpProtocol": "udp", "FromPort": 53, "ToPort": 53, **wanted}))
        assert rule_of(lab, group).items() >= {**found, "FromPort": 53, "Description": "new"}.items()
        lab.ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]])


@pytest.mark.correction(
    "ec2:ModifySecurityGroupRules", "A rule is not modified into one that AuthorizeSecurityGroupIngress refuses."
)
def test_modifications_that_aws_refuses(lab: Any, group: str) -> None:
    rules = [
        *[allow(port) for port in range(1, 6)],
        allow(80, PrefixListIds=[{"PrefixListId": "pl-0123456789abcdef0"}]),
    ]
    small = lab.ec2.create_managed_prefix_list(PrefixListName="small", MaxEntries=1, AddressFamily="IPv4")
    rules[-1]["PrefixListIds"][0]["PrefixListId"] = small["PrefixList"]["PrefixListId"]
    authorize, modify = lab.ec2.authorize_security_group_ingress, lab.ec2.modify_security_group_rules
    ids = [each["SecurityGroupRuleId"] for each in authorize(GroupId=group, IpPermissions=rules)["SecurityGroupRules"]]
    authorize(GroupId=group, IpPermissions=[allow(90, UserIdGroupPairs=[{"GroupId": group}])])
    elsewhere = lab.group(lab.vpc("10.9.0.0/16"))
    port = {"IpProtocol": "tcp", "FromPort": 2, "ToPort": 2}
    here = [{"Name": "group-id", "Values": [group]}]
    before = lab.ec2.describe_security_group_rules(Filters=here)["SecurityGroupRules"]
    for rule_id, wanted, code in [
        (ids[0], {"CidrIpv4": "0.0.0.0/0"}, "InvalidPermission.Duplicate"),
        (ids[0], {}, "MissingParameter"),
        (ids[0], {"ReferencedGroupId": elsewhere}, "InvalidParameterValue"),
        ("sgr-0123456789abcdef0", {"CidrIpv4": "0.0.0.0/0"}, "InvalidSecurityGroupRuleId.NotFound"),
        (ids[-1], {"PrefixListId": "pl-0123456789abcdef0"}, "InvalidPrefixListID.NotFound"),
        (ids[-1], {"PrefixListId": origin_facing(lab)}, "RulesPerSecurityGroupLimitExceeded"),
    ]:
        one = {"SecurityGroupRuleId": rule_id, "SecurityGroupRule": {**port, **wanted}}
        lab.refused(code, modify, GroupId=group, SecurityGroupRules=[one])
        assert lab.ec2.describe_security_group_rules(Filters=here)["SecurityGroupRules"] == before


@pytest.mark.correction("ec2:UpdateSecurityGroupRuleDescriptionsIngress", "The answer is Return.")
@pytest.mark.correction("ec2:UpdateSecurityGroupRuleDescriptionsEgress", "The answer is Return.")
def test_descriptions_are_updated(lab: Any, group: str) -> None:
    described = [allow(80, IpRanges=[{"CidrIp": "10.0.0.0/8", "Description": "one"}])]
    for direction in ("ingress", "egress"):
        authorize = getattr(lab.ec2, f"authorize_security_group_{direction}")
        [rule] = authorize(GroupId=group, IpPermissions=described)["SecurityGroupRules"]
        update = getattr(lab.ec2, f"update_security_group_rule_descriptions_{direction}")
        other = allow(80, IpProtocol="6", IpRanges=[{"CidrIp": "10.0.0.9/8", "Description": "two"}])
        by_id = [{"SecurityGroupRuleId": rule["SecurityGroupRuleId"], "Description": "three"}]
        for request, text in (({"IpPermissions": [other]}, "two"), ({"SecurityGroupRuleDescriptions": by_id}, "three")):
            assert update(GroupId=group, **request)["Return"] is True
            found = lab.ec2.describe_security_group_rules(SecurityGroupRuleIds=[rule["SecurityGroupRuleId"]])
            assert [each["Description"] for each in found["SecurityGroupRules"]] == [text]


@pytest.mark.correction(
    "ec2:UpdateSecurityGroupRuleDescriptionsIngress",
    "A description that the request does not contain is removed.",
    also=("GroupsBackend._sg_update_description",),
)
def test_a_description_is_removed(lab: Any, group: str) -> None:
    described = allow(80, IpRanges=[{"CidrIp": "0.0.0.0/0", "Description": "all"}])
    lab.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[described])
    lab.ec2.update_security_group_rule_descriptions_ingress(GroupId=group, IpPermissions=[allow(80)])
    [found] = lab.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    assert found["IpPermissions"][0]["IpRanges"] == ANYWHERE


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("ip-permission.from-port", "80", True),
        ("ip-permission.from-port", "8*", True),
        ("ip-permission.cidr", "10.0.0.0/8", False),
        ("egress.ip-permission.from-port", "80", False),
    ],
)
def test_filters_of_groups(lab: Any, group: str, name: str, value: str, found: bool) -> None:
    lab.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[allow(80)])
    groups = lab.ec2.describe_security_groups(Filters=[{"Name": name, "Values": [value]}])["SecurityGroups"]
    assert (group in [each["GroupId"] for each in groups]) is found


@pytest.mark.correction("ec2:DescribeSecurityGroupRules", "A filter of an unknown name is refused.")
def test_unknown_filters_of_rules(lab: Any) -> None:
    wrong = [{"Name": "port", "Values": ["80"]}]
    lab.refused("InvalidParameterValue", lab.ec2.describe_security_group_rules, Filters=wrong)
