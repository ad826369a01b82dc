"""Installation of the lab's Elastic Load Balancing in place of moto's."""

from __future__ import annotations

from typing import Any

import moto.elb.urls
import moto.elbv2.models
import moto.elbv2.urls

from groundwork_lab.aws.context import Context
from groundwork_lab.aws.elbv2.answers import Responses
from groundwork_lab.aws.elbv2.balancers import BalancersBackend, LoadBalancer
from groundwork_lab.aws.elbv2.groups import GroupsBackend, TargetGroup
from groundwork_lab.aws.elbv2.listeners import Action, DefaultRule, ListenersBackend
from groundwork_lab.model import World


class Backend(BalancersBackend, GroupsBackend, ListenersBackend):
    """Elastic Load Balancing in one region."""

    context: Context  # set by `install`
    _url_module = moto.elbv2.urls  # moto looks it up beside the class


EXCHANGED: tuple[tuple[Any, str, Any], ...] = (
    (moto.elbv2.models, "FakeAction", Action),
    (moto.elbv2.models, "FakeLoadBalancer", LoadBalancer),
    (moto.elbv2.models, "FakeRule", DefaultRule),
    (moto.elbv2.models, "FakeTargetGroup", TargetGroup),
    (moto.elb.urls, "ELBV2Response", Responses),
)


def install(context: Context) -> None:
    """Install the lab's Elastic Load Balancing with an empty state. Call it for each control plane."""
    for module, name, replacement in EXCHANGED:
        setattr(module, name, replacement)
    Backend.context = context
    moto.elbv2.models.elbv2_backends.backend = Backend

    def follow(world: World) -> None:
        moto.elbv2.models.elbv2_backends[context.account][context.region].follow(world)

    context.on_reconciled.append(follow)
