# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the existing NAT gateways, addresses and route tables of an environment, in three parallel calls."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner
from ansible_collections.groundwork.aws.plugins.module_utils.topics.nat.options import Nat
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.options import COMPONENT as NETWORK

Described = t.Mapping[str, t.Any]

# https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html: AWS deletes a failed gateway,
# and describes a deleted one for about an hour.
ALIVE = ("pending", "available")


@dataclass(frozen=True)
class Observed:
    """The owner's gateways in any state, the account's addresses, and the network's route tables by subnet."""

    gateways: tuple[Described, ...] = ()
    addresses: tuple[Described, ...] = ()
    tables: t.Mapping[str, Described] | None = None

    @property
    def alive(self) -> list[Described]:
        """Return the gateways that are available or pending."""
        return [gateway for gateway in self.gateways if gateway["State"] in ALIVE]

    def table(self, subnet: str) -> Described | None:
        """Return the route table of the subnet `subnet`."""
        return (self.tables or {}).get(subnet)

    def subnet_id(self, subnet: str) -> str | None:
        """Return the id of the subnet, which is associated with its own route table."""
        table = self.table(subnet) or {}
        return next((link["SubnetId"] for link in table.get("Associations", []) if "SubnetId" in link), None)


def look(owner: Owner, desired: Nat, clients: Clients) -> Observed:
    """Return all existing resources, read in three calls."""
    given = any(gateway.address for gateway in desired.gateways)
    # A filter cannot match "tagged, or this address": if addresses are given, all of the account's are read.
    ours = {} if given else {"Filters": owner.filters()}
    network = Owner(owner.environment, NETWORK)
    answers = observe(
        clients,
        {
            "gateways": Read("ec2", "describe_nat_gateways", "NatGateways", {"Filters": owner.filters()}),
            "addresses": Read("ec2", "describe_addresses", "Addresses", ours),
            "tables": Read("ec2", "describe_route_tables", "RouteTables", {"Filters": network.filters()}),
        },
    )
    return Observed(
        gateways=tuple(gateway for gateway in answers["gateways"] if owner.owns(gateway)),
        addresses=tuple(answers["addresses"]),
        tables=network.by_name(answers["tables"]),
    )


def allocations(gateway: Described) -> list[str]:
    """Return the allocation ids of a gateway's Elastic IP addresses."""
    return [a["AllocationId"] for a in gateway.get("NatGatewayAddresses", []) if a.get("AllocationId")]
