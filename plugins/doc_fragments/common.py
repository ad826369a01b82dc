# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What every module's documentation shares: the options of `arguments.COMMON_ARGUMENTS`, attributes, return values."""

from __future__ import annotations


class ModuleDocFragment:
    """Used as `groundwork.aws.common` and `groundwork.aws.common.attributes`."""

    DOCUMENTATION = r"""
options:
  environment_name:
    description:
      - The environment that the resources belong to.
      - Lower case letters, digits and hyphens, at most 16 characters, beginning with a letter, so that
        C(<environment>-<name>) is a valid name for every resource.
      - The resources are found and owned by their tags C(groundwork:environment) and C(groundwork:component).
        Nothing else is looked at or changed.
    type: str
    required: true
  tags:
    description:
      - Tags for everything that the module makes, besides its own (C(Name) and those that begin with C(groundwork:)).
      - Tags are added and updated, never removed. Tags that others put on a resource stay.
    type: dict
    default: {}
requirements:
  - python >= 3.11
  - boto3 >= 1.40.0
  - botocore >= 1.40.0
notes:
  - The plan is the run. Check mode shows exactly the changes that a run makes, on an empty account too;
    what is not known yet is shown as C((known after apply)).
  - All problems of the input are reported at once, before anything is changed.
  - A run that was stopped at any point is completed by running again.
"""

    ATTRIBUTES = r"""
options: {}
attributes:
  check_mode:
    description: Reports what would be changed without changing it.
    support: full
  diff_mode:
    description: Shows each change with what was before and what is after it.
    support: full
  idempotent:
    description: A second run with the same options changes nothing.
    support: full
"""
