"""The options of `ec2_vpc_nat` as Ansible hands them over."""

from __future__ import annotations

import typing as t

Make = t.Callable[..., dict[str, t.Any]]

COMMON = {
    "environment_name": "dev",
    "tags": {},
    "region": "eu-central-1",
    "zones": ["eu-central-1a", "eu-central-1b"],
    "tiers": [{"name": "public", "public": True}, {"name": "private", "public": False}],
    "purge": False,
}


def options(**given: t.Any) -> dict[str, t.Any]:
    return {**COMMON, "mode": "single", "tier": None, "addresses": {}, **given}
