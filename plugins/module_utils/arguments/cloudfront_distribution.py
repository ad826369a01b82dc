# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The argument spec of `cloudfront_distribution`, which tools/generate writes from its documentation."""

from __future__ import annotations

import typing as t

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "name": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "component": {"type": "str", "default": "static_site"},
    "origins": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "bucket": {"type": "str"},
            "domain": {"type": "str"},
            "path": {"type": "str"},
            "origin_access_control": {"type": "str"},
            "protocol": {
                "type": "str",
                "choices": ["http-only", "https-only", "match-viewer"],
                "default": "https-only",
            },
            "http_port": {"type": "int", "default": 80},
            "https_port": {"type": "int", "default": 443},
            "headers": {"type": "dict"},
        },
    },
    "secrets": {"type": "dict", "default": {}, "no_log": True},
    "behavior": {
        "type": "dict",
        "default": {},
        "options": {
            "origin": {"type": "str"},
            "viewer_protocol": {
                "type": "str",
                "choices": ["redirect-to-https", "https-only", "allow-all"],
                "default": "redirect-to-https",
            },
            "methods": {"type": "str", "choices": ["read", "read-options", "all"], "default": "read"},
            "compress": {"type": "bool", "default": True},
            "cache_policy": {"type": "str", "default": "CachingOptimized"},
            "origin_request_policy": {"type": "str"},
            "response_headers_policy": {"type": "str"},
            "functions": {"type": "dict"},
        },
    },
    "behaviors": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "origin": {"type": "str"},
            "viewer_protocol": {
                "type": "str",
                "choices": ["redirect-to-https", "https-only", "allow-all"],
                "default": "redirect-to-https",
            },
            "methods": {"type": "str", "choices": ["read", "read-options", "all"], "default": "read"},
            "compress": {"type": "bool", "default": True},
            "cache_policy": {"type": "str", "default": "CachingOptimized"},
            "origin_request_policy": {"type": "str"},
            "response_headers_policy": {"type": "str"},
            "functions": {"type": "dict"},
            "path": {"type": "str", "required": True},
        },
    },
    "error_pages": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "code": {"type": "int", "required": True},
            "page": {"type": "str"},
            "response_code": {"type": "int"},
            "ttl": {"type": "int", "default": 10},
        },
    },
    "content": {"type": "dict", "default": {}},
    "default_root_object": {"type": "str", "default": ""},
    "aliases": {"type": "list", "elements": "str", "default": []},
    "certificate_arn": {"type": "str", "default": ""},
    "minimum_tls": {
        "type": "str",
        "choices": ["TLSv1.2_2019", "TLSv1.2_2021", "TLSv1.2_2025", "TLSv1.3_2025"],
        "default": "TLSv1.2_2021",
    },
    "web_acl_arn": {"type": "str"},
    "log_bucket": {"type": "str", "default": ""},
    "log_prefix": {"type": "str", "default": ""},
    "price_class": {
        "type": "str",
        "choices": ["PriceClass_100", "PriceClass_200", "PriceClass_All"],
        "default": "PriceClass_100",
    },
    "http_version": {"type": "str", "choices": ["http1.1", "http2", "http3", "http2and3"], "default": "http2and3"},
    "ipv6": {"type": "bool", "default": True},
    "enabled": {"type": "bool", "default": True},
    "comment": {"type": "str", "default": ""},
    "wait": {"type": "bool", "default": True},
    "deadline": {"type": "int", "default": 900},
}
