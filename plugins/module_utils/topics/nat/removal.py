# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find and remove NAT gateways and Elastic IP addresses."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Read
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call, Wait, ec2
from ansible_collections.groundwork.aws.plugins.module_utils.engine.removal import (
    Described,
    Interfaces,
    Protection,
    Removal,
    Sight,
    State,
    Tagged,
    Thing,
    internet_of,
    some,
)

NAMES = "reverse DNS names"


def _reads(sight: Sight) -> t.Iterator[tuple[str, Read]]:
    """Yield the read of the reverse DNS names of addresses, with which AWS does not release them."""
    if ids := [one["AllocationId"] for one in sight.found("addresses")]:
        wanted = {"AllocationIds": ids, "Attribute": "domain-name"}
        gone = ("InvalidAllocationID.NotFound",)
        yield NAMES, Read("ec2", "describe_addresses_attribute", "Addresses", wanted, gone)


def _things(sight: Sight) -> t.Iterator[Thing]:
    for gateway in sight.answers["nat gateways"]:
        yield from _nat(gateway, sight)
    yield from (_address(address, sight) for address in sight.answers["addresses"])


def _nat(gateway: Described, sight: Sight) -> t.Iterator[Thing]:
    """Yield a NAT gateway of the environment. One that is being deleted is awaited.

    AWS describes deleted and failed ones for an hour; they are left out. Others' NAT gateways are found by their
    interfaces. https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html
    """
    if not sight.whose.owns_described(gateway) or gateway["State"] in ("deleted", "failed"):
        return
    own = gateway["NatGatewayId"]
    addresses = [a.get("AllocationId") for a in gateway.get("NatGatewayAddresses", [])]
    gone = Wait(
        f"the NAT gateway {own} to be deleted",
        ec2("describe_nat_gateways", NatGatewayIds=[own]),
        lambda answer: all(g["State"] == "deleted" for g in answer.get("NatGateways", [])),
        deadline=sight.deadline,
    )
    delete = ec2("delete_nat_gateway", NatGatewayId=own).settled_by("NatGatewayNotFound")
    yield sight.thing(
        "nat gateway",
        gateway,
        "NatGatewayId",
        needs=some(gateway["SubnetId"], *addresses, internet_of(gateway["VpcId"])),
        calls=() if gateway["State"] == "deleting" else (delete,),
        wait=gone,
        before={"subnet_id": gateway["SubnetId"]},
    )


def _address(address: Described, sight: Sight) -> Thing:
    """Return an Elastic IP address. It is released when it is not in use; a terminated instance disassociates it."""
    release = Call(
        "ec2",
        "release_address",
        {"AllocationId": address["AllocationId"]},
        settled=("InvalidAllocationID.NotFound",),
    )
    public = address["PublicIp"]
    serves, before = frozenset({public}), {"public_ip": public}
    protections = tuple(_protections(address, sight))
    return sight.thing(
        "elastic ip",
        address,
        "AllocationId",
        serves=serves,
        calls=(release,),
        before=before,
        protections=protections,
    )


def _protections(address: Described, sight: Sight) -> t.Iterator[Protection]:
    """Yield the reverse DNS name of an address.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Elastic_Addressing_Reverse_DNS.html
    """
    own = address["AllocationId"]
    for one in sight.found(NAMES):
        if one["AllocationId"] == own and one.get("PtrRecord"):
            command = f"aws ec2 reset-address-attribute --allocation-id {own} --attribute domain-name"
            yield Protection(f"its reverse DNS name is {one['PtrRecord']}", command)


def _holder(interface: Described) -> str:
    """Return the NAT gateway that AWS reports in the description ("Interface for NAT Gateway <id>")."""
    found = interface.get("InterfaceType") == "nat_gateway"
    return str(interface.get("Description", "")).rpartition(" ")[2] if found else ""


def _states(sight: Sight) -> dict[str, State]:
    mine = [one for one in sight.answers["nat gateways"] if sight.whose.owns_described(one)]
    return {one["NatGatewayId"]: "gone" if one["State"] in ("deleted", "failed") else "ours" for one in mine}


REMOVAL = Removal(
    kinds=("nat gateway", "elastic ip"),
    things=_things,
    tagged={
        "addresses": Tagged("describe_addresses", "Addresses", "AllocationId"),
        "nat gateways": Tagged("describe_nat_gateways", "NatGateways", "NatGatewayId", "vpc-id"),
    },
    reads=_reads,
    interfaces=Interfaces("nat gateway", _holder, _states),
    after="server_roles",
)
