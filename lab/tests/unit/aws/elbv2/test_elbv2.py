"""Elastic Load Balancing as on AWS: boto3 and the control plane on a socket."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Any

import pytest
from control_plane import Lab

from groundwork_lab.model import Target
from groundwork_lab.ports import HealthReport
from groundwork_lab.settings import POOL

FIXED: dict[str, Any] = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200", "MessageBody": "ok"}}


@dataclass
class FakeBalancers:
    health: dict[tuple[str, int], HealthReport] = field(default_factory=dict)

    def target_health(self, target_group_arn: str) -> dict[tuple[str, int], HealthReport]:
        return self.health

    def requests(self, target_group_arn: str) -> int | None:
        return None


@dataclass
class Site:
    """A VPC with public subnets in three zones, and ELB's client."""

    lab: Lab
    elb: Any
    vpc: str
    subnets: list[str]
    group: str
    balancers: FakeBalancers

    def balancer(self, name: str = "web", **options: Any) -> dict[str, Any]:
        request = {"Name": name, "Subnets": self.subnets[:2], "SecurityGroups": [self.group], **options}
        return dict(self.elb.create_load_balancer(**request)["LoadBalancers"][0])

    def target_group(self, name: str = "web", **options: Any) -> str:
        request = {"Name": name, "Protocol": "HTTP", "Port": 80, "VpcId": self.vpc, **options}
        return str(self.elb.create_target_group(**request)["TargetGroups"][0]["TargetGroupArn"])

    def listener(self, balancer: str, port: int = 80, action: dict[str, Any] | None = None, **options: Any) -> str:
        request = {"Protocol": "HTTP", "Port": port, "DefaultActions": [action or FIXED], **options}
        return str(self.elb.create_listener(LoadBalancerArn=balancer, **request)["Listeners"][0]["ListenerArn"])

    def rule(self, listener: str, priority: int, *paths: str, action: dict[str, Any] | None = None) -> str:
        made = self.elb.create_rule(
            ListenerArn=listener,
            Priority=priority,
            Conditions=[{"Field": "path-pattern", "PathPatternConfig": {"Values": list(paths)}}],
            Actions=[action or FIXED],
        )
        return str(made["Rules"][0]["RuleArn"])

    def health(self, group: str) -> dict[str, tuple[str, str]]:
        described = self.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return {
            each["Target"]["Id"]: (each["TargetHealth"]["State"], each["TargetHealth"].get("Reason", ""))
            for each in described
        }

    def interfaces(self) -> list[dict[str, Any]]:
        filters = [{"Name": "requester-id", "Values": ["amazon-elb"]}]
        return list(self.lab.ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"])


@pytest.fixture
def site(lab: Lab) -> Site:
    vpc = lab.vpc()
    subnets = [lab.subnet(vpc, f"10.0.{index}.0/24", zone) for index, zone in enumerate("abc")]
    lab.gateway(vpc)
    balancers = FakeBalancers()
    lab.plane.attach(lab.hosts, balancers)
    return Site(lab, lab.client("elbv2"), vpc, subnets, lab.group(vpc), balancers)


# Load balancers


@pytest.mark.correction(
    "elbv2:CreateLoadBalancer", "A load balancer has an interface in each of its subnets, with its security groups."
)
def test_a_balancer_keeps_an_interface_in_each_subnet(site: Site) -> None:
    made = site.balancer()
    interfaces = site.interfaces()
    assert {each["SubnetId"] for each in interfaces} == set(site.subnets[:2])
    assert {each["Description"] for each in interfaces} == {f"ELB {made['LoadBalancerArn'].split(':loadbalancer/')[1]}"}
    assert all(each["RequesterManaged"] and each["Status"] == "in-use" for each in interfaces)
    assert all(IPv4Address(each["Association"]["PublicIp"]) in POOL for each in interfaces)
    assert {group["GroupId"] for each in interfaces for group in each["Groups"]} == {site.group}


@pytest.mark.correction(
    "elbv2:CreateLoadBalancer",
    "The name of an internal load balancer begins with internal-.",
    page="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html",
)
def test_an_internal_balancer_has_no_public_address_and_says_so_in_its_name(site: Site) -> None:
    made = site.balancer(Scheme="internal")
    assert made["DNSName"].startswith("internal-web-")
    assert not any("Association" in each for each in site.interfaces())


@pytest.mark.correction(
    "elbv2:DescribeLoadBalancers",
    "A load balancer is provisioning until it serves.",
    also=("LoadBalancer.activate",),
    data_plane=True,
)
def test_it_is_active_when_the_data_plane_has_followed(site: Site) -> None:
    def state() -> str:
        return str(site.elb.describe_load_balancers()["LoadBalancers"][0]["State"]["Code"])

    assert site.balancer()["State"]["Code"] == "provisioning"
    assert state() == "provisioning"
    site.lab.plane.reconciled(site.lab.plane.snapshot())
    assert state() == "active"


@pytest.mark.correction(
    "elbv2:CreateLoadBalancer", "The DNS name is in lower case, below elb.amazonaws.com of the region."
)
def test_its_name_is_like_aws(site: Site) -> None:
    made = site.balancer("My-Web")
    assert made["DNSName"].startswith("my-web-")
    assert made["DNSName"].endswith(".eu-central-1.elb.amazonaws.com")
    assert made["Scheme"] == "internet-facing"


@pytest.mark.correction("elbv2:CreateLoadBalancer", "Creating it again with the same settings succeeds.")
def test_made_again_with_the_same_settings_it_is_the_same(site: Site) -> None:
    tags = [{"Key": "a", "Value": "b"}]
    first, second = site.balancer(Tags=tags), site.balancer(Tags=tags)
    assert first["LoadBalancerArn"] == second["LoadBalancerArn"]
    assert len(site.interfaces()) == 2


@pytest.mark.correction("elbv2:CreateLoadBalancer", "Creating it again with other settings is refused.")
@pytest.mark.parametrize(
    "options",
    [
        {"Scheme": "internal"},
        {"Tags": [{"Key": "a", "Value": "b"}]},
        {"SecurityGroups": []},
    ],
)
def test_made_again_with_other_settings_it_is_refused(site: Site, options: dict[str, Any]) -> None:
    site.balancer()
    site.lab.refused("DuplicateLoadBalancerName", site.balancer, **options)


@pytest.mark.correction("elbv2:CreateLoadBalancer", "Names, schemes, subnets, security groups and tags are checked.")
@pytest.mark.parametrize(
    ("code", "options"),
    [
        ("ValidationError", {"name": "a" * 33}),
        ("ValidationError", {"name": "a_b"}),
        ("ValidationError", {"name": "-a"}),
        ("ValidationError", {"name": "internal-a"}),
        ("ValidationError", {"Scheme": "public"}),
        ("OperationNotPermitted", {"Type": "network"}),
        ("InvalidConfigurationRequest", {"IpAddressType": "dualstack"}),
        ("SubnetNotFound", {"Subnets": ["subnet-00000000000000000", "subnet-11111111111111111"]}),
        ("InvalidSecurityGroup", {"SecurityGroups": ["sg-00000000000000000"]}),
        ("DuplicateTagKeys", {"Tags": [{"Key": "a", "Value": "b"}, {"Key": "a", "Value": "c"}]}),
    ],
)
def test_what_a_balancer_cannot_be(site: Site, code: str, options: dict[str, Any]) -> None:
    site.lab.refused(code, site.balancer, **options)
    assert site.interfaces() == []


@pytest.mark.correction("elbv2:CreateLoadBalancer", "It needs subnets of at least two zones, one of each.")
def test_it_needs_two_zones(site: Site) -> None:
    site.lab.refused("ValidationError", site.balancer, Subnets=site.subnets[:1])
    twin = site.lab.subnet(site.vpc, "10.0.9.0/24", "a")
    message = site.lab.refused("InvalidConfigurationRequest", site.balancer, Subnets=[*site.subnets[:2], twin])
    assert "same Availability Zone" in message


@pytest.mark.correction(
    "elbv2:CreateLoadBalancer", "A load balancer that faces the internet needs an internet gateway."
)
def test_facing_the_internet_it_needs_a_gateway(lab: Lab) -> None:
    vpc = lab.vpc()
    subnets = [lab.subnet(vpc, f"10.0.{index}.0/24", zone) for index, zone in enumerate("ab")]
    elb = lab.client("elbv2")
    assert "no internet gateway" in lab.refused("InvalidSubnet", elb.create_load_balancer, Name="a", Subnets=subnets)
    assert elb.create_load_balancer(Name="a", Subnets=subnets, Scheme="internal")["LoadBalancers"]


@pytest.mark.correction("elbv2:SetSubnets", "A subnet that remains keeps its interface.")
def test_subnets_are_exchanged_one_by_one(site: Site) -> None:
    arn = site.balancer()["LoadBalancerArn"]
    before = {each["SubnetId"]: each["NetworkInterfaceId"] for each in site.interfaces()}
    site.elb.set_subnets(LoadBalancerArn=arn, Subnets=site.subnets[1:])
    after = {each["SubnetId"]: each["NetworkInterfaceId"] for each in site.interfaces()}
    assert set(after) == set(site.subnets[1:])
    assert after[site.subnets[1]] == before[site.subnets[1]]


@pytest.mark.correction("elbv2:SetSecurityGroups", "The security groups are those of its interfaces.")
def test_groups_are_those_of_its_interfaces(site: Site) -> None:
    arn = site.balancer()["LoadBalancerArn"]
    other = site.lab.group(site.vpc, "other")
    site.elb.set_security_groups(LoadBalancerArn=arn, SecurityGroups=[other])
    assert {group["GroupId"] for each in site.interfaces() for group in each["Groups"]} == {other}
    assert site.elb.describe_load_balancers()["LoadBalancers"][0]["SecurityGroups"] == [other]
    site.lab.refused("DependencyViolation", site.lab.ec2.delete_security_group, GroupId=other)
    site.lab.ec2.delete_security_group(GroupId=site.group)


def test_deleted_it_leaves_nothing(site: Site) -> None:
    arn = site.balancer()["LoadBalancerArn"]
    site.listener(arn)
    site.elb.delete_load_balancer(LoadBalancerArn=arn)
    site.elb.delete_load_balancer(LoadBalancerArn=arn)
    assert site.interfaces() == []
    assert site.elb.describe_load_balancers()["LoadBalancers"] == []


@pytest.mark.correction("elbv2:DeleteLoadBalancer", "A protected load balancer cannot be deleted.")
def test_deletion_protection(site: Site) -> None:
    arn = site.balancer()["LoadBalancerArn"]
    switch = [{"Key": "deletion_protection.enabled", "Value": "true"}]
    site.elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=switch)
    site.lab.refused("OperationNotPermitted", site.elb.delete_load_balancer, LoadBalancerArn=arn)


@pytest.mark.correction("elbv2:ModifyLoadBalancerAttributes", "Keys and values of attributes are checked.")
@pytest.mark.parametrize(
    ("code", "key", "value"),
    [
        ("ValidationError", "no.such.key", "true"),
        ("ValidationError", "idle_timeout.timeout_seconds", "4001"),
        ("ValidationError", "deletion_protection.enabled", "yes"),
        ("InvalidConfigurationRequest", "access_logs.s3.enabled", "true"),
        ("InvalidConfigurationRequest", "routing.http.desync_mitigation_mode", "strictest"),
    ],
)
def test_balancer_attributes(site: Site, code: str, key: str, value: str) -> None:
    arn = site.balancer()["LoadBalancerArn"]
    wanted = [{"Key": key, "Value": value}]
    site.lab.refused(code, site.elb.modify_load_balancer_attributes, LoadBalancerArn=arn, Attributes=wanted)
    told = site.elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    assert {each["Key"]: each["Value"] for each in told}["idle_timeout.timeout_seconds"] == "60"


@pytest.mark.correction(
    "elbv2:DescribeLoadBalancers", "A name that does not exist is refused, also beside one that does."
)
def test_names_that_there_are_not(site: Site) -> None:
    site.balancer()
    site.lab.refused("LoadBalancerNotFound", site.elb.describe_load_balancers, Names=["web", "other"])


@pytest.mark.correction("elbv2:DescribeTargetGroups", "PageSize and Marker return pages.")
def test_pages(site: Site) -> None:
    arns = {site.target_group(f"g{index}") for index in range(5)}
    pages = list(site.elb.get_paginator("describe_target_groups").paginate(PaginationConfig={"PageSize": 2}))
    assert [len(each["TargetGroups"]) for each in pages] == [2, 2, 1]
    assert {group["TargetGroupArn"] for each in pages for group in each["TargetGroups"]} == arns


@pytest.mark.correction("elbv2:DescribeTags", "A request names at most 20 resources, which must exist.")
def test_tags_of_at_most_twenty_resources(site: Site) -> None:
    arn = site.target_group(Tags=[{"Key": "Name", "Value": "x"}])
    told = site.elb.describe_tags(ResourceArns=[arn])["TagDescriptions"]
    assert told == [{"ResourceArn": arn, "Tags": [{"Key": "Name", "Value": "x"}]}]
    site.lab.refused("ValidationError", site.elb.describe_tags, ResourceArns=[arn] * 21)
    site.lab.refused("TargetGroupNotFound", site.elb.describe_tags, ResourceArns=[arn + "0"])


# Target groups


@pytest.mark.correction("elbv2:CreateTargetGroup", "Creating it again with the same settings succeeds.")
def test_a_group_made_again(site: Site) -> None:
    assert site.target_group() == site.target_group()
    site.lab.refused("DuplicateTargetGroupName", site.target_group, Port=81)
    site.lab.refused("DuplicateTargetGroupName", site.target_group, HealthCheckPath="/x")


@pytest.mark.correction("elbv2:CreateTargetGroup", "The settings of health checks are checked against their limits.")
@pytest.mark.parametrize(
    ("code", "options"),
    [
        ("ValidationError", {"name": "a" * 33}),
        ("ValidationError", {"name": "a_b"}),
        ("ValidationError", {"HealthCheckIntervalSeconds": 5, "HealthCheckTimeoutSeconds": 5}),
        ("ValidationError", {"HealthyThresholdCount": 11}),
        ("ValidationError", {"Matcher": {"HttpCode": "200-500"}}),
        ("ValidationError", {"HealthCheckPath": "healthz"}),
        ("ValidationError", {"HealthCheckPort": "0"}),
        ("ValidationError", {"VpcId": "vpc-00000000000000000"}),
        ("InvalidConfigurationRequest", {"Protocol": "TCP"}),
        ("InvalidConfigurationRequest", {"TargetType": "lambda"}),
    ],
)
def test_what_a_group_cannot_be(site: Site, code: str, options: dict[str, Any]) -> None:
    site.lab.refused(code, site.target_group, **options)


@pytest.mark.correction("elbv2:DescribeTargetGroupAttributes", "All attributes have their defaults.")
def test_group_attributes_have_their_defaults(site: Site) -> None:
    told = site.elb.describe_target_group_attributes(TargetGroupArn=site.target_group())["Attributes"]
    values = {each["Key"]: each["Value"] for each in told}
    assert values["stickiness.lb_cookie.duration_seconds"] == "86400"
    assert values["deregistration_delay.timeout_seconds"] == "300"
    assert values["stickiness.type"] == "lb_cookie"


@pytest.mark.correction("elbv2:ModifyTargetGroupAttributes", "Keys, values and combinations of attributes are checked.")
@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ("ValidationError", {"no.such.key": "1"}),
        ("ValidationError", {"slow_start.duration_seconds": "29"}),
        ("ValidationError", {"deregistration_delay.timeout_seconds": "3601"}),
        ("InvalidConfigurationRequest", {"stickiness.type": "app_cookie"}),
        (
            "InvalidConfigurationRequest",
            {"slow_start.duration_seconds": "30", "load_balancing.algorithm.type": "least_outstanding_requests"},
        ),
    ],
)
def test_group_attributes_that_are_refused(site: Site, code: str, wanted: dict[str, str]) -> None:
    attributes = [{"Key": key, "Value": value} for key, value in wanted.items()]
    change = site.elb.modify_target_group_attributes
    site.lab.refused(code, change, TargetGroupArn=site.target_group(), Attributes=attributes)


@pytest.mark.correction(
    "elbv2:DeleteTargetGroup",
    "A group in use cannot be deleted; LoadBalancerArns has the load balancers that use it now.",
)
def test_a_group_in_use_stays(site: Site) -> None:
    group = site.target_group()
    arn = site.balancer()["LoadBalancerArn"]
    site.listener(arn, action={"Type": "forward", "TargetGroupArn": group})
    site.lab.refused("ResourceInUse", site.elb.delete_target_group, TargetGroupArn=group)
    assert site.elb.describe_target_groups()["TargetGroups"][0]["LoadBalancerArns"] == [arn]
    site.elb.delete_load_balancer(LoadBalancerArn=arn)
    assert not site.elb.describe_target_groups()["TargetGroups"][0].get("LoadBalancerArns")
    site.elb.delete_target_group(TargetGroupArn=group)


@pytest.mark.correction(
    "elbv2:CreateListener",
    "A target group serves one load balancer.",
    page="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html",
)
def test_a_group_serves_one_balancer(site: Site) -> None:
    action = {"Type": "forward", "TargetGroupArn": site.target_group()}
    site.listener(site.balancer("a")["LoadBalancerArn"], action=action)
    other = site.balancer("b")["LoadBalancerArn"]
    with pytest.raises(site.elb.exceptions.TargetGroupAssociationLimitException):
        site.listener(other, action=action)


# Targets


@pytest.mark.correction("elbv2:RegisterTargets", "A target is a running instance of the group's VPC.")
def test_targets_that_are_refused(site: Site) -> None:
    group = site.target_group()
    stranger = site.lab.running(site.lab.subnet(site.lab.vpc("10.9.0.0/16"), "10.9.0.0/24"))
    pending = site.lab.launch(site.subnets[0])["InstanceId"]
    for target in (stranger, pending, "i-00000000000000000"):
        site.lab.refused("InvalidTarget", site.elb.register_targets, TargetGroupArn=group, Targets=[{"Id": target}])
    assert site.health(group) == {}


@pytest.mark.correction(
    "elbv2:DescribeTargetHealth", "The health of a target is what the load balancer reports.", data_plane=True
)
@pytest.mark.correction("elbv2:DeregisterTargets", "A deregistered target is draining for the delay.", data_plane=True)
def test_health_through_a_targets_life(site: Site) -> None:
    group, instance = site.target_group(), site.lab.running(site.subnets[0])
    site.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": instance}])
    assert site.health(group) == {instance: ("unused", "Target.NotInUse")}
    site.listener(site.balancer()["LoadBalancerArn"], action={"Type": "forward", "TargetGroupArn": group})
    assert site.health(group) == {instance: ("initial", "Elb.RegistrationInProgress")}
    site.balancers.health[(instance, 80)] = HealthReport("healthy")
    assert site.health(group) == {instance: ("healthy", "")}
    site.lab.plane.instance_state(instance, "stopped")
    assert site.health(group) == {instance: ("unused", "Target.InvalidState")}
    site.elb.deregister_targets(TargetGroupArn=group, Targets=[{"Id": instance}])
    assert site.health(group) == {instance: ("draining", "Target.DeregistrationInProgress")}


@pytest.mark.correction(
    "elbv2:DescribeTargetHealth", "A target in a zone without a node of the load balancer is unused.", data_plane=True
)
def test_a_target_in_a_zone_without_a_node_is_not_used(site: Site) -> None:
    group, instance = site.target_group(), site.lab.running(site.subnets[2])
    site.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": instance}])
    site.listener(site.balancer()["LoadBalancerArn"], action={"Type": "forward", "TargetGroupArn": group})
    assert site.health(group) == {instance: ("unused", "Target.NotInUse")}


@pytest.mark.correction("elbv2:RegisterTargets", "An instance with two ports is two targets.")
def test_an_instance_on_two_ports_is_two_targets(site: Site) -> None:
    group, instance = site.target_group(), site.lab.running(site.subnets[0])
    targets = [{"Id": instance, "Port": 80}, {"Id": instance, "Port": 81}]
    site.elb.register_targets(TargetGroupArn=group, Targets=targets)
    described = site.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    assert [(each["Target"]["Port"], each["HealthCheckPort"]) for each in described] == [(80, "80"), (81, "81")]
    assert site.lab.plane.snapshot().target_groups[group].targets == (Target(instance, 80), Target(instance, 81))


@pytest.mark.correction("elbv2:DeregisterTargets", "Draining ends after the deregistration delay.", data_plane=True)
def test_draining_ends_and_is_told(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    timers: list[tuple[float, Callable[[], None]]] = []
    later = "groundwork_lab.aws.elbv2.groups._later"
    monkeypatch.setattr(later, lambda seconds, work: timers.append((seconds, work)))
    now = [1000.0]
    monkeypatch.setattr("groundwork_lab.aws.elbv2.groups.time.monotonic", lambda: now[0])
    group, instance = site.target_group(), site.lab.running(site.subnets[0])
    delay = [{"Key": "deregistration_delay.timeout_seconds", "Value": "30"}]
    site.elb.modify_target_group_attributes(TargetGroupArn=group, Attributes=delay)
    site.listener(site.balancer()["LoadBalancerArn"], action={"Type": "forward", "TargetGroupArn": group})
    site.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": instance}])
    site.elb.deregister_targets(TargetGroupArn=group, Targets=[{"Id": instance}])
    assert site.lab.plane.snapshot().target_groups[group].draining == (Target(instance, 80),)
    now[0] += 31
    before = len(site.lab.changes)
    [(seconds, work)] = timers
    work()
    assert seconds == 30
    assert len(site.lab.changes) == before + 1
    assert site.health(group) == {}
    assert site.lab.plane.snapshot().target_groups[group].draining == ()


@pytest.mark.correction(
    "elbv2:DescribeTargetHealth",
    "A terminated instance is deregistered.",
    also=("GroupsBackend.notify_terminate_instances",),
    data_plane=True,
)
def test_a_terminated_instance_is_taken_out(site: Site) -> None:
    group, instance = site.target_group(), site.lab.running(site.subnets[0])
    site.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": instance}])
    site.lab.ec2.terminate_instances(InstanceIds=[instance])
    assert site.lab.plane.snapshot().target_groups[group].targets == ()


# Listeners and rules


@pytest.mark.correction(
    "elbv2:CreateListener", "Creating it again with the same settings succeeds, with others it is refused."
)
@pytest.mark.correction("elbv2:ModifyListener", "A port is used by one listener.")
def test_a_listener_made_again(site: Site) -> None:
    arn = site.balancer()["LoadBalancerArn"]
    assert site.listener(arn) == site.listener(arn)
    other = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
    with pytest.raises(site.elb.exceptions.DuplicateListenerException):
        site.listener(arn, action=other)
    second = site.listener(arn, 81)
    site.lab.refused("DuplicateListener", site.elb.modify_listener, ListenerArn=second, Port=80)


@pytest.mark.correction("elbv2:CreateListener", "Ports, protocols and actions are checked.")
@pytest.mark.parametrize(
    ("code", "options"),
    [
        ("ValidationError", {"port": 70000}),
        ("ValidationError", {"Protocol": "HTTPS"}),
        ("ValidationError", {"Protocol": "TCP"}),
        ("InvalidLoadBalancerAction", {"DefaultActions": []}),
        ("TargetGroupNotFound", {"action": {"Type": "forward", "TargetGroupArn": "arn:x"}}),
        ("InvalidLoadBalancerAction", {"action": {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301"}}}),
        (
            "ValidationError",
            {"action": {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", "Path": "x"}}},
        ),
        ("ValidationError", {"action": {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "300"}}}),
        (
            "InvalidLoadBalancerAction",
            {"action": {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200", "ContentType": "x/y"}}},
        ),
        ("InvalidLoadBalancerAction", {"action": {"Type": "authenticate-oidc", "Order": 1}}),
    ],
)
def test_what_a_listener_cannot_be(site: Site, code: str, options: dict[str, Any]) -> None:
    arn = site.balancer()["LoadBalancerArn"]
    site.lab.refused(code, site.listener, balancer=arn, **options)
    assert site.elb.describe_listeners(LoadBalancerArn=arn)["Listeners"] == []


@pytest.mark.correction("elbv2:DescribeListeners", "An action has the defaults that AWS fills in.")
def test_actions_come_back_as_aws_tells_them(site: Site) -> None:
    group = site.target_group()
    arn = site.balancer()["LoadBalancerArn"]
    site.listener(arn, 80, {"Type": "forward", "TargetGroupArn": group})
    site.listener(
        arn, 81, {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", "Protocol": "HTTPS", "Port": "443"}}
    )
    forward, redirect = (
        each["DefaultActions"] for each in site.elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]
    )
    groups = [{"TargetGroupArn": group, "Weight": 1}]
    config = {"TargetGroups": groups, "TargetGroupStickinessConfig": {"Enabled": False}}
    assert forward == [{"Type": "forward", "TargetGroupArn": group, "ForwardConfig": config}]
    assert redirect[0]["RedirectConfig"] == {
        "Protocol": "HTTPS",
        "Port": "443",
        "Host": "#{host}",
        "Path": "/#{path}",
        "Query": "#{query}",
        "StatusCode": "HTTP_301",
    }


@pytest.mark.correction(
    "elbv2:DescribeRules", "Rules are listed in the order of their priorities, the default rule last."
)
@pytest.mark.correction("elbv2:DeleteRule", "The default rule cannot be deleted.")
def test_rules_are_told_in_order_of_priority(site: Site) -> None:
    listener = site.listener(site.balancer()["LoadBalancerArn"])
    site.rule(listener, 20, "/b")
    site.rule(listener, 3, "/a")
    told = site.elb.describe_rules(ListenerArn=listener)["Rules"]
    assert [each["Priority"] for each in told] == ["3", "20", "default"]
    assert told[0]["Conditions"] == [
        {"Field": "path-pattern", "Values": ["/a"], "PathPatternConfig": {"Values": ["/a"]}}
    ]
    site.lab.refused("OperationNotPermitted", site.elb.delete_rule, RuleArn=told[2]["RuleArn"])


def header(*values: str, name: str = "X-Secret") -> dict[str, Any]:
    return {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": name, "Values": list(values)}}


@pytest.mark.correction(
    "elbv2:CreateRule",
    "Priorities, conditions and their limits are checked.",
    also=("ListenersBackend._validate_conditions",),
)
@pytest.mark.parametrize(
    ("code", "priority", "conditions"),
    [
        ("PriorityInUse", 1, [{"Field": "path-pattern", "Values": ["/a"]}]),
        ("ValidationError", 50001, [{"Field": "path-pattern", "Values": ["/a"]}]),
        ("ValidationError", 2, []),
        ("ValidationError", 2, [{"Field": "colour", "Values": ["red"]}]),
        ("ValidationError", 2, [{"Field": "path-pattern", "Values": ["/" + "a" * 128]}]),
        ("ValidationError", 2, [{"Field": "path-pattern", "PathPatternConfig": {"Values": list("/abcde")}}]),
        ("ValidationError", 2, [{"Field": "path-pattern", "Values": ["/a"]}] * 2),
        ("ValidationError", 2, [{"Field": "path-pattern", "Values": ["/*?*?*?*"]}]),
        ("ValidationError", 2, [{"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.1"]}}]),
        ("ValidationError", 2, [{"Field": "host-header", "Values": ["localhost"]}]),
        (
            "ValidationError",
            2,
            [{"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "Host", "Values": ["a"]}}],
        ),
        ("ValidationError", 2, [header(name="X" * 41)]),
        ("ValidationError", 2, [header(name="X Secret")]),
        ("ValidationError", 2, [header("a" * 129)]),
        ("ValidationError", 2, [header()]),
        ("ValidationError", 2, [header("a", "b", "c"), header("d", "e", "f")]),
        ("ValidationError", 2, [{"Field": "http-header", "Values": ["a"]}]),
        ("InvalidConfigurationRequest", 2, [{"Field": "path-pattern", "RegexValues": ["^/a"]}]),
        ("InvalidConfigurationRequest", 2, [{"Field": "path-pattern", "PathPatternConfig": {"RegexValues": ["^/a"]}}]),
    ],
)
def test_what_a_rule_cannot_be(site: Site, code: str, priority: int, conditions: list[dict[str, Any]]) -> None:
    listener = site.listener(site.balancer()["LoadBalancerArn"])
    site.rule(listener, 1, "/x")
    request = {"ListenerArn": listener, "Priority": priority, "Conditions": conditions, "Actions": [FIXED]}
    site.lab.refused(code, site.elb.create_rule, **request)


@pytest.mark.correction("elbv2:CreateRule", "Rules that transform requests are refused.")
@pytest.mark.correction("elbv2:ModifyRule", "Rules that transform requests are refused.")
def test_rules_with_transforms(site: Site) -> None:
    listener = site.listener(site.balancer()["LoadBalancerArn"])
    rule = site.rule(listener, 1, "/x")
    config = {"Rewrites": [{"Regex": "a", "Replace": "b"}]}
    transforms = [{"Type": "url-rewrite", "UrlRewriteConfig": config}]
    request = {"ListenerArn": listener, "Priority": 2, "Conditions": [header("a")], "Actions": [FIXED]}
    code = "InvalidConfigurationRequest"
    site.lab.refused(code, site.elb.create_rule, **request, Transforms=transforms)
    site.lab.refused(code, site.elb.modify_rule, RuleArn=rule, Transforms=transforms)


def test_a_secret_header_opens_a_listener_that_refuses_the_rest(site: Site) -> None:
    """https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/restrict-access-to-load-balancer.html"""
    forbidden = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "403", "ContentType": "text/plain"}}
    listener = site.listener(site.balancer()["LoadBalancerArn"], action=forbidden)
    both = header("new", "old")
    made = site.elb.create_rule(ListenerArn=listener, Priority=1, Conditions=[both], Actions=[FIXED])["Rules"][0]
    rules = site.elb.describe_rules(ListenerArn=listener)["Rules"]
    assert [each["Conditions"] for each in rules] == [made["Conditions"], []] == [[both], []]
    site.elb.modify_rule(RuleArn=made["RuleArn"], Conditions=[header("new")])
    [told] = next(iter(site.lab.plane.snapshot().load_balancers.values())).listeners
    assert [(each.field, each.name, each.values) for each in told.rules[0].conditions] == [
        ("http-header", "X-Secret", ("new",))
    ]
    assert told.default_actions[0].config["StatusCode"] == "403"


@pytest.mark.correction("elbv2:SetRulePriorities", "All priorities are set together, so that rules can exchange them.")
def test_rules_change_places(site: Site) -> None:
    listener = site.listener(site.balancer()["LoadBalancerArn"])
    first, second = site.rule(listener, 1, "/a"), site.rule(listener, 2, "/b")
    swap = [{"RuleArn": first, "Priority": 2}, {"RuleArn": second, "Priority": 1}]
    site.elb.set_rule_priorities(RulePriorities=swap)
    assert [each["RuleArn"] for each in site.elb.describe_rules(ListenerArn=listener)["Rules"]][:2] == [second, first]
    taken = [{"RuleArn": first, "Priority": 1}]
    site.lab.refused("PriorityInUse", site.elb.set_rule_priorities, RulePriorities=taken)


@pytest.mark.correction("elbv2:ModifyRule", "A changed condition has both of its forms, and the actions remain.")
def test_a_rule_is_changed(site: Site) -> None:
    listener = site.listener(site.balancer()["LoadBalancerArn"])
    rule = site.rule(listener, 1, "/a")
    site.elb.modify_rule(RuleArn=rule, Conditions=[{"Field": "host-header", "Values": ["a.example.com"]}])
    told = site.elb.describe_rules(RuleArns=[rule])["Rules"][0]
    assert told["Conditions"][0]["HostHeaderConfig"] == {"Values": ["a.example.com"]}
    assert told["Actions"][0]["FixedResponseConfig"]["MessageBody"] == "ok"


# The world


def test_the_world_tells_all_of_it(site: Site) -> None:
    group, instance = site.target_group(HealthCheckPath="/healthz"), site.lab.running(site.subnets[0])
    site.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": instance}])
    arn = site.balancer()["LoadBalancerArn"]
    listener = site.listener(arn, action={"Type": "forward", "TargetGroupArn": group})
    site.rule(listener, 7, "/a", "/b")
    world = site.lab.plane.snapshot()
    balancer = world.load_balancers[arn]
    assert [world.interfaces[each].subnet_id for each in balancer.interface_ids] == site.subnets[:2]
    assert {world.interfaces[each].owner for each in balancer.interface_ids} == {"load-balancer"}
    assert {world.interfaces[each].owner_id for each in balancer.interface_ids} == {arn}
    [told] = balancer.listeners
    assert told.default_actions[0].config["TargetGroups"] == [{"TargetGroupArn": group, "Weight": 1}]
    assert [(rule.priority, rule.conditions[0].values) for rule in told.rules] == [(7, ("/a", "/b"))]
    check = world.target_groups[group].health_check
    assert (check.path, check.interval, check.healthy_threshold, check.matcher) == ("/healthz", 30, 5, "200")


# What is not served, and tags


@pytest.mark.correction("elbv2:SetIpAddressType", "The lab has no IPv6.")
def test_what_the_lab_does_not_do(site: Site) -> None:
    arn = site.balancer()["LoadBalancerArn"]
    code = "InvalidConfigurationRequest"
    site.lab.refused(code, site.elb.set_ip_address_type, LoadBalancerArn=arn, IpAddressType="dualstack")


@pytest.mark.correction("elbv2:ModifyTargetGroup", "Changed settings of health checks are checked with the others.")
def test_a_group_is_changed(site: Site) -> None:
    group, modify = site.target_group(), site.elb.modify_target_group
    site.lab.refused("ValidationError", modify, TargetGroupArn=group, HealthyThresholdCount=11)
    site.lab.refused("ValidationError", modify, TargetGroupArn=group, HealthCheckTimeoutSeconds=31)
    [changed] = modify(TargetGroupArn=group, HealthCheckPath="/healthz", Matcher={"HttpCode": "204"})["TargetGroups"]
    assert (changed["HealthCheckPath"], changed["Matcher"]) == ("/healthz", {"HttpCode": "204"})


@pytest.mark.correction("elbv2:AddTags", "A resource has at most 50 tags, whose keys are different.")
def test_tags_are_checked_with_those_that_are_there(site: Site) -> None:
    arn = site.target_group(Tags=[{"Key": f"k{number}", "Value": ""} for number in range(50)])
    site.lab.refused("TooManyTags", site.elb.add_tags, ResourceArns=[arn], Tags=[{"Key": "more", "Value": ""}])
    twice = [{"Key": "k1", "Value": "a"}, {"Key": "k1", "Value": "b"}]
    site.lab.refused("DuplicateTagKeys", site.elb.add_tags, ResourceArns=[arn], Tags=twice)


def test_a_deleted_listener(site: Site) -> None:
    listener = site.listener(site.balancer()["LoadBalancerArn"])
    site.elb.delete_listener(ListenerArn=listener)
    site.lab.refused("ListenerNotFound", site.elb.delete_listener, ListenerArn=listener)


@pytest.mark.correction("elbv2:CreateTargetGroup", "Values are those of the model.", also=("Checked.call_action",))
@pytest.mark.parametrize(
    ("operation", "given"),
    [
        ("create_target_group", {"Name": "one", "Protocol": "FTP", "Port": 80}),
        ("create_target_group", {"Name": "one", "Protocol": "HTTP", "Port": 65536}),
        ("create_target_group", {"Name": "one", "Protocol": "HTTP", "Port": 80, "HealthCheckIntervalSeconds": 4}),
        ("create_target_group", {"Name": "one", "Protocol": "HTTP", "Port": 80, "TargetType": "container"}),
        ("create_load_balancer", {"Name": "one", "Scheme": "private"}),
        ("create_load_balancer", {"Name": "one", "IpAddressType": "ipv6"}),
        ("describe_load_balancers", {"PageSize": 401}),
    ],
)
def test_values_of_the_model(site: Site, operation: str, given: dict[str, Any]) -> None:
    elb = site.lab.client("elbv2", parameter_validation=False)
    network = {"create_target_group": {"VpcId": site.vpc}, "create_load_balancer": {"Subnets": site.subnets[:2]}}
    message = site.lab.refused("ValidationError", getattr(elb, operation), **given, **network.get(operation, {}))
    assert message.startswith("1 validation error detected: Value '")
