# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module `server` and uploads the releases that the server lacks, or plans a server that does not exist."""

from __future__ import annotations

import shlex
import typing as t
from pathlib import Path

from ansible import constants
from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.plugins.action import ActionBase

from ansible_collections.groundwork.aws.plugins.action.in_controller import require_lock
from ansible_collections.groundwork.aws.plugins.module_utils.arguments.server import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import InputError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import Done
from ansible_collections.groundwork.aws.plugins.module_utils.host.room import (
    DF,
    FOLDERS,
    NO_SPACE,
    largest,
    parse_df,
    remedy,
    shortage,
)
from ansible_collections.groundwork.aws.plugins.module_utils.host.server import (
    merged,
    parse_desired,
    plan_new,
)
from ansible_collections.groundwork.aws.plugins.plugin_utils.journal import note

MODULE = "groundwork.aws.server"
OWN = ("planned", "notes")  # the options of the action, which the module does not need
Options = dict[str, t.Any]


class ActionModule(ActionBase):
    """One module run when the server has all releases; a second one with their archives when it has not."""

    TRANSFERS_FILES = False  # no folder on the server is needed until a release is missing
    _VALID_ARGS = frozenset(ARGUMENTS)

    def run(self, tmp: str | None = None, task_vars: Options | None = None) -> Options:
        """Return the result of the module, or of the plan."""
        result: Options = super().run(tmp, task_vars)
        arguments = {name: value for name, value in self._task.args.items() if value is not None}
        arguments.setdefault("run", Path(constants.DEFAULT_LOCAL_TMP).name)  # of this ansible-playbook alone
        own = _valid({name: ARGUMENTS[name] for name in OWN}, arguments)
        answer = _planned(arguments) if own["planned"] else self._convergence(arguments, own["notes"], task_vars)
        note(self._task, answer, (task_vars or {})["inventory_hostname"])
        served = {one["name"]: one["id"] for one in arguments.get("releases") or ()}
        return {**result, **_noted(answer, own["notes"]), **({"served": served} if served else {})}

    def _convergence(self, arguments: Options, notes: t.Sequence[str], task_vars: Options | None) -> Options:
        """Return the result of the module. A failure ends with the notes."""
        try:
            answer = self._converge({name: value for name, value in arguments.items() if name not in OWN}, task_vars)
        except AnsibleActionFail as error:
            raise AnsibleActionFail("\n".join([str(error), *notes]), result=error.result) from error
        self._remove_tmp_path(self._connection._shell.tmpdir)
        return answer

    def _converge(self, arguments: Options, task_vars: Options | None) -> Options:
        releases: list[Options] = [
            {**item, "mend": item.get("mend", True) and _is_packed(item)} for item in arguments.get("releases") or ()
        ]
        answer = self._ask({**arguments, "releases": [{**item, "archive": None} for item in releases]}, task_vars)
        missing = answer.get("missing") or []
        if not missing or answer.get("failed") or self._task.check_mode:
            return answer
        # The other parts are applied already.
        rest = {name: value for name, value in arguments.items() if name not in ("configuration", "databases")}
        uploaded = [self._uploaded(item, missing, answer) for item in releases]
        released = self._ask({**rest, "releases": uploaded}, task_vars)
        return {**merged(answer, released), "missing": missing}

    def _ask(self, arguments: Options, task_vars: Options | None) -> Options:
        require_lock()
        answer: Options = self._execute_module(
            module_name=MODULE, module_args=arguments, task_vars=task_vars, wrap_async=False
        )
        if answer.get("failed") and NO_SPACE in str(answer):
            raise AnsibleActionFail(f"{answer.get('msg', MODULE)}\n{self._full()}", result=answer)
        return answer

    def _full(self) -> str:
        """Return what is known about the server's full file systems. No file is written on the server for that."""
        found = parse_df(self._run([*DF, *FOLDERS]).out)
        full = [room for room in found if shortage(room)] or sorted(found, key=lambda room: room.free)[:1]
        told = [f"{room.mount} is full.{largest(self._run, room.mount)} {remedy(room)}." for room in full]
        return " ".join(["A file system of this server is full.", *told, "Then run again to continue."])

    def _run(self, argv: t.Sequence[str], /, *, stdin: str = "") -> Done:
        done = self._low_level_execute_command(shlex.join(argv), in_data=stdin or None)
        return Done(done["rc"], done["stdout"], done["stderr"])

    def _uploaded(self, item: Options, missing: t.Collection[str], answer: Options) -> Options:
        """Return a release with the path of its archive on the server, if it is missing there."""
        if item["name"] not in missing:
            return {**item, "archive": None}
        archive = _archive(item)
        if not _is_packed(item):
            wrong = f"The release {item['id']} of {item['name']} is neither on this server nor packed on the controller"
            raise AnsibleActionFail(f"{wrong}. Pack it with release_archives, or use another release.", result=answer)
        folder = self._connection._shell.tmpdir or self._make_tmp_path()
        for room in parse_df(self._run([*DF, folder]).out):
            if wrong := shortage(room, archive.stat().st_size):
                told = f"{wrong}{largest(self._run, room.mount)} {remedy(room)}; then run again."
                raise AnsibleActionFail(told, result=answer)
        remote = self._connection._shell.join_path(folder, archive.name)
        self._transfer_file(str(archive), remote)
        return {**item, "archive": remote}


def _noted(answer: Options, notes: t.Sequence[str]) -> Options:
    """Return a result with the notes as warnings, before its own."""
    warnings = [*notes, *answer.get("warnings", ())]
    return {**answer, "warnings": warnings} if warnings else answer


def _archive(item: Options) -> Path:
    return Path(str(item.get("archive") or "")).expanduser()


def _is_packed(item: Options) -> bool:
    """Return whether the archive of a release is on the controller."""
    return _archive(item).is_file()


def _planned(arguments: Options) -> Options:
    problems = Problems()
    desired = parse_desired(_valid(ARGUMENTS, arguments), problems)
    try:
        problems.raise_if_any()
    except InputError as error:
        raise AnsibleActionFail(str(error)) from error
    return plan_new(desired)


def _valid(spec: t.Mapping[str, Options], given: Options) -> Options:
    """Return the options as a module would get them."""
    validated = ArgumentSpecValidator(spec).validate({name: given[name] for name in given if name in spec})
    if validated.error_messages:
        raise AnsibleActionFail("; ".join(validated.error_messages))
    parameters: Options = validated.validated_parameters
    return parameters
