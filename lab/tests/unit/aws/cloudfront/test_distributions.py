"""Distributions as on AWS: complete, versioned, deployed when the edge has applied them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from groundwork_lab.aws.cloudfront import defaults


def test_what_is_left_out_is_filled_in(cdn: Any) -> None:
    made = cdn.distribution()
    config = made["Distribution"]["DistributionConfig"]

    assert config == {
        "CallerReference": "one",
        "Aliases": {"Quantity": 0},
        "DefaultRootObject": "",
        "Origins": {
            "Quantity": 1,
            "Items": [
                {
                    "Id": "s3",
                    "DomainName": "bucket.s3.eu-central-1.amazonaws.com",
                    "OriginPath": "",
                    "CustomHeaders": {"Quantity": 0},
                    "S3OriginConfig": {"OriginAccessIdentity": ""},
                    "ConnectionAttempts": 3,
                    "ConnectionTimeout": 10,
                    "OriginShield": {"Enabled": False},
                    "OriginAccessControlId": "",
                }
            ],
        },
        "OriginGroups": {"Quantity": 0},
        "DefaultCacheBehavior": {
            "TargetOriginId": "s3",
            "TrustedSigners": {"Enabled": False, "Quantity": 0},
            "TrustedKeyGroups": {"Enabled": False, "Quantity": 0},
            "ViewerProtocolPolicy": "redirect-to-https",
            "AllowedMethods": {
                "Quantity": 2,
                "Items": ["HEAD", "GET"],
                "CachedMethods": {"Quantity": 2, "Items": ["HEAD", "GET"]},
            },
            "SmoothStreaming": False,
            "Compress": False,
            "LambdaFunctionAssociations": {"Quantity": 0},
            "FunctionAssociations": {"Quantity": 0},
            "FieldLevelEncryptionId": "",
            "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
            "GrpcConfig": {"Enabled": False},
        },
        "CacheBehaviors": {"Quantity": 0},
        "CustomErrorResponses": {"Quantity": 0},
        "Comment": "",
        "Logging": {"Enabled": False, "IncludeCookies": False, "Bucket": "", "Prefix": ""},
        "PriceClass": "PriceClass_All",
        "Enabled": True,
        "ViewerCertificate": {
            "CloudFrontDefaultCertificate": True,
            "SSLSupportMethod": "vip",
            "MinimumProtocolVersion": "TLSv1",
            "CertificateSource": "cloudfront",
        },
        "Restrictions": {"GeoRestriction": {"RestrictionType": "none", "Quantity": 0}},
        "WebACLId": "",
        "HttpVersion": "http2",
        "IsIPV6Enabled": False,
        "ContinuousDeploymentPolicyId": "",
        "Staging": False,
    }


def test_names_look_like_those_of_aws(cdn: Any) -> None:
    made = cdn.distribution()
    distribution = made["Distribution"]

    assert re.fullmatch(r"E[A-Z0-9]{13}", distribution["Id"])
    assert re.fullmatch(r"E[A-Z0-9]{13}", made["ETag"])
    assert re.fullmatch(r"d[a-z0-9]{13}\.cloudfront\.net", distribution["DomainName"])
    assert distribution["ARN"] == f"arn:aws:cloudfront::123456789012:distribution/{distribution['Id']}"
    assert made["Location"] == f"https://cloudfront.amazonaws.com/2020-05-31/distribution/{distribution['Id']}"


def rich(cdn: Any) -> dict[str, Any]:
    """Return a configuration with nearly all members that the edge uses."""
    function, access_control = cdn.live_function(), cdn.access_control()["OriginAccessControl"]["Id"]
    behavior = cdn.behavior(
        PathPattern="/assets/*",
        Compress=True,
        ResponseHeadersPolicyId="67f7725c-6f97-4210-82d7-5512b31e9d03",
        OriginRequestPolicyId="88a5eaf4-2fd4-4709-b370-b4c650ea3fcf",
        FunctionAssociations=cdn.associations(function),
        AllowedMethods={
            "Quantity": 3,
            "Items": ["GET", "OPTIONS", "HEAD"],
            "CachedMethods": {"Quantity": 2, "Items": ["GET", "HEAD"]},
        },
    )
    error = {"ErrorCode": 404, "ResponsePagePath": "/404.html", "ResponseCode": "404", "ErrorCachingMinTTL": 60}
    header = {"HeaderName": "X-From", "HeaderValue": "the edge & <more>"}
    return dict(
        cdn.config(
            Comment="ümlaut & <tag>",
            DefaultRootObject="index.html",
            HttpVersion="http2and3",
            IsIPV6Enabled=True,
            PriceClass="PriceClass_100",
            CacheBehaviors={"Quantity": 1, "Items": [behavior]},
            CustomErrorResponses={"Quantity": 1, "Items": [error]},
            Origins=cdn.origin(
                OriginPath="/site",
                OriginAccessControlId=access_control,
                CustomHeaders={"Quantity": 1, "Items": [header]},
            ),
        )
    )


def test_what_was_given_comes_back(cdn: Any) -> None:
    wanted = rich(cdn)
    cdn.api.create_distribution(DistributionConfig=wanted)
    listed = cdn.api.list_distributions()["DistributionList"]["Items"][0]
    config = cdn.api.get_distribution_config(Id=listed["Id"])["DistributionConfig"]

    expected = defaults.complete(wanted)
    assert config == expected
    assert {key: listed[key] for key in expected if key in listed} == {
        key: value for key, value in expected.items() if key in listed
    }
    assert {"ARN", "ETag", "Status", "LastModifiedTime", "DomainName", "Origins", "CacheBehaviors"} <= set(listed)
    assert cdn.lab.plane.snapshot().distributions[listed["Id"]].config == expected


def test_a_reference_is_good_for_one_distribution(cdn: Any) -> None:
    made = cdn.distribution()
    message = cdn.lab.refused(
        "DistributionAlreadyExists", cdn.api.create_distribution, DistributionConfig=cdn.config(Comment="other")
    )
    assert made["Distribution"]["Id"] in message


def test_it_is_deployed_when_the_data_plane_has_followed_this_very_configuration(cdn: Any) -> None:
    distribution = cdn.distribution()["Distribution"]["Id"]
    assert cdn.api.get_distribution(Id=distribution)["Distribution"]["Status"] == "InProgress"

    before = cdn.lab.plane.snapshot()
    cdn.update(distribution, Comment="changed while the edge was at work")
    cdn.lab.plane.reconciled(before)
    assert cdn.api.get_distribution(Id=distribution)["Distribution"]["Status"] == "InProgress"

    cdn.followed()
    assert cdn.api.get_distribution(Id=distribution)["Distribution"]["Status"] == "Deployed"
    cdn.api.get_waiter("distribution_deployed").wait(Id=distribution)


def test_an_update_needs_the_newest_version_and_makes_another(cdn: Any) -> None:
    made = cdn.distribution()
    wanted = {"Id": made["Distribution"]["Id"], "DistributionConfig": made["Distribution"]["DistributionConfig"]}
    cdn.lab.refused("InvalidIfMatchVersion", cdn.api.update_distribution, **wanted)
    cdn.lab.refused("PreconditionFailed", cdn.api.update_distribution, IfMatch="E2QWRUHAPOMQZL", **wanted)

    updated = cdn.api.update_distribution(IfMatch=made["ETag"], **wanted)
    assert updated["ETag"] != made["ETag"]
    cdn.lab.refused("PreconditionFailed", cdn.api.update_distribution, IfMatch=made["ETag"], **wanted)
    assert cdn.api.get_distribution(Id=wanted["Id"])["ETag"] == updated["ETag"]


def test_an_update_cannot_change_the_reference(cdn: Any) -> None:
    made = cdn.distribution()
    config = {**made["Distribution"]["DistributionConfig"], "CallerReference": "two"}
    cdn.lab.refused(
        "IllegalUpdate",
        cdn.api.update_distribution,
        Id=made["Distribution"]["Id"],
        IfMatch=made["ETag"],
        DistributionConfig=config,
    )


@pytest.mark.parametrize("member", defaults.REQUIRED_IN_UPDATE["DistributionConfig"])
def test_an_update_says_everything(cdn: Any, member: str) -> None:
    made = cdn.distribution()
    config = dict(made["Distribution"]["DistributionConfig"])
    del config[member]
    message = cdn.lab.refused(
        "InvalidArgument",
        cdn.api.update_distribution,
        Id=made["Distribution"]["Id"],
        IfMatch=made["ETag"],
        DistributionConfig=config,
    )
    assert message == f"The parameter {member} is required."


def test_only_what_is_disabled_everywhere_can_be_deleted(cdn: Any) -> None:
    made = cdn.distribution()
    distribution = made["Distribution"]["Id"]
    delete = cdn.api.delete_distribution
    cdn.followed()
    cdn.lab.refused("InvalidIfMatchVersion", delete, Id=distribution)
    cdn.lab.refused("DistributionNotDisabled", delete, Id=distribution, IfMatch=made["ETag"])

    disabled = cdn.update(distribution, Enabled=False)
    cdn.lab.refused("DistributionNotDisabled", delete, Id=distribution, IfMatch=disabled["ETag"])
    cdn.followed()
    cdn.lab.refused("PreconditionFailed", delete, Id=distribution, IfMatch=made["ETag"])
    delete(Id=distribution, IfMatch=disabled["ETag"])

    cdn.lab.refused("NoSuchDistribution", cdn.api.get_distribution, Id=distribution)
    assert cdn.api.list_distributions()["DistributionList"]["Quantity"] == 0
    assert cdn.lab.plane.snapshot().distributions == {}


def test_lists_come_in_pages(cdn: Any) -> None:
    made = {cdn.distribution(f"reference {number}")["Distribution"]["Id"] for number in range(5)}
    pages = [
        page["DistributionList"]
        for page in cdn.api.get_paginator("list_distributions").paginate(PaginationConfig={"PageSize": 2})
    ]
    assert [len(page["Items"]) for page in pages] == [2, 2, 1]
    assert [page["IsTruncated"] for page in pages] == [True, True, False]
    assert {each["Id"] for page in pages for each in page["Items"]} == made
    cdn.lab.refused("InvalidArgument", cdn.api.list_distributions, MaxItems="none")


S3 = "bucket.s3.eu-central-1.amazonaws.com"
ORIGINS: list[tuple[str, dict[str, Any]]] = [
    ("InvalidOrigin", {"DomainName": "www.example.com"}),
    ("InvalidOrigin", {"DomainName": "bucket.s3-website.eu-central-1.amazonaws.com"}),
    ("InvalidOriginAccessControl", {"OriginAccessControlId": "E2QWRUHAPOMQZL"}),
    (
        "InvalidOriginAccessIdentity",
        {"S3OriginConfig": {"OriginAccessIdentity": "origin-access-identity/cloudfront/E1"}},
    ),
    ("InvalidRelativePath", {"OriginPath": "site"}),
    ("InvalidRelativePath", {"OriginPath": "/site/"}),
    ("InvalidArgument", {"ConnectionAttempts": 4}),
    ("InvalidArgument", {"ConnectionTimeout": 11}),
    ("UnsupportedOperation", {"OriginShield": {"Enabled": True, "OriginShieldRegion": "eu-central-1"}}),
    *(
        ("InvalidArgument", {"CustomHeaders": {"Quantity": 1, "Items": [{"HeaderName": name, "HeaderValue": value}]}})
        for name, value in (
            ("Host", "www.example.com"),
            ("x-amz-date", "now"),
            ("X-Edge-Secret", "a"),
            ("X Secret", "a"),
            ("X-Secret;", "a"),
            ("X" * 257, "a"),
            ("X-Secret", "a" * 1784),
            ("X-Secret", "a\nb"),
        )
    ),
    (
        "InvalidArgument",
        {"CustomHeaders": {"Quantity": 2, "Items": [{"HeaderName": it, "HeaderValue": "a"} for it in ("X-A", "x-a")]}},
    ),
    (
        "InvalidArgument",
        {
            "CustomHeaders": {
                "Quantity": 6,
                "Items": [{"HeaderName": f"X-{n}", "HeaderValue": "a" * 1783} for n in range(6)],
            }
        },
    ),
    (
        "TooManyOriginCustomHeaders",
        {"CustomHeaders": {"Quantity": 31, "Items": [{"HeaderName": f"X-{n}", "HeaderValue": "a"} for n in range(31)]}},
    ),
    ("UnsupportedOperation", {"ResponseCompletionTimeout": 60}),
    ("UnsupportedOperation", {"S3OriginConfig": {"OriginAccessIdentity": "", "OriginReadTimeout": 60}}),
    ("InconsistentQuantities", {"CustomHeaders": {"Quantity": 2, "Items": [{"HeaderName": "a", "HeaderValue": "b"}]}}),
]


@pytest.mark.parametrize(("code", "changes"), ORIGINS)
def test_origins_that_aws_refuses(cdn: Any, code: str, changes: dict[str, Any]) -> None:
    config = cdn.config(Origins=cdn.origin(**changes))
    cdn.lab.refused(code, cdn.api.create_distribution, DistributionConfig=config)


def test_access_controls_are_for_s3_and_not_for_identities_as_well(cdn: Any) -> None:
    own = {"OriginAccessControlId": cdn.access_control()["OriginAccessControl"]["Id"]}
    identity = {"S3OriginConfig": {"OriginAccessIdentity": "origin-access-identity/cloudfront/E1"}}
    for code, changes in (
        ("IllegalOriginAccessConfiguration", identity),
        ("InvalidDomainNameForOriginAccessControl", {"DomainName": "www.example.com"}),
    ):
        config = cdn.config(Origins=cdn.origin(**own, **changes))
        cdn.lab.refused(code, cdn.api.create_distribution, DistributionConfig=config)


CUSTOM = {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"}


def custom(domain: str = "web-1.eu-central-1.elb.amazonaws.com", **changes: Any) -> dict[str, Any]:
    origin = {"Id": "s3", "DomainName": domain, "CustomOriginConfig": {**CUSTOM, **changes}}
    return {"Quantity": 1, "Items": [origin]}


def test_a_server_as_origin(cdn: Any) -> None:
    config = cdn.distribution(Origins=custom())["Distribution"]["DistributionConfig"]
    assert config["Origins"]["Items"][0]["CustomOriginConfig"] == {
        **CUSTOM,
        "OriginSslProtocols": {"Quantity": 3, "Items": ["TLSv1", "TLSv1.1", "TLSv1.2"]},
        "OriginReadTimeout": 30,
        "OriginKeepaliveTimeout": 5,
    }


@pytest.mark.parametrize(
    ("code", "origins"),
    [
        ("InvalidOrigin", custom("198.18.0.5")),
        ("InvalidOrigin", custom("localhost")),
        ("InvalidArgument", custom(HTTPPort=25)),
        ("InvalidOriginReadTimeout", custom(OriginReadTimeout=0)),
        ("InvalidOriginKeepaliveTimeout", custom(OriginKeepaliveTimeout=121)),
        ("UnsupportedOperation", custom(IpAddressType="dualstack")),
        ("UnsupportedOperation", custom(OriginHttpVersion="http2")),
    ],
)
def test_servers_that_aws_refuses(cdn: Any, code: str, origins: dict[str, Any]) -> None:
    cdn.lab.refused(code, cdn.api.create_distribution, DistributionConfig=cdn.config(Origins=origins))


NAMES = {"Quantity": 2, "Items": ["a", "b"]}
BEHAVIORS: list[tuple[str, dict[str, Any]]] = [
    ("NoSuchOrigin", {"TargetOriginId": "other"}),
    ("NoSuchCachePolicy", {"CachePolicyId": "00000000-0000-0000-0000-000000000000"}),
    ("NoSuchOriginRequestPolicy", {"OriginRequestPolicyId": "00000000-0000-0000-0000-000000000000"}),
    ("NoSuchResponseHeadersPolicy", {"ResponseHeadersPolicyId": "00000000-0000-0000-0000-000000000000"}),
    ("InvalidArgument", {"CachePolicyId": ""}),
    ("InvalidArgument", {"MinTTL": 0}),
    ("InvalidArgument", {"ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}}}),
    ("InvalidArgument", {"AllowedMethods": {"Quantity": 1, "Items": ["GET"]}}),
    ("InvalidArgument", {"ViewerProtocolPolicy": "none"}),
    ("InvalidFunctionAssociation", {"FunctionAssociations": NAMES}),
    ("UnsupportedOperation", {"TrustedSigners": {"Enabled": True, "Quantity": 1, "Items": ["self"]}}),
    ("UnsupportedOperation", {"SmoothStreaming": True}),
    ("UnsupportedOperation", {"RealtimeLogConfigArn": "arn:aws:cloudfront::123456789012:realtime-log-config/a"}),
]


@pytest.mark.parametrize(("code", "changes"), BEHAVIORS)
def test_behaviors_that_aws_refuses(cdn: Any, code: str, changes: dict[str, Any]) -> None:
    if "FunctionAssociations" in changes:
        arn = cdn.function()["FunctionSummary"]["FunctionMetadata"]["FunctionARN"]  # not published
        changes = {"FunctionAssociations": cdn.associations(arn)}
    config = cdn.config(DefaultCacheBehavior=cdn.behavior(**changes))
    cdn.lab.refused(code, cdn.api.create_distribution, DistributionConfig=config)
    assert cdn.api.list_distributions()["DistributionList"]["Quantity"] == 0


def test_a_function_runs_for_viewers_only(cdn: Any) -> None:
    associations = cdn.associations(cdn.live_function(), "origin-request")
    config = cdn.config(DefaultCacheBehavior=cdn.behavior(FunctionAssociations=associations))
    cdn.lab.refused("InvalidFunctionAssociation", cdn.api.create_distribution, DistributionConfig=config)


def test_ttls_without_a_policy(cdn: Any) -> None:
    behavior = cdn.behavior(ForwardedValues={"QueryString": False, "Cookies": {"Forward": "none"}})
    del behavior["CachePolicyId"]
    config = cdn.distribution(DefaultCacheBehavior=behavior)["Distribution"]["DistributionConfig"]
    kept = config["DefaultCacheBehavior"]
    assert (kept["MinTTL"], kept["DefaultTTL"], kept["MaxTTL"]) == (0, 86400, 31536000)

    wrong = cdn.config("two", DefaultCacheBehavior={**behavior, "MinTTL": 10, "DefaultTTL": 5, "MaxTTL": 20})
    cdn.lab.refused("InvalidTTLOrder", cdn.api.create_distribution, DistributionConfig=wrong)


def errors(**changes: Any) -> dict[str, Any]:
    error = {"ErrorCode": 404, "ResponsePagePath": "/404.html", "ResponseCode": "404", **changes}
    return {"Quantity": 1, "Items": [error]}


CONFIGS: list[tuple[str, dict[str, Any]]] = [
    ("InvalidViewerCertificate", {"Aliases": {"Quantity": 1, "Items": ["www.example.com"]}}),
    (
        "InvalidViewerCertificate",
        {
            "ViewerCertificate": {
                "ACMCertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/a",
                "SSLSupportMethod": "sni-only",
            }
        },
    ),
    ("InvalidDefaultRootObject", {"DefaultRootObject": "/index.html"}),
    ("InvalidWebACLId", {"WebACLId": "arn:aws:wafv2:us-east-1:123456789012:global/webacl/a/b"}),
    ("InvalidErrorCode", {"CustomErrorResponses": errors(ErrorCode=418)}),
    ("InvalidResponseCode", {"CustomErrorResponses": errors(ResponseCode="302")}),
    ("InvalidRelativePath", {"CustomErrorResponses": errors(ResponsePagePath="404.html")}),
    ("InvalidArgument", {"CustomErrorResponses": errors(ResponseCode="")}),
    ("InvalidArgument", {"Comment": "x" * 129}),
    ("InvalidArgument", {"PriceClass": "PriceClass_1"}),
    ("InconsistentQuantities", {"Aliases": {"Quantity": 1, "Items": []}}),
    ("InvalidArgument", {"Logging": {"Enabled": True, "IncludeCookies": False, "Bucket": "a", "Prefix": ""}}),
    ("UnsupportedOperation", {"Staging": True}),
]


@pytest.mark.parametrize(("code", "changes"), CONFIGS)
def test_configurations_that_aws_refuses(cdn: Any, code: str, changes: dict[str, Any]) -> None:
    cdn.lab.refused(code, cdn.api.create_distribution, DistributionConfig=cdn.config(**changes))


def test_path_patterns_are_unique(cdn: Any) -> None:
    behaviors = {"Quantity": 2, "Items": [cdn.behavior(PathPattern="/a/*")] * 2}
    config = cdn.config(CacheBehaviors=behaviors)
    cdn.lab.refused("InvalidArgument", cdn.api.create_distribution, DistributionConfig=config)


def test_tags_are_found_in_us_east_1(cdn: Any) -> None:
    tags = [{"Key": "groundwork:environment", "Value": "prod"}, {"Key": "Name", "Value": "prod-site"}]
    made = cdn.api.create_distribution_with_tags(
        DistributionConfigWithTags={"DistributionConfig": cdn.config(), "Tags": {"Items": tags}}
    )
    arn = made["Distribution"]["ARN"]
    cdn.distribution("another")

    wanted = {
        "ResourceTypeFilters": ["cloudfront:distribution"],
        "TagFilters": [{"Key": "Name", "Values": ["prod-site"]}],
    }
    found = cdn.lab.client("resourcegroupstaggingapi", "us-east-1").get_resources(**wanted)
    assert found["ResourceTagMappingList"] == [{"ResourceARN": arn, "Tags": tags}]
    elsewhere = cdn.lab.client("resourcegroupstaggingapi").get_resources(**wanted)
    assert elsewhere["ResourceTagMappingList"] == []


def test_tags_change(cdn: Any) -> None:
    arn = cdn.distribution()["Distribution"]["ARN"]
    cdn.api.tag_resource(Resource=arn, Tags={"Items": [{"Key": "a", "Value": "1"}, {"Key": "b"}]})
    cdn.api.tag_resource(Resource=arn, Tags={"Items": [{"Key": "a", "Value": "2"}]})
    assert cdn.api.list_tags_for_resource(Resource=arn)["Tags"]["Items"] == [
        {"Key": "a", "Value": "2"},
        {"Key": "b", "Value": ""},
    ]
    cdn.api.untag_resource(Resource=arn, TagKeys={"Items": ["b"]})
    assert cdn.api.list_tags_for_resource(Resource=arn)["Tags"]["Items"] == [{"Key": "a", "Value": "2"}]
    reserved = {"Items": [{"Key": "aws:x", "Value": ""}]}
    cdn.lab.refused("InvalidTagging", cdn.api.tag_resource, Resource=arn, Tags=reserved)
    cdn.lab.refused("NoSuchResource", cdn.api.list_tags_for_resource, Resource=arn + "X")


def test_what_no_edge_follows_is_refused(cdn: Any) -> None:
    message = cdn.lab.refused("UnsupportedOperation", cdn.api.create_key_value_store, Name="store")
    assert message == "The lab has no key value stores; it refuses CreateKeyValueStore."


@pytest.mark.parametrize(
    ("call", "key"),
    [
        ("list_streaming_distributions", "StreamingDistributionList"),
        ("list_cloud_front_origin_access_identities", "CloudFrontOriginAccessIdentityList"),
        ("list_public_keys", "PublicKeyList"),
        ("list_key_groups", "KeyGroupList"),
        ("list_realtime_log_configs", "RealtimeLogConfigs"),
        ("list_field_level_encryption_configs", "FieldLevelEncryptionList"),
        ("list_key_value_stores", "KeyValueStoreList"),
        ("list_vpc_origins", "VpcOriginList"),
    ],
)
def test_what_the_lab_does_not_have_is_an_empty_list(cdn: Any, call: str, key: str) -> None:
    answer = getattr(cdn.api, call)()[key]
    assert answer.get("Items", []) == []
    assert answer.get("Quantity", 0) == 0


def test_reads_of_single_things_that_the_lab_does_not_have(cdn: Any) -> None:
    cdn.lab.refused("NoSuchPublicKey", cdn.api.get_public_key, Id="K1")
    cdn.lab.refused("NoSuchStreamingDistribution", cdn.api.get_streaming_distribution, Id="S1")
    cdn.lab.refused("NoSuchDistribution", cdn.api.list_conflicting_aliases, DistributionId="E1", Alias="a.example.com")
    made = cdn.distribution()["Distribution"]["Id"]
    found = cdn.api.list_conflicting_aliases(DistributionId=made, Alias="a.example.com")
    assert found["ConflictingAliasesList"]["Quantity"] == 0
