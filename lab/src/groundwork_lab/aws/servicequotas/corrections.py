"""Service Quotas' corrections."""

from __future__ import annotations

import moto.servicequotas.models

from groundwork_lab.aws.corrections import Corrections
from groundwork_lab.aws.servicequotas.quotas import QuotasBackend

CORRECTIONS = Corrections(registry=moto.servicequotas.models.servicequotas_backends, backend=QuotasBackend)
