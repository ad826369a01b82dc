"""CloudFront's policies, and the legacy settings of a behavior, in the form that the edge uses. Pure functions.

A selection specifies names of a kind (headers, cookies, query strings): {"mode": "none" | "whitelist" | "allExcept" |
"all", "names": […]}. The names of headers are in lower case.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Config = Mapping[str, Any]
Selection = dict[str, Any]

NONE: Selection = {"mode": "none", "names": []}
ALL: Selection = {"mode": "all", "names": []}
# With legacy settings, the origin gets all headers except these. Some of them are sent in another way:
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/RequestAndResponseBehaviorCustomOrigin.html
WITHHELD = (
    "accept",
    "accept-charset",
    "accept-language",
    "authorization",
    "cookie",
    "host",
    "referer",
    "user-agent",
    "x-forwarded-proto",
    "x-http-method-override",
    "x-real-ip",
)


def items(counted: Config | None) -> list[Any]:
    """Return the items of CloudFront's {Quantity, Items} lists. `Items` may be missing."""
    return list((counted or {}).get("Items") or ())


def cached_by(policy: Config) -> dict[str, Any]:
    """Return what a cache policy includes in the cache key."""
    key = policy["ParametersInCacheKeyAndForwardedToOrigin"]
    return {
        "headers": _headers(key["HeadersConfig"]),
        "cookies": _chosen(key["CookiesConfig"], "Cookie"),
        "queries": _chosen(key["QueryStringsConfig"], "QueryString"),
        "gzip": bool(key["EnableAcceptEncodingGzip"]),
        "brotli": bool(key.get("EnableAcceptEncodingBrotli")),
    }


def sent_by(policy: Config | None) -> dict[str, Selection]:
    """Return what an origin request policy sends to the origin in addition to the cache key."""
    if policy is None:
        return {"headers": NONE, "cookies": NONE, "queries": NONE}
    return {
        "headers": _headers(policy["HeadersConfig"]),
        "cookies": _chosen(policy["CookiesConfig"], "Cookie"),
        "queries": _chosen(policy["QueryStringsConfig"], "QueryString"),
    }


def times(policy: Config) -> dict[str, int]:
    """Return the minimum, default and maximum TTL, with AWS' defaults for missing values."""
    least = int(policy.get("MinTTL") or 0)
    default = _given(policy, "DefaultTTL", max(86400, least))
    return {"min": least, "default": default, "max": _given(policy, "MaxTTL", max(31536000, default))}


def legacy_cached_by(forwarded: Config) -> dict[str, Any]:
    """Return what ForwardedValues include in the cache key. Brotli requires a cache policy."""
    names = items(forwarded.get("QueryStringCacheKeys"))
    queries = _listed(names) if names else ALL
    headers = [name.lower() for name in items(forwarded.get("Headers"))]
    return {
        "headers": NONE if "*" in headers else _listed(headers),
        "cookies": _legacy_cookies(forwarded["Cookies"]),
        "queries": queries if forwarded["QueryString"] else NONE,
        "gzip": True,
        "brotli": False,
    }


def legacy_sent_by(forwarded: Config) -> dict[str, Selection]:
    """Return what ForwardedValues send to the origin."""
    every = "*" in items(forwarded.get("Headers"))
    return {
        "headers": ALL if every else {"mode": "allExcept", "names": list(WITHHELD)},
        "cookies": NONE,
        "queries": ALL if forwarded["QueryString"] else NONE,
    }


def added_by(policy: Config | None) -> dict[str, Any]:
    """Return what a response headers policy changes: names to remove, [name, value, override], CORS, Server-Timing.

    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/understanding-response-headers-policies.html
    """
    whole = policy or {}
    custom = items(whole.get("CustomHeadersConfig"))
    timing = whole.get("ServerTimingHeadersConfig") or {}
    return {
        "remove": [each["Header"] for each in items(whole.get("RemoveHeadersConfig"))],
        "set": [
            *_security(whole.get("SecurityHeadersConfig") or {}),
            *([each["Header"], each["Value"], each["Override"]] for each in custom),
        ],
        "cors": _cors(whole.get("CorsConfig")),
        "timing": float(timing.get("SamplingRate") or 0) if timing.get("Enabled") else None,
    }


def _given(policy: Config, name: str, otherwise: int) -> int:
    value = policy.get(name)
    return otherwise if value is None else int(value)


def _listed(names: Iterable[str]) -> Selection:
    wanted = list(names)
    return {"mode": "whitelist", "names": wanted} if wanted else NONE


def _chosen(config: Config, kind: str) -> Selection:
    return {"mode": config[f"{kind}Behavior"], "names": items(config.get(f"{kind}s"))}


def _headers(config: Config) -> Selection:
    """Return the selection of headers. `allViewer` is `all`, with the names of headers that CloudFront adds, if any."""
    mode = config["HeaderBehavior"]
    names = [name.lower() for name in items(config.get("Headers"))]
    return {"mode": "all" if mode.startswith("allViewer") else mode, "names": names}


def _legacy_cookies(cookies: Config) -> Selection:
    if cookies["Forward"] == "whitelist":
        return _listed(items(cookies.get("WhitelistedNames")))
    return ALL if cookies["Forward"] == "all" else NONE


def _security(config: Config) -> list[list[Any]]:
    headers = (
        ("XSSProtection", "X-XSS-Protection", _xss),
        ("FrameOptions", "X-Frame-Options", lambda it: it["FrameOption"]),
        ("ReferrerPolicy", "Referrer-Policy", lambda it: it["ReferrerPolicy"]),
        ("ContentSecurityPolicy", "Content-Security-Policy", lambda it: it["ContentSecurityPolicy"]),
        ("ContentTypeOptions", "X-Content-Type-Options", lambda _it: "nosniff"),
        ("StrictTransportSecurity", "Strict-Transport-Security", _transport),
    )
    return [
        [header, value(config[name]), config[name]["Override"]] for name, header, value in headers if name in config
    ]


def _xss(config: Config) -> str:
    if not config["Protection"]:
        return "0"
    report = f"; report={config['ReportUri']}" if config.get("ReportUri") else ""
    return f"1{'; mode=block' if config.get('ModeBlock') else ''}{report}"


def _transport(config: Config) -> str:
    words = [f"max-age={config['AccessControlMaxAgeSec']}"]
    words += ["includeSubDomains"] if config.get("IncludeSubdomains") else []
    words += ["preload"] if config.get("Preload") else []
    return "; ".join(words)


def _cors(config: Config | None) -> dict[str, Any] | None:
    if config is None:
        return None
    methods = items(config["AccessControlAllowMethods"])
    every = ["GET", "DELETE", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]
    return {
        "origins": items(config["AccessControlAllowOrigins"]),
        "headers": ", ".join(items(config["AccessControlAllowHeaders"])),
        "methods": ", ".join(every if "ALL" in methods else methods),
        "exposed": ", ".join(items(config.get("AccessControlExposeHeaders"))),
        "credentials": bool(config["AccessControlAllowCredentials"]),
        "age": config.get("AccessControlMaxAgeSec"),
        "override": bool(config["OriginOverride"]),
    }
