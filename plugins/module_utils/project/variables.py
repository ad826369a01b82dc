# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check all variables of an inventory that are in use, and report each problem once, where it begins.

Each check gets only values that passed the previous one: a topic's rules get values of the right type, and the rules of
other topics get topics without problems.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problem, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import WORD
from ansible_collections.groundwork.aws.plugins.module_utils.engine.schema import Spec, conform, remedy
from ansible_collections.groundwork.aws.plugins.module_utils.project.references import check_topics

ROOT = re.compile(r"\w*")


@dataclass(frozen=True)
class Variable:
    """A variable's value, or the `error` of its template. `names` are the variables in the template.

    `given` is true if the inventory sets it, and false for a role's default.
    """

    value: t.Any = None
    error: str = ""
    given: bool = True
    names: frozenset[str] = frozenset()


Variables = t.Mapping[str, Variable]
Specs = t.Mapping[str, t.Mapping[str, Spec]]


def names_in(value: t.Any, known: t.Collection[str]) -> frozenset[str]:
    """Return the known variables in the templates of a value, at any depth."""
    if isinstance(value, str):
        return frozenset(WORD.findall(value)).intersection(known) if "{" in value else frozenset()
    parts = value.values() if isinstance(value, t.Mapping) else value if isinstance(value, (list, tuple)) else ()
    return frozenset(name for part in parts for name in names_in(part, known))


def followed(name: str, variables: Variables) -> frozenset[str]:
    """Return the variables that a variable's value depends on, directly or not.

    The result contains the variable itself only if the dependency is circular.
    """
    found: set[str] = set()
    new = set(variables[name].names) if name in variables else set()
    while new:
        found |= new
        new = {other for one in new if one in variables for other in variables[one].names} - found
    return frozenset(found)


def check_variables(
    specs: Specs, variables: Variables, roles: t.Collection[str], used: t.Collection[str], problems: Problems
) -> None:
    """Check an inventory's variables.

    `specs` are those of the roles and of all roles to which their rules refer, by role. `variables` are those with a
    value, a default or an error. `roles` are in use: their required variables must be set. Problems are reported only
    of these roles' variables and of the variables `used`.
    """
    found = Problems()
    required = {name for role in roles for name in specs[role]}
    every = {name: spec for own in specs.values() for name, spec in own.items()}
    conformed = {name: _conform(name, spec, variables.get(name), required, found) for name, spec in every.items()}
    unsound = _roots(found)
    topics = {role: own for role, own in specs.items() if unsound.isdisjoint(own) and _complete(own, conformed)}
    check_topics({role: {name: conformed[name] for name in own} for role, own in topics.items()}, found)
    in_use = {*used, *required}
    in_use |= {other for name in in_use for other in followed(name, variables)}
    for problem in found.found:
        if root(problem) in in_use and not _follows(problem, variables, _roots(found)):
            traced = _traced(problem, variables)
            problems.add(traced.variable, traced.wrong, traced.right)


def root(problem: Problem) -> str:
    """Return the name of the variable with the problem."""
    match = ROOT.match(problem.variable)
    return match[0] if match else ""


def _roots(problems: Problems) -> set[str]:
    return {root(problem) for problem in problems.found}


def _complete(spec: t.Mapping[str, Spec], conformed: t.Mapping[str, t.Any]) -> bool:
    return all(conformed[name] is not None for name, one in spec.items() if one.get("required"))


def _conform(
    name: str, spec: Spec, variable: Variable | None, required: t.Collection[str], problems: Problems
) -> t.Any:
    """Return a variable's value converted to its spec's type, or None if it has no value."""
    if variable is None:
        if spec.get("required") and name in required:
            problems.add(name, "is missing", remedy(spec))
        return None
    if variable.error:
        if spec.get("no_log"):  # the error quotes the value
            problems.add(name, "the template of the value fails", "mark text that contains {{ or {% as !unsafe")
        else:
            problems.add(name, variable.error, "correct the expression, or define the variables in it")
        return None
    if variable.value is None and not (spec.get("required") or "default" in spec):
        return None
    return conform(spec, variable.value, name, problems)


def _follows(problem: Problem, variables: Variables, wrong: t.Collection[str]) -> bool:
    """Return whether the problem is caused by another variable with a problem, on which the value depends."""
    name = root(problem)
    causes = followed(name, variables)
    own = variables.get(name, Variable())
    return name not in causes and not causes.isdisjoint(wrong) and (bool(own.error) or not own.given)


def _derived(variable: Variable) -> bool:
    """Return whether a variable has a default that depends on other variables."""
    return bool(variable.names) and not variable.given


def _traced(problem: Problem, variables: Variables) -> Problem:
    """Return the problem, with the variables on which the value depends if it is a role's default."""
    name = root(problem)
    if name not in variables or variables[name].given:
        return problem
    causes = sorted(one for one in followed(name, variables) if not _derived(variables.get(one, Variable())))
    if not causes:
        return problem
    return Problem(problem.variable, f"{problem.wrong} (the value depends on {', '.join(causes)})", problem.right)
