# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The argument spec of `ec2_security_groups`, which tools/generate writes from its documentation."""

from __future__ import annotations

import typing as t

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "groups": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "description": {"type": "str"},
            "ingress": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "protocol": {"type": "str", "default": "tcp"},
                    "ports": {"type": "list", "elements": "str"},
                    "icmp_type": {"type": "int"},
                    "icmp_code": {"type": "int"},
                    "cidrs": {"type": "list", "elements": "str"},
                    "cidrs_ipv6": {"type": "list", "elements": "str"},
                    "prefix_lists": {"type": "list", "elements": "str"},
                    "groups": {"type": "list", "elements": "str"},
                    "description": {"type": "str"},
                },
            },
            "egress": {
                "type": "list",
                "elements": "dict",
                "default": [{"protocol": "all", "cidrs": ["0.0.0.0/0"]}],
                "options": {
                    "protocol": {"type": "str", "default": "tcp"},
                    "ports": {"type": "list", "elements": "str"},
                    "icmp_type": {"type": "int"},
                    "icmp_code": {"type": "int"},
                    "cidrs": {"type": "list", "elements": "str"},
                    "cidrs_ipv6": {"type": "list", "elements": "str"},
                    "prefix_lists": {"type": "list", "elements": "str"},
                    "groups": {"type": "list", "elements": "str"},
                    "description": {"type": "str"},
                },
            },
        },
    },
    "purge": {"type": "bool", "default": False},
    "moving": {"type": "bool", "default": False},
    "kept_ports": {"type": "list", "elements": "int", "default": []},
}
