#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: environment_teardown
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
short_description: Remove an environment, and verify that no resource remains
description:
  - Deletes all resources with the tag C(groundwork:environment) of one environment, and its resources without tags. It
    finds them with AWS' API, without a state file and without the inventory's variables.
  - Resources whose deletion takes minutes are deleted at the same time, the others in the order of their dependencies.
    Each step waits only for the resources that it depends on.
  - Resources that are not part of the environment are never changed. The resources that these depend on stay too, and
    keep working. For example, an instance that a user launched in a subnet keeps the subnet, its route table with its
    gateways, its security groups and the VPC.
  - At the end it reads every type of resource again. If resources remain, the module fails and reports each with its
    id, the reason and a remedy.
options:
  environment_confirm:
    description:
      - The environment's name again. If it is missing or different, the module fails before it reads anything.
    type: str
    default: ''
  images:
    description:
      - Whether to remove the golden images of the environment, with their snapshots and the parameters with their ids.
        An image that instances or launch templates outside the environment use stays, and is reported.
    type: bool
    default: false
  buckets:
    description:
      - Whether to remove the buckets of the environment, with all object versions, but not that of the backups.
    type: bool
    default: false
  backups:
    description:
      - Whether to remove the bucket with the backups of the environment's data. Without it, it is kept, also with
        O(buckets), and the result says so.
    type: bool
    default: false
  file_systems:
    description:
      - Whether to remove the file systems of the environment, with all files. Their mount targets are always removed,
        because they would keep the VPC.
    type: bool
    default: false
  databases:
    description:
      - Whether to remove what the managed database has stored, with all backups and all snapshots of the environment.
        The DB instance is always removed. Without this option its data stay in a final snapshot.
    type: bool
    default: false
  hosted_zones:
    description:
      - Whether to remove the hosted zones that the environment has created. A zone that is created again has other name
        servers, which must be entered in its parent domain again. The environment's records are always removed, and
        records of others keep a zone.
    type: bool
    default: false
  deadline:
    description:
      - The time limit for the deletion of one resource, in seconds. A distribution can take 15 minutes.
    type: int
    default: 1800
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - groundwork.aws.common.connection
notes:
  - Nothing is deleted if a resource is protected, for example by termination or deletion protection, or managed by
    another tool such as CloudFormation. All protections are reported together, with the commands that lift them.
  - Parameters of the type SecureString, such as the passwords of databases, are deleted after the servers that use
    them.
  - If the credentials may not read CloudFront, IAM, EFS, RDS, Route 53 or Certificate Manager, a warning says so, and
    all other resources are removed.
  - Listeners and rules are deleted with their load balancer, and routes with their route table, whoever created them.
"""

EXAMPLES = r"""
- name: Remove the environment dev, except its images, buckets, file systems and snapshots
  groundwork.aws.environment_teardown:
    environment_name: dev
    environment_confirm: dev
    region: eu-central-1
"""

RETURN = r"""
changes:
  description: The changes in order. In check mode they are only planned.
  returned: always
  type: list
  elements: dict
  contains:
    action:
      description: V(delete), or V(update) if a resource must be changed before another one can be deleted.
      type: str
      returned: always
    resource:
      description: The kind of resource, as AWS names it.
      type: str
      returned: always
    name:
      description: The name of the resource, without the environment.
      type: str
      returned: always
  sample:
    - action: delete
      resource: nat gateway
      name: nat-a
found:
  description: The number of resources of the environment in the last read, by kind.
  returned: always
  type: dict
  sample:
    server: 0
    subnet: 0
kept:
  description: The resources that stay because the option for their removal is not set, each with that option.
  returned: always
  type: list
  elements: str
  sample: ["bucket groundwork-dev-backups-123456789012-eu-central-1: backups"]
not_looked_at:
  description:
    - The kinds of resources that the credentials do not allow to read. They are not in C(found). An environment without
      a static site and without Auto Scaling groups has none of them.
  returned: always
  type: list
  elements: str
  sample: []
keepers:
  description: The resources that prevent the removal of others, one sentence each.
  returned: always
  type: list
  elements: str
  sample:
    - instance (i-0a1b) in subnet public-a, which is not part of the environment, prevents the removal of vpc main
"""

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.environment_teardown import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.run import converge_teardown


def main() -> None:
    run_module(ARGUMENTS, converge_teardown)


if __name__ == "__main__":
    main()
