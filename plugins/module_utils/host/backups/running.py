# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The work of the module `server_backup`: make a backup now, drill one, or restore one."""

from __future__ import annotations

import contextlib
import time
import typing as t
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.host.backups import drilling, restoring
from ansible_collections.groundwork.aws.plugins.module_utils.host.backups.isolated import workplace
from ansible_collections.groundwork.aws.plugins.module_utils.host.backups.making import (
    PLAN,
    RESTORING,
    SAFETY,
    STATE,
    alone,
    iso,
    known,
    lacking,
)
from ansible_collections.groundwork.aws.plugins.module_utils.host.backups.objects import Objects
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import Run, tail

SERVICE = "groundwork-backup"
SAFETY_SERVICE = f"{SERVICE}-{SAFETY}"
STARTS = 2  # a start joins a service that runs already, and that backup may be older than what is asked for
Options = t.Mapping[str, t.Any]
Result = dict[str, t.Any]


def converge(run: Run, options: Options, *, check_mode: bool) -> Result:
    """Return the module's result. Raise GroundworkError."""
    work = {"made": make_now, "drilled": drill, "restored": restore}[options["state"]]
    try:
        return work(run, options, check_mode=check_mode)
    except (GroundworkError, OSError) as error:
        told = [str(error), *([] if check_mode or options["state"] == "drilled" else again(options))]
        raise GroundworkError("\n".join(told), **getattr(error, "details", {})) from error


def again(options: Options, path: Path = RESTORING) -> list[str]:
    """Return what an interrupted restore has left, and how it is repeated: by the id, because the newest may change."""
    if not options["backup"]:
        return []
    left = [
        f"The data of {site} are incomplete, and it has no access to its database. What was there before is in the "
        f"backup {facts['safety'] or '(none was made)'}."
        for site, facts in restoring.interrupted(path).items()
        if facts["backup"] == options["backup"]
    ]
    one = f" and restore_site={options['site']}" if options["site"] else ""
    return [*left, f"To restore again, run groundwork.aws.restore with restore_from={options['backup']}{one}."]


def make_now(
    run: Run, options: Options, *, check_mode: bool, state: Path = STATE, plan: Path = PLAN, marks: Path = RESTORING
) -> Result:
    """Make a backup with the service that the timer starts. Return the module's result.

    With the option `backup`, it is the one before that is restored. Then the sites that are restored must be in it, but
    those that an interrupted restore has left incomplete: what they had is in the backup before that.
    """
    server = restoring.read_plan(plan)["server"]
    needed, kind, unit = None, "last", SERVICE
    if options["backup"]:
        sites = drilling.sites_of(Objects(options["backup"], options["urls"]).manifest(), options["site"])
        needed, kind, unit = sites.keys() - restoring.interrupted(marks).keys(), SAFETY, SAFETY_SERVICE
        if not needed:
            return {**_reported([]), "backup": {}}
    if check_mode:
        return _reported([{"action": "create", "resource": "backup", "name": server}])
    made = made_since(run, unit, lambda: known(state), kind)
    failed = {site: words for site, words in made.get("failed", {}).items() if needed is None or site in needed}
    if failed:
        raise GroundworkError(f"The backup {made['id']} was made, but it lacks {lacking(failed)}.")
    return {**_reported([{"action": "create", "resource": "backup", "name": made["id"]}]), "backup": made}


def made_since(run: Run, unit: str, told: t.Callable[[], Result], kind: str) -> Result:
    """Return a backup that was begun after this call, as the file of the state tells it. Raise GroundworkError."""
    now = iso(time.time())
    for _start in range(STARTS):
        done = run(["systemctl", "start", f"{unit}.service"])
        made: Result = told().get(kind) or {}
        if made.get("began", "") >= now:
            if done.code:  # a site is not in it, which the caller judges
                run(["systemctl", "reset-failed", f"{unit}.service"])
            return made
        failure = told().get("failure") or {}
        if failure.get("at", "") >= now:
            raise GroundworkError(f"No backup was made: {failure['message']}")
    journal = ["journalctl", f"--unit={unit}", "--lines=20", "--no-pager", "--output=cat"]
    raise GroundworkError(f"No backup was made: {tail(run(journal)) or tail(done)}")


def drill(run: Run, options: Options, *, check_mode: bool) -> Result:
    """Restore a backup in isolation, and return what was found. In check mode only the manifest is read."""
    objects = Objects(options["backup"], options["urls"])
    if check_mode:
        return {**_reported([]), "drill": {"id": objects.manifest()["id"], "sites": {}}}
    with workplace(drilling.FOLDER) as folder:
        found = drilling.drill(run, objects, folder, options["site"])
    return {**_reported([]), "drill": found}


def restore(run: Run, options: Options, *, check_mode: bool) -> Result:
    """Restore a backup. Return the module's result."""
    plan = restoring.read_plan(PLAN)
    wish = restoring.Wish(options["site"], options["beside"], options["safety"], options["checked"])
    objects = Objects(options["backup"], options["urls"])
    with contextlib.nullcontext() if check_mode else alone(), workplace(drilling.FOLDER) as folder:
        told = restoring.restore(run, plan, objects, folder, wish, check_mode=check_mode)
    return {**_reported(told.pop("changes")), "warnings": told.pop("warnings"), "restored": told}


def _reported(changes: list[dict[str, str]]) -> Result:
    return {"changed": bool(changes), "changes": changes}
