"""Load balancers and target groups for the data plane."""

from __future__ import annotations

from functools import partial
from typing import Any

import moto.elbv2.models

from groundwork_lab import model
from groundwork_lab.aws import certificates
from groundwork_lab.aws.context import Context, Sources
from groundwork_lab.aws.elbv2 import rules, security


def _backend(context: Context) -> Any:
    return moto.elbv2.models.elbv2_backends[context.account][context.region]


def sources(context: Context) -> Sources:
    """Return the World's fields of Elastic Load Balancing, by ARN. The caller holds the context's lock."""
    backend = _backend(context)
    return {
        "target_groups": (backend.target_groups.items(), _target_group),
        "load_balancers": (backend.load_balancers.items(), partial(_load_balancer, context)),
    }


def follow(context: Context, world: model.World) -> None:
    """Mark the load balancers in `world` as active. The caller holds the context's lock."""
    _backend(context).follow(world)


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


def _load_balancer(context: Context, balancer: Any) -> model.LoadBalancer:
    return model.LoadBalancer(
        arn=balancer.arn,
        name=balancer.name,
        dns_name=balancer.dns_name,
        scheme=balancer.scheme,
        vpc_id=balancer.vpc_id,
        interface_ids=tuple(balancer.interfaces[subnet.id].id for subnet in balancer.subnets),
        listeners=tuple(_listener(context, each) for each in balancer.listeners.values()),
        attributes=dict(balancer.attrs),
    )


def _listener(context: Context, listener: Any) -> model.Listener:
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
        tls=_tls(context, listener) if listener.protocol == "HTTPS" else None,
        attributes=dict(listener.attributes),
    )


def _tls(context: Context, listener: Any) -> model.ListenerTls:
    policy = security.POLICIES[listener.ssl_policy]
    return model.ListenerTls(
        default=certificates.read(context, listener.certificates[0]),
        certificates=tuple(certificates.read(context, arn) for arn in listener.listed),
        protocols=policy.protocols,
        ciphers=policy.ciphers,
    )


_CONFIGS = {"forward": "ForwardConfig", "redirect": "RedirectConfig", "fixed-response": "FixedResponseConfig"}


def _action(data: dict[str, Any]) -> model.Action:
    return model.Action(data["Type"], data[_CONFIGS[data["Type"]]])


def _condition(condition: dict[str, Any]) -> model.Condition:
    name = (condition.get("HttpHeaderConfig") or {}).get("HttpHeaderName", "")
    return model.Condition(condition["Field"], tuple(rules.condition_values(condition)), name)
