# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a module in Ansible's own process on the controller, instead of a process beside it (docs/decisions/0014).

`meta/runtime.yml` names the modules. They are ordinary modules, and run as such on all other hosts.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import sys
import typing as t
from pathlib import Path

from ansible import constants
from ansible.errors import AnsibleActionFail
from ansible.module_utils import basic
from ansible.module_utils.common.json import Direction, get_module_encoder
from ansible.plugins.action.normal import ActionModule as NormalAction

from ansible_collections.groundwork.aws.plugins.module_utils.engine import held, progress
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.plugin_utils.journal import note
from ansible_collections.groundwork.aws.plugins.plugin_utils.showing import Following

PROFILE = "legacy"  # Ansible's format of the arguments and the result of a Python module


class ActionModule(NormalAction):
    """Ansible's normal action, except that it may call the module's `main()` in this process, and notes its changes."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return the module's result."""
        with Following(progress_file()) if not self._task.async_val else contextlib.nullcontext():
            result: dict[str, t.Any] = super().run(tmp, task_vars)
        note(self._task, result)
        return result

    def _execute_module(
        self, *arguments: t.Any, task_vars: dict[str, t.Any] | None = None, wrap_async: bool = False, **more: t.Any
    ) -> dict[str, t.Any]:
        self._guard()
        if wrap_async or not self._would_run_beside(task_vars or {}):
            result = super()._execute_module(*arguments, task_vars=task_vars, wrap_async=wrap_async, **more)
        else:
            result = self._run_here(task_vars or {})
        return t.cast(dict[str, t.Any], result)

    def _guard(self) -> None:
        """Fail if this run has lost its lock. Hand the files of the lock's state and of the progress to the module."""
        require_lock()
        os.environ[held.VARIABLE] = str(lock_file())  # of this fork, and of a process that it starts
        os.environ[progress.VARIABLE] = str(progress_file())

    def _would_run_beside(self, task_vars: t.Mapping[str, t.Any]) -> bool:
        """Return whether the module would run on the controller with the same user, interpreter and environment."""
        host = self._task.delegate_to
        variables = task_vars["ansible_delegated_vars"][host] if host else task_vars
        return (
            self._connection.transport == "local"
            and self._connection.become is None
            and self._templar.template(variables.get("ansible_python_interpreter")) == sys.executable
            and not self._compute_environment_string()
        )

    def _run_here(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """Return the same as `_execute_module`. This process is a fork for the task, so that no state remains."""
        arguments = dict(self._task.args)
        self._update_module_args(self._task.resolved_action, arguments, task_vars)
        printed, code = _called(self._task.resolved_action, arguments)
        result = self._parse_returned_data({"stdout": printed, "stderr": "", "rc": code}, PROFILE)
        if not isinstance(result, dict):  # since ansible-core 2.21 an object, which `_execute_module` converts to this
            result.remove_internal_keys()
            result = result.as_result_dict(for_round_trip=True)
        return t.cast(dict[str, t.Any], result)


def lock_file() -> Path:
    """Return the file with the state of this run's lock, in the folder that only this ansible-playbook uses."""
    return Path(constants.DEFAULT_LOCAL_TMP) / "groundwork-lock"


def progress_file() -> Path:
    """Return the file in which a module of this fork tells how far it is."""
    return Path(constants.DEFAULT_LOCAL_TMP) / f"groundwork-progress-{os.getpid()}"


def require_lock() -> None:
    """Fail if this run had the lock of its environment, and has lost it."""
    try:
        held.check_lock(lock_file())
    except GroundworkError as error:
        raise AnsibleActionFail(str(error)) from error


def _called(action: str, arguments: t.Mapping[str, t.Any]) -> tuple[str, t.Any]:
    """Return the module's output and its exit code. Raise the module's exceptions."""
    namespace, collection, name = action.split(".")
    module = importlib.import_module(f"ansible_collections.{namespace}.{collection}.plugins.modules.{name}")
    packed = json.dumps(
        {"ANSIBLE_MODULE_ARGS": arguments}, cls=get_module_encoder(PROFILE, Direction.CONTROLLER_TO_MODULE)
    ).encode()
    basic._ANSIBLE_ARGS, basic._ANSIBLE_PROFILE = packed, PROFILE  # where a module in its own process finds them too
    code: t.Any = None
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        try:
            module.main()
        except SystemExit as exit_:
            code = exit_.code
    return printed.getvalue(), code
