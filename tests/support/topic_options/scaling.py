"""The options of `autoscaling_server_groups` as Ansible completes them."""

from __future__ import annotations

import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.autoscaling_server_groups import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.arguments import COMMON_ARGUMENTS

Make = t.Callable[..., dict[str, t.Any]]

ZONES = ["eu-central-1a", "eu-central-1b"]


def options(public: dict[str, t.Any] | None = None, **given: t.Any) -> dict[str, t.Any]:
    """The module's options as `main()` hands them over: a group of two servers unless told otherwise."""
    group = {"min": 2, "max": 4, **((public or {}).pop("group", {}) if public else {})}
    tiers = {"public": {"group": group, "instance_type": "t3.small", **(public or {})}}
    return valid(ARGUMENTS, {"environment_name": "dev", "zones": ZONES, "tiers": tiers, **given})


def valid(spec: t.Mapping[str, t.Any], given: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    result = ArgumentSpecValidator({**COMMON_ARGUMENTS, **spec}).validate(given)
    assert result.error_messages == []
    return dict(result.validated_parameters)
