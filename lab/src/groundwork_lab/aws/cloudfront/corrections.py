"""The lab's CloudFront in place of moto's."""

from __future__ import annotations

import moto.cloudfront.models
import moto.cloudfront.urls

from groundwork_lab.aws.cloudfront.answers import Responses
from groundwork_lab.aws.cloudfront.state import Backend
from groundwork_lab.aws.cloudfront.world import follow, sources
from groundwork_lab.aws.corrections import Corrections

CORRECTIONS = Corrections(
    registry=moto.cloudfront.models.cloudfront_backends,
    backend=Backend,
    exchanged=((moto.cloudfront.urls, "url_paths", {"{0}/2020-05-31/(?P<resource>.+)$": Responses.dispatch}),),
    own=True,
    sources=sources,
    follow=follow,
)
