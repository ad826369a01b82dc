# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options that all modules have."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import ENVIRONMENT_NAME
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner

COMMON_ARGUMENTS: dict[str, dict[str, t.Any]] = {
    "environment_name": {"type": "str", "required": True},
    "tags": {"type": "dict", "default": {}},
}

# 16 characters leave 15 for the name in `<environment>-<name>`: a load balancer's name has at most 32.
# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html
ENVIRONMENT_LENGTH = 16
# AWS refuses load balancer names that begin with `internal-`, and security group names that begin with `sg-`.
RESERVED_ENVIRONMENTS = frozenset({"internal", "sg"})

# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions
MAX_TAGS = 40  # of 50: the others are for the collection's own tags and for tags that are set by hand
MAX_TAG_KEY = 128
MAX_TAG_VALUE = 256
RESERVED_TAG_PREFIXES = ("aws:", "groundwork:")


def parse_owner(
    options: t.Mapping[str, t.Any], component: str, problems: Problems, *, tags_variable: str = "tags"
) -> Owner:
    """Return the owner of the resources. Add to `problems` what is wrong with `environment_name` and `tags`."""
    environment = str(options["environment_name"])
    _check_environment(environment, problems)
    extra = _parse_tags(options.get("tags") or {}, problems, tags_variable)
    return Owner(environment, component, extra, str(options.get("region") or ""))


def _check_environment(name: str, problems: Problems) -> None:
    if not ENVIRONMENT_NAME.fullmatch(name):
        problems.add(
            "environment_name",
            f"'{name}' is not a valid environment name",
            "use lower case letters, digits and hyphens, beginning with a letter and not ending with a hyphen",
        )
    if len(name) > ENVIRONMENT_LENGTH:
        problems.add(
            "environment_name",
            f"'{name}' has {len(name)} characters",
            f"use at most {ENVIRONMENT_LENGTH}, because AWS limits the length of names that begin with it",
        )
    if name in RESERVED_ENVIRONMENTS:
        problems.add("environment_name", f"AWS reserves names that begin with '{name}-'", "use another name")


def _parse_tags(tags: t.Mapping[str, t.Any], problems: Problems, variable: str) -> dict[str, str]:
    if len(tags) > MAX_TAGS:
        problems.add(variable, f"{len(tags)} tags are too many", f"use at most {MAX_TAGS}")
    for key, value in tags.items():
        _check_tag(str(key), value, problems, variable)
    return {str(key): str(value) for key, value in tags.items()}


def _check_tag(key: str, value: t.Any, problems: Problems, variable: str) -> None:
    where = f"{variable}.{key}"
    if key.lower().startswith(RESERVED_TAG_PREFIXES) or key == "Name":
        problems.add(where, f"the tag '{key}' is reserved", "use another key")
    if not 1 <= len(key) <= MAX_TAG_KEY:
        problems.add(where, f"the key has {len(key)} characters", f"use 1 to {MAX_TAG_KEY}")
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        problems.add(where, f"{value!r} is not text", "put the value in quotes")
    elif len(str(value)) > MAX_TAG_VALUE:
        problems.add(where, f"the value has {len(str(value))} characters", f"use at most {MAX_TAG_VALUE}")
