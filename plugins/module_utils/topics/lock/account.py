# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find out whose credentials are in use, and refuse those of another account than the environment's."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, Read, observe

# https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-identifiers.html
ACCOUNT = re.compile(r"\d{12}")


class Caller(t.NamedTuple):
    """The user or role whose credentials are in use."""

    account: str
    arn: str


def parse_account(account: t.Any, problems: Problems) -> str:
    """Return the id of the account, "" if any account is right."""
    if account is None:
        return ""
    if not ACCOUNT.fullmatch(str(account)):
        wrong = f"'{account}' is not the id of an AWS account"
        problems.add("aws_account_id", wrong, "give its 12 digits in quotes, because YAML drops a leading zero")
    return str(account)


def identify(clients: Clients, environment: str, account: str) -> Caller:
    """Return the caller. Raise GroundworkError if its account is not `account`, unless that is ""."""
    [told] = observe(clients, {"caller": Read("sts", "get_caller_identity", "")})["caller"]
    caller = Caller(told["Account"], told["Arn"])
    if account and caller.account != account:
        raise GroundworkError(
            f"aws_account_id: the credentials are of the account {caller.account} ({caller.arn}), and the "
            f"environment {environment} is in the account {account}. Nothing was changed. Use "
            "credentials of that account, for example by AWS_PROFILE, or correct aws_account_id."
        )
    return caller
