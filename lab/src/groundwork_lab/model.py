"""The resources of the control plane, as the data plane reads them.

The control plane builds a `World` after each accepted write. Fabric, hosts, balancers, edges and names each derive from
it what they must run. All classes are frozen and compare by value, so that `==` detects changes. The field names are
those of the EC2, ELBv2 and CloudFront APIs, shortened where the class makes them clear.
Sources: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Types.html,
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Types.html and
https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_Types.html
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from ipaddress import IPv4Address, IPv4Network
from typing import Any, Literal


@dataclass(frozen=True)
class Vpc:
    id: str
    cidrs: tuple[IPv4Network, ...]
    dns_support: bool
    dns_hostnames: bool


@dataclass(frozen=True)
class Subnet:
    id: str
    vpc_id: str
    cidr: IPv4Network
    zone: str
    route_table_id: str  # the associated route table, or the VPC's main route table
    network_acl_id: str


@dataclass(frozen=True)
class Route:
    """A route. `target` is `local` or the id of the target, which may be deleted (a blackhole route)."""

    destination: IPv4Network
    target: str


@dataclass(frozen=True)
class RouteTable:
    id: str
    vpc_id: str
    routes: tuple[Route, ...]
    endpoint_ids: tuple[str, ...] = ()  # gateway endpoints (S3) that add their prefix list to this table


@dataclass(frozen=True)
class InternetGateway:
    id: str
    vpc_id: str | None  # None if it is detached


@dataclass(frozen=True)
class GatewayEndpoint:
    """A gateway VPC endpoint. The lab supports S3 only."""

    id: str
    vpc_id: str
    service: str


InterfaceOwner = Literal["instance", "nat-gateway", "load-balancer", "mount-target", "database", "none"]


@dataclass(frozen=True)
class Interface:
    """An elastic network interface with its primary private address."""

    id: str
    vpc_id: str
    subnet_id: str
    mac: str
    private_ip: IPv4Address
    public_ip: IPv4Address | None  # automatic or elastic, as the Association in DescribeNetworkInterfaces
    security_group_ids: tuple[str, ...]  # empty for a NAT gateway: its traffic is not filtered
    source_dest_check: bool
    owner: InterfaceOwner
    owner_id: str  # the id of the instance, NAT gateway, mount target or database, the load balancer's ARN; "" for none


@dataclass(frozen=True)
class NatGateway:
    id: str
    vpc_id: str
    subnet_id: str
    interface_id: str
    public_ip: IPv4Address | None


@dataclass(frozen=True)
class SecurityGroupRule:
    """A rule of a security group.

    `protocol` is `tcp`, `udp`, `icmp`, another IANA number, or `-1` for all. Ports are None for all. For ICMP,
    `from_port` is the type and `to_port` is the code, -1 for any, as in the EC2 API.
    """

    protocol: str
    from_port: int | None
    to_port: int | None
    cidrs: tuple[IPv4Network, ...] = ()
    group_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class SecurityGroup:
    id: str
    vpc_id: str
    name: str
    ingress: tuple[SecurityGroupRule, ...]
    egress: tuple[SecurityGroupRule, ...]


@dataclass(frozen=True)
class NetworkAclEntry:
    """A rule of a network ACL. Protocol and ports are as in SecurityGroupRule."""

    number: int  # evaluated in ascending order; 32767 is the final deny
    egress: bool
    protocol: str
    allow: bool
    cidr: IPv4Network
    from_port: int | None = None
    to_port: int | None = None


@dataclass(frozen=True)
class NetworkAcl:
    id: str
    vpc_id: str
    entries: tuple[NetworkAclEntry, ...]


InstanceState = Literal["pending", "running", "shutting-down", "terminated", "stopping", "stopped"]


@dataclass(frozen=True)
class MetadataOptions:
    tokens: Literal["optional", "required"]
    hop_limit: int
    enabled: bool
    tags: bool = False  # InstanceMetadataTags: whether the instance metadata contains the tags


@dataclass(frozen=True)
class Instance:
    """An instance with its desired state. Terminated instances are not in the `World`."""

    id: str
    image_id: str
    instance_type: str
    zone: str
    state: InstanceState
    interface_id: str  # the primary network interface
    key_name: str | None
    public_key: str | None  # OpenSSH format
    user_data: bytes
    metadata: MetadataOptions
    instance_profile_arn: str | None
    launch_time: str  # ISO 8601
    reboots: int = 0  # incremented by each RebootInstances
    tags: Mapping[str, str] = field(default_factory=dict)
    role: str | None = None  # the name of the IAM role in the instance profile
    debian: int = 12  # the version of Debian, of an image that was not captured
    root_gib: int = 8  # the size of the root volume in GiB


@dataclass(frozen=True)
class Image:
    """An image created from an instance's disk. The data plane captures it while it is pending.

    It stays in the `World` after DeregisterImage while instances use it.
    """

    id: str
    instance_id: str  # the instance that it is created from
    no_reboot: bool  # captured while the host runs
    pending: bool


@dataclass(frozen=True)
class Target:
    id: str  # instance id or address, depending on the group's target type
    port: int


@dataclass(frozen=True)
class HealthCheck:
    enabled: bool
    protocol: str
    port: str  # a number, or `traffic-port`
    path: str
    interval: int  # seconds
    timeout: int  # seconds
    healthy_threshold: int
    unhealthy_threshold: int
    matcher: str  # `200`, `200,302` or `200-299`


@dataclass(frozen=True)
class TargetGroup:
    arn: str
    name: str
    vpc_id: str
    protocol: str
    port: int
    target_type: Literal["instance", "ip"]
    health_check: HealthCheck
    targets: tuple[Target, ...]
    draining: tuple[Target, ...]  # deregistered targets whose connections are draining
    attributes: Mapping[str, str]


@dataclass(frozen=True)
class Action:
    """An action of a rule or listener.

    `config` is its ForwardConfig, RedirectConfig or FixedResponseConfig with AWS' keys. `TargetGroups` is always a list
    of {TargetGroupArn, Weight}.
    """

    type: Literal["forward", "redirect", "fixed-response"]
    config: Mapping[str, object]


@dataclass(frozen=True)
class Condition:
    """A condition of a rule.

    `field` is as in the API (`path-pattern`, `host-header`, `http-header`, `http-request-method`, `query-string`,
    `source-ip`). `name` is the name of the header.
    """

    field: str
    values: tuple[str, ...]
    name: str = ""


@dataclass(frozen=True)
class ListenerRule:
    arn: str
    priority: int  # ascending; the default rule is in the listener's default_actions
    conditions: tuple[Condition, ...]
    actions: tuple[Action, ...]


@dataclass(frozen=True)
class Certificate:
    """A certificate of ACM with its private key, as PEM. `chain` begins with the certificate itself."""

    arn: str
    chain: bytes
    key: bytes = field(repr=False)


@dataclass(frozen=True)
class ListenerTls:
    """The TLS of an HTTPS listener. Protocols and ciphers are those of its security policy, with OpenSSL's names."""

    default: Certificate
    certificates: tuple[Certificate, ...]  # the listener's certificate list, from which SNI selects
    protocols: tuple[str, ...]  # `TLSv1.2`, in ascending order
    ciphers: tuple[str, ...]  # in order of preference; those of TLS 1.3 begin with `TLS_`


@dataclass(frozen=True)
class Listener:
    arn: str
    port: int
    protocol: str
    default_actions: tuple[Action, ...]
    rules: tuple[ListenerRule, ...]
    tls: ListenerTls | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class LoadBalancer:
    arn: str
    name: str
    dns_name: str
    scheme: Literal["internet-facing", "internal"]
    vpc_id: str
    interface_ids: tuple[str, ...]  # one per subnet, with the security groups of the load balancer
    listeners: tuple[Listener, ...]
    attributes: Mapping[str, str]


@dataclass(frozen=True)
class MountTarget:
    id: str
    interface_id: str


@dataclass(frozen=True)
class FileSystem:
    """A file system of EFS. Its mount targets are in one VPC, one in each zone."""

    id: str
    mount_targets: tuple[MountTarget, ...]


@dataclass(frozen=True)
class DatabaseOrigin:
    """The backup that the files of a restored DB instance come from.

    `snapshot` is the id of a `DatabaseSnapshot`. The binary logs of the DB instance `source` (its id) are applied until
    `until`, if there is a source.
    """

    snapshot: str
    source: str = ""
    until: datetime | None = None


@dataclass(frozen=True)
class Database:
    """A DB instance of RDS with its desired state. `id` is its DbiResourceId."""

    id: str
    name: str  # its identifier
    endpoint: str
    port: int
    interface_id: str
    gib: int  # the allocated storage
    stopped: bool
    generation: int  # incremented by each change of the fields below and above
    boots: int  # incremented by each RebootDBInstance
    user: str  # the master user
    password: str = field(repr=False)
    schema: str  # the database to create with the instance, or ""
    parameters: Mapping[str, str]  # of the server, with MariaDB's names
    logged: bool  # whether it writes binary logs, which a restore to a point in time needs
    origin: DatabaseOrigin | None = None
    standby_id: str = ""  # the network interface of the standby, or "" in one zone
    failovers: int = 0  # incremented by each failover that is requested


@dataclass(frozen=True)
class DatabaseSnapshot:
    """A DB snapshot, manual or automated. The data plane takes it while it is pending."""

    id: str
    database_id: str
    pending: bool


@dataclass(frozen=True)
class EdgeFunction:
    """The LIVE stage of a CloudFront function. A function without one is not in the `World`."""

    arn: str
    name: str
    runtime: Literal["cloudfront-js-1.0", "cloudfront-js-2.0"]
    code: bytes


@dataclass(frozen=True)
class Invalidation:
    """Paths to remove from the caches, as in the API: with a leading slash, `*` only at the end, URL-encoded."""

    id: str
    paths: tuple[str, ...]


@dataclass(frozen=True)
class Distribution:
    """A CloudFront distribution. A disabled one is also in the `World`, but it is not served."""

    id: str
    arn: str
    domain_name: str  # `d111111abcdef8.cloudfront.net`
    config: Mapping[str, object]  # the complete DistributionConfig with AWS' keys
    invalidations: tuple[Invalidation, ...] = ()  # those in progress
    certificate: Certificate | None = None  # for its aliases


@dataclass(frozen=True)
class RecordSet:
    """The records of one name and type. `name` is in lower case, with the final dot.

    Names and values are as in a zone file (RFC 1035, section 5.1). A record set with an alias has no values: `alias` is
    the name of a load balancer, of a distribution, or of another record set of the zone.
    """

    name: str
    type: str
    ttl: int
    values: tuple[str, ...]
    alias: str = ""


@dataclass(frozen=True)
class HostedZone:
    """A public hosted zone of Route 53. Zones with the same name have different delegation sets."""

    id: str
    name: str  # with the final dot
    delegation: int  # the number of its delegation set, as in `settings.NAME_SERVERS`
    version: int  # incremented by each change
    records: tuple[RecordSet, ...]


@dataclass(frozen=True)
class Unreadable:
    """A resource that cannot be read from the state. The `World` contains it as it was last read, if ever."""

    type: str  # a field of the `World`: `subnets`
    id: str
    why: str


@dataclass(frozen=True)
class World:
    """All resources for the data plane, by id (load balancers, target groups and edge functions by ARN).

    CloudFront's policies and origin access controls are the API's structures (CachePolicyConfig,
    OriginRequestPolicyConfig, ResponseHeadersPolicyConfig, OriginAccessControlConfig). Managed policies are included.
    """

    vpcs: Mapping[str, Vpc] = field(default_factory=dict)
    subnets: Mapping[str, Subnet] = field(default_factory=dict)
    route_tables: Mapping[str, RouteTable] = field(default_factory=dict)
    internet_gateways: Mapping[str, InternetGateway] = field(default_factory=dict)
    gateway_endpoints: Mapping[str, GatewayEndpoint] = field(default_factory=dict)
    nat_gateways: Mapping[str, NatGateway] = field(default_factory=dict)
    interfaces: Mapping[str, Interface] = field(default_factory=dict)
    security_groups: Mapping[str, SecurityGroup] = field(default_factory=dict)
    network_acls: Mapping[str, NetworkAcl] = field(default_factory=dict)
    instances: Mapping[str, Instance] = field(default_factory=dict)
    images: Mapping[str, Image] = field(default_factory=dict)
    target_groups: Mapping[str, TargetGroup] = field(default_factory=dict)
    load_balancers: Mapping[str, LoadBalancer] = field(default_factory=dict)
    file_systems: Mapping[str, FileSystem] = field(default_factory=dict)
    databases: Mapping[str, Database] = field(default_factory=dict)
    database_snapshots: Mapping[str, DatabaseSnapshot] = field(default_factory=dict)
    distributions: Mapping[str, Distribution] = field(default_factory=dict)
    edge_functions: Mapping[str, EdgeFunction] = field(default_factory=dict)
    cache_policies: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    origin_request_policies: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    response_headers_policies: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    origin_access_controls: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    hosted_zones: Mapping[str, HostedZone] = field(default_factory=dict)
    unreadable: tuple[Unreadable, ...] = ()

    @classmethod
    def names(cls) -> frozenset[str]:
        """Return the names of all fields."""
        return frozenset(each.name for each in fields(cls))

    def without(self, ids: Collection[str]) -> World:
        """Return the `World` without the resources with these ids, and without the resources of VPCs with these ids."""
        if not ids:
            return self
        kept: dict[str, Any] = {
            each.name: {
                key: value
                for key, value in getattr(self, each.name).items()
                if key not in ids and getattr(value, "vpc_id", None) not in ids
            }
            for each in fields(self)
            if each.name != "unreadable"
        }
        return replace(self, **kept)
