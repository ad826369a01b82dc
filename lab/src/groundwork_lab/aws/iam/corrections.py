"""IAM's corrections."""

from __future__ import annotations

import moto.iam.models
import moto.iam.urls

from groundwork_lab.aws.corrections import Corrections
from groundwork_lab.aws.iam.identities import Backend, LocalPolicy, Responses

CORRECTIONS = Corrections(
    registry=moto.iam.models.iam_backends,
    backend=Backend,
    exchanged=(
        (moto.iam.urls, "url_paths", {"{0}/$": Responses.dispatch}),
        (moto.iam.models, "ManagedPolicy", LocalPolicy),
    ),
)
