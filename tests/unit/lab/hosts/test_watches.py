from __future__ import annotations

from pathlib import Path

import pytest

from groundwork_lab.hosts import watches


@pytest.mark.parametrize(("before", "after"), [("128", "4096"), ("4096", "4096"), ("8192", "8192")])
def test_a_limit_is_only_raised(tmp_path: Path, before: str, after: str) -> None:
    limit = tmp_path / "max_user_instances"
    limit.write_text(f"{before}\n")
    watches.allow(limit)
    assert limit.read_text().strip() == after
