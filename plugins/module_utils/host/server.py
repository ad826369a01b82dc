# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The desired state of a server (configuration, databases and releases), and the functions that apply it.

The module `server`, the plan for a server that does not exist yet, and the program of the first boot use them.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.server import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.placeholders import check_secrets
from ansible_collections.groundwork.aws.plugins.module_utils.host import managed, mariadb
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration import planning
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.desired import (
    Server,
    parse_server,
)
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.transaction import Host, converge
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases import planning as release_planning
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.desired import Release, parse_releases
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.release_command import Once
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.serving import Releases
from ansible_collections.groundwork.aws.plugins.module_utils.host.room import require_room

Options = t.Mapping[str, t.Any]
Result = dict[str, t.Any]

PARTS = {name: ARGUMENTS[name] for name in ("configuration", "databases", "releases")}
NOTHING: Result = {"changes": [], "diff": [], "warnings": []}  # of a run that waits for the archives
LISTS = ("changes", "deprecations", "diff", "warnings")  # of a result, to which each part adds


@dataclass(frozen=True)
class Databases:
    """The desired databases of a server, and the socket of its MariaDB, or the managed server that has them."""

    desired: mariadb.Desired
    socket: str
    managed: managed.Server | None = None


@dataclass(frozen=True)
class Desired:
    """The desired state of a server. A part that is None or empty is not changed."""

    configuration: Server | None
    databases: Databases | None
    releases: tuple[Release, ...]


def parse_desired(options: Options, problems: Problems, secrets: Options | None = None) -> Desired:
    """Return the desired state of a server. Add to `problems` what is wrong.

    `secrets` are the values for the placeholders. Without them the placeholders stay, and only a plan is possible.
    """
    check_secrets(secrets or {}, problems)
    extra = {} if secrets is None else {"secrets": secrets}
    configuration = databases = None
    if options.get("configuration"):
        below = problems.scope(f"{problems.prefix}configuration.")
        configuration = parse_server({**options["configuration"], **extra}, below)
    if options.get("databases"):
        below = problems.scope(f"{problems.prefix}databases.")
        wanted = mariadb.parse_mariadb({**options["databases"], **extra}, below)
        own = options["databases"].get("server")
        elsewhere = managed.parse_server(own, extra.get("secrets"), below) if own else None
        databases = Databases(wanted, options["databases"]["socket"], elsewhere)
    releases = parse_releases({"releases": options.get("releases") or []}, problems)
    return Desired(configuration, databases, releases)


def plan_new(desired: Desired) -> Result:
    """Return what would be done on a server that does not exist yet: `changed`, `changes` and `diff`. Pure."""
    results = []
    if desired.configuration:
        plan = planning.make_plan(desired.configuration, planning.NOTHING)
        results.append(planning.report(plan, planning.NOTHING))
    if desired.databases:
        results.append(mariadb.report(_new_databases(desired.databases)))
    if desired.releases:
        results.append(release_planning.report(release_planning.make_plan(desired.releases, {}, ())))
    return {**merged(*results), "missing": [release.name for release in desired.releases]}


def _new_databases(wanted: Databases) -> list[mariadb.Statement]:
    if wanted.managed:
        return managed.plan(wanted.desired, mariadb.Observed())
    return mariadb.plan(wanted.desired, mariadb.FRESH)


def configure(host: Host, configuration: Server | None, *, check_mode: bool) -> Result:
    """Return the result of the part `configuration`, after applying it unless in check mode."""
    return converge(host, configuration, check_mode=check_mode) if configuration else {}


def set_up(host: Host, databases: Databases | None, *, check_mode: bool) -> Result:
    """Return the result of the part `databases`, after applying it unless in check mode."""
    if not databases:
        return {}
    if databases.managed:
        return managed.converge(host.run, databases.desired, databases.managed, check_mode=check_mode)
    return mariadb.converge(host.run, databases.desired, databases.socket, check_mode=check_mode)


def become(host: Host, desired: Desired, *, check_mode: bool, require_pages: bool = True, run: str = "") -> Result:
    """Put the server into the desired state, or predict the changes in check mode. Return the module's result.

    The parts are applied in order. Raise GroundworkError at the first failure, with the changes of the parts before it
    in its details. The releases are not changed while the archive of a missing one is not on the server; `missing` then
    contains the name of its site. `run` identifies the run of ansible-playbook.
    """
    warnings = require_room(host.run, host.rooms())
    results: list[Result] = [{"warnings": warnings}] if warnings else []
    try:
        results.append(configure(host, desired.configuration, check_mode=check_mode))
        results.append(set_up(host, desired.databases, check_mode=check_mode))
        if desired.releases:
            releases = Releases(host.services, once=Once(run))
            released = releases.converge(desired.releases, check_mode=check_mode, require_pages=require_pages)
            awaited = any(one.name in released["missing"] and not one.archive for one in desired.releases)
            results.append({**released, **NOTHING} if awaited and not check_mode else released)
    except GroundworkError as error:
        error.details = {**merged(*results), **error.details}
        raise
    return merged(*results)


def merged(*results: Result) -> Result:
    """Return the results of the parts as one, with their changes and differences in order."""
    whole: Result = {"changes": [], "diff": []}
    for result in results:
        joined = {name: [*whole.get(name, ()), *result[name]] for name in LISTS if name in result}
        whole.update({**result, **joined})
    return {**whole, "changed": bool(whole["changes"])}
