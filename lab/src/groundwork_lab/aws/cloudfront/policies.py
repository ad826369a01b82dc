"""The checks and default values of policies and origin access controls. Pure functions.

https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CachePolicyConfig.html,
https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_OriginRequestPolicyConfig.html,
https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ResponseHeadersPolicyConfig.html and
https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_OriginAccessControlConfig.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NoReturn

from groundwork_lab.aws.context import refuse

DAY, YEAR = 86400, 31536000
NAMES_LIMIT = 10  # for each of the headers, cookies and query strings of a policy
CUSTOM_HEADERS_LIMIT = 10
Config = Mapping[str, Any]
_LISTS = (  # the structure, its behavior member, its names member, and the error code when there are too many names
    ("HeadersConfig", "HeaderBehavior", "Headers", "TooManyHeadersIn"),
    ("CookiesConfig", "CookieBehavior", "Cookies", "TooManyCookiesIn"),
    ("QueryStringsConfig", "QueryStringBehavior", "QueryStrings", "TooManyQueryStringsIn"),
)
_NAMED = ("whitelist", "allExcept", "allViewerAndWhitelistCloudFront")  # the behaviors that require names


def origin_access_control(config: Config) -> dict[str, Any]:
    _check_text("Name", config["Name"], 64)
    _check_text("Description", config.get("Description") or "", 256)
    if config["OriginAccessControlOriginType"] != "s3":
        refuse("UnsupportedOperation", "The lab's distributions have S3 origins only.")
    if config["SigningProtocol"] != "sigv4":
        _invalid("SigningProtocol")
    if config["SigningBehavior"] not in ("always", "never", "no-override"):
        _invalid("SigningBehavior")
    return {"Description": "", **config}


def cache_policy(config: Config) -> dict[str, Any]:
    """Check a cache policy and add the default TTLs: a day and a year, or the next shorter TTL if that is longer."""
    _check_names(config)
    least = int(config["MinTTL"])
    default = int(config.get("DefaultTTL", max(DAY, least)))
    longest = int(config.get("MaxTTL", max(YEAR, default)))
    if not 0 <= least <= default <= longest:
        refuse("InvalidTTLOrder", "The order of the TTLs must be MinTTL <= DefaultTTL <= MaxTTL.")
    key = config.get("ParametersInCacheKeyAndForwardedToOrigin")
    if key is None:
        refuse("InvalidArgument", "The parameter ParametersInCacheKeyAndForwardedToOrigin is required.")
    key = {"EnableAcceptEncodingBrotli": False, **key}
    _check_lists(key, "CachePolicy")
    if longest == 0:
        _check_disabled(key)
    named = [each.lower() for each in (key["HeadersConfig"].get("Headers") or {}).get("Items", ())]
    if "accept-encoding" in named and (key["EnableAcceptEncodingGzip"] or key["EnableAcceptEncodingBrotli"]):
        _invalid("Headers")
    return {
        "Comment": "",
        **config,
        "MinTTL": least,
        "DefaultTTL": default,
        "MaxTTL": longest,
        "ParametersInCacheKeyAndForwardedToOrigin": key,
    }


def origin_request_policy(config: Config) -> dict[str, Any]:
    _check_names(config)
    _check_lists(config, "OriginRequestPolicy")
    named = [each.lower() for each in (config["HeadersConfig"].get("Headers") or {}).get("Items", ())]
    if {"authorization", "accept-encoding"} & set(named) and config["HeadersConfig"]["HeaderBehavior"] != "allExcept":
        _invalid("Headers")  # these two belong in a cache policy
    return {"Comment": "", **config}


def response_headers_policy(config: Config) -> dict[str, Any]:
    _check_names(config)
    custom = (config.get("CustomHeadersConfig") or {}).get("Items") or []
    removed = (config.get("RemoveHeadersConfig") or {}).get("Items") or []
    if len(custom) > CUSTOM_HEADERS_LIMIT:
        refuse("TooManyCustomHeadersInResponseHeadersPolicy", f"A policy has {CUSTOM_HEADERS_LIMIT} headers at most.")
    if len(removed) > CUSTOM_HEADERS_LIMIT:
        refuse("TooManyRemoveHeadersInResponseHeadersPolicy", f"A policy removes {CUSTOM_HEADERS_LIMIT} at most.")
    names = [each["Header"].lower() for each in (*custom, *removed)]
    if len(set(names)) < len(names) or not all(re.fullmatch(r"[!#$%&'*+\-.^_`|~0-9a-z]+", name) for name in names):
        _invalid("Header")
    _check_cors(config.get("CorsConfig"))
    parts = ("CorsConfig", "SecurityHeadersConfig", "ServerTimingHeadersConfig")
    if not (custom or removed or any(config.get(part) for part in parts)):
        refuse("InvalidArgument", "The policy must have at least one header.")
    if "ServerTimingHeadersConfig" in config:
        rate = config["ServerTimingHeadersConfig"].get("SamplingRate")
        if rate is not None and not 0 <= float(rate) <= 100:
            _invalid("SamplingRate")
    return {"Comment": "", **config}


def _check_cors(config: Config | None) -> None:
    """Check the CORS members. Browsers do not accept `*` with credentials, and neither does AWS."""
    if not config:
        return
    members = ("AccessControlAllowOrigins", "AccessControlAllowHeaders", "AccessControlExposeHeaders")
    for member in members if config["AccessControlAllowCredentials"] else ():
        if "*" in ((config.get(member) or {}).get("Items") or ()):
            _invalid(member)
    methods = config["AccessControlAllowMethods"]["Items"]
    if "ALL" in methods and len(methods) > 1:
        _invalid("AccessControlAllowMethods")


def _check_names(config: Config) -> None:
    _check_text("Name", config["Name"], 128)
    if not re.fullmatch(r"[A-Za-z0-9_-]+", config["Name"]):
        _invalid("Name")
    _check_text("Comment", config.get("Comment") or "", 128)


def _check_text(name: str, value: str, longest: int) -> None:
    if len(value) > longest or (name == "Name" and not value):
        refuse("InvalidArgument", f"The parameter {name} must have 1 to {longest} characters.")


def _check_lists(config: Config, kind: str) -> None:
    for part, word, names, too_many in _LISTS:
        chosen = config[part]
        given = (chosen.get(names) or {}).get("Items") or []
        if bool(given) != (chosen[word] in _NAMED):
            _invalid(names)
        if len(given) > NAMES_LIMIT:
            refuse(f"{too_many}{kind}", f"The policy has more than {NAMES_LIMIT} {names}.")
        if len(set(given)) < len(given):
            _invalid(names)


def _check_disabled(key: Config) -> None:
    """Check that a policy with caching disabled has no cache key and no compression."""
    for part, word, _, _ in _LISTS:
        if key[part][word] != "none":
            refuse("InvalidArgument", f"The parameter {word} is invalid for policy with caching disabled.")
    for name in ("EnableAcceptEncodingGzip", "EnableAcceptEncodingBrotli"):
        if key[name]:
            refuse("InvalidArgument", f"The parameter {name} is invalid for policy with caching disabled.")


def _invalid(name: str) -> NoReturn:
    refuse("InvalidArgument", f"The parameter {name} is not valid.")
