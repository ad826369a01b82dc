"""The argument spec of each role contains the defaults of the role and describes every option."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

ROLES = sorted(path.parent for path in Path(__file__).parents[3].glob("roles/*/meta"))
# The environment's own: every role takes them, none has a default for them.
ENVIRONMENTS_OWN = {
    "aws_account_id",
    "aws_region",
    "environment_break_lock",
    "environment_confirm",
    "environment_lock_wait",
    "environment_name",
    "environment_summary_file",
    "environment_tags",
}


# A variable in a description, which is of another role if it has a qualifier.
REFERENCE = re.compile(r"\bO\((?:groundwork\.aws\.(?P<role>\w+)#role:main:)?(?P<path>[\w.\[\]]+)(?:=[^()]*)?\)")


def load(path: Path) -> dict[str, Any]:
    return yaml.safe_load(path.read_text()) if path.exists() else {}


def options(role: Path) -> dict[str, Any]:
    return load(role / "meta" / "argument_specs.yml")["argument_specs"]["main"]["options"]


def undescribed(specs: Mapping[str, Any], where: str = "") -> Iterator[str]:
    for name, spec in specs.items():
        if not spec.get("description"):
            yield where + name
        yield from undescribed(spec.get("options", {}), f"{where}{name}.")


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_only_defaults_with_expressions_are_not_in_the_spec(role: Path) -> None:
    defaults = load(role / "defaults" / "main.yml") or {}
    told = {name: spec["default"] for name, spec in options(role).items() if "default" in spec}
    computed = {name: value for name, value in defaults.items() if "{{" in str(value)}
    assert {**told, **computed} == defaults and not told.keys() & computed.keys()


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_no_required_variable_has_a_default(role: Path) -> None:
    defaults = load(role / "defaults" / "main.yml") or {}
    required = {name for name, spec in options(role).items() if spec.get("required")}
    assert not required & defaults.keys()


def test_a_variable_that_several_roles_have_is_declared_the_same() -> None:
    for name in ENVIRONMENTS_OWN:
        specs = [options(role)[name] for role in ROLES if name in options(role)]
        assert all(spec == specs[0] for spec in specs), name


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_every_variable_begins_with_the_roles_name(role: Path) -> None:
    assert {name for name in options(role) if not name.startswith(f"{role.name}_")} <= ENVIRONMENTS_OWN


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_every_option_is_described(role: Path) -> None:
    assert list(undescribed(options(role))) == []


def texts(spec: Mapping[str, Any]) -> Iterator[str]:
    text = spec.get("description", "")
    yield from [text] if isinstance(text, str) else text
    for option in spec.get("options", {}).values():
        yield from texts(option)


def exists(path: str, specs: Mapping[str, Any]) -> bool:
    first, _dot, rest = path.partition(".")
    spec = specs.get(first.removesuffix("[]"))
    return spec is not None and (not rest or exists(rest, spec.get("options", {})))


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_every_variable_in_a_description_exists(role: Path) -> None:
    """Without its role, the variable of another role leads nowhere in the documentation that is made of the spec."""
    main = load(role / "meta" / "argument_specs.yml")["argument_specs"]["main"]
    marked = [text for text in texts(main) for text in re.findall(r"\bO\(\w(?:[^()]|\([^()]*\))*\)", text)]
    found = [REFERENCE.fullmatch(text) for text in marked]
    missing = [
        text
        for text, match in zip(marked, found, strict=True)
        if not match or not exists(match["path"], options(role.parent / (match["role"] or role.name)))
    ]
    assert missing == []


def test_there_are_roles() -> None:
    assert ROLES
