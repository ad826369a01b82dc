"""The features of CloudFront that the lab does not implement. They are refused, not ignored. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from groundwork_lab.aws.cloudfront.state import behaviors_of
from groundwork_lab.aws.context import refuse

Config = Mapping[str, Any]
Test = Callable[[Config], object]
OPERATIONS = {  # by a part of the operation's name
    "AnycastIpList": "anycast addresses",
    "CloudFrontOriginAccessIdentit": "origin access identities, which origin access controls replaced",
    "ConnectionFunction": "connection functions",
    "ConnectionGroup": "distribution tenants",
    "ContinuousDeployment": "continuous deployment",
    "DistributionTenant": "distribution tenants",
    "FieldLevelEncryption": "field-level encryption",
    "KeyGroup": "signed URLs and cookies",
    "KeyValueStore": "key value stores",
    "MonitoringSubscription": "metrics",
    "PublicKey": "signed URLs and cookies",
    "RealtimeLogConfig": "real-time logs",
    "StagingConfig": "continuous deployment",
    "StreamingDistribution": "streaming distributions",
    "TestFunction": "simulation of functions; they run at its edge",
    "TrustStore": "mutual TLS",
    "VpcOrigin": "VPC origins",
    "WebACL": "web ACLs",
}
PARTIAL = frozenset({"ListDistributionsByConnectionMode", "ListDomainConflicts"})  # of distributions that there are
EMPTY = {"Marker": "", "MaxItems": 100, "IsTruncated": False, "Quantity": 0}
DISTRIBUTION: tuple[tuple[str, str, Test], ...] = (
    ("AnycastIpListId", "anycast addresses", lambda config: config.get("AnycastIpListId")),
    ("CacheTagConfig", "cache tags", lambda config: config.get("CacheTagConfig")),
    ("ConnectionFunctionAssociation", "connection functions", lambda it: it.get("ConnectionFunctionAssociation")),
    ("ConnectionMode", "distribution tenants", lambda config: config.get("ConnectionMode", "direct") != "direct"),
    ("ContinuousDeploymentPolicyId", "continuous deployment", lambda it: it["ContinuousDeploymentPolicyId"]),
    ("OriginGroups", "failover between origins", lambda config: config["OriginGroups"]["Quantity"]),
    (
        "Restrictions",
        "countries",
        lambda config: config["Restrictions"]["GeoRestriction"]["RestrictionType"] != "none",
    ),
    (
        "SSLSupportMethod",
        "addresses of a distribution's own",
        lambda config: _has_addresses(config["ViewerCertificate"]),
    ),
    ("Staging", "continuous deployment", lambda config: config["Staging"]),
    ("TenantConfig", "distribution tenants", lambda config: config.get("TenantConfig")),
    ("ViewerMtlsConfig", "mutual TLS", lambda config: config.get("ViewerMtlsConfig")),
)
BEHAVIOR: tuple[tuple[str, str, Test], ...] = (
    ("FieldLevelEncryptionId", "field-level encryption", lambda each: each["FieldLevelEncryptionId"]),
    ("GrpcConfig", "gRPC", lambda each: each["GrpcConfig"]["Enabled"]),
    ("LambdaFunctionAssociations", "Lambda@Edge", lambda each: each["LambdaFunctionAssociations"]["Quantity"]),
    ("RealtimeLogConfigArn", "real-time logs", lambda each: each.get("RealtimeLogConfigArn")),
    ("SmoothStreaming", "Smooth Streaming", lambda each: each["SmoothStreaming"]),
    ("TrustedKeyGroups", "signed URLs and cookies", lambda each: each["TrustedKeyGroups"]["Enabled"]),
    ("TrustedSigners", "signed URLs and cookies", lambda each: each["TrustedSigners"]["Enabled"]),
)
ORIGIN: tuple[tuple[str, str, Test], ...] = (
    ("IpAddressType", "IPv6", lambda origin: _server(origin).get("IpAddressType", "ipv4") != "ipv4"),
    ("OriginHttpVersion", "HTTP/2 to origins", lambda it: _server(it).get("OriginHttpVersion", "http1.1") != "http1.1"),
    ("OriginMtlsConfig", "mutual TLS", lambda origin: _server(origin).get("OriginMtlsConfig")),
    ("OriginShield", "Origin Shield", lambda origin: origin["OriginShield"]["Enabled"]),
    (
        "OriginReadTimeout",
        "response timeout of S3 origins",
        lambda it: (it.get("S3OriginConfig") or {}).get("OriginReadTimeout", 30) != 30,
    ),
    ("ResponseCompletionTimeout", "response completion timeout", lambda it: it.get("ResponseCompletionTimeout")),
    ("VpcOriginConfig", "VPC origins", lambda origin: origin.get("VpcOriginConfig")),
)


def _server(origin: Config) -> Config:
    return origin.get("CustomOriginConfig") or {}


def _has_addresses(certificate: Config) -> bool:
    own = certificate["CloudFrontDefaultCertificate"]
    return not own and certificate.get("SSLSupportMethod") in {"vip", "static-ip"}


def answered(model: Any) -> dict[str, Any]:
    """Answer a read of what the lab does not have: an empty list, or that what is named does not exist.

    `model` is botocore's of the operation. Other operations are refused.
    """
    unknown = [each.name for each in model.error_shapes if each.name.startswith(("NoSuch", "EntityNotFound"))]
    named = model.input_shape is not None and model.input_shape.required_members
    if not model.name.startswith(("Get", "List")) or model.name in PARTIAL:
        refuse_operation(model.name)
    if unknown and (named or model.name.startswith("Get")):
        refuse(unknown[-1], "The specified resource does not exist.")
    payload = model.output_shape.serialization.get("payload")
    members = model.output_shape.members[payload].members if payload else {}
    return {payload: {name: value for name, value in EMPTY.items() if name in members}} if payload else {}


def refuse_operation(operation: str) -> NoReturn:
    """Refuse an operation of CloudFront that the lab does not have."""
    missing = next((text for word, text in OPERATIONS.items() if word in operation), "such thing")
    refuse("UnsupportedOperation", f"The lab has no {missing}; it refuses {operation}.")


def check(config: Config) -> None:
    """Refuse the first member of a complete configuration that the lab's edge does not implement."""
    structures: list[tuple[tuple[tuple[str, str, Test], ...], Config]] = [(DISTRIBUTION, config)]
    structures += [(BEHAVIOR, each) for each in behaviors_of(dict(config))]
    structures += [(ORIGIN, each) for each in config["Origins"]["Items"]]
    for tests, structure in structures:
        for member, missing, is_used in tests:
            if is_used(structure):
                refuse("UnsupportedOperation", f"The lab has no {missing}; it refuses {member}.")
