"""The lab's Certificate Manager in place of moto's."""

from __future__ import annotations

import moto.acm.models
import moto.acm.urls

from groundwork_lab.aws.acm.answers import Responses
from groundwork_lab.aws.acm.issuing import Issuer
from groundwork_lab.aws.acm.state import Backend
from groundwork_lab.aws.corrections import Corrections

CORRECTIONS = Corrections(
    registry=moto.acm.models.acm_backends,
    backend=Backend,
    exchanged=((moto.acm.urls, "url_paths", {"{0}/$": Responses.dispatch}),),
    own=True,
    worker=Issuer,
)
