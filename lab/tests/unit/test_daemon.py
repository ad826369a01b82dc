"""The answers of the control socket, with fake parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from groundwork_lab.api import CallCounter, Fault, Faults
from groundwork_lab.control import RefusalError
from groundwork_lab.daemon import Lab, console, fault_from, routes, set_minute, total
from groundwork_lab.model import HostedZone, Instance, MetadataOptions, World
from groundwork_lab.settings import name_servers

INSTANCE = Instance(
    id="i-1",
    image_id="ami-1",
    instance_type="t3.micro",
    zone="eu-central-1a",
    state="running",
    interface_id="eni-1",
    key_name=None,
    public_key=None,
    user_data=b"",
    metadata=MetadataOptions("required", 1, True),
    instance_profile_arn=None,
    launch_time="2030-01-01T00:00:00Z",
    tags={"Name": "public-1"},
)
YOUNGER = replace(INSTANCE, id="i-2", launch_time="2030-01-02T00:00:00Z")
NAMELESS = replace(INSTANCE, id="i-3", tags={})
CONSOLES = {"i-1": b"one", "i-2": b"two", "i-3": b"three", "i-9": b"terminated"}

MakeLab = Callable[..., Lab]


@pytest.fixture
def make_lab() -> MakeLab:
    def make(*instances: Instance) -> Lab:
        world = World(instances={each.id: each for each in instances})
        lab: Any = SimpleNamespace(
            control_plane=SimpleNamespace(snapshot=lambda: world, calls=CallCounter(), faults=Faults()),
            hosts=SimpleNamespace(console_output=lambda instance_id: CONSOLES.get(instance_id, b"")),
        )
        made: Lab = lab
        return made

    return make


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        ("i-1", b"one"),
        ("public-1", b"two"),  # of two with the same name, the newest
        ("i-3", b"three"),
        ("i-9", b"terminated"),
    ],
)
def test_a_console_is_found_by_id_or_name(make_lab: MakeLab, wanted: str, text: bytes) -> None:
    assert console(make_lab(INSTANCE, YOUNGER, NAMELESS), wanted) == text


@pytest.mark.parametrize("wanted", ["public-2", "i-404", "../../etc/passwd", ""])
def test_an_unknown_host_is_refused_with_the_known_ones(make_lab: MakeLab, wanted: str) -> None:
    with pytest.raises(RefusalError, match=r"the existing hosts are: i-3, public-1\."):
        console(make_lab(INSTANCE, NAMELESS), wanted)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"colour": "red"}, "A fault has unknown fields: colour; use access_key, code, cut"),
        ([], "A fault must be a JSON object"),
        ({"probability": 1.5}, "probability is 1.5; it must be 0 to 1"),
        ({"status": 200}, "status is 200; it must be 400 to 599"),
        ({"stale": -1}, "stale is -1; it must be 0 or more"),
        ({"every": -1, "delay": -0.5}, "every is -1; it must be 0 or more; delay is -0.5; it must be 0 or more"),
    ],
)
def test_a_wrong_fault_is_refused(body: object, message: str) -> None:
    with pytest.raises(RefusalError) as caught:
        fault_from(body)
    assert caught.value.message.startswith(message)


def test_faults_replace_or_add(make_lab: MakeLab) -> None:
    lab = make_lab()
    answers = routes(lab)
    answers["POST /faults"]("", {"service": "ec2"})
    answers["POST /faults"]("add", {"service": "s3"})
    assert [fault.service for fault in lab.control_plane.faults.rules()] == ["ec2", "s3"]
    answers["POST /faults"]("", {"service": "sts"})
    assert lab.control_plane.faults.rules() == [Fault(service="sts")]
    assert answers["DELETE /faults"]("", None) == answers["GET /faults"]("", None) == []


def test_calls_are_told_and_reset(make_lab: MakeLab) -> None:
    lab = make_lab()
    for operation in ("DescribeVpcs", "DescribeVpcs", "CreateVpc"):
        lab.control_plane.calls.count("ec2", operation)
    expected = {"calls": {"ec2": {"CreateVpc": 1, "DescribeVpcs": 2}}, "writes": {"ec2": {"CreateVpc": 1}}}
    answers = routes(lab)
    assert answers["GET /calls"]("", None) == answers["DELETE /calls"]("", None) == expected
    assert answers["GET /calls"]("", None) == {"calls": {}, "writes": {}}


def test_domains_are_registered_with_the_name_servers_of_their_zones(make_lab: MakeLab) -> None:
    lab: Any = make_lab()
    world = World(hosted_zones={"Z1": HostedZone("Z1", "example.test.", 2, 1, ())})
    lab.control_plane.snapshot = lambda: world
    kept: dict[str, tuple[str, ...]] = {}
    lab.names = SimpleNamespace(registered=kept, register=kept.__setitem__, deregister=kept.__delitem__)
    answers = routes(lab)
    told = answers["POST /domains"]("", {"domain": "example.test"})
    assert told == answers["GET /domains"]("", None)
    assert told == [{"domain": "example.test", "name_servers": list(name_servers(2))}]
    assert answers["DELETE /domains"]("example.test", None) == []


def test_total() -> None:
    assert total({"ec2": {"A": 1, "B": 2}, "s3": {"C": 4}}) == 7


def test_a_minute_is_set_within_bounds(make_lab: MakeLab) -> None:
    lab: Any = make_lab()
    lab.control_plane.context = SimpleNamespace(minute=60.0)
    assert set_minute(lab, 5) == 5.0
    for wrong in (1.9, 61, "5", None):
        with pytest.raises(RefusalError, match="give 2 to 60"):
            set_minute(lab, wrong)
    assert lab.control_plane.context.minute == 5.0
