# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find out whose credentials are in use, and refuse those of another account than the environment's."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, Read, observe

try:
    from botocore.exceptions import NoCredentialsError
except ImportError:
    pass  # AnsibleAWSModule fails with the remedy before anything here is called

# https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-identifiers.html
ACCOUNT = re.compile(r"\d{12}")


NO_CREDENTIALS = (
    "AWS credentials were not found. Nothing was changed. Give them by a profile (export AWS_PROFILE=<name>, after "
    "'aws sso login' if it needs that), by the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, and "
    "AWS_SESSION_TOKEN if they are temporary), or by the role of the machine, and run again."
)


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
    try:
        [told] = observe(clients, {"caller": Read("sts", "get_caller_identity", "")})["caller"]
    except GroundworkError as error:
        if isinstance(error.__cause__, NoCredentialsError):
            raise GroundworkError(NO_CREDENTIALS) from error
        raise
    caller = Caller(told["Account"], told["Arn"])
    if account and caller.account != account:
        raise GroundworkError(
            f"aws_account_id: the credentials are of the account {caller.account} ({caller.arn}), and the "
            f"environment {environment} is in the account {account}. Nothing was changed. Use "
            "credentials of that account, for example by AWS_PROFILE, or correct aws_account_id."
        )
    return caller
