"""Installation of the lab's Auto Scaling in place of moto's."""

from __future__ import annotations

import moto.autoscaling.models
import moto.autoscaling.urls

from groundwork_lab.aws.autoscaling.backend import Backend
from groundwork_lab.aws.autoscaling.controller import Controller
from groundwork_lab.aws.autoscaling.responses import Responses
from groundwork_lab.aws.context import Context


def install(context: Context) -> Controller:
    """Install the lab's Auto Scaling with an empty state and return its controller. Call it for each control plane."""
    moto.autoscaling.urls.url_paths = {"{0}/$": Responses.dispatch}
    Backend.context = context
    moto.autoscaling.models.autoscaling_backends.backend = Backend
    backend = moto.autoscaling.models.autoscaling_backends[context.account][context.region]
    controller: Controller = backend.controller
    context.on_reconciled.append(lambda _world: controller.pass_once())
    return controller
