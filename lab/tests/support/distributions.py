"""`World` values with one CloudFront distribution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from groundwork_lab.model import Certificate, Distribution, EdgeFunction, Invalidation, World

SITE = "d111111abcdef8.cloudfront.net"
ARN = "arn:aws:cloudfront::123456789012:distribution/EDFDVBD6EXAMPLE"
BUCKET = "site.s3.eu-central-1.amazonaws.com"
S3, TLS = 8081, 8443  # the ports of an origin


def counted(*values: Any) -> dict[str, Any]:
    return {"Quantity": len(values), "Items": list(values)} if values else {"Quantity": 0}


def chosen(kind: str, mode: str, *names: str) -> dict[str, Any]:
    return {f"{kind}Behavior": mode, **({f"{kind}s": counted(*names)} if names else {})}


def cache_policy(
    ttls: tuple[int, int, int] = (1, 86400, 31536000),
    *,
    headers: Sequence[str] = (),
    cookies: Mapping[str, Any] = chosen("Cookie", "none"),
    queries: Mapping[str, Any] = chosen("QueryString", "none"),
    compressed: bool = True,
) -> dict[str, Any]:
    return {
        "Name": "cache",
        "MinTTL": ttls[0],
        "DefaultTTL": ttls[1],
        "MaxTTL": ttls[2],
        "ParametersInCacheKeyAndForwardedToOrigin": {
            "EnableAcceptEncodingGzip": compressed,
            "EnableAcceptEncodingBrotli": compressed,
            "HeadersConfig": {
                "HeaderBehavior": "whitelist" if headers else "none",
                **({"Headers": counted(*headers)} if headers else {}),
            },
            "CookiesConfig": cookies,
            "QueryStringsConfig": queries,
        },
    }


def behavior(**options: Any) -> dict[str, Any]:
    """Return a cache behavior. `functions` are its function associations by event type."""
    functions = options.pop("functions", {})
    return {
        "TargetOriginId": "bucket",
        "ViewerProtocolPolicy": "allow-all",
        "CachePolicyId": "cache",
        "AllowedMethods": {**counted("HEAD", "GET"), "CachedMethods": counted("HEAD", "GET")},
        "Compress": True,
        "FunctionAssociations": counted(
            *({"EventType": event, "FunctionARN": function_arn(name)} for event, name in functions.items())
        ),
        **options,
    }


def function_arn(name: str) -> str:
    return f"arn:aws:cloudfront::123456789012:function/{name}"


def s3_origin(**options: Any) -> dict[str, Any]:
    return {
        "Id": "bucket",
        "DomainName": BUCKET,
        "OriginPath": "/site",
        "CustomHeaders": counted(),
        "S3OriginConfig": {"OriginAccessIdentity": ""},
        "OriginAccessControlId": "control",
        "ConnectionTimeout": 10,
        **options,
    }


def server_origin(name: str, protocol: str) -> dict[str, Any]:
    server = {"HTTPPort": S3, "HTTPSPort": TLS, "OriginProtocolPolicy": protocol, "OriginReadTimeout": 5}
    return {
        "Id": "bucket",
        "DomainName": name,
        "OriginPath": "/app",
        "CustomHeaders": counted(),
        "CustomOriginConfig": server,
        "ConnectionTimeout": 2,
    }


def distribution(
    *invalidated: Sequence[str],
    identifier: str = "EDFDVBD6EXAMPLE",
    domain: str = SITE,
    default: Mapping[str, Any] | None = None,
    behaviors: Sequence[Mapping[str, Any]] = (),
    origins: Sequence[Mapping[str, Any]] | None = None,
    errors: Sequence[Mapping[str, Any]] = (),
    certificate: Certificate | None = None,
    **options: Any,
) -> Distribution:
    """Return a distribution. Each item of `invalidated` contains the paths of one invalidation."""
    config = {
        "Enabled": True,
        "DefaultRootObject": "index.html",
        "Aliases": counted(),
        "Origins": counted(*(origins or [s3_origin()])),
        "DefaultCacheBehavior": default or behavior(),
        "CacheBehaviors": counted(*behaviors),
        "CustomErrorResponses": counted(*errors),
        **options,
    }
    named = tuple(Invalidation(f"I{number}-{paths}", tuple(paths)) for number, paths in enumerate(invalidated))
    return Distribution(identifier, ARN.replace("EDFDVBD6EXAMPLE", identifier), domain, config, named, certificate)


def world(*distributions: Distribution, functions: Mapping[str, str] | None = None, **policies: Any) -> World:
    """Return a `World` of these. `functions` are codes by name, `policies` are policies by kind and id."""
    return World(
        distributions={each.id: each for each in distributions or (distribution(),)},
        edge_functions={
            function_arn(name): EdgeFunction(function_arn(name), name, "cloudfront-js-2.0", code.encode())
            for name, code in (functions or {}).items()
        },
        cache_policies={"cache": cache_policy(), **policies.get("cache", {})},
        origin_request_policies=policies.get("request", {}),
        response_headers_policies=policies.get("headers", {}),
        origin_access_controls={"control": {"SigningBehavior": policies.get("signing", "always")}},
    )
