"""The collection's unit tests do not need the lab: those that do are in tests/api."""

from __future__ import annotations

import ast
from pathlib import Path

UNIT = Path(__file__).parent
SUPPORT = UNIT.with_name("support")
LAB = "groundwork_lab"


def imported(path: Path) -> set[str]:
    """Return the dotted names that a file imports."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    whole = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    parts = {
        f"{node.module}.{alias.name}"
        for node in nodes
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    }
    return whole | parts


def supporting(name: str) -> Path | None:
    """Return the file in tests/support that an import reads, None for other imports."""
    module = name.rpartition(".")[0]
    paths = [SUPPORT.joinpath(*dotted.split(".")).with_suffix(".py") for dotted in (name, module) if dotted]
    return next((path for path in paths if path.is_file()), None)


def reached(paths: list[Path]) -> set[Path]:
    """Return these files, and the files in tests/support that they import, directly or not."""
    todo, found = list(paths), set(paths)
    while todo:
        new = {path for name in imported(todo.pop()) if (path := supporting(name))} - found
        found |= new
        todo += new
    return found


def needs_lab(path: Path) -> bool:
    """Return whether a file imports the lab."""
    return any(name == LAB or name.startswith(f"{LAB}.") for name in imported(path))


def test_no_unit_test_imports_the_lab() -> None:
    found = sorted(
        str(path) for path in reached([*UNIT.rglob("*.py"), UNIT.with_name("conftest.py")]) if needs_lab(path)
    )
    assert found == [], f"move the tests that need the lab's API to tests/api: {found}"


def test_an_import_through_tests_support_is_found() -> None:
    api = UNIT.with_name("api") / "conftest.py"
    assert needs_lab(SUPPORT / "cloud.py")
    assert SUPPORT / "cloud.py" in reached([api])
