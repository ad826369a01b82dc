"""module_utils has four floors and the arguments below. No room imports from above, nor two topics each other."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

MODULE_UTILS = Path(__file__).parents[4] / "plugins" / "module_utils"
PREFIX = "ansible_collections.groundwork.aws.plugins.module_utils."
FLOORS = ("arguments", "engine", "host", "topics", "project")


def imported(path: Path) -> set[str]:
    """Return the modules of the collection that a file imports, as dotted names below module_utils."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith(PREFIX):
            room = f"{node.module}."[len(PREFIX) :]
            found |= {f"{room}{alias.name}" for alias in node.names}
    return found


def room_of(name: str) -> str:
    """Return the floor of a module, and below `topics` its room: `engine`, `topics.nat`."""
    floor, _dot, rest = name.partition(".")
    return f"topics.{rest.partition('.')[0]}" if floor == "topics" else floor


def rooms() -> dict[str, set[str]]:
    """Return for each room the other rooms that it imports from."""
    found: dict[str, set[str]] = {}
    for path in MODULE_UTILS.rglob("*.py"):
        room = room_of(".".join(path.relative_to(MODULE_UTILS).with_suffix("").parts))
        found.setdefault(room, set()).update({room_of(name) for name in imported(path)} - {room})
    return found


def test_every_module_is_on_a_floor() -> None:
    assert {room.partition(".")[0] for room in rooms()} == set(FLOORS)


@pytest.mark.parametrize("floor", FLOORS)
def test_no_floor_imports_from_above(floor: str) -> None:
    above = FLOORS[FLOORS.index(floor) + 1 :]
    wrong = {(room, other) for room, others in rooms().items() for other in others if other.startswith(above)}
    assert {one for one in wrong if one[0].startswith(floor)} == set()


def test_no_two_rooms_import_each_other() -> None:
    try:
        TopologicalSorter(rooms()).prepare()
    except CycleError as error:
        pytest.fail(f"These rooms import each other: {' -> '.join(error.args[1])}")
