# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Brings packed releases to a server, when and only when it does not have them yet."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

MODULE = "groundwork.aws.releases"


class ActionModule(ActionBase):
    """One module run when there is nothing to do; a second one with the archives when there is."""

    TRANSFERS_FILES = False  # no folder on the server is needed until something is missing

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """The result of the module's last run."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        releases: list[dict[str, t.Any]] = self._task.args.get("releases") or []
        answer = self._ask([{**item, "archive": None} for item in releases], task_vars)
        missing = answer.get("missing") or []
        if missing and not answer.get("failed") and not self._task.check_mode:
            answer = self._ask([self._brought(item, missing) for item in releases], task_vars)
            answer.setdefault("missing", missing)
        self._remove_tmp_path(self._connection._shell.tmpdir)
        return {**result, **answer}

    def _ask(self, releases: list[dict[str, t.Any]], task_vars: dict[str, t.Any] | None) -> dict[str, t.Any]:
        arguments = {**self._task.args, "releases": releases}
        answer: dict[str, t.Any] = self._execute_module(
            module_name=MODULE, module_args=arguments, task_vars=task_vars, wrap_async=False
        )
        return answer

    def _brought(self, item: dict[str, t.Any], missing: list[str]) -> dict[str, t.Any]:
        """The release with its archive's path on the server."""
        if item["name"] not in missing:
            return {**item, "archive": None}
        archive = Path(str(item.get("archive") or "")).expanduser()
        if not archive.is_file():
            wrong = f"The release {item['id']} of {item['name']} is neither on this server nor packed on the controller"
            raise AnsibleActionFail(f"{wrong}: run release_archives, or give another.")
        folder = self._connection._shell.tmpdir or self._make_tmp_path()
        remote = self._connection._shell.join_path(folder, archive.name)
        self._transfer_file(str(archive), remote)
        return {**item, "archive": remote}
