# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a site can write of its application, in the options of the module `server` and in Apache's configuration."""

from __future__ import annotations

import json
import re
import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.containment import is_within
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.folders import (
    OPTIONS,
    Folders,
    check_folders,
)
from ansible_collections.groundwork.aws.plugins.module_utils.project.lamp.environment import FOLDER

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


def folders_of(site: Site, account: str) -> Folders:
    """Return the folders of a site whose processes run as `account`."""
    return Folders(
        shared=tuple(site.get("shared") or ()),
        shared_files=tuple(site.get("shared_files") or ()),
        writable=tuple(site.get("writable") or ()),
        account=account,
        web_root=site.get("web_root") or "",
        configured=_record_of(site["name"]),
    )


def _record_of(name: str) -> str:
    return f"{FOLDER}/{name}/folders.json"


def shared_mode(folders: Folders) -> str:
    """Return the mode of a site's folder for what is shared. Apache can use it only if it serves something in it."""
    return "0710" if any(folders.is_served(path) for path in folders.linked) else "0700"


def served_scripts(folders: Folders) -> tuple[str, ...]:
    """Return the PHP scripts among the shared files that are in the web root."""
    return tuple(path for path in folders.shared_files if folders.is_served(path) and re.search(PHP_SCRIPTS, path))


def record(name: str, folders: Folders) -> Options:
    """Return the file that tells for which folders Apache is configured."""
    return {"path": _record_of(name), "content": json.dumps(folders.told()) + "\n"}


def packed(folders: Folders) -> Options:
    """Return the folders for the module `release_archives`."""
    return folders.told()


def released(name: str, folders: Folders) -> Options:
    """Return the folders for the module `server`."""
    return {**folders.told(), "account": folders.account, "configured": _record_of(name)}
