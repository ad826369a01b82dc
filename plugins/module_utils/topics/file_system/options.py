# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parse the options of `efs_file_system`, without calls to AWS."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import RESOURCE_NAME, TIER_NAME
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Ref
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.options import parse_zones

COMPONENT = "file_system"
NAME = "files"
FILE_SYSTEM = Ref("file system", NAME)
# https://docs.aws.amazon.com/efs/latest/ug/limits.html
GROUPS_LIMIT = 5


def target_ref(zone: str) -> Ref:
    """Return the reference to the id of the mount target in a zone."""
    return Ref("mount target", f"{NAME}-{zone[-1]}")


def address_ref(zone: str) -> Ref:
    """Return the reference to the address of the mount target in a zone."""
    return Ref("mount target", f"{NAME}-{zone[-1]}", "ip_address")


@dataclass(frozen=True)
class FileSystem:
    """The desired file system, with a mount target in each zone: `subnets` are their names by zone."""

    subnets: t.Mapping[str, str]
    groups: tuple[str, ...]
    throughput: str
    purge: bool = False


def parse_file_system(options: t.Mapping[str, t.Any], problems: Problems) -> FileSystem | None:
    """Return the desired file system, or None if the options of `efs_file_system` add problems."""
    before = len(problems.found)
    zones = parse_zones(options["zones"], options.get("region"), problems)
    tier, groups = options["tier"], tuple(options["security_groups"])
    if not TIER_NAME.fullmatch(tier):
        problems.add("tier", f"'{tier}' is not the name of a tier", "give the name of a tier of the network")
    if not 1 <= len(groups) <= GROUPS_LIMIT:
        problems.add("security_groups", f"has {len(groups)} names", f"name 1 to {GROUPS_LIMIT} security groups")
    for at, group in enumerate(groups):
        if not RESOURCE_NAME.fullmatch(group):
            where = f"security_groups[{at}]"
            problems.add(where, f"'{group}' is not the name of a security group", "give the name of a declared group")
        elif group in groups[:at]:
            problems.add(f"security_groups[{at}]", f"'{group}' is named twice", "name each group once")
    if len(problems.found) > before:
        return None
    subnets = {zone: f"{tier}-{zone[-1]}" for zone in zones}
    return FileSystem(subnets, groups, options["throughput_mode"], bool(options["purge"]))
