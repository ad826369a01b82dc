"""STS' corrections."""

from __future__ import annotations

import moto.sts.models
import moto.sts.urls

from groundwork_lab.aws.corrections import Corrections
from groundwork_lab.aws.sts.identity import IdentityBackend, IdentityResponses

CORRECTIONS = Corrections(
    registry=moto.sts.models.sts_backends,
    backend=IdentityBackend,
    exchanged=((moto.sts.urls, "url_paths", {"{0}/$": IdentityResponses.dispatch}),),
)
