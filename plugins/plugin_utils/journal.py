# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Note what the tasks of a run have changed, or would change, for its summary (docs/decisions/0058).

Each task is a fork of its own. So the changes are in a file, in the folder that only this ansible-playbook uses.
"""

from __future__ import annotations

import json
import os
import typing as t
from pathlib import Path

from ansible import constants, context

from ansible_collections.groundwork.aws.plugins.module_utils.project.summary import Entry

Values = t.Mapping[str, t.Any]


def journal() -> Path:
    """Return the file with the changes of this run, a line for each task and host."""
    return Path(constants.DEFAULT_LOCAL_TMP) / "groundwork-changes"


def note(task: t.Any, result: Values, host: str = "") -> None:
    """Append the changes of a task's result, unless it failed, or only looked.

    `host` is the server that was changed, "" for resources of AWS. A task only looks with `changed_when: false`, and
    with `check_mode: true` in a run without `--check`.
    """
    changes = result.get("changes") or ()
    if not changes or result.get("failed") or _only_looks(task):
        return
    role = task._role.get_name(include_role_fqcn=False) if task._role else ""
    component = role or str(task.resolved_action or task.action).rpartition(".")[2]
    diff = result.get("diff") or []
    settings = [_settings(one) for one in diff] if len(diff) == len(changes) and not host else [{}] * len(changes)
    told = [
        [host, component, one["action"], one["resource"], one["name"], own]
        for one, own in zip(changes, settings, strict=True)
    ]
    line = f"{json.dumps(told)}\n".encode()
    file = os.open(journal(), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, line)  # as a whole: other tasks append too
    finally:
        os.close(file)


def _settings(difference: Values) -> Values:
    """Return the settings of a resource that is created or deleted, and none of one that is updated."""
    before, after = difference.get("before"), difference.get("after")
    return {} if before and after else before or after or {}


def _only_looks(task: t.Any) -> bool:
    return task.changed_when == [False] or bool(task.check_mode) != is_check()


def entries() -> list[Entry]:
    """Return all changes of this run, in their order."""
    if not journal().is_file():
        return []
    lines = journal().read_text(encoding="utf-8").splitlines()
    return [Entry(*one) for line in lines for one in json.loads(line)]


def is_check() -> bool:
    """Return whether ansible-playbook was given `--check`."""
    return bool(context.CLIARGS.get("check"))
