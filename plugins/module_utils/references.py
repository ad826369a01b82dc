# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an inventory means as a whole: each topic's own rules, and the names that topics use for another's things."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.addressing import parse_cidr
from ansible_collections.groundwork.aws.plugins.module_utils.arguments import parse_owner
from ansible_collections.groundwork.aws.plugins.module_utils.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.golden_image.options import parse_golden
from ansible_collections.groundwork.aws.plugins.module_utils.instances.options import (
    Known,
    parse_servers,
    server_name,
)
from ansible_collections.groundwork.aws.plugins.module_utils.instances.replacement import check_probing, parse_wish
from ansible_collections.groundwork.aws.plugins.module_utils.lamp import parse_lamp
from ansible_collections.groundwork.aws.plugins.module_utils.load_balancers.options import parse_load_balancers
from ansible_collections.groundwork.aws.plugins.module_utils.nat.options import parse_nat
from ansible_collections.groundwork.aws.plugins.module_utils.network.options import parse_network
from ansible_collections.groundwork.aws.plugins.module_utils.releases.rollout import parse_release
from ansible_collections.groundwork.aws.plugins.module_utils.security_groups.options import parse_security_groups
from ansible_collections.groundwork.aws.plugins.module_utils.server_groups.options import (
    parse_server_groups,
    split_tiers,
)
from ansible_collections.groundwork.aws.plugins.module_utils.server_roles import parse_server_roles
from ansible_collections.groundwork.aws.plugins.module_utils.static_site import parse_static_site

Options = t.Mapping[str, t.Any]


def check_topics(variables: t.Mapping[str, Options], problems: Problems) -> None:
    """Check all roles' variables, by role, in the order in which a person would mend them.

    `variables` hold values of the right shape under their full names (`network_cidr`). A topic whose ground is
    wrong (subnets without a network) is not checked on top of it.
    """
    if not variables:
        return
    before = len(problems.found)
    _check_environment(variables, problems)
    topics = {role: _options(role, given) for role, given in variables.items()}
    if "network" in topics:
        parse_network(topics["network"], problems.scope("network_"))
    if len(problems.found) > before:
        return
    for role, check in CHECKS.items():
        if role in topics:
            check(topics, problems.scope(f"{role}_"))


def names_known(topics: t.Mapping[str, Options]) -> Known:
    """What the topics define by name; None for a topic that is not there."""
    network, firewall = topics.get("network"), topics.get("firewall")
    tiers = [tier["name"] for tier in network["tiers"]] if network else None
    return Known(
        tiers=tiers,
        subnets=[f"{tier}-{zone[-1]}" for tier in tiers for zone in network["zones"]] if network and tiers else None,
        security_groups=[group["name"] for group in firewall["groups"]] if firewall else None,
    )


def servers_known(topics: t.Mapping[str, Options], tier: str) -> list[str] | None:
    """The names of a tier's servers; None when no servers are declared here."""
    servers = topics.get("servers")
    if servers is None:
        return None
    return [server_name(tier, number + 1) for number in range(servers["tiers"].get(tier, {}).get("count", 0))]


def groups_known(topics: t.Mapping[str, Options]) -> list[str]:
    """The tiers that are Auto Scaling groups."""
    tiers = topics["servers"]["tiers"] if "servers" in topics else {}
    return [str(name) for name, tier in tiers.items() if isinstance(tier, t.Mapping) and "group" in tier]


def booting(topics: t.Mapping[str, Options]) -> list[str]:
    """Those whose servers configure themselves."""
    return [name for name in groups_known(topics) if "user_data" not in topics["servers"]["tiers"][name]]


def _check_environment(variables: t.Mapping[str, Options], problems: Problems) -> None:
    own = next(iter(variables.values()))
    options = {"environment_name": own["environment_name"], "tags": own.get("environment_tags")}
    parse_owner(options, "site", problems, tags_variable="environment_tags")


def _options(role: str, variables: Options) -> dict[str, t.Any]:
    """A role's variables as its module's options: without the role's name."""
    own = {name.removeprefix(f"{role}_"): value for name, value in variables.items()}
    return {**own, "region": variables.get("aws_region"), "tags": variables.get("environment_tags")}


def _check_nat(topics: t.Mapping[str, Options], problems: Problems) -> None:
    parse_nat(topics["nat"], problems)


def _check_firewall(topics: t.Mapping[str, Options], problems: Problems) -> None:
    before = len(problems.found)
    for position, cidr in enumerate(topics["firewall"]["admin_cidrs"]):
        parse_cidr(cidr, f"admin_cidrs[{position}]", problems)
    if len(problems.found) == before:  # the groups hold the same addresses: once is enough
        parse_security_groups(topics["firewall"], problems)


def _check_servers(topics: t.Mapping[str, Options], problems: Problems) -> None:
    own, known = topics["servers"], names_known(topics)
    counted, groups = split_tiers(own["tiers"], problems)
    servers = parse_servers({**own, "tiers": counted, "key_file_planned": not own["key_file"]}, problems, known=known)
    if servers:
        parse_wish(own, [server_name(tier.name, number) for tier, number in servers.wanted()], problems)
    check_probing(own, own["tiers"], problems)
    alb = topics.get("alb")
    targets = [group["name"] for group in alb["target_groups"]] if alb else None
    parse_server_groups({**own, "tiers": groups}, problems, known, targets)
    parse_server_roles(own, problems)
    for tier in sorted(own["roles"].keys() - groups.keys()):
        problems.add(
            f"roles.{tier}", f"'{tier}' is no group of servers", f"the groups are {', '.join(groups) or 'none'}"
        )


def _check_lamp(topics: t.Mapping[str, Options], problems: Problems) -> None:
    own = topics["lamp"]
    parse_lamp(own, problems, servers=servers_known(topics, "private"), booting=booting(topics))
    if own["bucket"] and own["bucket"] == topics.get("static_site", {}).get("bucket"):
        problems.add("bucket", f"'{own['bucket']}' is the static site's", "give another, or none")


def _check_alb(topics: t.Mapping[str, Options], problems: Problems) -> None:
    parse_load_balancers(topics["alb"], problems, known=names_known(topics))


def _check_release(topics: t.Mapping[str, Options], problems: Problems) -> None:
    tiers = topics["servers"]["tiers"] if "servers" in topics else {}
    counts = {str(name): int(tier.get("count", 0)) for name, tier in tiers.items()}
    parse_release(topics["release"], problems, counts=counts)
    groups, wanted = groups_known(topics), topics["release"]["tiers"]
    left = [name for name in groups if name not in wanted]
    if left and len(left) < len(groups):
        wrong = f"{', '.join(left)} is left out, and other Auto Scaling groups are not"
        problems.add("tiers", wrong, "name all groups or none: they are kept together")


def _check_image(topics: t.Mapping[str, Options], problems: Problems) -> None:
    network = topics.get("network")
    public = [tier["name"] for tier in network["tiers"] if tier.get("public")] if network else []
    subnets = {f"{tier}-{zone[-1]}" for tier in public for zone in network["zones"]} if network else None
    own = {**topics["image"], "recipe": {}}
    if not 1 <= own["test_deadline"] <= 3600:
        problems.add("test_deadline", f"{own['test_deadline']} is out of range", "give a whole number from 1 to 3600")
    if not own["test_path"].startswith("/"):
        problems.add("test_path", f"'{own['test_path']}' does not begin with /", "begin it with /")
    parse_golden(own, problems, subnets=subnets)


def _check_static_site(topics: t.Mapping[str, Options], problems: Problems) -> None:
    parse_static_site(topics["static_site"], problems)


CHECKS: t.Mapping[str, t.Callable[[t.Mapping[str, Options], Problems], None]] = {
    "nat": _check_nat,
    "firewall": _check_firewall,
    "servers": _check_servers,
    "lamp": _check_lamp,
    "alb": _check_alb,
    "release": _check_release,
    "image": _check_image,
    "static_site": _check_static_site,
}
