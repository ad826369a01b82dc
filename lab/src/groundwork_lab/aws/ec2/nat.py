"""NAT gateways: a network interface in the subnet, an Elastic IP address, and states from pending to deleted.

https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-basics.html and, for failures,
https://docs.aws.amazon.com/vpc/latest/userguide/nat-gateway-troubleshooting.html
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.core.utils import utcnow
from moto.ec2.models import EC2Backend
from moto.ec2.models.nat_gateways import NatGateway as MotoNatGateway
from moto.ec2.responses import EC2Response
from moto.ec2.utils import random_nat_gateway_id

from groundwork_lab.aws.context import refuse
from groundwork_lab.model import World

PRESENT = ("pending", "available")


class NatGateway(MotoNatGateway):
    """A NAT gateway. `failure` is (code, message) if its creation failed. AWS reports that when it is described."""

    def __init__(self, backend: Any, subnet: Any, tags: dict[str, str] | None, connectivity_type: str) -> None:
        self.id = random_nat_gateway_id()
        self.ec2_backend = backend
        self.subnet_id = subnet.id
        self.vpc_id = subnet.vpc_id
        self.state = "pending"
        self.connectivity_type = connectivity_type
        self.address_set: list[dict[str, Any]] = []
        self.interface: Any = None
        self.failure: tuple[str, str] | None = None
        self.delete_time: Any = None
        self._created_at = utcnow()
        self.add_tags(tags or {})

    @property
    def failure_code(self) -> str | None:
        return self.failure[0] if self.failure else None

    @property
    def failure_message(self) -> str | None:
        return self.failure[1] if self.failure else None


class NatBackend(EC2Backend):
    def describe_nat_gateways(self, filters: Any, nat_gateway_ids: list[str] | None) -> list[Any]:  # noqa: ARG002 - moto's signature
        for nat_gateway_id in nat_gateway_ids or []:
            self._get_nat_gateway(nat_gateway_id)
        return [
            gateway for gateway in self.nat_gateways.values() if not nat_gateway_ids or gateway.id in nat_gateway_ids
        ]

    def _get_nat_gateway(self, nat_gateway_id: str) -> Any:
        if nat_gateway_id not in self.nat_gateways:
            refuse("NatGatewayNotFound", f"NAT gateway {nat_gateway_id} was not found")
        return self.nat_gateways[nat_gateway_id]

    def create_nat_gateway(
        self,
        subnet_id: str,
        allocation_id: str,
        tags: dict[str, str] | None = None,
        connectivity_type: str | None = "public",
    ) -> Any:
        subnet = self.get_subnet(subnet_id)
        public = (connectivity_type or "public") == "public"
        if public and not allocation_id:
            refuse(
                "MissingParameter",
                "The request must include the AllocationId parameter. "
                "Add the required parameter and retry the request.",
            )
        if not public:
            refuse("UnsupportedOperation", "The lab has public NAT gateways only.")
        elastic = self.address_by_allocation([allocation_id])[0]
        gateway = NatGateway(self, subnet, tags, "public")
        gateway.failure = self._failure(subnet, elastic)
        gateway.state = "failed" if gateway.failure else "pending"
        if not gateway.failure:
            self._connect(gateway, elastic)
        self.nat_gateways[gateway.id] = gateway
        return gateway

    def _failure(self, subnet: Any, elastic: Any) -> tuple[str, str] | None:
        if self.gateway_of(subnet.vpc_id) is None:
            return "Gateway.NotAttached", f"Network {subnet.vpc_id} has no Internet gateway attached"
        if elastic.eni is not None:
            message = f"Elastic IP address [{elastic.allocation_id}] is already associated"
            return "Resource.AlreadyAssociated", message
        return None

    def _connect(self, gateway: NatGateway, elastic: Any) -> None:
        interface = self.context.create_interface(
            subnet_id=gateway.subnet_id,
            group_ids=(),
            owner="nat-gateway",
            owner_id=gateway.id,
            public=False,
            description=f"Interface for NAT Gateway {gateway.id}",
            interface_type="nat_gateway",
            requester_id=self.account_id,
        )
        interface.source_dest_check = False
        self.link(elastic, interface)
        gateway.interface = interface
        gateway.address_set = [
            {
                "AllocationId": elastic.allocation_id,
                "AssociationId": elastic.association_id,
                "PublicIp": elastic.public_ip,
                "PrivateIp": interface.private_ip_address,
                "NetworkInterfaceId": interface.id,
                "IsPrimary": True,
                "Status": "succeeded",
            }
        ]

    def delete_nat_gateway(self, nat_gateway_id: str) -> Any:
        gateway = self._get_nat_gateway(nat_gateway_id)
        if gateway.state in PRESENT:
            gateway.state = "deleting"
        elif gateway.state == "failed":
            gateway.state = "deleted"
        gateway.delete_time = gateway.delete_time or utcnow()
        return gateway

    def follow_nat_gateways(self, world: World) -> None:
        """Set the states: pending gateways in `world` are available, deleting gateways not in it are deleted."""
        for gateway in self.nat_gateways.values():
            if gateway.state == "pending" and gateway.id in world.nat_gateways:
                gateway.state = "available"
            elif gateway.state == "deleting" and gateway.id not in world.nat_gateways:
                self.context.delete_interface(gateway.interface.id)
                gateway.state = "deleted"


class NatResponses(EC2Response):
    def create_nat_gateway(self) -> ActionResult:
        unsupported = {"PrivateIpAddress", "SecondaryAllocationIds", "SecondaryPrivateIpAddresses", "AvailabilityMode"}
        given = sorted(unsupported & set(self.params))
        if given:
            refuse("UnsupportedOperation", f"The lab's NAT gateways do not know {', '.join(given)}.")
        self.error_on_dryrun()
        return super().create_nat_gateway()
