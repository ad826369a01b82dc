"""The options of `efs_file_system` as Ansible hands them over."""

from __future__ import annotations

import typing as t

COMMON = {
    "environment_name": "dev",
    "tags": {},
    "region": "eu-central-1",
    "zones": ["eu-central-1a", "eu-central-1b"],
    "tier": "private",
    "security_groups": ["files"],
    "throughput_mode": "elastic",
    "purge": False,
}


def options(**given: t.Any) -> dict[str, t.Any]:
    return {**COMMON, **given}
