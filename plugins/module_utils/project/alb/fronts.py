# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Distributions in front of load balancers: the variable `alb_distributions`. These functions are pure.

A load balancer behind a distribution answers only requests with the secret that the distribution sends in a header.
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/restrict-access-to-load-balancer.html
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.placeholders import placeholder
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import KNOWN_AFTER_APPLY
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.names import is_tls
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.options import MAX_PRIORITY
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.routing import ORIGIN_HEADER
from ansible_collections.groundwork.aws.plugins.module_utils.topics.distribution.options import ERROR_CODES

Given = t.Mapping[str, t.Any]

# What servers send from files. `/wp-content/*` has PHP scripts too, whose pages can differ from user to user.
STATIC_PATHS = ("*.css", "*.js", "*.png", "*.jpg", "*.jpeg", "*.gif", "*.svg", "*.webp", "*.avif", "*.ico", "*.woff2")
CACHE_POLICY = "alb-static"
# The sites of a load balancer have other files at the same paths, and new versions of a file other query strings.
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/controlling-the-cache-key.html
CACHE_KEY: Given = {"headers": ["Host", "Origin"], "cookies": ["none"], "query_strings": ["all"]}
SECONDS = 300  # for which a file is cached if its response has no Cache-Control
FORBIDDEN = {"type": "fixed_response", "fixed_response": {"status_code": 403, "body": "Forbidden"}}
# The priority of the rule that has the listener's default action.
LAST = MAX_PRIORITY
XFF = "xff_mode"


@dataclass(frozen=True)
class Front:
    """A distribution in front of the load balancer `balancer`, with one of `alb_distributions` in `given`."""

    balancer: str
    names: tuple[str, ...]
    given: Given
    parameter: str  # with the secret

    @property
    def name(self) -> str:
        """Return the name of the distribution."""
        return distribution_name(self.balancer)

    @property
    def open(self) -> bool:
        """Return whether the load balancer also answers clients that come without the distribution."""
        return bool(self.given.get("open"))

    @property
    def certificate_arn(self) -> str:
        """Return the ARN of the user's certificate, or ""."""
        return self.given.get("certificate_arn") or ""


def distribution_name(balancer: str) -> str:
    """Return the name of the distribution in front of a load balancer."""
    return f"alb-{balancer}"


def fronts_of(
    distributions: t.Iterable[Given], names: t.Mapping[str, t.Sequence[str]], environment: str
) -> dict[str, Front]:
    """Return the distributions by load balancer. One without names has none."""
    return {
        one["name"]: Front(
            one["name"],
            tuple(names[one["name"]]),
            one,
            f"/groundwork/{environment}/alb/{one['name']}/origin-verify",
        )
        for one in distributions
        if names.get(one["name"])
    }


def behind(balancer: Given, front: Front | None) -> dict[str, t.Any]:
    """Return a load balancer that answers its distribution alone.

    Its HTTPS listeners answer 403, except to requests with the secret, and it has no others. CloudFront appends the
    visitor's address to X-Forwarded-For, and the load balancer would append CloudFront's: with `preserve` the last
    address is the visitor's.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html#x-forwarded-for
    """
    if front is None or front.open:
        return dict(balancer)
    attributes = balancer.get("attributes") or {}
    kept = attributes if attributes.get(XFF) == "remove" else {**attributes, XFF: "preserve"}
    listeners = [_guarded(one, front) for one in balancer["listeners"] if is_tls(one)]
    return {**balancer, "listeners": listeners, "attributes": kept}


def _guarded(listener: Given, front: Front) -> dict[str, t.Any]:
    secret = {"field": "http-header", "name": ORIGIN_HEADER, "values": [placeholder(front.parameter)]}
    rules = [{**rule, "conditions": [*rule["conditions"], secret]} for rule in listener.get("rules") or ()]
    rules.append({"priority": LAST, "conditions": [secret], "action": listener["default_action"]})
    return {**listener, "default_action": FORBIDDEN, "rules": rules}


def content_of(balancer: Given, target_groups: t.Iterable[Given], served: t.Iterable[Given]) -> dict[str, str]:
    """Return the option `content` of a load balancer's distribution: releases by `<tier>:<site>`.

    `served` are the releases (ids by site) of servers, with their tiers. Other tiers are left out.
    """
    used = {target["name"] for listener in balancer["listeners"] for target in _targets(listener)}
    tiers = {group["tier"] for group in target_groups if group["name"] in used}
    found: dict[str, set[str]] = {}
    for one in served:
        for site, release in one["releases"].items():
            if one["tier"] in tiers and release:
                found.setdefault(f"{one['tier']}:{site}", set()).add(release)
    return {key: " ".join(sorted(releases)) for key, releases in sorted(found.items())}


def _targets(listener: Given) -> t.Iterator[Given]:
    for action in (listener["default_action"], *(rule["action"] for rule in listener.get("rules") or ())):
        yield from action.get("target_groups") or ()


def distribution_of(front: Front, environment: str, certificate_arn: str, dns_name: str) -> dict[str, t.Any]:
    """Return the options of `cloudfront_distribution`. `dns_name` is the load balancer's, or "" if it is not known.

    Pages are not cached, and no error is: CloudFront would show one user's error to all others for ten seconds.
    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HTTPStatusCodes.html
    """
    paths = front.given.get("static_paths")
    chosen = ("minimum_tls", "price_class", "web_acl_arn")
    header = {ORIGIN_HEADER: placeholder(front.parameter)}
    origin = {"name": front.balancer, "domain": dns_name or KNOWN_AFTER_APPLY, "headers": header}
    return {
        "name": front.name,
        "component": "alb",
        "comment": f"{environment}: load balancer {front.balancer}",
        "origins": [origin],
        "behavior": {
            "methods": "all",
            "cache_policy": "CachingDisabled",
            "origin_request_policy": "AllViewer",
        },
        "behaviors": [
            {"path": path, "methods": "read-options", "cache_policy": CACHE_POLICY}
            for path in (STATIC_PATHS if paths is None else paths)
        ],
        "error_pages": [{"code": code, "ttl": 0} for code in ERROR_CODES],
        "aliases": list(front.names),
        "certificate_arn": certificate_arn,
        **{name: front.given[name] for name in chosen if front.given.get(name)},
    }


def cache_policies(distributions: t.Iterable[Given]) -> list[dict[str, t.Any]]:
    """Return the options of `cloudfront_cache_policy` for the policies that distributions use."""
    used = any(one["cache_policy"] == CACHE_POLICY for made in distributions for one in made["behaviors"])
    times = {"min_ttl": 0, "default_ttl": SECONDS}
    return [{"name": CACHE_POLICY, "component": "alb", **times, **CACHE_KEY}] if used else []
