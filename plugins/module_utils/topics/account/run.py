# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The work of the module `sts_account_check`: refuse credentials of another account than the environment's."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run

# https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-identifiers.html
ACCOUNT = re.compile(r"\d{12}")


def parse_account(options: t.Mapping[str, t.Any], problems: Problems) -> str:
    """Return the id of the account."""
    account = str(options["account_id"])
    if not ACCOUNT.fullmatch(account):
        wrong = f"'{account}' is not the id of an AWS account"
        problems.add("aws_account_id", wrong, "give its 12 digits in quotes, because YAML drops a leading zero")
    return account


def check_account(run: Run) -> dict[str, t.Any]:
    """Return the caller. Raise GroundworkError if its account is not the environment's."""
    owner, account = run.parse("account", parse_account)
    [caller] = observe(run.clients, {"caller": Read("sts", "get_caller_identity", "")})["caller"]
    if caller["Account"] != account:
        raise GroundworkError(
            f"aws_account_id: the credentials are of the account {caller['Account']} ({caller['Arn']}), and the "
            f"environment {owner.environment} is in the account {account}. Nothing was changed. Use "
            "credentials of that account, for example by AWS_PROFILE, or correct aws_account_id."
        )
    return {"changed": False, "account": caller["Account"], "arn": caller["Arn"]}
