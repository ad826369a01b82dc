"""Distributions and what they refer to as the data plane reads them. The caller holds the context's lock."""

from __future__ import annotations

from collections.abc import Mapping

import moto.cloudfront.models

from groundwork_lab import model
from groundwork_lab.controlplane.cloudfront import reusable
from groundwork_lab.controlplane.cloudfront.state import Backend, Distribution
from groundwork_lab.controlplane.context import Context

PARTITION = "aws"  # CloudFront is global: moto keeps it by partition, not by region


def backend_of(context: Context) -> Backend:
    """The account's CloudFront."""
    backend: Backend = moto.cloudfront.models.cloudfront_backends[context.account][PARTITION]
    return backend


def snapshot_distributions(context: Context) -> dict[str, model.Distribution]:
    """All of them, by id."""
    return {each.id: _distribution(each) for each in backend_of(context).distributions.values()}


def is_deployed(context: Context, distribution_id: str) -> bool:
    """Whether there is such a distribution, and the data plane has followed it."""
    distribution = backend_of(context).distributions.get(distribution_id)
    return distribution is not None and distribution.status == "Deployed"


def snapshot_functions(context: Context) -> dict[str, model.EdgeFunction]:
    """Those that are published, by ARN, as they were published."""
    return {
        each.arn: model.EdgeFunction(each.arn, each.name, live.config["Runtime"], live.code)
        for each in backend_of(context).functions.values()
        if (live := each.stages.get("LIVE")) is not None
    }


def snapshot_settings(context: Context) -> dict[str, Mapping[str, Mapping[str, object]]]:
    """The World's fields of reusable settings, each by id."""
    backend = backend_of(context)
    return {
        "cache_policies": reusable.CACHE_POLICY.all(backend),
        "origin_request_policies": reusable.ORIGIN_REQUEST_POLICY.all(backend),
        "response_headers_policies": reusable.RESPONSE_HEADERS_POLICY.all(backend),
        "origin_access_controls": reusable.ORIGIN_ACCESS_CONTROL.all(backend),
    }


def _distribution(distribution: Distribution) -> model.Distribution:
    return model.Distribution(
        id=distribution.id,
        arn=distribution.arn,
        domain_name=distribution.domain_name,
        config=distribution.config,
        invalidations=tuple(model.Invalidation(each.id, tuple(each.paths)) for each in distribution.in_progress),
    )
