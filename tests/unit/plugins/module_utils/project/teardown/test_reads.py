"""The reads of all topics: each under a key of its own, made as soon as its arguments are known."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Read
from ansible_collections.groundwork.aws.plugins.module_utils.engine.removal import Removal, Sight, Tagged, Whose
from ansible_collections.groundwork.aws.plugins.module_utils.project.removals import REMOVALS
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.reads import look, reads_of
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.run import ALL, KINDS


def test_no_two_topics_have_the_same_key_or_kind() -> None:
    keys = [key for key, _read in reads_of(ALL, Sight(Whose("dev")))]
    assert sorted({*keys}) == sorted(keys)
    assert sorted({*KINDS}) == KINDS


def test_a_topic_comes_after_one_that_exists() -> None:
    assert {removal.after for removal in REMOVALS.values()} <= {*REMOVALS, ""}


class Account:
    """A client of every service, with these answers by operation."""

    def __init__(self, **answers: t.Any) -> None:
        self.answers = answers
        self.calls: list[tuple[str, t.Any]] = []

    def client(self, _service: str) -> Account:
        return self

    def can_paginate(self, _operation: str) -> bool:
        return False

    def __getattr__(self, operation: str) -> t.Callable[..., t.Any]:
        def answer(**arguments: t.Any) -> t.Any:
            self.calls.append((operation, arguments))
            return self.answers[operation]

        return answer


def _reads(sight: Sight) -> t.Iterator[tuple[str, Read]]:
    yield "queues", Read("sqs", "list_queues", "Names")
    yield from ((f"tags {name}", Read("sqs", "list_tags", "Tags", {"Name": name})) for name in sight.found("queues"))


def test_a_read_is_made_once_its_arguments_are_known_and_only_once() -> None:
    account = Account(list_queues={"Names": ["a", "b"]}, list_tags={"Tags": ["x"]})
    removal = Removal(("queue",), lambda _: (), reads=_reads)
    assert look([removal], Sight(Whose("dev")), account).answers == {
        "queues": ["a", "b"],
        "tags a": ["x"],
        "tags b": ["x"],
    }
    assert [operation for operation, _arguments in account.calls] == ["list_queues", "list_tags", "list_tags"]


def test_what_is_in_a_vpc_of_the_environment_is_read_too_and_is_there_once() -> None:
    subnets = [{"SubnetId": "a"}, {"SubnetId": "b"}]
    account = Account(describe_vpcs={"Vpcs": [{"VpcId": "vpc"}]}, describe_subnets={"Subnets": subnets})
    tagged = {
        "vpcs": Tagged("describe_vpcs", "Vpcs", "VpcId"),
        "subnets": Tagged("describe_subnets", "Subnets", "SubnetId", "vpc-id"),
    }
    answers = look([Removal((), lambda _: (), tagged)], Sight(Whose("dev")), account).answers
    assert answers["subnets"] == subnets
    filters = [one["Filters"][0]["Name"] for operation, one in account.calls if operation == "describe_subnets"]
    assert filters == ["tag:groundwork:environment", "vpc-id"]
