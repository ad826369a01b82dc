# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find what a creating call has made, when its response was lost.

A call of EC2 tags what it creates in the same request, and the tags say which resource of which environment it is.
Other calls have a Lookup.
"""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, Read, dig, read_all
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call, Lookup
from ansible_collections.groundwork.aws.plugins.module_utils.engine.wait import Clock

# A resource may be missing in the responses for some seconds after its creation.
# https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
DEADLINE = 15.0  # seconds
# By the resource type of TagSpecifications.
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_TagSpecification.html
TAGGED = {
    "elastic-ip": ("describe_addresses", "Addresses"),
    "image": ("describe_images", "Images"),
    "internet-gateway": ("describe_internet_gateways", "InternetGateways"),
    "key-pair": ("describe_key_pairs", "KeyPairs"),
    "route-table": ("describe_route_tables", "RouteTables"),
    "security-group": ("describe_security_groups", "SecurityGroups"),
    "subnet": ("describe_subnets", "Subnets"),
    "vpc": ("describe_vpcs", "Vpcs"),
    "vpc-endpoint": ("describe_vpc_endpoints", "VpcEndpoints"),
}
ENDED = ("deleted", "deleting", "deregistered", "failed")  # states of resources that AWS still reports


def lookup_of(call: Call, arguments: t.Mapping[str, t.Any]) -> Lookup | None:
    """Return how to find what the call has made. `arguments` are those of the call, with all Refs resolved."""
    if call.lookup:
        return call.lookup
    for given in arguments.get("TagSpecifications", ()) if call.service == "ec2" else ():
        if given["ResourceType"] in TAGGED:
            operation, result = TAGGED[given["ResourceType"]]
            filters = [{"Name": f"tag:{tag['Key']}", "Values": [tag["Value"]]} for tag in given["Tags"]]
            return Lookup(operation, result, {"Filters": filters}, lambda item: item.get("State") not in ENDED)
    return None


def find(clients: Clients, service: str, lookup: Lookup, clock: Clock) -> dict[str, t.Any] | None:
    """Return what a call has made, or None if it is not there at the deadline."""
    read = Read(service, lookup.operation, lookup.result, lookup.arguments, lookup.absent, lookup.marker)
    end, pause = clock.monotonic() + DEADLINE, 1.0
    while True:
        found = [item for item in read_all(clients, read, clock) if lookup.matches(item)]
        if found:
            return dict(found[0])
        if clock.monotonic() >= end:
            return None
        clock.sleep(pause)
        pause *= 2


def value_at(response: t.Mapping[str, t.Any], path: str) -> t.Any:
    """Return the value at a dotted path of a call's response, or of an item that was found in its place.

    An item lacks the first parts of the path: `Vpc.VpcId` of CreateVpc is `VpcId` of an item of DescribeVpcs. Raise
    LookupError.
    """
    try:
        return dig(response, path)
    except LookupError:
        return dig(response, path.rpartition(".")[2])
