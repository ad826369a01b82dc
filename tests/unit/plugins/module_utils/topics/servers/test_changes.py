"""The plan as data: client tokens that find a killed run's launch, and never one that is gone."""

from __future__ import annotations

import typing as t
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from ansible_collections.groundwork.aws.plugins.module_utils.engine.apply import apply
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Ref
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.changes import GENERATIONS, plan
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.observed import (
    Image,
    KeyPair,
    Observed,
    Server,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.options import (
    ImageChoice,
    Placement,
    Servers,
    Tier,
)

OWNER = Owner("dev", "servers")
TIER = Tier(
    name="public",
    count=1,
    instance_type="t3.small",
    root_volume_gib=None,
    placements=(Placement("public-a", "eu-central-1a"),),
    security_groups=("public",),
    public_ip=True,
    instance_profile="",
    user_data="",
    image=ImageChoice("self", "debian-12-*"),
)
DESIRED = Servers(tiers=(TIER,), key=None, hop_limit=1, allow_removal=False, deadline=60)
OBSERVED = Observed(
    key_pair=KeyPair("key-1", "dev-servers", None, OWNER.tags("servers")),
    images=(Image("ami-1", "debian-12-1", ("self",), "2025", "/dev/xvda", 8),),
    subnets={"public-a": ("subnet-1", "eu-central-1a")},
    security_groups={"public": "sg-1"},
)


def gone(instance_id: str, launched: str) -> Server:
    return Server(
        id=instance_id,
        tier="public",
        number=1,
        state="terminated",
        state_reason="",
        image_id="ami-1",
        instance_type="t3.small",
        subnet_id="subnet-1",
        zone="eu-central-1a",
        private_ip="",
        public_ip="",
        interface_id="",
        security_group_ids=(),
        volume_ids=(),
        instance_profile="",
        metadata=("required", 1, "enabled"),
        key_name="dev-servers",
        launched=launched,
        tags={},
    )


class Ec2:
    """RunInstances that knows tokens, as EC2 does."""

    def __init__(self, spent: t.Mapping[str, str]) -> None:
        self.spent = spent  # error code by token
        self.tokens: list[str] = []

    def client(self, service: str, /, **_: t.Any) -> Ec2:
        assert service == "ec2"
        return self

    def run_instances(self, **arguments: t.Any) -> dict[str, t.Any]:
        token = arguments["ClientToken"]
        self.tokens.append(token)
        if token in self.spent:
            raise ClientError({"Error": {"Code": self.spent[token], "Message": "no"}}, "RunInstances")
        return {"Instances": [{"InstanceId": "i-new"}]}


def launch(observed: Observed, spent: t.Mapping[str, str] | None = None) -> list[str]:
    """The tokens that are tried, in order."""
    ec2 = Ec2(spent or {})
    ids = observed.ids()
    apply(plan(OWNER, DESIRED, observed), ec2, ids)
    assert ids[Ref("server", "public-1")] == "i-new"
    return ec2.tokens


def test_the_same_launch_has_the_same_token() -> None:
    assert launch(OBSERVED) == launch(OBSERVED)
    assert len(launch(OBSERVED)[0]) <= 64


@pytest.mark.parametrize(
    "other",
    [
        replace(OBSERVED, gone=(gone("i-1", "2025-01-01"),)),
        replace(OBSERVED, gone=(gone("i-1", "2025-01-01"), gone("i-0", "2025-01-02"))),
        replace(OBSERVED, subnets={"public-a": ("subnet-2", "eu-central-1a")}),
    ],
    ids=["after one was terminated", "after a second one was", "in an environment that was built anew"],
)
def test_another_launch_has_another_token(other: Observed) -> None:
    assert launch(OBSERVED) != launch(other)


def test_the_newest_predecessor_counts() -> None:
    two = (gone("i-1", "2025-01-01"), gone("i-0", "2025-01-02"))
    assert launch(replace(OBSERVED, gone=two)) == launch(replace(OBSERVED, gone=two[::-1]))
    assert launch(replace(OBSERVED, gone=two)) == launch(replace(OBSERVED, gone=two[1:]))


@pytest.mark.parametrize("code", ["IdempotentInstanceTerminated", "IdempotentParameterMismatch"])
def test_a_token_of_an_instance_that_is_gone_is_followed_by_the_next(code: str) -> None:
    first = launch(OBSERVED)[0]
    second = launch(OBSERVED, {first: code})[1]
    assert launch(OBSERVED, {first: code, second: code})[:2] == [first, second]


def test_there_is_an_end_to_it() -> None:
    tokens = Ec2(spent=dict.fromkeys(launch(OBSERVED), ""))
    tokens.spent = _All("IdempotentInstanceTerminated")
    with pytest.raises(GroundworkError, match="IdempotentInstanceTerminated"):
        apply(plan(OWNER, DESIRED, OBSERVED), tokens, OBSERVED.ids())
    assert len(set(tokens.tokens)) == GENERATIONS


class _All(dict[str, str]):
    """Every token has the same error."""

    def __init__(self, code: str) -> None:
        super().__init__()
        self.code = code

    def __contains__(self, _: object) -> bool:
        return True

    def __getitem__(self, _: str) -> str:
        return self.code
