"""EC2's part of the `World`: moto's state of the lab's region, for the data plane.

The caller holds the context's lock. Resources that are being deleted (a deleting NAT gateway, a terminated instance)
and their interfaces are left out, so that the data plane removes them.
"""

from __future__ import annotations

import base64
from functools import partial
from ipaddress import IPv4Address, IPv4Network
from typing import Any, cast

from groundwork_lab import model
from groundwork_lab.aws.context import Context, Sources
from groundwork_lab.aws.ec2.images import version_of
from groundwork_lab.aws.ec2.nat import PRESENT
from groundwork_lab.aws.ec2.subnets import cidrs_of
from groundwork_lab.aws.sts.identity import role_of


def sources(context: Context) -> Sources:
    """Return EC2's resources by id, and the function that reads one of them, for each field of the `World`."""
    ec2 = context.ec2
    gateways = ec2.nat_gateways
    gone = [each for each in gateways.values() if each.state not in PRESENT]
    leaving = {each.interface.id for each in gone if each.interface}
    subnets = {each.id: each for zone in ec2.subnets.values() for each in zone.values()}
    groups = {each.id: each for vpc in ec2.groups.values() for each in vpc.values()}
    present = {each.id: each for each in gateways.values() if each.state in PRESENT}
    interfaces = {each.id: each for each in ec2.enis.values() if each.id not in leaving}
    instances = {each.id: each for each in ec2.all_instances() if each.state != "terminated"}
    images = {each.id: each for each in ec2.images_in_world()}
    return {
        "vpcs": (ec2.vpcs.items(), _vpc),
        "subnets": (subnets.items(), partial(_subnet, ec2)),
        "route_tables": (ec2.route_tables.items(), partial(_route_table, ec2)),
        "internet_gateways": (ec2.internet_gateways.items(), _internet_gateway),
        "gateway_endpoints": (ec2.vpc_end_points.items(), _gateway_endpoint),
        "nat_gateways": (present.items(), _nat_gateway),
        "interfaces": (interfaces.items(), _interface),
        "security_groups": (groups.items(), partial(_security_group, ec2)),
        "network_acls": (ec2.network_acls.items(), _network_acl),
        "instances": (instances.items(), partial(_instance, context)),
        "images": (images.items(), _image),
    }


def _vpc(vpc: Any) -> model.Vpc:
    return model.Vpc(vpc.id, tuple(cidrs_of(vpc)), bool(vpc.enable_dns_support), bool(vpc.enable_dns_hostnames))


def _subnet(ec2: Any, subnet: Any) -> model.Subnet:
    tables = [table for table in ec2.route_tables.values() if table.vpc_id == subnet.vpc_id]
    explicit = next((table for table in tables if subnet.id in table._associations.values()), None)
    main = next((table for table in tables if table.main_association_id is not None), None)
    table = explicit or main
    acls = (
        acl
        for acl in ec2.network_acls.values()
        if any(association.subnet_id == subnet.id for association in acl.associations)
    )
    acl = next(acls, None)
    if table is None or acl is None:
        raise LookupError(f"the subnet has no {'route table' if table is None else 'network ACL'}")
    return model.Subnet(
        id=subnet.id,
        vpc_id=subnet.vpc_id,
        cidr=subnet.cidr,
        zone=subnet.availability_zone,
        route_table_id=table.id,
        network_acl_id=acl.id,
    )


def _route_table(ec2: Any, table: Any) -> model.RouteTable:
    routes = [
        model.Route(IPv4Network(route.destination_cidr_block), route.target)
        for route in table.routes
        if route.destination_cidr_block
    ]
    endpoints = sorted(each.id for each in ec2.vpc_end_points.values() if table.id in each.route_table_ids)
    return model.RouteTable(table.id, table.vpc_id, tuple(sorted(routes, key=_destination)), tuple(endpoints))


def _destination(route: model.Route) -> tuple[int, int]:
    return int(route.destination.network_address), route.destination.prefixlen


def _internet_gateway(gateway: Any) -> model.InternetGateway:
    return model.InternetGateway(gateway.id, gateway.vpc.id if gateway.vpc else None)


def _gateway_endpoint(endpoint: Any) -> model.GatewayEndpoint:
    return model.GatewayEndpoint(endpoint.id, endpoint.vpc_id, endpoint.service_name)


def _nat_gateway(gateway: Any) -> model.NatGateway:
    return model.NatGateway(
        id=gateway.id,
        vpc_id=gateway.vpc_id,
        subnet_id=gateway.subnet_id,
        interface_id=gateway.interface.id,
        public_ip=_address(gateway.interface.public_ip),
    )


def _address(text: str | None) -> IPv4Address | None:
    return IPv4Address(text) if text else None


def _interface(interface: Any) -> model.Interface:
    return model.Interface(
        id=interface.id,
        vpc_id=interface.vpc_id,
        subnet_id=interface.subnet_id,
        mac=interface.mac_address,
        private_ip=IPv4Address(interface.private_ip_address),
        public_ip=_address(interface.public_ip),
        security_group_ids=tuple(sorted(group.id for group in interface.group_set)),
        source_dest_check=bool(interface.source_dest_check),
        owner=interface.owner_kind,
        owner_id=interface.owner_id_in_world,
    )


def _security_group(ec2: Any, group: Any) -> model.SecurityGroup:
    return model.SecurityGroup(
        id=group.id,
        vpc_id=group.vpc_id,
        name=group.name,
        ingress=tuple(_rule(ec2, rule) for rule in group.ingress_rules),
        egress=tuple(_rule(ec2, rule) for rule in group.egress_rules),
    )


def _rule(ec2: Any, rule: Any) -> model.SecurityGroupRule:
    cidrs = [rule.ip_range["CidrIp"]] if rule.ip_range.get("CidrIp") else _prefix_list_cidrs(ec2, rule.prefix_list_id)
    source = rule.source_group.get("GroupId")
    return model.SecurityGroupRule(
        protocol=rule.ip_protocol,
        from_port=rule.from_port,
        to_port=rule.to_port,
        cidrs=tuple(IPv4Network(cidr, strict=False) for cidr in cidrs),
        group_ids=(source,) if source else (),
    )


def _prefix_list_cidrs(ec2: Any, prefix_list_id: str | None) -> list[str]:
    prefix_list = ec2.managed_prefix_lists.get(prefix_list_id)
    if prefix_list is None or not prefix_list.entries:
        return []
    latest = prefix_list.entries[max(prefix_list.entries)]
    return [entry["Cidr"] for entry in latest if "." in entry["Cidr"]]


def _network_acl(acl: Any) -> model.NetworkAcl:
    entries = [_acl_entry(entry) for entry in acl.network_acl_entries if entry.cidr_block]
    return model.NetworkAcl(acl.id, acl.vpc_id, tuple(sorted(entries, key=lambda entry: (entry.egress, entry.number))))


def _acl_entry(entry: Any) -> model.NetworkAclEntry:
    protocol = str(entry.protocol)
    names = {"6": "tcp", "17": "udp", "1": "icmp"}
    first, last = entry.port_range_from, entry.port_range_to
    if protocol in ("1", "icmp"):
        first, last = entry.icmp_type, entry.icmp_code
    return model.NetworkAclEntry(
        number=int(entry.rule_number),
        egress=bool(entry.egress),
        protocol=names.get(protocol, protocol),
        allow=entry.rule_action == "allow",
        cidr=IPv4Network(entry.cidr_block, strict=False),
        from_port=_port(first),
        to_port=_port(last),
    )


def _port(value: Any) -> int | None:
    return None if value is None else int(value)


def _image(image: Any) -> model.Image:
    return model.Image(image.id, image.instance_id, image.no_reboot, pending=image.state == "pending")


def _instance(context: Context, instance: Any) -> model.Instance:
    options, role = instance.metadata_options, role_of(context, instance)
    return model.Instance(
        id=instance.id,
        image_id=instance.image_id,
        instance_type=instance.instance_type,
        zone=instance.placement.zone,
        state=cast(model.InstanceState, instance.state),
        interface_id=instance.interface.id,
        key_name=instance.key_name,
        public_key=instance.public_key,
        user_data=base64.b64decode(str(instance.user_data or "")),
        metadata=model.MetadataOptions(
            tokens=options.http_tokens,
            hop_limit=int(options.http_put_response_hop_limit),
            enabled=options.http_endpoint == "enabled",
            tags=options.instance_metadata_tags == "enabled",
        ),
        instance_profile_arn=(instance.iam_instance_profile or {}).get("Arn"),
        launch_time=instance.launch_time.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        reboots=instance.reboots,
        tags=dict(context.ec2.tags.get(instance.id, {})),
        role=role.name if role else None,
        debian=version_of(instance.image_id),
        root_gib=_root_gib(context, instance),
    )


def _root_gib(context: Context, instance: Any) -> int:
    device = instance.block_device_mapping[instance.root_device_name]
    return int(context.ec2.get_volume(device.volume_id).size)
