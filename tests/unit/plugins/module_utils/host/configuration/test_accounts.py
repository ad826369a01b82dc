"""System accounts: a new one gets its number if that is free, and any other one otherwise."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration import accounts
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import Done
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.desired import Account

NAME = "site-nowhere"


@pytest.mark.parametrize(
    ("uid", "group", "number"),
    [
        (0, None, ["--user-group"]),
        (59001, ["groupadd", "--gid", "59001", NAME], ["--uid", "59001", "--gid", "59001"]),
        (1, None, ["--user-group"]),  # of daemon
    ],
)
def test_a_new_account_gets_its_number(uid: int, group: list[str] | None, number: list[str]) -> None:
    ran: list[list[str]] = []

    def run(argv: t.Sequence[str], **_given: t.Any) -> Done:
        ran.append(list(argv))
        return Done(0, "", "")

    accounts.add_account(t.cast(t.Any, run), Account(NAME, "/srv", uid=uid))
    assert ran[:-1] == ([group] if group else [])
    assert ran[-1][:2] == ["useradd", "--system"]
    assert [word for word in ran[-1] if word in number] == number


def test_who_has_a_number_is_found() -> None:
    assert accounts.look_for_holders([0, 59001]) == {0: "root"}
    assert accounts.look_for_numbers(("daemon", NAME)) == {"daemon": (1, 1)}
