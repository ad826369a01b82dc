"""The options of the modules of what a distribution refers to, as Ansible hands them over."""

from __future__ import annotations

import typing as t

Make = t.Callable[..., dict[str, t.Any]]

COMMON = {"environment_name": "dev", "tags": {}, "region": "eu-central-1", "name": "site"}
CODE = "function handler(event) {\n    return event.request;\n}\n"
SECURITY = {
    "hsts": {"max_age": 31536000, "include_subdomains": True, "preload": False},
    "content_security_policy": "default-src 'self'",
    "content_type_options": True,
    "frame_options": "DENY",
    "referrer_policy": "same-origin",
}
OF_KIND: dict[str, dict[str, t.Any]] = {
    "origin_access_control": {"signing": "always"},
    "cache_policy": {
        "min_ttl": 1,
        "default_ttl": 60,
        "max_ttl": 3600,
        "gzip": True,
        "brotli": True,
        "headers": ["none"],
        "cookies": ["none"],
        "query_strings": ["v"],
    },
    "response_headers_policy": {
        "security": SECURITY,
        "cors": None,
        "custom": {"X-Robots-Tag": "noindex"},
        "remove": ["Server"],
    },
    "function": {"runtime": "cloudfront-js-2.0", "code": CODE},
}


def options(kind: str, **given: t.Any) -> dict[str, t.Any]:
    """Return the options of the module of a kind."""
    return {**COMMON, **OF_KIND[kind], **given}
