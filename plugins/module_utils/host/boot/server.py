# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The program of a server's first boot: it configures the server as its bundle declares, with the modules' code."""

from __future__ import annotations

import json
import sys
import tempfile
import time
import typing as t
import zipfile
from dataclasses import replace
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.placeholders import (
    Secrets,
    hide,
    parameters_in,
    with_instance_id,
)
from ansible_collections.groundwork.aws.plugins.module_utils.host.boot.fetching import PATIENCE, Cloud, FetchError
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import run
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.services import Services
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.transaction import Host
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.archives import SPACE
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.desired import Release
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.packing import Source, members_of, release_id
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.serving import PagesError, Releases
from ansible_collections.groundwork.aws.plugins.module_utils.host.room import require_room
from ansible_collections.groundwork.aws.plugins.module_utils.host.server import configure, parse_desired, set_up

DESIRED = "desired.json"  # in the bundle

PAUSE = 2.0  # seconds between two checks of the pages

Desired = t.Mapping[str, t.Any]


def main() -> None:
    """Run the bundle. Write the progress to the console, and exit with 1 if something fails."""
    began = time.monotonic()
    with zipfile.ZipFile(sys.argv[0]) as bundle:
        desired = json.loads(bundle.read(DESIRED))
    cloud = Cloud(desired["region"], desired["domain"])
    try:
        for words in become(desired, cloud):
            sys.stdout.write(f"groundwork: after {time.monotonic() - began:.1f} s {words}\n")
            sys.stdout.flush()
    except (FetchError, GroundworkError) as error:
        raise SystemExit(f"groundwork: the configuration of this server failed. {error}") from None


def become(template: Desired, cloud: Cloud) -> t.Iterator[str]:
    """Configure the server as `template` declares, with the placeholders filled in. Yield a message after each step.

    The releases come last, because the load balancer sees the server as healthy once the pages of all sites are
    answered as expected. Raise GroundworkError with the last lines of the site's log if a page is not.
    """
    instance = cloud.instance_id()
    parameters = {name: cloud.parameter(name) for name in parameters_in(template)}
    yield f"{instance} has read its {len(parameters)} parameters"
    try:
        for words in _become(with_instance_id(template, instance), parameters, cloud):
            yield hide(words, parameters)
    except GroundworkError as error:
        raise GroundworkError(hide(str(error), parameters)) from None


def _become(desired: Desired, secrets: Secrets, cloud: Cloud) -> t.Iterator[str]:
    problems = Problems()
    wanted = parse_desired(desired, problems, secrets)
    problems.raise_if_any()
    host = Host(run, Services(run))
    yield from require_room(run, host.rooms())
    yield f"the server is configured ({_count(configure(host, wanted.configuration, check_mode=False))})"
    if wanted.databases:
        yield f"the databases are set up ({_count(set_up(host, wanted.databases, check_mode=False))})"
    keys = {item["name"]: item["key"] for item in desired["releases"]}
    with tempfile.TemporaryDirectory(dir=SPACE) as folder:
        releases = Releases(host.services)
        brought = _bring(
            releases, wanted.releases, lambda name: cloud.fetch(desired["bucket"], keys[name]), Path(folder)
        )
        told = yield from _release(releases, brought, cloud)
    yield f"the releases are set up ({_count(told)}), and the {len(told['pages'])} pages are answered as expected"


def _count(result: Desired) -> str:
    return f"{len(result['changes'])} changes"


def _bring(
    host: Releases, releases: t.Sequence[Release], fetch: t.Callable[[str], bytes], folder: Path
) -> list[Release]:
    """Fetch the missing releases into a folder, and return all releases with the paths of their archives."""
    missing = host.converge(releases, check_mode=True)["missing"]
    return [
        replace(release, archive=str(keep(release, fetch(release.name), folder)))
        if release.name in missing
        else release
        for release in releases
    ]


def _release(host: Releases, releases: t.Sequence[Release], cloud: Cloud) -> t.Generator[str, None, dict[str, t.Any]]:
    """Make the releases current and request the pages until they are answered as expected. Return the module's result.

    The pages may fail at first: on a first run the database server is configured after the servers of the Auto Scaling
    groups have booted. Yield a message when the reason changes. Raise GroundworkError after `PATIENCE`.
    """
    end = 0.0
    last: tuple[str, ...] = ()
    while True:
        try:
            return host.converge(releases, check_mode=False)
        except PagesError as error:
            end = end or cloud.clock() + PATIENCE  # a release command takes its own time before
            if cloud.clock() >= end:
                raise
            if error.faults != last:
                yield f"waiting for the pages. {error}"
            last = error.faults
        cloud.sleep(PAUSE)


def keep(release: Release, content: bytes, folder: Path) -> Path:
    """Write the archive to a file and return its path. Raise GroundworkError if its content has another release id."""
    path = folder / f"{release.name}.tar.gz"
    path.write_bytes(content)
    found = release_id(members_of(Source(archive=str(path)), run, folder))
    if found != release.id:
        raise GroundworkError(f"The archive of {release.name} contains the release {found}, not {release.id}.")
    return path
