"""HTTPS listeners: what is planned, in which order, and what is refused."""

from __future__ import annotations

import typing as t

import pytest
from topic_options import alb

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Change
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.changes import plan_balancers
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.observed import (
    HSTS_PORTS,
    Balancer,
    Group,
    Listener,
    Observed,
    look,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.options import Balancers, parse_load_balancers
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.tls import HSTS

OWNER = Owner("dev", "alb")
ARN = "arn:aws:acm:eu-central-1:123456789012:certificate/0000000{}-0000-4000-8000-000000000000"
ONE, TWO, THREE = (ARN.format(number) for number in (1, 2, 3))
POLICY = "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
FORWARD = {"target_groups": [{"name": "public"}]}
REDIRECT = {"type": "redirect", "redirect": {"protocol": "HTTPS", "port": "443"}}
TO_HTTPS = {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}
TO_GROUP = {"Type": "forward", "TargetGroupArn": "group-arn"}


def options(*listeners: t.Mapping[str, t.Any], **given: t.Any) -> dict[str, t.Any]:
    balancer = alb.balancer("public", listeners=list(listeners))
    groups = [{"name": "public", "tier": "public"}]
    return {**alb.options(target_groups=groups, load_balancers=[balancer], **given), "region": "eu-central-1"}


def tls(*certificates: str, **more: t.Any) -> dict[str, t.Any]:
    return {"port": 443, "protocol": "HTTPS", "certificates": list(certificates), "default_action": FORWARD, **more}


HTTP = {"port": 80, "default_action": REDIRECT}


def desired(*listeners: t.Mapping[str, t.Any], **given: t.Any) -> Balancers:
    problems = Problems()
    wanted = parse_load_balancers(options(*listeners, **given), problems)
    assert wanted, problems.found
    return wanted


def listener(port: int, protocol: str, action: t.Any, certificate: str = "", **more: t.Any) -> Listener:
    described = {"ListenerArn": f"listener-{port}", "Port": port, "Protocol": protocol, "DefaultActions": [action]}
    if certificate:
        described |= {"SslPolicy": POLICY, "Certificates": [{"CertificateArn": certificate}]}
    return Listener(described, {}, **more)


def observed(*listeners: Listener, **tags: str) -> Observed:
    described = {
        "LoadBalancerArn": "balancer-arn",
        "DNSName": "name",
        "CanonicalHostedZoneId": "Z1",
        "State": {"Code": "active"},
        "AvailabilityZones": [],
    }
    balancer = Balancer(
        described, {**OWNER.tags("public"), **tags}, {}, {one.described["Port"]: one for one in listeners}
    )
    group = Group({"TargetGroupArn": "group-arn"}, OWNER.tags("public"))
    return Observed(groups={"public": group}, balancers={"public": balancer})


def planned(wanted: Balancers, actual: Observed) -> list[Change]:
    kinds = ("listener", "certificates", "listener attributes", "tags")
    return [one for one in plan_balancers(wanted, actual, OWNER) if one.resource in kinds]


def operations(changes: t.Iterable[Change]) -> list[tuple[str, str]]:
    return [(call.operation, change.name) for change in changes for call in change.calls]


def test_https_is_created_before_http_redirects_to_it() -> None:
    changes = planned(desired(HTTP, tls(ONE, TWO, hsts=300)), observed(listener(80, "HTTP", TO_GROUP)))
    assert operations(changes) == [
        ("add_tags", "load balancer public"),
        ("create_listener", "public:443"),
        ("add_listener_certificates", "public:443"),
        ("modify_listener_attributes", "public:443"),
        ("modify_listener", "public:80"),
    ]
    create, beside, attributes = changes[1].calls
    assert (create.arguments["SslPolicy"], create.arguments["Certificates"]) == (POLICY, [{"CertificateArn": ONE}])
    assert beside.arguments["Certificates"] == [{"CertificateArn": TWO}]
    assert attributes.arguments["Attributes"] == [{"Key": HSTS, "Value": "max-age=300"}]
    redirect = changes[2].calls[0].arguments["DefaultActions"][0]["RedirectConfig"]
    assert redirect | TO_HTTPS["RedirectConfig"] == redirect
    assert (redirect["Path"], redirect["Query"]) == ("/#{path}", "#{query}")


def test_nothing_is_planned_for_the_wanted_state() -> None:
    actual = listener(443, "HTTPS", TO_GROUP, ONE)
    assert planned(desired(tls(ONE)), observed(actual)) == []
    assert [
        one.name for one in planned(desired(tls(ONE, tls_policy="ELBSecurityPolicy-2016-08")), observed(actual))
    ] == ["public:443"]


def test_the_former_certificate_stays_beside_the_new_one() -> None:
    changes = planned(desired(tls(TWO)), observed(listener(443, "HTTPS", TO_GROUP, ONE)))
    assert operations(changes) == [("add_listener_certificates", "public:443"), ("modify_listener", "public:443")]
    keep, modify = changes[0].calls
    assert keep.arguments["Certificates"] == [{"CertificateArn": ONE}]
    assert modify.arguments["Certificates"] == [{"CertificateArn": TWO}]


@pytest.mark.parametrize("purge", [False, True])
def test_certificates_beside_the_default_one(*, purge: bool) -> None:
    actual = listener(443, "HTTPS", TO_GROUP, ONE, beside=frozenset({THREE}))
    changes = planned(desired(tls(ONE, TWO), purge=purge), observed(actual))
    removed = [("remove_listener_certificates", "public:443")] if purge else []
    assert operations(changes) == [("add_listener_certificates", "public:443"), *removed]


def test_hsts_is_removed_and_the_tag_tells_it() -> None:
    actual = listener(443, "HTTPS", TO_GROUP, ONE, attributes={HSTS: "max-age=300"})
    changes = planned(desired(tls(ONE)), observed(actual, **{HSTS_PORTS: "443"}))
    assert operations(changes)[-2:] == [
        ("modify_listener_attributes", "public:443"),
        ("add_tags", "load balancer public"),
    ]
    assert changes[-2].calls[0].arguments["Attributes"] == [{"Key": HSTS, "Value": ""}]
    assert changes[-1].after == {HSTS_PORTS: ""}


def test_a_listener_that_is_declared_again_loses_its_hsts() -> None:
    """Without purge it stays with its header when it is not declared, and the tag tells that."""
    stray = listener(443, "HTTPS", TO_GROUP, ONE, attributes={HSTS: "max-age=300"})
    actual = observed(listener(80, "HTTP", TO_GROUP), stray, **{HSTS_PORTS: "443"})
    assert [one for one in planned(desired(HTTP), actual) if one.resource == "tags"] == []
    assert ("modify_listener_attributes", "public:443") in operations(planned(desired(tls(ONE)), actual))


class Elb:
    """A client of ELB that tells one load balancer with an HTTPS listener, and counts what else is asked for."""

    def __init__(self, tags: t.Mapping[str, str], *more: Listener) -> None:
        self.tags = tags
        self.listeners = [one.described for one in (listener(443, "HTTPS", TO_GROUP, ONE), *more)]
        self.asked: list[str] = []

    def client(self, _service: str, **_extra: t.Any) -> Elb:
        return self

    def can_paginate(self, _operation: str) -> bool:
        return False

    def __getattr__(self, operation: str) -> t.Any:
        self.asked.append(operation)
        balancer = observed().balancers["public"].described | {"LoadBalancerName": "dev-public"}
        tags = [{"Key": key, "Value": value} for key, value in self.tags.items()]
        answers = {
            "describe_load_balancers": {"LoadBalancers": [balancer]},
            "describe_tags": {"TagDescriptions": [{"ResourceArn": "balancer-arn", "Tags": tags}]},
            "describe_listeners": {"Listeners": self.listeners},
        }
        return lambda **_arguments: answers.get(operation, {})


@pytest.mark.parametrize(
    ("wish", "tags", "more"),
    [
        (tls(ONE), {}, []),
        (tls(ONE, hsts=60), {}, ["describe_listener_attributes"]),
        (tls(ONE), {HSTS_PORTS: "443"}, ["describe_listener_attributes"]),
        (tls(ONE), {HSTS_PORTS: ""}, []),
        (tls(ONE, TWO), {}, ["describe_listener_certificates"]),
    ],
)
def test_only_what_is_needed_is_read(wish: dict[str, t.Any], tags: dict[str, str], more: list[str]) -> None:
    elb = Elb({**OWNER.tags("public"), **tags})
    look(OWNER, desired(wish), elb)
    assert sorted(one for one in elb.asked if one.startswith("describe_listener_")) == more


def test_https_takes_one_more_call_for_a_load_balancer() -> None:
    http, both = Elb(OWNER.tags("public")), Elb(OWNER.tags("public"), listener(80, "HTTP", TO_HTTPS))
    look(OWNER, desired(tls(ONE)), http)
    look(OWNER, desired(tls(ONE), HTTP), both)
    assert len(both.asked) == len(http.asked) + 1


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (tls(), "listeners[0].certificates: is empty, and a listener with the protocol HTTPS needs a certificate"),
        (
            tls(ONE.replace("eu-central-1", "us-east-1")),
            "the certificate is in us-east-1, and the load balancer in eu-",
        ),
        (tls("web"), "'web' is not the ARN of a certificate"),
        (tls(ONE, ONE), "is used twice; use it once"),
        (tls(ONE, tls_policy="TLS1.2"), "'TLS1.2' is not the name of a security policy"),
        (tls(ONE, hsts=-1), "hsts: -1 is out of range"),
        ({**HTTP, "hsts": 300}, "browsers ignore HSTS over HTTP"),
        ({**HTTP, "certificates": [ONE]}, "a listener with the protocol HTTP has no certificates"),
    ],
)
def test_wrong_input_is_told(wrong: dict[str, t.Any], message: str) -> None:
    problems = Problems()
    assert parse_load_balancers(options(wrong), problems) is None
    assert message in "\n".join(map(str, problems.found))
