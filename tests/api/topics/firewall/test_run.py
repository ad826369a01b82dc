"""Security groups against the lab's control plane: plan = run, nothing twice, calls counted, only ours touched."""

from __future__ import annotations

import typing as t

import pytest
from cloud import Cloud, Survives, told

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import InputError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner, tag_list
from ansible_collections.groundwork.aws.plugins.module_utils.topics.firewall.changes import plan_groups
from ansible_collections.groundwork.aws.plugins.module_utils.topics.firewall.options import parse_security_groups
from ansible_collections.groundwork.aws.plugins.module_utils.topics.firewall.rules import existing_rules
from ansible_collections.groundwork.aws.plugins.module_utils.topics.firewall.run import converge_security_groups

Make = t.Callable[..., dict[str, t.Any]]


def look(cloud: Cloud) -> t.Any:
    """Return the environment's security groups and rules, without ids."""
    groups = cloud.ec2.describe_security_groups(Filters=[{"Name": "tag:groundwork:environment", "Values": ["dev"]}])[
        "SecurityGroups"
    ]
    names = {one["GroupId"]: one["GroupName"] for one in groups}
    return {
        one["GroupName"]: sorted(
            f"{rule} ({existing.description})" for rule, existing in existing_rules(one, names).items()
        )
        for one in groups
    }


@pytest.fixture
def site(options: Make, group: Make, rule: Make) -> Make:
    """Return two security groups that refer to each other, of which one also refers to itself."""

    def make(**given: t.Any) -> dict[str, t.Any]:
        return options(
            group(
                "alb",
                description="Balancer",
                ingress=[rule(ports=["80", "443"], cidrs=["0.0.0.0/0"], description="web")],
                egress=[rule(ports=["80"], groups=["web"])],
            ),
            group(
                "web",
                ingress=[
                    rule(ports=["80"], groups=["alb"]),
                    rule(protocol="all", groups=["web"]),
                    rule(ports=["22"], cidrs=["198.51.100.0/24", "203.0.113.0/24"]),
                ],
            ),
            **given,
        )

    return make


SITE = {
    "dev-alb": ["tcp 443 from 0.0.0.0/0 (web)", "tcp 80 from 0.0.0.0/0 (web)", "tcp 80 to dev-web ()"],
    "dev-web": [
        "all from dev-web ()",
        "all to 0.0.0.0/0 ()",
        "tcp 22 from 198.51.100.0/24 ()",
        "tcp 22 from 203.0.113.0/24 ()",
        "tcp 80 from dev-alb ()",
    ],
}


def test_the_plan_of_an_empty_account_is_the_run(cloud: Cloud, site: Make, make_vpc: t.Callable[[Cloud], str]) -> None:
    planned = cloud.run(converge_security_groups, site(), check_mode=True)
    assert cloud.writes == []
    make_vpc(cloud)
    done = cloud.run(converge_security_groups, site())
    assert (
        told(planned)
        == told(done)
        == [
            "create security group alb",
            "create security group web",
            "update security group rules alb",
            "update security group rules web",
        ]
    )
    assert planned["groups"] == dict.fromkeys(("alb", "web"), "(known after apply)")
    assert planned["diff"][2]["after"] == {
        "ingress": ["tcp 80 from 0.0.0.0/0 (web)", "tcp 443 from 0.0.0.0/0 (web)"],
        "egress": ["tcp 80 to web"],
    }
    assert look(cloud) == SITE


def test_the_second_run_changes_nothing_in_one_call(
    cloud: Cloud, site: Make, make_vpc: t.Callable[[Cloud], str]
) -> None:
    make_vpc(cloud)
    first = cloud.run(converge_security_groups, site(purge=True))
    again = cloud.run(converge_security_groups, site(purge=True))
    assert told(again) == [] and again["groups"] == first["groups"]
    assert cloud.calls == ["DescribeSecurityGroups"]
    assert cloud.warnings == []


@pytest.mark.exhaustive
def test_killed_anywhere_it_converges(survives: Survives, site: Make, make_vpc: t.Callable[[Cloud], str]) -> None:
    assert survives(converge_security_groups, site(), look, make_vpc) == 6


def test_a_removal_killed_anywhere_converges(
    survives: Survives, site: Make, options: Make, make_vpc: t.Callable[[Cloud], str]
) -> None:
    def prepare(cloud: Cloud) -> None:
        make_vpc(cloud)
        cloud.run(converge_security_groups, site())

    assert survives(converge_security_groups, options(purge=True), look, prepare) == 6


def test_rules_that_nobody_declared_go(cloud: Cloud, site: Make, make_vpc: t.Callable[[Cloud], str]) -> None:
    make_vpc(cloud)
    ids = cloud.run(converge_security_groups, site())["groups"]
    by_hand = [
        {
            "IpProtocol": "tcp",
            "FromPort": 80,
            "ToPort": 80,
            "IpRanges": [{"CidrIp": "192.0.2.1/32", "Description": "me"}],
        },
        {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
        {"IpProtocol": "udp", "FromPort": 1, "ToPort": 9, "UserIdGroupPairs": [{"GroupId": ids["alb"]}]},
    ]
    cloud.ec2.authorize_security_group_ingress(GroupId=ids["web"], IpPermissions=by_hand)
    planned = cloud.run(converge_security_groups, site(), check_mode=True)
    assert told(planned) == ["update security group rules web"]
    assert set(planned["diff"][0]["before"]["ingress"]) - set(planned["diff"][0]["after"]["ingress"]) == {
        "tcp 80 from 192.0.2.1/32 (me)",
        "tcp 22 from 0.0.0.0/0",
        "udp 1-9 from alb",
    }
    assert told(cloud.run(converge_security_groups, site())) == ["update security group rules web"]
    assert cloud.writes == ["RevokeSecurityGroupIngress"]
    assert look(cloud) == SITE


def test_a_rule_that_is_gone_comes_back(cloud: Cloud, site: Make, make_vpc: t.Callable[[Cloud], str]) -> None:
    make_vpc(cloud)
    ids = cloud.run(converge_security_groups, site())["groups"]
    open_egress = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    cloud.ec2.revoke_security_group_egress(GroupId=ids["web"], IpPermissions=[open_egress])
    assert told(cloud.run(converge_security_groups, site())) == ["update security group rules web"]
    assert look(cloud) == SITE


@pytest.mark.parametrize("peer", [{"cidrs": ["10.0.0.0/8"]}, {"groups": ["web"]}])
def test_another_description_is_a_change_of_words_only(
    cloud: Cloud, options: Make, group: Make, rule: Make, make_vpc: t.Callable[[Cloud], str], peer: dict[str, t.Any]
) -> None:
    def web(text: str) -> dict[str, t.Any]:
        return options(group("web", ingress=[rule(ports=["80"], description=text, **peer)]))

    make_vpc(cloud)
    cloud.run(converge_security_groups, web("one"))
    assert told(cloud.run(converge_security_groups, web("other"))) == ["update security group rules web"]
    assert cloud.writes == ["UpdateSecurityGroupRuleDescriptionsIngress"]
    assert told(cloud.run(converge_security_groups, web("other"))) == []
    assert told(cloud.run(converge_security_groups, web(""))) == ["update security group rules web"]
    assert told(cloud.run(converge_security_groups, web(""))) == []


def test_a_groups_own_description_stays(
    cloud: Cloud, options: Make, group: Make, make_vpc: t.Callable[[Cloud], str]
) -> None:
    make_vpc(cloud)
    cloud.run(converge_security_groups, options(group("web", description="one")))
    assert told(cloud.run(converge_security_groups, options(group("web", description="other")))) == []
    assert cloud.warnings == [
        "The security group web keeps its description 'one', because AWS cannot change it. "
        "To change it, delete the group and run again."
    ]
    assert told(cloud.run(converge_security_groups, options(group("web")))) == []
    assert cloud.warnings == []


def test_what_is_not_declared_stays_until_it_may_go(
    cloud: Cloud, site: Make, options: Make, group: Make, make_vpc: t.Callable[[Cloud], str]
) -> None:
    vpc = make_vpc(cloud)
    cloud.run(converge_security_groups, site())
    theirs = cloud.ec2.create_security_group(GroupName="theirs", Description="x", VpcId=vpc)["GroupId"]
    kept = cloud.run(converge_security_groups, options(group("new")))
    assert (told(kept), kept["undeclared"]) == (["create security group new"], ["alb", "web"])
    assert cloud.warnings == ["The security groups alb, web are not declared. Set purge to delete them."]
    assert told(cloud.run(converge_security_groups, options(group("new"), purge=True))) == [
        "update security group rules alb",
        "update security group rules web",
        "delete security group alb",
        "delete security group web",
    ]
    assert list(look(cloud)) == ["dev-new"]
    assert cloud.ec2.describe_security_groups(GroupIds=[theirs])["SecurityGroups"]


def test_a_group_with_another_name_keeps_its_traffic_until_the_purge(
    cloud: Cloud, options: Make, group: Make, rule: Make, make_vpc: t.Callable[[Cloud], str]
) -> None:
    def site(name: str, **given: bool) -> dict[str, t.Any]:
        alb = group("alb", ingress=[rule(ports=["443"], groups=[name])], egress=[rule(ports=["80"], groups=[name])])
        return options(alb, group(name, ingress=[rule(ports=["80"], groups=["alb"])]), **given)

    make_vpc(cloud)
    cloud.run(converge_security_groups, site("web"))
    cloud.run(converge_security_groups, site("servers", moving=True))
    assert look(cloud)["dev-alb"] == [
        "tcp 443 from dev-servers ()",
        "tcp 443 from dev-web ()",
        "tcp 80 to dev-servers ()",
        "tcp 80 to dev-web ()",
    ]
    assert look(cloud)["dev-web"] == look(cloud)["dev-servers"]
    assert told(cloud.run(converge_security_groups, site("servers", moving=True))) == []
    assert told(cloud.run(converge_security_groups, site("servers"), check_mode=True)) == [
        "update security group rules alb"
    ]
    assert told(cloud.run(converge_security_groups, site("servers", purge=True))) == [
        "update security group rules alb",
        "update security group rules web",
        "delete security group web",
    ]
    assert look(cloud)["dev-alb"] == ["tcp 443 from dev-servers ()", "tcp 80 to dev-servers ()"]


def test_without_room_for_both_the_old_rules_go_at_once(options: Make, group: Make, rule: Make) -> None:
    pairs = [{"GroupId": "sg-2"}]
    ports = [{"IpProtocol": "tcp", "FromPort": n, "ToPort": n, "UserIdGroupPairs": pairs} for n in range(40)]
    web = {"GroupId": "sg-1", "IpPermissions": ports, "IpPermissionsEgress": []}
    old = {"GroupId": "sg-2", "IpPermissions": [], "IpPermissionsEgress": []}
    wanted = rule(ports=[str(n) for n in range(40)], groups=["new"])
    owner = Owner("dev", "firewall")
    new = group("new", egress=[])
    desired = parse_security_groups(options(group("web", ingress=[wanted], egress=[]), new, moving=True), Problems())
    assert desired
    observed = {
        name: {**one, "Tags": tag_list(owner.tags(name))}
        for name, one in (("web", web), ("old", old), ("new", {**old, "GroupId": "sg-3"}))
    }
    [change] = plan_groups(desired, observed, owner)
    assert [call.operation for call in change.calls] == [
        "revoke_security_group_ingress",
        "authorize_security_group_ingress",
    ]


def test_extra_tags_are_added(cloud: Cloud, site: Make, make_vpc: t.Callable[[Cloud], str]) -> None:
    make_vpc(cloud)
    cloud.run(converge_security_groups, site())
    tagged = cloud.run(converge_security_groups, site(tags={"team": "web"}))
    assert told(tagged) == ["update tags security group alb, security group web"]
    assert cloud.writes == ["CreateTags"]


def test_without_a_vpc_nothing_is_written(cloud: Cloud, site: Make) -> None:
    with pytest.raises(InputError, match="the environment dev has no VPC for the security groups; run ec2_vpc_network"):
        cloud.run(converge_security_groups, site())
    assert cloud.writes == []


@pytest.mark.parametrize(
    ("old", "new", "order"),
    [
        (10, 10, ["authorize_security_group_ingress", "revoke_security_group_ingress"]),
        (40, 40, ["revoke_security_group_ingress", "authorize_security_group_ingress"]),
    ],
)
def test_new_rules_come_first_where_the_quota_has_room(
    options: Make, group: Make, rule: Make, old: int, new: int, order: list[str]
) -> None:
    ports = [
        {"IpProtocol": "tcp", "FromPort": n, "ToPort": n, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]} for n in range(old)
    ]
    actual = {"GroupId": "sg-1", "IpPermissions": ports, "IpPermissionsEgress": []}
    wanted = rule(ports=[str(1000 + n) for n in range(new)], cidrs=["10.0.0.0/8"])
    owner = Owner("dev", "firewall")
    desired = parse_security_groups(options(group("web", ingress=[wanted], egress=[])), Problems())
    assert desired
    [change] = plan_groups(desired, {"web": {**actual, "Tags": tag_list(owner.tags("web"))}}, owner)
    assert [call.operation for call in change.calls] == order


def test_more_rules_than_usual_are_compared_with_the_accounts_quota(
    cloud: Cloud, options: Make, group: Make, rule: Make
) -> None:
    cloud.ec2.create_vpc(
        CidrBlock="10.20.0.0/16",
        TagSpecifications=[{"ResourceType": "vpc", "Tags": tag_list(Owner("dev", "network").tags("main"))}],
    )
    many = options(group("web", ingress=[rule(ports=[str(port) for port in range(61)], cidrs=["10.0.0.0/8"])]))
    with pytest.raises(InputError, match=r"groups\[0\].ingress: 61 more .* the quota of the account is 60"):
        cloud.run(converge_security_groups, many)
    assert cloud.writes == []
    from moto.servicequotas.models import servicequotas_backends

    servicequotas_backends["123456789012"]["eu-central-1"].applied["vpc", "L-0EA8095F"] = 100.0
    assert cloud.run(converge_security_groups, many, check_mode=True)["changed"]  # the lab itself allows 60 only
    few = options(group("web", ingress=[rule(ports=["80"], cidrs=["10.0.0.0/8"])]))
    cloud.run(converge_security_groups, few)
    assert "GetServiceQuota" not in cloud.calls


CLOUDFRONT = "com.amazonaws.global.cloudfront.origin-facing"


def list_id(cloud: Cloud, name: str) -> str:
    described = cloud.ec2.describe_managed_prefix_lists(Filters=[{"Name": "prefix-list-name", "Values": [name]}])
    found: str = described["PrefixLists"][0]["PrefixListId"]
    return found


@pytest.fixture
def every_kind(options: Make, group: Make, rule: Make) -> Make:
    """Return a group with rules of ICMP, IPv6 and prefix lists."""

    def make(*lists: str) -> dict[str, t.Any]:
        return options(
            group(
                "web",
                ingress=[
                    rule(protocol="icmp", icmp_type=8, cidrs=["0.0.0.0/0"]),
                    rule(protocol="icmp", icmp_type=3, icmp_code=4, groups=["web"]),
                    rule(protocol="icmp", cidrs=["10.0.0.0/8"]),
                    rule(protocol="icmpv6", cidrs_ipv6=["::/0"], description="all of it"),
                    rule(ports=["443"], cidrs_ipv6=["2001:db8::/32"], prefix_lists=list(lists), description="edge"),
                ],
                egress=[rule(protocol="all", cidrs=["0.0.0.0/0"], cidrs_ipv6=["::/0"])],
            )
        )

    return make


def test_rules_of_every_kind_converge(cloud: Cloud, every_kind: Make, make_vpc: t.Callable[[Cloud], str]) -> None:
    make_vpc(cloud)
    planned = cloud.run(converge_security_groups, every_kind(CLOUDFRONT), check_mode=True)
    assert planned["diff"][1]["after"]["ingress"] == [
        "icmp from 10.0.0.0/8",
        "icmp type 3 code 4 from web",
        "icmp type 8 from 0.0.0.0/0",
        "icmpv6 from ::/0 (all of it)",
        "tcp 443 from 2001:db8::/32 (edge)",
        f"tcp 443 from {CLOUDFRONT} (edge)",
    ]
    assert told(cloud.run(converge_security_groups, every_kind(CLOUDFRONT))) == told(planned)
    assert told(cloud.run(converge_security_groups, every_kind(CLOUDFRONT))) == []
    assert cloud.calls == ["DescribeSecurityGroups", "DescribeManagedPrefixLists"]
    by_id = list_id(cloud, CLOUDFRONT)
    assert told(cloud.run(converge_security_groups, every_kind(by_id))) == []
    unknown = r"groups\[0\].ingress: the prefix list pl-0a1b2c3d does not exist in this region"
    with pytest.raises(InputError, match=unknown):
        cloud.run(converge_security_groups, every_kind("pl-0a1b2c3d"))
    assert cloud.writes == []


def test_drift_of_every_kind_is_taken_back(cloud: Cloud, every_kind: Make, make_vpc: t.Callable[[Cloud], str]) -> None:
    make_vpc(cloud)
    web = cloud.run(converge_security_groups, every_kind(CLOUDFRONT))["groups"]["web"]
    before = look(cloud)
    s3 = {"PrefixListId": list_id(cloud, "com.amazonaws.eu-central-1.s3")}
    by_hand = [
        {"IpProtocol": "icmp", "FromPort": 8, "ToPort": 0, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
        {"IpProtocol": "58", "FromPort": 128, "ToPort": -1, "Ipv6Ranges": [{"CidrIpv6": "2001:DB8::1/32"}]},
        {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "PrefixListIds": [s3]},
    ]
    cloud.ec2.authorize_security_group_ingress(GroupId=web, IpPermissions=by_hand)
    planned = cloud.run(converge_security_groups, every_kind(CLOUDFRONT), check_mode=True)
    seen = planned["diff"][0]
    assert set(seen["before"]["ingress"]) - set(seen["after"]["ingress"]) == {
        "icmp type 8 code 0 from 0.0.0.0/0",
        "icmpv6 type 128 from 2001:db8::/32",
        "tcp 443 from com.amazonaws.eu-central-1.s3",
    }
    cloud.run(converge_security_groups, every_kind(CLOUDFRONT))
    assert cloud.writes == ["RevokeSecurityGroupIngress"]
    assert look(cloud) == before
    cloud.run(converge_security_groups, every_kind())
    assert cloud.writes == ["RevokeSecurityGroupIngress"]
    assert told(cloud.run(converge_security_groups, every_kind())) == []
    assert cloud.calls == ["DescribeSecurityGroups"]  # without prefix lists there is nothing to look up


def test_a_list_counts_as_many_rules(
    cloud: Cloud, options: Make, group: Make, rule: Make, make_vpc: t.Callable[[Cloud], str]
) -> None:
    make_vpc(cloud)
    both = options(group("web", ingress=[rule(ports=["80", "443"], prefix_lists=[CLOUDFRONT])]))
    with pytest.raises(InputError, match=r"groups\[0\].ingress: 110 more .* the quota of the account is 60"):
        cloud.run(converge_security_groups, both, check_mode=True)
    six = "com.amazonaws.eu-central-1.ipv6.vpc-lattice"
    wrong = options(group("web", ingress=[rule(protocol="icmp", prefix_lists=[six])]))
    with pytest.raises(InputError, match=r"is of IPv6, which has no icmp; use protocol: icmpv6"):
        cloud.run(converge_security_groups, wrong)
    twice = [CLOUDFRONT, list_id(cloud, CLOUDFRONT)]
    rules = [rule(ports=["443"], prefix_lists=[each], description=each) for each in twice]
    with pytest.raises(InputError, match="is declared by its name and by its id"):
        cloud.run(converge_security_groups, options(group("web", ingress=rules)))
    assert cloud.writes == []


def test_what_aws_gives_a_group_in_a_vpc_with_ipv6(options: Make, group: Make, rule: Make) -> None:
    def calls(*egress: dict[str, t.Any], ipv6: bool) -> list[str]:
        desired = parse_security_groups(options(group("web", egress=list(egress))), Problems())
        assert desired
        changes = plan_groups(desired, {}, Owner("dev", "firewall"), ipv6=ipv6)
        return [call.operation for change in changes for call in change.calls][1:]

    four = rule(protocol="all", cidrs=["0.0.0.0/0"])
    both = {**four, "cidrs_ipv6": ["::/0"]}
    assert calls(four, ipv6=False) == []
    assert calls(four, ipv6=True) == ["revoke_security_group_egress"]
    assert calls(both, ipv6=False) == ["authorize_security_group_egress"]
    assert calls(both, ipv6=True) == []


def test_rules_for_kept_ports_stay_until_they_are_not_kept(
    cloud: Cloud, site: Make, make_vpc: t.Callable[[Cloud], str]
) -> None:
    make_vpc(cloud)
    cloud.run(converge_security_groups, site())
    fewer = site()
    fewer["groups"][0]["ingress"][0]["ports"] = ["80"]
    fewer["groups"][1]["ingress"].pop()
    kept = cloud.run(converge_security_groups, {**fewer, "kept_ports": [80, 443]})
    assert (told(kept), kept["kept"]) == (["update security group rules web"], ["alb"])
    assert "tcp 443 from 0.0.0.0/0 (web)" in look(cloud)["dev-alb"]
    again = cloud.run(converge_security_groups, {**fewer, "kept_ports": [80, 443]})
    assert (told(again), again["kept"]) == ([], ["alb"])
    closed = cloud.run(converge_security_groups, fewer)
    assert (told(closed), closed["kept"]) == (["update security group rules alb"], [])
    assert "tcp 443 from 0.0.0.0/0 (web)" not in look(cloud)["dev-alb"]
