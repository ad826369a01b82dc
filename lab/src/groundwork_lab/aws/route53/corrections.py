"""The lab's Route 53 in place of moto's."""

from __future__ import annotations

import moto.route53.models
import moto.route53.urls

from groundwork_lab.aws.corrections import Corrections
from groundwork_lab.aws.route53.answers import Responses
from groundwork_lab.aws.route53.state import Backend
from groundwork_lab.aws.route53.world import follow, sources

CORRECTIONS = Corrections(
    registry=moto.route53.models.route53_backends,
    backend=Backend,
    exchanged=((moto.route53.urls, "url_paths", {r"{0}/2013-04-01/(?P<resource>.+)$": Responses.dispatch}),),
    own=True,
    sources=sources,
    follow=follow,
)
