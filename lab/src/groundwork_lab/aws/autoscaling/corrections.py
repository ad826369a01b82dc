"""The lab's Auto Scaling in place of moto's."""

from __future__ import annotations

import moto.autoscaling.models
import moto.autoscaling.urls

from groundwork_lab.aws.autoscaling.backend import Backend
from groundwork_lab.aws.autoscaling.controller import Controller
from groundwork_lab.aws.autoscaling.responses import Responses
from groundwork_lab.aws.context import Context
from groundwork_lab.aws.corrections import Corrections


def controller(context: Context) -> Controller:
    """Return the controller of the groups in the lab's region."""
    found: Controller = moto.autoscaling.models.autoscaling_backends[context.account][context.region].controller
    return found


CORRECTIONS = Corrections(
    registry=moto.autoscaling.models.autoscaling_backends,
    backend=Backend,
    exchanged=((moto.autoscaling.urls, "url_paths", {"{0}/$": Responses.dispatch}),),
    own=True,
    worker=controller,
)
