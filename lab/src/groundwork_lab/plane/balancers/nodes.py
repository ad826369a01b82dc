"""The nodes of the load balancers and their servers. Pure functions.

A load balancer has a node in each of its subnets, on the network interface that ELB has there. A node sends requests to
the targets in all enabled zones, unless cross-zone load balancing is off for the target group.
https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/how-elastic-load-balancing-works.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from groundwork_lab.apart import Apart
from groundwork_lab.model import Action, Listener, LoadBalancer, Target, TargetGroup, World

# Each pool has three backends. Two of them have these suffixes: all servers regardless of their health, and the health
# checks, which need their own connect timeout.
OPEN = ".open"
CHECKS = ".checks"


@dataclass(frozen=True)
class Server:
    """A target as an HAProxy server. Its name is its address, which health checks send as the Host header."""

    name: str
    target: Target


@dataclass(frozen=True)
class Pool:
    """A target group as an HAProxy backend."""

    name: str
    group: TargetGroup
    servers: tuple[Server, ...]


@dataclass(frozen=True)
class Node:
    """One HAProxy: a load balancer in one of its subnets."""

    interface_id: str
    balancer: LoadBalancer
    pools: tuple[Pool, ...]


def nodes(world: World, apart: Apart) -> dict[str, Node]:
    """Return all nodes by interface id, without missing interfaces and without load balancers that fail in `apart`."""
    found: dict[str, Node] = {}
    for balancer in world.load_balancers.values():
        with apart.trying(balancer.arn):
            found |= {
                interface_id: Node(interface_id, balancer, tuple(_pools(world, balancer, interface_id)))
                for interface_id in balancer.interface_ids
                if interface_id in world.interfaces
            }
    return found


def pool_name(target_group_arn: str) -> str:
    """Return the group's name with the id from its ARN. A group that is created again with the same name differs."""
    return ".".join(target_group_arn.split("/")[-2:])


def target_groups_of(balancer: LoadBalancer) -> list[str]:
    """Return the ARNs of the target groups that the listeners and rules forward to, in order, without duplicates."""
    found = (arn for listener in balancer.listeners for action in actions_of(listener) for arn, _ in weights(action))
    return list(dict.fromkeys(found))


def actions_of(listener: Listener) -> Iterator[Action]:
    yield from listener.default_actions
    for rule in listener.rules:
        yield from rule.actions


def weights(action: Action) -> list[tuple[str, int]]:
    """Return the (target group ARN, weight) pairs of a forward action; none for other actions."""
    groups = cast("Iterable[Mapping[str, Any]]", action.config.get("TargetGroups", ()))
    return [(str(group["TargetGroupArn"]), int(group.get("Weight", 1))) for group in groups]


def _pools(world: World, balancer: LoadBalancer, interface_id: str) -> Iterator[Pool]:
    enabled = {_zone(world, each) for each in balancer.interface_ids if each in world.interfaces}
    for arn in target_groups_of(balancer):
        group = world.target_groups.get(arn)
        if group is None:
            continue
        local = group.attributes.get("load_balancing.cross_zone.enabled") == "false"
        zones = {_zone(world, interface_id)} if local else enabled
        yield Pool(pool_name(arn), group, tuple(_servers(world, group, zones)))


def _zone(world: World, interface_id: str) -> str:
    return world.subnets[world.interfaces[interface_id].subnet_id].zone


def _servers(world: World, group: TargetGroup, zones: set[str]) -> Iterator[Server]:
    for target in sorted(group.targets, key=lambda each: (each.id, each.port)):
        address = target.id if group.target_type == "ip" else _instance_address(world, target.id, zones)
        if address is not None:
            yield Server(f"{address}:{target.port}", target)


def _instance_address(world: World, instance_id: str, zones: set[str]) -> str | None:
    """Return the address of an instance that runs in one of the zones, or None for other instances."""
    instance = world.instances.get(instance_id)
    if instance is None or instance.state not in ("pending", "running") or instance.zone not in zones:
        return None
    interface = world.interfaces.get(instance.interface_id)
    return str(interface.private_ip) if interface is not None else None
