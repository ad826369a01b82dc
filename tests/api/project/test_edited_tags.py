"""A resource whose tag was edited is named at once, with the tag to put back, and nothing is changed."""

from __future__ import annotations

import typing as t

import pytest
from account_listing import Listing
from accounts.kinds import Account
from accounts.teardown import Build
from cloud import Cloud

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError

Steps = t.Mapping[str, tuple[t.Callable[..., t.Any], dict[str, t.Any]]]
IDENTITY = ("Name", "groundwork:environment", "groundwork:component", "groundwork:tier", "groundwork:server")
# What deletes something. No message advises it.
DESTROYING = ("delete", "terminate", "remove it", "destroy")
KINDS = (
    *("elastic-ip", "instance", "internet-gateway", "key-pair", "natgateway", "route-table", "security-group"),
    *("subnet", "vpc", "vpc-endpoint"),
)
# A key pair is found by its own name, which the tag Name repeats.
UNUSED = {("key-pair", "Name")}


def first_of_each_kind(cloud: Cloud) -> dict[str, tuple[str, dict[str, str]]]:
    """Return by type the id and the identifying tags of one resource of the environment."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for tag in cloud.ec2.describe_tags()["Tags"]:
        if tag["Key"] in IDENTITY:
            found.setdefault(tag["ResourceType"], {}).setdefault(tag["ResourceId"], {})[tag["Key"]] = tag["Value"]
    return {kind: next(iter(sorted(some.items()))) for kind, some in found.items() if kind in KINDS}


@pytest.mark.exhaustive
@pytest.mark.parametrize("value", [None, "x"], ids=["missing", "changed"])
def test_an_edited_tag_of_any_kind_is_named(
    cloud: Cloud,
    build: Build,
    component_steps: Steps,
    listing: t.Callable[[], Listing],
    value: str | None,
) -> None:
    build(cloud)
    whole = listing()
    examples = first_of_each_kind(cloud)
    assert sorted(examples) == sorted(KINDS)
    silent = []
    for kind, (own, tags) in examples.items():
        converge, options = component_steps[tags["groundwork:component"]]
        for key, wanted in tags.items():
            if (kind, key) in UNUSED:
                continue
            cloud.ec2.delete_tags(Resources=[own], Tags=[{"Key": key}])
            if value is not None:
                cloud.ec2.create_tags(Resources=[own], Tags=[{"Key": key, "Value": value}])
            started = cloud.now
            try:
                cloud.run(converge, options)
            except GroundworkError as error:
                message = str(error)
                assert own in message and f"{key}={wanted}" in message, (kind, key, message)
                assert not [word for word in DESTROYING if word in message.lower()], message
                assert cloud.writes == [], (kind, key, message)
            else:
                silent += [(kind, key)] if cloud.writes == [] else []
            cloud.ec2.create_tags(Resources=[own], Tags=[{"Key": key, "Value": wanted}])
            assert cloud.now - started < 30, (kind, key)
        assert listing() == whole, kind
    assert silent == []


def instance(cloud: Cloud, name: str = "dev-public-1") -> str:
    named = [{"Name": "tag:Name", "Values": [name]}]
    [found] = cloud.ec2.describe_instances(Filters=named)["Reservations"]
    return str(found["Instances"][0]["InstanceId"])


def test_what_a_token_returns_is_named_although_the_tags_cannot_be_read(
    cloud: Cloud, build: Build, component_steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the right to DescribeTags, EC2 returns the old instance for the client token."""
    build(cloud)
    own = instance(cloud)
    cloud.ec2.delete_tags(Resources=[own], Tags=[{"Key": "groundwork:environment"}])
    from ansible_collections.groundwork.aws.plugins.module_utils.engine import identity

    monkeypatch.setattr(identity, "reads", lambda _wanted: {"names": _nothing(), "own": _nothing()})
    started = cloud.now
    with pytest.raises(GroundworkError, match=rf"{own}, .*put back groundwork:environment=dev"):
        cloud.run(*component_steps["servers"])
    assert cloud.now - started < 30


def _nothing() -> t.Any:
    from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Read

    return Read("ec2", "describe_tags", "Tags", {"Filters": [{"Name": "key", "Values": ["none"]}]})


def test_two_servers_with_one_place_are_told_by_their_names(cloud: Cloud, build: Build, component_steps: Steps) -> None:
    build(cloud)
    own = instance(cloud, "dev-private-1")
    cloud.ec2.create_tags(Resources=[own], Tags=[{"Key": "groundwork:tier", "Value": "public"}])
    with pytest.raises(GroundworkError, match=rf"{own} \(Name dev-private-1\)") as no:
        cloud.run(*component_steps["servers"])
    assert "terminate" not in str(no.value)


def test_a_terminated_server_is_not_taken_for_an_edited_one(cloud: Cloud, build: Build, component_steps: Steps) -> None:
    build(cloud)
    own = instance(cloud)
    cloud.ec2.delete_tags(Resources=[own], Tags=[{"Key": "groundwork:environment"}])
    cloud.ec2.terminate_instances(InstanceIds=[own])
    cloud.follow()
    planned = cloud.run(*component_steps["servers"], check_mode=True)
    assert [change["name"] for change in planned["changes"]] == ["public-1"]


def test_another_environments_resource_is_not_taken_for_an_edited_one(cloud: Cloud, build: Build) -> None:
    """`dev-x-main` may be the VPC `main` of `dev-x`, and the VPC `x-main` of `dev`."""
    build(cloud, "dev-x", "10.30.0.0/16")
    build(cloud)
    build(cloud)
    assert cloud.writes == []


@pytest.mark.parametrize("key", ["groundwork:environment", "groundwork:component"])
def test_balancers_and_target_groups_are_named(
    cloud: Cloud, build: Build, component_steps: Steps, listing: t.Callable[[], Listing], key: str
) -> None:
    build(cloud)
    elb = cloud.of("elbv2")
    wanted = {"groundwork:environment": "dev", "groundwork:component": "alb"}[key]
    for arn in (
        elb.describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"],
        elb.describe_target_groups()["TargetGroups"][0]["TargetGroupArn"],
    ):
        elb.remove_tags(ResourceArns=[arn], TagKeys=[key])
        before = listing()
        with pytest.raises(GroundworkError) as no:
            cloud.run(*component_steps["alb"])
        assert arn in str(no.value) and f"put back {key}={wanted}" in str(no.value)
        assert listing() == before and cloud.writes == []
        elb.add_tags(ResourceArns=[arn], Tags=[{"Key": key, "Value": wanted}])
    assert cloud.run(*component_steps["alb"])["changed"] is False


@pytest.mark.parametrize("key", ["groundwork:environment", "groundwork:component"])
def test_groups_and_launch_templates_are_named(
    cloud: Cloud, account: Account, build: Build, listing: t.Callable[[], Listing], key: str
) -> None:
    build(cloud)
    account.scaling("dev")
    wanted = {"groundwork:environment": "dev", "groundwork:component": "servers"}[key]
    scaling, named = cloud.of("autoscaling"), {"ResourceId": "dev-public", "ResourceType": "auto-scaling-group"}
    [group] = scaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    tag = next(one for one in group["Tags"] if one["Key"] == key)
    scaling.delete_tags(Tags=[{**named, "Key": key}])
    refused(cloud, account, group["AutoScalingGroupARN"], f"put back {key}={wanted}", listing)
    scaling.create_or_update_tags(Tags=[tag])
    [template] = cloud.ec2.describe_launch_templates()["LaunchTemplates"]
    own = template["LaunchTemplateId"]
    cloud.ec2.delete_tags(Resources=[own], Tags=[{"Key": key}])
    refused(cloud, account, own, f"put back {key}={wanted}", listing)


def refused(cloud: Cloud, account: Account, own: str, right: str, listing: t.Callable[[], Listing]) -> None:
    before = listing()
    with pytest.raises(GroundworkError) as no:
        account.scaling("dev")
    assert own in str(no.value) and right in str(no.value)
    assert cloud.writes == [] and listing() == before
