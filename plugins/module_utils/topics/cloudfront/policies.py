# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of the reusable resources' modules, and the configurations that they mean."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import RESOURCE_NAME, token
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.reusable import Reusable

HEADER = token(128)
LONGEST_TTL = 31536000 * 100
LONGEST_AGE = 2**31 - 1
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html
MOST_NAMES = 10  # headers, cookies and query strings of a cache policy, each; custom and removed headers, each
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

HSTS: dict[str, dict[str, t.Any]] = {
    "max_age": {"type": "int", "default": 31536000},
    "include_subdomains": {"type": "bool", "default": False},
    "preload": {"type": "bool", "default": False},
}
SECURITY: dict[str, dict[str, t.Any]] = {
    "hsts": {"type": "dict", "options": HSTS},
    "content_security_policy": {"type": "str"},
    "content_type_options": {"type": "bool", "default": True},
    "frame_options": {"type": "str", "choices": list(FRAME_OPTIONS)},
    "referrer_policy": {"type": "str", "choices": list(REFERRER_POLICIES)},
    "xss_protection": {"type": "str", "choices": list(XSS)},
}
CORS: dict[str, dict[str, t.Any]] = {
    "origins": {"type": "list", "elements": "str", "required": True},
    "methods": {"type": "list", "elements": "str", "default": ["GET", "HEAD", "OPTIONS"]},
    "headers": {"type": "list", "elements": "str", "default": ["*"]},
    "expose": {"type": "list", "elements": "str", "default": []},
    "credentials": {"type": "bool", "default": False},
    "max_age": {"type": "int", "default": 600},
    "override": {"type": "bool", "default": True},
}
HEADERS_ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "security": {"type": "dict", "options": SECURITY},
    "cors": {"type": "dict", "options": CORS},
    "custom": {"type": "dict"},
    "remove": {"type": "list", "elements": "str"},
}


def check_name(name: str, problems: Problems, variable: str = "name") -> None:
    """With the environment's name before it a CloudFront name has at most 64 characters."""
    if not RESOURCE_NAME.fullmatch(name):
        right = "use at most 32 lower case letters, digits and hyphens, a letter first and no hyphen last"
        problems.add(variable, f"'{name}' is no name", right)


# Origin access control ---------------------------------------------------------------------------------------------


def parse_origin_access_control(options: Options, problems: Problems) -> Reusable:
    """An access control for S3 origins.

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
    """What tells objects apart in the cache, and for how long they stay.

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
        wrong = f"{values[0]}, {values[1]} and {values[2]} seconds do not rise"
        problems.add("min_ttl", wrong, "let min_ttl be the least and max_ttl the most")
    if values[2] == 0 and any(
        [options["gzip"], options["brotli"], *(options[n] != ["none"] for n in ("headers", "cookies", "query_strings"))]
    ):
        right = "turn gzip and brotli off and name no headers, cookies and query strings, or give max_ttl seconds"
        problems.add("max_ttl", "nothing is cached, but something tells cached objects apart", right)


def _chosen(
    kind: str, names: t.Sequence[str], variable: str, problems: Problems, *, words: t.Sequence[str] = ("none", "all")
) -> dict[str, t.Any]:
    """A HeadersConfig, CookiesConfig or QueryStringsConfig: of one word, or of a list of names."""
    member, listed = f"{kind}Behavior", f"{kind}s"
    if len(names) == 1 and names[0] in words:
        return {member: names[0], listed: None}
    if not names or set(names) & {"none", "all"}:
        problems.add(variable, f"{list(names)!r} is no choice", f"give [{']. ['.join(words)}] or a list of names")
    for at, name in enumerate(names):
        if not HEADER.fullmatch(name):
            problems.add(f"{variable}[{at}]", f"'{name}' is no name", "give it without spaces and separators")
        elif kind == "Header" and name.lower() == "accept-encoding":
            right = "leave it out: gzip and brotli say what is stored apart"
            problems.add(f"{variable}[{at}]", "AWS refuses it beside gzip and brotli", right)
    _check_number(names, variable, problems)
    return {member: "whitelist", listed: sorted(set(names))}


def _check_number(names: t.Sized, variable: str, problems: Problems) -> None:
    if len(names) > MOST_NAMES:
        problems.add(variable, f"{len(names)} are too many", f"give at most {MOST_NAMES}")


# Response headers policy -------------------------------------------------------------------------------------------


def parse_response_headers_policy(options: Options, problems: Problems) -> Reusable:
    """The headers that answers get, and lose.

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
        problems.add("security", "the policy has no header", "give security, cors, custom or remove")
    return Reusable(options["name"], config)


def _security(given: Options, problems: Problems) -> dict[str, t.Any] | None:
    frame, referrer = given.get("frame_options"), given.get("referrer_policy")
    if frame and frame not in FRAME_OPTIONS:
        problems.add("security.frame_options", f"'{frame}' is unknown", f"give one of {', '.join(FRAME_OPTIONS)}")
    if referrer and referrer not in REFERRER_POLICIES:
        right = f"give one of {', '.join(REFERRER_POLICIES)}"
        problems.add("security.referrer_policy", f"'{referrer}' is unknown", right)
    xss, hsts = given.get("xss_protection") or "", given.get("hsts") or {}
    if xss and xss not in XSS:
        problems.add("security.xss_protection", f"'{xss}' is unknown", f"give one of {', '.join(XSS)}")
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
    """What browsers' preload lists ask for is told, since AWS does not: https://hstspreload.org/"""
    if not 0 <= hsts["max_age"] <= LONGEST_AGE:
        right = f"give 0 to {LONGEST_AGE}"
        problems.add("security.hsts.max_age", f"{hsts['max_age']} seconds are out of range", right)
    if hsts["preload"] and not (hsts["include_subdomains"] and hsts["max_age"] >= YEAR):
        what = f"browsers do not preload a site without include_subdomains and a max_age of {YEAR} or more"
        problems.warn("security.hsts.preload", what)


def _override(member: str, value: t.Any) -> dict[str, t.Any] | None:
    return {"Override": True, member: value} if value else None


def _cors(given: Options, problems: Problems) -> dict[str, t.Any]:
    if not given["origins"]:
        problems.add("cors.origins", "nobody is let in", "name origins, or give '*' for all")
    for option in ("origins", "headers", "expose") if given["credentials"] else ():
        if "*" in given[option]:
            problems.add(f"cors.{option}", "with credentials browsers take no '*'", "name them one by one")
    for at, method in enumerate(given["methods"]):
        if method not in CORS_METHODS:
            right = f"give some of {', '.join(CORS_METHODS)}"
            problems.add(f"cors.methods[{at}]", f"'{method}' is unknown", right)
    if "ALL" in given["methods"] and len(given["methods"]) > 1:
        problems.add("cors.methods", "ALL has the others in it", "give it alone, or leave it out")
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
            problems.add(f"remove[{at}]", f"{name} is set by custom", "set it or remove it")
    return [{"Header": name} for name in sorted(set(given))] or None


def _check_header(name: str, where: str, problems: Problems) -> None:
    if not HEADER.fullmatch(name):
        problems.add(where, f"'{name}' is no header's name", "give one like X-Robots-Tag")
