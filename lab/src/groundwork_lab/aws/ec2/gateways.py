"""Internet gateways and the S3 gateway endpoint."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.models import EC2Backend
from moto.ec2.models.vpcs import VPCEndPoint
from moto.ec2.responses import EC2Response

from groundwork_lab.aws.context import refuse


class Endpoint(VPCEndPoint):
    requester_managed = False

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.private_dns_enabled = False  # of gateway endpoints


class GatewaysBackend(EC2Backend):
    def gateway_of(self, vpc_id: str) -> Any:
        """Return the internet gateway that is attached to the VPC, or None."""
        attached = (gateway for gateway in self.internet_gateways.values() if gateway.vpc and gateway.vpc.id == vpc_id)
        return next(attached, None)

    def attach_internet_gateway(self, internet_gateway_id: str, vpc_id: str) -> Any:
        gateway = self.get_internet_gateway(internet_gateway_id)
        self.get_vpc(vpc_id)
        if gateway.vpc is not None:
            message = f"resource {internet_gateway_id} is already attached to network {gateway.vpc.id}"
            refuse("Resource.AlreadyAssociated", message)
        if self.gateway_of(vpc_id) is not None:
            refuse("InvalidParameterValue", f"Network {vpc_id} already has an internet gateway attached")
        return super().attach_internet_gateway(internet_gateway_id, vpc_id)

    def detach_internet_gateway(self, internet_gateway_id: str, vpc_id: str) -> None:
        gateway = self.get_internet_gateway(internet_gateway_id)
        if gateway.vpc and gateway.vpc.id == vpc_id and self._mapped_addresses(vpc_id):
            refuse(
                "DependencyViolation",
                f"Network {vpc_id} has some mapped public address(es). "
                "Please unmap those public address(es) before detaching the gateway.",
            )
        super().detach_internet_gateway(internet_gateway_id, vpc_id)

    def _mapped_addresses(self, vpc_id: str) -> bool:
        return any(interface.public_ip for interface in self.enis.values() if interface.vpc_id == vpc_id)

    def delete_internet_gateway(self, internet_gateway_id: str) -> None:
        if self.get_internet_gateway(internet_gateway_id).vpc is not None:
            message = f"The internetGateway '{internet_gateway_id}' has dependencies and cannot be deleted."
            refuse("DependencyViolation", message)
        super().delete_internet_gateway(internet_gateway_id)
        self.forget(internet_gateway_id)

    # Gateway endpoints

    @property
    def s3_service(self) -> str:
        return f"com.amazonaws.{self.region_name}.s3"

    def create_vpc_endpoint(
        self, vpc_id: str, service_name: str, endpoint_type: str | None, *arguments: Any, **options: Any
    ) -> Any:
        if (endpoint_type or "Gateway") != "Gateway":
            refuse("UnsupportedOperation", "The lab has gateway endpoints only.")
        if service_name != self.s3_service:
            refuse("InvalidServiceName", f"The Vpc Endpoint Service '{service_name}' does not exist")
        self._check_endpoint_tables(vpc_id, options.get("route_table_ids") or [], service_name)
        return super().create_vpc_endpoint(vpc_id, service_name, "Gateway", *arguments, **options)

    def _check_endpoint_tables(self, vpc_id: str, route_table_ids: list[str], service_name: str) -> None:
        for route_table_id in route_table_ids:
            if self.get_route_table(route_table_id).vpc_id != vpc_id:
                message = f"Route table {route_table_id} does not belong to VPC {vpc_id}"
                refuse("InvalidParameter", message)
            for endpoint in self.vpc_end_points.values():
                if endpoint.service_name == service_name and route_table_id in endpoint.route_table_ids:
                    message = (
                        f"route table {route_table_id} already has a route with destination-prefix-list-id "
                        f"{endpoint.destination_prefix_list_id}"
                    )
                    refuse("RouteAlreadyExists", message)

    def modify_vpc_endpoint(  # noqa: PLR0917 - moto's signature
        self,
        vpc_id: str,  # moto's name for the endpoint's id
        policy_doc: str,
        add_subnets: list[str] | None,
        remove_subnets: list[str] | None,
        remove_route_tables: list[str] | None,
        add_route_tables: list[str] | None,
        add_security_groups: list[str] | None,
        remove_security_groups: list[str] | None,
    ) -> None:
        endpoint = self.get_vpc_end_point(vpc_id)
        added, removed = add_route_tables or [], remove_route_tables or []
        self._check_endpoint_tables(endpoint.vpc_id, added, endpoint.service_name)
        for table in removed:
            self.delete_route(table, endpoint.destination_prefix_list_id)
        for table in added:
            prefix_list = endpoint.destination_prefix_list_id
            self.create_route(table, None, gateway_id=endpoint.id, destination_prefix_list_id=prefix_list)
        super().modify_vpc_endpoint(
            vpc_id,
            policy_doc,
            add_subnets,
            remove_subnets,
            removed,
            added,
            add_security_groups,
            remove_security_groups,
        )

    def delete_vpc_endpoints(self, vpce_ids: list[str] | None = None) -> None:
        known = [each for each in vpce_ids or [] if each in self.vpc_end_points]
        super().delete_vpc_endpoints(known)
        for endpoint_id in known:
            del self.vpc_end_points[endpoint_id]
            self.forget(endpoint_id)


class GatewaysResponses(EC2Response):
    def delete_vpc_endpoints(self) -> ActionResult:
        wanted = self._get_param("VpcEndpointIds", [])
        unknown = [each for each in wanted if each not in self.ec2_backend.vpc_end_points]
        self.ec2_backend.delete_vpc_endpoints(wanted)
        return ActionResult({"Unsuccessful": [_endpoint_not_found(each) for each in unknown]})


def _endpoint_not_found(endpoint_id: str) -> dict[str, Any]:
    message = f"The Vpc Endpoint Id '{endpoint_id}' does not exist"
    return {"ResourceId": endpoint_id, "Error": {"Code": "InvalidVpcEndpoint.NotFound", "Message": message}}
