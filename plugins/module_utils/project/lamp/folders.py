# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a site can write of its application, in the options of the module `server` and in Apache's configuration."""

from __future__ import annotations

import json
import re
import typing as t
import zlib

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems, check_range
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.containment import is_within
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.folders import (
    OPTIONS,
    Folders,
    check_folders,
)
from ansible_collections.groundwork.aws.plugins.module_utils.project.lamp.environment import FOLDER

FILES = "/srv/groundwork/files"  # the mount point of the file system with what is shared by all servers
FIRST_UID, LAST_UID = 59000, 59999  # of sites, the end of the range of Debian's adduser

# Names that PHP or another configuration of Apache could run. A suffix can follow: "x.php.jpg".
PHP_SCRIPTS = r"(?i)\.ph(p[0-9]?|t|tml|ps|ar)(\.|$)"

Options = dict[str, t.Any]
Site = t.Mapping[str, t.Any]  # one of `lamp_sites`


def check(site: Site, where: str, problems: Problems) -> None:
    """Add to `problems` what is wrong with the shared and writable folders of a site."""
    check_folders(site, where, problems)
    declared = [path for name in OPTIONS for path in site.get(name) or ()]
    script = "/".join(filter(None, (site.get("web_root"), site.get("front_controller"))))
    if site.get("front_controller") and is_within(script, filter(None, declared)):
        wrong = f"'{site['front_controller']}' is in a folder that the site can write"
        problems.add(f"{where}.front_controller", wrong, "keep the script in the release, which is read-only")
    if site.get("php_in_writable") and not declared:
        wrong = "has no effect without shared or writable folders"
        problems.add(f"{where}.php_in_writable", wrong, "remove it, or declare the folders")
    if site.get("shared_everywhere") and not (site.get("shared") or site.get("shared_files")):
        wrong = "has no effect without shared folders or files"
        problems.add(f"{where}.shared_everywhere", wrong, "remove it, or declare them in shared or shared_files")
    if site.get("uid") is not None:
        check_range(f"{where}.uid", site["uid"], FIRST_UID, LAST_UID, problems)


def check_numbers(sites: t.Sequence[Site], problems: Problems) -> None:
    """Add to `problems` sites with the same number, if that of one of them must be the same on all servers."""
    for at, site in enumerate(sites):
        for other in sites[:at]:
            must = [one for one in (site, other) if one.get("shared_everywhere") or one.get("uid")]
            if must and site["name"] != other["name"] and number_of(site) == number_of(other):
                wrong = f"'{site['name']}' and '{other['name']}' get the same number, {number_of(site)}"
                right = f"give one of them another uid, from {FIRST_UID} to {LAST_UID}"
                problems.add(f"sites[{at}].uid", wrong, right)


def number_of(site: Site) -> int:
    """Return the number of a site's account: that of the inventory, or one that follows from the name."""
    return int(site.get("uid") or FIRST_UID + zlib.crc32(site["name"].encode()) % (LAST_UID - FIRST_UID + 1))


def folders_of(site: Site, account: str) -> Folders:
    """Return the folders of a site whose processes run as `account`."""
    return Folders(
        shared=tuple(site.get("shared") or ()),
        shared_files=tuple(site.get("shared_files") or ()),
        writable=tuple(site.get("writable") or ()),
        account=account,
        web_root=site.get("web_root") or "",
        configured=_record_of(site["name"]),
        files=FILES if site.get("shared_everywhere") else "",
    )


def _record_of(name: str) -> str:
    return f"{FOLDER}/{name}/folders.json"


def served_scripts(folders: Folders) -> tuple[str, ...]:
    """Return the PHP scripts among the shared files that are in the web root."""
    return tuple(path for path in folders.shared_files if folders.is_served(path) and re.search(PHP_SCRIPTS, path))


def record(name: str, folders: Folders) -> Options:
    """Return the file that tells for which folders Apache is configured."""
    return {"path": _record_of(name), "content": json.dumps(folders.configuration()) + "\n"}


def packed(folders: Folders) -> Options:
    """Return the folders for the module `release_archives`."""
    return folders.told()


def released(name: str, folders: Folders) -> Options:
    """Return the folders for the module `server`."""
    return {**folders.configuration(), "account": folders.account, "configured": _record_of(name)}
