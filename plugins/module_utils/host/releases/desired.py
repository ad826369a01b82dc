# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The desired releases of a server, as the module's options declare them."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.folders import (
    NO_FOLDERS,
    Folders,
    parse_folders,
)
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.logs import Log
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.pages import Page, check_page

RELEASES = "releases"
CURRENT = "current"
UNREADY = ".unready"  # Apache's configuration of the role lamp checks it for load balancers
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
FEWEST_KEPT = 2  # a request that started with the previous release needs its files


@dataclass(frozen=True)
class Command:
    """The commands that one server of the environment runs once for a release, before any server serves it.

    `unit` is the text of the unit of systemd that runs them, and `lines` are the commands as they are told. `timeout`
    is in seconds, for all of them. `ready` is a command that succeeds when they can run.
    """

    environment: str
    unit: str
    lines: tuple[str, ...]
    timeout: int
    ready: tuple[str, ...] = ()

    @property
    def longest(self) -> int:
        """Return the seconds after which systemd has ended the commands, also without the process that started them."""
        return self.timeout * len(self.lines)


@dataclass(frozen=True)
class Release:
    """A site's desired release. `archive` is its packed file, on the server.

    `owner` owns its files. `group` can read them, except the private ones (`is_private`), which `private_group` can
    read. `workers` are services that run its code, and `jobs` services that timers start. `pages` are requested once it
    is current. If one fails, the message contains the last lines of `logs`, without the values that the files `hide`
    set. `mend` is whether changed files are put back, instead of only reported. `folders` are those that the account of
    the site can write. `command` runs once for the release.
    """

    name: str
    path: str
    id: str
    archive: str = ""
    owner: str = "root"
    group: str = "root"
    private_group: str = "root"
    keep: int = 3
    reload: tuple[str, ...] = ()
    workers: tuple[str, ...] = ()
    jobs: tuple[str, ...] = ()
    pages: tuple[Page, ...] = ()
    logs: tuple[Log, ...] = ()
    hide: tuple[str, ...] = ()
    mend: bool = True
    folders: Folders = NO_FOLDERS
    command: Command | None = None

    @property
    def link(self) -> str:
        """Return the path of the link to the release that is served."""
        return str(Path(self.path) / CURRENT)

    @property
    def folder(self) -> Path:
        """Return the folder of the release."""
        return Path(self.path) / RELEASES / self.id


def parse_releases(options: t.Mapping[str, t.Any], problems: Problems) -> tuple[Release, ...]:
    """Return the desired releases. Add to `problems` what is wrong."""
    folders = []
    for at, item in enumerate(options["releases"]):
        where = f"releases[{at}]"
        if not ID.fullmatch(item["id"]):
            right = "use letters, digits, dots and hyphens"
            problems.add(f"{where}.id", f"'{item['id']}' is not a valid release id", right)
        if item["keep"] < FEWEST_KEPT:
            problems.add(f"{where}.keep", f"{item['keep']} is too small", f"keep {FEWEST_KEPT} or more")
        for number, page in enumerate(item.get("pages") or ()):
            check_page(f"{where}.pages[{number}]", page, problems)
        folders.append(parse_folders(item.get("folders") or {}, f"{where}.folders", problems))
    return tuple(
        Release(
            name=item["name"],
            path=item["path"],
            id=item["id"],
            archive=item.get("archive") or "",
            owner=item["owner"],
            group=item["group"],
            private_group=item.get("private_group") or item["group"],
            keep=item["keep"],
            reload=tuple(item["reload"]),
            workers=tuple(item.get("workers") or ()),
            jobs=tuple(item.get("jobs") or ()),
            pages=tuple(_page(item, page) for page in item.get("pages") or ()),
            logs=tuple(Log(log["path"], log["containing"]) for log in item.get("logs") or ()),
            hide=tuple(item.get("hide") or ()),
            mend=item.get("mend", True),
            folders=own,
            command=_command(item.get("command")),
        )
        for item, own in zip(options["releases"], folders, strict=True)
    )


def _command(item: t.Mapping[str, t.Any] | None) -> Command | None:
    if not item:
        return None
    lines, ready = tuple(item["lines"]), tuple(item.get("ready") or ())
    return Command(item["environment"], item["unit"], lines, item["timeout"], ready)


def _page(item: t.Mapping[str, t.Any], page: t.Mapping[str, t.Any]) -> Page:
    return Page(
        site=item["name"],
        path=page["path"],
        matcher=str(page["matcher"]),
        timeout=float(page["timeout"]),
        host=page["host"],
        names=tuple(page["names"]),
        any_name=page["any_name"],
        release=item["id"],
    )
