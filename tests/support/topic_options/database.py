"""The options of `rds_database_instance` as Ansible hands them over."""

from __future__ import annotations

import typing as t

PARAMETER = "/groundwork/dev/database/master-password"
PASSWORD = "Correct0Horse1Battery2Staple3x"

COMMON: dict[str, t.Any] = {
    "environment_name": "dev",
    "tags": {},
    "region": "eu-central-1",
    "zones": ["eu-central-1a", "eu-central-1b"],
    "tier": "private",
    "security_groups": ["database"],
    "instance_class": "db.t4g.small",
    "engine_version": "10.11",  # that of the lab
    "storage_gib": 20,
    "max_storage_gib": 100,
    "multi_az": False,
    "backup_retention_days": 7,
    "backup_window": "02:00-03:00",
    "maintenance_window": "sun:03:30-sun:04:30",
    "deletion_protection": False,
    "parameters": {},
    "kms_key_id": None,
    "apply_immediately": False,
    "password": f"@groundwork(parameter:{PARAMETER})@",
    "password_version": 1,
    "secrets": {PARAMETER: PASSWORD},
    "deadline": 3600,
}


def options(**given: t.Any) -> dict[str, t.Any]:
    return {**COMMON, **given}
