# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a server does at its first boot: become what the bundle that it runs says, by the engines of the modules."""

from __future__ import annotations

import json
import sys
import tempfile
import time
import typing as t
import zipfile
from dataclasses import replace
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils import mariadb
from ansible_collections.groundwork.aws.plugins.module_utils.boot.fetching import Cloud, FetchError
from ansible_collections.groundwork.aws.plugins.module_utils.boot.filling import fill, parameters_in
from ansible_collections.groundwork.aws.plugins.module_utils.configuration.commands import run
from ansible_collections.groundwork.aws.plugins.module_utils.configuration.desired import parse_server
from ansible_collections.groundwork.aws.plugins.module_utils.configuration.services import Services
from ansible_collections.groundwork.aws.plugins.module_utils.configuration.transaction import Host, converge
from ansible_collections.groundwork.aws.plugins.module_utils.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.releases.packing import Source, members_of, release_id
from ansible_collections.groundwork.aws.plugins.module_utils.releases.serving import Release, Releases, parse_releases

DESIRED = "desired.json"  # in the bundle
SPACE = "/var/tmp"  # noqa: S108 - a folder of its own is made there, on the disk: archives can be large

Desired = t.Mapping[str, t.Any]


def main() -> None:
    """Called by the bundle. What it writes is on the server's console; it ends with 1 when something failed."""
    began = time.monotonic()
    with zipfile.ZipFile(sys.argv[0]) as bundle:
        desired = json.loads(bundle.read(DESIRED))
    cloud = Cloud(desired["region"], desired["domain"])
    try:
        for words in become(desired, cloud):
            sys.stdout.write(f"groundwork: after {time.monotonic() - began:.1f} s {words}\n")
            sys.stdout.flush()
    except (FetchError, GroundworkError) as error:
        raise SystemExit(f"groundwork: this server is not what it should be. {error}") from None


def become(template: Desired, cloud: Cloud) -> t.Iterator[str]:
    """Become what `template` says once it is filled in; after each step what was done, in words.

    A balancer is told that all is well when each site has a release, so that comes last.
    """
    instance = cloud.instance_id()
    parameters = {name: cloud.parameter(name) for name in parameters_in(template)}
    yield f"{instance} knows its {len(parameters)} parameters"
    desired, problems = fill(template, instance, parameters), Problems()
    server = parse_server(desired["configuration"], problems)
    databases = mariadb.parse_mariadb(desired["databases"], problems) if desired["databases"] else None
    releases = parse_releases({"releases": desired["releases"]}, problems)
    problems.raise_if_any()
    services = Services(run)
    yield f"it is configured ({_count(converge(Host(run, services), server, check_mode=False))})"
    if databases:
        told = mariadb.converge(run, databases, desired["databases"]["socket"], check_mode=False)
        yield f"it has its databases ({_count(told)})"
    keys = {item["name"]: item["key"] for item in desired["releases"]}
    told = _release(Releases(services), releases, lambda name: cloud.fetch(desired["bucket"], keys[name]))
    yield f"it has its releases ({_count(told)})"


def _count(result: Desired) -> str:
    return f"{len(result['changes'])} changes"


def _release(host: Releases, releases: t.Sequence[Release], fetch: t.Callable[[str], bytes]) -> dict[str, t.Any]:
    """Make the releases current; those that are not here are fetched by their site's name."""
    with tempfile.TemporaryDirectory(dir=SPACE) as folder:
        missing = host.converge(releases, check_mode=True)["missing"]
        brought = [
            replace(release, archive=str(keep(release, fetch(release.name), Path(folder))))
            if release.name in missing
            else release
            for release in releases
        ]
        return host.converge(brought, check_mode=False)


def keep(release: Release, content: bytes, folder: Path) -> Path:
    """The archive as a file. Raises GroundworkError when its content is not what its release's id was made of."""
    path = folder / f"{release.name}.tar.gz"
    path.write_bytes(content)
    found = release_id(members_of(Source(archive=str(path)), run, folder))
    if found != release.id:
        raise GroundworkError(f"The archive of {release.name} holds the release {found}, not {release.id}.")
    return path
