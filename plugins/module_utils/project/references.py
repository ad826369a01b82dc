# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the variables of all roles: each topic's own rules, and the references between topics."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.addressing import parse_cidr
from ansible_collections.groundwork.aws.plugins.module_utils.engine.arguments import parse_owner
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems, check_range
from ansible_collections.groundwork.aws.plugins.module_utils.engine.known import Known
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import REGION
from ansible_collections.groundwork.aws.plugins.module_utils.project.lamp.options import parse_lamp
from ansible_collections.groundwork.aws.plugins.module_utils.project.static_site import parse_static_site
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.options import parse_teardown
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.options import parse_load_balancers
from ansible_collections.groundwork.aws.plugins.module_utils.topics.firewall.options import parse_security_groups
from ansible_collections.groundwork.aws.plugins.module_utils.topics.image.options import parse_golden
from ansible_collections.groundwork.aws.plugins.module_utils.topics.nat.options import parse_nat
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.options import parse_network
from ansible_collections.groundwork.aws.plugins.module_utils.topics.rollout.planning import parse_release
from ansible_collections.groundwork.aws.plugins.module_utils.topics.scaling.options import (
    parse_server_groups,
    split_tiers,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.server_roles.run import parse_server_roles
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.options import (
    parse_servers,
    server_name,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.replacement import check_probing, parse_wish

Options = t.Mapping[str, t.Any]
# https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html


class Sound(t.NamedTuple):
    """A topic without problems: its options and their parsed values. Other topics refer to it."""

    options: Options
    desired: t.Any = None


Topics = t.Mapping[str, Sound]


@dataclass(frozen=True)
class Check:
    """The rules of one topic. `refers` are the topics that define the names in its options."""

    run: t.Callable[[Options, Topics, Problems], t.Any]
    refers: tuple[str, ...] = ()


def topics_needed(roles: t.Iterable[str]) -> list[str]:
    """Return the roles, and all roles to which their rules refer, directly or not."""
    needed = set(roles)
    while more := {other for role in needed if role in CHECKS for other in CHECKS[role].refers} - needed:
        needed |= more
    return sorted(needed)


def check_topics(variables: t.Mapping[str, Options], problems: Problems) -> None:
    """Check all roles' variables, by role.

    `variables` are by full name (`network_cidr`) and have values of the right types. A role with a variable of the
    wrong type is not in it, and references to it are not checked. A topic is not checked if a topic that it depends on
    has problems (subnets without a network).
    """
    before = len(problems.found)
    _check_environment(variables, problems)
    if len(problems.found) > before:
        return
    sound: dict[str, Sound] = {}
    for role, check in CHECKS.items():
        groundless = "network" in check.refers and "network" in variables and "network" not in sound
        if role in variables and not groundless:
            own, before = _options(role, variables[role]), len(problems.found)
            desired = check.run(own, sound, problems.scope(f"{problems.prefix}{role}_"))
            if len(problems.found) == before:
                sound[role] = Sound(own, desired)


def names_known(topics: Topics) -> Known:
    """Return the names that the topics define, or None for a topic without options."""
    network, firewall = topics.get("network"), topics.get("firewall")
    subnets = network.desired.subnets if network else ()
    return Known(
        tiers=list(dict.fromkeys(subnet.tier for subnet in subnets)) if network else None,
        subnets=[subnet.name for subnet in subnets] if network else None,
        security_groups=[group.name for group in firewall.desired.groups] if firewall else None,
    )


def servers_known(topics: Topics, tier: str) -> list[str] | None:
    """Return the names of a tier's servers, or None if no servers are declared."""
    if "servers" not in topics:
        return None
    return [server_name(own.name, number) for own, number in topics["servers"].desired.wanted() if own.name == tier]


def groups_known(topics: Topics) -> dict[str, Options]:
    """Return the tiers that are Auto Scaling groups, with their options."""
    return split_tiers(topics["servers"].options["tiers"], Problems())[1] if "servers" in topics else {}


def booting(topics: Topics) -> list[str]:
    """Return the Auto Scaling groups whose servers configure themselves."""
    return [name for name, tier in groups_known(topics).items() if "user_data" not in tier]


def _check_environment(variables: t.Mapping[str, Options], problems: Problems) -> None:
    own = next((given for given in variables.values() if "environment_name" in given), None)
    if own is None:  # the role lamp does not use the environment's own variables
        return
    options = {"environment_name": own["environment_name"], "tags": own.get("environment_tags")}
    parse_owner(options, "site", problems, tags_variable="environment_tags")
    if not REGION.fullmatch(own["aws_region"]):
        problems.add("aws_region", f"'{own['aws_region']}' is not a region", "give a region code, as eu-central-1")


def _options(role: str, variables: Options) -> dict[str, t.Any]:
    """Return a role's variables as its module's options, without the role's prefix."""
    own = {name.removeprefix(f"{role}_"): value for name, value in variables.items()}
    return {**own, "region": variables.get("aws_region"), "tags": variables.get("environment_tags")}


def _check_network(own: Options, _topics: Topics, problems: Problems) -> t.Any:
    return parse_network(own, problems)


def _check_nat(own: Options, _topics: Topics, problems: Problems) -> t.Any:
    return parse_nat(own, problems)


def _check_firewall(own: Options, _topics: Topics, problems: Problems) -> t.Any:
    for position, cidr in enumerate(own["admin_cidrs"]):
        parse_cidr(cidr, f"admin_cidrs[{position}]", problems)
    return parse_security_groups(own, problems)


def _check_alb(own: Options, topics: Topics, problems: Problems) -> t.Any:
    return parse_load_balancers(own, problems, known=names_known(topics))


def _check_servers(own: Options, topics: Topics, problems: Problems) -> t.Any:
    known = names_known(topics)
    counted, groups = split_tiers(own["tiers"], problems)
    servers = parse_servers({**own, "tiers": counted, "key_file_planned": not own["key_file"]}, problems, known=known)
    if servers:
        parse_wish(own, [server_name(tier.name, number) for tier, number in servers.wanted()], problems)
    check_probing(own, own["tiers"], problems)
    targets = [group.name for group in topics["alb"].desired.target_groups] if "alb" in topics else None
    parse_server_groups({**own, "tiers": groups}, problems, known, targets)
    parse_server_roles(own, problems)
    for tier in sorted(own["roles"].keys() - groups.keys()):
        problems.add(
            f"roles.{tier}", f"'{tier}' is not an Auto Scaling group", f"use some of {', '.join(groups) or 'none'}"
        )
    return servers


def _check_lamp(own: Options, topics: Topics, problems: Problems) -> None:
    parse_lamp(own, problems, servers=servers_known(topics, "private"), booting=booting(topics))
    if own["bucket"] and "static_site" in topics and own["bucket"] == topics["static_site"].options["bucket"]:
        problems.add("bucket", f"'{own['bucket']}' is the static site's bucket", "give another bucket, or none")


def _check_release(own: Options, topics: Topics, problems: Problems) -> None:
    servers, groups = topics.get("servers"), list(groups_known(topics))
    counted = {tier.name: tier.count for tier in servers.desired.tiers} if servers else {}
    parse_release(own, problems, counts={**counted, **dict.fromkeys(groups, 0)} if servers else None)
    left = [name for name in groups if name not in own["tiers"]]
    if left and len(left) < len(groups):
        wrong = f"{', '.join(left)} is missing, and other Auto Scaling groups are given"
        problems.add("tiers", wrong, "name all groups or none, because they are kept together")


def _check_image(own: Options, topics: Topics, problems: Problems) -> None:
    network = topics.get("network")
    subnets = {subnet.name for subnet in network.desired.subnets if subnet.public} if network else None
    check_range("test_deadline", own["test_deadline"], 1, 3600, problems)
    if not own["test_path"].startswith("/"):
        problems.add("test_path", f"'{own['test_path']}' does not begin with /", "begin the path with /")
    parse_golden({**own, "recipe": {}}, problems, subnets=subnets)


def _check_static_site(own: Options, _topics: Topics, problems: Problems) -> None:
    parse_static_site(own, problems)


def _check_teardown(own: Options, _topics: Topics, problems: Problems) -> None:
    parse_teardown(own, problems)


# In the order in which a user corrects them: first the topics to which others refer.
CHECKS: t.Mapping[str, Check] = {
    "network": Check(_check_network),
    "nat": Check(_check_nat, ("network",)),
    "firewall": Check(_check_firewall),
    "alb": Check(_check_alb, ("network", "firewall")),
    "servers": Check(_check_servers, ("network", "firewall", "alb")),
    "static_site": Check(_check_static_site),
    "lamp": Check(_check_lamp, ("servers",)),
    "release": Check(_check_release, ("servers",)),
    "image": Check(_check_image, ("network",)),
    "teardown": Check(_check_teardown),
}
