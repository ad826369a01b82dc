# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Take and release the lock of an environment, for the ansible-playbook that this process is a fork of."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

from ansible import context
from ansible.errors import AnsibleActionFail

from ansible_collections.groundwork.aws.plugins.action.in_controller import ActionModule as InController
from ansible_collections.groundwork.aws.plugins.action.in_controller import lock_file, require_lock
from ansible_collections.groundwork.aws.plugins.module_utils.engine.held import now, problem, read_state
from ansible_collections.groundwork.aws.plugins.module_utils.engine.wait import SYSTEM_CLOCK
from ansible_collections.groundwork.aws.plugins.module_utils.topics.lock.heartbeat import over
from ansible_collections.groundwork.aws.plugins.plugin_utils.showing import show

ANOTHER = (
    "environment_name: this run of ansible-playbook has the lock of the environment {}, and can have only one lock. "
    "Release that one first with state: released, or use two runs."
)
PATIENCE = 10.0  # seconds to wait for the release of the lock


class ActionModule(InController):
    """One run of the module to take the lock. Its heartbeat releases it."""

    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return the module's result, or one without a change if this run has the lock already, or releases it."""
        state = lock_file()
        unchanged = {"changed": False, "changes": []}
        if self._task.args.get("state") == "released":
            release(state)
            return unchanged
        if held := read_state(state):
            require_lock()
            if held.environment != self._task.args.get("environment_name"):
                raise AnsibleActionFail(ANOTHER.format(held.environment))
            return unchanged
        added = {"command": command_line(), "pid": os.getppid(), "state_file": str(state)}
        given = {**self._task.args, **added}
        wait = int(given.get("wait") or 0)
        self._task.args = {**given, "wait": min(wait, 0)}
        result = super().run(tmp, task_vars)
        if result.get("failed") and (holder := result.get("lock")) and wait > 0:
            show(waiting(given["environment_name"], holder, wait))
            self._task.args = given
            result = super().run(tmp, task_vars)
        return result


def waiting(environment: str, holder: t.Mapping[str, str], wait: int) -> str:
    """Return what to tell the user whose run waits for a lock."""
    return (
        f"Waiting up to {wait} s for the lock of the environment {environment}. {holder['who']} ({holder['caller']}) "
        f"has it since {holder['since']}, with '{holder['command']}'. Its id is {holder['id']}."
    )


def release(state: Path) -> None:
    """Have the heartbeat release the lock, and wait for that. If it does not answer, the lock expires."""
    held = read_state(state)
    if held is None:
        return
    if not problem(held, now()):
        over(state).touch()
        end = SYSTEM_CLOCK.monotonic() + PATIENCE
        while over(state).exists() and SYSTEM_CLOCK.monotonic() < end:
            SYSTEM_CLOCK.sleep(0.02)
    for file in (state, over(state)):
        file.unlink(missing_ok=True)


def command_line() -> str:
    """Return the playbooks and the options of this run that limit it, without the values of variables."""
    given = context.CLIARGS
    words = [Path(playbook).name for playbook in given.get("args") or ()]
    for option, value in (
        ("--tags", [tag for tag in given.get("tags") or () if tag != "all"]),
        ("--skip-tags", given.get("skip_tags") or ()),
        ("--limit", [given["subset"]] if given.get("subset") else ()),
    ):
        words += [option, ",".join(value)] if value else []
    return " ".join(words)
