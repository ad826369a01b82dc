# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parse the options of `elbv2_application_lb`, without calls to AWS."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.elbv2_application_lb import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems, check_range
from ansible_collections.groundwork.aws.plugins.module_utils.engine.known import NOTHING_KNOWN, Known
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import SECURITY_GROUP_ID, TOKEN
from ansible_collections.groundwork.aws.plugins.module_utils.engine.placeholders import Secrets, check_secrets
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Ref
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.routing import (
    Api,
    listed,
    parse_action,
    parse_conditions,
    secret_headers,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.tls import (
    parse_certificates,
    parse_hsts,
    parse_policy,
)

Options = t.Mapping[str, t.Any]
Spec = dict[str, dict[str, t.Any]]

COMPONENT = "alb"
HEALTH_CHECK: Spec = ARGUMENTS["target_groups"]["options"]["health_check"]["options"]
ATTRIBUTES: Spec = ARGUMENTS["load_balancers"]["options"]["attributes"]["options"]
# https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html
MAX_NAME = 32
MAX_PRIORITY = 50000
MAX_SECURITY_GROUPS = 5
NAME = re.compile(r"[A-Za-z0-9]+(-[A-Za-z0-9]+)*")
CODES = re.compile(r"\d{3}(-\d{3})?(,\d{3}(-\d{3})?)*")
MAX_SECONDS = 604800
# A load balancer needs subnets of /27 with 8 free addresses each.
LONGEST_PREFIX = 27
FREE_ADDRESSES = 8


@dataclass(frozen=True)
class TargetGroupWish:
    """A desired target group. `health_check` has the form that CreateTargetGroup and ModifyTargetGroup accept."""

    name: str
    tier: str
    protocol: str
    port: int
    health_check: t.Mapping[str, t.Any]
    attributes: t.Mapping[str, str]


@dataclass(frozen=True)
class RuleWish:
    """A desired rule. `secret_headers` are the headers of which it compares secrets, in lower case."""

    priority: int
    conditions: tuple[Api, ...]
    action: Api
    secret_headers: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ListenerWish:
    port: int
    protocol: str
    action: Api
    rules: tuple[RuleWish, ...]
    certificates: tuple[str, ...] = ()
    tls_policy: str = ""
    hsts: int = 0


@dataclass(frozen=True)
class BalancerWish:
    """A desired load balancer, with subnets and security groups by name (security groups also by id)."""

    name: str
    scheme: str
    subnets: tuple[str, ...]
    security_groups: tuple[str, ...]
    listeners: tuple[ListenerWish, ...]
    attributes: t.Mapping[str, str]

    def listener(self, port: int) -> ListenerWish | None:
        """Return the declared listener at a port."""
        return next((one for one in self.listeners if one.port == port), None)


@dataclass(frozen=True)
class Balancers:
    """All load balancers of an environment. `planned` are the tiers of servers that earlier tasks launch, by name.

    While secrets are `rotating`, rules accept the former ones too.
    """

    target_groups: tuple[TargetGroupWish, ...]
    load_balancers: tuple[BalancerWish, ...]
    planned: t.Mapping[str, str]
    purge: bool
    wait: bool
    rotating: bool = False


def balancer_ref(name: str) -> Ref:
    """Return the reference to the ARN of the load balancer `name`."""
    return Ref("load balancer", name)


def dns_ref(name: str) -> Ref:
    """Return the reference to the DNS name of the load balancer `name`."""
    return Ref("load balancer", name, "dns_name")


def zone_ref(name: str) -> Ref:
    """Return the reference to the hosted zone of the load balancer `name`."""
    return Ref("load balancer", name, "zone_id")


def parse_load_balancers(options: Options, problems: Problems, *, known: Known = NOTHING_KNOWN) -> Balancers | None:
    """Return the desired load balancers, or None if the options add problems."""
    before = len(problems.found)
    environment = str(options.get("environment_name") or "")
    check_secrets(options.get("secrets") or {}, problems)
    groups = [
        _parse_group(group, f"target_groups[{i}]", environment, problems, known)
        for i, group in enumerate(options["target_groups"])
    ]
    names = [group["name"] for group in options["target_groups"]]
    balancers = [
        _parse_balancer(balancer, f"load_balancers[{i}]", options, problems, known)
        for i, balancer in enumerate(options["load_balancers"])
    ]
    _check_twice(names, "target_groups", "name", problems)
    _check_twice([balancer["name"] for balancer in options["load_balancers"]], "load_balancers", "name", problems)
    _check_one_balancer_each(balancers, problems)
    if len(problems.found) > before:
        return None
    planned = {str(name): str(tier) for name, tier in (options.get("planned_servers") or {}).items()}
    return Balancers(
        tuple(groups),
        tuple(balancers),
        planned,
        bool(options.get("purge")),
        bool(options.get("wait", True)),
        bool(options.get("rotating")),
    )


def _check_twice(values: t.Sequence[t.Any], where: str, option: str, problems: Problems) -> None:
    for position, value in enumerate(values):
        if value in values[:position]:
            problems.add(f"{where}[{position}].{option}", f"{value} is used twice", "use it once")


def _check_name(name: str, where: str, environment: str, problems: Problems) -> None:
    """Add to `problems` an invalid name.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html
    """
    if not NAME.fullmatch(name):
        right = "use letters, digits, and single hyphens between them"
        problems.add(f"{where}.name", f"'{name}' is not a valid name", right)
    full = f"{environment}-{name}"
    if len(full) > MAX_NAME:
        wrong = f"the name on AWS, '{full}', has {len(full)} characters"
        problems.add(f"{where}.name", wrong, f"shorten it by {len(full) - MAX_NAME}")


def _parse_group(group: Options, where: str, environment: str, problems: Problems, known: Known) -> TargetGroupWish:
    _check_name(group["name"], where, environment, problems)
    check_range(f"{where}.port", group["port"], 1, 65535, problems)
    if known.tiers is not None and group["tier"] not in known.tiers:
        problems.add(
            f"{where}.tier", f"'{group['tier']}' is not the name of a tier", f"use one of {listed(known.tiers)}"
        )
    return TargetGroupWish(
        name=group["name"],
        tier=group["tier"],
        protocol=group["protocol"],
        port=group["port"],
        health_check=_parse_health_check(
            group.get("health_check"), group["protocol"], f"{where}.health_check", problems
        ),
        attributes=_parse_group_attributes(group, where, problems),
    )


def _parse_health_check(given: Options | None, protocol: str, where: str, problems: Problems) -> dict[str, t.Any]:
    """Return a health check in the API's form. Add to `problems` what is wrong with it.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html
    """
    check = given or {name: spec["default"] for name, spec in HEALTH_CHECK.items()}
    if not check["path"].startswith("/"):
        problems.add(f"{where}.path", f"'{check['path']}' does not begin with /", "begin the path with /")
    port = str(check["port"])
    if port != "traffic-port" and not (port.isdecimal() and 1 <= int(port) <= 65535):
        problems.add(f"{where}.port", f"'{port}' is not a port", "give traffic-port, or a number from 1 to 65535")
    check_range(f"{where}.interval", check["interval"], 5, 300, problems)
    check_range(f"{where}.timeout", check["timeout"], 2, 120, problems)
    if check["timeout"] >= check["interval"]:
        wrong = f"{check['timeout']} s is not less than the interval of {check['interval']} s"
        problems.add(f"{where}.timeout", wrong, "give less than the interval")
    for threshold in ("healthy_threshold", "unhealthy_threshold"):
        check_range(f"{where}.{threshold}", check[threshold], 2, 10, problems)
    codes = str(check["matcher"])
    if not CODES.fullmatch(codes) or any(not 200 <= int(code) <= 499 for code in re.findall(r"\d{3}", codes)):
        problems.add(
            f"{where}.matcher",
            f"'{codes}' is not a list of HTTP status codes",
            "give codes from 200 to 499, as 200 or 200-299,302",
        )
    return {
        "HealthCheckProtocol": protocol,
        "HealthCheckPath": check["path"],
        "HealthCheckPort": port,
        "HealthCheckIntervalSeconds": check["interval"],
        "HealthCheckTimeoutSeconds": check["timeout"],
        "HealthyThresholdCount": check["healthy_threshold"],
        "UnhealthyThresholdCount": check["unhealthy_threshold"],
        "Matcher": {"HttpCode": codes},
    }


def _parse_group_attributes(group: Options, where: str, problems: Problems) -> dict[str, str]:
    """Return the attributes of a target group. Add to `problems` what is wrong with them.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html
    """
    check_range(f"{where}.deregistration_delay", group["deregistration_delay"], 0, 3600, problems)
    slow = group["slow_start"]
    if slow and not 30 <= slow <= 900:
        problems.add(f"{where}.slow_start", f"{slow} is out of range", "give 0 to disable it, or 30 to 900")
    if slow and group["algorithm"] != "round_robin":
        problems.add(
            f"{where}.slow_start",
            f"the algorithm {group['algorithm']} does not support slow start",
            "use round_robin, or 0 to disable it",
        )
    return {
        "deregistration_delay.timeout_seconds": str(group["deregistration_delay"]),
        "slow_start.duration_seconds": str(slow),
        "load_balancing.algorithm.type": group["algorithm"],
        **_parse_stickiness(group.get("stickiness"), f"{where}.stickiness", problems),
    }


def _parse_stickiness(given: Options | None, where: str, problems: Problems) -> dict[str, str]:
    if not given or not given["enabled"]:
        return {"stickiness.enabled": "false"}
    kind, cookie = given["type"], given.get("cookie_name") or ""
    check_range(f"{where}.duration", given["duration"], 1, MAX_SECONDS, problems)
    attributes = {
        "stickiness.enabled": "true",
        "stickiness.type": kind,
        f"stickiness.{kind}.duration_seconds": str(given["duration"]),
    }
    if kind == "lb_cookie":
        if cookie:
            problems.add(
                f"{where}.cookie_name",
                "the load balancer chooses the name of its own cookie",
                "remove it, or use the type app_cookie",
            )
        return attributes
    if not TOKEN.fullmatch(cookie) or cookie.startswith("AWSALB"):
        right = "give the name of the application's cookie, which must not begin with AWSALB"
        problems.add(f"{where}.cookie_name", f"'{cookie}' is not a valid cookie name here", right)
    return {**attributes, "stickiness.app_cookie.cookie_name": cookie}


def _parse_balancer(balancer: Options, where: str, options: Options, problems: Problems, known: Known) -> BalancerWish:
    _check_name(balancer["name"], where, str(options.get("environment_name") or ""), problems)
    listeners = tuple(
        _parse_listener(listener, f"{where}.listeners[{i}]", options, problems)
        for i, listener in enumerate(balancer["listeners"])
    )
    _check_twice([listener.port for listener in listeners], f"{where}.listeners", "port", problems)
    return BalancerWish(
        name=balancer["name"],
        scheme=balancer["scheme"],
        subnets=_parse_subnets(balancer, where, options.get("zones") or [], problems, known),
        security_groups=_parse_security_groups(balancer, where, problems, known),
        listeners=listeners,
        attributes=_parse_attributes(balancer.get("attributes"), f"{where}.attributes", problems),
    )


def _parse_subnets(
    balancer: Options, where: str, zones: t.Sequence[str], problems: Problems, known: Known
) -> tuple[str, ...]:
    """Return the subnets' names. At least two are needed, each in its own zone, which the name contains."""
    given, tier = balancer.get("subnets"), balancer.get("tier")
    if bool(given) == bool(tier):
        problems.add(f"{where}.subnets", "give either subnets or a tier", "give exactly one of them")
        return ()
    option = "subnets" if given else "tier"
    if tier and known.tiers is not None and tier not in known.tiers:
        problems.add(f"{where}.tier", f"'{tier}' is not the name of a tier", f"use one of {listed(known.tiers)}")
        return ()
    names = [str(name) for name in given] if given else [f"{tier}-{zone[-1:]}" for zone in zones]
    unknown = [name for name in names if known.subnets is not None and name not in known.subnets]
    for name in unknown:
        right = f"use some of {listed(known.subnets or ())}"
        problems.add(f"{where}.{option}", f"'{name}' is not a subnet", right)
    letters = [name.rpartition("-")[2] for name in names]
    if len(set(letters)) < len(letters):
        problems.add(f"{where}.{option}", "two subnets are in the same zone", "name one subnet per zone")
    if not unknown and len(set(letters)) < 2:
        wrong = f"{listed(names)} is in one zone only" if names else "the list is empty"
        problems.add(f"{where}.{option}", wrong, "name subnets in at least two Availability Zones")
    return tuple(names)


def _parse_security_groups(balancer: Options, where: str, problems: Problems, known: Known) -> tuple[str, ...]:
    names = [str(name) for name in balancer["security_groups"]]
    if not 1 <= len(names) <= MAX_SECURITY_GROUPS:
        right = f"give 1 to {MAX_SECURITY_GROUPS}"
        problems.add(f"{where}.security_groups", f"{len(names)} security groups are not possible", right)
    _check_twice(names, where, "security_groups", problems)
    for position, name in enumerate(names):
        if (
            known.security_groups is not None
            and name not in known.security_groups
            and not SECURITY_GROUP_ID.fullmatch(name)
        ):
            right = f"use some of {listed(known.security_groups)}"
            problems.add(f"{where}.security_groups[{position}]", f"'{name}' is not a security group", right)
    return tuple(names)


def _parse_attributes(given: Options | None, where: str, problems: Problems) -> dict[str, str]:
    """Return the declared attributes of a load balancer.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-load-balancer-attributes.html
    """
    own = given or {name: spec["default"] for name, spec in ATTRIBUTES.items()}
    check_range(f"{where}.idle_timeout", own["idle_timeout"], 1, 4000, problems)
    return {
        "idle_timeout.timeout_seconds": str(own["idle_timeout"]),
        "deletion_protection.enabled": _word(own["deletion_protection"]),
        "routing.http.drop_invalid_header_fields.enabled": _word(own["drop_invalid_headers"]),
        "routing.http.preserve_host_header.enabled": _word(own["preserve_host_header"]),
        "routing.http.xff_header_processing.mode": own["xff_mode"],
        "routing.http2.enabled": _word(own["http2"]),
    }


def _word(truth: bool) -> str:
    return "true" if truth else "false"


def _parse_listener(listener: Options, where: str, options: Options, problems: Problems) -> ListenerWish:
    groups = [group["name"] for group in options["target_groups"]]
    check_range(f"{where}.port", listener["port"], 1, 65535, problems)
    rules = tuple(
        _parse_rule(rule, f"{where}.rules[{i}]", groups, options.get("secrets"), problems)
        for i, rule in enumerate(listener["rules"])
    )
    _check_twice([rule.priority for rule in rules], f"{where}.rules", "priority", problems)
    action = parse_action(listener["default_action"], f"{where}.default_action", groups, problems)
    return ListenerWish(
        listener["port"],
        listener["protocol"],
        action,
        rules,
        parse_certificates(listener, where, str(options.get("region") or ""), problems),
        parse_policy(listener, where, problems),
        parse_hsts(listener, where, problems),
    )


def _parse_rule(
    rule: Options, where: str, groups: t.Sequence[str], secrets: Secrets | None, problems: Problems
) -> RuleWish:
    check_range(f"{where}.priority", rule["priority"], 1, MAX_PRIORITY, problems)
    conditions = parse_conditions(rule["conditions"], f"{where}.conditions", problems, secrets)
    action = parse_action(rule["action"], f"{where}.action", groups, problems)
    return RuleWish(rule["priority"], tuple(conditions), action, secret_headers(rule["conditions"]))


def check_sizes(prefixes: t.Mapping[str, int], where: str, problems: Problems) -> None:
    """Add to `problems` subnets that are too small for a load balancer. `prefixes` are by the subnets' names.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html
    """
    for name, prefix in sorted(prefixes.items()):
        if prefix > LONGEST_PREFIX:
            wrong = (
                f"the subnet '{name}' has the prefix /{prefix}, and a load balancer needs /{LONGEST_PREFIX} or larger"
            )
            right = f"give network_subnet_prefix or network_subnet_cidrs a prefix of at most {LONGEST_PREFIX}"
            problems.add(where, wrong, right)


def forwards_to(balancer: BalancerWish) -> set[str]:
    """Return the names of the target groups to which the load balancer forwards requests."""
    actions = [listener.action for listener in balancer.listeners]
    actions += [rule.action for listener in balancer.listeners for rule in listener.rules]
    targets = [group for action in actions for group in action.get("ForwardConfig", {}).get("TargetGroups", ())]
    return {group["TargetGroupArn"].name for group in targets}


def _check_one_balancer_each(balancers: t.Sequence[BalancerWish], problems: Problems) -> None:
    """Add to `problems` target groups that several load balancers use."""
    user: dict[str, str] = {}
    for position, balancer in enumerate(balancers):
        for name in sorted(forwards_to(balancer)):
            other = user.setdefault(name, balancer.name)
            if other != balancer.name:
                wrong = f"the load balancer '{other}' already uses the target group '{name}'"
                right = (
                    "give each load balancer its own target groups, because AWS allows one load balancer per "
                    "target group"
                )
                problems.add(f"load_balancers[{position}].listeners", wrong, right)
