"""Elastic IP addresses from the lab's address pool, associated and released by AWS' rules."""

from __future__ import annotations

from typing import Any

from moto.ec2.models import EC2Backend
from moto.ec2.models.elastic_ip_addresses import ElasticAddress
from moto.ec2.utils import random_eip_association_id

from groundwork_lab.aws.context import refuse


class AddressesBackend(EC2Backend):
    def allocate_address(
        self,
        domain: str | None,
        address: str | None = None,
        tags: dict[str, str] | None = None,
    ) -> Any:
        if address is not None:
            refuse("InvalidAddress.NotFound", f"Address '{address}' not found.")
        if domain not in (None, "vpc"):
            refuse("InvalidParameterValue", f"Value ({domain}) for parameter domain is invalid.")
        public = self.context.pool.allocate()
        if public is None:
            refuse("InsufficientAddressCapacity", "There are not enough free public addresses.")
        elastic = ElasticAddress(self, domain="vpc", address=str(public), tags=tags)
        self.addresses.append(elastic)
        return elastic

    def associate_address(
        self,
        instance: Any = None,
        eni: Any = None,
        address: str | None = None,
        allocation_id: str | None = None,
        reassociate: bool = False,
    ) -> Any:
        elastic = (self.address_by_ip([address]) if address else self.address_by_allocation([allocation_id]))[0]
        target = self._target(instance, eni)
        if elastic.eni is target:
            return elastic
        if elastic.eni is not None and not reassociate:
            message = (
                f"resource {elastic.allocation_id} is already associated with associate-id {elastic.association_id}"
            )
            refuse("Resource.AlreadyAssociated", message)
        if self.gateway_of(target.vpc_id) is None:
            refuse("Gateway.NotAttached", f"Network {target.vpc_id} is not attached to any internet gateway")
        if elastic.eni is not None:
            self.unlink(elastic)
        previous = target.elastic_address
        if previous is not None:
            self.unlink(previous, automatic=False)
        return self.link(elastic, target)

    def _target(self, instance: Any, eni: Any) -> Any:
        """Return the network interface for the address. Refuse it if its instance cannot have an address now."""
        if instance is not None and instance.state not in ("running", "stopped"):
            message = f"The {instance.state} instance '{instance.id}' is not in a valid state for this operation."
            refuse("InvalidInstanceID", message)
        return eni if eni is not None else instance.nics[0]

    def link(self, elastic: Any, interface: Any) -> Any:
        """Associate the address without checks. The automatic address of the interface is released."""
        interface.drop_automatic_address()
        interface.public_ip = elastic.public_ip
        elastic.eni, elastic.instance = interface, interface.instance
        elastic.association_id = random_eip_association_id()
        return elastic

    def unlink(self, elastic: Any, *, automatic: bool = True) -> None:
        """Disassociate an address. A running instance that was launched with an automatic address gets a new one.

        https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-instance-addressing.html#concepts-public-addresses
        """
        interface = elastic.eni
        elastic.eni = elastic.instance = elastic.association_id = None
        interface.public_ip = None
        if automatic and interface.instance is not None and interface.instance.state in ("pending", "running"):
            interface.check_auto_public_ip()

    def disassociate_address(self, address: str | None = None, association_id: str | None = None) -> None:
        elastic = (self.address_by_ip([address]) if address else self.address_by_association([association_id]))[0]
        if elastic.eni is None:
            refuse("InvalidAssociationID.NotFound", f"The address '{elastic.public_ip}' is not associated.")
        if elastic.eni.requester_managed:
            refuse("AuthFailure", "You do not have permission to access the specified resource.")
        self.unlink(elastic)

    def release_address(self, address: str | None = None, allocation_id: str | None = None) -> None:
        elastic = (self.address_by_ip([address]) if address else self.address_by_allocation([allocation_id]))[0]
        if elastic.eni is not None:
            message = f"Address {elastic.public_ip} is in use."
            refuse("InvalidIPAddress.InUse", message)
        self.addresses.remove(elastic)
        self.forget(elastic.id)
        self.context.pool.release(elastic.public_ip)
