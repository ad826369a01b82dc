# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the module of the same name, and hide its result in Ansible's output if it contains presigned URLs."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.action.in_controller import ActionModule as InController


class ActionModule(InController):
    """One run of the module. A failure is shown, because it contains no URL."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return the module's result."""
        self._play_context.no_log = True  # with -vvv a connection shows the output of a module on another machine
        result = super().run(tmp, task_vars)
        return {**result, "_ansible_no_log": "urls" in result}
