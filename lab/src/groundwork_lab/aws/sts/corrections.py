"""STS' corrections."""

from __future__ import annotations

import moto.sts.models

from groundwork_lab.aws.corrections import Corrections
from groundwork_lab.aws.sts.identity import IdentityBackend

CORRECTIONS = Corrections(registry=moto.sts.models.sts_backends, backend=IdentityBackend)
