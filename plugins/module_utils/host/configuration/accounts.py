# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The system accounts of this host."""

from __future__ import annotations

import grp
import pwd

from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import Run, succeed
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.desired import Account


def look_for_accounts(names: tuple[str, ...]) -> dict[str, frozenset[str]]:
    """Return the members of the group of each account that exists."""
    return {name: _members(name) for name in names if _exists(name)}


def _exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def _members(group: str) -> frozenset[str]:
    try:
        return frozenset(grp.getgrnam(group).gr_mem)
    except KeyError:
        return frozenset()


def add_account(run: Run, account: Account) -> None:
    """Create the account if it does not exist, and add the missing members to its group."""
    if not _exists(account.name):
        shell = ["--shell", "/usr/sbin/nologin"]
        home = ["--home-dir", account.home, "--no-create-home"]
        argv = ["useradd", "--system", "--user-group", *home, *shell, account.name]
        succeed(run, f"create the account {account.name}", argv)
    for member in sorted(set(account.members) - _members(account.name)):
        argv = ["gpasswd", "--add", member, account.name]
        succeed(run, f"add {member} to the group {account.name}", argv)
