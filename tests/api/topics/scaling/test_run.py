"""`autoscaling_server_groups` in an account: what it makes, what it leaves, what it replaces."""

from __future__ import annotations

import base64
import copy
import typing as t
from collections import Counter
from pathlib import Path

import pytest
from accounts.scaling import Site, balancer
from cloud import Cloud, Survives, told
from topic_options.scaling import Make

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, InputError
from ansible_collections.groundwork.aws.plugins.module_utils.topics.scaling.looking import look_at_groups
from ansible_collections.groundwork.aws.plugins.module_utils.topics.scaling.run import converge_server_groups
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.run import converge_servers

CREATION = ["create launch template public", "create auto scaling group public"]
REFRESH = ["update launch template public", "create instance refresh public"]
BUDGET = {
    "DescribeAutoScalingGroups": 1,
    "DescribeLaunchTemplates": 1,
    "DescribeSubnets": 1,
    "DescribeSecurityGroups": 1,
    "DescribeTargetGroups": 1,
    "GetParameters": 1,
    "DescribeImages": 1,
    "DescribeLaunchTemplateVersions": 1,
    "DescribeInstanceRefreshes": 1,
    "DescribePolicies": 1,
}


def tags(described: t.Mapping[str, t.Any]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in described["Tags"]}


def test_cpu_credits_are_in_the_template(site: Site) -> None:
    site.converge(public={"cpu_credits": "standard"})
    ids = [instance["InstanceId"] for instance in site.instances()]
    told_by_ec2 = site.cloud.ec2.describe_instance_credit_specifications(InstanceIds=ids)
    assert {one["CpuCredits"] for one in told_by_ec2["InstanceCreditSpecifications"]} == {"standard"}
    assert told(site.converge(public={"cpu_credits": "standard"})) == []
    assert told(site.converge(public={"cpu_credits": "unlimited"})) == REFRESH
    instance = site.instances()[0]
    [now] = site.cloud.ec2.describe_instance_credit_specifications(InstanceIds=[instance["InstanceId"]])[
        "InstanceCreditSpecifications"
    ]
    assert now["CpuCredits"] == "unlimited"


def test_a_group_is_made_and_a_second_run_changes_nothing(site: Site) -> None:
    result = site.converge(public={"user_data": "#!/bin/sh\ntrue\n", "root_volume_gib": 12})
    assert told(result) == CREATION
    [group] = result["groups"]
    assert (group["name"], group["planned"], group["desired"], group["outdated"]) == ("dev-public", False, 2, [])
    assert {(one["state"], one["healthy"], one["version"]) for one in group["servers"]} == {("InService", True, "1")}
    assert sorted(one["zone"] for one in group["servers"]) == ["eu-central-1a", "eu-central-1b"]

    made = site.group()
    assert (made["MinSize"], made["MaxSize"], made["DesiredCapacity"]) == (2, 4, 2)
    assert (made["HealthCheckType"], made["HealthCheckGracePeriod"], made["DefaultInstanceWarmup"]) == ("ELB", 300, 0)
    assert [arn.split("/")[1] for arn in made["TargetGroupARNs"]] == ["dev-public"]
    for instance in site.instances():
        assert instance["ImageId"] == group["image_id"]
        assert (instance["MetadataOptions"]["HttpTokens"], instance["InstanceType"]) == ("required", "t3.small")
        assert instance.get("PublicIpAddress")
        own = {"Name": "dev-public", "groundwork:environment": "dev", "groundwork:component": "servers"}
        assert {**own, "groundwork:tier": "public"}.items() <= tags(instance).items()
    volumes = site.cloud.ec2.describe_volumes()["Volumes"]
    assert {(volume["Size"], volume["Encrypted"], tags(volume)["Name"]) for volume in volumes} == {
        (12, True, "dev-public")
    }

    again = site.converge(public={"user_data": "#!/bin/sh\ntrue\n", "root_volume_gib": 12})
    assert (again["changed"], again["changes"], site.cloud.writes) == (False, [], [])
    assert Counter(site.cloud.calls) == BUDGET


def test_check_mode_on_an_empty_account_tells_the_real_runs_changes(cloud: Cloud, options: Make) -> None:
    image = cloud.ec2.describe_images()["Images"][0]["ImageId"]
    for own, expected in (({"image": {"id": image}}, image), ({}, "(known after apply)")):
        result = cloud.run(converge_server_groups, options(public=own), check_mode=True)
        assert (told(result), cloud.writes) == (CREATION, [])
        assert result["diff"][1]["after"]["Version"] == "(known after apply)"
        assert (result["groups"][0]["planned"], result["groups"][0]["image_id"]) == (True, expected)


@pytest.mark.exhaustive
def test_a_killed_run_is_completed(
    survives: Survives, furnish: t.Callable[[Cloud], None], site_of: type[Site], options: Make
) -> None:
    def look(cloud: Cloud) -> t.Any:
        site = site_of(cloud)
        group = site.group()
        return site.versions(), group["LaunchTemplate"]["Version"], len(group["Instances"])

    assert survives(converge_server_groups, options(), look, furnish) == 2


@pytest.mark.exhaustive
def test_a_killed_refresh_is_completed(
    survives: Survives, furnish: t.Callable[[Cloud], None], site_of: type[Site], options: Make
) -> None:
    def prepare(cloud: Cloud) -> None:
        furnish(cloud)
        site_of(cloud).converge()
        site_of(cloud).promote(1)

    def look(cloud: Cloud) -> t.Any:
        for _pass in range(4):
            cloud.sleep(3)  # after the refresh, the group returns to its capacity
        site = site_of(cloud)
        group = site.group()
        running = {one["LaunchTemplate"]["Version"] for one in group["Instances"]}
        return site.versions(), group["LaunchTemplate"]["Version"], running, len(group["Instances"])

    assert survives(converge_server_groups, options(), look, prepare) == 3


# Replacing ---------------------------------------------------------------------------------------------------------


def test_a_new_image_replaces_all_servers(site: Site) -> None:
    site.converge()
    before = site.members()
    image = site.promote(1)
    predicted = site.converge(check_mode=True)
    assert (told(predicted), predicted["groups"][0]["outdated"]) == (REFRESH, before)
    result = site.converge()
    assert told(result) == REFRESH
    assert not set(before) & set(site.members())
    assert {instance["ImageId"] for instance in site.instances()} == {image}
    assert site.group()["LaunchTemplate"]["Version"] == "2"
    [refresh] = site.refreshes()
    assert refresh["Status"] == "Successful"
    preferences = refresh["Preferences"]
    assert (preferences["MinHealthyPercentage"], preferences["MaxHealthyPercentage"]) == (100, 150)
    assert (preferences["AutoRollback"], preferences["SkipMatching"]) == (True, True)
    assert site.converge()["changes"] == []


def test_new_servers_alone_are_of_the_new_version_unless_a_refresh_is_wanted(site: Site) -> None:
    site.converge()
    before = site.members()
    site.promote(1)
    result = site.converge(refresh=False)
    assert told(result) == ["update launch template public", "update auto scaling group public"]
    assert site.members() == before
    assert result["groups"][0]["outdated"] == before
    assert "Nothing was replaced" in site.cloud.warnings[0]
    assert site.converge(refresh=False)["changes"] == []
    assert told(site.converge()) == ["create instance refresh public"]
    assert not set(before) & set(site.members())


def test_a_version_that_once_was_is_used_again(site: Site) -> None:
    site.converge()
    site.promote(1)
    site.converge()
    site.promote(0)
    assert told(site.converge()) == REFRESH
    assert (site.versions(), site.group()["LaunchTemplate"]["Version"]) == ([1, 2], "1")
    assert site.converge()["changes"] == []


def test_old_versions_are_pruned(site: Site) -> None:
    for number in range(4):
        result = site.converge(public={"user_data": f"#!/bin/sh\n# {number}\n"})
        assert site.converge(public={"user_data": f"#!/bin/sh\n# {number}\n"})["changes"] == []
    assert told(result)[-1] == "delete launch template versions public"
    assert site.versions() == [2, 3, 4]


def test_tags_alone_replace_nothing(site: Site) -> None:
    site.converge()
    before = site.members()
    assert told(site.converge(tags={"team": "blue"})) == [
        "update launch template public",
        "update auto scaling group public",
        "update tags auto scaling group public",
    ]
    assert site.members() == before
    assert tags(site.group())["team"] == "blue"
    assert site.converge(tags={"team": "blue"})["changes"] == []


def test_servers_that_do_not_become_healthy_are_told_with_the_progress(site: Site) -> None:
    site.converge()
    site.promote(1)
    site.cloud.plane.instance_state = lambda *_: None  # no host boots any more
    with pytest.raises(GroundworkError) as caught:
        site.converge(refresh_deadline=30)
    assert "for the servers of public to be replaced" in str(caught.value)
    assert "InProgress with 0 % done and 2 servers to replace" in str(caught.value)


def test_a_cancelled_refresh_is_an_error_with_its_progress(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.converge()
    site.promote(1)
    sleep = type(site.cloud).sleep

    def cancel(cloud: Cloud, seconds: float) -> None:
        if site.refreshes() and site.refreshes()[0]["Status"] == "InProgress":
            site.scaling.cancel_instance_refresh(AutoScalingGroupName="dev-public")
        sleep(cloud, seconds)

    monkeypatch.setattr(type(site.cloud), "sleep", cancel)
    with pytest.raises(
        GroundworkError, match=r"the instance refresh is Cancelled after \d+ %: .*Remove the cause and run again"
    ):
        site.converge()
    monkeypatch.undo()


def test_a_refresh_to_something_else_is_waited_for_first(site: Site) -> None:
    site.converge()
    site.scaling.start_instance_refresh(
        AutoScalingGroupName="dev-public", Preferences={"MinHealthyPercentage": 0, "InstanceWarmup": 0}
    )
    site.promote(1)
    result = site.converge()
    assert told(result) == [
        "update launch template public",
        "update instance refresh public",
        "create instance refresh public",
    ]
    assert [one["Status"] for one in site.refreshes()] == ["Successful", "Successful"]
    assert site.group()["LaunchTemplate"]["Version"] == "2"


# Mending -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"group": {"max": 6}}, {"MaxSize": 6}),
        ({"group": {"min": 1}}, {"MinSize": 1, "DesiredCapacity": 2}),
        ({"group": {"desired": 3}}, {"DesiredCapacity": 3}),
        ({"group": {"health_check_grace": 60}}, {"HealthCheckGracePeriod": 60}),
        ({"group": {"warmup": 5}}, {"DefaultInstanceWarmup": 5}),
    ],
)
def test_a_groups_settings_are_mended(site: Site, given: t.Any, expected: t.Any) -> None:
    site.converge()
    before = site.members()
    assert told(site.converge(public={**given})) == ["update auto scaling group public"]
    group = site.group()
    assert {key: group[key] for key in expected} == expected
    assert set(before) <= set(site.members())
    assert len(site.members()) == group["DesiredCapacity"]


def test_a_capacity_that_others_set_stays(site: Site) -> None:
    site.converge()
    site.scaling.set_desired_capacity(AutoScalingGroupName="dev-public", DesiredCapacity=4)
    result = site.converge()
    assert (result["changes"], result["groups"][0]["desired"], len(site.members())) == ([], 4, 4)


def test_target_groups_are_attached_and_detached(site: Site) -> None:
    site.converge()
    result = site.converge(public={"group": {"target_groups": ["private"]}})
    attached = "target groups of auto scaling group public"
    assert told(result) == [f"create {attached}", f"delete {attached}"]
    assert [arn.split("/")[1] for arn in site.group()["TargetGroupARNs"]] == ["dev-private"]
    assert told(site.converge(public={"group": {"target_groups": []}})) == [
        "update auto scaling group public",
        f"delete {attached}",
    ]
    assert site.group()["HealthCheckType"] == "EC2"


def test_user_data_reaches_the_servers(site: Site) -> None:
    site.converge(public={"user_data": "#!/bin/sh\necho hello\n"})
    told = site.cloud.ec2.describe_instance_attribute(InstanceId=site.members()[0], Attribute="userData")
    assert base64.b64decode(told["UserData"]["Value"]) == b"#!/bin/sh\necho hello\n"


# Scaling -----------------------------------------------------------------------------------------------------------

BOTH = {"group": {"scaling": {"requests_per_target": 100, "cpu_percent": 50, "warmup": 30}}}
POLICIES = ["create scaling policy public cpu", "create scaling policy public requests"]


def scaled(**scaling: t.Any) -> dict[str, t.Any]:
    return {"group": {"scaling": scaling}}


def test_policies_are_made_with_the_group_and_a_second_run_changes_nothing(site: Site) -> None:
    site.balance(load_balancers=[balancer()])
    planned = site.converge(public=copy.deepcopy(BOTH), check_mode=True)
    assert told(planned) == [*CREATION, *POLICIES]
    assert site.cloud.writes == []
    assert told(site.converge(public=copy.deepcopy(BOTH))) == told(planned)
    made = site.policies()
    cpu, requests = made["dev-public groundwork-cpu"], made["dev-public groundwork-requests"]
    assert (cpu["PolicyType"], cpu["Enabled"], cpu["EstimatedInstanceWarmup"]) == ("TargetTrackingScaling", True, 30)
    assert cpu["TargetTrackingConfiguration"] == {
        "PredefinedMetricSpecification": {"PredefinedMetricType": "ASGAverageCPUUtilization"},
        "TargetValue": 50.0,
        "DisableScaleIn": False,
    }
    arn = site.cloud.of("elbv2").describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
    [target_group] = site.group()["TargetGroupARNs"]
    metric = requests["TargetTrackingConfiguration"]["PredefinedMetricSpecification"]
    assert metric["ResourceLabel"] == f"{arn.split(':loadbalancer/')[1]}/{target_group.split(':')[-1]}"
    assert site.converge(public=copy.deepcopy(BOTH))["changes"] == []
    assert Counter(site.cloud.calls) == BUDGET


def test_sizes_and_policies_are_told(site: Site) -> None:
    site.converge(public=scaled(cpu_percent=50, disable_scale_in=True))
    result = site.cloud.run(look_at_groups, {"environment_name": "dev", "tags": {}})
    policy = {"name": "groundwork-cpu", "metric": "ASGAverageCPUUtilization", "target": 50.0}
    policy |= {"scales_in": False, "enabled": True}
    size = {"min": 2, "max": 4, "desired": 2, "in_service": 2}
    assert result["groups"] == [{"name": "dev-public", "tier": "public", **size, "policies": [policy]}]
    assert site.cloud.writes == []


def test_check_mode_before_the_balancer_tells_the_policies(site: Site) -> None:
    result = site.converge(public=scaled(requests_per_target=100), check_mode=True)
    assert told(result) == [*CREATION, "create scaling policy public requests"]
    assert result["diff"][-1]["after"]["ResourceLabel"] == "(known after apply)"


def test_a_capacity_that_a_policy_set_stays(site: Site) -> None:
    site.converge(public=scaled(cpu_percent=50))
    site.scaling.set_desired_capacity(AutoScalingGroupName="dev-public", DesiredCapacity=3)
    site.converge(public=scaled(cpu_percent=50))
    assert len(site.members()) == 3
    result = site.converge(public=scaled(cpu_percent=50))
    assert (result["changes"], site.cloud.writes, result["groups"][0]["desired"]) == ([], [], 3)
    assert told(site.converge(public=scaled(cpu_percent=60))) == ["update scaling policy public cpu"]
    assert (site.group()["DesiredCapacity"], len(site.members())) == (3, 3)


@pytest.mark.parametrize(
    ("given", "before", "after"),
    [
        ({"cpu_percent": 60}, {"TargetValue": 50.0}, {"TargetValue": 60.0}),
        ({"disable_scale_in": True}, {"DisableScaleIn": False}, {"DisableScaleIn": True}),
        ({"warmup": 90}, {"EstimatedInstanceWarmup": 0}, {"EstimatedInstanceWarmup": 90}),
    ],
)
def test_policies_are_changed_and_changed_back(
    site: Site, given: dict[str, t.Any], before: dict[str, t.Any], after: dict[str, t.Any]
) -> None:
    plain = {"cpu_percent": 50}
    site.converge(public=scaled(**plain))
    first = site.policies()
    result = site.converge(public=scaled(**{**plain, **given}))
    assert told(result) == ["update scaling policy public cpu"]
    assert (result["diff"][0]["before"], result["diff"][0]["after"]) == (before, after)
    assert site.converge(public=scaled(**{**plain, **given}))["changes"] == []
    assert told(site.converge(public=scaled(**plain))) == ["update scaling policy public cpu"]
    assert site.policies() == first


def test_a_policy_that_somebody_disabled_is_enabled_again(site: Site) -> None:
    site.converge(public=scaled(cpu_percent=50))
    [policy] = site.policies().values()
    same = {name: policy[name] for name in ("AutoScalingGroupName", "PolicyName", "PolicyType")}
    configuration = policy["TargetTrackingConfiguration"]
    site.scaling.put_scaling_policy(**same, TargetTrackingConfiguration=configuration, Enabled=False)
    assert told(site.converge(public=scaled(cpu_percent=50))) == ["update scaling policy public cpu"]
    assert site.policies()["dev-public groundwork-cpu"]["Enabled"] is True


def test_policies_that_are_not_declared_any_more_are_deleted_and_others_stay(site: Site) -> None:
    site.balance(load_balancers=[balancer()])
    site.converge(public=copy.deepcopy(BOTH))
    one = list(site.policies().values())[-1]
    same = {name: one[name] for name in ("AutoScalingGroupName", "PolicyType", "TargetTrackingConfiguration")}
    site.scaling.put_scaling_policy(**same, PolicyName="somebodys")
    assert told(site.converge(public=scaled(cpu_percent=50, warmup=30))) == ["delete scaling policy public requests"]
    assert told(site.converge(check_mode=True)) == ["delete scaling policy public cpu"]
    assert told(site.converge()) == ["delete scaling policy public cpu"]
    assert list(site.policies()) == ["dev-public somebodys"]
    assert site.converge()["changes"] == []


def test_the_policy_follows_another_target_group(site: Site) -> None:
    """The new target group is attached before the policy names it, and the old one detached afterwards."""
    site.balance(load_balancers=[balancer()])
    site.converge(public=scaled(requests_per_target=100))
    site.balance(load_balancers=[balancer(), balancer("other", "private")])
    moved = {"target_groups": ["private"], "scaling": {"requests_per_target": 100}}
    assert told(site.converge(public={"group": moved})) == [
        "create target groups of auto scaling group public",
        "update scaling policy public requests",
        "delete target groups of auto scaling group public",
    ]
    assert "/targetgroup/dev-private/" in str(site.policies())


@pytest.mark.exhaustive
def test_killed_policies_are_completed(
    survives: Survives, furnish: t.Callable[[Cloud], None], site_of: type[Site], options: Make
) -> None:
    def prepare(cloud: Cloud) -> None:
        furnish(cloud)
        site_of(cloud).balance(load_balancers=[balancer()])
        site_of(cloud).converge()

    def look(cloud: Cloud) -> t.Any:
        return sorted(site_of(cloud).policies())

    assert survives(converge_server_groups, options(public=copy.deepcopy(BOTH)), look, prepare) == 2


# Whose servers these are -------------------------------------------------------------------------------------------


def test_numbered_servers_and_a_groups_do_not_meet(site: Site, tmp_path: Path) -> None:
    site.converge()
    key = tmp_path / "key.pub"
    key.write_text("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJIF4M9mOM1CgqWnVr0CnU4jUDqUDV/AiWYOf4qqJmz x\n")
    counted = {
        "environment_name": "dev",
        "tags": {},
        "tiers": {"private": {"count": 1, "instance_type": "t3.small"}},
        "zones": ["eu-central-1a", "eu-central-1b"],
        "key_file": str(key),
        "key_file_planned": False,
        "metadata_hop_limit": 1,
        "allow_removal": True,
        "deadline": 30,
    }
    before = site.members()
    result = site.cloud.run(converge_servers, counted)
    assert told(result) == ["create key pair servers", "create server private-1"]
    assert site.members() == before


@pytest.mark.parametrize("purge", [False, True])
def test_the_balancers_module_leaves_a_groups_servers_to_it(site: Site, purge: bool) -> None:
    site.converge()
    assert site.balance(purge=purge)["changes"] == []
    elb, [arn] = site.cloud.of("elbv2"), site.group()["TargetGroupARNs"]
    leaving = site.members()[0]  # as the group does when it replaces one
    elb.deregister_targets(TargetGroupArn=arn, Targets=[{"Id": leaving}])
    assert site.balance(purge=purge)["changes"] == []


# What cannot be ----------------------------------------------------------------------------------------------------


def refused(site: Site, **given: t.Any) -> str:
    with pytest.raises(InputError) as caught:
        site.converge(**given)
    assert site.cloud.writes == []
    return str(caught.value)


def test_names_that_are_not_there_are_refused(site: Site) -> None:
    told = refused(
        site, public={"group": {"target_groups": ["shop"]}, "subnets": ["public-c"], "security_groups": ["web"]}
    )
    assert (
        "tiers.public.group.target_groups: 'shop' is not a target group of the environment; use one of private" in told
    )
    assert "tiers.public.subnets: 'public-c' is not a subnet of the environment" in told
    assert "tiers.public.security_groups: 'web' is not a security group" in told


def test_requests_without_a_balancer_are_refused(site: Site) -> None:
    told = refused(site, public=scaled(requests_per_target=100))
    assert (
        "tiers.public.group.scaling.requests_per_target: no load balancer forwards requests to the target group "
        "'public'; run groundwork.aws.alb first"
    ) in told


def test_a_missing_image_is_refused(site: Site) -> None:
    site.cloud.of("ssm").delete_parameter(Name="/groundwork/dev/image/lamp")
    assert "the parameter /groundwork/dev/image/lamp does not exist, so no image is promoted" in refused(site)
    assert "the image ami-0123456789abcdef0" in refused(site, public={"image": {"id": "ami-0123456789abcdef0"}})


def test_a_strangers_group_is_refused(site: Site) -> None:
    made = site.cloud.ec2.create_launch_template(
        LaunchTemplateName="dev-public", LaunchTemplateData={"InstanceType": "t3.small"}
    )
    message = refused(site)
    assert f"the launch template {made['LaunchTemplate']['LaunchTemplateId']} exists, and its tags" in message
    assert "put back groundwork:environment=dev and groundwork:component=servers" in message


def test_a_group_that_is_not_declared_any_more_is_removed_only_when_asked(site: Site) -> None:
    site.converge()
    refusal = refused(site, tiers={})
    assert "allow_removal: these Auto Scaling groups (or their launch templates)" in refusal
    assert "exist and are not declared: public; declare them" in refusal
    result = site.converge(tiers={}, allow_removal=True)
    assert told(result) == ["delete auto scaling group public", "delete launch template public"]
    assert site.scaling.describe_auto_scaling_groups()["AutoScalingGroups"] == []
    assert site.cloud.ec2.describe_launch_templates()["LaunchTemplates"] == []
    assert site.converge(tiers={}, allow_removal=True)["changes"] == []


def test_a_launch_that_ec2_refuses_is_told(site: Site) -> None:
    iam = site.cloud.of("iam")
    iam.create_instance_profile(InstanceProfileName="dev-public")
    site.converge(public={"instance_profile": "dev-public"})
    iam.delete_instance_profile(InstanceProfileName="dev-public")
    with pytest.raises(GroundworkError) as caught:
        site.converge(public={"instance_profile": "dev-public", "group": {"desired": 3}}, deadline=10)
    line = str(caught.value).splitlines()[1]
    assert line.startswith("- public has 2 of 3 servers in service: ")
    assert "Invalid IAM Instance Profile name" in line


def test_an_instance_profile_that_was_just_made_is_waited_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    sleep = type(site.cloud).sleep

    def appear(cloud: Cloud, seconds: float) -> None:
        if cloud.now > 5 and not site.cloud.of("iam").list_instance_profiles()["InstanceProfiles"]:
            site.cloud.of("iam").create_instance_profile(InstanceProfileName="dev-public")
        sleep(cloud, seconds)

    monkeypatch.setattr(type(site.cloud), "sleep", appear)
    assert told(site.converge(public={"instance_profile": "dev-public"})) == CREATION
    assert site.cloud.calls.count("CreateAutoScalingGroup") > 1
