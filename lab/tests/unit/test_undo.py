"""The removal of existing resources, of missing ones, and of those that cannot be removed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from groundwork_lab import undo as undoing
from groundwork_lab.journal import Entry, Journal
from groundwork_lab.settings import Settings
from groundwork_lab.undo import mounts_below, undo

MOUNTINFO = r"""
21 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 21 0:40 / /lab/hosts rw - tmpfs tmpfs rw
31 30 0:41 / /lab/hosts/i-1/root rw shared:1 - overlay overlay rw
32 31 0:42 / /lab/hosts/i-1/root/proc rw - proc proc rw
33 21 0:43 / /lab/hosts\040of\040others rw - tmpfs tmpfs rw
34 21 0:44 / /laboratory rw - tmpfs tmpfs rw
""".strip()


@pytest.mark.parametrize(
    ("path", "points"),
    [
        ("/lab/hosts", ["/lab/hosts/i-1/root/proc", "/lab/hosts/i-1/root", "/lab/hosts"]),
        ("/lab/hosts/", ["/lab/hosts/i-1/root/proc", "/lab/hosts/i-1/root"]),
        ("/lab/hosts/i-1/root/proc", ["/lab/hosts/i-1/root/proc"]),
        ("/lab/hosts of others", ["/lab/hosts of others"]),
        ("/nowhere", []),
    ],
)
def test_mounts_go_from_the_innermost_and_only_below_the_path(path: str, points: list[str]) -> None:
    assert mounts_below(path, MOUNTINFO) == points


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "state").mkdir()
    return Settings(name="test", state=tmp_path / "state", cache=tmp_path / "cache")


def test_what_is_not_there_any_more_is_no_problem(settings: Settings) -> None:
    journal = Journal(settings.journal)
    for entry in (
        Entry("process", "4194303", 1),
        Entry("mount", str(settings.state / "gone")),
        Entry("namespace", "test-never-was"),
        Entry("link", "neverwas0"),
        Entry("folder", str(settings.state / "gone")),
    ):
        journal.record(entry)
    assert undo(settings, journal) == []
    assert not settings.state.exists()


def test_folders_and_processes_go(settings: Settings, tmp_path: Path) -> None:
    journal = Journal(settings.journal)
    folder = tmp_path / "elsewhere"
    (folder / "deep").mkdir(parents=True)
    journal.record(Entry("folder", str(folder)))
    process = subprocess.Popen(["sleep", "60"])
    journal.record(Entry("process", str(process.pid), undoing.start_time(process.pid) or 0))
    assert undo(settings, journal) == []
    assert not folder.exists()
    assert process.wait() != 0


def test_after_a_reboot_nobody_is_signalled(settings: Settings) -> None:
    settings.boot.write_text("another boot")
    journal = Journal(settings.journal)
    process = subprocess.Popen(["sleep", "60"])
    journal.record(Entry("process", str(process.pid), undoing.start_time(process.pid) or 0))
    assert undo(settings, journal) == []
    assert process.poll() is None
    process.kill()
    process.wait()


def test_reverse_order_and_a_failure_keeps_its_entry_and_the_journal(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    undone: list[str] = []

    def remove(path: str) -> list[str]:
        undone.append(path)
        if path == "b":
            raise PermissionError(1, "Operation not permitted")
        return []

    monkeypatch.setattr(undoing, "_remove_folder", remove)
    journal = Journal(settings.journal)
    for name in "abc":
        journal.record(Entry("folder", name))
    assert undo(settings, journal) == ["The folder b could not be removed: Operation not permitted."]
    assert undone == ["c", "b", "a"]
    assert journal.entries() == [Entry("folder", "b")]
