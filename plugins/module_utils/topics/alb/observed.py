# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the existing load balancers, in rounds of parallel calls, because ELB returns details only by ARN."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import (
    ENVIRONMENT,
    HELD,
    Owner,
    is_scaled,
    tag_dict,
    tag_filter,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Ids, Ref
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.options import (
    Balancers,
    ListenerWish,
    balancer_ref,
    dns_ref,
    zone_ref,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.routing import group_ref
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.tls import HTTPS
from ansible_collections.groundwork.aws.plugins.module_utils.topics.firewall.options import COMPONENT as FIREWALL
from ansible_collections.groundwork.aws.plugins.module_utils.topics.firewall.rules import group_ref as firewall_ref
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.options import COMPONENT as NETWORK
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.options import TIER, VPC, subnet_ref

Described = t.Mapping[str, t.Any]

TAGS_A_CALL = 20  # https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeTags.html
ALIVE = ("pending", "running")  # states of an instance that is or will be a target
MAINTENANCE = "groundwork:maintenance"  # a tag of the rules of the maintenance page, which `elbv2_maintenance` manages
HSTS_PORTS = "groundwork:hsts"  # a tag of a load balancer: the ports of its listeners with HSTS
MAINTENANCE_PRIORITIES = (1, 2)  # of the rule that lets administrators in, and of the page


@dataclass(frozen=True)
class Instance:
    """A server of the environment.

    One that is `scaled` is registered only by its Auto Scaling group. `held` is the reason why a server must not be
    registered before it serves what the others serve, or "".
    """

    id: str
    name: str
    tier: str
    state: str
    scaled: bool = False
    held: str = ""


@dataclass(frozen=True)
class Group:
    """An existing target group. `targets` are the registered targets as (id, port), without draining ones."""

    described: Described
    tags: t.Mapping[str, str]
    attributes: t.Mapping[str, str] = field(default_factory=dict)
    targets: frozenset[tuple[str, int]] = frozenset()

    @property
    def arn(self) -> str:
        return str(self.described["TargetGroupArn"])

    @property
    def balancers(self) -> frozenset[str]:
        """Return the ARNs of the load balancers that use the target group. AWS allows one."""
        return frozenset(self.described.get("LoadBalancerArns", ()))


@dataclass(frozen=True)
class Listener:
    """An existing listener. `rules` are by priority and without the default rule, or None if they were not read.

    `beside` are the certificates beside the default one, and `attributes` those of the listener, also None if not read.
    """

    described: Described
    rules: t.Mapping[int, Described] | None = None
    beside: frozenset[str] | None = None
    attributes: t.Mapping[str, str] | None = None

    @property
    def arn(self) -> str:
        return str(self.described["ListenerArn"])

    @property
    def certificate(self) -> str:
        """Return the ARN of the default certificate, or "" if it has none."""
        return next((str(one["CertificateArn"]) for one in self.described.get("Certificates", ())), "")


@dataclass(frozen=True)
class Balancer:
    """An existing load balancer, with its listeners by port."""

    described: Described
    tags: t.Mapping[str, str]
    attributes: t.Mapping[str, str] = field(default_factory=dict)
    listeners: t.Mapping[int, Listener] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        return str(self.described["LoadBalancerArn"])

    @property
    def active(self) -> bool:
        return bool(self.described["State"]["Code"] != "provisioning")


@dataclass(frozen=True)
class Observed:
    """The existing resources by name. `tags` are those of undeclared listeners and rules, and of rules that may be the
    maintenance page, by ARN."""

    groups: t.Mapping[str, Group] = field(default_factory=dict)
    balancers: t.Mapping[str, Balancer] = field(default_factory=dict)
    instances: tuple[Instance, ...] = ()
    subnets: t.Mapping[str, Described] = field(default_factory=dict)
    security_groups: t.Mapping[str, str] = field(default_factory=dict)
    tags: t.Mapping[str, t.Mapping[str, str]] = field(default_factory=dict)

    def ids(self) -> Ids:
        """Return the ids of the existing resources, by the references of a plan."""
        ids: Ids = {group_ref(name): group.arn for name, group in self.groups.items()}
        for name, balancer in self.balancers.items():
            ids[balancer_ref(name)] = balancer.arn
            ids[dns_ref(name)] = balancer.described["DNSName"]
            ids[zone_ref(name)] = balancer.described["CanonicalHostedZoneId"]
            ids.update({listener_ref(name, port): one.arn for port, one in balancer.listeners.items()})
        ids.update({Ref("server", one.name): one.id for one in self.instances if not one.scaled})
        ids.update({subnet_ref(name): subnet["SubnetId"] for name, subnet in self.subnets.items()})
        ids.update({firewall_ref(name): group_id for name, group_id in self.security_groups.items()})
        if self.subnets:
            ids[VPC] = next(iter(self.subnets.values()))["VpcId"]
        return ids


def listener_ref(balancer: str, port: int) -> Ref:
    """Return the reference to the ARN of a load balancer's listener."""
    return Ref("listener", f"{balancer}:{port}")


def look(owner: Owner, desired: Balancers, clients: Clients) -> Observed:
    """Return all existing resources, in 16 calls for two load balancers with a listener and a target group each."""
    first = observe(clients, _first_reads(owner))
    prefix = owner.name("")
    groups = {str(g["TargetGroupArn"]): g for g in first["groups"] if g["TargetGroupName"].startswith(prefix)}
    balancers = {str(b["LoadBalancerArn"]): b for b in first["balancers"] if b["LoadBalancerName"].startswith(prefix)}
    second = observe(clients, _second_reads(owner, desired, groups, balancers))
    tags = _tags(second, [*groups, *balancers])
    third = observe(clients, _third_reads(owner, desired, balancers, tags, second))
    found = Observed(
        groups={_short(owner, g["TargetGroupName"]): _group(g, tags.get(arn, {}), second) for arn, g in groups.items()},
        balancers={
            _short(owner, b["LoadBalancerName"]): _balancer(b, tags.get(arn, {}), {**second, **third})
            for arn, b in balancers.items()
        },
        instances=tuple(instances_of(first["instances"], owner)),
        subnets=Owner(owner.environment, NETWORK).by_name(first["subnets"]),
        security_groups={
            name: group["GroupId"]
            for name, group in Owner(owner.environment, FIREWALL).by_name(first["security groups"]).items()
        },
    )
    return _with_tags_of_strays(found, desired, clients)


def _short(owner: Owner, name: str) -> str:
    return name.removeprefix(owner.name(""))


def instances_read(owner: Owner) -> Read:
    """Return the read of the environment's instances that are not terminated or shutting down."""
    alive = {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}
    filters = [tag_filter(ENVIRONMENT, owner.environment), alive]
    return Read("ec2", "describe_instances", "Reservations", {"Filters": filters})


def _first_reads(owner: Owner) -> dict[str, Read]:
    return {
        "groups": Read("elbv2", "describe_target_groups", "TargetGroups"),
        "balancers": Read("elbv2", "describe_load_balancers", "LoadBalancers"),
        "instances": instances_read(owner),
        "subnets": Read("ec2", "describe_subnets", "Subnets", {"Filters": Owner(owner.environment, NETWORK).filters()}),
        "security groups": Read(
            "ec2",
            "describe_security_groups",
            "SecurityGroups",
            {"Filters": Owner(owner.environment, FIREWALL).filters()},
        ),
    }


def _second_reads(
    owner: Owner, desired: Balancers, groups: t.Mapping[str, Described], balancers: t.Mapping[str, Described]
) -> dict[str, Read]:
    """Return the reads of the tags of all candidates, twenty per call, and of the details of declared resources."""
    reads = _tag_reads([*groups, *balancers])
    wanted = {owner.name(wish.name) for wish in desired.target_groups}
    for arn, group in groups.items():
        if group["TargetGroupName"] in wanted:
            by_arn = {"TargetGroupArn": arn}
            reads[f"attributes {arn}"] = Read("elbv2", "describe_target_group_attributes", "Attributes", by_arn)
            reads[f"health {arn}"] = Read("elbv2", "describe_target_health", "TargetHealthDescriptions", by_arn)
    wanted = {owner.name(wish.name) for wish in desired.load_balancers}
    for arn, balancer in balancers.items():
        if balancer["LoadBalancerName"] in wanted:
            by_arn = {"LoadBalancerArn": arn}
            reads[f"attributes {arn}"] = Read("elbv2", "describe_load_balancer_attributes", "Attributes", by_arn)
            reads[f"listeners {arn}"] = Read("elbv2", "describe_listeners", "Listeners", by_arn)
    return reads


def _third_reads(
    owner: Owner,
    desired: Balancers,
    balancers: t.Mapping[str, Described],
    tags: t.Mapping[str, t.Mapping[str, str]],
    second: t.Mapping[str, list[t.Any]],
) -> dict[str, Read]:
    """Return the reads of the rules of declared listeners, or with purge of all listeners."""
    wishes = {owner.name(wish.name): wish for wish in desired.load_balancers}
    reads: dict[str, Read] = {}
    for arn, balancer in balancers.items():
        wish = wishes.get(balancer["LoadBalancerName"])
        hsts = tags.get(arn, {}).get(HSTS_PORTS, "").split()
        for listener in second.get(f"listeners {arn}", []):
            declared = wish.listener(listener["Port"]) if wish else None
            if desired.purge or declared:
                by_arn = {"ListenerArn": listener["ListenerArn"]}
                reads[f"rules {listener['ListenerArn']}"] = Read("elbv2", "describe_rules", "Rules", by_arn)
            if declared:
                reads.update(_tls_reads(listener, declared, purge=desired.purge, hsts=hsts))
        if not wish and desired.purge and owner.owns_tags(tags.get(arn, {})):
            by_arn = {"LoadBalancerArn": arn}
            reads[f"attributes {arn}"] = Read("elbv2", "describe_load_balancer_attributes", "Attributes", by_arn)
    return reads


def _tls_reads(listener: Described, wish: ListenerWish, *, purge: bool, hsts: t.Container[str]) -> dict[str, Read]:
    """Return the reads of what DescribeListeners does not tell of a declared HTTPS listener.

    `hsts` are the ports that have the header, as far as the tag of the load balancer tells.
    """
    if listener["Protocol"] != wish.protocol or wish.protocol != HTTPS:
        return {}
    arn, reads = listener["ListenerArn"], {}
    by_arn = {"ListenerArn": arn}
    if purge or len(wish.certificates) > 1:
        reads[f"certificates {arn}"] = Read("elbv2", "describe_listener_certificates", "Certificates", by_arn)
    if wish.hsts or str(wish.port) in hsts:
        reads[f"attributes {arn}"] = Read("elbv2", "describe_listener_attributes", "Attributes", by_arn)
    return reads


def _tag_reads(arns: t.Sequence[str]) -> dict[str, Read]:
    slices = [list(arns[start : start + TAGS_A_CALL]) for start in range(0, len(arns), TAGS_A_CALL)]
    return {
        f"tags {number}": Read("elbv2", "describe_tags", "TagDescriptions", {"ResourceArns": some})
        for number, some in enumerate(slices)
    }


def _tags(answers: t.Mapping[str, list[t.Any]], arns: t.Sequence[str]) -> dict[str, dict[str, str]]:
    told = [one for key, answer in answers.items() if key.startswith("tags ") for one in answer]
    return {one["ResourceArn"]: tag_dict(one) for one in told if one["ResourceArn"] in arns}


def tags_of(clients: Clients, arns: t.Sequence[str]) -> dict[str, dict[str, str]]:
    """Return the tags of the resources by ARN, in a call for each twenty."""
    return _tags(observe(clients, _tag_reads(arns)), arns)


def _with_tags_of_strays(found: Observed, desired: Balancers, clients: Clients) -> Observed:
    """Return the state with the tags of undeclared listeners and rules of declared load balancers.

    Rules with the priorities of the maintenance page may be the page, also where rules are declared. Make no call if
    there are none of these.
    """
    strays = [arn for balancer, wish in pairs(found, desired) for arn in stray_listeners(balancer, wish).values()]
    strays += [
        rule["RuleArn"]
        for balancer, wish in pairs(found, desired)
        for rules in stray_rules(balancer, wish).values()
        for rule in rules.values()
    ]
    strays += [rule["RuleArn"] for _name, rule in first_rules(found, desired)]
    if not strays:
        return found
    return replace(found, tags=tags_of(clients, list(dict.fromkeys(strays))))


def first_rules(found: Observed, desired: Balancers) -> list[tuple[str, Described]]:
    """Return the rules of declared listeners that have the priorities of the maintenance page, by the rule's name."""
    return [
        (f"{wish.name}:{listener.port}/{priority}", actual.rules[priority])
        for balancer, wish in pairs(found, desired)
        for listener in wish.listeners
        if (actual := balancer.listeners.get(listener.port)) and actual.rules
        for priority in MAINTENANCE_PRIORITIES
        if priority in actual.rules
    ]


def maintained(found: Observed, desired: Balancers) -> dict[str, str]:
    """Return the ARNs of the rules of the maintenance page, by the rule's name."""
    return {
        name: rule["RuleArn"]
        for name, rule in first_rules(found, desired)
        if MAINTENANCE in found.tags.get(rule["RuleArn"], {})
    }


def pairs(found: Observed, desired: Balancers) -> list[tuple[Balancer, t.Any]]:
    """Return the declared load balancers that exist, each with its declaration."""
    return [(found.balancers[wish.name], wish) for wish in desired.load_balancers if wish.name in found.balancers]


def stray_listeners(balancer: Balancer, wish: t.Any) -> dict[int, str]:
    """Return the ARNs of undeclared listeners, by port."""
    declared = {listener.port for listener in wish.listeners}
    return {port: listener.arn for port, listener in balancer.listeners.items() if port not in declared}


def stray_rules(balancer: Balancer, wish: t.Any) -> dict[int, dict[int, Described]]:
    """Return the undeclared rules of declared listeners, by port and priority."""
    found: dict[int, dict[int, Described]] = {}
    for listener in wish.listeners:
        actual = balancer.listeners.get(listener.port)
        declared = {rule.priority for rule in listener.rules}
        if actual and actual.rules:
            found[listener.port] = {p: rule for p, rule in actual.rules.items() if p not in declared}
    return found


def _group(described: Described, tags: t.Mapping[str, str], answers: t.Mapping[str, list[t.Any]]) -> Group:
    arn = described["TargetGroupArn"]
    health = answers.get(f"health {arn}", [])
    return Group(
        described,
        tags,
        _attributes(answers.get(f"attributes {arn}", [])),
        frozenset(
            (one["Target"]["Id"], one["Target"]["Port"]) for one in health if one["TargetHealth"]["State"] != "draining"
        ),
    )


def _balancer(described: Described, tags: t.Mapping[str, str], answers: t.Mapping[str, list[t.Any]]) -> Balancer:
    arn = described["LoadBalancerArn"]
    listeners = {
        int(listener["Port"]): _listener(listener, answers) for listener in answers.get(f"listeners {arn}", [])
    }
    return Balancer(described, tags, _attributes(answers.get(f"attributes {arn}", [])), listeners)


def _listener(described: Described, answers: t.Mapping[str, list[t.Any]]) -> Listener:
    arn = described["ListenerArn"]
    certificates, attributes = answers.get(f"certificates {arn}"), answers.get(f"attributes {arn}")
    beside = None
    if certificates is not None:
        beside = frozenset(str(one["CertificateArn"]) for one in certificates if not one["IsDefault"])
    own = None if attributes is None else _attributes(attributes)
    return Listener(described, _rules(answers.get(f"rules {arn}")), beside, own)


def _rules(answer: list[t.Any] | None) -> dict[int, Described] | None:
    if answer is None:
        return None
    return {int(rule["Priority"]): rule for rule in answer if not rule["IsDefault"]}


def _attributes(answer: list[t.Any]) -> dict[str, str]:
    return {one["Key"]: one.get("Value", "") for one in answer}


def instances_of(reservations: t.Iterable[Described], owner: Owner) -> t.Iterator[Instance]:
    """Return the servers in a response of DescribeInstances."""
    for reservation in reservations:
        for instance in reservation["Instances"]:
            tags = tag_dict(instance)
            state, held = instance["State"]["Name"], tags.get(HELD, "")
            name, tier = owner.short(tags), tags.get(TIER, "")
            yield Instance(instance["InstanceId"], name, tier, state, is_scaled(instance), held)
