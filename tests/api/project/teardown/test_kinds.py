"""Every kind of resource of an environment besides its servers is found and removed."""

from __future__ import annotations

import json
import typing as t

import pytest
from account_listing import Listing
from accounts.teardown import Build, TearDown
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from cloud import Cloud, Survives, Watched, told

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.autoscaling_server_groups import (
    ARGUMENTS as GROUPS,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.arguments import COMMON_ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.topics.scaling.run import converge_server_groups
from ansible_collections.groundwork.aws.plugins.module_utils.topics.server_roles.run import converge_server_roles
from groundwork_lab.api import Fault

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
)
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
CODE = b"function handler(event) { return event.request; }"
NO_COOKIES = {"CookieBehavior": "none"}
NO_HEADERS = {"HeaderBehavior": "none"}
NO_QUERY = {"QueryStringBehavior": "none"}


def tags(environment: str, name: str = "x") -> list[dict[str, str]]:
    own = {
        "Name": f"{environment}-{name}",
        "groundwork:environment": environment,
        "groundwork:component": "static_site",
    }
    return [{"Key": key, "Value": value} for key, value in own.items()]


def comment(environment: str) -> str:
    return f"groundwork.aws: environment {environment}, component static_site"


class Account:
    """A creator of resources of an environment, whose calls are not counted."""

    def __init__(self, watched: Watched) -> None:
        assert watched.cloud, "there is no account"
        self.cloud = watched.cloud

    def client(self, service: str) -> t.Any:
        return self.cloud.of(service)

    def site(self, environment: str) -> str:
        """A distribution with everything that it can refer to; its id."""
        edge = self.client("cloudfront")
        self.bucket(environment)
        access = edge.create_origin_access_control(
            OriginAccessControlConfig={
                "Name": f"{environment}-site",
                "Description": comment(environment),
                "SigningProtocol": "sigv4",
                "SigningBehavior": "always",
                "OriginAccessControlOriginType": "s3",
            }
        )["OriginAccessControl"]["Id"]
        made = edge.create_function(
            Name=f"{environment}-site",
            FunctionConfig={"Comment": comment(environment), "Runtime": "cloudfront-js-2.0"},
            FunctionCode=CODE,
        )
        edge.publish_function(Name=f"{environment}-site", IfMatch=made["ETag"])
        function = made["FunctionSummary"]["FunctionMetadata"]["FunctionARN"]
        keys = {"EnableAcceptEncodingGzip": True, "EnableAcceptEncodingBrotli": True}
        cache = edge.create_cache_policy(
            CachePolicyConfig={
                "Name": f"{environment}-site",
                "Comment": comment(environment),
                "MinTTL": 0,
                "ParametersInCacheKeyAndForwardedToOrigin": {
                    **keys,
                    "CookiesConfig": NO_COOKIES,
                    "HeadersConfig": NO_HEADERS,
                    "QueryStringsConfig": NO_QUERY,
                },
            }
        )["CachePolicy"]["Id"]
        request = edge.create_origin_request_policy(
            OriginRequestPolicyConfig={
                "Name": f"{environment}-site",
                "Comment": comment(environment),
                "CookiesConfig": NO_COOKIES,
                "HeadersConfig": NO_HEADERS,
                "QueryStringsConfig": NO_QUERY,
            }
        )["OriginRequestPolicy"]["Id"]
        headers = edge.create_response_headers_policy(
            ResponseHeadersPolicyConfig={
                "Name": f"{environment}-site",
                "Comment": comment(environment),
                "SecurityHeadersConfig": {"ContentTypeOptions": {"Override": True}},
            }
        )["ResponseHeadersPolicy"]["Id"]
        behavior = {
            "CachePolicyId": cache,
            "OriginRequestPolicyId": request,
            "ResponseHeadersPolicyId": headers,
            "FunctionAssociations": {
                "Quantity": 1,
                "Items": [{"EventType": "viewer-request", "FunctionARN": function}],
            },
        }
        return self.distribution(environment, tags(environment, "site"), access, behavior)

    def distribution(
        self, environment: str, tagged: list[dict[str, str]], access: str = "", behavior: dict[str, t.Any] | None = None
    ) -> str:
        origin = {
            "Id": "s3",
            "DomainName": f"{environment}-files.s3.eu-central-1.amazonaws.com",
            "OriginAccessControlId": access,
            "S3OriginConfig": {"OriginAccessIdentity": ""},
        }
        default = {"TargetOriginId": "s3", "ViewerProtocolPolicy": "redirect-to-https"}
        managed = {"CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6"}
        config = {
            "CallerReference": f"{environment}-{len(tagged)}",
            "Comment": "",
            "Enabled": True,
            "Origins": {"Quantity": 1, "Items": [origin]},
            "DefaultCacheBehavior": {**default, **(behavior or managed)},
        }
        wanted = {"DistributionConfig": config, "Tags": {"Items": tagged}}
        made = self.client("cloudfront").create_distribution_with_tags(DistributionConfigWithTags=wanted)
        return str(made["Distribution"]["Id"])

    def bucket(self, environment: str) -> None:
        """With versions, a marker of a deletion, and an upload that was never ended."""
        s3, name = self.client("s3"), f"{environment}-files"
        s3.create_bucket(
            Bucket=name,
            CreateBucketConfiguration={"LocationConstraint": "eu-central-1", "Tags": tags(environment)},
        )
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        for content in (b"one", b"two"):
            s3.put_object(Bucket=name, Key="site/index.html", Body=content)
        s3.delete_object(Bucket=name, Key="site/index.html")
        s3.create_multipart_upload(Bucket=name, Key="site/film.mp4")

    def role(self, environment: str) -> None:
        """A role with a policy inside and one attached, in an instance profile."""
        iam, name = self.client("iam"), f"{environment}-servers"
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, Tags=tags(environment, "servers"))
        iam.put_role_policy(RoleName=name, PolicyName="inside", PolicyDocument=POLICY)
        made = iam.create_policy(PolicyName=f"{environment}-by-hand", PolicyDocument=POLICY)
        iam.attach_role_policy(RoleName=name, PolicyArn=made["Policy"]["Arn"])
        iam.create_instance_profile(InstanceProfileName=name, Tags=tags(environment, "servers"))
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)

    def storage(self, environment: str) -> None:
        """A volume that nothing uses, a snapshot, a launch template, a parameter by its path alone."""
        ec2 = self.client("ec2")
        volume = ec2.create_volume(
            AvailabilityZone="eu-central-1a", Size=1, TagSpecifications=tagged("volume", environment)
        )["VolumeId"]
        ec2.create_snapshot(VolumeId=volume, TagSpecifications=tagged("snapshot", environment))
        ec2.create_launch_template(
            LaunchTemplateName=f"{environment}-public",
            LaunchTemplateData={"InstanceType": "t3.small"},
            TagSpecifications=tagged("launch-template", environment),
        )
        ssm = self.client("ssm")
        ssm.put_parameter(Name=f"/groundwork/{environment}/lamp/x", Value="x", Type="String")
        ssm.put_parameter(Name=f"/elsewhere/{environment}", Value="x", Type="String", Tags=tags(environment))

    def scaling(self, environment: str) -> None:
        """A group of servers with its launch template, role and profile, and a parameter that names its image."""
        common = {"environment_name": environment, "tags": {}, "region": "eu-central-1"}
        roles = {"public": {"parameters": [f"/groundwork/{environment}/lamp/app/database-password"]}}
        self.cloud.run(converge_server_roles, {**common, "roles": roles})
        wanted = {
            "environment_name": environment,
            "zones": ["eu-central-1a", "eu-central-1b"],
            "tiers": {
                "public": {
                    "group": {"min": 2, "max": 2, "target_groups": ["public"]},
                    "instance_type": "t3.small",
                    "instance_profile": f"{environment}-public",
                }
            },
        }
        image = self.client("ec2").describe_images()["Images"][0]["ImageId"]
        path = f"/groundwork/{environment}/image/lamp"
        self.client("ssm").put_parameter(Name=path, Value=image, Type="String", Tags=tags(environment))
        result = ArgumentSpecValidator({**COMMON_ARGUMENTS, **GROUPS}).validate(wanted)
        self.cloud.run(converge_server_groups, result.validated_parameters)

    def image(self, environment: str) -> str:
        """A captured image, with its snapshot, and the parameter that promotes it; the image's id."""
        ec2 = self.client("ec2")
        [public] = ec2.describe_images()["Images"][:1]
        source = ec2.run_instances(ImageId=public["ImageId"], MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
        self.cloud.plane.instance_state(source, "running")
        image = ec2.create_image(
            InstanceId=source,
            Name=f"{environment}-lamp-1",
            TagSpecifications=[*tagged("image", environment), *tagged("snapshot", environment)],
        )["ImageId"]
        self.cloud.plane.image_captured(image)
        ec2.terminate_instances(InstanceIds=[source])
        self.cloud.plane.instance_state(source, "terminated")
        path = f"/groundwork/{environment}/image/lamp"
        self.client("ssm").put_parameter(Name=path, Value=image, Type="String", Tags=tags(environment))
        return str(image)

    def run(self, image: str) -> str:
        """An instance of an image that people launched by hand."""
        made = self.client("ec2").run_instances(ImageId=image, MinCount=1, MaxCount=1)
        instance = str(made["Instances"][0]["InstanceId"])
        self.cloud.plane.instance_state(instance, "running")
        return instance

    def name_in_a_template(self, image: str) -> str:
        """A launch template of theirs, whose default version does not name the image any more."""
        ec2 = self.client("ec2")
        made = ec2.create_launch_template(LaunchTemplateName="hand", LaunchTemplateData={"ImageId": image})
        own = str(made["LaunchTemplate"]["LaunchTemplateId"])
        ec2.create_launch_template_version(LaunchTemplateId=own, LaunchTemplateData={"InstanceType": "t3.small"})
        ec2.modify_launch_template(LaunchTemplateId=own, DefaultVersion="2")
        return own


def tagged(kind: str, environment: str) -> list[dict[str, t.Any]]:
    return [{"ResourceType": kind, "Tags": tags(environment)}]


@pytest.fixture
def account(cloud: Cloud, watched: Watched) -> Account:
    assert watched.cloud is cloud
    return Account(watched)


MAKES = ["site", "role", "storage"]
ALL = {
    "site": [
        "update distribution site",
        "delete distribution site",
        "delete function site",
        "delete origin access control site",
        "delete cache policy site",
        "delete origin request policy site",
        "delete response headers policy site",
    ],
    "role": ["delete instance profile servers", "delete role servers"],
    "storage": [
        "delete launch template public",
        "delete volume x",
        "delete snapshot x",
        "delete parameter /elsewhere/dev",
        "delete parameter /groundwork/dev/lamp/x",
    ],
}


@pytest.mark.parametrize("make", MAKES)
def test_it_goes_and_another_environments_stays(
    cloud: Cloud, account: Account, tear_down: TearDown, listing: t.Callable[[], Listing], make: str
) -> None:
    getattr(account, make)("dev-x")  # whose names begin as ours do
    cloud.sleep(1)  # the edge follows
    before = listing()
    getattr(account, make)("dev")
    planned = tear_down(cloud, check_mode=True, buckets=True)
    done = tear_down(cloud, buckets=True)
    assert told(done) == told(planned)
    assert sorted(told(done)) == sorted([*ALL[make], *(["delete bucket dev-files"] if make == "site" else [])])
    assert set(done["found"].values()) == {0}
    assert listing() == before
    assert tear_down(cloud, buckets=True)["changed"] is False


@pytest.mark.parametrize("make", MAKES)
@pytest.mark.exhaustive
def test_killed_anywhere_it_is_completed(
    survives: Survives, watched: Watched, tear_down: TearDown, listing: t.Callable[[], Listing], make: str
) -> None:
    def counts(_cloud: Cloud) -> dict[str, int]:
        return {kind: len(things) for kind, things in listing().items()}

    def prepare(_cloud: Cloud) -> None:
        getattr(Account(watched), make)("dev")

    assert survives(tear_down.converge, tear_down.options("dev", buckets=True), counts, prepare, recent=False) > 3


def test_a_group_goes_with_its_servers_and_its_launch_template(
    cloud: Cloud, account: Account, build: Build, tear_down: TearDown, listing: t.Callable[[], Listing]
) -> None:
    before = listing()
    build(cloud)
    account.scaling("dev")
    planned = tear_down(cloud, check_mode=True, images=True)
    done = tear_down(cloud, images=True)
    assert told(done) == told(planned)
    gone = ["auto scaling group public", "launch template public", "role public", "instance profile public"]
    assert {f"delete {each}" for each in gone} <= {*told(done)}
    assert "delete parameter /groundwork/dev/image/lamp" in told(done)
    assert sum(each.startswith("delete server public i-") for each in told(done)) == 2
    assert set(done["found"].values()) == {0}
    assert listing() == before
    assert tear_down(cloud, images=True)["changed"] is False


IMAGE = ["delete image dev-lamp-1", "delete parameter /groundwork/dev/image/lamp", "delete snapshot x"]


def test_an_image_stays_unless_asked_for_and_takes_all_of_it_along(
    cloud: Cloud, account: Account, tear_down: TearDown, listing: t.Callable[[], Listing]
) -> None:
    account.image("dev-x")
    before = listing()
    account.image("dev")
    kept = tear_down(cloud)
    assert kept["changed"] is False
    assert {kind: count for kind, count in kept["found"].items() if count} == {
        "image": 1,
        "parameter": 1,
        "snapshot": 1,
    }
    planned = tear_down(cloud, check_mode=True, images=True)
    done = tear_down(cloud, images=True)
    assert sorted(told(planned)) == sorted(told(done)) == IMAGE
    assert set(done["found"].values()) == {0}
    assert listing() == before


def test_an_image_goes_completely_wherever_it_was_interrupted(
    survives: Survives, watched: Watched, tear_down: TearDown, listing: t.Callable[[], Listing]
) -> None:
    def counts(_cloud: Cloud) -> dict[str, int]:
        return {kind: len(things) for kind, things in listing().items()}

    def prepare(_cloud: Cloud) -> None:
        Account(watched).image("dev")

    options = tear_down.options("dev", images=True)
    assert survives(tear_down.converge, options, counts, prepare, recent=False) == 3


@pytest.mark.parametrize("use", [Account.run, Account.name_in_a_template])
def test_an_image_in_use_by_others_is_told_and_stays(
    cloud: Cloud, account: Account, tear_down: TearDown, listing: t.Callable[[], Listing], use: t.Any
) -> None:
    image = account.image("dev")
    user = use(account, image)
    before = listing()
    planned = tear_down(cloud, images=True, check_mode=True)
    assert listing() == before
    with pytest.raises(GroundworkError) as failure:
        tear_down(cloud, images=True)
    [line] = str(failure.value).splitlines()[1:]
    assert (
        user in line
        and ("which is not part of the environment, prevents the removal of image dev-lamp-1, snapshot x") in line
    )
    assert told(failure.value.details) == told(planned) == ["delete parameter /groundwork/dev/image/lamp"]
    assert {**listing(), "Parameters": {}} == {**before, "Parameters": {}}


def test_a_bucket_stays_unless_asked_for(cloud: Cloud, account: Account, tear_down: TearDown) -> None:
    account.site("dev")
    done = tear_down(cloud)
    assert told(done) == ALL["site"]
    assert done["found"]["bucket"] == 1
    assert len(account.client("s3").list_object_versions(Bucket="dev-files")["Versions"]) == 2
    assert told(tear_down(cloud, buckets=True)) == ["delete bucket dev-files"]


def test_a_distribution_that_somebody_disabled_is_deleted(cloud: Cloud, account: Account, tear_down: TearDown) -> None:
    own, edge = account.site("dev"), account.client("cloudfront")
    version = edge.get_distribution_config(Id=own)
    disabled = {**version["DistributionConfig"], "Enabled": False}
    edge.update_distribution(Id=own, IfMatch=version["ETag"], DistributionConfig=disabled)
    assert "UpdateDistribution" not in tear_down(cloud) and "UpdateDistribution" not in cloud.calls
    assert edge.list_distributions()["DistributionList"].get("Items", []) == []


def test_somebody_elses_distribution_keeps_what_it_refers_to(
    cloud: Cloud, account: Account, tear_down: TearDown
) -> None:
    account.site("dev")
    edge = account.client("cloudfront")
    access = edge.list_origin_access_controls()["OriginAccessControlList"]["Items"][0]["Id"]
    own = account.distribution("dev", [], access)
    with pytest.raises(GroundworkError) as failure:
        tear_down(cloud, buckets=True)
    [line] = str(failure.value).splitlines()[1:]
    assert (
        f"distribution/{own}), which is not part of the environment, prevents the removal of "
        f"bucket dev-files, origin access control site."
    ) in line.replace("origin access control site, bucket dev-files", "bucket dev-files, origin access control site")
    assert len(edge.list_functions()["FunctionList"].get("Items", [])) == 0


def test_what_only_has_the_name_is_not_ours(
    cloud: Cloud, account: Account, tear_down: TearDown, listing: t.Callable[[], Listing]
) -> None:
    account.client("cloudfront").create_function(
        Name="dev-mine", FunctionConfig={"Comment": "by hand", "Runtime": "cloudfront-js-2.0"}, FunctionCode=CODE
    )
    account.client("iam").create_role(RoleName="dev-mine", AssumeRolePolicyDocument=TRUST)
    account.client("ssm").put_parameter(Name="/groundwork/dev-x/y", Value="x", Type="String")
    before = listing()
    assert tear_down(cloud)["changed"] is False
    assert listing() == before


def test_what_aws_refuses_to_remove_is_told_and_all_the_rest_goes(
    cloud: Cloud,
    account: Account,
    tear_down: TearDown,
    listing: t.Callable[[], Listing],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    account.role("dev")
    account.storage("dev")
    cloud.plane.faults.set(Fault(operation="DeleteRole", code="AccessDenied", status=403))
    with pytest.raises(GroundworkError, match=r"role servers .*Allow iam:DeleteRole") as failure:
        tear_down(cloud)
    assert {kind for kind, count in failure.value.details["found"].items() if count} == {"role"}
