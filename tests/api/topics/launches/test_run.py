"""What an environment will launch is checked before anything is created."""

from __future__ import annotations

import typing as t

import pytest
from cloud import Cloud

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import InputError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.topics.launches.run import converge_launch_check, judge
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.launching import OFFERINGS, TYPES
from groundwork_lab.api import Fault

ZONES = ["eu-central-1a", "eu-central-1b"]
TIER = {"count": 2, "instance_type": "t3.small"}


def options(**given: t.Any) -> dict[str, t.Any]:
    own = {"environment_name": "dev", "tags": {}, "region": "eu-central-1", "zones": ZONES, "nat_mode": "per_zone"}
    return {**own, "nat_addresses": {}, "builder": {}, "tiers": {"public": TIER}, **given}


def check(cloud: Cloud, **given: t.Any) -> t.Any:
    return cloud.run(converge_launch_check, options(**given), check_mode=True)


def refused(cloud: Cloud, **given: t.Any) -> str:
    with pytest.raises(InputError) as no:
        check(cloud, **given)
    assert cloud.writes == []
    return str(no.value)


def vpc(cloud: Cloud) -> None:
    """Create the environment's VPC."""
    tags = [{"Key": "groundwork:environment", "Value": "dev"}, {"Key": "groundwork:component", "Value": "network"}]
    cloud.ec2.create_vpc(CidrBlock="10.20.0.0/16", TagSpecifications=[{"ResourceType": "vpc", "Tags": tags}])


def quotas(cloud: Cloud) -> t.Any:
    from moto.servicequotas.models import servicequotas_backends

    return servicequotas_backends["123456789012"]["eu-central-1"].applied


def test_an_account_with_room_is_silent_and_few_calls_are_made(cloud: Cloud) -> None:
    assert check(cloud)["launches"] == {"servers_tiers.public": 2}
    assert cloud.warnings == []
    assert len(cloud.calls) <= 22
    assert cloud.writes == []


def test_with_nothing_to_launch_one_call_is_made(cloud: Cloud) -> None:
    assert check(cloud, tiers={"public": {**TIER, "count": 0}})["launches"] == {}
    assert cloud.calls == ["DescribeInstances"]


ARM = {"count": 1, "instance_type": "t4g.small"}


@pytest.mark.parametrize(
    ("tiers", "builder", "words"),
    [
        (
            {"public": ARM},
            {},
            "servers_tiers.public.instance_type: t4g.small has the architecture arm64, and the image",
        ),
        ({"public": {**ARM, "image": {"name": "debian-12-amd64-*"}}}, {}, "has x86_64; choose an image of arm64"),
        ({"public": {**TIER, "image": {"name": "debian-12-arm64-*"}}}, {}, "has the architecture x86_64"),
        ({"public": {**TIER, "instance_type": "t9.small"}}, {}, "'t9.small' is not an instance type of the region"),
        ({"public": TIER}, {"instance_type": "t4g.small", "base": {}}, "image.instance_type: t4g.small has"),
        (
            {"public": {"group": {"min": 1, "max": 2}, "instance_type": "t4g.small"}},
            {"instance_type": "t3.small", "base": {}},
            "servers_tiers.public.instance_type: t4g.small has the architecture arm64",
        ),
    ],
)
def test_architectures_and_types(cloud: Cloud, tiers: dict[str, t.Any], builder: dict[str, t.Any], words: str) -> None:
    assert words in refused(cloud, tiers=tiers, builder=builder)


def test_an_arm_tier_with_an_arm_image_passes(cloud: Cloud) -> None:
    check(cloud, tiers={"public": {**ARM, "image": {"name": "debian-12-arm64-*"}}})


def test_a_zone_that_does_not_offer_the_type_is_named(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = cloud.plane.context.ec2
    offered = type(backend).describe_instance_type_offerings

    def without(own: t.Any, *arguments: t.Any, **given: t.Any) -> t.Any:
        return [one for one in offered(own, *arguments, **given) if one["Location"] != ZONES[1]]

    monkeypatch.setattr(type(backend), "describe_instance_type_offerings", without)
    assert "eu-central-1b does not offer t3.small; use a type that all zones offer, or other zones:" in refused(cloud)


@pytest.mark.parametrize(
    ("service", "code", "value", "words"),
    [
        ("ec2", "L-1216C47A", 3, "4 more vCPUs of running On-Demand Standard instances are needed, 0 are in use"),
        ("ec2", "L-0263D0A3", 1, "nat_mode: 2 more Elastic IP addresses in the region are needed"),
        ("vpc", "L-F678F1CE", 1, "network_cidr: 1 more VPCs in the region are needed, 1 are in use"),
        ("vpc", "L-FE5A380F", 0, "1 more NAT gateways in an Availability Zone in eu-central-1a are needed"),
    ],
)
def test_quotas_of_the_account(cloud: Cloud, service: str, code: str, value: int, words: str) -> None:
    quotas(cloud)[service, code] = float(value)
    told = refused(cloud)
    assert words in told and f"the quota of the account is {value}" in told
    assert f"request-service-quota-increase --service-code {service} --quota-code {code}" in told
    quotas(cloud)[service, code] = 100.0
    check(cloud)


def test_unreadable_quotas_are_the_default_values_and_told(cloud: Cloud) -> None:
    cloud.plane.faults.set(Fault(operation="GetServiceQuota", code="AccessDeniedException", status=400))
    check(cloud, tiers={"public": {**TIER, "count": 3}})
    [told] = cloud.warnings
    assert (
        "6 more vCPUs of running On-Demand Standard instances are needed, 0 are in use, and the default quota is 5"
        in told
    )
    assert "Allow servicequotas:GetServiceQuota" in told
    check(cloud)
    assert cloud.warnings == []


@pytest.mark.parametrize("mode", ["block-bidirectional", "block-ingress"])
def test_blocked_gateways_are_refused_by_name(cloud: Cloud, mode: str) -> None:
    """When the VPC exists. Before, it cannot be excluded from the block yet."""
    cloud.ec2.modify_vpc_block_public_access_options(InternetGatewayBlockMode=mode)
    check(cloud)
    [warning] = cloud.warnings
    told = f"VPC Block Public Access of the account is {mode} in this region"
    assert told in warning and "exclude the environment's VPC" in warning
    vpc(cloud)
    assert told in refused(cloud)


EXCLUSION = {"State": "create-complete", "InternetGatewayExclusionMode": "allow-bidirectional"}


@pytest.mark.parametrize(
    ("changes", "allowed"),
    [({}, True), ({"State": "delete-complete"}, False), ({"InternetGatewayExclusionMode": "allow-egress"}, False)],
)
def test_an_exclusion_lets_the_internet_in(changes: dict[str, str], allowed: bool) -> None:
    arn = "arn:aws:ec2:eu-central-1:123456789012:vpc/vpc-1"
    answers: dict[str, list[t.Any]] = {
        TYPES: [],
        OFFERINGS: [],
        "own vpcs": [{"VpcId": "vpc-1"}],
        "exclusions": [{"ResourceArn": arn, **EXCLUSION, **changes}],
        "blocking": ["block-bidirectional"],
    }
    problems = Problems()
    judge([], answers, [], {}, problems)
    assert (problems.found == []) is allowed


GROUP = {"public": {"group": {"min": 1, "max": 2}, "instance_type": "t3.small"}}


@pytest.mark.parametrize(("tiers", "warned"), [(GROUP, True), ({"public": TIER}, False)])
def test_a_default_key_that_auto_scaling_may_not_use(cloud: Cloud, tiers: t.Any, *, warned: bool) -> None:
    kms = cloud.of("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    cloud.ec2.modify_ebs_default_kms_key_id(KmsKeyId=key)
    check(cloud, tiers=tiers)
    assert [key in one and "aws kms create-grant" in one for one in cloud.warnings] == [True] * warned
    role = "arn:aws:iam::123456789012:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
    kms.create_grant(KeyId=key, GranteePrincipal=role, Operations=["Encrypt", "Decrypt", "CreateGrant"])
    check(cloud, tiers=tiers)
    assert cloud.warnings == []


def test_everything_is_told_together(cloud: Cloud) -> None:
    quotas(cloud)["ec2", "L-0263D0A3"] = 0.0
    cloud.ec2.modify_vpc_block_public_access_options(InternetGatewayBlockMode="block-bidirectional")
    vpc(cloud)
    assert refused(cloud, tiers={"public": ARM}).startswith("3 problems")


def test_more_security_groups_than_usual_are_compared_with_the_accounts_quota(cloud: Cloud) -> None:
    vpc(cloud)
    many = {"public": {**TIER, "security_groups": [f"group-{number}" for number in range(6)]}}
    message = refused(cloud, tiers=many)
    assert "servers_tiers.public.security_groups: 6 more security groups of a network interface are needed" in message
    quotas(cloud)["vpc", "L-2AFB9258"] = 10.0
    assert check(cloud, tiers=many)["launches"] == {"servers_tiers.public": 2}
    codes = cloud.calls.count("GetServiceQuota")
    check(cloud)
    assert cloud.calls.count("GetServiceQuota") == codes - 1  # it is not read for the usual number
