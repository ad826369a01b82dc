# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action plugin that runs the module `s3_site_content` and displays its progress, which a module cannot do."""

from __future__ import annotations

import tempfile
import threading
import typing as t
from pathlib import Path

from ansible.utils.display import Display

from ansible_collections.groundwork.aws.plugins.action.in_controller import ActionModule as InController

INTERVAL = 1.0  # seconds between looks


class ActionModule(InController):
    """A run of the module. The progress is displayed only if it runs on this machine and in the foreground."""

    TRANSFERS_FILES = False

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return the module's result."""
        if self._connection.transport != "local" or self._task.async_val or self._task.args.get("progress"):
            return super().run(tmp, task_vars)
        with tempfile.TemporaryDirectory() as folder:
            progress = Path(folder) / "progress"
            # The module may run as another user, who must be able to write. The file is not confidential.
            Path(folder).chmod(0o711)
            progress.touch()
            progress.chmod(0o666)
            self._task.args = {**self._task.args, "progress": str(progress)}
            with Following(progress, Display().display):
                result: dict[str, t.Any] = super().run(tmp, task_vars)
        result.get("invocation", {}).get("module_args", {}).pop("progress", None)
        return result


class Following:
    """A context manager that shows each line that is added to a file."""

    def __init__(self, path: Path, show: t.Callable[[str], object]) -> None:
        self._path = path
        self._show = show
        self._shown = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="progress", daemon=True)

    def __enter__(self) -> Following:
        self._thread.start()
        return self

    def __exit__(self, *_failure: object) -> None:
        self._over.set()
        self._thread.join()

    def _follow(self) -> None:
        while not self._over.wait(INTERVAL):
            self._look()
        self._look()

    def _look(self) -> None:
        whole = self._path.read_text(encoding="utf-8").split("\n")[:-1]
        for line in whole[self._shown :]:
            self._show(f"  {line}")
        self._shown = len(whole)
