# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The work of the module `ec2_server_resize`: announce other instance types, or change servers one after the other."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Change
from ansible_collections.groundwork.aws.plugins.module_utils.engine.quotas import check_uses, read_limits
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.launching import launch_reads
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.observed import (
    Server,
    instances_read,
    split_instances,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.resizing import (
    Resizes,
    check,
    leaving,
    lines,
    parse_resizes,
    resize,
    starts,
    uses_of,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.restarting import (
    is_up,
    listing,
    look_again,
    restarted,
    target_groups_of,
    target_groups_read,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.run import COMPONENT


def converge_resize(run: Run) -> dict[str, t.Any]:
    """Make the changes of types or only report them, and return the result. Raise GroundworkError on failure."""
    owner, desired = run.parse(COMPONENT, parse_resizes)
    answers = observe(run.clients, {"instances": instances_read(owner), "groups": target_groups_read()})
    servers, _gone = split_instances(answers["instances"])
    resized = leaving(desired, servers)
    try:
        _check(run, desired, servers)
    except GroundworkError as error:
        error.details["as_before"] = bool(resized) and all(map(is_up, resized))
        raise
    if desired.state == "planned":
        result = run.make([], {})
    elif run.check_mode:
        result = run.make([change for one in resized for change in _plan(desired, one, one)], {})
    else:
        result = _all([_resize(run, owner, desired, server) for server in resized])
    return {
        **result,
        "servers": listing(resized),
        "lines": lines(desired, servers),
        "target_groups": target_groups_of(owner, answers["groups"]),
    }


def _check(run: Run, desired: Resizes, servers: t.Mapping[str, Server]) -> None:
    """Raise InputError with everything that EC2 would refuse. It is read only if a server is to be started."""
    resized = leaving(desired, servers)
    answers: dict[str, list[t.Any]] = {"region": []}
    problems = Problems()
    if resized:
        states = {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}
        read = {
            **launch_reads(starts(desired, resized, {})),
            "reservations": Read("ec2", "describe_instances", "Reservations", {"Filters": [states]}),
        }
        answers = observe(run.clients, read)
        answers["region"] = [one for reservation in answers["reservations"] for one in reservation["Instances"]]
        uses = [use for use in uses_of(desired, servers, answers) if use.added > 0]
        check_uses(uses, read_limits(run.clients, [use.quota for use in uses]), problems)
    check(desired, servers, answers, problems, check_mode=run.check_mode)
    for warning in problems.warnings:
        run.warn(warning)
    problems.raise_if_any()


def _plan(desired: Resizes, server: Server, now: Server) -> list[Change]:
    return resize(now, desired.tiers[server.tier].instance_type, running=is_up(now))


def _resize(run: Run, owner: Owner, desired: Resizes, server: Server) -> dict[str, t.Any]:
    """Make the changes of one server. If EC2 refuses them, start it with its former type, and raise GroundworkError.

    The error's detail `as_before` is whether the server runs with its former type.
    """
    try:
        return restarted(run, owner, server, lambda now: _plan(desired, server, now), desired.deadline)
    except GroundworkError as error:
        if not error.details.get("error_code"):
            raise
        now = look_again(run, owner, server)
        error.details["as_before"] = is_up(now) and now.instance_type == server.instance_type
        if is_up(now):
            raise
        try:
            restarted(run, owner, now, lambda one: resize(one, server.instance_type, running=False), desired.deadline)
        except GroundworkError as other:
            raise GroundworkError(
                f"{error} {server.name} ({server.id}) is stopped, and could not be started as "
                f"{server.instance_type} either: {other} Run again, or run groundwork.aws.site, which starts it.",
                **error.details,
            ) from error
        raise GroundworkError(
            f"{error} {server.name} ({server.id}) was started again as {server.instance_type}. Choose another "
            "instance type, or run again later.",
            **{**error.details, "as_before": True},
        ) from error


def _all(results: t.Sequence[t.Mapping[str, t.Any]]) -> dict[str, t.Any]:
    return {
        "changed": any(one["changed"] for one in results),
        "changes": [change for one in results for change in one["changes"]],
        "diff": [entry for one in results for entry in one["diff"]],
    }
