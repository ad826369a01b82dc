"""The corrections of Elastic Load Balancing."""

from __future__ import annotations

import moto.elb.urls
import moto.elbv2.models
import moto.elbv2.responses
import moto.elbv2.urls

from groundwork_lab.aws.context import Context
from groundwork_lab.aws.corrections import Corrections, Exchange
from groundwork_lab.aws.elbv2.answers import Responses
from groundwork_lab.aws.elbv2.balancers import BalancersBackend, LoadBalancer
from groundwork_lab.aws.elbv2.groups import GroupsBackend, TargetGroup
from groundwork_lab.aws.elbv2.listeners import Action, DefaultRule, Listener, ListenersBackend
from groundwork_lab.aws.elbv2.security import POLICIES
from groundwork_lab.aws.elbv2.world import follow, sources


class Backend(BalancersBackend, GroupsBackend, ListenersBackend):
    """Elastic Load Balancing in one region."""

    context: Context  # set by `install`
    _url_module = moto.elbv2.urls  # moto looks it up beside the class


EXCHANGED: tuple[Exchange, ...] = (
    (moto.elbv2.models, "FakeAction", Action),
    (moto.elbv2.models, "FakeListener", Listener),
    (moto.elbv2.models, "FakeLoadBalancer", LoadBalancer),
    (moto.elbv2.models, "FakeRule", DefaultRule),
    (moto.elbv2.models, "FakeTargetGroup", TargetGroup),
    (moto.elb.urls, "ELBV2Response", Responses),
    (moto.elbv2.responses, "SSL_POLICIES", POLICIES),
)


CORRECTIONS = Corrections(
    registry=moto.elbv2.models.elbv2_backends, backend=Backend, exchanged=EXCHANGED, sources=sources, follow=follow
)
