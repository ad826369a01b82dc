"""The file system against the lab's control plane: plan = run, nothing twice, calls counted, files kept."""

from __future__ import annotations

import typing as t

import pytest
from accounts.teardown import TearDown
from cloud import Cloud, Survives, told

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import InputError
from ansible_collections.groundwork.aws.plugins.module_utils.topics.file_system.run import converge_file_system

Make = t.Callable[..., dict[str, t.Any]]
Build = t.Callable[[Cloud], None]
UNKNOWN = "(known after apply)"
CREATED = ["create file system files", "create mount target files-a", "create mount target files-b"]


def look(cloud: Cloud) -> t.Any:
    """Return file systems with their tags, and mount targets with their zones and groups, without ids."""
    efs = cloud.client("efs")
    names = {group["GroupId"]: group["GroupName"] for group in cloud.ec2.describe_security_groups()["SecurityGroups"]}
    found = []
    for system in efs.describe_file_systems()["FileSystems"]:
        targets = efs.describe_mount_targets(FileSystemId=system["FileSystemId"])["MountTargets"]
        groups = {
            one["AvailabilityZoneName"]: sorted(
                names[group]
                for group in efs.describe_mount_target_security_groups(MountTargetId=one["MountTargetId"])[
                    "SecurityGroups"
                ]
            )
            for one in targets
        }
        found.append((system["Encrypted"], system["ThroughputMode"], system["Name"], groups))
    return found


BOTH = {"eu-central-1a": ["dev-files"], "eu-central-1b": ["dev-files"]}


def test_the_plan_of_an_empty_account_is_the_run(cloud: Cloud, options: Make, build: Build) -> None:
    planned = cloud.run(converge_file_system, options(), check_mode=True)
    assert cloud.writes == []
    build(cloud)
    done = cloud.run(converge_file_system, options())
    assert told(planned) == told(done) == CREATED
    assert planned["file_system"] == {
        "id": UNKNOWN,
        "dns_name": UNKNOWN,
        "addresses": {"eu-central-1a": UNKNOWN, "eu-central-1b": UNKNOWN},
    }
    facts = done["file_system"]
    assert facts["dns_name"] == f"{facts['id']}.efs.eu-central-1.amazonaws.com"
    assert all(address.startswith("10.20.") for address in facts["addresses"].values())
    assert look(cloud) == [(True, "elastic", "dev-files", BOTH)]


def test_the_second_run_changes_nothing_in_five_calls(cloud: Cloud, options: Make, build: Build) -> None:
    build(cloud)
    first = cloud.run(converge_file_system, options(purge=True))
    again = cloud.run(converge_file_system, options(purge=True))
    assert (told(again), again["file_system"]) == ([], first["file_system"])
    assert len(cloud.calls) == 5


def test_killed_anywhere_it_converges(survives: Survives, options: Make, build: Build) -> None:
    assert survives(converge_file_system, options(), look, build) == 3


def test_settings_are_updated(cloud: Cloud, options: Make, build: Build) -> None:
    build(cloud)
    cloud.run(converge_file_system, options())
    changed = options(throughput_mode="bursting", security_groups=["others"], tags={"team": "web"})
    done = cloud.run(converge_file_system, changed)
    assert told(done) == [
        "update file system files",
        "update tags file system files",
        "update mount target files-a",
        "update mount target files-b",
    ]
    others = {zone: ["dev-others"] for zone in BOTH}
    assert look(cloud) == [(True, "bursting", "dev-files", others)]
    assert told(cloud.run(converge_file_system, changed)) == []


def test_mount_targets_leave_with_purge_only(cloud: Cloud, options: Make, build: Build) -> None:
    build(cloud)
    cloud.run(converge_file_system, options())
    less = {"zones": ["eu-central-1a"]}
    assert told(cloud.run(converge_file_system, options(**less))) == []
    assert cloud.warnings == ["The mount targets in eu-central-1b are not declared. Set purge to delete them."]
    [change] = told(cloud.run(converge_file_system, options(**less, purge=True)))
    assert change.startswith("delete mount target files-b (fsmt-")
    assert look(cloud) == [(True, "elastic", "dev-files", {"eu-central-1a": ["dev-files"]})]


def test_another_tier_replaces_mount_targets_with_purge_only(cloud: Cloud, options: Make, build: Build) -> None:
    build(cloud)
    before = cloud.run(converge_file_system, options())["file_system"]
    with pytest.raises(InputError, match=r"the mount target of eu-central-1a is in subnet-.*, which is not public-a"):
        cloud.run(converge_file_system, options(tier="public"))
    done = cloud.run(converge_file_system, options(tier="public", purge=True))
    assert [change.split(" (")[0] for change in told(done)] == [
        "delete mount target files-a",
        "delete mount target files-b",
        "create mount target files-a",
        "create mount target files-b",
    ]
    assert done["file_system"]["id"] == before["id"]
    assert not set(done["file_system"]["addresses"].values()) & set(before["addresses"].values())
    assert look(cloud) == [(True, "elastic", "dev-files", BOTH)]


def test_a_mount_target_in_deletion_is_replaced(cloud: Cloud, options: Make, build: Build) -> None:
    build(cloud)
    before = cloud.run(converge_file_system, options())["file_system"]
    efs = cloud.client("efs")
    for target in efs.describe_mount_targets(FileSystemId=before["id"])["MountTargets"]:
        efs.delete_mount_target(MountTargetId=target["MountTargetId"])
    done = cloud.run(converge_file_system, options())
    assert [change.split(" (")[0] for change in told(done)] == [
        "delete mount target files-a",
        "delete mount target files-b",
        "create mount target files-a",
        "create mount target files-b",
    ]
    assert done["file_system"]["id"] == before["id"]
    assert look(cloud) == [(True, "elastic", "dev-files", BOTH)]
    assert told(cloud.run(converge_file_system, options())) == []


def test_a_file_system_in_deletion_is_replaced(cloud: Cloud, options: Make, build: Build) -> None:
    build(cloud)
    before = cloud.run(converge_file_system, options())["file_system"]["id"]
    efs = cloud.client("efs")
    for target in efs.describe_mount_targets(FileSystemId=before)["MountTargets"]:
        efs.delete_mount_target(MountTargetId=target["MountTargetId"])
    cloud.sleep(1)
    efs.delete_file_system(FileSystemId=before)
    done = cloud.run(converge_file_system, options())
    assert told(done) == [f"delete file system files ({before})", *CREATED]
    assert look(cloud) == [(True, "elastic", "dev-files", BOTH)]


def test_what_is_missing_is_told_before_the_first_write(cloud: Cloud, options: Make, build: Build) -> None:
    with pytest.raises(InputError) as caught:
        cloud.run(converge_file_system, options())
    assert "the network has no subnet private-a" in str(caught.value)
    assert "the security group files does not exist" in str(caught.value)
    assert cloud.writes == []


@pytest.mark.parametrize(
    ("given", "told_of"),
    [
        ({"Encrypted": True}, "its tags are not this environment's"),
        (
            {
                "Tags": [
                    {"Key": "groundwork:environment", "Value": "dev"},
                    {"Key": "groundwork:component", "Value": "file_system"},
                ]
            },
            "is not encrypted, and AWS cannot change that",
        ),
    ],
)
def test_another_file_system_with_the_name_is_refused(
    cloud: Cloud, options: Make, build: Build, given: dict[str, t.Any], told_of: str
) -> None:
    build(cloud)
    cloud.client("efs").create_file_system(CreationToken="dev-files", **given)
    with pytest.raises(InputError, match=told_of):
        cloud.run(converge_file_system, options())


def test_the_teardown_keeps_the_files_unless_asked(cloud: Cloud, options: Make, build: Build) -> None:
    build(cloud)
    cloud.run(converge_file_system, options())
    tear_down = TearDown()
    kept = tear_down(cloud)
    assert look(cloud) == [(True, "elastic", "dev-files", {})]
    assert cloud.ec2.describe_vpcs(Filters=[{"Name": "tag:groundwork:environment", "Values": ["dev"]}])["Vpcs"] == []
    assert kept["found"]["file system"] == 1
    assert told(tear_down(cloud, file_systems=True)) == ["delete file system files"]
    cloud.sleep(1)
    assert look(cloud) == []
    assert told(tear_down(cloud, file_systems=True)) == []


def test_the_next_environment_gets_the_kept_files(cloud: Cloud, options: Make, build: Build) -> None:
    build(cloud)
    before = cloud.run(converge_file_system, options())["file_system"]["id"]
    TearDown()(cloud)
    build(cloud)
    done = cloud.run(converge_file_system, options())
    assert told(done) == CREATED[1:]
    assert done["file_system"]["id"] == before
