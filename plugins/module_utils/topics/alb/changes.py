# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan the changes to an environment's load balancers. These functions are pure."""

from __future__ import annotations

import typing as t
from collections import Counter
from dataclasses import replace

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import SECURITY_GROUP_ID
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner, tag_list
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import (
    KNOWN_AFTER_APPLY,
    Call,
    Change,
    Ids,
    Lookup,
    Ref,
    Wait,
    resolve,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.observed import (
    ALIVE,
    HSTS_PORTS,
    MAINTENANCE,
    MAINTENANCE_PRIORITIES,
    Balancer,
    Described,
    Group,
    Listener,
    Observed,
    listener_ref,
    maintained,
    pairs,
    stray_listeners,
    stray_rules,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.options import (
    FREE_ADDRESSES,
    LONGEST_PREFIX,
    Balancers,
    BalancerWish,
    ListenerWish,
    RuleWish,
    TargetGroupWish,
    balancer_ref,
    check_sizes,
    dns_ref,
    forwards_to,
    zone_ref,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.routing import (
    comparable_actions,
    comparable_conditions,
    group_ref,
    header_values,
    listed,
    with_values,
    without_secrets,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.tls import HSTS, HTTPS, hsts_header
from ansible_collections.groundwork.aws.plugins.module_utils.topics.firewall.rules import group_ref as firewall_ref
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.options import VPC, subnet_ref

# AWS takes two to four minutes to activate a load balancer.
DEADLINE = 600.0


def elb(operation: str, /, **arguments: t.Any) -> Call:
    """Return a call of Elastic Load Balancing."""
    return Call("elbv2", operation, arguments)


def _named(plural: str, result: str, name: str, absent: str) -> Lookup:
    """Return how to find a resource whose name only one resource of the region can have."""
    return Lookup(f"describe_{plural}", result, {"Names": [name]}, absent=(absent,))


def plan_balancers(desired: Balancers, observed: Observed, owner: Owner) -> list[Change]:
    """Return the changes: first target groups, then load balancers, then removals of undeclared resources."""
    ids = observed.ids()
    tags = list(_tag_changes(desired, observed, owner))
    telling = [change for change in tags if _tells_new_hsts(change)]
    changes = [
        *telling,
        *(change for wish in desired.target_groups for change in _group_changes(wish, observed, owner)),
        *(change for wish in desired.target_groups for change in _target_changes(wish, desired, observed)),
        *(change for wish in desired.load_balancers for change in _balancer_changes(wish, observed, owner, ids)),
        *(
            change
            for wish in desired.load_balancers
            for change in _listener_changes(wish, desired, observed, owner, ids)
        ),
        *(change for change in tags if change not in telling),
        *(_removals(desired, observed, owner) if desired.purge else ()),
    ]
    return _awaiting(changes, desired, observed) if desired.wait else changes


def check(desired: Balancers, observed: Observed, owner: Owner, problems: Problems, *, check_mode: bool) -> None:
    """Add to `problems` what AWS would refuse, given the existing resources."""
    for position, wish in enumerate(desired.target_groups):
        where = f"target_groups[{position}]"
        group = observed.groups.get(wish.name)
        if group:
            what = f"the target group '{owner.name(wish.name)}' ({group.described['TargetGroupArn']})"
            _check_ours(group.tags, what, where, owner, problems)
            _check_fixed(wish, group, where, problems)
    for position, balancer_wish in enumerate(desired.load_balancers):
        where = f"load_balancers[{position}]"
        balancer = observed.balancers.get(balancer_wish.name)
        if balancer:
            what = f"the load balancer '{owner.name(balancer_wish.name)}' ({balancer.described['LoadBalancerArn']})"
            _check_ours(balancer.tags, what, where, owner, problems)
            _check_scheme(balancer_wish, balancer, where, problems)
        before = {one.name: forwards_to(one) for one in desired.load_balancers[:position]}
        _check_holders(balancer_wish, observed, before, where, problems)
        _check_priorities(balancer_wish, observed, desired, where, problems)
        if not check_mode:  # in check mode the network may not exist yet, nor a certificate
            _check_references(balancer_wish, observed, where, problems)
            _check_certificates(balancer_wish, where, problems)
        _check_subnets(balancer_wish, observed, where, problems)
    if not check_mode:
        _check_launched(desired, observed, problems)
    if not check_mode and not observed.subnets and not desired.load_balancers:
        problems.add_missing(
            "environment_name", "the environment has no subnets", "run ec2_vpc_network (the role network) first"
        )
    if desired.purge:
        _check_protected(desired, observed, owner, problems)


def _check_certificates(wish: BalancerWish, where: str, problems: Problems) -> None:
    for position, listener in enumerate(wish.listeners):
        if KNOWN_AFTER_APPLY in listener.certificates:
            place = f"{where}.listeners[{position}].certificates"
            problems.add(place, "the certificate does not exist", "run acm_certificates (the role dns) first")


def _check_launched(desired: Balancers, observed: Observed, problems: Problems) -> None:
    """Add to `problems` the tiers of which EC2 does not report all servers: it may not tell of new ones yet."""
    there = Counter(one.tier for one in observed.instances if not one.scaled)
    for tier, count in sorted(Counter(desired.planned.values()).items()):
        if there[tier] < count:
            wrong = f"EC2 reports {there[tier]} of {count} servers of the tier '{tier}'"
            problems.add_missing("planned_servers", wrong, "run ec2_instance_group (the role servers) first")


def _check_ours(tags: t.Mapping[str, str], what: str, where: str, owner: Owner, problems: Problems) -> None:
    if not owner.owns_tags(tags):
        problems.add(f"{where}.name", *owner.foreign(what, tags))


def _check_fixed(wish: TargetGroupWish, group: Group, where: str, problems: Problems) -> None:
    for option, key, wanted in (("protocol", "Protocol", wish.protocol), ("port", "Port", wish.port)):
        actual = group.described.get(key)
        if actual != wanted:
            wrong = f"the target group has the {option} {actual}, which AWS cannot change"
            problems.add(f"{where}.{option}", wrong, f"keep {actual}, or give the target group another name")


def _check_scheme(wish: BalancerWish, balancer: Balancer, where: str, problems: Problems) -> None:
    actual = balancer.described["Scheme"]
    if actual != wish.scheme:
        wrong = f"the load balancer is {actual}, which AWS cannot change"
        problems.add(f"{where}.scheme", wrong, f"keep {actual}, or give the load balancer another name")


def _check_holders(
    wish: BalancerWish, observed: Observed, before: t.Mapping[str, t.Collection[str]], where: str, problems: Problems
) -> None:
    """Add to `problems` the target groups that another load balancer uses: TargetGroupAssociationLimit.

    `before` are the target groups of the load balancers that are changed before this one. One that does not forward to
    a target group any more has released it by then.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
    """
    own = observed.balancers[wish.name].arn if wish.name in observed.balancers else ""
    names = {balancer.arn: name for name, balancer in observed.balancers.items()}
    for name in sorted(forwards_to(wish) & observed.groups.keys()):
        for holder in sorted(observed.groups[name].balancers - {own}):
            other = names.get(holder, holder)
            if name in before.get(other, (name,)):
                wrong = f"the load balancer '{other}' uses the target group '{name}', and only one can"
                right = f"declare another target group here, or run first without '{name}' in '{other}'"
                add = problems.add if holder in names else problems.add_missing  # one that is deleted stays for a while
                add(f"{where}.listeners", wrong, right)


def _check_priorities(
    wish: BalancerWish, observed: Observed, desired: Balancers, where: str, problems: Problems
) -> None:
    """Add to `problems` declared rules whose priority the maintenance page has."""
    page = maintained(observed, desired)
    for at, listener in enumerate(wish.listeners):
        for position, rule in enumerate(listener.rules):
            if f"{wish.name}:{listener.port}/{rule.priority}" in page:
                wrong = f"the maintenance page has the priority {rule.priority} now"
                right = f"use a priority above {MAINTENANCE_PRIORITIES[-1]}, or hide the page first (elbv2_maintenance)"
                problems.add(f"{where}.listeners[{at}].rules[{position}].priority", wrong, right)


def _check_references(wish: BalancerWish, observed: Observed, where: str, problems: Problems) -> None:
    for name in wish.subnets:
        if name not in observed.subnets:
            right = f"use some of {listed(observed.subnets)}"
            problems.add_missing(f"{where}.subnets", f"'{name}' is not a subnet of the environment", right)
    for name in wish.security_groups:
        if name not in observed.security_groups and not SECURITY_GROUP_ID.fullmatch(name):
            right = f"use some of {listed(observed.security_groups)}"
            problems.add_missing(
                f"{where}.security_groups", f"'{name}' is not a security group of the environment", right
            )


def _check_subnets(wish: BalancerWish, observed: Observed, where: str, problems: Problems) -> None:
    """Add to `problems` subnets that are new to the load balancer, and too small or too full for it."""
    balancer = observed.balancers.get(wish.name)
    used = {zone["SubnetId"] for zone in balancer.described["AvailabilityZones"]} if balancer else set()
    there = {name: observed.subnets[name] for name in wish.subnets if name in observed.subnets}
    new = {name: subnet for name, subnet in there.items() if subnet["SubnetId"] not in used}
    prefixes = {name: int(subnet["CidrBlock"].partition("/")[2]) for name, subnet in new.items()}
    check_sizes(prefixes, f"{where}.subnets", problems)
    for name, subnet in sorted(new.items()):
        free = subnet.get("AvailableIpAddressCount", FREE_ADDRESSES)
        if free < FREE_ADDRESSES and prefixes[name] <= LONGEST_PREFIX:
            wrong = f"the subnet '{name}' ({subnet['SubnetId']}) has {free} free addresses"
            problems.add(f"{where}.subnets", wrong, f"free some: a load balancer needs {FREE_ADDRESSES} in each subnet")


def _check_protected(desired: Balancers, observed: Observed, owner: Owner, problems: Problems) -> None:
    for name, balancer in undeclared_balancers(desired, observed, owner).items():
        if balancer.attributes.get("deletion_protection.enabled") == "true":
            wrong = f"the load balancer '{name}' is not declared, and deletion protection is enabled"
            right = "declare it with deletion_protection: false first, declare it again, or turn purge off"
            problems.add("load_balancers", wrong, right)


def undeclared_balancers(desired: Balancers, observed: Observed, owner: Owner) -> dict[str, Balancer]:
    """Return the owner's load balancers that are not declared."""
    declared = {wish.name for wish in desired.load_balancers}
    return {n: b for n, b in observed.balancers.items() if n not in declared and owner.owns_tags(b.tags)}


def undeclared_groups(desired: Balancers, observed: Observed, owner: Owner) -> dict[str, Group]:
    """Return the owner's target groups that are not declared."""
    declared = {wish.name for wish in desired.target_groups}
    return {n: g for n, g in observed.groups.items() if n not in declared and owner.owns_tags(g.tags)}


def _group_changes(wish: TargetGroupWish, observed: Observed, owner: Owner) -> t.Iterator[Change]:
    ref, group = group_ref(wish.name), observed.groups.get(wish.name)
    if not group:
        yield _group_creation(wish, owner)
        return
    before = {key: group.described.get(key) for key in wish.health_check}
    if before != wish.health_check:
        call = elb("modify_target_group", TargetGroupArn=ref, **wish.health_check)
        yield Change("update", "health check", wish.name, (call,), before, wish.health_check)
    drift = _drift(wish.attributes, group.attributes)
    if drift:
        call = elb("modify_target_group_attributes", TargetGroupArn=ref, Attributes=tag_list(drift))
        was = {key: group.attributes.get(key) for key in drift}
        yield Change("update", "target group attributes", wish.name, (call,), was, drift)


def _group_creation(wish: TargetGroupWish, owner: Owner) -> Change:
    ref = group_ref(wish.name)
    create = elb(
        "create_target_group",
        Name=owner.name(wish.name),
        Protocol=wish.protocol,
        Port=wish.port,
        VpcId=VPC,
        TargetType="instance",
        **wish.health_check,
        Tags=tag_list(owner.tags(wish.name)),
    ).yielding(ref, "TargetGroups.0.TargetGroupArn")
    create = create.found_by(_named("target_groups", "TargetGroups", owner.name(wish.name), "TargetGroupNotFound"))
    attributes = elb("modify_target_group_attributes", TargetGroupArn=ref, Attributes=tag_list(wish.attributes))
    after = {
        "arn": ref,
        "protocol": wish.protocol,
        "port": wish.port,
        **wish.health_check,
        "attributes": wish.attributes,
    }
    return Change("create", ref.resource, wish.name, (create, attributes), after=after)


def _drift(wanted: t.Mapping[str, str], actual: t.Mapping[str, str]) -> dict[str, str]:
    """Return the declared attributes whose actual values differ. Other attributes stay unchanged."""
    return {key: value for key, value in wanted.items() if actual.get(key) != value}


def _target_changes(wish: TargetGroupWish, desired: Balancers, observed: Observed) -> t.Iterator[Change]:
    """Yield changes that register the tier's servers, except held ones, and deregister the environment's other ones.

    Targets that are not servers of the environment are deregistered only with purge.
    """
    group = observed.groups.get(wish.name)
    registered = group.targets if group else frozenset()
    serving = [instance for instance in observed.instances if _serves(instance, wish)]
    there = {instance.name: instance.id for instance in serving}
    planned = {name for name, tier in desired.planned.items() if tier == wish.tier and name not in there}
    held = {instance.name for instance in serving if instance.held}
    missing = [name for name, id_ in sorted(there.items()) if (id_, wish.port) not in registered and name not in held]
    names = [*missing, *sorted(planned)]
    ref = group_ref(wish.name)
    if names:
        targets = [{"Id": Ref("server", name), "Port": wish.port} for name in names]
        call = elb("register_targets", TargetGroupArn=ref, Targets=targets).safe_to_repeat()
        after = {name: Ref("server", name) for name in names}
        yield Change("create", "targets", wish.name, (call,), after=after)
    gone = sorted(_leaving(wish, registered, desired, observed))
    if gone:
        call = elb("deregister_targets", TargetGroupArn=ref, Targets=[{"Id": i, "Port": p} for i, p in gone])
        yield Change("delete", "targets", wish.name, (call,), {"targets": [f"{i}:{p}" for i, p in gone]})


def _serves(instance: t.Any, wish: TargetGroupWish) -> bool:
    return bool(instance.tier == wish.tier and instance.state in ALIVE and not instance.scaled)


def _leaving(
    wish: TargetGroupWish, registered: t.Iterable[tuple[str, int]], desired: Balancers, observed: Observed
) -> t.Iterator[tuple[str, int]]:
    tiers = {instance.id: instance.tier for instance in observed.instances}
    scaled = {instance.id for instance in observed.instances if instance.scaled}
    for instance_id, port in (target for target in registered if target[0] not in scaled):
        tier = tiers.get(instance_id)
        belongs = tier == wish.tier and port == wish.port
        if not belongs and (tier is not None or desired.purge):
            yield instance_id, port


def _firewall(name: str) -> t.Any:
    return name if SECURITY_GROUP_ID.fullmatch(name) else firewall_ref(name)


def _balancer_changes(wish: BalancerWish, observed: Observed, owner: Owner, ids: Ids) -> t.Iterator[Change]:
    ref, balancer = balancer_ref(wish.name), observed.balancers.get(wish.name)
    subnets = [subnet_ref(name) for name in wish.subnets]
    groups = [_firewall(name) for name in wish.security_groups]
    if not balancer:
        yield _balancer_creation(wish, subnets, groups, owner)
        return
    actual = {zone["SubnetId"] for zone in balancer.described["AvailabilityZones"]}
    if _known(subnets, ids) != actual:
        call = elb("set_subnets", LoadBalancerArn=ref, Subnets=subnets)
        yield Change("update", "subnets", wish.name, (call,), {"subnets": sorted(actual)}, {"subnets": subnets})
    actual = set(balancer.described.get("SecurityGroups", ()))
    if _known(groups, ids) != actual:
        call = elb("set_security_groups", LoadBalancerArn=ref, SecurityGroups=groups)
        was = {"security_groups": sorted(actual)}
        yield Change("update", "security groups", wish.name, (call,), was, {"security_groups": groups})
    drift = _drift(wish.attributes, balancer.attributes)
    if drift:
        call = elb("modify_load_balancer_attributes", LoadBalancerArn=ref, Attributes=tag_list(drift))
        before = {key: balancer.attributes.get(key) for key in drift}
        yield Change("update", "load balancer attributes", wish.name, (call,), before, drift)


def _known(refs: t.Iterable[t.Any], ids: Ids) -> set[t.Any]:
    return {resolve(ref, ids, unknown=KNOWN_AFTER_APPLY) for ref in refs}


def _balancer_creation(wish: BalancerWish, subnets: list[Ref], groups: list[t.Any], owner: Owner) -> Change:
    ref = balancer_ref(wish.name)
    create = (
        elb(
            "create_load_balancer",
            Name=owner.name(wish.name),
            Type="application",
            Scheme=wish.scheme,
            Subnets=subnets,
            SecurityGroups=groups,
            Tags=tag_list(_wanted_tags(wish, owner, {})),
        )
        .found_by(_named("load_balancers", "LoadBalancers", owner.name(wish.name), "LoadBalancerNotFound"))
        .yielding(ref, "LoadBalancers.0.LoadBalancerArn")
        .yielding(dns_ref(wish.name), "LoadBalancers.0.DNSName")
        .yielding(zone_ref(wish.name), "LoadBalancers.0.CanonicalHostedZoneId")
    )
    attributes = elb("modify_load_balancer_attributes", LoadBalancerArn=ref, Attributes=tag_list(wish.attributes))
    after = {
        "arn": ref,
        "dns_name": dns_ref(wish.name),
        "scheme": wish.scheme,
        "subnets": subnets,
        "security_groups": groups,
        "attributes": wish.attributes,
    }
    return Change("create", ref.resource, wish.name, (create, attributes), after=after)


def _awaiting(changes: list[Change], desired: Balancers, observed: Observed) -> list[Change]:
    """Return the changes with a wait for each load balancer that is new or provisioning to be active."""
    waiting = list(changes)
    for wish in desired.load_balancers:
        balancer = observed.balancers.get(wish.name)
        if balancer and balancer.active:
            continue
        ref = balancer_ref(wish.name)
        last = max((i for i, change in enumerate(waiting) if _concerns(change, wish)), default=None)
        if last is None:
            before, after = {"state": "provisioning"}, {"state": "active"}
            waiting.append(Change("update", ref.resource, ref.name, (), before, after, wait=_active(ref)))
        else:
            waiting[last] = replace(waiting[last], wait=_active(ref))
    return waiting


def _concerns(change: Change, wish: BalancerWish) -> bool:
    ports = {f"{wish.name}:{listener.port}" for listener in wish.listeners}
    return (change.resource == "load balancer" and change.name == wish.name) or (
        change.resource == "listener" and change.name in ports
    )


def _active(ref: Ref) -> Wait:
    return Wait(
        f"the load balancer {ref.name} to be active",
        elb("describe_load_balancers", LoadBalancerArns=[ref]),
        lambda answer: all(b["State"]["Code"] != "provisioning" for b in answer.get("LoadBalancers", [])),
        _failure,
        DEADLINE,
    )


def _failure(answer: t.Mapping[str, t.Any]) -> str | None:
    for balancer in answer.get("LoadBalancers", []):
        if balancer["State"]["Code"] == "failed":
            return f"{balancer['LoadBalancerName']}: {balancer['State'].get('Reason', 'AWS reports no reason')}"
    return None


def _listener_changes(
    wish: BalancerWish, desired: Balancers, observed: Observed, owner: Owner, ids: Ids
) -> t.Iterator[Change]:
    """Yield the changes of listeners: HTTPS ones first, so that a redirect leads to one that works.

    Rules come before a changed default action, which may refuse the requests that only a rule accepts.
    """
    balancer = observed.balancers.get(wish.name)
    for listener in sorted(wish.listeners, key=lambda one: one.protocol != HTTPS):
        actual = balancer.listeners.get(listener.port) if balancer else None
        if actual is None:
            yield _listener_creation(wish, listener, owner)
        for rule in listener.rules:
            found = (actual.rules or {}).get(rule.priority) if actual else None
            wanted = with_former(rule, found) if desired.rotating else rule
            yield from _rule_changes(f"{wish.name}:{listener.port}", wanted, found, owner, ids)
        if actual and _differs(listener, actual, ids):
            yield _listener_update(wish, listener, actual)
        if actual:
            yield from _tls_changes(wish, listener, actual, purge=desired.purge)


def _same_action(wanted: t.Mapping[str, t.Any], actual: t.Sequence[t.Mapping[str, t.Any]], ids: Ids) -> bool:
    resolved = resolve(wanted, ids, unknown=KNOWN_AFTER_APPLY)
    return bool(comparable_actions([resolved]) == comparable_actions(actual))


def _differs(wish: ListenerWish, actual: Listener, ids: Ids) -> bool:
    same = (
        actual.described["Protocol"] == wish.protocol
        and wish.certificates[:1] == ((actual.certificate,) if actual.certificate else ())
        and wish.tls_policy == actual.described.get("SslPolicy", "")
    )
    return not (same and _same_action(wish.action, actual.described["DefaultActions"], ids))


def _listener_creation(balancer: BalancerWish, wish: ListenerWish, owner: Owner) -> Change:
    ref = listener_ref(balancer.name, wish.port)
    create = elb(
        "create_listener",
        LoadBalancerArn=balancer_ref(balancer.name),
        Protocol=wish.protocol,
        Port=wish.port,
        DefaultActions=[wish.action],
        **_tls(wish),
        Tags=tag_list(owner.tags(f"{balancer.name}-{wish.port}")),
    ).yielding(ref, "Listeners.0.ListenerArn")
    arguments = {"LoadBalancerArn": balancer_ref(balancer.name)}
    create = create.found_by(
        Lookup("describe_listeners", "Listeners", arguments, lambda item: item["Port"] == wish.port)
    )
    after = {"protocol": wish.protocol, "port": wish.port, "default_action": wish.action, **_told_tls(wish)}
    more = [_beside(ref, wish.certificates[1:])] if wish.certificates[1:] else []
    if wish.hsts:
        more.append(_hsts(ref, wish))
    return Change("create", ref.resource, ref.name, (create, *more), after=after)


def _tls(wish: ListenerWish) -> dict[str, t.Any]:
    """Return the arguments of CreateListener and ModifyListener that an HTTPS listener has."""
    if wish.protocol != HTTPS:
        return {}
    return {"SslPolicy": wish.tls_policy, "Certificates": [{"CertificateArn": wish.certificates[0]}]}


def _told_tls(wish: ListenerWish) -> dict[str, t.Any]:
    if wish.protocol != HTTPS:
        return {}
    own: dict[str, t.Any] = {"tls_policy": wish.tls_policy, "certificates": list(wish.certificates)}
    return {**own, "hsts": hsts_header(wish.hsts)} if wish.hsts else own


def _beside(listener: Ref, arns: t.Iterable[str]) -> Call:
    """Return the call that adds certificates beside the default one. Those that are there already have no effect."""
    certificates = [{"CertificateArn": arn} for arn in arns]
    return elb("add_listener_certificates", ListenerArn=listener, Certificates=certificates)


def _hsts(listener: Ref, wish: ListenerWish) -> Call:
    attributes = [{"Key": HSTS, "Value": hsts_header(wish.hsts)}]
    return elb("modify_listener_attributes", ListenerArn=listener, Attributes=attributes)


def _tls_changes(balancer: BalancerWish, wish: ListenerWish, actual: Listener, *, purge: bool) -> t.Iterator[Change]:
    """Yield the changes of the certificates beside the default one, and of HSTS, as far as they were read."""
    ref, wanted = listener_ref(balancer.name, wish.port), set(wish.certificates[1:])
    present = actual.beside or frozenset()
    if missing := [arn for arn in wish.certificates[1:] if arn not in present]:
        before, after = {"certificates": sorted(present)}, {"certificates": sorted(present | wanted)}
        yield Change("update", "certificates", ref.name, (_beside(ref, missing),), before, after)
    if purge and (extra := sorted(present - wanted - {actual.certificate})):
        certificates = [{"CertificateArn": arn} for arn in extra]
        call = elb("remove_listener_certificates", ListenerArn=ref, Certificates=certificates)
        yield Change("delete", "certificates", ref.name, (call,), {"certificates": extra})
    header = (actual.attributes or {}).get(HSTS, "")
    if header != hsts_header(wish.hsts):
        states = {"hsts": header}, {"hsts": hsts_header(wish.hsts)}
        yield Change("update", "listener attributes", ref.name, (_hsts(ref, wish),), *states)


def _listener_update(balancer: BalancerWish, wish: ListenerWish, actual: Listener) -> Change:
    ref = listener_ref(balancer.name, wish.port)
    call = elb("modify_listener", ListenerArn=ref, Protocol=wish.protocol, DefaultActions=[wish.action], **_tls(wish))
    before = {"protocol": actual.described["Protocol"], "default_action": actual.described["DefaultActions"]}
    after = {"protocol": wish.protocol, "default_action": [wish.action]}
    if wish.protocol != HTTPS:
        return Change("update", ref.resource, ref.name, (call,), before, after)
    # The former certificate stays until the names that only it has lead elsewhere for all clients.
    former = actual.certificate if actual.certificate not in wish.certificates else ""
    keep = (_beside(ref, [former]),) if former else ()
    before |= {"tls_policy": actual.described.get("SslPolicy"), "certificates": [actual.certificate]}
    return Change("update", ref.resource, ref.name, (*keep, call), before, {**after, **_told_tls(wish)})


def with_former(rule: RuleWish, found: Described | None) -> RuleWish:
    """Return the rule, which also accepts the secrets that the existing one accepts."""
    wanted, actual = header_values(rule.conditions), header_values(found["Conditions"] if found else ())
    values = {
        name: [*wanted[name], *(one for one in actual[name] if one not in wanted[name])]
        for name in rule.secret_headers & actual.keys()
    }
    return replace(rule, conditions=tuple(with_values(rule.conditions, values)))


def rules_with_former(desired: Balancers, observed: Observed) -> list[str]:
    """Return the names of the rules that accept former secrets too after the run, as <load balancer>:<port>/<priority>.

    There are none if the secrets are not rotating.
    """
    return [
        f"{wish.name}:{listener.port}/{rule.priority}"
        for balancer, wish in pairs(observed, desired)
        for listener in wish.listeners
        for rule in listener.rules
        if desired.rotating
        and (actual := balancer.listeners.get(listener.port))
        and with_former(rule, (actual.rules or {}).get(rule.priority)) != rule
    ]


def _shown_rule(
    conditions: t.Sequence[t.Any], actions: t.Sequence[t.Any], headers: t.Iterable[str]
) -> dict[str, t.Any]:
    return {"Conditions": without_secrets(conditions, headers), "Actions": list(actions)}


def _rule_changes(listener: str, rule: RuleWish, found: Described | None, owner: Owner, ids: Ids) -> t.Iterator[Change]:
    name = f"{listener}/{rule.priority}"
    content = {"Conditions": list(rule.conditions), "Actions": [rule.action]}
    after = _shown_rule(rule.conditions, [rule.action], rule.secret_headers)
    if found is None:
        call = elb(
            "create_rule",
            ListenerArn=Ref("listener", listener),
            Priority=rule.priority,
            **content,
            Tags=tag_list(owner.tags(name.replace(":", "-").replace("/", "-"))),
        ).safe_to_repeat()
        # An interrupted run may have created it. The next run compares its content.
        yield Change("create", "rule", name, (call.settled_by("PriorityInUse"),), after=after)
        return
    same_conditions = comparable_conditions(found["Conditions"]) == comparable_conditions(rule.conditions)
    if not (same_conditions and _same_action(rule.action, found["Actions"], ids)):
        call = elb("modify_rule", RuleArn=found["RuleArn"], **content)
        before = _shown_rule(found["Conditions"], found["Actions"], rule.secret_headers)
        yield Change("update", "rule", name, (call,), before, after)


def _tag_changes(desired: Balancers, observed: Observed, owner: Owner) -> t.Iterator[Change]:
    tagged: list[tuple[Ref, t.Mapping[str, str], dict[str, str]]] = [
        (group_ref(wish.name), observed.groups[wish.name].tags, owner.tags(wish.name))
        for wish in desired.target_groups
        if wish.name in observed.groups
    ]
    tagged += [
        (balancer_ref(wish.name), balancer.tags, _wanted_tags(wish, owner, balancer.tags))
        for balancer, wish in pairs(observed, desired)
    ]
    for ref, actual, wanted in tagged:
        missing = {key: value for key, value in wanted.items() if actual.get(key) != value}
        if missing:
            call = elb("add_tags", ResourceArns=[ref], Tags=tag_list(missing))
            before = {key: actual.get(key) for key in missing}
            yield Change("update", "tags", f"{ref.resource} {ref.name}", (call,), before, missing)


def _tells_new_hsts(change: Change) -> bool:
    """Return whether a tag tells more listeners with HSTS than before.

    It is set before they get the header, so that a run which is killed in between leaves none of which no tag tells.
    """
    before, after = (str(state.get(HSTS_PORTS) or "").split() for state in (change.before, change.after))
    return bool(set(after) - set(before))


def _wanted_tags(wish: BalancerWish, owner: Owner, actual: t.Mapping[str, str]) -> dict[str, str]:
    """Return the tags of a load balancer, one of which tells which listeners have HSTS.

    Their attributes are read only then. A tag is not removed, so it is empty if no listener has HSTS any more. It tells
    those that are not declared too: they keep the header, and can be declared again.
    """
    told = actual.get(HSTS_PORTS, "").split()
    declared = {str(one.port): one.hsts for one in wish.listeners if one.protocol == HTTPS}
    stray = [port for port in told if port not in declared]
    ports = " ".join([*(port for port, hsts in declared.items() if hsts), *stray])
    return {**owner.tags(wish.name), **({HSTS_PORTS: ports} if ports or HSTS_PORTS in actual else {})}


def _removals(desired: Balancers, observed: Observed, owner: Owner) -> t.Iterator[Change]:
    """Yield changes that delete rules, listeners and load balancers, and then the target groups that these used."""
    for wish in desired.load_balancers:
        balancer = observed.balancers.get(wish.name)
        if balancer:
            yield from _stray_removals(balancer, wish, observed, owner)
    leaving = undeclared_balancers(desired, observed, owner)
    for name, old in leaving.items():
        gone = Wait(
            f"the load balancer {name} to be deleted",
            elb("describe_load_balancers", LoadBalancerArns=[old.arn]),
            lambda answer: not answer.get("LoadBalancers"),
            deadline=DEADLINE,
        )
        before = {"arn": old.arn, "dns_name": old.described["DNSName"]}
        call = elb("delete_load_balancer", LoadBalancerArn=old.arn)
        yield Change("delete", "load balancer", name, (call,), before, wait=gone)
    for name, group in undeclared_groups(desired, observed, owner).items():
        call = elb("delete_target_group", TargetGroupArn=group.arn).settled_by("TargetGroupNotFound")
        awaits = tuple(balancer_ref(each) for each in leaving)
        yield Change("delete", "target group", name, (call,), {"arn": group.arn}, awaits=awaits)


def strays(desired: Balancers, observed: Observed, owner: Owner) -> tuple[list[str], list[str]]:
    """Return the undeclared listeners and rules of declared load balancers: the owner's, and those of others."""
    found: list[tuple[str, str]] = []
    page = maintained(observed, desired).values()
    for balancer, wish in pairs(observed, desired):
        found += [(arn, f"listener {wish.name}:{port}") for port, arn in stray_listeners(balancer, wish).items()]
        found += [
            (rule["RuleArn"], f"rule {wish.name}:{port}/{priority}")
            for port, rules in stray_rules(balancer, wish).items()
            for priority, rule in rules.items()
            if rule["RuleArn"] not in page
        ]
    told: tuple[list[str], list[str]] = [], []
    for arn, name in found:
        told[not owner.owns_tags(observed.tags.get(arn, {}))].append(name)
    return told


def _stray_removals(balancer: Balancer, wish: BalancerWish, observed: Observed, owner: Owner) -> t.Iterator[Change]:
    for port, rules in stray_rules(balancer, wish).items():
        for priority, rule in rules.items():
            tags = observed.tags.get(rule["RuleArn"], {})
            if owner.owns_tags(tags) and MAINTENANCE not in tags:
                call = elb("delete_rule", RuleArn=rule["RuleArn"]).settled_by("RuleNotFound")
                before = _shown_rule(rule["Conditions"], rule["Actions"], ())
                yield Change("delete", "rule", f"{wish.name}:{port}/{priority}", (call,), before)
    for port, arn in stray_listeners(balancer, wish).items():
        if owner.owns_tags(observed.tags.get(arn, {})):
            call = elb("delete_listener", ListenerArn=arn).settled_by("ListenerNotFound")
            yield Change("delete", "listener", f"{wish.name}:{port}", (call,), {"arn": arn})
