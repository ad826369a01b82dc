"""The whole topic against the lab's control plane: plan = run, nothing twice, calls counted."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from accounts.servers import Account

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, InputError

Make = t.Callable[..., dict[str, t.Any]]
READS = {
    "DescribeInstances": 1,
    "DescribeKeyPairs": 1,
    "DescribeImages": 1,
    "DescribeSubnets": 1,
    "DescribeSecurityGroups": 1,
    "DescribeVolumes": 1,
    "GetParameter": 1,
}

LAUNCHING = ("DescribeTags", "DescribeInstanceTypes", "DescribeInstanceTypeOfferings")  # read if servers are launched


def names(result: dict[str, t.Any]) -> list[str]:
    return [f"{change['action']} {change['resource']} {change['name']}" for change in result["changes"]]


def test_an_empty_account_is_planned(account: Account, options: Make) -> None:
    planned = account.converge(options(), check_mode=True)
    assert names(planned) == [
        "create key pair servers",
        "create server public-1",
        "create server public-2",
        "create server private-1",
        "create server private-2",
    ]
    assert set(account.calls) <= {*READS, *LAUNCHING}
    first = planned["servers"][0]
    assert first["planned"] and first["id"] == "(known after apply)" and first["zone"] == "eu-central-1a"
    assert planned["servers"][3]["zone"] == "eu-central-1b" and planned["servers"][3]["public_ip"] == ""


def test_the_plan_is_the_run_and_the_second_run_changes_nothing(network: Account, options: Make) -> None:
    planned = network.converge(options(), check_mode=True)
    done = network.converge(options())
    assert planned["changes"] == done["changes"]
    assert planned["diff"] == done["diff"]
    assert [server["state"] for server in done["servers"]] == ["running"] * 4
    assert len({server["id"] for server in done["servers"]}) == 4
    again = network.converge(options())
    assert not again["changed"], again["diff"]
    assert again["servers"] == done["servers"]
    assert network.counted == READS
    assert not network.warnings


@pytest.mark.parametrize("count", [0, 2, 8])
def test_calls_do_not_grow_with_the_servers(network: Account, options: Make, count: int) -> None:
    wanted = options(public={"count": count}, private={"count": count})
    network.converge(wanted)
    network.converge(wanted)
    assert network.counted == READS


def test_a_launch_is_as_promised(network: Account, options: Make) -> None:
    network.converge(options(public={"root_volume_gib": 20}, tags={"Team": "web"}))
    by_name = {tag["Value"]: i for i in network.instances() for tag in i["Tags"] if tag["Key"] == "Name"}
    first = by_name["dev-public-1"]
    tags = {tag["Key"]: tag["Value"] for tag in first["Tags"]}
    assert tags == {
        "Name": "dev-public-1",
        "Team": "web",
        "groundwork:component": "servers",
        "groundwork:environment": "dev",
        "groundwork:server": "1",
        "groundwork:tier": "public",
    }
    assert first["KeyName"] == "dev-servers"
    assert first["PublicIpAddress"] and "PublicIpAddress" not in by_name["dev-private-1"]
    assert first["ImageId"] == network.images()[0]
    assert first["MetadataOptions"]["HttpTokens"] == "required"
    assert first["MetadataOptions"]["HttpPutResponseHopLimit"] == 1
    volume = network.backend.volumes[first["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]]
    assert (volume.size, volume.encrypted, volume.volume_type) == (20, True, "gp3")
    assert {i["Placement"]["AvailabilityZone"] for i in by_name.values()} == {"eu-central-1a", "eu-central-1b"}


@pytest.mark.parametrize("moment", ["killed_before", "killed_after"])
@pytest.mark.exhaustive
def test_killed_at_any_call_it_converges_without_a_duplicate(
    new_network: t.Callable[[], t.Any], options: Make, moment: str
) -> None:
    wanted = options(public={"count": 1}, private={"count": 1})
    whole = new_network()
    whole.converge(wanted)
    for position in range(len(whole.calls)):
        account = new_network()
        setattr(account, moment, position)
        with pytest.raises(account.Killed):
            account.converge(wanted)
        setattr(account, moment, None)
        account.converge(wanted)
        assert len(account.instances()) == 2, position
        assert not account.converge(wanted)["changed"]


def test_a_launch_that_ec2_does_not_tell_of_yet_is_not_made_again(
    network: Account, options: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html"""
    launched = network.converge(options())["servers"]
    everything = network.backend.describe_instances
    unseen = 3

    def nothing_yet(*arguments: t.Any, **filters: t.Any) -> list[t.Any]:
        nonlocal unseen
        unseen -= 1
        return [] if unseen >= 0 else everything(*arguments, **filters)

    monkeypatch.setattr(network.backend, "describe_instances", nothing_yet)
    assert network.converge(options())["servers"] == launched
    assert len(network.instances()) == 4


def test_a_server_terminated_by_hand_is_replaced(network: Account, options: Make) -> None:
    before = network.converge(options())["servers"]
    network.ec2.terminate_instances(InstanceIds=[before[0]["id"]])
    done = network.converge(options())
    assert names(done) == ["create server public-1"]
    assert done["servers"][0]["id"] != before[0]["id"] and done["servers"][1:] == before[1:]


def test_one_lost_after_an_hour_is_replaced_too(network: Account, options: Make) -> None:
    """EC2 has forgotten the instance by then, but not its client token."""
    before = network.converge(options(private={"count": 0}))["servers"]
    network.ec2.terminate_instances(InstanceIds=[before[0]["id"]])
    network.settle()
    for reservation in list(network.backend.reservations.values()):
        if reservation.instances[0].id == before[0]["id"]:
            del network.backend.reservations[reservation.id]
    spend_token_of(network, before[0]["id"])
    done = network.converge(options(private={"count": 0}))
    assert names(done) == ["create server public-1"]
    assert network.counted["RunInstances"] == 2
    assert done["servers"][0]["state"] == "running"


def spend_token_of(account: Account, instance_id: str) -> None:
    """Tokens of instances that are gone are refused."""

    def refuse(http_response: t.Any, parsed: dict[str, t.Any], **_: t.Any) -> None:
        if any(instance["InstanceId"] == instance_id for instance in parsed.get("Instances", [])):
            parsed.clear()
            parsed["Error"] = {"Code": "IdempotentInstanceTerminated", "Message": "It is gone."}
            http_response.status_code = 400

    account.client("ec2").meta.events.register("after-call.ec2.RunInstances", refuse)


@pytest.mark.parametrize("settled", [True, False], ids=["stopped", "stopping"])
def test_a_stopped_server_is_started(network: Account, options: Make, settled: bool) -> None:
    before = network.converge(options())["servers"]
    network.ec2.stop_instances(InstanceIds=[before[2]["id"]])
    if settled:
        network.settle()
    planned = network.converge(options(), check_mode=True)
    done = network.converge(options())
    assert names(planned) == names(done) == ["update server private-1"] * (1 if settled else 2)
    assert done["servers"][2]["state"] == "running"
    assert not network.converge(options())["changed"]


def test_a_launch_that_fails_is_told_with_the_reason(network: Account, options: Make) -> None:
    def fail() -> None:
        network.plane.instance_state(network.instances()[0]["InstanceId"], "terminated", reason="Out of luck")

    network.settle = fail
    with pytest.raises(GroundworkError, match=r"public-1 \(i-.*\) was terminated before it was running: .*Out of luck"):
        network.converge(options(public={"count": 1}, private={"count": 0}))


def test_servers_that_do_not_run_in_time_are_told_with_the_reason(network: Account, options: Make) -> None:
    def stop() -> None:
        network.plane.instance_state(network.instances()[0]["InstanceId"], "stopped", reason="No room on the host")

    network.settle = stop
    with pytest.raises(
        GroundworkError, match=r"Timed out after 30 s(?s:.*)public-1 \(i-.*\) is stopped: .*No room"
    ) as caught:
        network.converge(options(public={"count": 1}, private={"count": 0}))
    assert not caught.value.details


def test_servers_are_removed_only_when_allowed_and_the_newest_first(network: Account, options: Make) -> None:
    network.converge(options(public={"count": 3}))
    fewer = options(public={"count": 1})
    with pytest.raises(InputError, match=r"allow_removal.*public-2 .*public-3"):
        network.converge(fewer)
    assert set(network.calls) <= set(READS)
    allowed = {**fewer, "allow_removal": True}
    planned = network.converge(allowed, check_mode=True)
    done = network.converge(allowed)
    assert names(planned) == names(done) == ["delete server public-3", "delete server public-2"]
    assert not network.converge(allowed)["changed"]


def test_what_leaves_is_drained_first(network: Account, options: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("groundwork_lab.aws.elbv2.groups.time", network)  # draining takes the test's time
    network.converge(options(public={"count": 3}))
    elb = network.plain("elbv2")
    group = behind_a_balancer(network, elb, "dev-public")
    behind_a_balancer(network, elb, "other-public")
    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": one["InstanceId"]} for one in network.instances()])
    fewer = {**options(), "allow_removal": True}
    planned = network.converge(fewer, check_mode=True)
    assert [(one["action"], one["resource"], one["name"]) for one in planned["changes"]] == [
        ("delete", "targets", "public"),
        ("delete", "server", "public-3"),
    ]
    before = network.now
    assert network.converge(fewer)["changes"] == planned["changes"]
    assert network.now - before >= 20, "the delay has passed"
    made = [call for call in network.calls if not call.startswith(("Describe", "Get"))]
    assert made == ["DeregisterTargets", "TerminateInstances"]
    assert network.counted["DescribeTargetGroupAttributes"] == 1, "only the environment's groups are looked at"


def behind_a_balancer(network: Account, elb: t.Any, name: str) -> str:
    """A target group behind a balancer of the same name, with a deregistration delay of 20 s."""
    subnets = network.ec2.describe_subnets(Filters=[{"Name": "tag:Name", "Values": ["dev-public-*"]}])["Subnets"]
    group = elb.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=subnets[0]["VpcId"])
    arn = str(group["TargetGroups"][0]["TargetGroupArn"])
    delay = {"Key": "deregistration_delay.timeout_seconds", "Value": "20"}
    elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=[delay])
    made = elb.create_load_balancer(Name=name, Scheme="internal", Subnets=[subnet["SubnetId"] for subnet in subnets])
    forward = {"Type": "forward", "TargetGroupArn": arn}
    balancer = made["LoadBalancers"][0]["LoadBalancerArn"]
    elb.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=[forward])
    return arn


def test_a_tier_that_is_no_more_is_removed_like_a_lower_count(network: Account, options: Make) -> None:
    network.converge(options())
    only_public = options()
    del only_public["tiers"]["private"]
    with pytest.raises(InputError, match="allow_removal"):
        network.converge(only_public)
    done = network.converge({**only_public, "allow_removal": True})
    assert names(done) == ["delete server private-2", "delete server private-1"]


def test_a_newer_image_is_told_and_replaces_nothing(network: Account, options: Make) -> None:
    newest, second, *__ = network.images()
    published = network.backend.amis.pop(newest)
    network.converge(options(public={"count": 1}, private={"count": 0}))
    network.backend.amis[newest] = published
    more = options(public={"count": 2}, private={"count": 1})
    done = network.converge(more)
    assert names(done) == ["create server public-2", "create server private-1"]
    assert {server["image_id"] for server in done["servers"]} == {second}
    told = network.converge(more)
    assert not told["changed"]
    assert told["newer_image"]["public"]["image_id"] == newest
    assert told["newer_image"]["public"]["servers"] == ["public-1", "public-2"]
    assert any("there is a newer image" in warning for warning in network.warnings)


def test_drift_that_can_be_mended_is_mended(network: Account, options: Make) -> None:
    servers = network.converge(options())["servers"]
    ec2 = network.ec2
    ec2.create_tags(Resources=[servers[0]["id"]], Tags=[{"Key": "groundwork:server", "Value": "1"}])
    ec2.modify_instance_metadata_options(InstanceId=servers[0]["id"], HttpTokens="optional")
    ec2.create_tags(Resources=[servers[1]["id"]], Tags=[{"Key": "Name", "Value": "mine"}])
    wanted = options(private={"security_groups": ["private-servers", "monitored"]})
    planned = network.converge(wanted, check_mode=True)
    done = network.converge(wanted)
    assert names(planned) == names(done) == [f"update server {s['name']}" for s in servers]
    assert not network.converge(wanted)["changed"]


def credits_of(account: Account) -> list[str]:
    ids = [instance["InstanceId"] for instance in account.instances()]
    told = account.ec2.describe_instance_credit_specifications(InstanceIds=ids)["InstanceCreditSpecifications"]
    return sorted(one["CpuCredits"] for one in told)


def test_cpu_credits_are_given_at_the_launch_and_changed_in_place(network: Account, options: Make) -> None:
    network.converge(options(public={"cpu_credits": "standard"}))
    assert credits_of(network) == ["standard", "standard", "unlimited", "unlimited"]  # the last two have AWS' default
    both: t.Any = {"public": {"cpu_credits": "unlimited"}, "private": {"cpu_credits": "standard"}}
    planned = network.converge(options(**both), check_mode=True)
    assert planned["diff"][0]["before"] == {"CpuCredits": "standard"}
    assert planned["diff"][0]["after"] == {"CpuCredits": "unlimited"}
    done = network.converge(options(**both))
    assert (
        names(planned)
        == names(done)
        == [f"update server {one}" for one in ("public-1", "public-2", "private-1", "private-2")]
    )
    assert credits_of(network) == ["standard", "standard", "unlimited", "unlimited"]
    network.calls.clear()
    assert not network.converge(options(**both))["changed"]
    assert network.calls.count("DescribeInstanceCreditSpecifications") == 1
    network.calls.clear()
    assert not network.converge(options())["changed"]  # without the option nothing is read, and nothing changed
    assert "DescribeInstanceCreditSpecifications" not in network.calls


def test_a_refused_credit_option_is_an_error(network: Account, options: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    first = network.converge(options())["servers"][0]
    error = {"Code": "IncorrectInstanceState", "Message": "The instance is pending."}
    refuse = "groundwork_lab.aws.ec2.instances.InstancesResponses._refusal_of_credits"
    monkeypatch.setattr(refuse, lambda _self, _wanted: error)
    with pytest.raises(GroundworkError, match=rf"The instance is pending \({first['id']}\)"):
        network.converge(options(public={"cpu_credits": "standard"}))


@pytest.mark.parametrize(
    ("public", "warning"),
    [
        ({"instance_type": "t3.large"}, "has the instance type t3.small, not t3.large"),
        ({"subnets": ["private-a"]}, "is not a subnet of the tier"),
        ({"public_ip": False}, "has a public IP address"),
        ({"user_data": "#!/bin/sh\n"}, "different user data"),
        ({"root_volume_gib": 30}, "a root volume of 8 GiB, not 30"),
        ({"image": {"name": "debian-12-amd64-20250814-*"}}, "there is a newer image"),
    ],
)
def test_drift_that_needs_a_replacement_is_told(
    network: Account, options: Make, public: dict[str, t.Any], warning: str
) -> None:
    network.converge(options())
    assert not network.converge(options(public=public))["changed"]
    assert any(warning in said for said in network.warnings), network.warnings


@pytest.mark.parametrize(
    ("public", "message"),
    [
        ({"subnets": ["public-z"]}, "'public-z' is not a subnet of the environment; use one of private-a, private-b"),
        ({"security_groups": ["web"]}, "'web' is not a security group of the environment; use one of monitored"),
        (
            {"image": {"owner": "self", "name": "plan9-*"}},
            "the region has no image whose name matches 'plan9-\\*' and whose owner is self",
        ),
        ({"image": {"id": "ami-0123456789abcdef0"}}, "the region has no image ami-0123456789abcdef0"),
    ],
)
def test_what_is_not_there_is_refused_before_the_first_write(
    network: Account, options: Make, public: dict[str, t.Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        network.converge(options(public=public))
    assert not network.instances()


def test_another_key_is_refused(network: Account, options: Make, tmp_path: Path) -> None:
    network.converge(options())
    other = tmp_path / "other.pub"
    other.write_text("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n")
    with pytest.raises(InputError, match="key_file: is not the public key of the existing key pair 'dev-servers'"):
        network.converge(options(key_file=str(other)))


def test_a_key_pair_of_somebody_else_is_refused(network: Account, options: Make) -> None:
    network.ec2.create_key_pair(KeyName="dev-servers")
    with pytest.raises(
        InputError, match=r"the key pair 'dev-servers' \(key-.*\) exists, .* put back groundwork:environment=dev"
    ):
        network.converge(options())


def test_two_servers_of_one_name_are_told(network: Account, options: Make) -> None:
    servers = network.converge(options())["servers"]
    tags = [{"Key": "groundwork:server", "Value": "1"}]
    network.ec2.create_tags(Resources=[servers[1]["id"]], Tags=tags)
    with pytest.raises(GroundworkError, match=r"have the tags groundwork:tier and groundwork:server of public-1"):
        network.converge(options())


def test_an_instance_profile_is_given_and_replaced(network: Account, options: Make) -> None:
    iam = network.plain("iam")
    for name in ("one", "two"):
        iam.create_instance_profile(InstanceProfileName=name)
    network.converge(options())
    one = options(public={"instance_profile": "one"})
    assert names(network.converge(one)) == ["update server public-1", "update server public-2"]
    assert network.counted["AssociateIamInstanceProfile"] == 2
    assert not network.converge(one)["changed"]
    assert not network.converge(options())["changed"]
    network.converge(options(public={"instance_profile": "two"}))
    assert network.counted["ReplaceIamInstanceProfileAssociation"] == 2


def golden(network: Account, name: str = "dev-lamp-20260131T120000Z") -> str:
    """An image of the environment's own, which the parameter names."""
    subnet = network.ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    debian = network.images()[0]
    machine = network.ec2.run_instances(ImageId=debian, MinCount=1, MaxCount=1, SubnetId=subnet)["Instances"][0]
    network.settle()
    image: str = network.ec2.create_image(InstanceId=machine["InstanceId"], Name=name)["ImageId"]
    network.plane.image_captured(image)
    network.ec2.terminate_instances(InstanceIds=[machine["InstanceId"]])
    ssm = network.plain("ssm")
    ssm.put_parameter(Name="/groundwork/dev/image/lamp", Value=image, Type="String", DataType="aws:ec2:image")
    return image


def test_new_servers_start_from_the_promoted_image(network: Account, options: Make) -> None:
    before = network.converge(options())
    image = golden(network)
    grown = network.converge(options(public={"count": 3}))
    assert names(grown) == ["create server public-3"]
    assert [server["image_id"] for server in grown["servers"]].count(image) == 1
    assert grown["newer_image"]["public"]["servers"] == ["public-1", "public-2"]
    assert any("New servers are launched from the newer image." in warning for warning in network.warnings)
    again = network.converge(options(public={"count": 3}))
    assert (again["changed"], network.counted) == (False, READS)
    assert [s["id"] for s in again["servers"] if s["image_id"] != image] == [s["id"] for s in before["servers"]]


@pytest.mark.parametrize("choice", [{"promoted": False}, {"name": "debian-12-*"}, {"owner": "136693071363"}])
def test_who_names_an_image_gets_that(network: Account, options: Make, choice: dict[str, t.Any]) -> None:
    golden(network)
    done = network.converge(options(public={"image": choice}, private={"count": 0}))
    assert [server["image_id"] for server in done["servers"]] == [network.images()[0]] * 2
    assert done["newer_image"] == {}


def test_a_promoted_image_that_is_not_there_is_told(network: Account, options: Make) -> None:
    wanted = options(public={"image": {"promoted": True}})
    with pytest.raises(
        InputError, match=r"public.image.promoted: the environment dev has no promoted image; build one with"
    ):
        network.converge(wanted)
    image = golden(network)
    network.ec2.deregister_image(ImageId=image)
    for both in (wanted, options()):
        with pytest.raises(InputError, match=f"public.image: the promoted image {image} does not exist"):
            network.converge(both)


def test_more_security_groups_than_usual_need_a_quota(network: Account, options: Make) -> None:
    [vpc] = {
        one["VpcId"]
        for one in network.ec2.describe_security_groups()["SecurityGroups"]
        if one["GroupName"] == "monitored"
    }
    names = [f"group-{number}" for number in range(6)]
    for name in names:
        tags = [{"Key": "Name", "Value": f"dev-{name}"}, {"Key": "groundwork:environment", "Value": "dev"}]
        specification = [{"ResourceType": "security-group", "Tags": tags}]
        network.ec2.create_security_group(GroupName=name, Description=name, VpcId=vpc, TagSpecifications=specification)
    wanted = options(public={"security_groups": names})
    for check_mode in (True, False):
        with pytest.raises(InputError, match=r"tiers.public.security_groups: 6 more security groups of a network"):
            network.converge(wanted, check_mode=check_mode)
        assert not network.instances()
    network.converge(options(public={"security_groups": names[:5]}))
    assert "GetServiceQuota" not in network.calls
