from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from groundwork_lab.plane.hosts import watches


@pytest.fixture
def limit(tmp_path: Path) -> Path:
    return tmp_path / "max_user_instances"


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return tmp_path / "record"


@pytest.mark.parametrize(("before", "after"), [("128", "4096"), ("4096", "4096"), ("8192", "8192")])
def test_a_limit_is_only_raised_and_put_back_as_it_was(limit: Path, record: Path, before: str, after: str) -> None:
    limit.write_text(f"{before}\n")
    for _lab in range(2):
        watches.allow(record, limit)
        assert limit.read_text().strip() == after
    watches.put_back(record, limit)
    assert limit.read_text().strip() == before
    assert not record.exists()


def test_what_somebody_else_has_set_since_stays(limit: Path, record: Path) -> None:
    limit.write_text("128\n")
    watches.allow(record, limit)
    limit.write_text("1024\n")
    watches.put_back(record, limit)
    assert (limit.read_text(), record.exists()) == ("1024\n", False)


def test_a_record_of_another_boot_says_nothing(limit: Path, record: Path) -> None:
    limit.write_text("128\n")
    watches.allow(record, limit)
    record.write_text(json.dumps({**json.loads(record.read_text()), "boot": "another"}))
    watches.put_back(record, limit)
    assert (limit.read_text(), record.exists()) == ("4096\n", False)


def test_one_lab_at_a_time_holds_it(limit: Path) -> None:
    limit.write_text("128\n")
    entered = threading.Event()

    def enter() -> None:
        with watches.alone(limit):
            entered.set()

    with watches.alone(limit):
        other = threading.Thread(target=enter)
        other.start()
        assert not entered.wait(0.2)
    other.join(10)
    assert entered.is_set()
