# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs a module that would run beside Ansible on the controller in Ansible's own process: docs/decisions/0014.

`meta/runtime.yml` names the modules. They stay ordinary modules, and are run as such wherever else a task sends them.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import sys
import typing as t

from ansible.module_utils import basic
from ansible.module_utils.common.json import Direction, get_module_encoder
from ansible.plugins.action.normal import ActionModule as NormalAction

PROFILE = "legacy"  # how Ansible packs what goes into and comes out of a Python module


class ActionModule(NormalAction):
    """Ansible's own way to run a module, apart from where its `main()` is called."""

    def _execute_module(
        self, *arguments: t.Any, task_vars: dict[str, t.Any] | None = None, wrap_async: bool = False, **more: t.Any
    ) -> dict[str, t.Any]:
        if wrap_async or not self._would_run_beside(task_vars or {}):
            result = super()._execute_module(*arguments, task_vars=task_vars, wrap_async=wrap_async, **more)
        else:
            result = self._run_here(task_vars or {})
        return t.cast(dict[str, t.Any], result)

    def _would_run_beside(self, task_vars: t.Mapping[str, t.Any]) -> bool:
        """Whether the module's process would be this one's twin: same machine, user, interpreter and environment."""
        host = self._task.delegate_to
        variables = task_vars["ansible_delegated_vars"][host] if host else task_vars
        return (
            self._connection.transport == "local"
            and self._connection.become is None
            and self._templar.template(variables.get("ansible_python_interpreter")) == sys.executable
            and not self._compute_environment_string()
        )

    def _run_here(self, task_vars: dict[str, t.Any]) -> dict[str, t.Any]:
        """What `_execute_module` returns. This process is a fork made for the task, so that nothing is left behind."""
        arguments = dict(self._task.args)
        self._update_module_args(self._task.resolved_action, arguments, task_vars)
        printed, code = _called(self._task.resolved_action, arguments)
        result = self._parse_returned_data({"stdout": printed, "stderr": "", "rc": code}, PROFILE)
        if not isinstance(result, dict):  # since ansible-core 2.21 an object, of which `_execute_module` makes this
            result.remove_internal_keys()
            result = result.as_result_dict(for_round_trip=True)
        return t.cast(dict[str, t.Any], result)


def _called(action: str, arguments: t.Mapping[str, t.Any]) -> tuple[str, t.Any]:
    """What the module printed, and its exit code. Exceptions are those of the module."""
    namespace, collection, name = action.split(".")
    module = importlib.import_module(f"ansible_collections.{namespace}.{collection}.plugins.modules.{name}")
    packed = json.dumps(
        {"ANSIBLE_MODULE_ARGS": arguments}, cls=get_module_encoder(PROFILE, Direction.CONTROLLER_TO_MODULE)
    ).encode()
    basic._ANSIBLE_ARGS, basic._ANSIBLE_PROFILE = packed, PROFILE  # where a module started by Ansible finds them too
    code: t.Any = None
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        try:
            module.main()
        except SystemExit as exit_:
            code = exit_.code
    return printed.getvalue(), code
