# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The mount of the file system with what sites share on all servers: a mount unit, and a service that keeps it.

The service mounts it again after it was away, and unmounts it by force while it does not answer (docs/decisions/0051).
"""

from __future__ import annotations

import typing as t
from pathlib import PurePath

from ansible_collections.groundwork.aws.plugins.module_utils.project.lamp.folders import FILES

Options = dict[str, t.Any]
Render = t.Callable[[str, t.Mapping[str, t.Any]], str]

PACKAGE = "nfs-common"
SERVICE = "groundwork-files"
MOUNT = "srv-groundwork-files.mount"  # as systemd-escape names it
UNITS = (SERVICE, MOUNT)
SYSTEMD = "/etc/systemd/system"
WANTED = f"{SYSTEMD}/remote-fs.target.wants/{MOUNT}"
PROGRAM = "/usr/local/sbin/groundwork-files"
PURGE = [{"pattern": path} for path in (WANTED, f"{SYSTEMD}/{MOUNT}", f"{SYSTEMD}/{SERVICE}.service", PROGRAM)]


def files(render: Render, file_system: str) -> list[Options]:
    """Return the files that mount the file system with this name. A boot waits for the first try, Apache too."""
    context = {"file_system": file_system, "folder": FILES, "unit": MOUNT, "program": PROGRAM}
    return [
        {"path": str(PurePath(FILES).parent), "state": "directory"},
        {"path": FILES, "state": "directory"},
        {"path": PROGRAM, "content": render("files.sh.j2", context), "mode": "0755", "restart": [SERVICE]},
        {"path": f"{SYSTEMD}/{MOUNT}", "content": render("files.mount.j2", context), "restart": [MOUNT, SERVICE]},
        {"path": str(PurePath(WANTED).parent), "state": "directory"},
        {"path": WANTED, "state": "link", "target": f"{SYSTEMD}/{MOUNT}"},
        {
            "path": f"{SYSTEMD}/{SERVICE}.service",
            "content": render("files.service.j2", context),
            "restart": [SERVICE],
        },
    ]


def services() -> list[Options]:
    """Return the service that keeps the file system mounted, and the mount, which is left to it."""
    return [{"name": SERVICE}, {"name": MOUNT, "state": "unchanged"}]
