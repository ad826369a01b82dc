# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find out what a playbook uses of this collection, from its text and the text of its roles."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

from ansible.module_utils.common.yaml import yaml_load

from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import WORD

COMMENT = re.compile(r"^\s*#.*", re.MULTILINE)
ROLE = re.compile(r"\bgroundwork\.aws\.(\w+)")
TASKS = re.compile(r"\b(?:import|include)_tasks:\s*(\S+\.yml)")
PARTS = ("defaults", "handlers", "tasks", "templates", "vars")


class Usage(t.NamedTuple):
    """The used roles, and every word of the text that uses them, including the variables."""

    roles: frozenset[str]
    words: frozenset[str]


def usage(playbook: Path, roles: Path, more: t.Iterable[str] = ()) -> Usage:
    """Return what a playbook uses: the files that it includes, its roles, and the roles that these name.

    A playbook also uses a role if it sets variables of the role.

    `roles` is the folder of the collection's roles. `more` are names of roles that are used in any case.
    """
    used: set[str] = set()
    words: set[str] = set()
    seen: set[Path] = set()
    used.update(more, _roles_set(playbook, roles))
    ahead = [playbook, *(path for role in sorted(used) for path in _files(roles / role))]
    while ahead:
        path = ahead.pop()
        if path in seen or not path.is_file():
            continue
        seen.add(path)
        text = COMMENT.sub("", path.read_text(encoding="utf-8"))
        words.update(WORD.findall(text))
        ahead += [path.parent / name for name in TASKS.findall(text)]
        for role in set(ROLE.findall(text)) - used:
            if (roles / role).is_dir():
                used.add(role)
                ahead += _files(roles / role)
    return Usage(frozenset(used), frozenset(words))


def _files(role: Path) -> list[Path]:
    return [path for part in PARTS for path in sorted((role / part).rglob("*"))]


def _roles_set(playbook: Path, roles: Path) -> set[str]:
    """Return the roles of which the playbook sets variables."""
    names = set(_keys(yaml_load(playbook.read_text(encoding="utf-8")))) if playbook.is_file() else set()
    return {path.name for path in roles.iterdir() if any(name.startswith(f"{path.name}_") for name in names)}


def _keys(value: t.Any) -> t.Iterator[str]:
    """Yield the keys of all dictionaries in a value. A message may have lines that only look like keys."""
    if isinstance(value, dict):
        yield from map(str, value)
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _keys(item)
