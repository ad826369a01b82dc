# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A rehearsal: the daemons' validators check the new configuration before it is written to the disk.

A child process has its own mount namespace, in which /etc is a copy in memory. The new files are written there and the
validators run there. A bad file is therefore never on the disk: a log rotation that reloads Apache, a crash or a reboot
during the check uses the old configuration.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
import typing as t
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration import files
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.accounts import add_account
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import Run, succeed
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.desired import Account, Entry, Validator

CLONE_NEWNS = 0x00020000  # sched.h
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000  # sys/mount.h
STAGE = Path("/run/groundwork/stage")
STAGED = "/etc"


def rehearse(
    run: Run, accounts: t.Sequence[Account], entries: t.Sequence[Entry], validators: t.Sequence[Validator]
) -> None:
    """Run the validators with the accounts and the entries below /etc in place.

    Raise GroundworkError with the output of every validator that fails.
    """
    if not validators:
        return
    STAGE.mkdir(mode=0o700, parents=True, exist_ok=True)
    receiver, sender = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(receiver)
        _report(sender, lambda: _play(run, accounts, entries, validators))
    os.close(sender)
    with os.fdopen(receiver) as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    if not told:
        raise GroundworkError("The check of the new configuration ended without a result; nothing was changed.")
    refusals: list[str] = json.loads(told)
    if refusals:
        raise GroundworkError("\n".join(refusals) + "\nNothing was changed.", refusals=refusals)


def _report(sender: int, play: t.Callable[[], list[str]]) -> t.NoReturn:
    """Run `play` in this child process, send its result to the parent, and exit."""
    try:
        try:
            told = play()
        except (GroundworkError, OSError) as error:
            told = [f"Could not check the new configuration: {error}"]
        os.write(sender, json.dumps(told).encode())
    finally:
        os._exit(0)


def _play(
    run: Run, accounts: t.Sequence[Account], entries: t.Sequence[Entry], validators: t.Sequence[Validator]
) -> list[str]:
    _own_etc(run)
    for account in accounts:
        add_account(run, account)
    for entry in entries:
        if Path(entry.path).is_relative_to(STAGED):
            files.put(entry)
    return [words for words in (refusal(run, validator) for validator in validators) if words]


def refusal(run: Run, validator: Validator) -> str:
    """Return why a validator refuses the configuration, or "" if it accepts it."""
    done = run(validator.argv)
    bad = [line for line in done.words.splitlines() if validator.refuse and re.search(validator.refuse, line)]
    if done.code == 0 and not bad:
        return ""
    said = "\n".join(bad) or "\n".join(done.err.strip().splitlines()[-30:]) or done.words
    concerned = " and ".join(sorted(validator.services))
    return f"{' '.join(validator.argv)} refuses the new configuration of {concerned}:\n{said}"


def _own_etc(run: Run) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    _check(libc.unshare(CLONE_NEWNS), "create a mount namespace")
    _check(libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "make the mounts private")
    _check(libc.mount(b"groundwork", bytes(STAGE), b"tmpfs", 0, b"mode=0700"), "mount a file system in memory")
    succeed(run, "copy /etc", ["cp", "--archive", STAGED, str(STAGE)])
    staged = bytes(STAGE / STAGED.lstrip("/"))
    _check(libc.mount(staged, STAGED.encode(), None, MS_BIND, None), "mount the copy at /etc")


def _check(result: int, doing: str) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, f"could not {doing}: {os.strerror(number)}")
