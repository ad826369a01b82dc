"""The lab's EFS in place of moto's."""

from __future__ import annotations

import moto.efs.models
import moto.efs.urls

from groundwork_lab.aws.corrections import Corrections
from groundwork_lab.aws.efs.answers import Responses
from groundwork_lab.aws.efs.state import Backend
from groundwork_lab.aws.efs.world import follow, sources

CORRECTIONS = Corrections(
    registry=moto.efs.models.efs_backends,
    backend=Backend,
    exchanged=((moto.efs.urls, "url_paths", {"{0}/2015-02-01/(?P<resource>.+)$": Responses.dispatch}),),
    own=True,
    sources=sources,
    follow=follow,
)
