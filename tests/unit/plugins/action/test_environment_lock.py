"""A run that waits for a lock tells at once who has it."""

from __future__ import annotations

import typing as t
from pathlib import Path
from types import SimpleNamespace

import pytest

from ansible_collections.groundwork.aws.plugins.action import environment_lock
from ansible_collections.groundwork.aws.plugins.action.environment_lock import ActionModule

HOLDER = {"id": "ab12", "who": "ann@desk", "caller": "arn:aws:iam::1:user/ann", "since": "noon", "command": "site.yml"}
REFUSED = {"failed": True, "msg": "Another run is working on the environment dev.", "lock": HOLDER}
TAKEN = {"changed": False, "lock": {**HOLDER, "who": "us"}}
TOLD = (
    "Waiting up to 60 s for the lock of the environment dev. ann@desk (arn:aws:iam::1:user/ann) has it since noon, "
    "with 'site.yml'. Its id is ab12."
)


@pytest.mark.parametrize(
    ("wait", "answers", "waits", "displayed"),
    [
        ("60", [REFUSED, TAKEN], [0, "60"], [TOLD]),
        (60, [REFUSED, REFUSED], [0, 60], [TOLD]),
        (60, [TAKEN], [0], []),
        (60, [{"failed": True, "msg": "Other credentials."}], [0], []),
        (0, [REFUSED], [0], []),
        (None, [REFUSED], [0], []),
        (-1, [{"failed": True, "msg": "wait: -1 is out of range"}], [-1], []),
    ],
)
def test_who_has_the_lock_is_displayed_before_the_wait(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    wait: t.Any,
    answers: list[dict[str, t.Any]],
    waits: list[t.Any],
    displayed: list[str],
) -> None:
    asked: list[t.Any] = []
    shown: list[str] = []
    task = SimpleNamespace(args={"environment_name": "dev", **({} if wait is None else {"wait": wait})})
    action = ActionModule(task, None, None, None, None, None)

    def run(_self: t.Any, _tmp: t.Any, _variables: t.Any) -> dict[str, t.Any]:
        assert len(shown) == len(asked)  # the message comes before the second run
        asked.append(task.args["wait"])
        return answers[len(asked) - 1]

    monkeypatch.setattr(environment_lock.InController, "run", run)
    monkeypatch.setattr(environment_lock, "lock_file", lambda: tmp_path / "lock")
    monkeypatch.setattr(environment_lock, "command_line", lambda: "site.yml")
    monkeypatch.setattr(environment_lock, "show", shown.append)
    assert action.run(None, {}) == answers[-1]
    assert (asked, shown) == (waits, displayed)
