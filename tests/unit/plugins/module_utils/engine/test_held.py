"""A run writes only while it surely holds the lock of its environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine import held
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.held import State
from ansible_collections.groundwork.aws.plugins.module_utils.engine.send import send


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (None, ""),
        (State("dev", 101.0), ""),
        (State("dev", 100.0), "could not be renewed in time"),
        (State("dev", 0.0, "Another run has taken it."), "Another run has taken it. This run has stopped before"),
        (State("dev", 101.0, "Another run has taken it."), "Another run has taken it."),
    ],
)
def test_when_a_run_must_not_write(state: State | None, words: str) -> None:
    why = held.problem(state, at=100.0)
    assert (words in why) if words else why == ""


def test_a_state_survives_being_written(tmp_path: Path) -> None:
    assert held.read_state(tmp_path / "lock") is None
    for state in (State("dev", 1.5), State("dev", 0.0, "lost")):
        held.write_state(tmp_path / "lock", state)
        assert held.read_state(tmp_path / "lock") == state
    assert [path.name for path in tmp_path.iterdir()] == ["lock"]


class Ec2:
    """A client that counts its calls. The first is throttled, during which the lock is lost."""

    def __init__(self, lose: Path) -> None:
        self.calls = 0
        self.lose = lose

    def client(self, _service: str) -> Ec2:
        return self

    def create_vpc(self) -> None:
        from botocore.exceptions import ClientError

        self.calls += 1
        held.write_state(self.lose, State("dev", 0.0, "Another run has taken it."))
        raise ClientError({"Error": {"Code": "RequestLimitExceeded", "Message": ""}}, "CreateVpc")


def test_no_attempt_of_a_write_begins_without_the_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ec2 = Ec2(tmp_path / "lock")
    monkeypatch.setenv(held.VARIABLE, str(tmp_path / "lock"))
    held.write_state(tmp_path / "lock", State("dev", held.now() + 60))

    class NoTime:
        monotonic = staticmethod(lambda: 0.0)
        sleep = staticmethod(lambda _seconds: None)

    for _run in range(2):
        with pytest.raises(GroundworkError, match=r"Another run has taken it\. This run has stopped before its next"):
            send(ec2, "ec2", "create_vpc", {}, NoTime())
        assert ec2.calls == 1
