# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Allocate CIDR blocks to subnets in an existing VPC, and check what AWS cannot change."""

from __future__ import annotations

from ipaddress import IPv4Network

from ansible_collections.groundwork.aws.plugins.module_utils.engine.addressing import NoRoom, allocate
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.observed import Observed
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.options import Network


def place(desired: Network, observed: Observed, problems: Problems) -> dict[str, IPv4Network]:
    """Return the CIDR block of every subnet. Add to `problems` what AWS cannot change."""
    _check_immutable(desired, observed, problems)
    if observed.zones:
        for zone in sorted({subnet.zone for subnet in desired.subnets} - set(observed.zones)):
            problems.add("zones", f"the account has no zone {zone}", f"use zones from {', '.join(observed.zones)}")
    given = {subnet.name: subnet.cidr for subnet in desired.subnets if subnet.cidr}
    existing = {name: observed.cidr(name) for name in observed.subnets}
    for name in sorted(given.keys() - existing.keys()):
        for other in [*existing.values(), *observed.others]:
            if given[name].overlaps(other):
                problems.add(
                    f"subnet_cidrs.{name}", f"{given[name]} overlaps the existing block {other}", "use a free block"
                )
    try:
        return allocate(
            desired.cidr,
            desired.subnet_prefix,
            [subnet.name for subnet in desired.subnets],
            existing=existing,
            given=given,
            taken=observed.others,
        )
    except NoRoom as error:
        problems.add(
            "cidr",
            f"{desired.cidr} has no free /{desired.subnet_prefix} block for the subnet {error}",
            "give it a smaller block in subnet_cidrs, or use a longer subnet_prefix",
        )
        return {}


def _check_immutable(desired: Network, observed: Observed, problems: Problems) -> None:
    if observed.vpc and observed.vpc["CidrBlock"] != str(desired.cidr):
        problems.add(
            "cidr",
            f"the VPC exists with {observed.vpc['CidrBlock']}, and AWS cannot change it to {desired.cidr}",
            f"write {observed.vpc['CidrBlock']}, or remove the network first",
        )
    for subnet in desired.subnets:
        actual = observed.subnets.get(subnet.name)
        if actual and subnet.cidr and actual["CidrBlock"] != str(subnet.cidr):
            problems.add(
                f"subnet_cidrs.{subnet.name}",
                f"the subnet exists with {actual['CidrBlock']}, and AWS cannot change it to {subnet.cidr}",
                f"write {actual['CidrBlock']}, or remove the subnet first",
            )
        if actual and actual["AvailabilityZone"] != subnet.zone:
            problems.add(
                "zones",
                f"the subnet {subnet.name} exists in {actual['AvailabilityZone']}, and AWS cannot move it to "
                f"{subnet.zone}",
                f"name {actual['AvailabilityZone']}, or remove the subnet first",
            )
