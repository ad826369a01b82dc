"""Progress is shown line by line, none twice and none half."""

from __future__ import annotations

import threading
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.plugin_utils import showing


def test_lines_are_shown_as_they_come(tmp_path: Path, monkeypatch: object) -> None:
    monkeypatch.setattr(showing, "INTERVAL", 0.01)
    progress, shown, seen = tmp_path / "progress", [], threading.Event()

    def show(line: str) -> None:
        shown.append(line)
        seen.set()

    with showing.Following(progress, show), progress.open("a") as file:
        file.write("pages: 1 of 3\npages: 2")
        file.flush()
        assert seen.wait(10) and shown == ["  pages: 1 of 3"]
        file.write(" of 3\n")
    assert shown == ["  pages: 1 of 3", "  pages: 2 of 3"]
