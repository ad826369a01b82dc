"""Credentials of another account than the environment's are refused with one call."""

from __future__ import annotations

import typing as t

import pytest
from cloud import Cloud
from locks import account_of, options

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, InputError
from ansible_collections.groundwork.aws.plugins.module_utils.topics.lock.run import take_lock


def test_credentials_of_the_account_pass(cloud: Cloud) -> None:
    result = cloud.run(take_lock, options(account_id=account_of(cloud.of)), check_mode=True)
    assert result["account"] == account_of(cloud.of) and result["arn"].startswith("arn:aws:")


def test_credentials_of_another_account_are_refused(cloud: Cloud) -> None:
    with pytest.raises(GroundworkError, match=f"the credentials are of the account {account_of(cloud.of)} ") as told:
        cloud.run(take_lock, options(account_id="012345678901"))
    assert "the environment dev is in the account 012345678901. Nothing was changed." in str(told.value)
    assert cloud.calls == ["GetCallerIdentity"]


@pytest.mark.parametrize("wrong", [12345678901, "1234567890123", "prod", ""])
def test_what_is_not_an_account_is_refused_without_a_call(cloud: Cloud, wrong: t.Any) -> None:
    with pytest.raises(InputError, match=r"aws_account_id: '.*' is not the id of an AWS account; give its 12 digits"):
        cloud.run(take_lock, options(account_id=wrong))
    assert cloud.calls == []
