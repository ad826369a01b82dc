"""Every module, called with awkward secrets wherever its options can contain one, logs and returns none of them."""

from __future__ import annotations

import importlib
import json
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils import basic
from nasty_secrets import FOR_EVERYBODY, NOT_FOR_FPM, encoded, forms

ROOT = Path(__file__).parents[4]
DOCUMENTED_ONLY = {"preflight", "release_plan", "run_summary"}  # action plugins
MODULES = sorted({path.stem for path in (ROOT / "plugins" / "modules").glob("*.py")} - DOCUMENTED_ONLY)
SECRETS = [*FOR_EVERYBODY, *NOT_FOR_FPM]
VALUES: dict[str, t.Any] = {"int": 8, "bool": True, "float": 1.0, "path": "/srv/x", "str": "plain"}

Spec = dict[str, dict[str, t.Any]]


class Loaded(Exception):  # noqa: N818 - the module's way out, with its argument spec
    pass


class Stopped(Exception):  # noqa: N818 - likewise, once everything was logged
    pass


def spec_of(name: str, monkeypatch: pytest.MonkeyPatch) -> Spec:
    def loaded(_self: t.Any, *, argument_spec: Spec, **_settings: t.Any) -> None:
        raise Loaded(argument_spec)

    with monkeypatch.context() as patch, pytest.raises(Loaded) as found:
        patch.setattr(basic.AnsibleModule, "__init__", loaded)
        main(name)
    spec: Spec = found.value.args[0]
    return spec


def main(name: str) -> None:
    importlib.import_module(f"ansible_collections.groundwork.aws.plugins.modules.{name}").main()


def filled(option: dict[str, t.Any], secret: str, *, inside: bool) -> t.Any:
    """Return a value for an option: the secret, if it is a secret's or is inside a structure."""
    kind = option.get("type", "str")
    if option.get("choices"):
        return option["choices"][0]
    if kind == "list":
        return [filled({**option, "type": option.get("elements", "str")}, secret, inside=True)]
    if kind == "dict" and option.get("options"):
        return {name: filled(one, secret, inside=True) for name, one in option["options"].items()}
    if kind in ("dict", "raw"):
        return {"/key": secret, "more": [{"deep": secret}]}
    return secret if kind == "str" and (inside or option.get("no_log")) else VALUES[kind]


def hidden(option: dict[str, t.Any]) -> bool:
    """Return whether the option, or what it contains, has a secret that the result must not show either."""
    return bool(option.get("no_log")) or any(hidden(one) for one in option.get("options", {}).values())


def arguments(spec: Spec, secret: str) -> dict[str, t.Any]:
    return {
        name: filled(option, secret, inside=False)
        for name, option in spec.items()
        if option.get("required") or hidden(option) or option.get("type") in ("list", "dict")
    }


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> t.Callable[..., tuple[str, str]]:
    """A function that runs a module until it has logged its invocation: what it logged, and what it printed."""
    logged: list[str] = []

    def stop(module: basic.AnsibleModule) -> None:
        with pytest.raises(SystemExit):
            module.fail_json(msg="stopped", returned=module.params)
        raise Stopped

    def ran(name: str, given: dict[str, t.Any]) -> tuple[str, str]:
        logged.clear()
        packed = json.dumps({"ANSIBLE_MODULE_ARGS": given}).encode()
        monkeypatch.setattr(basic, "_ANSIBLE_ARGS", packed)
        monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy")
        with pytest.raises((Stopped, SystemExit)):
            main(name)
        return "\n".join(logged), capsys.readouterr().out

    monkeypatch.setattr(basic, "has_journal", False)
    monkeypatch.setattr(basic.AnsibleModule, "_log_to_syslog", lambda _module, text: logged.append(text))
    monkeypatch.setattr(basic.AnsibleModule, "_set_cwd", stop)
    return ran


@pytest.mark.parametrize("name", MODULES)
def test_no_module_logs_a_secret(name: str, run: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = spec_of(name, monkeypatch)
    for secret in SECRETS:
        log, printed = run(name, arguments(spec, secret))
        assert log.startswith("Invoked"), printed
        assert leaks(secret, log) == []
        shown = {option: value for option, value in spec.items() if hidden(value)}
        log, printed = run(name, {**arguments(spec, "plain"), **arguments(shown, secret)})
        assert log.startswith("Invoked"), printed
        assert leaks(secret, log + texts(json.loads(printed)["returned"])) == []


def leaks(secret: str, text: str) -> list[str]:
    return [form for form in (*forms(secret), *encoded(secret)) if form in text]


def texts(value: t.Any) -> str:
    """Return all that a result contains, as it is and as JSON."""
    if isinstance(value, dict):
        return "\n".join([json.dumps(value), *map(texts, value.values())])
    if isinstance(value, list):
        return "\n".join([json.dumps(value), *map(texts, value)])
    return str(value)
