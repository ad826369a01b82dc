"""A module runs in Ansible's own process only where it may."""

from __future__ import annotations

import sys
import typing as t
from pathlib import Path
from types import SimpleNamespace

import pytest

from ansible_collections.groundwork.aws.plugins.action.in_controller import ActionModule

ROOT = Path(__file__).parents[4]
LOCAL = {"ansible_python_interpreter": sys.executable}
PLACES: dict[str, tuple[bool, dict[str, t.Any], dict[str, t.Any]]] = {
    "on the controller": (True, {}, LOCAL),
    "sent to the controller": (True, {"delegate_to": "x"}, {"ansible_delegated_vars": {"x": LOCAL}}),
    "sent elsewhere": (False, {"delegate_to": "x"}, {"ansible_delegated_vars": {"x": {}}, **LOCAL}),
    "over ssh": (False, {"transport": "ssh"}, LOCAL),
    "as another user": (False, {"become": object()}, LOCAL),
    "another interpreter": (False, {}, {"ansible_python_interpreter": "/usr/bin/python3"}),
    "an interpreter yet to be found": (False, {}, {}),
    "an environment of its own": (False, {"environment": "A=b"}, LOCAL),
}


@pytest.mark.parametrize(("here", "task", "variables"), PLACES.values(), ids=PLACES)
def test_it_runs_here_only_where_that_is_the_same(
    here: bool, task: dict[str, t.Any], variables: dict[str, t.Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = SimpleNamespace(transport=task.get("transport", "local"), become=task.get("become"))
    action = ActionModule(
        task=SimpleNamespace(delegate_to=task.get("delegate_to"), async_val=0),
        connection=connection,
        play_context=None,
        loader=None,
        templar=SimpleNamespace(template=lambda value: value),
        shared_loader_obj=None,
    )
    monkeypatch.setattr(action, "_compute_environment_string", lambda: task.get("environment", ""))
    assert action._would_run_beside(variables) is here
