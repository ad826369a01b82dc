# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The shared documentation of all modules: the options of `arguments.COMMON_ARGUMENTS`, and the attributes."""

from __future__ import annotations


class ModuleDocFragment:
    """The fragments `groundwork.aws.common` and `groundwork.aws.common.attributes`."""

    DOCUMENTATION = r"""
options:
  environment_name:
    description:
      - The environment that the resources belong to.
      - Lower case letters, digits and hyphens, at most 16 characters, beginning with a letter, so that
        C(<environment>-<name>) is a valid name for every resource.
      - The resources are found and owned by their tags C(groundwork:environment) and C(groundwork:component).
        The module changes no other resources.
    type: str
    required: true
  tags:
    description:
      - Tags for all resources that the module creates, besides C(Name) and the tags that begin with C(groundwork:).
      - Tags are added and updated, but never removed. Other tags of a resource stay.
    type: dict
    default: {}
requirements:
  - python >= 3.11
  - boto3 >= 1.40.0
  - botocore >= 1.40.0
notes:
  - Check mode shows exactly the changes that a run makes, also on an empty account. Values that are not known yet are
    shown as C((known after apply)).
  - All problems of the input are reported at once, before the first change.
  - To complete an interrupted run, run the module again.
"""

    ATTRIBUTES = r"""
options: {}
attributes:
  check_mode:
    description: Reports the planned changes without making them.
    support: full
  diff_mode:
    description: Shows each change with the state before and after it.
    support: full
  idempotent:
    description: A second run with the same options changes nothing.
    support: full
"""
