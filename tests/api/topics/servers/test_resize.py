"""Servers get the type of their tier by a stop and a start, and are never left stopped when EC2 refuses it."""

from __future__ import annotations

import typing as t

import pytest
from accounts.servers import Account
from cloud import Killed

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, InputError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.resizing_run import converge_resize

Make = t.Callable[..., dict[str, t.Any]]
LARGE = {"count": 2, "instance_type": "t3.large"}
ONE = ["update server public-1"] * 3


class Resized(Account):
    """The account with its servers, which are of the type t3.small."""

    def resize(self, *, check_mode: bool = False, **given: t.Any) -> dict[str, t.Any]:
        options = {
            "environment_name": "dev",
            "tags": {},
            "resize": ["public-1"],
            "resize_downtime": "accepted",
            "state": "resized",
            "tiers": {"public": LARGE},
            "zones": ["eu-central-1a", "eu-central-1b"],
            "database": "",
            "deadline": 30,
            **given,
        }
        self.calls.clear()
        self.warnings.clear()
        return converge_resize(Run(options, self, self.warnings.append, check_mode=check_mode, clock=self))

    def one(self, name: str = "public-1") -> dict[str, t.Any]:
        return next(i for i in self.instances() if {"Key": "Name", "Value": f"dev-{name}"} in i["Tags"])

    def seen(self, name: str = "public-1") -> tuple[str, str]:
        found = self.one(name)
        return found["InstanceType"], found["State"]["Name"]

    @property
    def writes(self) -> list[str]:
        return [call for call in self.calls if not call.startswith(("Describe", "Get"))]

    def refuse(self, operation: str, code: str, message: str, kinds: t.Collection[str]) -> None:
        """Refuse a call while public-1 has one of these types."""

        def answer(**_: t.Any) -> t.Any:
            if self.one()["InstanceType"] not in kinds:
                return None
            response = type("Response", (), {"status_code": 400, "headers": {}})()
            return response, {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 400}}

        self.client("ec2").meta.events.register(f"before-call.ec2.{operation}", answer)


def told(result: dict[str, t.Any]) -> list[str]:
    return [f"{change['action']} {change['resource']} {change['name']}" for change in result["changes"]]


@pytest.fixture
def small(network: Account, options: Make) -> Resized:
    network.__class__ = Resized
    network.converge(options())
    return t.cast(Resized, network)


def test_a_server_gets_the_type_of_its_tier(small: Resized) -> None:
    before = small.one()
    planned = small.resize(check_mode=True)
    assert small.writes == []
    assert [entry["after"] for entry in planned["diff"]] == [
        {"State": "stopped"},
        {"InstanceType": "t3.large"},
        {"State": "running"},
    ]
    done = small.resize()
    assert told(planned) == told(done) == ONE
    assert small.writes == ["StopInstances", "ModifyInstanceAttribute", "StartInstances"]
    after = small.one()
    assert (after["InstanceType"], after["InstanceId"]) == ("t3.large", before["InstanceId"])
    assert after["PrivateIpAddress"] == before["PrivateIpAddress"]
    assert small.seen("public-2") == ("t3.small", "running")
    again = small.resize()
    assert (told(again), again["lines"], small.calls) == ([], [], ["DescribeInstances", "DescribeTargetGroups"])


def test_all_are_changed_one_after_the_other(small: Resized) -> None:
    tiers = {"public": LARGE, "private": {"count": 2, "instance_type": "t3.small"}}
    assert [one["name"] for one in small.resize(resize="all", tiers=tiers, state="planned")["servers"]] == [
        "public-1",
        "public-2",
    ]
    small.resize(resize="all", tiers=tiers)
    stops = [at for at, call in enumerate(small.calls) if call == "StopInstances"]
    starts = [at for at, call in enumerate(small.calls) if call == "StartInstances"]
    assert stops[0] < starts[0] < stops[1] < starts[1]
    assert {small.seen(name) for name in ("private-1", "private-2")} == {("t3.small", "running")}


def test_it_is_announced_and_refused_until_it_is_accepted(small: Resized) -> None:
    server = small.one()
    expected = (
        f"public-1 ({server['InstanceId']}) is deregistered from its load balancers, stopped, changed from t3.small to "
        f"t3.large and started, its disks and data are kept, its public address {server['PublicIpAddress']} changes"
    )
    assert small.resize(state="planned", check_mode=True)["lines"] == [expected]
    with pytest.raises(InputError) as refused:
        small.resize(resize_downtime="refused")
    assert f"resize_downtime: another instance type interrupts servers: {expected}; set resize_downtime" in str(
        refused.value
    )
    assert small.writes == []
    told_alone = small.resize(resize_downtime="refused", check_mode=True, resize="all", database="public-1")["lines"]
    assert told_alone[0] == f"{expected}, all sites have no database meanwhile"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"resize": ["public-9"]}, "resize: 'public-9' is not a server of the environment; give some of private-1"),
        ({"resize": []}, "resize: is empty; give 'all' or a list of servers"),
        (
            {"tiers": {"public": {**LARGE, "instance_type": "t4g.small"}}},
            r"tiers.public.instance_type: t4g.small has the architecture arm64, and the image ami-\w+ \(of public-1\) "
            "has x86_64",
        ),
        (
            {"tiers": {"public": {**LARGE, "instance_type": "t3.enormous"}}},
            "tiers.public.instance_type: 't3.enormous' is not an instance type",
        ),
        (
            {"tiers": {"public": {**LARGE, "instance_type": "g4dn.xlarge"}}},
            "tiers.public.instance_type: 4 more vCPUs of running On-Demand G and VT instances are needed",
        ),
    ],
)
def test_what_ec2_would_refuse_is_told_before_the_first_write(
    small: Resized, given: dict[str, t.Any], message: str
) -> None:
    for check_mode in (True, False):
        with pytest.raises(InputError, match=message):
            small.resize(check_mode=check_mode, **given)
        assert small.writes == []


@pytest.mark.parametrize(
    ("operation", "code", "kinds"),
    [
        ("StartInstances", "InsufficientInstanceCapacity", ["t3.large"]),
        ("ModifyInstanceAttribute", "InvalidParameterCombination", ["t3.small"]),
    ],
)
def test_a_refused_type_is_taken_back(small: Resized, operation: str, code: str, kinds: list[str]) -> None:
    small.refuse(operation, code, "We cannot do this.", kinds)
    with pytest.raises(GroundworkError, match=r"was started again as t3.small. Choose another instance type") as told:
        small.resize()
    assert told.value.details["as_before"] is True
    assert small.seen() == ("t3.small", "running")
    back = ["ModifyInstanceAttribute"] * 2 if operation == "StartInstances" else []  # refused calls are not counted
    assert small.writes == ["StopInstances", *back, "StartInstances"]


@pytest.mark.parametrize(
    ("operation", "kinds", "given", "as_before"),
    [
        ("StopInstances", ["t3.small"], {}, True),
        ("StartInstances", ["t3.small", "t3.large"], {}, False),
        ("", [], {"tiers": {"public": {**LARGE, "instance_type": "g4dn.xlarge"}}}, True),  # the quota is 0
    ],
)
def test_a_failure_tells_whether_the_server_runs_as_before(
    small: Resized, operation: str, kinds: list[str], given: dict[str, t.Any], as_before: bool
) -> None:
    if operation:
        small.refuse(operation, "UnauthorizedOperation", "You cannot do this.", kinds)
    with pytest.raises(GroundworkError) as refused:
        small.resize(**given)
    assert refused.value.details["as_before"] is as_before
    assert (small.seen() == ("t3.small", "running")) is as_before


@pytest.mark.exhaustive
def test_killed_anywhere_the_next_run_completes_it(small: Resized) -> None:
    for number in range(100):
        kind = f"t3.{('large', 'small')[number % 2]}"
        tiers = {"public": {"count": 2, "instance_type": kind}}
        small.killed_before = number
        try:
            small.resize(tiers=tiers)
        except Killed:
            small.killed_before = None
            held = [{"Key": "groundwork:held", "Value": "public-1 gets another instance type"}]
            small.ec2.create_tags(Resources=[small.one()["InstanceId"]], Tags=held)  # as the role does before
            small.resize(tiers=tiers)
            assert small.seen() == (kind, "running"), number
            small.ec2.delete_tags(Resources=[small.one()["InstanceId"]], Tags=held)
            continue
        assert number > 8
        break
    else:
        pytest.fail("no run was completed")
