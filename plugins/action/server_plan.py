# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tells what would be configured on a server that does not exist yet: no connection, no module run."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import InputError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.host import mariadb
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration import desired, planning
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases import serving

Options = dict[str, t.Any]


class ActionModule(ActionBase):
    """The planners of the real modules, over a server on which nothing is."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _VALID_ARGS = frozenset(("configuration", "databases", "releases"))

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> Options:
        """`changed`, `changes` and `diff` of all three."""
        result: Options = super().run(tmp, task_vars)
        problems = Problems()
        told = self._told(problems)
        try:
            problems.raise_if_any()
        except InputError as error:
            raise AnsibleActionFail(str(error)) from error
        changes = [change for one in told for change in one["changes"]]
        diff = [part for one in told for part in one["diff"]]
        return {**result, "changed": bool(changes), "changes": changes, "diff": diff}

    def _told(self, problems: Problems) -> list[Options]:
        arguments = self._task.args
        server = desired.parse_server(_valid(desired.SERVER_ARGUMENTS, arguments["configuration"]), problems)
        plan = planning.make_plan(server, planning.NOTHING)
        told = [planning.report(plan, planning.NOTHING)]
        if arguments.get("databases"):
            databases = mariadb.parse_mariadb(_valid(mariadb.MARIADB_ARGUMENTS, arguments["databases"]), problems)
            told.append(mariadb.report(mariadb.plan(databases, mariadb.FRESH)))
        if arguments.get("releases"):
            options = _valid(serving.RELEASE_ARGUMENTS, {"releases": arguments["releases"]})
            releases = serving.parse_releases(options, problems)
            told.append(serving.report(serving.make_plan(releases, {}, ())))
        return told


def _valid(spec: t.Mapping[str, Options], given: Options) -> Options:
    """What a module would make of these options."""
    validated = ArgumentSpecValidator(spec).validate(given)
    if validated.error_messages:
        raise AnsibleActionFail("; ".join(validated.error_messages))
    parameters: Options = validated.validated_parameters
    return parameters
