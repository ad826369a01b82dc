"""The whole topic against an account of moto's: plan = run, nothing twice, calls counted."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.errors import GroundworkError, InputError

Make = t.Callable[..., dict[str, t.Any]]
READS = {
    "DescribeInstances": 1,
    "DescribeKeyPairs": 1,
    "DescribeImages": 1,
    "DescribeSubnets": 1,
    "DescribeSecurityGroups": 1,
    "DescribeVolumes": 1,
}


def names(result: dict[str, t.Any]) -> list[str]:
    return [f"{change['action']} {change['resource']} {change['name']}" for change in result["changes"]]


def test_an_empty_account_is_planned(account: t.Any, options: Make) -> None:
    planned = account.converge(options(), check_mode=True)
    assert names(planned) == [
        "create key pair servers",
        "create server public-1",
        "create server public-2",
        "create server private-1",
        "create server private-2",
    ]
    assert {call for call in account.calls if not call.startswith("Describe")} == set()
    first = planned["servers"][0]
    assert first["planned"] and first["id"] == "(known after apply)" and first["zone"] == "eu-central-1a"
    assert planned["servers"][3]["zone"] == "eu-central-1b" and planned["servers"][3]["public_ip"] == ""


def test_the_plan_is_the_run_and_the_second_run_changes_nothing(network: t.Any, options: Make) -> None:
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
def test_calls_do_not_grow_with_the_servers(network: t.Any, options: Make, count: int) -> None:
    wanted = options(public={"count": count}, private={"count": count})
    network.converge(wanted)
    network.converge(wanted)
    assert network.counted == READS


def test_a_launch_is_as_promised(network: t.Any, options: Make) -> None:
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
    assert first["ImageId"] == network.made["new image"]
    assert first["MetadataOptions"]["HttpTokens"] == "required"
    assert first["MetadataOptions"]["HttpPutResponseHopLimit"] == 1
    volume = network.backend.volumes[first["BlockDeviceMappings"][0]["Ebs"]["VolumeId"]]
    assert (volume.size, volume.encrypted, volume.volume_type) == (20, True, "gp3")
    assert {i["Placement"]["AvailabilityZone"] for i in by_name.values()} == {"eu-central-1a", "eu-central-1b"}


def test_killed_before_any_call_it_converges_without_a_duplicate(network: t.Any, options: Make) -> None:
    network.killed_before = 0
    for _ in range(40):
        try:
            network.converge(options())
            break
        except network.Killed:
            network.killed_before += 1
    network.killed_before = None
    assert len(network.instances()) == 4
    assert not network.converge(options())["changed"]


def test_a_server_terminated_by_hand_is_replaced(network: t.Any, options: Make) -> None:
    before = network.converge(options())["servers"]
    network.client("ec2").terminate_instances(InstanceIds=[before[0]["id"]])
    done = network.converge(options())
    assert names(done) == ["create server public-1"]
    assert done["servers"][0]["id"] != before[0]["id"] and done["servers"][1:] == before[1:]


def test_a_stopped_server_is_started(network: t.Any, options: Make) -> None:
    before = network.converge(options())["servers"]
    network.client("ec2").stop_instances(InstanceIds=[before[2]["id"]])
    assert names(network.converge(options(), check_mode=True)) == ["update server private-1"]
    done = network.converge(options())
    assert names(done) == ["update server private-1"]
    assert done["servers"][2]["state"] == "running"


def test_a_server_that_is_stopping_is_awaited_and_started(network: t.Any, options: Make) -> None:
    before = network.converge(options())["servers"]
    network.client("ec2").stop_instances(InstanceIds=[before[0]["id"]])
    network.backend.get_instance(before[0]["id"])._state.name = "stopping"

    def stopped_when_looked_at(model: t.Any, params: dict[str, t.Any], **_: t.Any) -> None:
        if b"InstanceId.1" in str(params["body"]).encode():
            network.backend.get_instance(before[0]["id"])._state.name = "stopped"

    network.client("ec2").meta.events.register("before-call.ec2.DescribeInstances", stopped_when_looked_at)
    done = network.converge(options())
    assert names(done) == ["update server public-1", "update server public-1"]
    assert network.calls.index("StartInstances") > 6
    assert done["servers"][0]["state"] == "running"


def test_servers_are_removed_only_when_allowed_and_the_newest_first(network: t.Any, options: Make) -> None:
    network.converge(options(public={"count": 3}))
    fewer = options(public={"count": 1})
    with pytest.raises(InputError, match=r"allow_removal.*public-2 .*public-3"):
        network.converge(fewer)
    assert not [call for call in network.calls if not call.startswith("Describe")]
    allowed = {**fewer, "allow_removal": True}
    planned = network.converge(allowed, check_mode=True)
    done = network.converge(allowed)
    assert names(planned) == names(done) == ["delete server public-3", "delete server public-2"]
    assert not network.converge(allowed)["changed"]


def test_a_tier_that_is_no_more_is_removed_like_a_lower_count(network: t.Any, options: Make) -> None:
    network.converge(options())
    only_public = options()
    del only_public["tiers"]["private"]
    with pytest.raises(InputError, match="allow_removal"):
        network.converge(only_public)
    done = network.converge({**only_public, "allow_removal": True})
    assert names(done) == ["delete server private-2", "delete server private-1"]


def test_a_newer_image_is_told_and_replaces_nothing(network: t.Any, options: Make) -> None:
    network.converge(options(public={"count": 1}, private={"count": 0}))
    newest = network.add_image("debian-12-amd64-20250601-1", "2025-06-01T00:00:00.000Z")
    done = network.converge(options(public={"count": 2}, private={"count": 1}))
    assert names(done) == ["create server public-2", "create server private-1"]
    assert {server["image_id"] for server in done["servers"]} == {network.made["new image"]}
    told = network.converge(options(public={"count": 2}, private={"count": 1}))
    assert not told["changed"]
    assert told["newer_image"]["public"]["image_id"] == newest
    assert told["newer_image"]["public"]["servers"] == ["public-1", "public-2"]
    assert any("there is a newer image" in warning for warning in network.warnings)


def test_drift_that_can_be_mended_is_mended(network: t.Any, options: Make) -> None:
    servers = network.converge(options())["servers"]
    ec2 = network.client("ec2")
    ec2.create_tags(Resources=[servers[0]["id"]], Tags=[{"Key": "groundwork:server", "Value": "1"}])
    ec2.modify_instance_metadata_options(InstanceId=servers[0]["id"], HttpTokens="optional")
    ec2.create_tags(Resources=[servers[1]["id"]], Tags=[{"Key": "Name", "Value": "mine"}])
    wanted = options(private={"security_groups": ["private-servers", "monitored"]})
    planned = network.converge(wanted, check_mode=True)
    done = network.converge(wanted)
    assert names(planned) == names(done) == [f"update server {s['name']}" for s in servers]
    assert not network.converge(wanted)["changed"]


@pytest.mark.parametrize(
    ("public", "warning"),
    [
        ({"instance_type": "t3.large"}, "is a t3.small, not a t3.large"),
        ({"subnets": ["private-a"]}, "none of the tier's subnets"),
        ({"public_ip": False}, "has a public address"),
        ({"user_data": "#!/bin/sh\n"}, "other user data"),
        ({"root_volume_gib": 30}, "a root volume of 15 GiB, not 30"),
        ({"image": {"owner": "self", "name": "debian-13-*"}}, "there is a newer image"),
    ],
)
def test_drift_that_needs_a_replacement_is_told(
    network: t.Any, options: Make, public: dict[str, t.Any], warning: str
) -> None:
    network.converge(options())
    assert not network.converge(options(public=public))["changed"]
    assert any(warning in said for said in network.warnings), network.warnings


@pytest.mark.parametrize(
    ("public", "message"),
    [
        ({"subnets": ["public-z"]}, "there is no subnet 'public-z'; the environment has private-a, private-b"),
        ({"security_groups": ["web"]}, "there is no security group 'web'; the environment has monitored, private-"),
        ({"image": {"owner": "self", "name": "plan9-*"}}, "there is no image named 'plan9-\\*' of owner self"),
        ({"image": {"id": "ami-0123456789abcdef0"}}, "there is no image ami-0123456789abcdef0"),
        ({"root_volume_gib": 10}, "10 GiB are less than the 15 GiB"),
    ],
)
def test_what_is_not_there_is_refused_before_the_first_write(
    network: t.Any, options: Make, public: dict[str, t.Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        network.converge(options(public=public))
    assert not network.instances()


def test_another_key_is_refused(network: t.Any, options: Make, tmp_path: t.Any) -> None:
    network.converge(options())
    other = tmp_path / "other.pub"
    other.write_text("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n")
    with pytest.raises(InputError, match="key_file: it is not the key that the key pair 'dev-servers'"):
        network.converge(options(key_file=str(other)))


def test_a_key_pair_of_somebody_else_is_refused(network: t.Any, options: Make) -> None:
    network.client("ec2").create_key_pair(KeyName="dev-servers")
    with pytest.raises(InputError, match="a key pair 'dev-servers' exists"):
        network.converge(options())


def test_two_servers_of_one_name_are_told(network: t.Any, options: Make) -> None:
    servers = network.converge(options())["servers"]
    tags = [{"Key": "groundwork:server", "Value": "1"}]
    network.client("ec2").create_tags(Resources=[servers[1]["id"]], Tags=tags)
    with pytest.raises(GroundworkError, match="are both public-1"):
        network.converge(options())


def test_an_instance_profile_is_given_and_replaced(network: t.Any, options: Make) -> None:
    iam = network.client("iam")
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
