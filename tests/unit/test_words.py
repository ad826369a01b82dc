# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The words of messages and docstrings follow docs/words.md."""

from __future__ import annotations

import ast
import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("plugins", "playbooks", "roles")

# Files whose words are not rewritten yet. Remove a pattern when its files are.
NOT_YET = (
    "playbooks/*",
    "roles/*",
)

FORBIDDEN = re.compile(r"\bis no (?!longer\b)|\bin vain\b|\bnobody\b", re.IGNORECASE)

# The first word of a function's docstring is one of these verbs, in the imperative. Keep the list sorted.
VERBS = (
    "Add",
    "Ask",
    "Attach",
    "Call",
    "Check",
    "Compare",
    "Configure",
    "Convert",
    "Copy",
    "Create",
    "Delete",
    "Detach",
    "Disable",
    "Do",
    "Download",
    "Enable",
    "Execute",
    "Fail",
    "Fetch",
    "Fill",
    "Find",
    "Get",
    "Install",
    "Keep",
    "Launch",
    "List",
    "Log",
    "Look",
    "Make",
    "Move",
    "Pack",
    "Parse",
    "Poll",
    "Prepare",
    "Publish",
    "Put",
    "Raise",
    "Read",
    "Record",
    "Recover",
    "Register",
    "Release",
    "Reload",
    "Remove",
    "Renew",
    "Replace",
    "Report",
    "Request",
    "Restore",
    "Return",
    "Run",
    "Send",
    "Set",
    "Sleep",
    "Sort",
    "Start",
    "Stop",
    "Switch",
    "Take",
    "Unpack",
    "Update",
    "Upload",
    "Verify",
    "Wait",
    "Warn",
    "Write",
    "Yield",
)


def rewritten(*suffixes: str) -> list[str]:
    """Return the paths of all files with these suffixes that are not in NOT_YET."""
    found = (path for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in suffixes)
    names = sorted(str(path.relative_to(ROOT)) for path in found)
    return [name for name in names if not any(fnmatch(name, pattern) for pattern in NOT_YET)]


def texts(name: str) -> list[tuple[int, str]]:
    """Return the lines of a file's texts with their numbers: strings of Python, else all but whole-line comments."""
    source = (ROOT / name).read_text()
    if name.endswith(".py"):
        constants = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant))
        return [(node.lineno, node.value) for node in constants if isinstance(node.value, str)]
    lines = enumerate(source.splitlines(), start=1)
    return [(number, line) for number, line in lines if not line.lstrip().startswith("#")]


@pytest.mark.parametrize("name", rewritten(".py", ".yml", ".j2"))
def test_no_text_has_a_forbidden_word(name: str) -> None:
    found = [f"{name}:{number}: {text.strip()[:120]}" for number, text in texts(name) if FORBIDDEN.search(text)]
    assert not found, "\n".join(["Use the words of docs/words.md:", *found])


@pytest.mark.parametrize("name", [name for name in rewritten(".py") if name.startswith("plugins/module_utils/")])
def test_a_docstring_begins_with_a_verb(name: str) -> None:
    functions = (
        node
        for node in ast.walk(ast.parse((ROOT / name).read_text()))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    )
    docstrings = [(node, ast.get_docstring(node)) for node in functions]
    found = [
        f"{name}:{node.lineno}: {node.name}: {text.splitlines()[0]}"
        for node, text in docstrings
        if text and text.split()[0].rstrip(",.;:") not in VERBS
    ]
    assert not found, "\n".join(["Begin with a verb in the imperative, or add a missing verb to VERBS:", *found])


def test_the_verbs_are_sorted() -> None:
    assert list(VERBS) == sorted(set(VERBS))


def test_every_pattern_of_not_yet_has_a_file() -> None:
    names = [str(path.relative_to(ROOT)) for folder in FOLDERS for path in (ROOT / folder).rglob("*")]
    assert [pattern for pattern in NOT_YET if not any(fnmatch(name, pattern) for name in names)] == []
