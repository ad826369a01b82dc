# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bring a backup back: into the place of what is there now, or beside it.

Before anything is changed, everything was restored in isolation. While a database is replaced, its site has no access
to it, so that nothing is written into a half one. A mark keeps what an interruption leaves out of backups, until a
restore of the site is complete.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import shutil
import typing as t
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.host.backups.drilling import (
    check,
    entries_in,
    get,
    sites_of,
)
from ansible_collections.groundwork.aws.plugins.module_utils.host.backups.dumps import (
    LARGEST_PACKET,
    as_root,
    differences,
)
from ansible_collections.groundwork.aws.plugins.module_utils.host.backups.isolated import load, tables_of
from ansible_collections.groundwork.aws.plugins.module_utils.host.backups.making import (
    ATTRIBUTES,
    RESTORING,
    known,
    record,
)
from ansible_collections.groundwork.aws.plugins.module_utils.host.backups.objects import Objects
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import Run, succeed
from ansible_collections.groundwork.aws.plugins.module_utils.host.mariadb import IDENTIFIER, host_of, pattern_of
from ansible_collections.groundwork.aws.plugins.module_utils.host.room import require_for

BESIDE = "_restored_from_backup"  # after the name of a database: longer than the name of any site
FOLDER_BESIDE = "restored"  # beside the folder of shared files
COMING, FORMER = ".restoring", ".before-restore"  # after the name of that folder
Facts = t.Mapping[str, t.Any]
Change = dict[str, str]


@dataclass(frozen=True)
class Wish:
    """What is restored: one `site` or all (""), `beside` or in place.

    `safety` is the backup that was made before. `checked` is whether this backup was drilled right before.
    """

    site: str = ""
    beside: bool = False
    safety: str = ""
    checked: bool = False


@dataclass(frozen=True)
class Part:
    """The data of a site: the facts of the backup, and what the server's plan says of the site.

    `hosts` are those from which the user of the site's database logs in. That user has the name of the database.
    """

    site: str
    facts: Facts
    plan: Facts
    hosts: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Return the folder of the shared files, without links on the way."""
        return Path(self.plan["folder"]).resolve()


def parts_of(plan: Facts, manifest: Facts, wish: Wish) -> list[Part]:
    """Return the data to restore. Raise GroundworkError with all data that have no place on this server."""
    if "hosts" not in plan:
        raise GroundworkError("The backups of this server are of an older version. Run groundwork.aws.site first.")
    problems = Problems()
    hosts = tuple(host_of(text, "hosts", problems) for text in plan["hosts"])
    problems.raise_if_any()
    known = {site["name"]: site for site in plan["sites"]}
    wrong, parts = [], []
    for name, facts in sites_of(manifest, wish.site).items():
        own = known.get(name)
        if own is None:
            wrong.append(f"the site {name} is not on this server any more: declare it in lamp_sites, or give another")
            continue
        if "database" in facts and not own["database"]:
            wrong.append(f"the database of {name} is not on this server any more: see lamp_database_server")
        elif "database" in facts and not IDENTIFIER.fullmatch(facts["database"]["name"]):
            wrong.append(f"the database of {name} has the name '{facts['database']['name']}'")
        if "files" in facts and not own["folder"]:
            wrong.append(f"the shared files of {name} are backed up by another server now: see shared_everywhere")
        parts.append(Part(name, facts, own, hosts))
    if wrong:
        raise GroundworkError(f"The backup {manifest['id']} cannot be restored on this server: {'; '.join(wrong)}.")
    return parts


def target_of(part: Part, wish: Wish) -> str:
    """Return the database into which a dump is loaded."""
    return f"{part.plan['database']}{BESIDE if wish.beside else ''}"


def aside_of(part: Part, identity: str) -> Path:
    """Return the folder into which shared files are restored beside those that are there."""
    return part.folder.parent / f"{FOLDER_BESIDE}-{identity}"


def changes_of(parts: t.Iterable[Part], wish: Wish, identity: str) -> list[Change]:
    """Return what a restore changes, as the module tells it. Pure, but for links on the way to folders."""
    action = "create" if wish.beside else "update"
    found = []
    for part in parts:
        if "database" in part.facts:
            found.append({"action": action, "resource": "database", "name": target_of(part, wish)})
        if "files" in part.facts:
            name = aside_of(part, identity) if wish.beside else part.folder
            found.append({"action": action, "resource": "shared files", "name": str(name)})
    return found


def check_beside(run: Run, socket: str, parts: t.Iterable[Part], identity: str) -> None:
    """Raise GroundworkError if an earlier restore is still where this one would be."""
    taken = []
    for part in parts:
        name = f"{part.plan['database']}{BESIDE}"
        if "database" in part.facts and asked(run, socket, f"SHOW DATABASES LIKE '{pattern_of(name)}'").strip():
            taken.append(f"the database {name} (mariadb --execute 'DROP DATABASE {name}')")
        if "files" in part.facts and aside_of(part, identity).exists():
            taken.append(f"the folder {aside_of(part, identity)}")
    if taken:
        raise GroundworkError(f"An earlier restore is still there: {'; '.join(taken)}. Remove it, then run again.")


def asked(run: Run, socket: str, sql: str) -> str:
    """Return the answer of MariaDB to statements, a line for each row. Raise GroundworkError."""
    argv = as_root("mariadb", socket, "--batch", "--skip-column-names")
    return succeed(run, "restore a database", argv, stdin=sql)


def held(run: Run, socket: str, user: str, database: str) -> set[str]:
    """Return the hosts from which a user has privileges on a database."""
    pattern = pattern_of(database).replace("\\", "\\\\")
    sql = f"SELECT Host FROM mysql.db WHERE Db = '{pattern}' AND User = '{user}'"  # noqa: S608 - names
    return set(asked(run, socket, sql).splitlines())


def restore_database(run: Run, part: Part, socket: str, dump: Path, wish: Wish) -> None:
    """Put a dump in place of a database, or beside it. Raise GroundworkError.

    The user of the site gets its privileges from the plan, because an interrupted restore has taken them away. Those of
    other users stay as they are. Restored beside, only root has access. `max_allowed_packet` is larger meanwhile,
    because a dump has binary values in hexadecimal digits.
    """
    facts, name, user = part.facts["database"], target_of(part, wish), part.plan["database"]
    hosts = () if wish.beside else part.hosts
    having = held(run, socket, user, name) if hosts else set()
    grant = f"ALL PRIVILEGES ON `{pattern_of(name)}`.*"
    away = [f"REVOKE {grant} FROM '{user}'@'{host}';" for host in hosts if host in having]
    away += [f"KILL USER '{user}';"] if hosts else []
    again = [f"GRANT {grant} TO '{user}'@'{host}';" for host in hosts]
    sets = f"CHARACTER SET {facts['character_set']} COLLATE {facts['collation']}"
    empty = [f"DROP DATABASE IF EXISTS `{name}`;", f"CREATE DATABASE `{name}` {sets};"]
    packet = asked(run, socket, "SELECT @@global.max_allowed_packet;").strip()
    try:
        asked(run, socket, f"SET GLOBAL max_allowed_packet = {LARGEST_PACKET};")
        asked(run, socket, "\n".join([*away, *empty]))
        load(dump, socket, name)
        wrong = differences(facts["tables"], tables_of(run, socket, name))
        if wrong:
            raise GroundworkError("; ".join(wrong))
        if again:
            asked(run, socket, "\n".join(again))
    finally:
        asked(run, socket, f"SET GLOBAL max_allowed_packet = {packet};")


def unpack(run: Run, part: Part, archive: Path, folder: Path) -> None:
    """Unpack shared files into a new folder. Raise GroundworkError."""
    expected = part.facts["files"]["entries"]
    require_for(folder.parent, part.facts["files"]["plain"])
    if folder.exists():  # of a restore that was interrupted
        shutil.rmtree(folder)
    folder.mkdir(mode=0o700)
    argv = ["tar", "--extract", "--gzip", "--preserve-permissions", "--same-owner", *ATTRIBUTES]
    succeed(run, f"restore the files of {part.site}", [*argv, f"--file={archive}", f"--directory={folder}"])
    if entries_in(run, archive) != expected:
        raise GroundworkError(f"The files of {part.site} are not as many as in the backup.")


def put_in_place(folder: Path, coming: Path, *, keep: bool) -> tuple[list[Path], list[str]]:
    """Move a restored folder to the place of the former one. Return the former ones that are still there, and warnings.

    The former one is removed unless `keep`. One that an earlier restore has put aside stays in any case, because it may
    have what is nowhere else.
    """
    former = next(one for one in _names_beside(folder) if not one.exists())
    if folder.exists():
        folder.rename(former)
    coming.rename(folder)
    warnings = []
    if former.exists() and not keep:
        try:
            shutil.rmtree(former)
        except OSError as error:
            warnings.append(f"The former files in {former} could not be removed: {error}")
    return former_of(folder), warnings


def _names_beside(folder: Path) -> t.Iterator[Path]:
    yield folder.with_name(f"{folder.name}{FORMER}")
    for number in itertools.count(2):
        yield folder.with_name(f"{folder.name}{FORMER}-{number}")


def former_of(folder: Path) -> list[Path]:
    """Return the folders that restores have put aside."""
    return sorted(one for one in folder.parent.glob(f"{folder.name}{FORMER}*") if one.is_dir())


def restore(
    run: Run,
    plan: Facts,
    objects: Objects,
    workplace: Path,
    wish: Wish,
    *,
    check_mode: bool,
    marks: Path = RESTORING,
) -> dict[str, t.Any]:
    """Restore a backup on this server. Return `changes`, `warnings`, and `kept`, the former folders that are there."""
    manifest = objects.manifest()
    parts = parts_of(plan, manifest, wish)
    if wish.beside:
        check_beside(run, plan["socket"], parts, manifest["id"])
    changes = changes_of(parts, wish, manifest["id"])
    told: dict[str, t.Any] = {"id": manifest["id"], "changes": changes, "kept": [], "warnings": []}
    if check_mode:
        return told
    sites = {part.site: part.facts for part in parts}
    get(objects, sites, workplace)
    if not wish.checked:
        told["sites"] = check(run, sites, workplace)
    coming = {}
    for part in parts:  # what takes long, and changes nothing that is served
        if "files" in part.facts:
            place = part.folder.with_name(f"{part.folder.name}{COMING}")
            coming[part.site] = aside_of(part, manifest["id"]) if wish.beside else place
            unpack(run, part, workplace / part.facts["files"]["object"], coming[part.site])
    for part in parts:
        with marked(part.site, manifest["id"], wish, marks) as safety:
            if "database" in part.facts:
                restore_database(run, part, plan["socket"], workplace / part.facts["database"]["object"], wish)
            if part.site in coming and not wish.beside:
                former, warnings = put_in_place(part.folder, coming[part.site], keep=not safety)
                told["kept"] += map(str, former)
                told["warnings"] += warnings
    return told


def interrupted(path: Path = RESTORING) -> dict[str, dict[str, str]]:
    """Return the sites whose restore is not complete: the `backup`, and the one for `safety`, "" if none was made."""
    return {site: facts for site, facts in known(path).items() if facts}


@contextlib.contextmanager
def marked(site: str, identity: str, wish: Wish, path: Path = RESTORING) -> t.Iterator[str]:
    """Yield while the data of a site are replaced. A mark keeps them out of backups, also when this is interrupted.

    The value is the backup with what was there before: that of the first attempt, "" if none was made.
    """
    if wish.beside:
        yield wish.safety
        return
    safety = interrupted(path).get(site, {"safety": wish.safety})["safety"]
    record(path, **{site: {"backup": identity, "safety": safety}})
    yield safety
    record(path, **{site: None})


def read_plan(path: Path) -> dict[str, t.Any]:
    """Return the plan of this server's backups. Raise GroundworkError if it has none."""
    try:
        found: dict[str, t.Any] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        text = "No backups are configured on this server. Set backup_enabled, and run groundwork.aws.site first."
        raise GroundworkError(text) from error
    return found
