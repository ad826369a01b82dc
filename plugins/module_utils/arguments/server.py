# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The argument spec of `server`, which tools/generate writes from its documentation."""

from __future__ import annotations

import typing as t

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "name": {"type": "str", "default": ""},
    "planned": {"type": "bool", "default": False},
    "notes": {"type": "list", "elements": "str", "default": []},
    "configuration": {
        "type": "dict",
        "options": {
            "name": {"type": "str", "default": "groundwork"},
            "packages": {"type": "list", "elements": "str", "default": []},
            "accounts": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "name": {"type": "str", "required": True},
                    "home": {"type": "path", "required": True},
                    "members": {"type": "list", "elements": "str", "default": []},
                    "uid": {"type": "int"},
                    "require_uid": {"type": "bool", "default": False},
                    "reload": {"type": "list", "elements": "str", "default": []},
                },
            },
            "files": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "path": {"type": "path", "required": True},
                    "state": {"type": "str", "choices": ["file", "link", "directory", "absent"], "default": "file"},
                    "content": {"type": "str"},
                    "target": {"type": "str"},
                    "owner": {"type": "str", "default": "root"},
                    "group": {"type": "str", "default": "root"},
                    "mode": {"type": "str"},
                    "reload": {"type": "list", "elements": "str", "default": []},
                    "restart": {"type": "list", "elements": "str", "default": []},
                },
            },
            "purge": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "pattern": {"type": "path", "required": True},
                    "reload": {"type": "list", "elements": "str", "default": []},
                    "restart": {"type": "list", "elements": "str", "default": []},
                },
            },
            "includes": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "pattern": {"type": "path", "required": True},
                    "keep": {"type": "list", "elements": "str", "default": []},
                    "reload": {"type": "list", "elements": "str", "default": []},
                    "restart": {"type": "list", "elements": "str", "default": []},
                },
            },
            "validators": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "argv": {"type": "list", "elements": "str", "required": True},
                    "services": {"type": "list", "elements": "str", "required": True},
                    "refuse": {"type": "str"},
                },
            },
            "services": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "name": {"type": "str", "required": True},
                    "state": {"type": "str", "choices": ["started", "stopped", "unchanged"], "default": "started"},
                    "enabled": {"type": "bool", "default": True},
                    "check": {"type": "list", "elements": "str", "default": []},
                },
            },
            "purge_services": {"type": "list", "elements": "str", "default": []},
        },
    },
    "databases": {
        "type": "dict",
        "options": {
            "socket": {"type": "path", "default": "/run/mysqld/mysqld.sock"},
            "server": {
                "type": "dict",
                "options": {
                    "host": {"type": "str", "required": True},
                    "port": {"type": "int", "default": 3306},
                    "user": {"type": "str", "required": True},
                    "password": {"type": "str", "required": True, "no_log": True},
                    "authorities": {"type": "path", "required": True},
                },
            },
            "databases": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "name": {"type": "str", "required": True},
                    "character_set": {"type": "str", "default": "utf8mb4"},
                    "collation": {"type": "str", "default": "utf8mb4_unicode_ci"},
                },
            },
            "users": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "name": {"type": "str", "required": True},
                    "hosts": {"type": "list", "elements": "str", "default": ["localhost"]},
                    "password": {"type": "str", "required": True, "no_log": True},
                    "databases": {"type": "list", "elements": "str", "default": []},
                },
            },
        },
    },
    "releases": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {
            "name": {"type": "str", "required": True},
            "path": {"type": "path", "required": True},
            "id": {"type": "str", "required": True},
            "archive": {"type": "path"},
            "mend": {"type": "bool", "default": True},
            "owner": {"type": "str", "default": "root"},
            "group": {"type": "str", "default": "root"},
            "private_group": {"type": "str"},
            "keep": {"type": "int", "default": 3},
            "reload": {"type": "list", "elements": "str", "default": []},
            "workers": {"type": "list", "elements": "str", "default": []},
            "jobs": {"type": "list", "elements": "str", "default": []},
            "pages": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "path": {"type": "str", "default": "/"},
                    "matcher": {"type": "str", "default": "200-399"},
                    "timeout": {"type": "int", "default": 10},
                    "host": {"type": "str", "default": "127.0.0.1"},
                    "names": {"type": "list", "elements": "str", "default": []},
                    "any_name": {"type": "bool", "default": False},
                },
            },
            "logs": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {"path": {"type": "path", "required": True}, "containing": {"type": "str", "default": ""}},
            },
            "hide": {"type": "list", "elements": "path", "default": []},
            "folders": {
                "type": "dict",
                "options": {
                    "shared": {"type": "list", "elements": "str", "default": []},
                    "shared_files": {"type": "list", "elements": "str", "default": []},
                    "writable": {"type": "list", "elements": "str", "default": []},
                    "account": {"type": "str"},
                    "web_root": {"type": "str", "default": ""},
                    "configured": {"type": "path"},
                    "files": {"type": "path"},
                },
            },
            "command": {
                "type": "dict",
                "options": {
                    "environment": {"type": "str", "required": True},
                    "unit": {"type": "str", "required": True},
                    "lines": {"type": "list", "elements": "str", "required": True},
                    "timeout": {"type": "int", "default": 600},
                    "ready": {"type": "list", "elements": "str", "default": []},
                },
            },
        },
    },
    "run": {"type": "str", "default": ""},
    "secrets": {"type": "dict", "default": {}, "no_log": True},
    "require_pages": {"type": "bool", "default": True},
}
