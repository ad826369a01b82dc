# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The argument spec of `rds_database_instance`, which tools/generate writes from its documentation."""

from __future__ import annotations

import typing as t

ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "zones": {"type": "list", "elements": "str", "required": True},
    "tier": {"type": "str", "default": "private"},
    "security_groups": {"type": "list", "elements": "str", "required": True},
    "instance_class": {"type": "str", "default": "db.t4g.small"},
    "engine_version": {"type": "str", "default": "11.4"},
    "storage_gib": {"type": "int", "default": 20},
    "max_storage_gib": {"type": "int", "default": 100},
    "multi_az": {"type": "bool", "default": False},
    "backup_retention_days": {"type": "int", "default": 7},
    "backup_window": {"type": "str", "default": "02:00-03:00"},
    "maintenance_window": {"type": "str", "default": "sun:03:30-sun:04:30"},
    "deletion_protection": {"type": "bool", "default": True},
    "parameters": {"type": "dict", "default": {}},
    "kms_key_id": {"type": "str", "no_log": False},
    "apply_immediately": {"type": "bool", "default": False},
    "password": {"type": "str", "required": True, "no_log": False},
    "password_version": {"type": "int", "default": 0, "no_log": False},
    "secrets": {"type": "dict", "default": {}, "no_log": True},
    "restore_from": {"type": "str"},
    "deadline": {"type": "int", "default": 3600},
}
