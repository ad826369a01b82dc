"""An account with resources of every kind that an environment can have."""

from __future__ import annotations

import json
import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from cloud import Watched

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.autoscaling_server_groups import (
    ARGUMENTS as GROUPS,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.arguments import COMMON_ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.topics.scaling.run import converge_server_groups
from ansible_collections.groundwork.aws.plugins.module_utils.topics.server_roles.run import converge_server_roles

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
        settings = {"roles": roles, "permissions_boundary": "", "role_path": "/"}
        self.cloud.run(converge_server_roles, {**common, **settings})
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
        known = self.client("ssm").get_parameters(Names=[path])["Parameters"]
        if not known:
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
