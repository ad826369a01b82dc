"""Auto Scaling, put in the place of moto's."""

from __future__ import annotations

import moto.autoscaling.models
import moto.autoscaling.urls

from groundwork_lab.aws.autoscaling.backend import Backend
from groundwork_lab.aws.autoscaling.controller import Controller
from groundwork_lab.aws.autoscaling.responses import Responses
from groundwork_lab.aws.context import Context


def install(context: Context) -> Controller:
    """Put it in; done again for every control plane, which forgets moto's state before. Returns what looks after it."""
    moto.autoscaling.urls.url_paths = {"{0}/$": Responses.dispatch}
    Backend.context = context
    moto.autoscaling.models.autoscaling_backends.backend = Backend
    backend = moto.autoscaling.models.autoscaling_backends[context.account][context.region]
    controller: Controller = backend.controller
    context.on_reconciled.append(lambda _world: controller.pass_once())
    return controller
