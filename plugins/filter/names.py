# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Computes certificates, listeners and records for the roles `dns`, `alb` and `static_site`."""

from __future__ import annotations

DOCUMENTATION = r"""
---
name: names
short_description: Compute what follows from the names of a site
description:
  - Used by the roles dns, alb and static_site alone, and private to this collection.
version_added: 0.2.0
author:
  - The groundwork.aws developers (@groundwork)
options:
  _input:
    description: Variables of these roles, and what modules returned.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show the certificates
  ansible.builtin.debug:
    msg: "{{ ({'zone': dns_zone, 'site': __dns_site} | groundwork.aws.names).certificates }}"
"""

RETURN = r"""
_value:
  description: Options of M(groundwork.aws.acm_certificates), M(groundwork.aws.route53_records) and other modules.
  type: dict
"""

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.project.dns.options import dns


class FilterModule:
    """The filter `names`."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters of this file by their names."""
        return {"names": dns}
