# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Computes the options of the distribution for the role `static_site`."""

from __future__ import annotations

DOCUMENTATION = r"""
---
name: static_site
short_description: Compute the options of the distribution of a static site
description:
  - Used by the role static_site alone, and private to this collection.
version_added: 0.2.0
author:
  - The groundwork.aws developers (@groundwork)
options:
  _input:
    description: The role's variables, by their names without C(static_site_).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Show the origins of the distribution
  ansible.builtin.debug:
    msg: "{{ (__static_site_variables | groundwork.aws.static_site).origins }}"
"""

RETURN = r"""
_value:
  description: Options of M(groundwork.aws.cloudfront_distribution).
  type: dict
"""

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.project.static_site.options import distribution


class FilterModule:
    """The filter `static_site`."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters of this file by their names."""
        return {"static_site": distribution}
