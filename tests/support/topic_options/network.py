"""The options of `ec2_vpc_network` as Ansible hands them over."""

from __future__ import annotations

import typing as t

Make = t.Callable[..., dict[str, t.Any]]

DEFAULTS = {
    "environment_name": "dev",
    "tags": {},
    "region": "eu-central-1",
    "cidr": "10.20.0.0/16",
    "zones": ["eu-central-1a", "eu-central-1b"],
    "tiers": [{"name": "public", "public": True}, {"name": "private", "public": False}],
    "subnet_prefix": 24,
    "subnet_cidrs": {},
    "s3_endpoint": False,
    "purge": False,
}


def options(**given: t.Any) -> dict[str, t.Any]:
    return {**DEFAULTS, **given}
