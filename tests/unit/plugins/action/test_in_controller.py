"""A module runs in Ansible's own process only where it may."""

from __future__ import annotations

import sys
import typing as t
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

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


def test_every_module_of_the_controller_is_named() -> None:
    modules = {path.stem: path.read_text() for path in (ROOT / "plugins" / "modules").glob("*.py")}
    routed = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())["plugin_routing"]["modules"]
    missing = {name for name, text in modules.items() if "run_module" in text} - set(routed)
    assert not missing, f"name them in meta/runtime.yml: {missing}"
    assert set(routed) <= set(modules)
    in_process = {f"groundwork.aws.{name}" for name in ("in_controller", "s3_site_content", "ssm_generated_secret")}
    assert {route["action_plugin"] for route in routed.values()} == in_process


def test_every_module_of_an_environment_is_in_its_action_group() -> None:
    grouped = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text())["action_groups"]["environment"]
    modules = (ROOT / "plugins" / "modules").glob("*.py")
    assert grouped == sorted(path.stem for path in modules if "  - groundwork.aws.common\n" in path.read_text())
