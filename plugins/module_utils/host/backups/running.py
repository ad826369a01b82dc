# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The work of the module `server_backup`: make a backup now, drill one, or restore one."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.host.backups import drilling, restoring
from ansible_collections.groundwork.aws.plugins.module_utils.host.backups.isolated import workplace
from ansible_collections.groundwork.aws.plugins.module_utils.host.backups.making import PLAN, STATE
from ansible_collections.groundwork.aws.plugins.module_utils.host.backups.objects import Objects
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import Run, tail

SERVICE = "groundwork-backup"
Result = dict[str, t.Any]


def converge(run: Run, options: t.Mapping[str, t.Any], *, check_mode: bool) -> Result:
    """Return the module's result. Raise GroundworkError."""
    if options["state"] == "made":
        return make_now(run, check_mode=check_mode)
    work = drill if options["state"] == "drilled" else restore
    return work(run, options, check_mode=check_mode)


def make_now(run: Run, *, check_mode: bool, state: Path = STATE, plan: Path = PLAN) -> Result:
    """Make a backup with the service that the timer starts. Return the module's result."""
    server = restoring.read_plan(plan)["server"]
    if check_mode:
        return _reported([{"action": "create", "resource": "backup", "name": server}])
    done = run(["systemctl", "start", f"{SERVICE}.service"])
    told = state_of(state)
    if done.code:
        journal = ["journalctl", f"--unit={SERVICE}", "--lines=20", "--no-pager", "--output=cat"]
        failure = (told.get("failure") or {}).get("message") or tail(run(journal)) or tail(done)
        raise GroundworkError(f"No backup was made: {failure}")
    last = told["last"]
    return {**_reported([{"action": "create", "resource": "backup", "name": last["id"]}]), "backup": last}


def state_of(path: Path = STATE) -> Result:
    """Return the last backup of this server and the last failure, {} if there was none yet."""
    try:
        found: Result = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found


def drill(run: Run, options: t.Mapping[str, t.Any], *, check_mode: bool) -> Result:
    """Restore a backup in isolation, and return what was found. In check mode only the manifest is read."""
    objects = Objects(options["backup"], options["urls"])
    if check_mode:
        return {**_reported([]), "drill": {"id": objects.manifest()["id"], "sites": {}}}
    with workplace(drilling.FOLDER) as folder:
        found = drilling.drill(run, objects, folder, options["site"])
    return {**_reported([]), "drill": found}


def restore(run: Run, options: t.Mapping[str, t.Any], *, check_mode: bool) -> Result:
    """Restore a backup. Return the module's result."""
    plan = restoring.read_plan(PLAN)
    wish = restoring.Wish(options["site"], options["beside"], options["safety"], options["checked"])
    objects = Objects(options["backup"], options["urls"])
    with workplace(drilling.FOLDER) as folder:
        told = restoring.restore(run, plan, objects, folder, wish, check_mode=check_mode)
    return {**_reported(told.pop("changes")), "warnings": told.pop("warnings"), "restored": told}


def _reported(changes: list[dict[str, str]]) -> Result:
    return {"changed": bool(changes), "changes": changes}
