"""A host reads what its role may read, with the role's keys, over https, by AWS' own names."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from running_lab import Lab

pytestmark = pytest.mark.lab


@pytest.fixture(scope="module")
def told(lab: Lab) -> dict[str, str]:
    script = Path(__file__).with_name("ask_as_role.py")
    found: dict[str, str] = json.loads(lab.inside(sys.executable, str(script)).stdout)
    return found


def test_it_reads_what_its_role_may_read(told: dict[str, str]) -> None:
    assert json.loads(told["parameter"])["Parameter"]["Value"] == "opens it"
    assert told["object"] == "a release"


def test_it_reads_nothing_else(told: dict[str, str]) -> None:
    assert json.loads(told["denied"])["__type"] == "AccessDeniedException"
    assert "not theirs" not in told["denied"]


def test_it_learns_who_it_is(told: dict[str, str]) -> None:
    assert told["role"] == "web-role"
    assert f"assumed-role/web-role/{told['instance']}" in told["identity"]
