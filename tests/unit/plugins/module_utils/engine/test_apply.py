"""The interpreter of plans: order, ids, waits, repetitions, and errors when AWS refuses a call."""

from __future__ import annotations

import contextlib
import typing as t

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError
from clock import Clock

from ansible_collections.groundwork.aws.plugins.module_utils.engine.apply import (
    CONSISTENCY_DEADLINE,
    apply,
    report,
    settle,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import DeadlineError, GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import dig
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call, Change, Ref, Token, Wait, ec2

VPC = Ref("vpc", "main")
SUBNET = Ref("subnet", "a")


class Fake:
    """A client with a list of responses or errors per operation, of which the last one is repeated."""

    def __init__(self, **script: list[t.Any]) -> None:
        self.script = script
        self.calls: list[tuple[str, dict[str, t.Any]]] = []

    def client(self, _service: str) -> Fake:
        return self

    def __getattr__(self, operation: str) -> t.Callable[..., t.Any]:
        def answer(**arguments: t.Any) -> t.Any:
            self.calls.append((operation, arguments))
            answers = self.script.get(operation, [{}])
            response = answers.pop(0) if len(answers) > 1 else answers[0]
            if isinstance(response, Exception):
                raise response
            return response

        return answer

    @property
    def operations(self) -> list[str]:
        return [operation for operation, _arguments in self.calls]


def error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "words"}}, "Operation")


def create_vpc(wait: Wait | None = None) -> Change:
    return Change("create", "vpc", "main", (ec2("create_vpc").yielding(VPC, "Vpc.VpcId"),), wait=wait)


def create_subnet() -> Change:
    return Change("create", "subnet", "a", (ec2("create_subnet", VpcId=VPC).yielding(SUBNET, "Subnet.SubnetId"),))


def available(until: str = "it to be there") -> Wait:
    return Wait(until, ec2("describe_vpcs", VpcIds=[VPC]), lambda answer: answer.get("State") == "available")


MADE = {"create_vpc": [{"Vpc": {"VpcId": "vpc-1"}}], "create_subnet": [{"Subnet": {"SubnetId": "subnet-1"}}]}


def test_ids_flow_from_one_call_to_the_next(clock: Clock) -> None:
    fake, ids = Fake(**MADE), {}
    apply([create_vpc(), create_subnet()], fake, ids, clock)
    assert fake.calls == [("create_vpc", {}), ("create_subnet", {"VpcId": "vpc-1"})]
    assert ids == {VPC: "vpc-1", SUBNET: "subnet-1"}


def test_a_token_is_made_of_ids_when_they_are_known(clock: Clock) -> None:
    change = Change("create", "thing", "x", (ec2("create_thing", ClientToken=Token(("dev", VPC))),))
    tokens = []
    for vpc in ("vpc-1", "vpc-1", "vpc-2"):
        fake = Fake()
        apply([change], fake, {VPC: vpc}, clock)
        tokens.append(fake.calls[0][1]["ClientToken"])
    assert tokens[0] == tokens[1] != tokens[2]
    assert len(tokens[0]) == 64


def test_waits_are_done_before_what_refers_to_them(clock: Clock) -> None:
    fake = Fake(**MADE, describe_vpcs=[{}, {"State": "available"}])
    apply([create_vpc(available()), Change("update", "other", "x", (ec2("other"),)), create_subnet()], fake, {}, clock)
    assert fake.operations == ["create_vpc", "other", "describe_vpcs", "describe_vpcs", "create_subnet"]
    assert clock.slept == [2.0]


def test_waits_that_nothing_refers_to_are_done_at_the_end(clock: Clock) -> None:
    fake = Fake(**MADE, describe_vpcs=[{"State": "available"}])
    apply([create_vpc(available()), Change("update", "other", "x", (ec2("other"),))], fake, {}, clock)
    assert fake.operations == ["create_vpc", "other", "describe_vpcs"]


def test_a_change_can_await_what_its_calls_do_not_mention(clock: Clock) -> None:
    fake = Fake(**MADE, describe_vpcs=[{"State": "available"}])
    apply([create_vpc(available()), Change("update", "other", "x", (ec2("other"),), awaits=(VPC,))], fake, {}, clock)
    assert fake.operations == ["create_vpc", "describe_vpcs", "other"]


def test_two_waits_of_one_resource_are_both_done(clock: Clock) -> None:
    fake = Fake(describe_vpcs=[{"State": "available"}])
    apply(
        [Change(action, "vpc", "main", (), wait=available()) for action in ("delete", "create")],
        fake,
        {VPC: "vpc-1"},
        clock,
    )
    assert fake.operations == ["describe_vpcs", "describe_vpcs"]


def test_what_an_earlier_run_began_is_awaited(clock: Clock) -> None:
    fake = Fake(describe_vpcs=[{"State": "pending"}, {"State": "available"}])
    settle(available(), fake, {VPC: "vpc-1"}, clock)
    assert fake.calls == [("describe_vpcs", {"VpcIds": ["vpc-1"]})] * 2
    assert clock.slept == [2.0]


def test_a_wait_that_cannot_succeed_says_why(clock: Clock) -> None:
    wait = Wait("it to be there", ec2("describe_vpcs"), lambda _answer: False, lambda answer: answer.get("Reason"))
    fake = Fake(**MADE, describe_vpcs=[{"Reason": "no address"}])
    with pytest.raises(GroundworkError, match="Waiting for it to be there failed: no address") as caught:
        apply([create_vpc(wait)], fake, {}, clock)
    assert caught.value.details["made"] == ["create vpc main"]


def test_a_wait_in_vain_tells_how_far_it_is(clock: Clock) -> None:
    wait = Wait("it to be there", ec2("describe_vpcs"), lambda _answer: False, standing=lambda answer: answer["Told"])
    fake = Fake(**MADE, describe_vpcs=[{"Told": "It is at 20 %."}])
    with pytest.raises(DeadlineError, match=r"Timed out after 300 s waiting for it to be there\..* It is at 20 %\.$"):
        apply([create_vpc(wait)], fake, {}, clock)


@pytest.mark.parametrize(
    ("passing", "attempts"), [("Late", 2), ("Late:words", 2), ("Late:other words", 1), ("Other:words", 1)]
)
def test_what_passes_is_told_by_code_and_words(clock: Clock, passing: str, attempts: int) -> None:
    fake = Fake(create_vpc=[error("Late"), *MADE["create_vpc"]])
    change = Change("create", "vpc", "main", (Call("ec2", "create_vpc", {}, passing=(passing,)),))
    with contextlib.suppress(GroundworkError):
        apply([change], fake, {}, clock)
    assert fake.operations == ["create_vpc"] * attempts


def test_what_is_not_found_right_after_it_was_made_is_asked_again(clock: Clock) -> None:
    not_yet = error("InvalidVpcID.NotFound")
    fake = Fake(create_vpc=MADE["create_vpc"], create_subnet=[not_yet, not_yet, *MADE["create_subnet"]])
    apply([create_vpc(), create_subnet()], fake, {}, clock)
    assert fake.operations == ["create_vpc", *["create_subnet"] * 3]
    assert clock.slept == [0.5, 1.0]


def test_a_response_that_lacks_what_was_just_made_is_asked_for_again(clock: Clock) -> None:
    group = Ref("security group", "default")
    find = ec2("describe_security_groups", VpcId=VPC).yielding(group, "SecurityGroups.0.GroupId")
    fake = Fake(
        create_vpc=MADE["create_vpc"],
        describe_security_groups=[{"SecurityGroups": []}, {"SecurityGroups": [{"GroupId": "sg-1"}]}],
    )
    ids: dict[Ref, t.Any] = {}
    apply([create_vpc(), Change("update", "security group", "default", (find,))], fake, ids, clock)
    assert ids[group] == "sg-1"


def test_patience_ends(clock: Clock) -> None:
    fake = Fake(create_vpc=MADE["create_vpc"], create_subnet=[error("InvalidVpcID.NotFound")])
    with pytest.raises(GroundworkError, match=r"InvalidVpcID\.NotFound"):
        apply([create_vpc(), create_subnet()], fake, {}, clock)
    assert 60 <= clock.now < 70


def test_a_call_may_have_more_patience(clock: Clock) -> None:
    fake = Fake(create_vpc=[error("Busy")])
    change = Change("create", "vpc", "main", (Call("ec2", "create_vpc", {}, passing=("Busy",), patience=1000),))
    with pytest.raises(GroundworkError, match="Busy"):
        apply([change], fake, {}, clock)
    assert 1000 <= clock.now < 1010


def test_what_another_run_made_may_not_be_known_everywhere(clock: Clock) -> None:
    fake = Fake(create_subnet=[error("InvalidVpcID.NotFound")])
    with pytest.raises(GroundworkError):
        apply([create_subnet()], fake, {VPC: "vpc-1"}, clock)
    assert CONSISTENCY_DEADLINE <= clock.now < CONSISTENCY_DEADLINE + 10


@pytest.mark.parametrize(
    ("operation", "code", "patient"),
    [
        ("delete_subnet", "DependencyViolation", True),
        ("detach_internet_gateway", "DependencyViolation", True),
        ("release_address", "InvalidIPAddress.InUse", True),
        ("delete_target_group", "ResourceInUse", True),
        ("delete_subnet", "UnauthorizedOperation", False),
        ("modify_subnet_attribute", "DependencyViolation", False),
    ],
)
def test_a_removal_waits_for_the_users_that_aws_still_reports(
    clock: Clock, operation: str, code: str, patient: bool
) -> None:
    change = Change("delete", "subnet", "a", (Call("ec2", operation, {}),))
    fake = Fake(**{operation: [error(code), error(code), {}]})
    if patient:
        apply([change], fake, {}, clock)
        assert fake.operations == [operation] * 3
    else:
        with pytest.raises(GroundworkError):
            apply([change], fake, {}, clock)
        assert fake.operations == [operation]


def test_settled_errors_are_success(clock: Clock) -> None:
    fake = Fake(delete_vpc=[error("InvalidVpcID.NotFound")])
    apply([Change("delete", "vpc", "main", (ec2("delete_vpc").settled_by("InvalidVpcID.NotFound"),))], fake, {}, clock)
    assert fake.operations == ["delete_vpc"]


def test_another_call_is_made_instead(clock: Clock) -> None:
    other = Call("ec2", "find_vpc", {})
    call = Call("ec2", "create_vpc", {}, {VPC: "Vpc.VpcId"}, instead={"Exists": other})
    fake, ids = Fake(create_vpc=[error("Exists")], find_vpc=[{"Vpc": {"VpcId": "vpc-9"}}]), {}
    apply([Change("create", "vpc", "main", (call,))], fake, ids, clock)
    assert ids == {VPC: "vpc-9"}


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (
            "UnauthorizedOperation",
            "UnauthorizedOperation: words Allow ec2:CreateSubnet and ec2:CreateTags to the credentials in use",
        ),
        ("VpcLimitExceeded", "VpcLimitExceeded: words A quota of the account is exhausted. Raise it in Service Quotas"),
        ("RequestLimitExceeded", "RequestLimitExceeded: words AWS throttled ten attempts. Run again later"),
        (
            "DependencyViolation",
            "DependencyViolation: words Another resource still uses it. Remove that resource first",
        ),
        ("SomethingElse", "SomethingElse: words"),
    ],
)
def test_a_refusal_tells_what_was_done_and_what_to_do(code: str, told: str, clock: Clock) -> None:
    fake = Fake(create_vpc=MADE["create_vpc"], create_subnet=[error(code)])
    with pytest.raises(GroundworkError) as caught:
        apply([create_vpc(), create_subnet()], fake, {}, clock)
    assert str(caught.value).startswith(f"Could not create subnet a: AWS refused CreateSubnet with {told}")
    assert caught.value.details == {
        "error_code": code,
        "made": ["create vpc main"],
        "not_made": ["create subnet a"],
    }


def test_no_answer_is_told(clock: Clock) -> None:
    fake = Fake(create_vpc=[EndpointConnectionError(endpoint_url="http://nowhere")])
    with pytest.raises(GroundworkError, match="Could not call create_vpc of ec2: Could not connect"):
        apply([create_vpc()], fake, {}, clock)


def test_the_report_is_the_same_before_and_after_apart_from_ids() -> None:
    change = Change("create", "vpc", "main", (), after={"id": VPC, "cidr": "10.0.0.0/16"})
    planned, done = report([change], {}), report([change], {VPC: "vpc-1"})
    assert planned["changed"] and planned["changes"] == done["changes"]
    assert planned["changes"] == [{"action": "create", "resource": "vpc", "name": "main"}]
    assert planned["diff"][0]["after"] == {"id": "(known after apply)", "cidr": "10.0.0.0/16"}
    assert done["diff"][0]["after"] == {"id": "vpc-1", "cidr": "10.0.0.0/16"}
    assert planned["diff"][0]["before"] == ""


def test_nothing_to_do_is_not_changed() -> None:
    assert report([], {}) == {"changed": False, "changes": [], "diff": []}


@pytest.mark.parametrize(("path", "found"), [("a", {"b": [1, 2]}), ("a.b.1", 2)])
def test_dig(path: str, found: t.Any) -> None:
    assert dig({"a": {"b": [1, 2]}}, path) == found


def test_a_lost_response_is_asked_for_again_if_the_plan_says_that_it_is_safe(clock: t.Any) -> None:
    lost = ConnectionClosedError(endpoint_url="http://aws")
    for call, requests in ((ec2("create_tags").safe_to_repeat(), 2), (ec2("create_tags"), 1)):
        fake = Fake(create_tags=[lost, {}])
        with contextlib.nullcontext() if requests == 2 else pytest.raises(GroundworkError, match="was lost"):
            apply([Change("update", "tags", "x", (call,))], fake, {}, clock)
        assert len(fake.calls) == requests


def test_a_calls_own_remedy_follows_awss_words(clock: t.Any) -> None:
    call = Call("s3", "create_bucket", {}, remedies={"BucketAlreadyExists": "Use another name."})
    fake = Fake(create_bucket=[error("BucketAlreadyExists")])
    with pytest.raises(GroundworkError, match=r"with BucketAlreadyExists: words Use another name\.$"):
        apply([Change("create", "bucket", "x", (call,))], fake, {}, clock)
