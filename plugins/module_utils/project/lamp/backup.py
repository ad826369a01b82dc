# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a server does for its backups: a timer, the program that it starts, and the plan of what is backed up.

Each server backs up what it has itself: its databases, the shared folders of its sites, and the secrets that were
generated for them. What all servers share is backed up, and restored, by one of them: the server with the database of
all sites, or one that follows from the tiers.
"""

from __future__ import annotations

import json
import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.placeholders import (
    INSTANCE_ID_PLACEHOLDER,
    placeholder,
)
from ansible_collections.groundwork.aws.plugins.module_utils.host.backups import dumps, making
from ansible_collections.groundwork.aws.plugins.module_utils.host.backups.running import SAFETY_SERVICE, SERVICE
from ansible_collections.groundwork.aws.plugins.module_utils.host.boot import fetching
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.folders import SHARED
from ansible_collections.groundwork.aws.plugins.module_utils.project.lamp.jobs import IMPORT, PROGRAMS, UNITS
from ansible_collections.groundwork.aws.plugins.module_utils.topics.boot.bundle import source_of

FOLDER = str(making.PLAN.parent)
PROGRAM = f"{PROGRAMS}/backup.py"
SOCKET = "/run/mysqld/mysqld.sock"
TIMER = f"{SERVICE}.timer"
PREFERRED = "private-"  # the beginning of the names of servers
PURGE = [
    {"pattern": f"{FOLDER}/*/*"},
    {"pattern": str(making.PLAN)},
    {"pattern": f"{UNITS}/{SERVICE}.service"},
    {"pattern": f"{UNITS}/{SAFETY_SERVICE}.service"},
    {"pattern": PROGRAM},
]

Options = dict[str, t.Any]
Render = t.Callable[[str, t.Mapping[str, t.Any]], str]


def sites_of(lamp: t.Any) -> list[Options]:
    """Return what the server backs up for each site: options of the plan. [] without backups.

    A server of an Auto Scaling group, which does not know its name, keeps nothing, and has no backups.
    """
    if not lamp.given.get("backup_on_calendar") or lamp.given["server_name"] == INSTANCE_ID_PLACEHOLDER:
        return []
    return [_site(lamp, site) for site in lamp.sites]


def keeper_of(lamp: t.Any) -> str:
    """Return the server that backs up what all servers share: the same, whichever server is asked. Pure.

    It is the server with the database of all sites, or the first one of the private tier, or of the first other tier.
    """
    counted: t.Sequence[str] = lamp.given.get("counted_servers") or [lamp.given["server_name"]]
    database = lamp.given["database_server"] if lamp.database_sites else ""
    if database in counted:
        return str(database)
    return min(counted, key=lambda name: (not name.startswith(PREFERRED), name))


def _site(lamp: t.Any, site: t.Any) -> Options:
    kept_here = not site.folders.files or keeper_of(lamp) == lamp.given["server_name"]
    return {
        "name": site.name,
        "database": site.identifier if lamp.has_database and site.database else "",
        "folder": f"{site.folder}/{SHARED}" if kept_here else "",
        "current": site.current,
        "secrets": {one.name: f"{FOLDER}/{site.name}/{one.name}" for one in site.secrets if not one.given},
    }


def plan_of(lamp: t.Any) -> Options:
    """Return the plan, which has no secret."""
    return {
        "environment": lamp.given["environment_name"],
        "tier": lamp.given["server_tier"],
        "server": lamp.given["server_name"],
        "socket": SOCKET,
        "hosts": list(lamp.database_hosts),
        "sites": sites_of(lamp),
    }


def configuration(lamp: t.Any, render: Render) -> Options:
    """Return what backups add to the option `configuration` of the module `server`."""
    plan = plan_of(lamp)
    if not plan["sites"]:
        return {"files": [], "services": [], "validators": [], "purge": PURGE}
    calendar = lamp.given["backup_on_calendar"]
    timer = f"{UNITS}/{TIMER}"
    return {
        "files": [
            {"path": PROGRAMS, "state": "directory"},
            {"path": PROGRAM, "content": program(), "mode": "0644"},
            {"path": FOLDER, "state": "directory", "mode": "0700"},
            {"path": str(making.PLAN), "content": f"{json.dumps(plan, indent=1)}\n", "mode": "0600"},
            *(file for site in lamp.sites for file in _secrets(site)),
            *(
                {"path": f"{UNITS}/{name}.service", "content": render("backup.service.j2", {"command": command})}
                for name, command in ((SERVICE, PROGRAM), (SAFETY_SERVICE, f"{PROGRAM} {making.SAFETY}"))
            ),
            {"path": timer, "content": render("backup.timer.j2", {"on_calendar": calendar}), "restart": [TIMER]},
            {"path": f"{UNITS}/timers.target.wants/{TIMER}", "state": "link", "target": timer},
        ],
        "services": [{"name": TIMER}],
        "validators": [{"argv": ["systemd-analyze", "calendar", calendar], "services": [TIMER]}],
        "purge": PURGE,
    }


def _secrets(site: t.Any) -> t.Iterator[Options]:
    """Yield the files with the values of the secrets that were generated for a site, for root alone."""
    own = [one for one in site.secrets if not one.given]
    if own:
        yield {"path": f"{FOLDER}/{site.name}", "state": "directory", "mode": "0700"}
    for one in own:
        yield {"path": f"{FOLDER}/{site.name}/{one.name}", "content": placeholder(one.parameter), "mode": "0600"}


def program() -> str:
    """Return the program. It is one file, because a server does not have the collection."""
    first, *rest = (source_of(one.__name__).decode() for one in (fetching, dumps, making))
    return "".join([first, *(IMPORT.sub("", text) for text in rest)])


def generated_secrets(lamp: t.Any) -> dict[str, dict[str, str]]:
    """Return the parameters of the secrets that were generated for the sites, by site and name."""
    own = {site.name: {one.name: one.parameter for one in site.secrets if not one.given} for site in lamp.sites}
    return {site: secrets for site, secrets in own.items() if secrets}


def backed_up(lamp: t.Any) -> list[str]:
    """Return the names of the sites that the server backs up."""
    return [site["name"] for site in sites_of(lamp)]
