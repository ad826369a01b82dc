# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check a backup: get all its objects, restore them in isolation, and compare them with the manifest."""

from __future__ import annotations

import json
import time
import typing as t
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.host.backups.dumps import as_root, differences
from ansible_collections.groundwork.aws.plugins.module_utils.host.backups.isolated import (
    isolated,
    load,
    tables_of,
)
from ansible_collections.groundwork.aws.plugins.module_utils.host.backups.making import lacking
from ansible_collections.groundwork.aws.plugins.module_utils.host.backups.objects import DamagedError, Objects
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import Run, succeed
from ansible_collections.groundwork.aws.plugins.module_utils.host.room import require_for

FOLDER = Path("/var/tmp/groundwork-backup")  # noqa: S108 - a folder of root, not /tmp, which may be in memory
GROWTH = 3  # a database is larger than its dump, by its indexes and logs
SERVER = 300 * 1024**2  # bytes of an empty MariaDB

Facts = t.Mapping[str, t.Any]


def sites_of(manifest: Facts, wanted: str) -> dict[str, Facts]:
    """Return the sites of a backup, or the one that is wanted. Raise GroundworkError if it has no such site."""
    sites: dict[str, Facts] = manifest["sites"]
    failed = lacking({name: words for name, words in manifest.get("failed", {}).items() if wanted in ("", name)})
    if failed:
        there = ", ".join(sorted(sites))
        way = f"Choose another backup, or one of the sites that it has (restore_site): {there}"
        raise GroundworkError(f"The backup {manifest['id']} lacks {failed}. {way}.")
    if wanted and wanted not in sites:
        raise GroundworkError(f"The backup {manifest['id']} has no site '{wanted}'; it has {', '.join(sorted(sites))}.")
    return {name: facts for name, facts in sites.items() if wanted in ("", name)}


def needed(sites: t.Iterable[Facts]) -> int:
    """Return the bytes that a drill needs: the objects, and the databases as MariaDB stores them. Pure."""
    total = 0
    for site in sites:
        total += sum(part["size"] for part in site.values() if isinstance(part, dict))
        if "database" in site:
            total += GROWTH * site["database"]["plain"] + SERVER
    return total


def get(objects: Objects, sites: t.Mapping[str, Facts], folder: Path) -> None:
    """Write all objects of the sites to a folder. Raise DamagedError with all objects that are not what was written."""
    require_for(folder, needed(sites.values()))
    wrong = []
    for site in sites.values():
        for part in site.values():
            if isinstance(part, dict):
                try:
                    objects.get(part, folder / part["object"])
                except DamagedError as error:
                    wrong.append(str(error))
    if wrong:
        raise DamagedError("\n".join(wrong))


def check(run: Run, sites: t.Mapping[str, Facts], folder: Path) -> dict[str, dict[str, int]]:
    """Return for each site its tables, rows, files and secrets, after all were restored in isolation.

    Raise DamagedError with all differences from the manifest.
    """
    counts: dict[str, dict[str, int]] = {name: {} for name in sites}
    wrong: list[str] = []
    databases = {name: site["database"] for name, site in sites.items() if "database" in site}
    if databases:
        with isolated(run, folder) as socket:
            for name, facts in databases.items():
                wrong += [f"{name}: {one}" for one in database_faults(run, facts, folder, socket)]
                counts[name]["tables"] = len(facts["tables"])
                counts[name]["rows"] = sum(table["rows"] for table in facts["tables"].values())
    for name, site in sites.items():
        if "files" in site:
            listed = entries_in(run, folder / site["files"]["object"])
            if listed != site["files"]["entries"]:
                wrong.append(f"{name}: {listed} files and folders instead of {site['files']['entries']}")
            counts[name]["files"] = listed
        if "secrets" in site:
            found = sorted(json.loads((folder / site["secrets"]["object"]).read_text(encoding="utf-8")))
            if found != site["secrets"]["names"]:
                wrong.append(f"{name}: the secrets are {', '.join(found)}, not {', '.join(site['secrets']['names'])}")
            counts[name]["secrets"] = len(found)
    if wrong:
        raise DamagedError("\n".join(wrong))
    return counts


def database_faults(run: Run, facts: Facts, folder: Path, socket: str) -> list[str]:
    """Return what is wrong with a dump, after it was loaded into a database of its name at `socket`."""
    name = facts["name"]
    sets = f"CHARACTER SET {facts['character_set']} COLLATE {facts['collation']}"
    create = as_root("mariadb", socket, f"--execute=CREATE DATABASE `{name}` {sets}")
    try:
        succeed(run, f"create the database {name} in isolation", create)
        load(folder / facts["object"], socket, name)
        return differences(facts["tables"], tables_of(run, socket, name))
    except GroundworkError as error:
        return [str(error)]


def entries_in(run: Run, archive: Path) -> int:
    """Return the number of files and folders in an archive, which is read to its end. Raise DamagedError."""
    argv = ["tar", "--list", "--gzip", f"--file={archive}"]
    done = run(argv)
    if done.code:
        raise DamagedError(f"{archive.name} cannot be unpacked: {done.err.strip()[-500:]}")
    return done.out.count("\n")


def drill(run: Run, objects: Objects, folder: Path, wanted: str = "") -> dict[str, t.Any]:
    """Restore a backup in a folder, and return what was found, with the seconds that it took. Raise GroundworkError."""
    start = time.monotonic()
    manifest = objects.manifest()
    sites = sites_of({**manifest, "failed": {}}, wanted)
    get(objects, sites, folder)
    counts = check(run, sites, folder)
    sites_of(manifest, wanted)  # what there is, is sound, and what is not there is told
    seconds = round(time.monotonic() - start, 1)
    return {"id": manifest["id"], "finished": manifest["finished"], "seconds": seconds, "sites": counts}
