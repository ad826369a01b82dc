"""Parameter Store's corrections."""

from __future__ import annotations

import moto.ssm.models
import moto.ssm.urls

from groundwork_lab.aws.corrections import Corrections
from groundwork_lab.aws.ssm.answers import Responses
from groundwork_lab.aws.ssm.parameters import ParametersBackend
from groundwork_lab.aws.ssm.resources import resources

CORRECTIONS = Corrections(
    registry=moto.ssm.models.ssm_backends,
    backend=ParametersBackend,
    exchanged=((moto.ssm.urls, "url_paths", {"{0}/$": Responses.dispatch}),),
    resources=resources,
)
