"""The argument spec of each role contains the defaults of the role and describes every option."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

ROLES = sorted(path.parent for path in Path(__file__).parents[3].glob("roles/*/meta"))
# The environment's own: every role takes them, none has a default for them.
ENVIRONMENTS_OWN = {"environment_name", "environment_confirm", "aws_region", "environment_tags"}


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
def test_spec_and_defaults_are_the_same(role: Path) -> None:
    defaults = load(role / "defaults" / "main.yml") or {}
    told = {name: spec.get("default") for name, spec in options(role).items() if not spec.get("required")}
    assert {name: value for name, value in told.items() if value is not None or name in defaults} == defaults


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_every_variable_begins_with_the_roles_name(role: Path) -> None:
    assert {name for name in options(role) if not name.startswith(f"{role.name}_")} <= ENVIRONMENTS_OWN


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_every_option_is_described(role: Path) -> None:
    assert list(undescribed(options(role))) == []


def test_there_are_roles() -> None:
    assert ROLES
