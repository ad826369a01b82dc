# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Show what the run has changed, or in check mode would change, and hand over its outputs."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.groundwork.aws.plugins.module_utils.project.summary import summary, text
from ansible_collections.groundwork.aws.plugins.plugin_utils.journal import entries, is_check
from ansible_collections.groundwork.aws.plugins.plugin_utils.showing import show

Values = dict[str, t.Any]


class ActionModule(ActionBase):
    """The summary of this ansible-playbook. It reads what the other actions have noted."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True
    _VALID_ARGS = frozenset(("environment_name", "file", "outputs"))

    def run(self, tmp: str | None = None, task_vars: Values | None = None) -> Values:
        """Return the summary and the outputs, which are statistics of the run too, as those of `set_stats`."""
        result: Values = super().run(tmp, task_vars)
        arguments = self._task.args
        data = summary(entries(), arguments["environment_name"], planned=is_check())
        outputs = arguments.get("outputs") or {}
        if file := arguments.get("file"):
            self._write(Path(file).expanduser(), {**data, "outputs": outputs})
        show("\n".join(["", *text(data)]))
        stats = {"data": {"groundwork": {"totals": data["totals"], "outputs": outputs}}, "per_host": False}
        return {**result, "changed": False, "summary": data, "outputs": outputs, "ansible_stats": stats}

    def _write(self, path: Path, data: Values) -> None:
        """Write a file as a whole, or not at all. Check mode writes it too: it is not a part of the environment."""
        new = path.with_name(f".{path.name}.new")
        try:
            new.write_text(f"{json.dumps(data, indent=2)}\n", encoding="utf-8")
            new.replace(path)
        except OSError as error:
            wrong = f"environment_summary_file: could not write {path}: {error.strerror}"
            raise AnsibleActionFail(f"{wrong}; give a path in a folder that exists and can be written.") from error
