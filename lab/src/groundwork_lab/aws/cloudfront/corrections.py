"""Installation of the lab's CloudFront in place of moto's."""

from __future__ import annotations

import moto.cloudfront.models
import moto.cloudfront.urls

from groundwork_lab.aws.cloudfront import distributions
from groundwork_lab.aws.cloudfront.answers import Responses
from groundwork_lab.aws.cloudfront.state import Backend
from groundwork_lab.aws.cloudfront.world import backend_of
from groundwork_lab.aws.context import Context
from groundwork_lab.model import World


def install(context: Context) -> None:
    """Install the lab's CloudFront with an empty state. Call it for every control plane."""
    moto.cloudfront.urls.url_paths = {"{0}/2020-05-31/(?P<resource>.+)$": Responses.dispatch}
    Backend.context = context
    moto.cloudfront.models.cloudfront_backends.backend = Backend

    def follow(world: World) -> None:
        distributions.follow(backend_of(context), world)

    context.on_reconciled.append(follow)
