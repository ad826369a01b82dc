"""A write takes effect once, also if its response is lost."""

from __future__ import annotations

import typing as t

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError
from clock import Clock

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.send import ATTEMPTS, is_repeatable, send

MADE = {"made": 1}
LOST = ConnectionClosedError(endpoint_url="http://aws")
UNSENT = EndpointConnectionError(endpoint_url="http://aws")


def refusal(code: str, status: int = 400) -> ClientError:
    response = {"Error": {"Code": code, "Message": "words"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(t.cast(t.Any, response), "Operation")


THROTTLED = refusal("RequestLimitExceeded", 503)
BROKEN = refusal("InternalError", 500)


class Script:
    """A client that returns these responses in order, and then always the last one."""

    def __init__(self, *answers: t.Any) -> None:
        self.answers = list(answers)
        self.requests = 0

    def client(self, _service: str) -> Script:
        return self

    def __getattr__(self, _operation: str) -> t.Callable[..., t.Any]:
        def answer(**_arguments: t.Any) -> t.Any:
            self.requests += 1
            given = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            if isinstance(given, Exception):
                raise given
            return given

        return answer


@pytest.mark.parametrize(
    ("operation", "arguments", "answers", "requests"),
    [
        pytest.param("create_vpc", {}, [MADE], 1, id="at once"),
        pytest.param("create_vpc", {}, [THROTTLED, THROTTLED, MADE], 3, id="throttled"),
        pytest.param("create_vpc", {}, [UNSENT, MADE], 2, id="never sent"),
        pytest.param("create_nat_gateway", {"ClientToken": "x"}, [LOST, MADE], 2, id="lost, with a token"),
        pytest.param("create_tags", {}, [LOST, MADE], 2, id="lost, and planned as repeatable"),
        pytest.param("modify_vpc_attribute", {}, [LOST, BROKEN, MADE], 3, id="harmless to repeat"),
        pytest.param("modify_vpc_attribute", {}, [ResponseParserError("<x"), MADE], 2, id="cut, harmless to repeat"),
        pytest.param("create_vpc", {}, [refusal("404", 404), MADE], 2, id="refused, and the reason cut"),
    ],
)
def test_repeated_until_it_is_made(
    operation: str, arguments: dict[str, str], answers: list[t.Any], requests: int, clock: Clock
) -> None:
    script = Script(*answers)
    assert send(script, "ec2", operation, arguments, clock, repeatable=operation == "create_tags") == MADE
    assert script.requests == requests
    assert len(clock.slept) == requests - 1


@pytest.mark.parametrize("answer", [LOST, ReadTimeoutError(endpoint_url="http://aws")])
def test_what_may_have_been_made_is_not_made_again(answer: Exception, clock: Clock) -> None:
    script = Script(answer, MADE)
    with pytest.raises(GroundworkError, match=r"The response to create_vpc of ec2 was lost: .* Run again"):
        send(script, "ec2", "create_vpc", {}, clock)
    assert script.requests == 1


def test_an_error_on_aws_side_is_not_repeated_for_what_may_have_been_made(clock: Clock) -> None:
    script = Script(BROKEN, MADE)
    with pytest.raises(ClientError):
        send(script, "ec2", "create_vpc", {}, clock)
    assert script.requests == 1


@pytest.mark.parametrize(
    ("operation", "echo"),
    [
        ("release_address", "InvalidAllocationID.NotFound"),
        ("create_route", "RouteAlreadyExists"),
        ("authorize_security_group_ingress", "InvalidPermission.Duplicate"),
        ("attach_internet_gateway", "Resource.AlreadyAssociated"),
        ("detach_internet_gateway", "Gateway.NotAttached"),
    ],
)
def test_the_echo_of_a_lost_yes_is_a_yes(operation: str, echo: str, clock: Clock) -> None:
    assert send(Script(LOST, refusal(echo)), "ec2", operation, {}, clock, repeatable=True) == {}
    with pytest.raises(ClientError):
        send(Script(THROTTLED, refusal(echo)), "ec2", operation, {}, clock, repeatable=True)


CUT = ResponseParserError("unclosed token")


class Account:
    """What `find` sees: nothing until the request number `made` was accepted, and `lag` looks later."""

    def __init__(self, made: int = 0, lag: int = 0) -> None:
        self.made, self.lag, self.looks = made, lag, 0

    def find(self, script: Script) -> dict[str, t.Any] | None:
        self.looks += 1
        there = self.made and script.requests >= self.made
        return {"found": 1} if there and self.looks > self.lag else None


@pytest.mark.parametrize(
    ("answers", "made", "lag", "expected", "requests"),
    [
        pytest.param([LOST, MADE], 0, 0, MADE, 2, id="lost before it was made"),
        pytest.param([BROKEN, BROKEN, MADE], 0, 0, MADE, 3, id="failed before it was made"),
        pytest.param([CUT], 1, 0, {"found": 1}, 1, id="made, and the response cut"),
        pytest.param([BROKEN], 1, 0, {"found": 1}, 1, id="made, and then failed"),
        pytest.param([LOST, LOST], 2, 0, {"found": 1}, 2, id="made the second time"),
        pytest.param([LOST, refusal("InvalidSubnet.Conflict")], 1, 1, {"found": 1}, 2, id="seen after the conflict"),
        pytest.param([LOST, THROTTLED, MADE], 0, 0, MADE, 3, id="then throttled"),
    ],
)
def test_what_may_have_been_made_is_looked_for_before_it_is_made_again(
    answers: list[t.Any], made: int, lag: int, expected: dict[str, t.Any], requests: int, clock: Clock
) -> None:
    script, account = Script(*answers), Account(made, lag)
    assert send(script, "ec2", "create_subnet", {}, clock, find=lambda: account.find(script)) == expected
    assert script.requests == requests


def test_a_refusal_of_what_was_not_made_is_final_too(clock: Clock) -> None:
    script = Script(LOST, refusal("SubnetLimitExceeded"), MADE)
    with pytest.raises(ClientError):
        send(script, "ec2", "create_subnet", {}, clock, find=lambda: None)
    assert script.requests == 2


def test_a_response_that_is_cut_is_told_without_its_text(clock: Clock) -> None:
    with pytest.raises(GroundworkError, match="The response to create_vpc of ec2 was lost: it was incomplete") as told:
        send(Script(CUT), "ec2", "create_vpc", {}, clock)
    assert "unclosed" not in str(told.value)


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ("create_route", "InvalidNatGatewayID.NotFound"),
        ("modify_listener", "TargetGroupNotFound"),
        ("authorize_security_group_ingress", "InvalidGroup.NotFound"),
        ("delete_security_group", "InvalidGroup.Duplicate"),
    ],
)
def test_what_a_call_refers_to_is_not_its_echo(operation: str, code: str, clock: Clock) -> None:
    with pytest.raises(ClientError):
        send(Script(LOST, refusal(code)), "ec2", operation, {}, clock, repeatable=True)


def test_a_call_says_what_else_is_its_echo(clock: Clock) -> None:
    script = Script(LOST, refusal("LimitExceeded"))
    assert send(script, "iam", "add_role_to_instance_profile", {}, clock, echoes=("LimitExceeded",)) == {}


def test_a_refusal_is_final(clock: Clock) -> None:
    script = Script(refusal("VpcLimitExceeded"), MADE)
    with pytest.raises(ClientError):
        send(script, "ec2", "create_vpc", {}, clock)
    assert script.requests == 1


@pytest.mark.parametrize(("answer", "error"), [(THROTTLED, ClientError), (LOST, GroundworkError)])
def test_it_ends(answer: Exception, error: type[Exception], clock: Clock) -> None:
    script = Script(answer)
    with pytest.raises(error):
        send(script, "ec2", "delete_vpc", {}, clock)
    assert script.requests == ATTEMPTS
    assert clock.now < 130


def test_it_ends_early_when_aws_cannot_be_reached(clock: Clock) -> None:
    with pytest.raises(GroundworkError, match=r"Could not connect .* Check the network of this machine"):
        send(Script(UNSENT), "ec2", "delete_vpc", {}, clock)
    assert clock.now < 30 + 20


def test_what_cannot_be_sent_is_told(clock: Clock) -> None:
    with pytest.raises(GroundworkError, match="Could not call create_vpc of ec2: Unable to locate credentials"):
        send(Script(NoCredentialsError()), "ec2", "create_vpc", {}, clock)


@pytest.mark.parametrize(
    ("operation", "arguments", "repeatable"),
    [
        ("create_vpc", {}, False),
        ("create_nat_gateway", {"ClientToken": "x"}, True),
        ("run_instances", {"ClientToken": "x"}, True),
        ("run_instances", {}, False),
        ("delete_vpc", {}, True),
        ("describe_vpcs", {}, True),
    ],
)
def test_repeatable(operation: str, arguments: dict[str, str], repeatable: bool) -> None:
    assert is_repeatable(operation, arguments) == repeatable
