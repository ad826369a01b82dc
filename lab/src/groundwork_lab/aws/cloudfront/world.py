"""Distributions and what they refer to as the data plane reads them. The caller holds the context's lock."""

from __future__ import annotations

from collections.abc import Mapping

import moto.cloudfront.models

from groundwork_lab import model
from groundwork_lab.aws.cloudfront import reusable
from groundwork_lab.aws.cloudfront.state import Backend, Distribution, Function
from groundwork_lab.aws.context import Context, Sources

PARTITION = "aws"  # CloudFront is global: moto keeps it by partition, not by region


def backend_of(context: Context) -> Backend:
    """The account's CloudFront."""
    backend: Backend = moto.cloudfront.models.cloudfront_backends[context.account][PARTITION]
    return backend


def sources(context: Context) -> Sources:
    """The World's fields of CloudFront: distributions and reusable settings by id, live functions by ARN."""
    backend = backend_of(context)
    live = {each.arn: each for each in backend.functions.values() if "LIVE" in each.stages}
    return {
        "distributions": (backend.distributions.items(), _distribution),
        "edge_functions": (live.items(), _function),
        "cache_policies": (reusable.CACHE_POLICY.all(backend).items(), _as_it_is),
        "origin_request_policies": (reusable.ORIGIN_REQUEST_POLICY.all(backend).items(), _as_it_is),
        "response_headers_policies": (reusable.RESPONSE_HEADERS_POLICY.all(backend).items(), _as_it_is),
        "origin_access_controls": (reusable.ORIGIN_ACCESS_CONTROL.all(backend).items(), _as_it_is),
    }


def is_deployed(context: Context, distribution_id: str) -> bool:
    """Whether there is such a distribution, and the data plane has followed it."""
    distribution = backend_of(context).distributions.get(distribution_id)
    return distribution is not None and distribution.status == "Deployed"


def _as_it_is(settings: Mapping[str, object]) -> Mapping[str, object]:
    return settings


def _function(function: Function) -> model.EdgeFunction:
    """A function as it was published."""
    live = function.stages["LIVE"]
    return model.EdgeFunction(function.arn, function.name, live.config["Runtime"], live.code)


def _distribution(distribution: Distribution) -> model.Distribution:
    return model.Distribution(
        id=distribution.id,
        arn=distribution.arn,
        domain_name=distribution.domain_name,
        config=distribution.config,
        invalidations=tuple(model.Invalidation(each.id, tuple(each.paths)) for each in distribution.in_progress),
    )
