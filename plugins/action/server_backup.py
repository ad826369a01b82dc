# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the module of the same name on a server, and note what it has changed there."""

from __future__ import annotations

import typing as t

from ansible.plugins.action.normal import ActionModule as NormalAction

from ansible_collections.groundwork.aws.plugins.action.in_controller import require_lock
from ansible_collections.groundwork.aws.plugins.plugin_utils.journal import note


class ActionModule(NormalAction):
    """One run of the module, while this run has the lock of its environment."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return the module's result."""
        require_lock()
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        note(self._task, result, (task_vars or {})["inventory_hostname"])
        return result
