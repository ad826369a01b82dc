# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan the release of an application to servers from their state, without connections and without running a module."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import InputError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.topics.rollout import planning as rollout
from ansible_collections.groundwork.aws.plugins.plugin_utils.journal import note

Options = dict[str, t.Any]


class ActionModule(ActionBase):
    """The planner of a release, from the state of all servers."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _VALID_ARGS = frozenset(
        (
            *("servers", "releases", "canary", "batch", "tiers"),
            *("groups", "urls", "names", "hosts", "probe_paths"),
        )
    )

    def run(self, tmp: str | None = None, task_vars: Options | None = None) -> Options:
        """Return `batches`, `servers` and `lines`, and in check mode the changes too."""
        result: Options = super().run(tmp, task_vars)
        wish, servers = _wish(self._task.args), [_server(one) for one in self._task.args["servers"]]
        problems = Problems()
        rollout.check(servers, wish, problems)
        try:
            problems.raise_if_any()
        except InputError as error:
            raise AnsibleActionFail(str(error), result={**result, **error.details}) from error
        planned = rollout.report(servers, wish)
        changes, diff = planned.pop("changes"), planned.pop("diff")
        if not self._task.check_mode:
            return {**result, "changed": False, **planned}
        note(self._task, {"changes": changes})
        return {**result, "changed": bool(changes), "changes": changes, "diff": diff, **planned}


def _wish(arguments: Options) -> rollout.Wish:
    return rollout.Wish(
        releases=tuple(arguments["releases"]),
        canary=int(arguments["canary"]),
        batch=str(arguments["batch"]),
        tiers=arguments["tiers"],
        groups=arguments["groups"],
        urls=arguments["urls"],
        names=arguments.get("names") or {},
        hosts=arguments["hosts"],
        probe_paths=tuple(arguments["probe_paths"]),
    )


def _server(given: Options) -> rollout.Server:
    sites = {
        name: rollout.Has(has["current"], tuple(has["kept"]), tuple(has.get("command") or ()))
        for name, has in given["sites"].items()
    }
    return rollout.Server(given["name"], given["tier"], sites, bool(given["serving"]))
