"""Credentials of another account than the environment's are refused with one call."""

from __future__ import annotations

import typing as t

import pytest
from cloud import Cloud

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, InputError
from ansible_collections.groundwork.aws.plugins.module_utils.topics.account.run import check_account


def options(account: t.Any) -> dict[str, t.Any]:
    return {"environment_name": "dev", "tags": {}, "region": "eu-central-1", "account_id": account}


@pytest.fixture
def account(cloud: Cloud) -> str:
    return str(cloud.of("sts").get_caller_identity()["Account"])


@pytest.mark.parametrize("check_mode", [True, False])
def test_credentials_of_the_account_pass(cloud: Cloud, account: str, check_mode: bool) -> None:
    result = cloud.run(check_account, options(account), check_mode=check_mode)
    assert (result["changed"], result["account"]) == (False, account)
    assert cloud.calls == ["GetCallerIdentity"]


def test_credentials_of_another_account_are_refused(cloud: Cloud, account: str) -> None:
    with pytest.raises(GroundworkError, match=f"the credentials are of the account {account} ") as told:
        cloud.run(check_account, options("012345678901"))
    assert "the environment dev is in the account 012345678901. Nothing was changed." in str(told.value)
    assert cloud.calls == ["GetCallerIdentity"]


@pytest.mark.parametrize("wrong", [12345678901, "1234567890123", "prod", ""])
def test_what_is_not_an_account_is_refused_without_a_call(cloud: Cloud, wrong: t.Any) -> None:
    with pytest.raises(InputError, match=r"aws_account_id: '.*' is not the id of an AWS account; give its 12 digits"):
        cloud.run(check_account, options(wrong))
    assert cloud.calls == []
