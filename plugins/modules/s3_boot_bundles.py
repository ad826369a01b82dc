#!/usr/bin/python

# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: s3_boot_bundles
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
short_description: Manage the bundles with which servers configure themselves at their first boot
description:
  - Packs a bundle for each tier of servers. It contains options of M(groundwork.aws.server), and the code
    of that module, which needs only Python. A server that runs the bundle is configured as the module would do it.
  - Bundles and packed releases are kept in a private, encrypted and versioned bucket, which denies requests without
    TLS. Their keys contain a digest of the content, so that each is uploaded once and never overwritten.
  - Of each tier's bundles and each site's releases, the newest are kept, as many as C(keep) of the releases says, and
    all that O(tiers) or a launch template version of the environment needs. The others are deleted. The bucket keeps
    deleted objects for 30 days.
  - Returns the user data with which a server fetches its bundle with its instance profile, checks the SHA-256 digest,
    and runs it. The user data changes only if the bundle changes.
  - A bundle contains no secret. It contains the placeholders of M(groundwork.aws.server), and the server reads
    these parameters from Parameter Store. It also replaces C(@groundwork(instance-id)@).
options:
  bucket:
    description:
      - The bucket's name, without dots. By default C(groundwork-<environment>-<account>-<region>).
    type: str
    default: ""
  tiers:
    description:
      - The desired configuration of each tier's servers, by the tier's name. Each is a dictionary with the options
        below.
      - C(configuration), C(databases) and C(releases) of M(groundwork.aws.server). C(archive) of a release is the path
        of the packed release on the controller, where it may be missing in check mode. A release that is not on the
        controller must be in the bucket.
    type: dict
    required: true
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - groundwork.aws.common.connection
notes:
  - Budget. 8 API calls if nothing changes, 1 more for every 1000 objects, and 1 less with O(bucket). If old objects
    may have to be deleted, 1 more, and 1 for each launch template and each kept bundle.
  - Permissions. To delete old objects, C(s3:GetObject) and C(s3:DeleteObject) on the bucket's objects,
    C(ec2:DescribeLaunchTemplates) and C(ec2:DescribeLaunchTemplateVersions). Without them, or if a bundle is damaged,
    the module warns and keeps old objects.
  - The module fails if a bucket with this name exists without the environment's tags.
seealso:
  - module: groundwork.aws.autoscaling_server_groups
  - module: groundwork.aws.iam_server_roles
  - module: groundwork.aws.release_archives
"""

EXAMPLES = r"""
- name: Pack the boot bundle of the public servers
  groundwork.aws.s3_boot_bundles:
    environment_name: dev
    region: eu-central-1
    tiers:
      public:
        configuration:
          packages: [nginx]
          files:
            - path: /etc/nginx/conf.d/name.conf
              content: add_header X-Server @groundwork(instance-id)@;
              reload: [nginx]
            - path: /etc/nginx/password
              content: "@groundwork(parameter:/groundwork/dev/web/password)@"
              mode: "0640"
          services:
            - name: nginx
  register: boot
"""

RETURN = r"""
changes:
  description: The changes in order. In check mode they are only planned.
  returned: success
  type: list
  elements: dict
  contains:
    action:
      description: One of V(create), V(update) and V(delete).
      type: str
      returned: success
    resource:
      description: The kind of resource.
      type: str
      returned: success
    name:
      description: The name of the resource, without the environment.
      type: str
      returned: success
  sample:
    - action: create
      resource: boot bundle
      name: public
bucket:
  description: The bucket's name.
  returned: success
  type: str
tiers:
  description: The user data of each tier's servers, and the permissions that they need, by tier.
  returned: success
  type: dict
  contains:
    user_data:
      description: The user data.
      type: str
      returned: success
    parameters:
      description: Paths of parameters, for M(groundwork.aws.iam_server_roles).
      type: list
      elements: str
      returned: success
    archives:
      description: The bucket with key prefixes, for M(groundwork.aws.iam_server_roles).
      type: list
      elements: dict
      returned: success
"""

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.s3_boot_bundles import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.boot.run import converge_boots


def main() -> None:
    run_module(ARGUMENTS, converge_boots)


if __name__ == "__main__":
    main()
