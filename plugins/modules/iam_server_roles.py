#!/usr/bin/python

# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: iam_server_roles
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
short_description: Keep what servers may read of AWS
description:
  - Converges a role and an instance profile for each tier of servers, both called C(<environment>-<tier>).
  - A role may read the parameters and the objects that are named, and nothing else. It has one policy inside, which is
    replaced as a whole. Policies that others attach stay.
  - Roles of tiers that are not named any more stay until M(groundwork.aws.environment_teardown).
options:
  roles:
    description:
      - What each tier's servers may read, by the tier's name. Each is a dictionary with the options below.
      - C(parameters), paths of parameters of Parameter Store.
      - C(archives), a list of dictionaries. C(bucket) is the name of a bucket. C(prefix) is empty or ends with a slash,
        and lets the servers read what begins with it.
      - C(keys), ARNs of KMS keys that parameters are encrypted with. The account's own key for SSM needs none.
    type: dict
    required: true
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
notes:
  - Budget. One API call when there is nothing to do, and three for each role.
seealso:
  - module: groundwork.aws.autoscaling_server_groups
  - module: groundwork.aws.ssm_generated_secret
"""

EXAMPLES = r"""
- name: Let the public servers read their database's password and their releases
  groundwork.aws.iam_server_roles:
    environment_name: dev
    region: eu-central-1
    roles:
      public:
        parameters: [/groundwork/dev/lamp/app/database-password]
        archives:
          - bucket: dev-releases-of-ours
            prefix: releases/
"""

RETURN = r"""
changes:
  description: What was changed, or in check mode would be, in order.
  returned: success
  type: list
  elements: dict
  contains:
    action:
      description: One of V(create) and V(update).
      type: str
      returned: success
    resource:
      description: The kind of resource, in AWS' words.
      type: str
      returned: success
    name:
      description: The name that people use.
      type: str
      returned: success
  sample:
    - action: create
      resource: role
      name: public
instance_profiles:
  description: The names of the instance profiles, by tier.
  returned: success
  type: dict
  sample:
    public: dev-public
"""

from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.server_roles import ARGUMENTS, converge_server_roles


def main() -> None:
    run_module(ARGUMENTS, converge_server_roles)


if __name__ == "__main__":
    main()
