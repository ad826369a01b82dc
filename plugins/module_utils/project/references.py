# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the variables of all roles: the rules of each role, and the references between roles."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.groundwork.aws.plugins.module_utils.engine.arguments import parse_owner
from ansible_collections.groundwork.aws.plugins.module_utils.engine.check import Check, Options
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.known import NOTHING_KNOWN
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import REGION
from ansible_collections.groundwork.aws.plugins.module_utils.engine.partitions import check_partition
from ansible_collections.groundwork.aws.plugins.module_utils.project.checks import CHECKS
from ansible_collections.groundwork.aws.plugins.module_utils.project.ordering import in_order


def topics_needed(roles: t.Iterable[str]) -> list[str]:
    """Return the roles, and all roles to which their rules refer, directly or not."""
    needed = set(roles)
    while more := {other for role in needed if role in CHECKS for other in CHECKS[role].refers} - needed:
        needed |= more
    return sorted(needed)


def check_topics(variables: t.Mapping[str, Options], problems: Problems) -> None:
    """Check all roles' variables, by role, in the order in which a user corrects them.

    `variables` are by full name (`network_cidr`) and have values of the right types. A role with a variable of the
    wrong type is not in it, and references to it are not checked. A role is not checked if a basis to which it refers
    has problems (subnets without a network).
    """
    before = len(problems.found)
    _check_environment(variables, problems)
    if len(problems.found) > before:
        return
    known = NOTHING_KNOWN
    unsound: set[str] = set()
    for role, check in in_order({role: (role, check) for role, check in CHECKS.items()}, _before):
        if role not in variables:
            continue
        if any(CHECKS[other].basis for other in unsound.intersection(check.refers)):
            unsound.add(role)
            continue
        before = len(problems.found)
        names = check.run(_options(role, variables[role]), known, problems.scope(f"{problems.prefix}{role}_"))
        if len(problems.found) == before:
            known = replace(known, **names)
        else:
            unsound.add(role)


def _before(named: tuple[str, Check]) -> tuple[str, ...]:
    """Return the roles that are checked before a role."""
    return (*named[1].refers, named[1].after)


def _check_environment(variables: t.Mapping[str, Options], problems: Problems) -> None:
    own = next((given for given in variables.values() if "environment_name" in given), None)
    if own is None:  # the role lamp does not use the environment's own variables
        return
    options = {"environment_name": own["environment_name"], "tags": own.get("environment_tags")}
    parse_owner(options, "site", problems, tags_variable="environment_tags")
    if not REGION.fullmatch(own["aws_region"]):
        problems.add("aws_region", f"'{own['aws_region']}' is not a region", "give a region code, as eu-central-1")
    else:
        check_partition(own["aws_region"], problems)


def _options(role: str, variables: Options) -> dict[str, t.Any]:
    """Return a role's variables as its module's options, without the role's prefix."""
    own = {name.removeprefix(f"{role}_"): value for name, value in variables.items()}
    return {**own, "region": variables.get("aws_region"), "tags": variables.get("environment_tags")}
