"""The corrections of the tagging API."""

from __future__ import annotations

import moto.resourcegroupstaggingapi.models

from groundwork_lab.aws.corrections import Corrections
from groundwork_lab.aws.resourcegroupstaggingapi.grouping import GroupingBackend

CORRECTIONS = Corrections(
    registry=moto.resourcegroupstaggingapi.models.resourcegroupstaggingapi_backends, backend=GroupingBackend
)
