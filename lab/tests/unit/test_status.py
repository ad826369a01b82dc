"""The status for a `World` with one host, one NAT gateway and one load balancer."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from typing import Any

import pytest

from groundwork_lab.model import (
    Action,
    Distribution,
    HealthCheck,
    Instance,
    Interface,
    Listener,
    ListenerRule,
    LoadBalancer,
    MetadataOptions,
    NatGateway,
    Target,
    TargetGroup,
    Unreadable,
    Vpc,
    World,
)
from groundwork_lab.ports import HealthReport
from groundwork_lab.reconcile import LoopReport, PartReport
from groundwork_lab.status import of_loop, of_world, render, table, target_groups_of

HOST_INTERFACE = Interface(
    id="eni-1",
    vpc_id="vpc-1",
    subnet_id="subnet-1",
    mac="02:00:00:00:00:01",
    private_ip=IPv4Address("10.20.0.5"),
    public_ip=IPv4Address("198.19.0.5"),
    security_group_ids=("sg-1",),
    source_dest_check=True,
    owner="instance",
    owner_id="i-1",
)
NAT_INTERFACE = replace(HOST_INTERFACE, id="eni-2", private_ip=IPv4Address("10.20.0.6"), owner="nat-gateway")
NODE = replace(HOST_INTERFACE, id="eni-3", public_ip=IPv4Address("198.19.0.7"), owner="load-balancer")
HOST = Instance(
    id="i-1",
    image_id="ami-1",
    instance_type="t3.micro",
    zone="eu-central-1a",
    state="running",
    interface_id="eni-1",
    key_name="admin",
    public_key=None,
    user_data=b"",
    metadata=MetadataOptions("required", 1, True),
    instance_profile_arn=None,
    launch_time="2030-01-01T00:00:00Z",
    tags={"Name": "public-1"},
)
GROUP = TargetGroup(
    arn="arn:tg",
    name="public",
    vpc_id="vpc-1",
    protocol="HTTP",
    port=80,
    target_type="instance",
    health_check=HealthCheck(True, "HTTP", "traffic-port", "/", 30, 5, 5, 2, "200"),
    targets=(Target("i-1", 80), Target("i-gone", 80)),
    draining=(),
    attributes={},
)
FORWARD = Action("forward", {"TargetGroups": [{"TargetGroupArn": "arn:tg", "Weight": 1}]})
FIXED = Action("fixed-response", {"StatusCode": "404"})
BALANCER = LoadBalancer(
    arn="arn:lb",
    name="web",
    dns_name="web-1.eu-central-1.elb.amazonaws.com",
    scheme="internet-facing",
    vpc_id="vpc-1",
    interface_ids=("eni-3",),
    listeners=(Listener("arn:l", 80, "HTTP", (FIXED,), (ListenerRule("arn:r", 1, (), (FORWARD,)),)),),
    attributes={},
)
SITE = Distribution("E1", "arn:d", "d1.cloudfront.net", {"Enabled": True, "Comment": "prod-site"})
WORLD = World(
    vpcs={"vpc-1": Vpc("vpc-1", (IPv4Network("10.20.0.0/16"),), True, True)},
    interfaces={each.id: each for each in (HOST_INTERFACE, NAT_INTERFACE, NODE)},
    nat_gateways={"nat-1": NatGateway("nat-1", "vpc-1", "subnet-1", "eni-2", None)},
    instances={"i-1": HOST},
    target_groups={"arn:tg": GROUP},
    load_balancers={"arn:lb": BALANCER},
    unreadable=(Unreadable("subnets", "subnet-9", "LookupError: the subnet has no network ACL"),),
    distributions={"E1": SITE, "E2": replace(SITE, id="E2", config={"Enabled": False, "Comment": ""})},
)
HEALTH = {("i-1", 80): HealthReport("unhealthy", "Target.Timeout", "Request timed out")}

GOLDEN = """\
The lab 'lab' is up, but its data plane is not up to date.
  daemon    pid 12, since 2030-01-01T00:00:00+00:00, log /log
  API       http://198.18.0.2 (S3 http://198.18.0.4), 9 calls, 4 of them writes
  names     198.18.0.3, packages http://198.18.0.5:3142
  updates   3, the last one took 0.25 s

Failing (retried):
  fabric: OSError: no route

Not updated, because it cannot be read
  TYPE     ID        WHY
  subnets  subnet-9  LookupError: the subnet has no network ACL

Hosts
  NAME      ID   STATE    SSH  PRIVATE    PUBLIC      ZONE           TYPE
  public-1  i-1  running  yes  10.20.0.5  198.19.0.5  eu-central-1a  t3.micro

Balancers
  web (internet-facing, HTTP 80)
    web-1.eu-central-1.elb.amazonaws.com  198.19.0.7
    public
      TARGET    ID      PORT  STATE      REASON
      public-1  i-1     80    unhealthy  Target.Timeout: Request timed out
      -         i-gone  80    unused

Distributions
  ID  DOMAIN             ENABLED  STATUS      COMMENT
  E1  d1.cloudfront.net  yes      Deployed    prod-site
  E2  d1.cloudfront.net  no       InProgress

NAT gateways
  ID     SUBNET    PRIVATE    PUBLIC
  nat-1  subnet-1  10.20.0.6  198.19.0.5

VPCs
  ID     CIDRS         INTERFACES
  vpc-1  10.20.0.0/16  3

Data plane
  PART    LAST PASS  STATE
  fabric  0.125 s    failed 2 times in a row
"""


@pytest.fixture
def status() -> dict[str, Any]:
    report = LoopReport(passes=3, seconds=0.25, parts={"fabric": PartReport(0.125, "OSError: no route", 2)})
    return {
        "lab": "lab",
        "pid": 12,
        "started": "2030-01-01T00:00:00+00:00",
        "log": "/log",
        "api": "http://198.18.0.2",
        "s3": "http://198.18.0.4",
        "resolver": "198.18.0.3",
        "packages": "http://198.18.0.5:3142",
        **of_world(
            WORLD, lambda instance_id: True, lambda arn: HEALTH, lambda distribution_id: distribution_id == "E1"
        ),
        **of_loop(report),
        "calls": {"total": 9, "writes": 4},
    }


def test_status_for_a_person(status: dict[str, Any]) -> None:
    assert render(status) == GOLDEN


def test_an_empty_lab_shows_only_itself(status: dict[str, Any]) -> None:
    empty = of_world(World(), lambda instance_id: True, lambda arn: {}, lambda distribution_id: True)
    quiet = of_loop(LoopReport(parts={"fabric": PartReport()}))
    text = render({**status, **empty, **quiet})
    assert text.startswith("The lab 'lab' is up.\n")
    assert "Hosts" not in text
    assert "Failing" not in text


@pytest.mark.parametrize(
    ("instance", "reachable"),
    [(HOST, True), (replace(HOST, state="stopped"), False), (replace(HOST, state="pending"), False)],
)
def test_only_a_running_host_is_reachable(instance: Instance, reachable: bool) -> None:
    found = of_world(
        replace(WORLD, instances={"i-1": instance}),
        lambda instance_id: True,
        lambda arn: {},
        lambda distribution_id: True,
    )
    assert found["hosts"][0]["reachable"] is reachable


def test_target_groups_are_found_in_rules_and_defaults_once() -> None:
    both = replace(BALANCER, listeners=(replace(BALANCER.listeners[0], default_actions=(FORWARD,)),))
    assert target_groups_of(both) == ["arn:tg"]


def test_a_table_is_aligned_and_empty_without_rows() -> None:
    assert table(("A", "LONG"), [("xyz", None), ("x", 1)]) == ["  A    LONG", "  xyz", "  x    1"]
    assert table(("A",), []) == []
