"""The options of `ec2_security_groups` as Ansible hands them over, and parts of them."""

from __future__ import annotations

import typing as t

Make = t.Callable[..., dict[str, t.Any]]

PEERS = dict.fromkeys(("cidrs", "cidrs_ipv6", "groups", "prefix_lists"))
RULE = {"protocol": "tcp", **dict.fromkeys(("ports", "icmp_type", "icmp_code", "description")), **PEERS}
OPEN = {**RULE, "protocol": "all", "cidrs": ["0.0.0.0/0"]}


def rule(**given: t.Any) -> dict[str, t.Any]:
    return {**RULE, **given}


def group(name: str, **given: t.Any) -> dict[str, t.Any]:
    return {"name": name, "description": None, "ingress": [], "egress": [OPEN], **given}


def options(*groups: dict[str, t.Any], **given: t.Any) -> dict[str, t.Any]:
    return {"environment_name": "dev", "tags": {}, "groups": list(groups), "purge": False, **given}
