"""Bakes against the lab's control plane: plan = run, killed anywhere, only ours removed, and nothing that is in use."""

from __future__ import annotations

import typing as t

import pytest
from accounts.image import Site
from cloud import told

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, InputError

ONE, TWO, THREE, FOUR = (f"2026013{day}T120000Z" for day in range(4))


def test_the_plan_of_an_empty_account_tells_the_bake(empty: Site, new_site: t.Callable[[], Site]) -> None:
    planned = empty.stage("plan", stamp=ONE, check_mode=True)
    assert planned["bake"] and empty.left() == (0, [])
    assert new_site().bake(ONE) == told(planned)


def test_a_bake_leaves_the_image_and_its_parameter(site: Site) -> None:
    site.bake(ONE)
    assert site.images() == [f"dev-lamp-{ONE}"]
    assert site.promoted() == site.image_id(ONE)
    assert site.left() == (0, [])
    (image,) = site.ec2.describe_images(Owners=["self"])["Images"]
    tags = {tag["Key"]: tag["Value"] for tag in image["Tags"]}
    (snapshot,) = site.ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]
    assert (tags["groundwork:component"], tags["groundwork:environment"]) == ("image", "dev")
    assert tags["groundwork:promoted"] == ONE and len(tags["groundwork:digest"]) == 16
    assert {"Key": "Name", "Value": f"dev-lamp-{ONE}"} in snapshot["Tags"]


def test_the_same_again_changes_nothing_in_eight_calls(site: Site) -> None:
    site.bake(ONE)
    again = site.stage("plan")
    assert (again["bake"], again["changed"], again["changes"]) == (False, False, [])
    assert len(site.cloud.calls) == 8
    assert again["promoted"] == {"name": f"lamp-{ONE}", "id": site.image_id(ONE)}


@pytest.mark.parametrize(
    "given",
    [{"recipe": {"packages": ["apache2", "php8.2-gd"]}}, {"rebuild": True}, {"base": {"name": "debian-12-*-2053"}}],
)
def test_something_new_is_baked(site: Site, given: dict[str, t.Any]) -> None:
    site.bake(ONE)
    assert site.stage("plan", **given)["bake"]
    site.bake(TWO, **given)
    assert site.promoted() == site.image_id(TWO)


def test_the_bench_is_closed_but_for_what_it_is_for(site: Site) -> None:
    def bench(name: str) -> tuple[t.Any, t.Any]:
        (machine,) = [i for i in site.instances("running") if {"Key": "Name", "Value": f"dev-{name}"} in i["Tags"]]
        (group,) = site.ec2.describe_security_groups(GroupIds=[machine["SecurityGroups"][0]["GroupId"]])[
            "SecurityGroups"
        ]
        return machine, group

    site.stage("build", stamp=ONE)
    builder, group = bench("image-builder")
    assert [(p["FromPort"], p["IpRanges"][0]["CidrIp"]) for p in group["IpPermissions"]] == [(22, "203.0.113.7/32")]
    assert builder["KeyName"] == "dev-servers" and builder["MetadataOptions"]["HttpTokens"] == "required"
    site.stage("capture", stamp=ONE)
    site.stage("test", stamp=ONE)
    tester, group = bench("image-tester")
    assert [(p["FromPort"], p["IpRanges"][0]["CidrIp"]) for p in group["IpPermissions"]] == [(80, "203.0.113.7/32")]
    assert group["IpPermissionsEgress"] == []
    assert tester["ImageId"] == site.image_id(ONE)
    assert "KeyName" not in tester and "IamInstanceProfile" not in tester


def test_a_bake_that_fails_leaves_the_old_image(site: Site) -> None:
    site.bake(ONE)
    before = site.promoted()
    for stamp, far in ((TWO, 1), (THREE, 2), (FOUR, 3)):
        for stage in ("build", "capture", "test")[:far]:
            site.stage(stage, stamp=stamp, rebuild=True)
        site.stage("clear")
        assert (site.images(), site.left(), site.snapshots()) == ([f"dev-lamp-{ONE}"], (0, []), 1)
        assert site.promoted() == before


STAGES = ("build", "capture", "test", "promote")
WRITES = {  # of each stage
    "build": ["CreateSecurityGroup", "AuthorizeSecurityGroupIngress", "RunInstances"],
    "capture": ["StopInstances", "CreateImage"],
    "test": [
        "CreateSecurityGroup",
        "AuthorizeSecurityGroupIngress",
        "RevokeSecurityGroupEgress",
        "RunInstances",
    ],
    "promote": [
        "PutParameter",
        "CreateTags",
        "TerminateInstances",
        "TerminateInstances",
        "DeleteSecurityGroup",
        "DeleteSecurityGroup",
    ],
}


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.exhaustive
def test_killed_anywhere_the_next_bake_leaves_nothing_else(new_site: t.Callable[[], Site], stage: str) -> None:
    def begun() -> t.Any:
        site = new_site()
        for before in STAGES[: STAGES.index(stage)]:
            site.stage(before, stamp=ONE)
        return site

    whole = begun()
    whole.stage(stage, stamp=ONE)
    calls = list(enumerate(whole.cloud.calls))
    writes = [(position, name) for position, name in calls if not name.startswith(("Describe", "Get"))]
    assert [name for _position, name in writes] == WRITES[stage]
    for position, name in writes:
        site = begun()
        site.cloud.killed_after = position
        with pytest.raises(site.cloud.Killed):
            site.stage(stage, stamp=ONE)
        site.cloud.killed_after = None
        site.bake(TWO)
        (image,) = site.ec2.describe_images(Owners=["self"])["Images"]
        assert site.promoted() == image["ImageId"], f"killed after {name}"
        assert (site.left(), site.snapshots()) == ((0, []), 1), f"killed after {name}"
        assert site.stage("plan")["changes"] == [], f"killed after {name}"


def test_an_image_that_is_still_being_made_is_awaited(site: Site) -> None:
    site.stage("build", stamp=ONE)
    (builder,) = site.instances("running")
    site.stage("capture", stamp=ONE)
    backend = site.cloud.plane.context.ec2
    backend.amis[site.image_id(ONE)].state = "pending"
    cleared = site.stage("clear")
    assert told(cleared)[-2:] == [f"update image lamp-{ONE}", f"delete image lamp-{ONE}"]
    assert site.images() == [] and site.snapshots() == 0 and builder


def test_old_images_go_and_those_in_use_stay(site: Site) -> None:
    for stamp in (ONE, TWO, THREE):
        site.bake(stamp, rebuild=True)
    site.ec2.run_instances(ImageId=site.image_id(ONE), MinCount=1, MaxCount=1, SubnetId=site.subnet)
    for version in (TWO, THREE):
        data = {"ImageId": site.image_id(version)}
        if version == TWO:
            site.ec2.create_launch_template(LaunchTemplateName="theirs", LaunchTemplateData=data)
        else:
            site.ec2.create_launch_template_version(LaunchTemplateName="theirs", LaunchTemplateData=data)
    planned = site.stage("plan", stamp=FOUR, keep=1, rebuild=True)
    assert [image["name"] for image in planned["in_use"]] == [f"lamp-{ONE}", f"lamp-{TWO}"]
    assert planned["in_use"][1]["used_by"] == ["version 1 of launch template theirs"]
    site.bake(FOUR, keep=1, rebuild=True)
    assert site.images() == [f"dev-lamp-{stamp}" for stamp in (ONE, TWO, THREE, FOUR)]
    site.ec2.delete_launch_template(LaunchTemplateName="theirs")
    assert [c["name"] for c in site.stage("clear", keep=1)["changes"]] == [f"lamp-{TWO}"]
    assert site.images() == [f"dev-lamp-{stamp}" for stamp in (ONE, THREE, FOUR)]


def test_others_images_stay(site: Site) -> None:
    site.ec2.run_instances(ImageId=_debian(site), MinCount=1, MaxCount=1, SubnetId=site.subnet)
    site.settle(1)
    (theirs,) = site.instances("running")
    site.ec2.create_image(InstanceId=theirs["InstanceId"], Name="other-lamp-1", NoReboot=True)
    site.settle(1)
    site.bake(ONE)
    assert site.images() == [f"dev-lamp-{ONE}", "other-lamp-1"]
    assert site.left() == (1, [])


def _debian(site: Site) -> str:
    return str(site.ec2.describe_images(Owners=["136693071363"])["Images"][0]["ImageId"])


def test_what_is_missing_is_told(site: Site) -> None:
    with pytest.raises(InputError, match="'public-z' is not a subnet of the environment; the environment has public-a"):
        site.stage("plan", subnet="public-z")
    with pytest.raises(InputError, match="this region has no image named 'devuan' of owner 136693071363"):
        site.stage("plan", base={"name": "devuan"})
    with pytest.raises(GroundworkError, match="the builder does not exist"):
        site.stage("capture", stamp=ONE)
    with pytest.raises(GroundworkError, match=f"The image lamp-{ONE} does not exist, so the stage promote cannot run"):
        site.stage("promote", stamp=ONE)
    site.ec2.delete_key_pair(KeyName="dev-servers")
    with pytest.raises(InputError, match="the key pair 'dev-servers' does not exist"):
        site.stage("build", stamp=ONE)
