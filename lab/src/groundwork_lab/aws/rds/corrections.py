"""The lab's RDS in place of moto's."""

from __future__ import annotations

import moto.rds.models
import moto.rds.urls

from groundwork_lab.aws.corrections import Corrections
from groundwork_lab.aws.rds.answers import Responses
from groundwork_lab.aws.rds.state import Backend
from groundwork_lab.aws.rds.world import follow, sources

CORRECTIONS = Corrections(
    registry=moto.rds.models.rds_backends,
    backend=Backend,
    exchanged=((moto.rds.urls, "url_paths", {"{0}/$": Responses.dispatch}),),
    own=True,
    sources=sources,
    follow=follow,
)
