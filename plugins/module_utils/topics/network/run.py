# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the module `ec2_vpc_network`."""

from __future__ import annotations

import typing as t
from ipaddress import IPv4Network

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Ids, shown
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.changes import plan_network, undeclared
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.observed import Observed, look
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.options import (
    COMPONENT,
    DEFAULT_GROUP,
    INTERNET_GATEWAY,
    S3_ENDPOINT,
    VPC,
    Network,
    parse_network,
    subnet_ref,
    table_ref,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.placing import place


def known_ids(observed: Observed) -> Ids:
    """Return the ids of the existing resources."""
    ids: Ids = {}
    for ref, actual, key in (
        (VPC, observed.vpc, "VpcId"),
        (INTERNET_GATEWAY, observed.gateway, "InternetGatewayId"),
        (S3_ENDPOINT, observed.endpoint, "VpcEndpointId"),
        (DEFAULT_GROUP, observed.default_group, "GroupId"),
        *((subnet_ref(name), subnet, "SubnetId") for name, subnet in observed.subnets.items()),
        *((table_ref(name), table, "RouteTableId") for name, table in observed.tables.items()),
    ):
        if actual:
            ids[ref] = actual[key]
    return ids


def converge_network(run: Run) -> dict[str, t.Any]:
    """Return the result of the module `ec2_vpc_network`."""
    owner, desired = run.parse(COMPONENT, parse_network)
    observed = look(owner, desired, run.clients)
    problems = Problems()
    blocks = place(desired, observed, problems)
    problems.raise_if_any()
    left = undeclared(desired, observed)
    if left and not desired.purge:
        run.warn(f"Resources that are not declared: {', '.join(left)}. Set purge to delete them.")
    ids = known_ids(observed)
    result = run.make(plan_network(desired, observed, blocks, owner), ids)
    return {**result, "vpc_id": shown(VPC, ids), "subnets": _facts(desired, blocks, ids), "undeclared": left}


def _facts(desired: Network, blocks: t.Mapping[str, IPv4Network], ids: Ids) -> dict[str, dict[str, t.Any]]:
    return {
        wish.name: {
            "id": shown(subnet_ref(wish.name), ids),
            "cidr": str(blocks[wish.name]),
            "zone": wish.zone,
            "tier": wish.tier,
            "public": wish.public,
            "route_table_id": shown(table_ref(wish.name), ids),
        }
        for wish in desired.subnets
    }
