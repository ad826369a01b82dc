# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module `site_logs_info`, and with `follow` runs it again and shows the new lines at once."""

from __future__ import annotations

import time
import typing as t

from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible.utils.display import Display

from ansible_collections.groundwork.aws.plugins.module_utils.host.looking.logs import MOST_LINES, merged

MODULE = "groundwork.aws.site_logs_info"
PAUSE = 2.0  # seconds between two looks at the logs

Options = dict[str, t.Any]
display = Display()


class ActionModule(NormalAction):
    """Ansible's normal action, which may show the lines of one server before the task has ended."""

    def run(self, tmp: str | None = None, task_vars: Options | None = None) -> Options:
        """Return the result of the module. With `follow` the lines have been shown, and are not returned."""
        seconds = int(self._task.args.get("follow") or 0)
        answer: Options = super().run(tmp, task_vars)
        if not seconds or answer.get("failed") or answer.get("unreachable"):
            return answer
        server = str((task_vars or {}).get("inventory_hostname"))
        end, arguments = time.monotonic() + seconds, dict(self._task.args)
        while True:
            for line in merged({server: answer["lines"]}, MOST_LINES):
                display.display(line)
            if time.monotonic() + PAUSE >= end:
                return {**answer, "lines": []}
            time.sleep(PAUSE)
            # All lines from `begin` on are read, however old they are.
            again = {**arguments, "begin": answer["next"], "lines": MOST_LINES, "minutes": 0}
            answer = self._execute_module(module_name=MODULE, module_args=again, task_vars=task_vars)
            if answer.get("failed") or answer.get("unreachable"):
                return answer
