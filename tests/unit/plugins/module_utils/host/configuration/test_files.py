"""A file is written whole, or nothing of it is left."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.desired import Entry
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.files import put


def test_a_file_that_cannot_be_written_leaves_no_secret_behind(tmp_path: Path) -> None:
    entry = Entry(str(tmp_path / "secret"), "file", b"correct-horse-battery", owner="nobody-of-that-name")
    with pytest.raises(GroundworkError, match="Could not set"):
        put(entry)
    assert list(tmp_path.iterdir()) == []
