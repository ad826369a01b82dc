# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the names of load balancers: the variables `alb_names`, `alb_tls_policy` and `alb_hsts` of the role."""

from __future__ import annotations

import typing as t
from ipaddress import ip_network

from ansible_collections.groundwork.aws.plugins.module_utils.engine.domains import check_names
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems, check_range
from ansible_collections.groundwork.aws.plugins.module_utils.engine.known import Admitted, Known
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.routing import listed
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.tls import HTTPS, LONGEST_AGE, POLICY
from ansible_collections.groundwork.aws.plugins.module_utils.topics.records.options import check_names_in_zone

Options = t.Mapping[str, t.Any]
HTTP_PORT, HTTPS_PORT = 80, 443


def is_tls(listener: Options) -> bool:
    """Return whether a declared listener has the protocol HTTPS."""
    return bool((listener.get("protocol") or "HTTP") == HTTPS)


def is_web(listener: Options) -> bool:
    """Return whether a declared listener is the one of HTTP, which names turn into one of HTTPS."""
    port = listener.get("port")
    return not is_tls(listener) and int(HTTP_PORT if port is None else port) == HTTP_PORT


def check_balancer_names(own: Options, zone: str, problems: Problems) -> dict[str, str]:
    """Return the variable of each name. Add to `problems` what is wrong with the names and their settings."""
    balancers = {one["name"]: one for one in own["load_balancers"]}
    places: dict[str, str] = {}
    for balancer, names in own["names"].items():
        where = f"names.{balancer}"
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            problems.add(where, "is not a list of host names", "give a list, as [www.example.com, example.com]")
            continue
        if balancer not in balancers:
            right = f"use one of {listed(balancers)}"
            problems.add(where, f"'{balancer}' is not a load balancer of alb_load_balancers", right)
        elif names:
            _check_names(names, where, balancers[balancer], zone, problems)
        for at, name in enumerate(names):
            other = places.setdefault(name, f"alb_names.{balancer}")
            if other != f"alb_names.{balancer}":
                problems.add(f"{where}[{at}]", f"'{name}' is a name of {other} too", "give it to one of them")
    _check_settings(own, problems)
    return places


def _check_names(names: t.Sequence[str], where: str, balancer: Options, zone: str, problems: Problems) -> None:
    listeners = balancer["listeners"]
    if any(map(is_tls, listeners)):  # with the user's certificates
        check_names(names, where, "", problems)
        return
    if not zone:
        right = "set dns_zone, from which one follows, or declare an HTTPS listener with certificates of yours"
        problems.add(where, "the load balancer has no certificate for its names", right)
        check_names(names, where, "", problems)
        return
    check_names_in_zone(names, where, zone, problems)
    if not any(map(is_web, listeners)):
        right = "declare a listener at port 80, whose actions the one at port 443 gets"
        problems.add(where, f"the load balancer has no HTTP listener at port {HTTP_PORT}", right)
    if any(one.get("port") == HTTPS_PORT for one in listeners):
        wrong = f"the load balancer has an HTTP listener at port {HTTPS_PORT}, and names need one of HTTPS there"
        problems.add(where, wrong, "remove that listener, or give it protocol HTTPS and certificates")


def check_admitted(own: Options, known: Known, problems: Problems) -> None:
    """Add to `problems` load balancers whose security groups do not admit the clients of their names.

    Whoever is admitted at port 80 is redirected to port 443. What groups of others admit is not known.
    """
    for balancer in own["load_balancers"]:
        groups = balancer.get("security_groups") or ()
        if not own["names"].get(balancer["name"]) or known.admitted is None or not known.admitted.keys() >= set(groups):
            continue
        rules = [rule for group in groups for rule in known.admitted[group]]
        declared = [int(one.get("port") or HTTPS_PORT) for one in balancer["listeners"] if is_tls(one)]
        for port in declared or [HTTPS_PORT]:
            clients = [] if declared else _clients(rules, HTTP_PORT)
            there = _clients(rules, port)
            missing = [one for one in clients if not any(_includes(other, one) for other in there)]
            if missing or not there:
                whom = ", ".join(missing) or "anything"
                wrong = f"its security groups ({', '.join(groups)}) do not admit {whom} to port {port}"
                right = f"add port {port} to the rule in firewall_groups that admits clients"
                problems.add(f"names.{balancer['name']}", wrong, right)


def _clients(rules: t.Iterable[Admitted], port: int) -> list[str]:
    return sorted({rule.peer for rule in rules if rule.first <= port <= rule.last})


def _includes(peer: str, other: str) -> bool:
    """Return whether a peer of a rule is another one, or a CIDR block with the other one in it."""
    if peer == other:
        return True
    try:
        whole, part = ip_network(peer), ip_network(other)
    except ValueError:  # a security group or a prefix list
        return False
    return whole.version == part.version and int(whole[0]) <= int(part[0]) and int(part[-1]) <= int(whole[-1])


def _check_settings(own: Options, problems: Problems) -> None:
    if not POLICY.fullmatch(own["tls_policy"]):
        right = "give one such as ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
        problems.add("tls_policy", f"'{own['tls_policy']}' is not the name of a security policy", right)
    check_range("hsts", own["hsts"], 0, LONGEST_AGE, problems)
    if own["hsts"] and not any(own["names"].values()):
        right = "give names in alb_names, or set hsts at a listener in alb_load_balancers"
        problems.add("hsts", "has no effect without names", right)
