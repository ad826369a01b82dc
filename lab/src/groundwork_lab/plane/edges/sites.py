"""The distributions in the form that the edge's JavaScript uses, with resolved references. Pure functions.

The JavaScript reads it as one JSON text: {"hosts": {host name: distribution id}, "sites": {id: site}}.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from groundwork_lab.model import Distribution, World
from groundwork_lab.plane.edges import policies
from groundwork_lab.plane.edges.patterns import expression
from groundwork_lab.plane.edges.policies import items

ERROR_SECONDS = 10  # the minimum time to cache an error
Config = Mapping[str, Any]


def known(world: World) -> dict[str, Any]:
    """Return all sites, and the enabled ones by their host names."""
    enabled = [each for each in world.distributions.values() if each.config["Enabled"]]
    return {
        "hosts": {name: each.id for each in enabled for name in names(each)},
        "sites": {each.id: site(each, world) for each in world.distributions.values()},
    }


def names(distribution: Distribution) -> list[str]:
    """Return the host names of a distribution."""
    config: Config = distribution.config
    return [distribution.domain_name.lower(), *(alias.lower() for alias in items(config.get("Aliases")))]


def origins(distribution: Distribution) -> dict[str, tuple[str, Config]]:
    """Return the origins of a distribution by id, each with the name of its nginx server."""
    config: Config = distribution.config
    listed = items(config["Origins"])
    return {each["Id"]: (f"{distribution.id.lower()}-{number}.origin", each) for number, each in enumerate(listed)}


def site(distribution: Distribution, world: World) -> dict[str, Any]:
    """Return one distribution, with its behaviors in order of precedence. The default one is last."""
    config: Config = distribution.config
    listed = [*items(config.get("CacheBehaviors")), config["DefaultCacheBehavior"]]
    errors = items(config.get("CustomErrorResponses"))
    return {
        "id": distribution.id,
        "domain": distribution.domain_name,
        "root": config.get("DefaultRootObject") or "",
        "behaviors": [_behavior(each, distribution, world) for each in listed],
        "errors": {str(each["ErrorCode"]): _error(each) for each in errors},
    }


def _behavior(behavior: Config, distribution: Distribution, world: World) -> dict[str, Any]:
    server, origin = origins(distribution)[behavior["TargetOriginId"]]
    functions = {each["EventType"]: each["FunctionARN"] for each in items(behavior.get("FunctionAssociations"))}
    policy = world.response_headers_policies.get(behavior.get("ResponseHeadersPolicyId") or "")
    pattern = behavior.get("PathPattern")
    methods = behavior.get("AllowedMethods") or {}
    return {
        "pattern": expression(pattern) if pattern else None,
        "protocol": behavior["ViewerProtocolPolicy"],
        "methods": items(methods) or ["GET", "HEAD"],
        "origin": server,
        "host": origin["DomainName"],
        "path": origin.get("OriginPath") or "",
        "compress": bool(behavior.get("Compress")),
        "request": functions.get("viewer-request"),
        "response": functions.get("viewer-response"),
        "added": policies.added_by(policy),
        **_caching(behavior, world),
    }


def _caching(behavior: Config, world: World) -> dict[str, Any]:
    """Return the cache key, the content of origin requests, and the TTLs, from policies or legacy settings."""
    forwarded = behavior.get("ForwardedValues")
    if forwarded:
        ttl = policies.times(behavior)
        every = "*" in items(forwarded.get("Headers"))  # in that case nothing is cached
        return {
            "key": policies.legacy_cached_by(forwarded),
            "sent": policies.legacy_sent_by(forwarded),
            "ttl": ttl,
            "caches": not every and ttl["max"] > 0,
        }
    policy = world.cache_policies[behavior["CachePolicyId"]]
    request_policy = world.origin_request_policies.get(behavior.get("OriginRequestPolicyId") or "")
    ttl = policies.times(policy)
    return {
        "key": policies.cached_by(policy),
        "sent": policies.sent_by(request_policy),
        "ttl": ttl,
        "caches": ttl["max"] > 0,
    }


def _error(response: Config) -> dict[str, Any]:
    """Return the custom page and status of an error, if any, and the minimum seconds to cache the error."""
    seconds = response.get("ErrorCachingMinTTL")
    return {
        "page": response.get("ResponsePagePath") or None,
        "status": int(response.get("ResponseCode") or 0) or None,
        "seconds": ERROR_SECONDS if seconds is None else int(seconds),
    }
