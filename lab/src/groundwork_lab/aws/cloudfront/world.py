"""CloudFront's part of the `World` for the data plane."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import moto.cloudfront.models

from groundwork_lab import model
from groundwork_lab.aws import certificates
from groundwork_lab.aws.cloudfront import distributions, logs, reusable
from groundwork_lab.aws.cloudfront.state import Backend, Distribution, Function
from groundwork_lab.aws.context import Context, Sources

PARTITION = "aws"  # CloudFront is global: moto keys it by partition, not by region


def backend_of(context: Context) -> Backend:
    """Return the account's CloudFront backend."""
    backend: Backend = moto.cloudfront.models.cloudfront_backends[context.account][PARTITION]
    return backend


def sources(context: Context) -> Sources:
    """Return the World's fields of CloudFront: distributions, policies and access controls by id, functions by ARN.

    The caller holds the context's lock.
    """
    backend = backend_of(context)
    live = {each.arn: each for each in backend.functions.values() if "LIVE" in each.stages}
    return {
        "distributions": (backend.distributions.items(), partial(_distribution, context)),
        "edge_functions": (live.items(), _function),
        "cache_policies": (reusable.CACHE_POLICY.all(backend).items(), _as_it_is),
        "origin_request_policies": (reusable.ORIGIN_REQUEST_POLICY.all(backend).items(), _as_it_is),
        "response_headers_policies": (reusable.RESPONSE_HEADERS_POLICY.all(backend).items(), _as_it_is),
        "origin_access_controls": (reusable.ORIGIN_ACCESS_CONTROL.all(backend).items(), _as_it_is),
    }


def follow(context: Context, world: model.World) -> None:
    """Mark what `world` contains as deployed. The caller holds the context's lock."""
    distributions.follow(backend_of(context), world)


def is_deployed(context: Context, distribution_id: str) -> bool:
    """Return whether the edge serves the latest configuration of the distribution."""
    with context.lock:
        distribution = backend_of(context).distributions.get(distribution_id)
        return distribution is not None and distribution.status == "Deployed"


def store_log(context: Context, distribution_id: str, name: str, content: bytes) -> bool:
    """Store a log file that the edge delivers. Return False, as `logs.store`. The caller holds the context's lock."""
    return logs.store(context, backend_of(context).distributions.get(distribution_id), name, content)


def _as_it_is(settings: Mapping[str, object]) -> Mapping[str, object]:
    return settings


def _function(function: Function) -> model.EdgeFunction:
    """Return the published stage of a function."""
    live = function.stages["LIVE"]
    return model.EdgeFunction(function.arn, function.name, live.config["Runtime"], live.code)


def _distribution(context: Context, distribution: Distribution) -> model.Distribution:
    arn = distribution.config["ViewerCertificate"].get("ACMCertificateArn")
    return model.Distribution(
        id=distribution.id,
        arn=distribution.arn,
        domain_name=distribution.domain_name,
        config=distribution.config,
        invalidations=tuple(model.Invalidation(each.id, tuple(each.paths)) for each in distribution.in_progress),
        certificate=certificates.read(context, arn) if arn else None,
    )
