"""The removal of resources that requires root. Run with `-m lab`."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from groundwork_lab import undo as undoing

pytestmark = pytest.mark.lab


def test_a_name_goes_also_from_below_a_mount_of_the_folder_on_itself(tmp_path: Path) -> None:
    names = tmp_path / "netns"
    names.mkdir()
    handle = names / "unittest"
    handle.touch()
    try:
        subprocess.run(["mount", "--bind", "/proc/self/ns/net", handle], check=True)
        subprocess.run(["mount", "--rbind", names, names], check=True)  # as the first `ip netns add` does
        undoing.unname(handle)
        assert not handle.exists()
        assert str(handle) not in Path("/proc/self/mountinfo").read_text()
        undoing.unname(handle)
    finally:
        subprocess.run(["umount", "--recursive", "--lazy", names], check=False)
