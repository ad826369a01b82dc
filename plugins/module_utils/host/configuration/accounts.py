# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The system accounts of this host."""

from __future__ import annotations

import grp
import pwd
import typing as t
from contextlib import suppress

from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import Run, succeed
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.desired import Account


def look_for_accounts(names: tuple[str, ...]) -> dict[str, frozenset[str]]:
    """Return the members of the group of each account that exists."""
    return {name: _members(name) for name in names if _exists(name)}


def look_for_numbers(names: tuple[str, ...]) -> dict[str, tuple[int, int]]:
    """Return the numbers of each account that exists, and of its own group."""
    return {name: (pwd.getpwnam(name).pw_uid, _gid(name)) for name in names if _exists(name)}


def look_for_holders(numbers: t.Iterable[int]) -> dict[int, str]:
    """Return which account or group has each of these numbers."""
    return {number: name for number in numbers if (name := _holder(number))}


def _holder(number: int) -> str:
    with suppress(KeyError):
        return pwd.getpwuid(number).pw_name
    with suppress(KeyError):
        return grp.getgrgid(number).gr_name
    return ""


def _gid(group: str) -> int:
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        return -1


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
        _create(run, account)
    for member in sorted(set(account.members) - _members(account.name)):
        argv = ["gpasswd", "--add", member, account.name]
        succeed(run, f"add {member} to the group {account.name}", argv)


def _create(run: Run, account: Account) -> None:
    what, number, group = f"create the account {account.name}", [], ["--user-group"]
    if account.uid and not look_for_holders([account.uid]):
        succeed(run, what, ["groupadd", "--gid", str(account.uid), account.name])
        number, group = ["--uid", str(account.uid)], ["--gid", str(account.uid)]
    shell = ["--shell", "/usr/sbin/nologin"]
    home = ["--home-dir", account.home, "--no-create-home"]
    succeed(run, what, ["useradd", "--system", *number, *group, *home, *shell, account.name])
