"""Stands in for what roles do to servers and balancers: writes it down, and does as it was told.

`ROLE_FAKES` names a folder with two files: `rules`, each with how the task's name begins, the host's name, what happens
then ("" when it succeeds), and more of the result; and `returns`, what all tasks tell.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    """In place of any module."""

    _supports_check_mode = True

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        folder = Path(os.environ["ROLE_FAKES"])
        host, task = task_vars["inventory_hostname"], self._task.get_name().rpartition(" : ")[2]
        with (folder / "done").open("a") as file:
            file.write(f"{task}: {'' if self._task.run_once else host}\n")
        for rule in json.loads((folder / "rules").read_text()):
            if task.startswith(rule["task"]) and (self._task.run_once or rule.get("host", host) == host):
                if rule["then"] == "unreachable":
                    raise AnsibleConnectionFailure("it is gone")
                more = rule.get("result", {})
                if rule["then"]:
                    return {**result, "failed": True, "msg": rule["then"], **more}
                result |= more
        returns = json.loads((folder / "returns").read_text())
        return {**result, "changed": not self._task.check_mode, **returns}
