"""The output of `groundwork-lab status`, as JSON and as tables.

The JSON contains (addresses are strings, times are seconds):

- `lab`, `pid`, `started` (ISO 8601), `log`
- `api`, `s3`, `resolver`, `packages`: the addresses of the lab's own services on its internet
- `vpcs`: [{id, cidrs}]
- `interfaces`: [{id, vpc, subnet, private_ip, public_ip, owner, owner_id, groups}]
- `hosts`: [{id, name, state, reachable, private_ip, public_ip, zone, type, image, key}]
- `nat_gateways`: [{id, subnet, private_ip, public_ip}]
- `balancers`: [{name, arn, dns_name, scheme, addresses, listeners: [{port, protocol}], target_groups: [{name, arn,
  targets: [{id, port, name, state, reason, description}]}]}]
- `distributions`: [{id, domain, enabled, status, comment}]; status is `Deployed`, or `InProgress` until the edge serves
  the latest configuration
- `reconcile`: {passes, seconds, finished, parts: {part: {seconds, failures, error}}}
- `errors`: {part: message}, empty if there are none
- `unreadable`: [{type, id, why}]: resources in the API's state that cannot be read; the lab serves them as they were
  last read
- `calls`: {total, writes}: since the last reset
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from groundwork_lab.model import Distribution, Instance, Listener, LoadBalancer, Target, TargetGroup, World
from groundwork_lab.ports import HealthReport
from groundwork_lab.reconcile import LoopReport

Health = Callable[[str], Mapping[tuple[str, int], HealthReport]]
Row = Mapping[str, Any]


def of_world(
    world: World, reachable: Callable[[str], bool], health: Health, deployed: Callable[[str], bool]
) -> dict[str, list[Row]]:
    """Return the part of the status about the resources and their state in the data plane.

    `deployed` returns whether the edge serves the latest configuration of a distribution.
    """
    return {
        "vpcs": [{"id": vpc.id, "cidrs": [str(cidr) for cidr in vpc.cidrs]} for vpc in world.vpcs.values()],
        "interfaces": [_interface(world, each) for each in world.interfaces],
        "hosts": sorted((_host(world, each, reachable) for each in world.instances.values()), key=_by_name),
        "nat_gateways": [
            {"id": nat.id, "subnet": nat.subnet_id, **_addresses(world, nat.interface_id)}
            for nat in world.nat_gateways.values()
        ],
        "balancers": [_balancer(world, each, health) for each in world.load_balancers.values()],
        "distributions": [_distribution(each, deployed) for each in world.distributions.values()],
        "unreadable": [asdict(each) for each in world.unreadable],
    }


def of_loop(report: LoopReport) -> dict[str, Any]:
    """Return the part of the status about the loop of the data plane."""
    parts = {name: asdict(part) for name, part in report.parts.items()}
    loop = {"passes": report.passes, "seconds": report.seconds, "finished": report.finished, "parts": parts}
    return {"reconcile": loop, "errors": report.errors}


def _by_name(row: Row) -> tuple[str, str]:
    return (row["name"], row["id"])


def _addresses(world: World, interface_id: str) -> Row:
    interface = world.interfaces.get(interface_id)
    if interface is None:
        return {"private_ip": None, "public_ip": None}
    public = str(interface.public_ip) if interface.public_ip else None
    return {"private_ip": str(interface.private_ip), "public_ip": public}


def _interface(world: World, interface_id: str) -> Row:
    interface = world.interfaces[interface_id]
    return {
        "id": interface.id,
        "vpc": interface.vpc_id,
        "subnet": interface.subnet_id,
        **_addresses(world, interface_id),
        "owner": interface.owner,
        "owner_id": interface.owner_id,
        "groups": list(interface.security_group_ids),
    }


def _host(world: World, instance: Instance, reachable: Callable[[str], bool]) -> Row:
    return {
        "id": instance.id,
        "name": instance.tags.get("Name", ""),
        "state": instance.state,
        "reachable": instance.state == "running" and reachable(instance.id),
        **_addresses(world, instance.interface_id),
        "zone": instance.zone,
        "type": instance.instance_type,
        "image": instance.image_id,
        "key": instance.key_name,
    }


def _balancer(world: World, balancer: LoadBalancer, health: Health) -> Row:
    shown = "private_ip" if balancer.scheme == "internal" else "public_ip"
    groups = [world.target_groups[arn] for arn in target_groups_of(balancer) if arn in world.target_groups]
    return {
        "name": balancer.name,
        "arn": balancer.arn,
        "dns_name": balancer.dns_name,
        "scheme": balancer.scheme,
        "addresses": [_addresses(world, each)[shown] for each in balancer.interface_ids],
        "listeners": [{"port": each.port, "protocol": each.protocol} for each in balancer.listeners],
        "target_groups": [_target_group(world, group, health(group.arn)) for group in groups],
    }


def _distribution(distribution: Distribution, deployed: Callable[[str], bool]) -> Row:
    return {
        "id": distribution.id,
        "domain": distribution.domain_name,
        "enabled": distribution.config.get("Enabled"),
        "status": "Deployed" if deployed(distribution.id) else "InProgress",
        "comment": distribution.config.get("Comment"),
    }


def target_groups_of(balancer: LoadBalancer) -> list[str]:
    """Return the ARNs of the target groups that a load balancer's listeners and rules forward to, each once."""
    return list(dict.fromkeys(arn for listener in balancer.listeners for arn in _forwarded_to(listener)))


def _forwarded_to(listener: Listener) -> Iterable[str]:
    for action in [*listener.default_actions, *(each for rule in listener.rules for each in rule.actions)]:
        groups: Any = action.config.get("TargetGroups", ())
        yield from (group["TargetGroupArn"] for group in groups)


def _target_group(world: World, group: TargetGroup, health: Mapping[tuple[str, int], HealthReport]) -> Row:
    return {
        "name": group.name,
        "arn": group.arn,
        "targets": [_target(world, each, health) for each in (*group.targets, *group.draining)],
    }


def _target(world: World, target: Target, health: Mapping[tuple[str, int], HealthReport]) -> Row:
    instance = world.instances.get(target.id)
    return {
        "id": target.id,
        "port": target.port,
        "name": instance.tags.get("Name", "") if instance else "",
        **asdict(health.get((target.id, target.port), HealthReport("unused"))),
    }


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Return indented lines with aligned columns, or [] if there are no rows."""
    texts = [["" if cell is None else str(cell) for cell in row] for row in rows]
    if not texts:
        return []
    widths = [max(len(cell) for cell in column) for column in zip(heads, *texts, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in [heads, *texts]]
    return [f"  {line.rstrip()}" for line in lines]


def render(status: Mapping[str, Any]) -> str:
    """Return the status as text: first the state of the lab and its errors, then the resources."""
    sections = [
        _head(status),
        _errors(status["errors"]),
        _section("Not updated, because it cannot be read", table(UNREADABLE, _unreadable_rows(status["unreadable"]))),
        _section("Hosts", table(HOSTS, [_host_cells(each) for each in status["hosts"]])),
        _section("Balancers", _balancer_lines(status["balancers"])),
        _section(
            "Distributions", table(DISTRIBUTIONS, [_distribution_cells(each) for each in status["distributions"]])
        ),
        _section("NAT gateways", table(NATS, [[nat[key] for key in NATS_KEYS] for nat in status["nat_gateways"]])),
        _section("VPCs", table(VPCS, [_vpc_cells(vpc, status["interfaces"]) for vpc in status["vpcs"]])),
        _section("Data plane", table(PARTS, _part_rows(status["reconcile"]["parts"]))),
    ]
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


HOSTS = ("NAME", "ID", "STATE", "SSH", "PRIVATE", "PUBLIC", "ZONE", "TYPE")
DISTRIBUTIONS = ("ID", "DOMAIN", "ENABLED", "STATUS", "COMMENT")
NATS = ("ID", "SUBNET", "PRIVATE", "PUBLIC")
NATS_KEYS = ("id", "subnet", "private_ip", "public_ip")
VPCS = ("ID", "CIDRS", "INTERFACES")
PARTS = ("PART", "LAST PASS", "STATE")
UNREADABLE = ("TYPE", "ID", "WHY")
TARGETS = ("TARGET", "ID", "PORT", "STATE", "REASON")


def _head(status: Mapping[str, Any]) -> list[str]:
    loop, calls = status["reconcile"], status["calls"]
    behind = status["errors"] or status["unreadable"]
    state = "is up, but its data plane is not up to date" if behind else "is up"
    return [
        f"The lab '{status['lab']}' {state}.",
        f"  daemon    pid {status['pid']}, since {status['started']}, log {status['log']}",
        f"  API       {status['api']} (S3 {status['s3']}), {calls['total']} calls, {calls['writes']} of them writes",
        f"  names     {status['resolver']}, packages {status['packages']}",
        f"  updates   {loop['passes']}, the last one took {loop['seconds']:.2f} s",
    ]


def _errors(errors: Mapping[str, str]) -> list[str]:
    lines = [f"  {part}: {error}" for part, error in errors.items()]
    return ["Failing (retried):", *lines] if lines else []


def _unreadable_rows(unreadable: Sequence[Row]) -> list[list[object]]:
    return [[each["type"], each["id"], each["why"]] for each in unreadable]


def _section(title: str, lines: list[str]) -> list[str]:
    return [title, *lines] if lines else []


def _host_cells(host: Row) -> list[object]:
    answers = "yes" if host["reachable"] else "no"
    return [
        host["name"] or "-",
        host["id"],
        host["state"],
        answers if host["state"] == "running" else "-",
        *(host[key] or "-" for key in ("private_ip", "public_ip", "zone", "type")),
    ]


def _balancer_lines(balancers: Sequence[Row]) -> list[str]:
    lines = []
    for balancer in balancers:
        ports = ", ".join(f"{each['protocol']} {each['port']}" for each in balancer["listeners"]) or "no listener"
        addresses = " ".join(each or "-" for each in balancer["addresses"])
        lines += [f"  {balancer['name']} ({balancer['scheme']}, {ports})", f"    {balancer['dns_name']}  {addresses}"]
        for group in balancer["target_groups"]:
            rows = [_target_cells(each) for each in group["targets"]]
            lines += [f"    {group['name']}", *(f"    {line}" for line in table(TARGETS, rows) or ["  no targets"])]
    return lines


def _target_cells(target: Row) -> list[object]:
    why = ": ".join(filter(None, [target["reason"], target["description"]]))
    return [target["name"] or "-", target["id"], target["port"], target["state"], why]


def _distribution_cells(distribution: Row) -> list[object]:
    enabled = "yes" if distribution["enabled"] else "no"
    return [distribution["id"], distribution["domain"], enabled, distribution["status"], distribution["comment"]]


def _vpc_cells(vpc: Row, interfaces: Sequence[Row]) -> list[object]:
    return [vpc["id"], " ".join(vpc["cidrs"]), sum(each["vpc"] == vpc["id"] for each in interfaces)]


def _part_rows(parts: Mapping[str, Row]) -> list[list[object]]:
    return [
        [name, f"{part['seconds']:.3f} s", f"failed {part['failures']} times in a row" if part["error"] else "ok"]
        for name, part in parts.items()
    ]
