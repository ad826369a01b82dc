"""The CPU time of a host is read from its control group."""

from __future__ import annotations

from pathlib import Path

from groundwork_lab.plane.hosts import cgroups


def test_the_cpu_time_of_a_group_is_read(tmp_path: Path) -> None:
    (tmp_path / "cpu.stat").write_text("usage_usec 44327383\nuser_usec 40000000\nsystem_usec 4327383\n", "utf-8")
    assert cgroups.cpu_seconds(tmp_path) == 44.327383
    assert cgroups.cpu_seconds(tmp_path / "gone") is None
