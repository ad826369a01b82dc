"""Parameter Store's corrections."""

from __future__ import annotations

import moto.ssm.models

from groundwork_lab.aws.corrections import Corrections
from groundwork_lab.aws.ssm.parameters import ParametersBackend
from groundwork_lab.aws.ssm.resources import resources

CORRECTIONS = Corrections(registry=moto.ssm.models.ssm_backends, backend=ParametersBackend, resources=resources)
