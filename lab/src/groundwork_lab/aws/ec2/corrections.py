"""EC2's corrections: subclasses of moto's backends and responses, and replaced helpers of moto.

Each topic's module has a backend (state and rules), often responses (parameters and output), and the classes that
replace moto's. Here they are combined.
"""

from __future__ import annotations

from typing import Any

import moto.ec2.models
import moto.ec2.urls
import moto.ec2.utils
from moto.ec2.models import (
    elastic_block_store,
    elastic_network_interfaces,
    instances,
    key_pairs,
    route_tables,
    security_groups,
    subnets,
    vpcs,
)

from groundwork_lab.aws.context import Context
from groundwork_lab.aws.corrections import Corrections, Exchange
from groundwork_lab.aws.ec2.addresses import AddressesBackend
from groundwork_lab.aws.ec2.answering import Answering
from groundwork_lab.aws.ec2.captures import CapturesBackend, CapturesResponses
from groundwork_lab.aws.ec2.ebs_snapshots import Snapshot, SnapshotsBackend, SnapshotsResponses
from groundwork_lab.aws.ec2.gateways import Endpoint, GatewaysBackend, GatewaysResponses
from groundwork_lab.aws.ec2.groups import Group, GroupsBackend, GroupsResponses, Rule
from groundwork_lab.aws.ec2.images import ImagesBackend
from groundwork_lab.aws.ec2.instances import (
    Attachment,
    Instance,
    InstancesBackend,
    InstancesResponses,
)
from groundwork_lab.aws.ec2.interfaces import Interface, InterfacesBackend, InterfacesResponses
from groundwork_lab.aws.ec2.keys import KeysBackend, KeysResponses, fingerprint
from groundwork_lab.aws.ec2.nat import NatBackend, NatResponses
from groundwork_lab.aws.ec2.prefix_lists import PrefixListsBackend
from groundwork_lab.aws.ec2.protections import Lock, ProtectionsBackend, ProtectionsResponses
from groundwork_lab.aws.ec2.regions import RegionsBackend
from groundwork_lab.aws.ec2.routes import Route, RoutesBackend, RoutesResponses, Table
from groundwork_lab.aws.ec2.settings import SettingsBackend, SettingsResponses
from groundwork_lab.aws.ec2.storage import StorageBackend
from groundwork_lab.aws.ec2.subnets import Subnet, SubnetsBackend, SubnetsResponses
from groundwork_lab.aws.ec2.tagging import TagsBackend, TagsResponses
from groundwork_lab.aws.ec2.template_answers import TemplatesResponses
from groundwork_lab.aws.ec2.templates import TemplatesBackend
from groundwork_lab.aws.ec2.world import sources
from groundwork_lab.model import World


class Backend(
    ProtectionsBackend,  # before the others, which do not call moto's methods
    AddressesBackend,
    CapturesBackend,
    GatewaysBackend,
    GroupsBackend,
    ImagesBackend,
    InstancesBackend,
    InterfacesBackend,
    KeysBackend,
    NatBackend,
    PrefixListsBackend,
    RegionsBackend,
    RoutesBackend,
    SettingsBackend,
    SnapshotsBackend,
    StorageBackend,
    SubnetsBackend,
    TagsBackend,
    TemplatesBackend,
):
    """EC2 in one region."""

    context: Context  # set by `install`
    _url_module = moto.ec2.urls  # moto looks it up beside the class

    def __init__(self, region_name: str, account_id: str) -> None:
        self.retired: dict[str, Any] = {}
        self.block_public_access: dict[str, str] = {}
        self.locks: dict[str, Lock] = {}
        self.reverse_names: dict[str, str] = {}
        self.client_tokens: dict[tuple[str, str], tuple[str, Any]] = {}
        super().__init__(region_name, account_id)
        self._connect_default_vpc()

    def _connect_default_vpc(self) -> None:
        """Attach an internet gateway to the default VPC and add the route to it. moto leaves them out.

        https://docs.aws.amazon.com/vpc/latest/userguide/default-vpc-components.html
        """
        gateway = self.create_internet_gateway()
        self.attach_internet_gateway(gateway.id, self.default_vpc.id)
        main = next(table for table in self.route_tables.values() if table.main_association_id is not None)
        self.create_route(main.id, "0.0.0.0/0", gateway_id=gateway.id)


class Responses(
    Answering,
    CapturesResponses,
    GatewaysResponses,
    GroupsResponses,
    InstancesResponses,
    InterfacesResponses,
    KeysResponses,
    NatResponses,
    ProtectionsResponses,
    RoutesResponses,
    SettingsResponses,
    SnapshotsResponses,
    SubnetsResponses,
    TagsResponses,
    TemplatesResponses,
):
    """EC2's responses."""


EXCHANGED: tuple[Exchange, ...] = (
    (elastic_block_store, "Snapshot", Snapshot),
    (elastic_block_store, "VolumeAttachment", Attachment),
    (elastic_network_interfaces, "NetworkInterface", Interface),
    (instances, "Instance", Instance),
    (route_tables, "Route", Route),
    (route_tables, "RouteTable", Table),
    (security_groups, "SecurityGroup", Group),
    (security_groups, "SecurityGroupRule", Rule),
    (subnets, "Subnet", Subnet),
    (vpcs, "VPCEndPoint", Endpoint),
    (key_pairs, "public_key_fingerprint", fingerprint),
    (moto.ec2.urls, "url_paths", {"{0}/": Responses.dispatch}),
)


def follow(context: Context, world: World) -> None:
    context.ec2.follow_nat_gateways(world)


CORRECTIONS = Corrections(
    registry=moto.ec2.models.ec2_backends, backend=Backend, exchanged=EXCHANGED, sources=sources, follow=follow
)
