# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks an environment's variables on the controller: no module run, no connection, no API call."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail, AnsibleUndefinedVariable
from ansible.plugins.action import ActionBase
from ansible.vars.reserved import get_reserved_names

from ansible_collections.groundwork.aws.plugins.module_utils.errors import InputError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.preflight import check_names, conform_options
from ansible_collections.groundwork.aws.plugins.module_utils.references import check_topics

ROLES = Path(__file__).parents[2] / "roles"


class ActionModule(ActionBase):
    """All variables of the named roles, by their specs, by their topics' rules and across roles."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _VALID_ARGS = frozenset(("roles",))

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """The result: `roles` that were checked and `variables`, how many. Fails with all problems at once."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        roles: list[str] = self._task.args["roles"]
        specs = {role: self._spec(role) for role in roles}
        problems = Problems()
        known = {name for spec in specs.values() for name in spec} | self._of_all_roles()
        check_names(self._of_people(variables), known, roles, problems)
        values = self._values(specs, variables, problems)
        check_topics(self._well_shaped(specs, values, problems), problems)
        try:
            problems.raise_if_any()
        except InputError as error:
            raise AnsibleActionFail(str(error), result={**result, **error.details}) from error
        return {**result, "changed": False, "roles": roles, "variables": sum(len(spec) for spec in specs.values())}

    def _well_shaped(
        self, specs: t.Mapping[str, t.Any], values: t.Mapping[str, t.Any], problems: Problems
    ) -> dict[str, dict[str, t.Any]]:
        """The variables of each role that have their spec's shape; a topic's own rules need that."""
        shaped: dict[str, dict[str, t.Any]] = {}
        for role, spec in specs.items():
            before = len(problems.found)
            options = conform_options(spec, {name: values[name] for name in spec if name in values}, "", problems)
            if len(problems.found) == before:
                shaped[role] = options
        return shaped

    def _of_people(self, variables: t.Iterable[str]) -> set[str]:
        """The names that people gave: without Ansible's own, and without what roles keep to themselves (`__…`)."""
        reserved = get_reserved_names()
        return {name for name in variables if name not in reserved and not name.startswith(("ansible_", "__"))}

    def _values(
        self, specs: t.Mapping[str, t.Any], variables: t.Mapping[str, t.Any], problems: Problems
    ) -> dict[str, t.Any]:
        """Every variable of the specs that has a value by now, templated, the roles' defaults included."""
        defaults: dict[str, t.Any] = {}
        for role in specs:
            defaults.update(self._load(ROLES / role / "defaults" / "main.yml"))
        templar = self._templar.copy_with_new_env(available_variables={**defaults, **variables})
        values: dict[str, t.Any] = {}
        for name in {name for spec in specs.values() for name in spec}:
            given = variables.get(name, defaults.get(name))
            try:
                values[name] = templar.template(given)
            except AnsibleUndefinedVariable as error:
                if name in variables:  # a default may rest on what is known later only
                    problems.add(name, str(error), "define what it refers to")
        return values

    def _spec(self, role: str) -> dict[str, t.Any]:
        path = ROLES / role / "meta" / "argument_specs.yml"
        if not path.exists():
            known = ", ".join(sorted(p.parents[1].name for p in ROLES.glob("*/meta/argument_specs.yml")))
            raise AnsibleActionFail(f"roles: there is no role {role!r}; the roles are {known}.")
        spec: dict[str, t.Any] = self._load(path)["argument_specs"]["main"]["options"]
        return spec

    def _of_all_roles(self) -> set[str]:
        return {name for path in ROLES.glob("*/meta/argument_specs.yml") for name in self._spec(path.parents[1].name)}

    def _load(self, path: Path) -> dict[str, t.Any]:
        if not path.exists():
            return {}
        loaded: dict[str, t.Any] = self._loader.load_from_file(str(path), trusted_as_template=True) or {}
        return loaded
