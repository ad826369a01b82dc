# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Computes options of modules, and reports, for the role `servers`."""

from __future__ import annotations

DOCUMENTATION = r"""
---
name: servers
short_description: Compute options of modules, and reports, for the role servers
description:
  - Used by the role servers alone, and private to this collection.
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
positional: part
options:
  _input:
    description:
      - The arguments of the function C(part) of the module utilities project.tiers, project.reports, project.status
        or project.backup.telling, by their names. Those of V(merged_logs) are in host.looking.logs.
    type: dict
    required: true
  part:
    description: The part to compute.
    type: str
    choices:
      - balancer_probes
      - counted_names
      - counted_roles
      - drill_lines
      - group_roles
      - groups
      - merged_logs
      - replacement_report
      - restore_lines
      - status
      - successors
      - with_profiles
    required: true
"""

EXAMPLES = r"""
- name: Show the names of the servers of the tier web
  ansible.builtin.debug:
    msg: "{{ {'tiers': servers_tiers, 'wanted': ['web']} | groundwork.aws.servers('counted_names') }}"
"""

RETURN = r"""
_value:
  description: The part.
  type: raw
"""

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.host.looking import logs
from ansible_collections.groundwork.aws.plugins.module_utils.project import reports, status, tiers
from ansible_collections.groundwork.aws.plugins.module_utils.project.backup import telling

PARTS: dict[str, t.Callable[..., t.Any]] = {
    "balancer_probes": tiers.balancer_probes,
    "counted_names": tiers.counted_names,
    "counted_roles": tiers.counted_roles,
    "drill_lines": telling.drill_lines,
    "group_roles": tiers.group_roles,
    "groups": tiers.groups,
    "merged_logs": logs.merged,
    "replacement_report": reports.replacement_report,
    "restore_lines": telling.restore_lines,
    "status": status.status,
    "successors": tiers.successors,
    "with_profiles": tiers.with_profiles,
}


class FilterModule:
    """The filter `servers`."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters of this file by their names."""
        return {"servers": servers}


def servers(given: t.Mapping[str, t.Any], part: str) -> t.Any:
    """Return a part, computed from its arguments."""
    return PARTS[part](**given)
