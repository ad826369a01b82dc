# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Computes the desired state of a server for the role `lamp`, with the role's templates for its files."""

from __future__ import annotations

DOCUMENTATION = r"""
---
name: lamp
short_description: Compute a part of the desired state of a LAMP server
description:
  - Used by the role lamp alone, and private to this collection.
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
positional: part
options:
  _input:
    description: The role's variables, by their names without C(lamp_).
    type: dict
    required: true
  part:
    description: The part to compute.
    type: str
    choices:
      - backed_up
      - configuration
      - databases
      - generated_secrets
      - given_passwords
      - hosts
      - image_configuration
      - kept_secrets
      - logs
      - notes
      - outdated_records
      - released
      - releases
      - rotated
      - site_names
      - sources
      - stays
      - watched
    required: true
"""

EXAMPLES = r"""
- name: Show the databases of a server
  ansible.builtin.debug:
    msg: "{{ __lamp_variables | groundwork.aws.lamp('databases') }}"
"""

RETURN = r"""
_value:
  description: The part.
  type: raw
"""

import json
import typing as t
from functools import cache, partial
from pathlib import Path

import yaml
from ansible.errors import AnsibleFilterError
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.schema import conform_options
from ansible_collections.groundwork.aws.plugins.module_utils.project.lamp import backup, desired, looking
from ansible_collections.groundwork.aws.plugins.module_utils.project.lamp.options import parse_lamp

ROLE = Path(__file__).parents[2] / "roles" / "lamp"
RENDERED: dict[str, t.Callable[..., t.Any]] = {
    "configuration": desired.configuration,
    "image_configuration": desired.image_configuration,
    "outdated_records": desired.outdated_records,
    "released": desired.released,
    "releases": desired.releases,
}
PARTS: dict[str, t.Callable[[desired.Lamp], t.Any]] = {
    "backed_up": backup.backed_up,
    "databases": desired.databases,
    "generated_secrets": backup.generated_secrets,
    "given_passwords": desired.given_passwords,
    "hosts": desired.hosts,
    "kept_secrets": desired.kept_secrets,
    "logs": looking.logs,
    "notes": desired.notes,
    "rotated": desired.rotated,
    "site_names": looking.site_names,
    "sources": desired.sources,
    "stays": desired.stays,
    "watched": looking.watched,
}


class FilterModule:
    """The filter `lamp`."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters of this file by their names."""
        return {"lamp": lamp}


def lamp(variables: t.Mapping[str, t.Any], part: str) -> t.Any:
    """Return a part of the desired state of the server that the variables are of."""
    given = desired.lamp_of(typed(variables))
    return RENDERED[part](given, render) if part in RENDERED else PARTS[part](given)


def typed(variables: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the variables converted to the types of the role's argument spec.

    The preflight has checked them, but not for a server that the run has launched itself. Raise AnsibleFilterError with
    all problems.
    """
    problems = Problems("lamp_")
    options = {name: option for name, option in _options().items() if name in variables}
    conformed = conform_options(options, {name: variables[name] for name in options}, "", problems)
    if not problems.found:
        parse_lamp(conformed, problems)
    if problems.found:
        raise AnsibleFilterError("\n".join(map(str, problems.found)))
    return {**variables, **conformed}


@cache
def _options() -> dict[str, t.Any]:
    specs = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text())["argument_specs"]
    return {name.removeprefix("lamp_"): option for name, option in specs["main"]["options"].items()}


def render(template: str, variables: t.Mapping[str, t.Any]) -> str:
    """Return the text of a template of the role, rendered as `ansible.builtin.template` does."""
    return _environment().get_template(template).render(variables)


@cache
def _environment() -> Environment:
    # The files are of Apache, PHP and MariaDB: HTML's quoting would break them.
    environment = Environment(  # noqa: S701
        loader=FileSystemLoader(ROLE / "templates"),
        trim_blocks=True,
        keep_trailing_newline=True,
        undefined=StrictUndefined,
    )
    environment.filters["to_json"] = partial(json.dumps, ensure_ascii=False)
    return environment
