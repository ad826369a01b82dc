"""A fake action plugin that records its calls and returns the results that a test has defined.

`ROLE_FAKES` is a folder with two files. `rules` lists the beginning of a task name, a host name, the error ("" for
success), and additional keys of the result. `returns` contains the keys of all results. `given` gets the options of
each call as a line of JSON.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    """The fake of every module."""

    _supports_check_mode = True

    def run(self, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        folder = Path(os.environ["ROLE_FAKES"])
        host, task = task_vars["inventory_hostname"], self._task.get_name().rpartition(" : ")[2]
        with (folder / "done").open("a") as file:
            file.write(f"{task}: {'' if self._task.run_once else host}\n")
        with (folder / "given").open("a") as file:
            file.write(f"{json.dumps([task, self._task.args], default=str)}\n")
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
