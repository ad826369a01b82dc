"""The managed policies of AWS, with their ids.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html,
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-origin-request-policies.html and
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-response-headers-policies.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from groundwork_lab.aws.cloudfront.pages import counted

SINCE = datetime(1970, 1, 1, tzinfo=UTC)  # LastModifiedTime of the managed policies
YEAR = 31536000
Config = Mapping[str, Any]


def _chosen(kind: str, wanted: str | Sequence[str], *, but: bool = False) -> dict[str, Any]:
    """Return a HeadersConfig, CookiesConfig or QueryStringsConfig, from a behavior or from a list of names."""
    behavior = f"{kind.removesuffix('s')}Behavior"
    if isinstance(wanted, str):
        return {behavior: wanted}
    return {behavior: "allExcept" if but else "whitelist", kind: counted(wanted)}


def _cache(
    name: str,
    comment: str,
    ttls: tuple[int, int, int],
    *,
    headers: str | Sequence[str] = "none",
    cookies: str = "none",
    queries: str | Sequence[str] = "none",
    gzip: bool = True,
    brotli: bool = True,
) -> dict[str, Any]:
    """Return a cache policy. `ttls` are the minimum, default and maximum TTL."""
    return {
        "Comment": comment,
        "Name": f"Managed-{name}",
        "MinTTL": ttls[0],
        "DefaultTTL": ttls[1],
        "MaxTTL": ttls[2],
        "ParametersInCacheKeyAndForwardedToOrigin": {
            "EnableAcceptEncodingGzip": gzip,
            "EnableAcceptEncodingBrotli": brotli,
            "HeadersConfig": _chosen("Headers", headers),
            "CookiesConfig": _chosen("Cookies", cookies),
            "QueryStringsConfig": _chosen("QueryStrings", queries),
        },
    }


_ORIGIN_HEADERS = ("Host", "Origin", "X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override")
CACHE_POLICIES: Mapping[str, Config] = {
    "2e54312d-136d-493c-8eb9-b001f22f67d2": _cache(
        "Amplify",
        "Policy for Amplify Origin",
        (2, 2, 600),
        headers=("Authorization", "CloudFront-Viewer-Country", "Host"),
        cookies="all",
        queries="all",
    ),
    "4135ea2d-6df8-44a3-9df3-4b5a84be39ad": _cache(
        "CachingDisabled", "Policy with caching disabled", (0, 0, 0), gzip=False, brotli=False
    ),
    "658327ea-f89d-4fab-a63d-7e88639e58f6": _cache(
        "CachingOptimized",
        "Policy with caching enabled. Supports Gzip and Brotli compression.",
        (1, 86400, YEAR),
    ),
    "b2884449-e4de-46a7-ac36-70bc7f1ddd6d": _cache(
        "CachingOptimizedForUncompressedObjects",
        "Default policy when compression is disabled",
        (1, 86400, YEAR),
        gzip=False,
        brotli=False,
    ),
    "08627262-05a9-4f76-9ded-b50ca2e3a84f": _cache(
        "Elemental-MediaPackage",
        "Policy for Elemental MediaPackage Origin",
        (0, 86400, YEAR),
        headers=("origin",),
        queries=("aws.manifestfilter", "start", "end", "m"),
        brotli=False,
    ),
    "83da9c7e-98b4-4e11-a168-04f0df8e2c65": _cache(
        "UseOriginCacheControlHeaders",
        "Policy for origins that return Cache-Control headers. Query strings are not included in the cache key.",
        (0, 0, YEAR),
        headers=_ORIGIN_HEADERS,
        cookies="all",
    ),
    "4cc15a8a-d715-48a4-82b8-cc0b614638fe": _cache(
        "UseOriginCacheControlHeaders-QueryStrings",
        "Policy for origins that return Cache-Control headers and serve different content based on values present "
        "in the query string.",
        (0, 0, YEAR),
        headers=_ORIGIN_HEADERS,
        cookies="all",
        queries="all",
    ),
}


def _origin(
    name: str, comment: str, headers: Config | Sequence[str], cookies: str = "none", queries: str = "none"
) -> dict[str, Any]:
    return {
        "Comment": comment,
        "Name": f"Managed-{name}",
        "HeadersConfig": headers if isinstance(headers, Mapping) else _chosen("Headers", headers),
        "CookiesConfig": _chosen("Cookies", cookies),
        "QueryStringsConfig": _chosen("QueryStrings", queries),
    }


_CLOUDFRONT_HEADERS = (
    "CloudFront-Forwarded-Proto",
    "CloudFront-Is-Android-Viewer",
    "CloudFront-Is-Desktop-Viewer",
    "CloudFront-Is-IOS-Viewer",
    "CloudFront-Is-Mobile-Viewer",
    "CloudFront-Is-SmartTV-Viewer",
    "CloudFront-Is-Tablet-Viewer",
    "CloudFront-Viewer-Address",
    "CloudFront-Viewer-ASN",
    "CloudFront-Viewer-City",
    "CloudFront-Viewer-Country",
    "CloudFront-Viewer-Country-Name",
    "CloudFront-Viewer-Country-Region",
    "CloudFront-Viewer-Country-Region-Name",
    "CloudFront-Viewer-Http-Version",
    "CloudFront-Viewer-Latitude",
    "CloudFront-Viewer-Longitude",
    "CloudFront-Viewer-Metro-Code",
    "CloudFront-Viewer-Postal-Code",
    "CloudFront-Viewer-Time-Zone",
    "CloudFront-Viewer-TLS",
)
_MEDIA_HEADERS = (
    "origin",
    "access-control-request-headers",
    "access-control-request-method",
    "user-agent",
    "x-forwarded-for",
)
ORIGIN_REQUEST_POLICIES: Mapping[str, Config] = {
    "216adef6-5c7f-47e4-b989-5492eafa07d3": _origin(
        "AllViewer",
        "Policy to forward all parameters in viewer requests",
        {"HeaderBehavior": "allViewer"},
        "all",
        "all",
    ),
    "33f36d7e-f396-46d9-90e0-52428a34d9dc": _origin(
        "AllViewerAndCloudFrontHeaders-2022-06",
        "Policy to forward all parameters in viewer requests and all CloudFront headers that were released through "
        "June 2022 (CloudFront headers released after June 2022 are not included)",
        {"HeaderBehavior": "allViewerAndWhitelistCloudFront", "Headers": counted(_CLOUDFRONT_HEADERS)},
        "all",
        "all",
    ),
    "b689b0a8-53d0-40ab-baf2-68738e2966ac": _origin(
        "AllViewerExceptHostHeader",
        "Policy to forward all parameters in viewer requests except for the Host header",
        _chosen("Headers", ("host",), but=True),
        "all",
        "all",
    ),
    "59781a5b-3903-41f3-afcb-af62929ccde1": _origin("CORS-CustomOrigin", "Policy for CORS", ("origin",)),
    "88a5eaf4-2fd4-4709-b370-b4c650ea3fcf": _origin(
        "CORS-S3Origin",
        "Policy for S3 origin with CORS",
        ("origin", "access-control-request-headers", "access-control-request-method"),
    ),
    "775133bc-15f2-49f9-abea-afb2e0bf67d2": _origin(
        "Elemental-MediaTailor-PersonalizedManifests",
        "Policy for Elemental MediaTailor Personalized Manifests",
        _MEDIA_HEADERS,
        queries="all",
    ),
    "bf0718e1-ba1e-49d1-88b1-f726733018ae": _origin(
        "HostHeaderOnly", "Policy to forward Host header only to origin", ("host",)
    ),
    "acba4595-bd28-49b8-b9fe-13317c0390fa": _origin(
        "UserAgentRefererHeaders",
        "Policy to forward user-agent and referer headers to origin",
        ("user-agent", "referer"),
    ),
}

_SECURITY = {
    "XSSProtection": {"Override": False, "Protection": True, "ModeBlock": True},
    "FrameOptions": {"Override": False, "FrameOption": "SAMEORIGIN"},
    "ReferrerPolicy": {"Override": False, "ReferrerPolicy": "strict-origin-when-cross-origin"},
    "ContentTypeOptions": {"Override": True},
    "StrictTransportSecurity": {
        "Override": False,
        "IncludeSubdomains": False,
        "Preload": False,
        "AccessControlMaxAgeSec": YEAR,
    },
}


def _cors(methods: Sequence[str], exposed: Sequence[str]) -> dict[str, Any]:
    return {
        "AccessControlAllowOrigins": counted("*"),
        "AccessControlAllowHeaders": counted("*"),
        "AccessControlAllowMethods": counted(methods),
        "AccessControlAllowCredentials": False,
        "AccessControlExposeHeaders": counted(exposed),
        "OriginOverride": False,
    }


_SIMPLE = _cors(("GET", "HEAD"), ())
_PREFLIGHT = _cors(("GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS"), ("*",))


def _headers(name: str, comment: str, **parts: Config) -> dict[str, Any]:
    return {"Comment": comment, "Name": f"Managed-{name}", **parts}


RESPONSE_HEADERS_POLICIES: Mapping[str, Config] = {
    "60669652-455b-4ae9-85a4-c4c02393f86c": _headers(
        "SimpleCORS", "Allows all origins for simple CORS requests", CorsConfig=_SIMPLE
    ),
    "5cc3b908-e619-4b99-88e5-2cf7f45965bd": _headers(
        "CORS-With-Preflight",
        "Allows all origins for CORS requests, including preflight requests",
        CorsConfig=_PREFLIGHT,
    ),
    "67f7725c-6f97-4210-82d7-5512b31e9d03": _headers(
        "SecurityHeadersPolicy", "Adds a set of security headers to every response", SecurityHeadersConfig=_SECURITY
    ),
    "e61eb60c-9c35-4d20-a928-2b84e02af89c": _headers(
        "CORS-and-SecurityHeadersPolicy",
        "Allows all origins for simple CORS requests and adds security headers",
        CorsConfig=_SIMPLE,
        SecurityHeadersConfig=_SECURITY,
    ),
    "eaab4381-ed33-4a86-88ca-d9558dc6cd63": _headers(
        "CORS-with-preflight-and-SecurityHeadersPolicy",
        "Allows all origins for CORS requests, including preflight requests, and adds security headers",
        CorsConfig=_PREFLIGHT,
        SecurityHeadersConfig=_SECURITY,
    ),
}
