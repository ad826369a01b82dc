"""What the control plane says exists: the one language between the API and the data plane.

The control plane builds a `World` after every accepted write; fabric, hosts, balancers, edges and names each
derive from it what they must run. All of it is frozen and compares by value, so that "did anything
change?" is `==`. Field names follow the EC2, ELBv2 and CloudFront APIs, shortened where the type says the rest;
source: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Types.html,
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Types.html and
https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_Types.html
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, replace
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
    route_table_id: str  # the associated table, or the VPC's main one
    network_acl_id: str


@dataclass(frozen=True)
class Route:
    """One route; `target` is `local`, or the id of what it leads to, which may be gone (a black hole)."""

    destination: IPv4Network
    target: str


@dataclass(frozen=True)
class RouteTable:
    id: str
    vpc_id: str
    routes: tuple[Route, ...]
    endpoint_ids: tuple[str, ...] = ()  # gateway endpoints (S3) that put their prefix list into this table


@dataclass(frozen=True)
class InternetGateway:
    id: str
    vpc_id: str | None  # None while detached


@dataclass(frozen=True)
class GatewayEndpoint:
    """A gateway VPC endpoint; the lab serves S3 only."""

    id: str
    vpc_id: str
    service: str


InterfaceOwner = Literal["instance", "nat-gateway", "load-balancer", "none"]


@dataclass(frozen=True)
class Interface:
    """An elastic network interface with its primary private address."""

    id: str
    vpc_id: str
    subnet_id: str
    mac: str
    private_ip: IPv4Address
    public_ip: IPv4Address | None  # automatic or elastic, as DescribeNetworkInterfaces' Association tells
    security_group_ids: tuple[str, ...]  # empty for a NAT gateway: nothing filters it
    source_dest_check: bool
    owner: InterfaceOwner
    owner_id: str  # instance id, NAT gateway id or load balancer ARN; "" for none


@dataclass(frozen=True)
class NatGateway:
    id: str
    vpc_id: str
    subnet_id: str
    interface_id: str
    public_ip: IPv4Address | None


@dataclass(frozen=True)
class SecurityGroupRule:
    """`protocol` is `tcp`, `udp`, `icmp`, another IANA number, or `-1` for all; ports are None for all.

    For ICMP `from_port` is the type and `to_port` the code, -1 for any, as in the EC2 API.
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
    """One rule; protocol and ports as in SecurityGroupRule."""

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
    tags: bool = False  # InstanceMetadataTags: whether the instance may read its own tags there


@dataclass(frozen=True)
class Instance:
    """An instance as the API wants it; terminated ones are not in the world."""

    id: str
    image_id: str
    instance_type: str
    zone: str
    state: InstanceState
    interface_id: str  # the primary one
    key_name: str | None
    public_key: str | None  # OpenSSH format
    user_data: bytes
    metadata: MetadataOptions
    instance_profile_arn: str | None
    launch_time: str  # ISO 8601
    reboots: int = 0  # grows by one at every RebootInstances
    tags: Mapping[str, str] = field(default_factory=dict)
    role: str | None = None  # the name of the IAM role in its instance profile


@dataclass(frozen=True)
class Image:
    """An image made of an instance's disk: the data plane captures it while it is pending.

    It stays in the world after DeregisterImage for as long as an instance has it.
    """

    id: str
    instance_id: str  # whose disk it is
    no_reboot: bool  # captured as it is, in the middle of what the host does
    pending: bool


@dataclass(frozen=True)
class Target:
    id: str  # instance id or address, by the group's target type
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
    draining: tuple[Target, ...]  # deregistered, connections still draining
    attributes: Mapping[str, str]


@dataclass(frozen=True)
class Action:
    """A rule's or listener's action, as in the API: `config` holds its ForwardConfig, RedirectConfig or
    FixedResponseConfig (AWS' own keys), with `TargetGroups` always a list of {TargetGroupArn, Weight}."""

    type: Literal["forward", "redirect", "fixed-response"]
    config: Mapping[str, object]


@dataclass(frozen=True)
class Condition:
    """A rule's condition: `field` as in the API (`path-pattern`, `host-header`, `http-header`,
    `http-request-method`, `query-string`, `source-ip`), `values` its values, `name` a header's name."""

    field: str
    values: tuple[str, ...]
    name: str = ""


@dataclass(frozen=True)
class ListenerRule:
    arn: str
    priority: int  # ascending; the default rule is the listener's default_actions
    conditions: tuple[Condition, ...]
    actions: tuple[Action, ...]


@dataclass(frozen=True)
class Listener:
    arn: str
    port: int
    protocol: str
    default_actions: tuple[Action, ...]
    rules: tuple[ListenerRule, ...]


@dataclass(frozen=True)
class LoadBalancer:
    arn: str
    name: str
    dns_name: str
    scheme: Literal["internet-facing", "internal"]
    vpc_id: str
    interface_ids: tuple[str, ...]  # one per subnet; their security groups are the balancer's
    listeners: tuple[Listener, ...]
    attributes: Mapping[str, str]


@dataclass(frozen=True)
class EdgeFunction:
    """A CloudFront function as its LIVE stage has it; without one it is not in the world."""

    arn: str
    name: str
    runtime: Literal["cloudfront-js-1.0", "cloudfront-js-2.0"]
    code: bytes


@dataclass(frozen=True)
class Invalidation:
    """Paths that edges must forget, as in the API: with a leading slash, `*` at most at the end, URL-encoded."""

    id: str
    paths: tuple[str, ...]


@dataclass(frozen=True)
class Distribution:
    """A CloudFront distribution; a disabled one is in the world too, and answers nobody."""

    id: str
    arn: str
    domain_name: str  # `d111111abcdef8.cloudfront.net`
    config: Mapping[str, object]  # the API's DistributionConfig, whole and with AWS' own keys
    invalidations: tuple[Invalidation, ...] = ()  # those in progress


@dataclass(frozen=True)
class Unreadable:
    """A resource that is in the control plane's state, but cannot be read: it is in the world as it was read last, if
    it ever was."""

    type: str  # as the World's field: `subnets`
    id: str
    why: str


@dataclass(frozen=True)
class World:
    """Everything that the data plane follows, by id (load balancers, target groups and edge functions by ARN).

    The four kinds of CloudFront's reusable settings are the API's own structures (CachePolicyConfig,
    OriginRequestPolicyConfig, ResponseHeadersPolicyConfig, OriginAccessControlConfig), with those that AWS manages.
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
    distributions: Mapping[str, Distribution] = field(default_factory=dict)
    edge_functions: Mapping[str, EdgeFunction] = field(default_factory=dict)
    cache_policies: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    origin_request_policies: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    response_headers_policies: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    origin_access_controls: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    unreadable: tuple[Unreadable, ...] = ()

    def without(self, ids: Collection[str]) -> World:
        """The same without the resources that have these ids, and without what is in VPCs that have them."""
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
