"""The names of AWS' own that an alias can target: load balancers and distributions.

https://docs.aws.amazon.com/Route53/latest/APIReference/API_AliasTarget.html
"""

from __future__ import annotations

from typing import Any

from groundwork_lab.aws.context import Context
from groundwork_lab.aws.elbv2.balancers import ZONE_ID
from groundwork_lab.aws.route53.batches import CLOUDFRONT, Targets


def found(context: Context) -> Targets:
    """Return the present names. The caller holds the context's lock."""
    balancers = (each.dns_name.lower() for each in _balancers(context))
    distributions = (each.domain_name.lower() for each in _distributions(context))
    return Targets(
        names={ZONE_ID: frozenset(balancers), CLOUDFRONT: frozenset(distributions)},
        suffixes={ZONE_ID: f"{context.region}.elb.amazonaws.com", CLOUDFRONT: "cloudfront.net"},
    )


def _balancers(context: Context) -> list[Any]:
    from moto.elbv2.models import elbv2_backends  # noqa: PLC0415 - heavy

    return list(elbv2_backends[context.account][context.region].load_balancers.values())


def _distributions(context: Context) -> list[Any]:
    from moto.cloudfront.models import cloudfront_backends  # noqa: PLC0415 - heavy

    return list(cloudfront_backends[context.account]["aws"].distributions.values())
