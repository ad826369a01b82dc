# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check an environment's variables on the controller, without running modules, connections and API calls."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase
from ansible.vars.reserved import get_reserved_names

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import InputError, Problem, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.schema import check_names
from ansible_collections.groundwork.aws.plugins.module_utils.project.references import topics_needed
from ansible_collections.groundwork.aws.plugins.module_utils.project.usage import Usage, usage
from ansible_collections.groundwork.aws.plugins.module_utils.project.variables import (
    Specs,
    Variable,
    check_variables,
    names_in,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.inventory import mismatches, read_sources

ROLES = Path(__file__).parents[2] / "roles"
PLAYBOOKS = Path(__file__).parents[2] / "playbooks"

Values = t.Mapping[str, t.Any]

NO_INVENTORY = (
    "environment_name: is not defined, because the inventory of an environment was not read (the inventory is "
    "{sources}); run ansible-playbook with -i inventories/<environment>, a folder like inventories/local."
)


class ActionModule(ActionBase):
    """The check of all variables that a playbook uses: types, each topic's rules, and references across roles."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _VALID_ARGS = frozenset(("roles",))

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Return the checked `roles` and the number of their `variables`. Fail with all problems at once."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        if "environment_name" not in (task_vars or {}):
            sources = ", ".join((task_vars or {}).get("ansible_inventory_sources") or []) or "empty"
            raise AnsibleActionFail(NO_INVENTORY.format(sources=sources), result=result)
        used = self._usage(self._task.args.get("roles") or [])
        roles = sorted(path.parents[1] for path in ROLES.glob("*/meta/argument_specs.yml"))
        specs = {role.name: self._spec(role) for role in roles}
        problems = Problems()
        for host, variables in self._contexts(task_vars or {}, {name for own in specs.values() for name in own}):
            for problem in self._check(used, specs, variables):
                wrong = f"{problem.wrong} (on {host})" if host else problem.wrong
                if problem not in problems.found:
                    problems.add(problem.variable, wrong, problem.right)
        if "servers" in used.roles:
            self._check_inventory(task_vars or {}, problems)
        try:
            problems.raise_if_any()
        except InputError as error:
            raise AnsibleActionFail(str(error), result={**result, **error.details}) from error
        count = sum(len(specs[role]) for role in used.roles)
        return {**result, "changed": False, "roles": sorted(used.roles), "variables": count}

    def _check_inventory(self, given: Values, problems: Problems) -> None:
        """Add to `problems` inventory files of another environment or region than the variables."""
        try:
            environment, region = (
                str(self._templar.template(given[name])) for name in ("environment_name", "aws_region")
            )
        except (AnsibleError, KeyError):
            return  # the check of the variables tells it
        for problem in mismatches(environment, region, read_sources(given.get("ansible_inventory_sources") or ())):
            problems.add(*problem)

    def _usage(self, more: t.Sequence[str]) -> Usage:
        """Return what the file of this task uses, including the roles `more`."""
        unknown = [role for role in more if not (ROLES / role / "meta" / "argument_specs.yml").is_file()]
        if unknown:
            known = ", ".join(sorted(path.name for path in ROLES.iterdir()))
            raise AnsibleActionFail(f"roles: {unknown[0]!r} is not a role of the collection; use some of {known}.")
        return usage(Path(self._task.get_path().rpartition(":")[0]), ROLES, more)

    def _contexts(self, own: Values, names: t.Collection[str]) -> t.Iterator[tuple[str, Values]]:
        """Yield the variables of this host, under "", and of each host of the play with other values for `names`."""
        yield "", own
        seen = [{name: own[name] for name in names if name in own}]
        for host in own.get("ansible_play_hosts_all", ()):
            others = own["hostvars"].raw_get(host) if host != own["inventory_hostname"] else own
            values = {name: others[name] for name in names if name in others}
            if values not in seen:
                seen.append(values)
                yield host, {**others, "hostvars": own["hostvars"]}

    def _check(self, used: Usage, specs: Specs, given: Values) -> list[Problem]:
        """Return the problems of one host's variables."""
        problems = Problems()
        every = {name: spec for own in specs.values() for name, spec in own.items()}
        check_names(self._of_people(given), every, used.roles, problems)
        if problems.found:  # variables registered by playbooks that ran before in the same process
            words = usage(PLAYBOOKS / "site.yml", ROLES, specs).words
            problems = Problems(found=[one for one in problems.found if one.variable not in words])
        others = {name: spec for name, spec in every.items() if name in used.words}
        needed = {**{role: specs[role] for role in topics_needed(used.roles)}, "": others}
        check_variables(needed, self._variables(needed, given), used.roles, others, problems)
        return problems.found

    def _of_people(self, variables: t.Iterable[str]) -> set[str]:
        """Return the names that the user set, without those of Ansible, of the inventory plugin, and inside roles."""
        internal = ("ansible_", "ec2_", "__")  # ec2_ is the hostvars_prefix of inventories/*/aws_ec2.yml
        reserved = get_reserved_names()
        return {name for name in variables if name not in reserved and not name.startswith(internal)}

    def _variables(self, specs: Specs, given: Values) -> dict[str, Variable]:
        """Return the templated values of all variables of the specs that have a value or a default."""
        defaults: dict[str, t.Any] = {}
        for role in filter(None, specs):
            defaults.update(self._load(ROLES / role / "defaults" / "main.yml"))
        values = {**defaults, **given}
        templar = self._templar.copy_with_new_env(available_variables=values)
        names = {name for own in specs.values() for name in own}
        found = {}
        for name in sorted(names & values.keys()):
            by_people = name in given and given[name] != defaults.get(name)
            try:
                mentioned = names_in(values[name], names)
                value, error = templar.template(values[name]), ""
            except AnsibleError as failure:
                value, error = None, str(failure)
            except RecursionError:  # by an anchor in a file; a circular expression is Ansible's own error
                mentioned, value, error = frozenset(), None, "the value contains itself"
            found[name] = Variable(value, error, given=by_people, names=mentioned)
        return found

    def _spec(self, role: Path) -> dict[str, t.Any]:
        """Return the argument spec of a role with all defaults, also those with expressions."""
        spec = self._load(role / "meta" / "argument_specs.yml")["argument_specs"]["main"]["options"]
        defaults = self._load(role / "defaults" / "main.yml")
        return {name: {**one, "default": defaults[name]} if name in defaults else one for name, one in spec.items()}

    def _load(self, path: Path) -> dict[str, t.Any]:
        if not path.exists():
            return {}
        loaded: dict[str, t.Any] = self._loader.load_from_file(str(path), trusted_as_template=True) or {}
        return loaded
