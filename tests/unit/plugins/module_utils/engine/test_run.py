"""A run parses its options before it calls AWS, and makes no changes in check mode."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.amazon.aws.plugins.module_utils import modules

from ansible_collections.groundwork.aws.plugins.module_utils.engine import run as running
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, InputError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Change, ec2
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run, run_module


class Clients:
    def __init__(self) -> None:
        self.calls = 0

    def client(self, _service: str) -> Clients:
        return self

    def create_vpc(self) -> dict[str, t.Any]:
        self.calls += 1
        return {}


CHANGE = Change("create", "vpc", "main", (ec2("create_vpc"),))


@pytest.mark.parametrize(("check_mode", "calls"), [(False, 1), (True, 0)])
def test_check_mode_tells_the_same_and_makes_nothing(check_mode: bool, calls: int) -> None:
    clients = Clients()
    result = Run({}, clients, print, check_mode=check_mode).make([CHANGE], {})
    assert result["changed"] and result["changes"] == [{"action": "create", "resource": "vpc", "name": "main"}]
    assert clients.calls == calls


def test_problems_of_both_kinds_come_together() -> None:
    def parse(_options: running.Options, problems: Problems) -> None:
        problems.add("cidr", "it is bad", "be good")

    with pytest.raises(InputError, match=r"2 problems(?s:.*)environment_name(?s:.*)cidr"):
        Run({"environment_name": "X", "tags": {}}, Clients(), print).parse("network", parse)


def test_warnings_are_passed_on() -> None:
    def parse(_options: running.Options, problems: Problems) -> int:
        problems.warn("cidr", "it is odd")
        return 1

    warnings: list[str] = []
    owner, desired = Run({"environment_name": "dev", "tags": {}}, Clients(), warnings.append).parse("network", parse)
    assert (owner.component, desired, warnings) == ("network", 1, ["cidr: it is odd."])


class Exit(Exception):  # noqa: N818 - AnsibleModule's way out
    pass


class Module:
    """A fake of AnsibleAWSModule."""

    check_mode = True
    default_settings: t.ClassVar[dict[str, t.Any]] = {}

    def __init__(self, argument_spec: dict[str, t.Any], supports_check_mode: bool, **settings: t.Any) -> None:
        assert supports_check_mode
        self.params = {name: spec.get("default") for name, spec in argument_spec.items()}
        self.settings = settings

    def warn(self, text: str) -> None:
        raise Exit("warn", text)

    def exit_json(self, **result: t.Any) -> None:
        raise Exit("exit", result)

    def fail_json(self, **result: t.Any) -> None:
        raise Exit("fail", result)


@pytest.fixture(autouse=True)
def ansible(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modules, "AnsibleAWSModule", Module)  # where `run_module` imports it from


def test_a_result_leaves_by_exit() -> None:
    with pytest.raises(Exit) as left:
        run_module({"size": {"default": 3}}, lambda run: {"changed": run.check_mode, "size": run.options["size"]})
    assert left.value.args == ("exit", {"changed": True, "size": 3})


def test_a_failure_leaves_in_one_place_with_its_details() -> None:
    def converge(_run: Run) -> dict[str, t.Any]:
        raise GroundworkError("It failed.", error_code="X")

    with pytest.raises(Exit) as left:
        run_module({}, converge)
    assert left.value.args == ("fail", {"msg": "It failed.", "error_code": "X"})
