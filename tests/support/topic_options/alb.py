"""The options of `elbv2_application_lb` as Ansible completes them, and parts of them."""

from __future__ import annotations

import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.elbv2_application_lb import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.arguments import COMMON_ARGUMENTS

Make = t.Callable[..., dict[str, t.Any]]

GROUPS = {"public": "public", "private": "private"}
ZONES = ["eu-central-1a", "eu-central-1b"]


def options(**given: t.Any) -> dict[str, t.Any]:
    """Return the module's options as `main()` passes them on, with two load balancers by default."""
    wanted: dict[str, t.Any] = {
        "environment_name": "dev",
        "zones": ZONES,
        "target_groups": [{"name": "public", "tier": "public"}, {"name": "private", "tier": "private"}],
        "load_balancers": [balancer("public"), balancer("private")],
        **given,
    }
    result = ArgumentSpecValidator({**COMMON_ARGUMENTS, **ARGUMENTS}).validate(wanted)
    assert result.error_messages == []
    return dict(result.validated_parameters)


def balancer(name: str, /, **given: t.Any) -> dict[str, t.Any]:
    """Return a load balancer and a target group with this name."""
    action = {"target_groups": [{"name": name}]}
    return {
        "name": name,
        "tier": "public",
        "security_groups": ["web"],
        "listeners": [{"port": 80, "default_action": action}],
        **given,
    }


def rotation(*servers: str, **given: t.Any) -> dict[str, t.Any]:
    """Return the options of `elbv2_target_rotation` for these servers."""
    return {
        "environment_name": "dev",
        "tags": {},
        "servers": list(servers),
        "target_groups": GROUPS,
        "leave": 0,
        "deadline": 3,
        "reason": "",
        "skip_held": False,
        "drain_planned": False,
        "names": {},
        "behind": [],
        **given,
    }
