# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of the modules of policies and origin access controls, and the configurations that result."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import RESOURCE_NAME, token
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.reusable import Reusable

HEADER = token(128)
LONGEST_TTL = 31536000 * 100
LONGEST_AGE = 2**31 - 1
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html
MOST_NAMES = 10  # of headers, cookies and query strings of a cache policy each; of custom and removed headers each
YEAR = 31536000
CORS_METHODS = ("GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE", "ALL")
XSS: t.Mapping[str, dict[str, bool]] = {
    "off": {"Protection": False},
    "filter": {"Protection": True, "ModeBlock": False},
    "block": {"Protection": True, "ModeBlock": True},
}
FRAME_OPTIONS = ("DENY", "SAMEORIGIN")
REFERRER_POLICIES = (
    "no-referrer",
    "no-referrer-when-downgrade",
    "origin",
    "origin-when-cross-origin",
    "same-origin",
    "strict-origin",
    "strict-origin-when-cross-origin",
    "unsafe-url",
)
Options = t.Mapping[str, t.Any]


def check_name(name: str, problems: Problems, variable: str = "name") -> None:
    """Check a name. Names have at most 64 characters in CloudFront, including the prefix `<environment>-`."""
    if not RESOURCE_NAME.fullmatch(name):
        right = "use at most 32 lower case letters, digits and hyphens; begin with a letter, do not end with a hyphen"
        problems.add(variable, f"'{name}' is not a valid name", right)


# Origin access control ---------------------------------------------------------------------------------------------


def parse_origin_access_control(options: Options, problems: Problems) -> Reusable:
    """Return the origin access control for S3 origins that the options describe.

    https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_OriginAccessControlConfig.html
    """
    check_name(options["name"], problems)
    config = {
        "SigningProtocol": "sigv4",
        "SigningBehavior": options["signing"],
        "OriginAccessControlOriginType": "s3",
    }
    return Reusable(options["name"], config)


# Cache policy ------------------------------------------------------------------------------------------------------


def parse_cache_policy(options: Options, problems: Problems) -> Reusable:
    """Return the cache policy that the options describe: the cache key and the TTLs.

    https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CachePolicyConfig.html
    """
    check_name(options["name"], problems)
    _check_ttls(options, problems)
    config = {
        "MinTTL": options["min_ttl"],
        "DefaultTTL": options["default_ttl"],
        "MaxTTL": options["max_ttl"],
        "ParametersInCacheKeyAndForwardedToOrigin": {
            "EnableAcceptEncodingGzip": options["gzip"],
            "EnableAcceptEncodingBrotli": options["brotli"],
            "HeadersConfig": _chosen("Header", options["headers"], "headers", problems, words=("none",)),
            "CookiesConfig": _chosen("Cookie", options["cookies"], "cookies", problems),
            "QueryStringsConfig": _chosen("QueryString", options["query_strings"], "query_strings", problems),
        },
    }
    return Reusable(options["name"], config)


def _check_ttls(options: Options, problems: Problems) -> None:
    names = ("min_ttl", "default_ttl", "max_ttl")
    for name in names:
        if not 0 <= options[name] <= LONGEST_TTL:
            problems.add(name, f"{options[name]} seconds are out of range", f"give 0 to {LONGEST_TTL}")
    values = [options[name] for name in names]
    if values != sorted(values):
        wrong = f"{values[0]}, {values[1]} and {values[2]} seconds are not in ascending order"
        problems.add("min_ttl", wrong, "give min_ttl <= default_ttl <= max_ttl")
    if values[2] == 0 and any(
        [options["gzip"], options["brotli"], *(options[n] != ["none"] for n in ("headers", "cookies", "query_strings"))]
    ):
        right = (
            "set gzip and brotli to false and headers, cookies and query_strings to [none], or give a larger max_ttl"
        )
        problems.add("max_ttl", "is 0, so nothing is cached, but the cache key is not empty", right)


def _chosen(
    kind: str, names: t.Sequence[str], variable: str, problems: Problems, *, words: t.Sequence[str] = ("none", "all")
) -> dict[str, t.Any]:
    """Return a HeadersConfig, CookiesConfig or QueryStringsConfig from one of `words` or from a list of names."""
    member, listed = f"{kind}Behavior", f"{kind}s"
    if len(names) == 1 and names[0] in words:
        return {member: names[0], listed: None}
    if not names or set(names) & {"none", "all"}:
        problems.add(variable, f"{list(names)!r} is not valid", f"give [{']. ['.join(words)}] or a list of names")
    for at, name in enumerate(names):
        if not HEADER.fullmatch(name):
            right = "give a name without spaces and separators"
            problems.add(f"{variable}[{at}]", f"'{name}' is not a valid name", right)
        elif kind == "Header" and name.lower() == "accept-encoding":
            right = "remove it: gzip and brotli add it to the cache key"
            problems.add(f"{variable}[{at}]", f"'{name}' is not allowed", right)
    _check_number(names, variable, problems)
    return {member: "whitelist", listed: sorted(set(names))}


def _check_number(names: t.Sized, variable: str, problems: Problems) -> None:
    if len(names) > MOST_NAMES:
        problems.add(variable, f"contains {len(names)} names", f"give at most {MOST_NAMES}")


# Response headers policy -------------------------------------------------------------------------------------------


def parse_response_headers_policy(options: Options, problems: Problems) -> Reusable:
    """Return the response headers policy that the options describe.

    https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ResponseHeadersPolicyConfig.html
    """
    check_name(options["name"], problems)
    config = {
        "SecurityHeadersConfig": _security(options["security"] or {}, problems),
        "CorsConfig": _cors(options["cors"], problems) if options["cors"] else None,
        "CustomHeadersConfig": _custom(options["custom"] or {}, problems),
        "RemoveHeadersConfig": _removed(options["remove"] or [], options["custom"] or {}, problems),
    }
    if not any(config.values()):
        problems.add("security", "the policy contains no headers", "give security, cors, custom or remove")
    return Reusable(options["name"], config)


def _security(given: Options, problems: Problems) -> dict[str, t.Any] | None:
    frame, referrer = given.get("frame_options"), given.get("referrer_policy")
    if frame and frame not in FRAME_OPTIONS:
        problems.add("security.frame_options", f"'{frame}' is not supported", f"give one of {', '.join(FRAME_OPTIONS)}")
    if referrer and referrer not in REFERRER_POLICIES:
        right = f"give one of {', '.join(REFERRER_POLICIES)}"
        problems.add("security.referrer_policy", f"'{referrer}' is not supported", right)
    xss, hsts = given.get("xss_protection") or "", given.get("hsts") or {}
    if xss and xss not in XSS:
        problems.add("security.xss_protection", f"'{xss}' is not supported", f"give one of {', '.join(XSS)}")
    if hsts:
        _check_hsts(hsts, problems)
    config = {
        "StrictTransportSecurity": {
            "Override": True,
            "AccessControlMaxAgeSec": hsts["max_age"],
            "IncludeSubdomains": hsts["include_subdomains"],
            "Preload": hsts["preload"],
        }
        if hsts
        else None,
        "ContentSecurityPolicy": _override("ContentSecurityPolicy", given.get("content_security_policy")),
        "ContentTypeOptions": {"Override": True} if given.get("content_type_options") else None,
        "FrameOptions": _override("FrameOption", frame),
        "ReferrerPolicy": _override("ReferrerPolicy", referrer),
        "XSSProtection": {"Override": True, **XSS[xss]} if xss in XSS else None,
    }
    return config if any(config.values()) else None


def _check_hsts(hsts: Options, problems: Problems) -> None:
    """Check the HSTS header. AWS does not check the conditions of preload lists: https://hstspreload.org/"""
    if not 0 <= hsts["max_age"] <= LONGEST_AGE:
        right = f"give 0 to {LONGEST_AGE}"
        problems.add("security.hsts.max_age", f"{hsts['max_age']} seconds are out of range", right)
    if hsts["preload"] and not (hsts["include_subdomains"] and hsts["max_age"] >= YEAR):
        what = f"browsers do not preload a site without include_subdomains and a max_age of at least {YEAR} seconds"
        problems.warn("security.hsts.preload", what)


def _override(member: str, value: t.Any) -> dict[str, t.Any] | None:
    return {"Override": True, member: value} if value else None


def _cors(given: Options, problems: Problems) -> dict[str, t.Any]:
    if not given["origins"]:
        problems.add("cors.origins", "is empty", "give the allowed origins, or '*' for all")
    for option in ("origins", "headers", "expose") if given["credentials"] else ():
        if "*" in given[option]:
            problems.add(f"cors.{option}", "browsers do not accept '*' with credentials", "give each value explicitly")
    for at, method in enumerate(given["methods"]):
        if method not in CORS_METHODS:
            right = f"give some of {', '.join(CORS_METHODS)}"
            problems.add(f"cors.methods[{at}]", f"'{method}' is not supported", right)
    if "ALL" in given["methods"] and len(given["methods"]) > 1:
        problems.add("cors.methods", "contains ALL and other methods", "give either ALL or other methods")
    if not 0 <= given["max_age"] <= LONGEST_AGE:
        problems.add("cors.max_age", f"{given['max_age']} seconds are out of range", f"give 0 to {LONGEST_AGE}")
    return {
        "AccessControlAllowOrigins": sorted(given["origins"]),
        "AccessControlAllowHeaders": sorted(given["headers"]),
        "AccessControlAllowMethods": sorted(given["methods"]),
        "AccessControlAllowCredentials": given["credentials"],
        "AccessControlExposeHeaders": sorted(given["expose"]) or None,
        "AccessControlMaxAgeSec": given["max_age"],
        "OriginOverride": given["override"],
    }


def _custom(given: Options, problems: Problems) -> list[dict[str, t.Any]] | None:
    for name in given:
        _check_header(str(name), f"custom.{name}", problems)
    _check_number(given, "custom", problems)
    return [
        {"Header": str(name), "Value": str(value), "Override": True} for name, value in sorted(given.items())
    ] or None


def _removed(given: t.Sequence[str], custom: Options, problems: Problems) -> list[dict[str, t.Any]] | None:
    _check_number(given, "remove", problems)
    set_ = {str(name).lower() for name in custom}
    for at, name in enumerate(given):
        _check_header(name, f"remove[{at}]", problems)
        if name.lower() in set_:
            problems.add(f"remove[{at}]", f"{name} is also set by custom", "remove it from one of the two")
    return [{"Header": name} for name in sorted(set(given))] or None


def _check_header(name: str, where: str, problems: Problems) -> None:
    if not HEADER.fullmatch(name):
        problems.add(where, f"'{name}' is not the name of a header", "give one such as X-Robots-Tag")
