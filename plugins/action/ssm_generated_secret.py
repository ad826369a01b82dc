# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module of this name, and has Ansible show nothing of a result that contains the secret."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.action.in_controller import ActionModule as InController


class ActionModule(InController):
    """One run of the module. A failure contains no secret: it is shown."""

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return the module's result."""
        self._play_context.no_log = True  # a connection shows at -vvv what a module on another machine prints
        result = t.cast(dict[str, t.Any], super().run(tmp, task_vars))
        return {**result, "_ansible_no_log": "value" in result}
