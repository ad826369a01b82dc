# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The argument spec of `elbv2_application_lb`, which tools/generate writes from its documentation."""

from __future__ import annotations

import typing as t

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "zones": {"type": "list", "elements": "str", "default": []},
    "target_groups": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "tier": {"type": "str", "required": True},
            "protocol": {"type": "str", "choices": ["HTTP", "HTTPS"], "default": "HTTP"},
            "port": {"type": "int", "default": 80},
            "health_check": {
                "type": "dict",
                "options": {
                    "path": {"type": "str", "default": "/healthz"},
                    "port": {"type": "str", "default": "traffic-port"},
                    "interval": {"type": "int", "default": 5},
                    "timeout": {"type": "int", "default": 3},
                    "healthy_threshold": {"type": "int", "default": 2},
                    "unhealthy_threshold": {"type": "int", "default": 2},
                    "matcher": {"type": "str", "default": "200"},
                },
            },
            "deregistration_delay": {"type": "int", "default": 30},
            "slow_start": {"type": "int", "default": 0},
            "stickiness": {
                "type": "dict",
                "options": {
                    "enabled": {"type": "bool", "default": True},
                    "type": {"type": "str", "choices": ["lb_cookie", "app_cookie"], "default": "lb_cookie"},
                    "duration": {"type": "int", "default": 86400},
                    "cookie_name": {"type": "str"},
                },
            },
            "algorithm": {
                "type": "str",
                "choices": ["round_robin", "least_outstanding_requests", "weighted_random"],
                "default": "round_robin",
            },
        },
    },
    "load_balancers": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "scheme": {"type": "str", "choices": ["internet-facing", "internal"], "default": "internet-facing"},
            "tier": {"type": "str"},
            "subnets": {"type": "list", "elements": "str"},
            "security_groups": {"type": "list", "elements": "str", "required": True},
            "listeners": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {
                    "port": {"type": "int", "default": 80},
                    "protocol": {"type": "str", "choices": ["HTTP", "HTTPS"], "default": "HTTP"},
                    "certificates": {"type": "list", "elements": "str", "default": []},
                    "tls_policy": {"type": "str", "default": "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"},
                    "hsts": {"type": "int", "default": 0},
                    "default_action": {
                        "type": "dict",
                        "required": True,
                        "options": {
                            "type": {
                                "type": "str",
                                "choices": ["forward", "redirect", "fixed_response"],
                                "default": "forward",
                            },
                            "target_groups": {
                                "type": "list",
                                "elements": "dict",
                                "options": {
                                    "name": {"type": "str", "required": True},
                                    "weight": {"type": "int", "default": 1},
                                },
                            },
                            "stickiness_duration": {"type": "int", "default": 0},
                            "redirect": {
                                "type": "dict",
                                "options": {
                                    "protocol": {"type": "str"},
                                    "host": {"type": "str"},
                                    "port": {"type": "str"},
                                    "path": {"type": "str"},
                                    "query": {"type": "str"},
                                    "status_code": {"type": "int", "choices": [301, 302], "default": 301},
                                },
                            },
                            "fixed_response": {
                                "type": "dict",
                                "options": {
                                    "status_code": {"type": "int", "required": True},
                                    "content_type": {
                                        "type": "str",
                                        "choices": [
                                            "text/plain",
                                            "text/css",
                                            "text/html",
                                            "application/javascript",
                                            "application/json",
                                        ],
                                        "default": "text/plain",
                                    },
                                    "body": {"type": "str"},
                                },
                            },
                        },
                    },
                    "rules": {
                        "type": "list",
                        "elements": "dict",
                        "default": [],
                        "options": {
                            "priority": {"type": "int", "required": True},
                            "conditions": {
                                "type": "list",
                                "elements": "dict",
                                "required": True,
                                "options": {
                                    "field": {
                                        "type": "str",
                                        "choices": [
                                            "host-header",
                                            "http-header",
                                            "http-request-method",
                                            "path-pattern",
                                            "query-string",
                                            "source-ip",
                                        ],
                                        "required": True,
                                    },
                                    "name": {"type": "str"},
                                    "values": {"type": "list", "elements": "str", "required": True},
                                },
                            },
                            "action": {
                                "type": "dict",
                                "required": True,
                                "options": {
                                    "type": {
                                        "type": "str",
                                        "choices": ["forward", "redirect", "fixed_response"],
                                        "default": "forward",
                                    },
                                    "target_groups": {
                                        "type": "list",
                                        "elements": "dict",
                                        "options": {
                                            "name": {"type": "str", "required": True},
                                            "weight": {"type": "int", "default": 1},
                                        },
                                    },
                                    "stickiness_duration": {"type": "int", "default": 0},
                                    "redirect": {
                                        "type": "dict",
                                        "options": {
                                            "protocol": {"type": "str"},
                                            "host": {"type": "str"},
                                            "port": {"type": "str"},
                                            "path": {"type": "str"},
                                            "query": {"type": "str"},
                                            "status_code": {"type": "int", "choices": [301, 302], "default": 301},
                                        },
                                    },
                                    "fixed_response": {
                                        "type": "dict",
                                        "options": {
                                            "status_code": {"type": "int", "required": True},
                                            "content_type": {
                                                "type": "str",
                                                "choices": [
                                                    "text/plain",
                                                    "text/css",
                                                    "text/html",
                                                    "application/javascript",
                                                    "application/json",
                                                ],
                                                "default": "text/plain",
                                            },
                                            "body": {"type": "str"},
                                        },
                                    },
                                },
                            },
                        },
                    },
                },
            },
            "attributes": {
                "type": "dict",
                "options": {
                    "idle_timeout": {"type": "int", "default": 60},
                    "deletion_protection": {"type": "bool", "default": False},
                    "drop_invalid_headers": {"type": "bool", "default": True},
                    "preserve_host_header": {"type": "bool", "default": False},
                    "xff_mode": {"type": "str", "choices": ["append", "preserve", "remove"], "default": "append"},
                    "http2": {"type": "bool", "default": True},
                },
            },
        },
    },
    "planned_servers": {"type": "dict", "default": {}},
    "secrets": {"type": "dict", "default": {}, "no_log": True},
    "rotating": {"type": "bool", "default": False},
    "purge": {"type": "bool", "default": False},
    "wait": {"type": "bool", "default": True},
}
