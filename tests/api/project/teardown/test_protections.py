"""What protects a resource is found before the first removal, and told with the command that lifts it."""

from __future__ import annotations

import json
import re
import typing as t
from datetime import UTC, datetime, timedelta

import pytest
from account_listing import Listing
from accounts.kinds import Account, tagged, tags
from accounts.teardown import Build, TearDown
from cloud import Cloud, told

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from groundwork_lab.api import Fault

Protect = t.Callable[[Account], str]  # sets a protection, and returns the command that the message must have


def instances(account: Account, name: str = "dev-*") -> list[str]:
    named = [{"Name": "tag:Name", "Values": [name]}]
    found = account.client("ec2").describe_instances(Filters=named)["Reservations"]
    return [one["InstanceId"] for reservation in found for one in reservation["Instances"]]


def termination(account: Account) -> str:
    [own] = instances(account, "dev-public-1")
    account.client("ec2").modify_instance_attribute(InstanceId=own, DisableApiTermination={"Value": True})
    return f"aws ec2 modify-instance-attribute --instance-id {own} --no-disable-api-termination"


def stop(account: Account) -> str:
    [own] = instances(account, "dev-public-1")
    account.client("ec2").modify_instance_attribute(InstanceId=own, DisableApiStop={"Value": True})
    return f"aws ec2 modify-instance-attribute --instance-id {own} --no-disable-api-stop"


def balancer(account: Account) -> str:
    elb = account.client("elbv2")
    arn = elb.describe_load_balancers()["LoadBalancers"][0]["LoadBalancerArn"]
    on = [{"Key": "deletion_protection.enabled", "Value": "true"}]
    elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=on)
    off = "Key=deletion_protection.enabled,Value=false"
    return f"aws elbv2 modify-load-balancer-attributes --load-balancer-arn {arn} --attributes {off}"


def reverse_name(account: Account) -> str:
    ec2 = account.client("ec2")
    made = ec2.allocate_address(Domain="vpc", TagSpecifications=tagged("elastic-ip", "dev"))["AllocationId"]
    ec2.modify_address_attribute(AllocationId=made, DomainName="www.example.com")
    return f"aws ec2 reset-address-attribute --allocation-id {made} --attribute domain-name"


def group(account: Account) -> str:
    account.scaling("dev")
    account.client("autoscaling").update_auto_scaling_group(
        AutoScalingGroupName="dev-public", DeletionProtection="prevent-force-deletion"
    )
    return "aws autoscaling update-auto-scaling-group --auto-scaling-group-name dev-public --deletion-protection none"


def members(account: Account) -> str:
    account.scaling("dev")
    scaling = account.client("autoscaling")
    [found] = scaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    ids = [one["InstanceId"] for one in found["Instances"]]
    scaling.set_instance_protection(AutoScalingGroupName="dev-public", InstanceIds=ids, ProtectedFromScaleIn=True)
    return (
        "aws autoscaling set-instance-protection --auto-scaling-group-name dev-public "
        f"--instance-ids {' '.join(ids)} --no-protected-from-scale-in"
    )


def image(account: Account) -> str:
    own = account.image("dev")
    account.client("ec2").enable_image_deregistration_protection(ImageId=own, WithCooldown=True)
    return f"aws ec2 disable-image-deregistration-protection --image-id {own}"


def snapshot(account: Account) -> str:
    account.storage("dev")
    [own] = account.client("ec2").describe_snapshots(OwnerIds=["self"])["Snapshots"]
    account.client("ec2").lock_snapshot(SnapshotId=own["SnapshotId"], LockMode="governance", LockDuration=3)
    return f"aws ec2 unlock-snapshot --snapshot-id {own['SnapshotId']}"


def policy(account: Account) -> str:
    account.bucket("dev")
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:Delete*", "Resource": "arn:aws:s3:::dev-files/*"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    account.client("s3").put_bucket_policy(Bucket="dev-files", Policy=text)
    return "aws s3api delete-bucket-policy --bucket dev-files"


def locked_bucket(account: Account) -> t.Any:
    s3 = account.client("s3")
    s3.create_bucket(
        Bucket="dev-files",
        CreateBucketConfiguration={"LocationConstraint": "eu-central-1", "Tags": tags("dev")},
        ObjectLockEnabledForBucket=True,
    )
    return s3


def legal_hold(account: Account) -> str:
    s3 = locked_bucket(account)
    s3.put_object(Bucket="dev-files", Key="contract", Body=b"x")
    s3.put_object_legal_hold(Bucket="dev-files", Key="contract", LegalHold={"Status": "ON"})
    return "aws s3api put-object-legal-hold"


def retention(account: Account) -> str:
    s3 = locked_bucket(account)
    s3.put_object(Bucket="dev-files", Key="contract", Body=b"x")
    until = datetime.now(UTC) + timedelta(days=2)
    s3.put_object_retention(
        Bucket="dev-files", Key="contract", Retention={"Mode": "GOVERNANCE", "RetainUntilDate": until}
    )
    return "aws s3api put-object-retention"


EVERY: list[Protect] = [
    termination,
    stop,
    balancer,
    reverse_name,
    group,
    members,
    image,
    snapshot,
    policy,
    legal_hold,
    retention,
]


@pytest.mark.parametrize("protect", EVERY, ids=lambda each: each.__name__)
@pytest.mark.parametrize("check_mode", [True, False])
def test_each_protection_is_found_before_the_first_removal(
    cloud: Cloud,
    account: Account,
    build: Build,
    tear_down: TearDown,
    listing: t.Callable[[], Listing],
    protect: Protect,
    *,
    check_mode: bool,
) -> None:
    build(cloud)
    command = protect(account)
    before = listing()
    with pytest.raises(GroundworkError, match="Nothing was removed, because resources of environment 'dev' have") as no:
        tear_down(cloud, buckets=True, images=True, check_mode=check_mode)
    [line] = str(no.value).splitlines()[1:]
    assert command in line
    assert cloud.writes == []
    assert listing() == before


def test_all_protections_are_told_together(cloud: Cloud, account: Account, build: Build, tear_down: TearDown) -> None:
    build(cloud)
    commands = [protect(account) for protect in (termination, stop, balancer, reverse_name, snapshot, image, policy)]
    with pytest.raises(GroundworkError, match="have 7 protections") as no:
        tear_down(cloud, buckets=True, images=True, region="eu-central-1")
    assert all(f"{command} --region eu-central-1'" in str(no.value) for command in commands)
    assert "set it to false and run groundwork.aws.site" in str(no.value)


def test_what_stays_may_be_protected(cloud: Cloud, account: Account, tear_down: TearDown) -> None:
    image(account)
    policy(account)
    assert tear_down(cloud)["found"]["image"] == 1


def test_a_lifted_protection_lets_everything_go(
    cloud: Cloud, account: Account, build: Build, tear_down: TearDown, listing: t.Callable[[], Listing]
) -> None:
    before = listing()
    build(cloud)
    termination(account)
    [own] = instances(account, "dev-public-1")
    account.client("ec2").modify_instance_attribute(InstanceId=own, DisableApiTermination={"Value": False})
    tear_down(cloud)
    assert listing() == before


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("aws:cloudformation:stack-name", "aws cloudformation delete-stack --stack-name web"),
        ("elasticbeanstalk:environment-name", "aws elasticbeanstalk terminate-environment --environment-name web"),
        ("aws:servicecatalog:provisionedProductArn", "Terminate the product in Service Catalog"),
        ("aws:backup:source-resource", "Delete the recovery point in AWS Backup"),
        ("aws:eks:cluster-name", "the EKS cluster web"),
    ],
)
def test_what_another_tool_manages_is_told_for_every_kind_with_tags(
    cloud: Cloud,
    account: Account,
    build: Build,
    tear_down: TearDown,
    monkeypatch: pytest.MonkeyPatch,
    key: str,
    words: str,
) -> None:
    """AWS reserves the prefix aws:, so that the tag is added to every tag list of AWS' responses."""
    build(cloud)
    account.site("dev")
    account.role("dev")
    account.storage("dev")
    with monkeypatch.context() as patch:
        tag_everything(patch, key)
        with pytest.raises(GroundworkError) as no:
            tear_down(cloud, buckets=True)
    lines = str(no.value).splitlines()[1:]
    kinds = {line.removeprefix("- ").partition(" (")[0].rsplit(" ", 1)[0] for line in lines}
    assert all(words in line and "remove its tag groundwork:environment" in line for line in lines)
    assert cloud.writes == []
    assert {kind for kind in ALL_TAGGED if not any(each.startswith(kind) for each in kinds)} == set()


ALL_TAGGED = (
    *("bucket", "distribution", "elastic ip", "instance profile", "internet gateway", "key pair", "launch template"),
    *("load balancer", "nat gateway", "parameter", "role", "route table", "security group", "server", "snapshot"),
    *("subnet", "target group", "volume", "vpc", "vpc endpoint"),
)


def tag_everything(patch: pytest.MonkeyPatch, key: str) -> None:
    """Add the tag to each list of tags that has the environment's."""
    from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import observe
    from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown import reads

    def tagging(value: t.Any) -> t.Any:
        if isinstance(value, dict):
            return {name: tagging(each) for name, each in value.items()}
        if isinstance(value, list):
            found = [tagging(each) for each in value]
            ours = any(isinstance(each, dict) and each.get("Key") == "groundwork:environment" for each in found)
            return [*found, {"Key": key, "Value": "web"}] if ours else found
        return value

    patch.setattr(reads, "observe", lambda clients, wanted: tagging(observe(clients, wanted)))


def test_one_refusal_is_told_of_that_one_and_the_rest_goes(
    cloud: Cloud, account: Account, build: Build, tear_down: TearDown, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The protection is set after the check, when the servers are terminated together."""
    build(cloud)
    account.storage("dev")
    from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown import run

    check = run._Teardown._check

    def late(teardown: t.Any) -> None:
        check(teardown)
        termination(account)

    monkeypatch.setattr(run._Teardown, "_check", late)
    [own] = instances(account, "dev-public-1")
    with pytest.raises(
        GroundworkError, match=rf"server public-1 \({own}\) was not deleted: .*OperationNotPermitted"
    ) as no:
        tear_down(cloud)
    found = no.value.details["found"]
    gone = ["load balancer", "nat gateway", "launch template", "snapshot", "volume"]
    assert [found[kind] for kind in gone] == [0] * len(gone)
    assert (found["server"], found["parameter"]) == (1, 3)
    assert "parameter /groundwork/dev/lamp/app/database-password" in str(no.value)


def test_a_secret_goes_after_everything_that_uses_it(
    cloud: Cloud, account: Account, build: Build, tear_down: TearDown
) -> None:
    build(cloud)
    account.scaling("dev")
    done = told(tear_down(cloud, images=True))
    secrets = [at for at, each in enumerate(done) if each.startswith("delete parameter")]
    users = [at for at, each in enumerate(done) if re.match("delete (server|auto scaling group) ", each)]
    assert secrets and users and min(secrets) > max(users)
    assert cloud.calls.index("DeleteParameters") > cloud.calls.index("TerminateInstances")


def test_what_aws_refuses_in_a_successful_response_is_a_refusal(
    cloud: Cloud, account: Account, tear_down: TearDown, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DeleteObjects reports success, with an error for each version that it did not delete."""
    from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown import run

    legal_hold(account)
    monkeypatch.setattr(run._Teardown, "_check", lambda _self: None)
    with pytest.raises(GroundworkError, match=r"DeleteObjects with AccessDenied: .*\(contract\)"):
        tear_down(cloud, buckets=True)


def test_a_deletion_that_never_ends_is_told_of_that_one(
    cloud: Cloud, build: Build, tear_down: TearDown, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(cloud)
    monkeypatch.setattr(Cloud, "follow", lambda _self: None)
    with pytest.raises(GroundworkError, match=r"server public-1 \(i-\w+\) was not deleted: Timed out") as no:
        tear_down(cloud, deadline=60)
    found = no.value.details["found"]
    assert [found[kind] for kind in ("load balancer", "nat gateway", "vpc endpoint")] == [0, 0, 0]


def test_a_refused_parameter_stops_no_other_resource(cloud: Cloud, build: Build, tear_down: TearDown) -> None:
    build(cloud)
    cloud.plane.faults.set(Fault(operation="DeleteParameters", code="AccessDeniedException", status=400))
    with pytest.raises(GroundworkError, match="Allow ssm:DeleteParameters") as no:
        tear_down(cloud)
    assert {kind for kind, count in no.value.details["found"].items() if count} == {"parameter"}
