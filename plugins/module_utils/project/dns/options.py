# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compute certificates, listeners and records from the names of load balancers and of the static site.

Without names everything is as it was given.
"""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.groundwork.aws.plugins.module_utils.engine.domains import is_in
from ansible_collections.groundwork.aws.plugins.module_utils.engine.partitions import AWS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import KNOWN_AFTER_APPLY
from ansible_collections.groundwork.aws.plugins.module_utils.project.alb.fronts import (
    Front,
    behind,
    cache_policies,
    content_of,
    distribution_name,
    distribution_of,
    fronts_of,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.names import is_tls, is_web

Given = t.Mapping[str, t.Any]

# What an option is if it is not given.
NOTHING: Given = {
    "zone": "",
    "names": {},
    "load_balancers": (),
    "tls_policy": "",
    "hsts": 0,
    "key_algorithm": "RSA_2048",
    "site": {},
    "certificates": (),
    "balancers": (),
    "domain_name": "",
    "environment": "",
    "distributions": (),
    "fronts": {},
    "owned": (),
    "served": {},
    "elsewhere": None,
    "target_groups": (),
    "releases": (),
}
TO_HTTPS = {"type": "redirect", "redirect": {"protocol": "HTTPS", "port": "443", "status_code": 301}}


def dns(given: Given) -> dict[str, t.Any]:
    """Return the options of the modules that names concern.

    `given` are variables of the roles: `zone`, `names` of load balancers, `load_balancers`, `tls_policy`, `hsts`, and
    `site` (name, aliases, certificate_arn and ipv6, or nothing without a static site), and what modules returned:
    `certificates`, `balancers`, the `domain_name` of the site's distribution, and the names that records lead to
    resources (`owned`). `served` are names of other resources or of none, by the resource that still serves them.
    `elsewhere` is given if another provider runs the zone: the certificates that were `used`, whether records have been
    `published`, and what may be purged. `distributions` are those in front of load balancers, as in the variable, and
    `fronts` the domain names of those that this run knows, by their names. `releases` are those of servers, with their
    tiers, and `target_groups` have tiers too.
    """
    options = {**NOTHING, **given}
    arns = {one["name"]: one["arn"] for one in options["certificates"]}
    declared = {name: list(own) for name, own in options["names"].items() if own}
    names = _with_served(declared, options)
    site = _site_with_served(options["site"], options["served"])
    fronts = _fronts(declared, options)
    resources = _resources(declared, options["site"], fronts)
    owned = _owned_elsewhere(options["elsewhere"], resources) if options["elsewhere"] else options["owned"]
    options = {**options, "site": site, "owned": owned}
    certificates = [*_certificates(options, names), *_front_certificates(options["zone"], fronts)]
    contents = _contents(options, fronts)
    distributions = [
        {**_distribution(front, options, arns), "content": contents.get(name, {})} for name, front in fronts.items()
    ]
    return {
        "certificates": [{**one, "key_algorithm": options["key_algorithm"]} for one in certificates],
        "given": [*_given(options, names), *_front_given(options["zone"], fronts)],
        "load_balancers": [
            behind(_with_names(one, names, arns, options), fronts.get(one["name"])) for one in options["load_balancers"]
        ],
        "site_aliases": list(site.get("aliases", ())),
        "site_certificate_arn": _site_arn(site, options["zone"], arns),
        "parameters": [{"name": front.parameter, "balancer": front.balancer} for front in fronts.values()],
        "distributions": distributions,
        "contents": [{"name": fronts[name].name, "content": content} for name, content in contents.items()],
        "cache_policies": cache_policies(distributions),
        "without_distribution": [
            distribution_name(one["name"]) for one in options["load_balancers"] if one["name"] not in fronts
        ],
        "closed": [one["name"] for one in options["distributions"] if not one.get("open")],
        **_records({**options, "site": given.get("site", {})}, declared, fronts),
        "urls": _urls(options, declared),
        "leaving": _leaving(options["owned"], resources, former=True),
        "staying": _leaving(options["owned"], resources, former=False),
        "former": [one["name"] for one in options["owned"] if one["former"]],
        "in_all_regions": {one.get("region", "") for one in certificates} == {"", AWS.edge},
    }


def balancer_certificate(name: str) -> str:
    """Return the name of the certificate of a load balancer."""
    return f"alb-{name}"


def site_certificate(name: str) -> str:
    """Return the name of the certificate of a distribution."""
    return f"edge-{name}"


def _with_served(declared: t.Mapping[str, list[str]], options: Given) -> dict[str, list[str]]:
    """Return the names of load balancers, with those that they still serve."""
    balancers = [one["name"] for one in options["load_balancers"]]
    served = {name: options["served"].get(balancer_certificate(name), ()) for name in (*declared, *balancers)}
    names = {name: list(dict.fromkeys((*declared.get(name, ()), *more))) for name, more in served.items()}
    return {name: own for name, own in names.items() if own}


def _site_with_served(site: Given, served: Given) -> Given:
    """Return the static site with the aliases that it still serves."""
    if not site:
        return site
    more = served.get(site_certificate(site["name"]), ())
    return {**site, "aliases": list(dict.fromkeys((*site["aliases"], *more)))}


def _fronts(declared: t.Mapping[str, t.Sequence[str]], options: Given) -> dict[str, Front]:
    """Return the distributions in front of load balancers, with the names that they still serve.

    A load balancer that still serves names without its distribution stays open meanwhile.
    """
    served = options["served"]
    return {
        balancer: replace(
            front,
            names=tuple(dict.fromkeys((*front.names, *served.get(site_certificate(front.name), ())))),
            given={**front.given, "open": front.open or bool(served.get(balancer_certificate(balancer)))},
        )
        for balancer, front in fronts_of(options["distributions"], declared, options["environment"]).items()
    }


def _resources(declared: t.Mapping[str, t.Sequence[str]], site: Given, fronts: t.Mapping[str, Front]) -> dict[str, str]:
    """Return the resource of each declared name."""
    found = {
        name: site_certificate(fronts[balancer].name) if balancer in fronts else balancer_certificate(balancer)
        for balancer, own in declared.items()
        for name in own
    }
    return found | {name: site_certificate(site["name"]) for name in site.get("aliases", ())}


def _owned_elsewhere(known: Given, resources: t.Mapping[str, str]) -> list[dict[str, t.Any]]:
    """Return the names that may lead to resources whose certificates have them, in the form of ownership records.

    When the declared records are seen, the names that have another resource do not lead to the former one any more, and
    with purge the user has removed those that have none. A load balancer serves what it may not purge.
    """
    found = []
    for one in known["used"]:
        own = one["name"]
        for name in one["names"]:
            declared = resources.get(name, "")
            if declared == own:
                continue
            left = known["published"] and (declared or known["purge"])
            keeps = own.startswith("alb-") and own not in resources.values() and not known["alb_purge"]
            leads = {"resource": declared, "former": [own]} if left and not keeps else {"resource": own, "former": []}
            found.append({"name": name, **leads})
    return found


def _leaving(owned: t.Iterable[Given], resources: t.Mapping[str, str], *, former: bool) -> dict[str, list[str]]:
    """Return the names that lead to another resource than they are declared for, by that resource.

    With `former` they are also those that resolvers may take for names of the resource.
    """
    found: dict[str, list[str]] = {}
    for one in owned:
        for resource in dict.fromkeys((one["resource"], *(one["former"] if former else ()))):
            if resource and resource != resources.get(one["name"]):
                found.setdefault(resource, []).append(one["name"])
    return found


def _needs_certificate(balancer: Given, names: t.Mapping[str, t.Any]) -> bool:
    return bool(names.get(balancer["name"])) and not any(map(is_tls, balancer["listeners"]))


def _certificates(options: Given, names: t.Mapping[str, t.Sequence[str]]) -> list[dict[str, t.Any]]:
    if not options["zone"]:
        return []
    wanted = [
        {"name": balancer_certificate(one["name"]), "names": names[one["name"]]}
        for one in options["load_balancers"]
        if _needs_certificate(one, names)
    ]
    site = options["site"]
    if site.get("aliases") and not site["certificate_arn"]:
        wanted.append({"name": site_certificate(site["name"]), "names": list(site["aliases"]), "region": AWS.edge})
    return wanted


def _front_certificates(zone: str, fronts: t.Mapping[str, Front]) -> list[dict[str, t.Any]]:
    return [
        {"name": site_certificate(front.name), "names": list(front.names), "region": AWS.edge}
        for front in fronts.values()
        if zone and not front.certificate_arn
    ]


def _front_given(zone: str, fronts: t.Mapping[str, Front]) -> list[dict[str, t.Any]]:
    return [
        {"arn": front.certificate_arn, "names": list(front.names)}
        for front in fronts.values()
        if zone and front.certificate_arn
    ]


def _distribution(front: Front, options: Given, arns: t.Mapping[str, str]) -> dict[str, t.Any]:
    arn = front.certificate_arn or arns.get(site_certificate(front.name), KNOWN_AFTER_APPLY)
    hosts = {one["name"]: one["dns_name"] for one in options["balancers"]}
    return distribution_of(front, options["environment"], arn, hosts.get(front.balancer, ""))


def _contents(options: Given, fronts: t.Mapping[str, Front]) -> dict[str, dict[str, str]]:
    """Return what the load balancers with a distribution serve, by their names."""
    balancers = [one for one in options["load_balancers"] if one["name"] in fronts]
    return {one["name"]: content_of(one, options["target_groups"], options["releases"]) for one in balancers}


def _given(options: Given, names: t.Mapping[str, t.Sequence[str]]) -> list[dict[str, t.Any]]:
    """Return the user's certificates that have to cover names: those that are the only one of a listener."""
    if not options["zone"]:
        return []
    found = [
        {"arn": listener["certificates"][0], "names": names[one["name"]]}
        for one in options["load_balancers"]
        for listener in one["listeners"]
        if names.get(one["name"]) and is_tls(listener) and len(listener.get("certificates") or ()) == 1
    ]
    site = options["site"]
    if site.get("aliases") and site["certificate_arn"]:
        found.append({"arn": site["certificate_arn"], "names": list(site["aliases"])})
    return [one for one in found if ":acm:" in one["arn"]]


def _with_names(
    balancer: Given, names: t.Mapping[str, t.Any], arns: t.Mapping[str, str], options: Given
) -> dict[str, t.Any]:
    """Return a load balancer, of which the HTTP listener becomes an HTTPS one, and a redirect to it."""
    if not options["zone"] or not _needs_certificate(balancer, names):
        return dict(balancer)
    arn = arns.get(balancer_certificate(balancer["name"]), KNOWN_AFTER_APPLY)
    tls = {"port": 443, "protocol": "HTTPS", "certificates": [arn], "tls_policy": options["tls_policy"]}
    listeners: list[dict[str, t.Any]] = []
    for listener in balancer["listeners"]:
        if is_web(listener):
            rules = [{**rule, "action": TO_HTTPS} for rule in listener.get("rules") or ()]
            listeners.append({**listener, **tls, "hsts": options["hsts"]})
            listeners.append({**listener, "default_action": TO_HTTPS, "rules": rules})
        else:
            listeners.append(dict(listener))
    return {**balancer, "listeners": listeners}


def _site_arn(site: Given, zone: str, arns: t.Mapping[str, str]) -> str:
    if not site or not zone or site["certificate_arn"] or not site["aliases"]:
        return str(site.get("certificate_arn", ""))
    return arns.get(site_certificate(site["name"]), KNOWN_AFTER_APPLY)


def _records(options: Given, names: t.Mapping[str, t.Sequence[str]], fronts: t.Mapping[str, Front]) -> dict[str, t.Any]:
    """Return the names with their targets as `aliases`, and those whose targets this run does not know as `kept`."""
    facts = {one["name"]: one for one in options["balancers"]}
    aliases: list[dict[str, t.Any]] = []
    kept: list[str] = []
    for balancer, own in names.items():
        fact = None if balancer in fronts else facts.get(balancer)
        front = options["fronts"].get(fronts[balancer].name) if balancer in fronts else None
        for name in own:
            if front:
                lead = {"target": front, "zone_id": "", "ipv6": True}
                aliases.append({"name": name, **lead, "resource": site_certificate(fronts[balancer].name)})
            elif fact:
                lead = {"target": fact["dns_name"], "zone_id": fact["zone_id"], "ipv6": False}
                aliases.append({"name": name, **lead, "resource": balancer_certificate(balancer)})
            else:
                kept.append(name)
    site = options["site"]
    for name in site.get("aliases", ()):
        if options["domain_name"]:
            lead = {"target": options["domain_name"], "zone_id": "", "ipv6": site["ipv6"]}
            aliases.append({"name": name, **lead, "resource": site_certificate(site["name"])})
        else:
            kept.append(name)
    zone = options["zone"]
    aliases = [one for one in aliases if zone and is_in(one["name"], zone)]
    kept = [name for name in kept if zone and is_in(name, zone)]
    return {"aliases": aliases, "kept": kept, "names": [*(one["name"] for one in aliases), *kept]}


def _urls(options: Given, names: t.Mapping[str, t.Sequence[str]]) -> list[str]:
    """Return the URLs of the load balancers: of their names, or their own."""
    return [
        url
        for one in options["balancers"]
        for url in ([f"https://{name}/" for name in names.get(one["name"], ()) if "*" not in name] or [one["url"]])
    ]
