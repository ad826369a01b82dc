# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What playbooks that only look at servers ask of them: options of the modules `server_info` and `site_logs_info`."""

from __future__ import annotations

from ansible_collections.groundwork.aws.plugins.module_utils.host.backups import making
from ansible_collections.groundwork.aws.plugins.module_utils.project.lamp import backup, folders, jobs
from ansible_collections.groundwork.aws.plugins.module_utils.project.lamp.desired import (
    APACHE,
    MARIADB,
    Lamp,
    Options,
    hidden,
)


def watched(lamp: Lamp) -> Options:
    """Return the options of the module `server_info`: the folders of the sites, and the units that run."""
    services = [APACHE, lamp.fpm, *([MARIADB] if lamp.has_database else [])]
    units = [name for site in lamp.sites for name in (*jobs.services_of(site), *(one.timer for one in site.schedules))]
    backed_up = bool(backup.sites_of(lamp))
    return {
        "sites": {site.name: site.folder for site in lamp.sites},
        "services": services,
        "units": [*units, *([backup.TIMER] if backed_up else [])],
        "files": folders.FILES if lamp.shares_files else "",
        "backup": str(making.STATE) if backed_up else "",
    }


def logs(lamp: Lamp) -> dict[str, Options]:
    """Return the options of the module `site_logs_info` for each site, by its name."""
    return {
        site.name: {
            "logs": [
                {"name": "access", "path": f"/var/log/apache2/{site.name}-access.log"},
                {"name": "error", "path": f"/var/log/apache2/{site.name}-error.log"},
                {"name": "php", "path": f"/var/log/{lamp.fpm}.log", "containing": f"[pool {site.name}]"},
            ],
            "units": [
                *jobs.services_of(site),
                *(schedule.service for schedule in site.schedules),
                f"groundwork-release:{site.name}:*",
            ],
            "hide": hidden(lamp, site),
        }
        for site in lamp.sites
    }


def site_names(lamp: Lamp) -> list[str]:
    """Return the names of the sites."""
    return [site.name for site in lamp.sites]
