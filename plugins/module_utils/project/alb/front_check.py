# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the variables `alb_distributions` and `alb_rotate` of the role `alb`."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.known import Admitted, Known
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import (
    CERTIFICATE_ARN,
    SECURITY_GROUP_ID,
    WEB_ACL_ARN,
)
from ansible_collections.groundwork.aws.plugins.module_utils.project.alb.fronts import LAST, distribution_name
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.names import HTTPS_PORT, is_tls, is_web
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.routing import (
    MAX_VALUES,
    ORIGIN_HEADER,
    listed,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.policies import check_name
from ansible_collections.groundwork.aws.plugins.module_utils.topics.distribution.options import (
    MOST_ALIASES,
    MOST_BEHAVIORS,
    PATH_PATTERN,
)

Options = t.Mapping[str, t.Any]

SECRETS = 2  # that a rule accepts during a rotation
CLOUDFRONT = Admitted("com.amazonaws.global.cloudfront.origin-facing", HTTPS_PORT, HTTPS_PORT)


def check_distributions(own: Options, known: Known, problems: Problems) -> None:
    """Add to `problems` what is wrong with the distributions in front of load balancers."""
    balancers = {one["name"]: one for one in own["load_balancers"]}
    seen: set[str] = set()
    for at, one in enumerate(own["distributions"]):
        where, name = f"distributions[{at}]", one["name"]
        if name in seen:
            problems.add(f"{where}.name", f"'{name}' is used twice", "use it once")
        elif name not in balancers:
            wrong = f"'{name}' is not a load balancer of alb_load_balancers"
            problems.add(f"{where}.name", wrong, f"use one of {listed(balancers)}")
        else:
            check_name(distribution_name(name), problems, f"{where}.name")
            _check_names(one, where, own["names"].get(name) or [], known.zone, problems)
            _check_balancer(one, where, balancers[name], known, problems)
        seen.add(name)
        _check_given(one, where, problems)
    _check_rotate(own, problems)


def _check_names(one: Options, where: str, names: t.Sequence[str], zone: str, problems: Problems) -> None:
    name = one["name"]
    if not names:
        right = f"give some, as alb_names: {{{name}: [www.example.com]}}"
        problems.add(f"{where}.name", f"the load balancer '{name}' has no names, which lead to the distribution", right)
    if len(names) > MOST_ALIASES:
        wrong = f"the load balancer '{name}' has {len(names)} names"
        problems.add(f"{where}.name", wrong, f"a distribution has at most {MOST_ALIASES} names")
    if names and not zone and not one.get("certificate_arn"):
        right = "set dns_zone, from which one follows, or give the ARN of one in us-east-1 that covers the names"
        problems.add(f"{where}.certificate_arn", "is missing, and the names need a certificate", right)


def _check_balancer(one: Options, where: str, balancer: Options, known: Known, problems: Problems) -> None:
    if balancer.get("scheme") == "internal":
        wrong = f"CloudFront does not reach the internal load balancer '{one['name']}'"
        problems.add(f"{where}.name", wrong, "use an internet-facing one")
    _check_listeners(where, one["name"], balancer["listeners"], problems)
    if not one.get("open"):
        _check_groups(where, balancer, known, problems)


def _check_listeners(where: str, name: str, listeners: t.Sequence[Options], problems: Problems) -> None:
    for listener in listeners:
        port = listener.get("port")
        if not is_web(listener) and not (is_tls(listener) and port == HTTPS_PORT):
            wrong = f"the load balancer '{name}' has a listener at port {port}, which CloudFront does not use"
            right = "declare the listener at port 80, from which the one of HTTPS follows, or one of HTTPS at port 443"
            problems.add(f"{where}.name", wrong, right)
        for rule in listener.get("rules") or ():
            _check_rule(where, name, rule, problems)


def _check_rule(where: str, name: str, rule: Options, problems: Problems) -> None:
    priority = rule["priority"]
    values = sum(len(condition["values"]) for condition in rule["conditions"])
    if priority == LAST:
        wrong = f"the rule {priority} of the load balancer '{name}' has the priority of the one for the secret"
        problems.add(f"{where}.name", wrong, f"give it a priority below {LAST}")
    if values > MAX_VALUES - SECRETS:
        wrong = f"the rule {priority} of the load balancer '{name}' has {values} values"
        right = f"use at most {MAX_VALUES - SECRETS}: with two secrets during a rotation AWS allows {MAX_VALUES}"
        problems.add(f"{where}.name", wrong, right)
    if any(str(one.get("name") or "").lower() == ORIGIN_HEADER.lower() for one in rule["conditions"]):
        wrong = f"the rule {priority} of the load balancer '{name}' has a condition for {ORIGIN_HEADER}"
        problems.add(f"{where}.name", wrong, "remove it: each rule gets one")


def _check_groups(where: str, balancer: Options, known: Known, problems: Problems) -> None:
    """Add to `problems` security groups through which others than CloudFront reach the load balancer.

    What groups of others admit is not known.
    """
    admitted = known.admitted or {}
    found = [(group, rule) for group in balancer["security_groups"] for rule in admitted.get(group, ())]
    others = [(group, rule) for group, rule in found if rule != CLOUDFRONT and not _is_group(rule.peer, admitted)]
    right = f"admit prefix_lists: [{CLOUDFRONT.peer}] at ports: [443] alone in firewall_groups"
    for group, rule in others[:1]:
        wrong = f"the security group '{group}' admits others than CloudFront: {rule.peer} at {_ports(rule)}"
        problems.add(f"{where}.name", wrong, f"{right}, or set open: true while the names move")
    all_known = all(group in admitted for group in balancer["security_groups"])
    if all_known and not others and CLOUDFRONT not in [rule for _group, rule in found]:
        wrong = f"no security group of the load balancer '{balancer['name']}' admits CloudFront"
        problems.add(f"{where}.name", wrong, right)


def _is_group(peer: str, groups: t.Container[str]) -> bool:
    return peer in groups or bool(SECURITY_GROUP_ID.fullmatch(peer))


def _ports(rule: Admitted) -> str:
    return f"port {rule.first}" if rule.first == rule.last else f"ports {rule.first}-{rule.last}"


def _check_given(one: Options, where: str, problems: Problems) -> None:
    paths = one["static_paths"]
    if len(paths) > MOST_BEHAVIORS:
        problems.add(f"{where}.static_paths", f"has {len(paths)} paths", f"give at most {MOST_BEHAVIORS}")
    for at, path in enumerate(paths):
        place = f"{where}.static_paths[{at}]"
        if not PATH_PATTERN.fullmatch(path):
            right = "give one such as /build/* or *.css, with at most 255 characters"
            problems.add(place, f"'{path}' is not a path pattern", right)
        elif path.lstrip("/") == "*":
            right = "name the paths of files alone, and not all: pages can differ from user to user"
            problems.add(place, f"'{path}' would cache every page without cookies", right)
        elif path.lstrip("/") in [other.lstrip("/") for other in paths[:at]]:
            problems.add(place, f"'{path}' is used twice", "use it once")
    arn, acl = one["certificate_arn"], one["web_acl_arn"]
    if arn and not CERTIFICATE_ARN.fullmatch(arn):
        right = "give one such as arn:aws:acm:us-east-1:<account>:certificate/<id>"
        problems.add(f"{where}.certificate_arn", f"'{arn}' is not the ARN of an ACM certificate in us-east-1", right)
    if acl and not WEB_ACL_ARN.fullmatch(acl):
        right = "give the ARN of a WAFv2 web ACL with the scope CLOUDFRONT"
        problems.add(f"{where}.web_acl_arn", f"'{acl}' is not the ARN of a web ACL for CloudFront", right)


def _check_rotate(own: Options, problems: Problems) -> None:
    known = [one["name"] for one in own["distributions"]]
    if own["rotate"] and own["rotate"] not in known:
        wrong = f"'{own['rotate']}' is not a load balancer of alb_distributions"
        problems.add("rotate", wrong, f"use one of {listed(known)}")
