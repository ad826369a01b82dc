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
short_description: Manage the IAM roles and instance profiles of an environment's servers
description:
  - Creates a role and an instance profile for each tier of servers, both named C(<environment>-<tier>).
  - A role has only the given permissions. It has one inline policy, which is replaced as a whole.
    Policies that are attached by hand stay.
  - Roles of tiers that are no longer declared stay until M(groundwork.aws.environment_teardown) is run.
options:
  roles:
    description:
      - The permissions of each tier's servers, by the tier's name. Each is a dictionary with the options below.
      - C(parameters), paths of parameters in Parameter Store.
      - C(archives), a list of dictionaries. C(bucket) is the name of a bucket. C(prefix) is empty or ends with a slash,
        and allows the servers to read the objects whose keys begin with it.
      - C(keys), ARNs of KMS keys that encrypt the parameters. The account's default key for SSM is not needed here.
      - C(claims), whether the servers may claim ticks of schedules and commands of releases. They may then write and
        read the objects below C(claims/<environment>/), C(schedules/<environment>/) and C(commands/<environment>/) in
        the bucket of M(groundwork.aws.environment_lock). The first expire after 7 days, the second after 400 days.
      - C(backups), whether the servers may write backups. They may then write objects whose keys begin with the name of
        the tier in the bucket of M(groundwork.aws.s3_backup_bucket), and neither read nor delete them.
    type: dict
    required: true
  permissions_boundary:
    description:
      - The ARN of the policy that is the permissions boundary of all roles, whose servers have only permissions that it
        allows too. It is changed in place. V(none) removes that of existing roles.
      - By default new roles have none, and that of existing roles stays.
    type: str
    default: ""
  role_path:
    description:
      - The path of the roles and instance profiles, which begins and ends with a slash, such as V(/app/).
      - IAM cannot change a path. Existing ones keep theirs, and the module warns and says what to do.
    type: str
    default: /
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - groundwork.aws.common.connection
notes:
  - Budget. 1 API call if nothing changes, and 3 for each role. 1 more if a role gets another permissions boundary, and
    1 more if a role has C(claims).
seealso:
  - module: groundwork.aws.autoscaling_server_groups
  - module: groundwork.aws.ssm_generated_secret
"""

EXAMPLES = r"""
- name: Allow the public servers to read their database password and their releases
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
  description: The changes in order. In check mode they are only planned.
  returned: success
  type: list
  elements: dict
  contains:
    action:
      description: One of V(create) and V(update).
      type: str
      returned: success
    resource:
      description: The kind of resource, as AWS names it.
      type: str
      returned: success
    name:
      description: The name of the resource, without the environment.
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

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.iam_server_roles import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.server_roles.run import converge_server_roles


def main() -> None:
    run_module(ARGUMENTS, converge_server_roles)


if __name__ == "__main__":
    main()
