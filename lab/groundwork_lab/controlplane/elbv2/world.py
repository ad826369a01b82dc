"""Load balancers and target groups as the data plane reads them."""

from __future__ import annotations

from typing import Any

import moto.elbv2.models

from groundwork_lab import model
from groundwork_lab.controlplane.context import Context
from groundwork_lab.controlplane.elbv2 import rules


def _backend(context: Context) -> Any:
    return moto.elbv2.models.elbv2_backends[context.account][context.region]


def snapshot_target_groups(context: Context) -> dict[str, model.TargetGroup]:
    """All of them, by ARN. The caller holds the context's lock."""
    return {group.arn: _target_group(group) for group in _backend(context).target_groups.values()}


def snapshot_load_balancers(context: Context) -> dict[str, model.LoadBalancer]:
    """All of them, by ARN. The caller holds the context's lock."""
    return {balancer.arn: _load_balancer(balancer) for balancer in _backend(context).load_balancers.values()}


def _target_group(group: Any) -> model.TargetGroup:
    return model.TargetGroup(
        arn=group.arn,
        name=group.name,
        vpc_id=group.vpc_id,
        protocol=group.protocol,
        port=int(group.port),
        target_type=group.target_type,
        health_check=model.HealthCheck(
            enabled=True,
            protocol=group.health_check_protocol,
            port=str(group.health_check_port),
            path=group.health_check_path,
            interval=int(group.health_check_interval_seconds),
            timeout=int(group.health_check_timeout_seconds),
            healthy_threshold=int(group.healthy_threshold_count),
            unhealthy_threshold=int(group.unhealthy_threshold_count),
            matcher=group.matcher["HttpCode"],
        ),
        targets=tuple(model.Target(*key) for key in sorted(group.registered)),
        draining=tuple(model.Target(*key) for key in sorted(group.draining)),
        attributes=dict(group.attributes),
    )


def _load_balancer(balancer: Any) -> model.LoadBalancer:
    return model.LoadBalancer(
        arn=balancer.arn,
        name=balancer.name,
        dns_name=balancer.dns_name,
        scheme=balancer.scheme,
        vpc_id=balancer.vpc_id,
        interface_ids=tuple(balancer.interfaces[subnet.id].id for subnet in balancer.subnets),
        listeners=tuple(_listener(each) for each in balancer.listeners.values()),
        attributes=dict(balancer.attrs),
    )


def _listener(listener: Any) -> model.Listener:
    own = sorted((rule for rule in listener.rules.values() if not rule.is_default), key=lambda rule: rule.priority)
    return model.Listener(
        arn=listener.arn,
        port=int(listener.port),
        protocol=listener.protocol,
        default_actions=tuple(_action(action.data) for action in listener.default_actions),
        rules=tuple(
            model.ListenerRule(
                arn=rule.arn,
                priority=rule.priority,
                conditions=tuple(_condition(each) for each in rule.conditions),
                actions=tuple(_action(action.data) for action in rule.actions),
            )
            for rule in own
        ),
    )


_CONFIGS = {"forward": "ForwardConfig", "redirect": "RedirectConfig", "fixed-response": "FixedResponseConfig"}


def _action(data: dict[str, Any]) -> model.Action:
    return model.Action(data["Type"], data[_CONFIGS[data["Type"]]])


def _condition(condition: dict[str, Any]) -> model.Condition:
    name = (condition.get("HttpHeaderConfig") or {}).get("HttpHeaderName", "")
    return model.Condition(condition["Field"], tuple(rules.condition_values(condition)), name)
