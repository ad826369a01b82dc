"""Default values of a distribution's configuration, as AWS fills them in. Pure functions.

https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DistributionConfig.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

NONE = {"Quantity": 0}
NOBODY = {"Enabled": False, "Quantity": 0}
METHODS = ("HEAD", "DELETE", "POST", "GET", "OPTIONS", "PUT", "PATCH")  # in the order in which AWS returns them
CERTIFICATE = {
    "CloudFrontDefaultCertificate": True,
    "SSLSupportMethod": "vip",
    "MinimumProtocolVersion": "TLSv1",
    "CertificateSource": "cloudfront",
}
REQUIRED_IN_UPDATE: Mapping[str, Sequence[str]] = {
    "DistributionConfig": (
        "Aliases",
        "DefaultRootObject",
        "CacheBehaviors",
        "CustomErrorResponses",
        "Logging",
        "PriceClass",
        "ViewerCertificate",
        "Restrictions",
        "WebACLId",
        "HttpVersion",
    ),
    "CacheBehavior": (
        "AllowedMethods",
        "SmoothStreaming",
        "Compress",
        "LambdaFunctionAssociations",
        "FieldLevelEncryptionId",
    ),
    "Origin": ("OriginPath", "CustomHeaders"),
}
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/distribution-overview-required-fields.html
Config = Mapping[str, Any]


def complete(config: Config) -> dict[str, Any]:
    """Return the configuration with all default values. Unknown members are kept."""
    return {
        "Aliases": NONE,
        "DefaultRootObject": "",
        "OriginGroups": NONE,
        "PriceClass": "PriceClass_All",
        "Restrictions": {"GeoRestriction": {"RestrictionType": "none", "Quantity": 0}},
        "WebACLId": "",
        "HttpVersion": "http2",
        "IsIPV6Enabled": False,
        "ContinuousDeploymentPolicyId": "",
        "Staging": False,
        **config,
        "Origins": _each(_origin, config["Origins"]),
        "DefaultCacheBehavior": _behavior(config["DefaultCacheBehavior"]),
        "CacheBehaviors": _each(_behavior, config.get("CacheBehaviors")),
        "CustomErrorResponses": _each(_error_response, config.get("CustomErrorResponses")),
        "Logging": {"Enabled": False, "IncludeCookies": False, "Bucket": "", "Prefix": "", **_of(config, "Logging")},
        "ViewerCertificate": _certificate(_of(config, "ViewerCertificate")),
    }


def _of(config: Config, name: str) -> Config:
    return config.get(name) or {}


def _each(complete_one: Callable[[Config], dict[str, Any]], counted: Config | None) -> dict[str, Any]:
    if not counted or not counted.get("Items"):
        return dict(NONE)
    return {**counted, "Items": [complete_one(each) for each in counted["Items"]]}


def _origin(origin: Config) -> dict[str, Any]:
    whole = {
        "OriginPath": "",
        "CustomHeaders": NONE,
        "ConnectionAttempts": 3,
        "ConnectionTimeout": 10,
        "OriginShield": {"Enabled": False},
        "OriginAccessControlId": "",
        **origin,
    }
    if "CustomOriginConfig" in origin:
        tls = {"Quantity": 3, "Items": ["TLSv1", "TLSv1.1", "TLSv1.2"]}
        timeouts = {"OriginReadTimeout": 30, "OriginKeepaliveTimeout": 5}
        whole["CustomOriginConfig"] = {"OriginSslProtocols": tls, **timeouts, **origin["CustomOriginConfig"]}
    return whole


def _behavior(behavior: Config) -> dict[str, Any]:
    whole = {
        "TrustedSigners": NOBODY,
        "TrustedKeyGroups": NOBODY,
        "SmoothStreaming": False,
        "Compress": False,
        "LambdaFunctionAssociations": NONE,
        "FunctionAssociations": NONE,
        "FieldLevelEncryptionId": "",
        "GrpcConfig": {"Enabled": False},
        **behavior,
        "AllowedMethods": _methods(_of(behavior, "AllowedMethods")),
    }
    if behavior.get("ForwardedValues"):
        whole = {"MinTTL": 0, **_ttls(behavior), **whole}
        forwarded = behavior["ForwardedValues"]
        whole["ForwardedValues"] = {"Headers": NONE, "QueryStringCacheKeys": NONE, **forwarded}
    return whole


def _ttls(behavior: Config) -> dict[str, int]:
    """Return the default TTL of a day and the maximum TTL of a year, or the next shorter TTL if that is longer."""
    default = max(86400, int(behavior.get("MinTTL") or 0))
    return {"DefaultTTL": default, "MaxTTL": max(31536000, int(behavior.get("DefaultTTL") or default))}


def _methods(methods: Config) -> dict[str, Any]:
    allowed = methods.get("Items") or ["GET", "HEAD"]
    cached = _of(methods, "CachedMethods").get("Items") or ["GET", "HEAD"]
    return {**_in_order(allowed), "CachedMethods": _in_order(cached)}


def _in_order(methods: Sequence[str]) -> dict[str, Any]:
    items = sorted(methods, key=lambda each: METHODS.index(each) if each in METHODS else len(METHODS))
    return {"Quantity": len(items), "Items": items}


def _error_response(response: Config) -> dict[str, Any]:
    return {"ResponsePagePath": "", "ResponseCode": "", "ErrorCachingMinTTL": 10, **response}


def _certificate(certificate: Config) -> dict[str, Any]:
    """Return the viewer certificate. With CloudFront's default certificate all its members have fixed values.

    Otherwise the deprecated members tell what the others do.
    """
    if not certificate or certificate.get("CloudFrontDefaultCertificate"):
        return dict(CERTIFICATE)
    kinds = {"acm": "ACMCertificateArn", "iam": "IAMCertificateId"}
    source = next((kind for kind, member in kinds.items() if certificate.get(member)), "acm")
    return {
        "MinimumProtocolVersion": "TLSv1",
        **certificate,
        "CloudFrontDefaultCertificate": False,
        "Certificate": certificate.get(kinds[source]) or "",
        "CertificateSource": source,
    }


def missing_in_update(config: Config) -> str | None:
    """Return the first missing member that an update requires but a creation does not, or None."""
    behaviors = [config["DefaultCacheBehavior"], *(_of(config, "CacheBehaviors").get("Items") or ())]
    structures = [
        ("DistributionConfig", config),
        *(("CacheBehavior", each) for each in behaviors),
        *(("Origin", each) for each in config["Origins"].get("Items") or ()),
    ]
    for kind, structure in structures:
        for name in REQUIRED_IN_UPDATE[kind]:
            if structure.get(name) is None:
                return name
    return None
