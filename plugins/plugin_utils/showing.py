# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Show text to the user while tasks run, by Ansible's own display, with any stdout callback that writes text."""

from __future__ import annotations

import threading
import typing as t
from pathlib import Path

from ansible import constants
from ansible.utils.display import Display

INTERVAL = 1.0  # seconds between two looks at a file


def show(text: str) -> None:
    """Display text, unless the stdout callback writes JSON, whose output it would spoil."""
    if not constants.DEFAULT_STDOUT_CALLBACK.rpartition(".")[2].startswith("json"):
        Display().display(text)


class Following:
    """A context manager that shows each line that is added to a file, which it creates and deletes."""

    def __init__(self, path: Path, show: t.Callable[[str], object] = show) -> None:
        self._path = path
        self._show = show
        self._shown = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="progress", daemon=True)

    def __enter__(self) -> Following:
        self._path.touch(mode=0o600)
        self._thread.start()
        return self

    def __exit__(self, *_failure: object) -> None:
        self._over.set()
        self._thread.join()
        self._path.unlink(missing_ok=True)

    def _follow(self) -> None:
        while not self._over.wait(INTERVAL):
            self._look()
        self._look()

    def _look(self) -> None:
        whole = self._path.read_text(encoding="utf-8").split("\n")[:-1]
        for line in whole[self._shown :]:
            self._show(f"  {line}")
        self._shown = len(whole)
