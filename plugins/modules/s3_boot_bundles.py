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
short_description: Keep what servers fetch to configure themselves at their first boot
description:
  - Packs a bundle for each tier of servers. It contains options of M(groundwork.aws.server), and the code of that
    module, which needs Python alone. A server that runs the bundle becomes what the module would make of it.
  - Bundles and packed releases are kept in a bucket that is private, encrypted and versioned. Their names tell what
    is in them, so that each is uploaded once and never written over. Nothing in it is deleted, since a version of a
    launch template may need it.
  - Returns the user data with which a server fetches its bundle by the role of its instance, checks its SHA-256, and
    runs it. It changes when, and only when, the bundle does.
  - No secret is in a bundle. It contains the placeholders that M(groundwork.aws.server) has for secrets, and the server
    reads these parameters of Parameter Store itself. C(@groundwork(instance-id)@) is replaced too.
options:
  bucket:
    description:
      - The bucket's name, without dots. By default C(groundwork-<environment>-<account>-<region>).
    type: str
    default: ""
  tiers:
    description:
      - What the servers of each tier become, by the tier's name. Each is a dictionary with the options below.
      - C(configuration), C(databases) and C(releases), as the options of M(groundwork.aws.server). C(archive) of a
        release is its packed file on the controller, which in check mode need not exist. A release without that file
        has to be in the bucket.
    type: dict
    required: true
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
notes:
  - Budget. Seven API calls when there is nothing to do, and one more for every thousand objects, and one
    less with O(bucket).
  - A bucket of that name without the environment's tags is refused.
seealso:
  - module: groundwork.aws.autoscaling_server_groups
  - module: groundwork.aws.iam_server_roles
  - module: groundwork.aws.release_archives
"""

EXAMPLES = r"""
- name: Pack what the public servers do at boot
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
      description: The kind of resource.
      type: str
      returned: success
    name:
      description: The name that people use.
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
  description: By tier, what its servers are launched with, and what they have to be allowed to read.
  returned: success
  type: dict
  contains:
    user_data:
      description: The user data.
      type: str
      returned: success
    parameters:
      description: Paths of parameters, as M(groundwork.aws.iam_server_roles) takes them.
      type: list
      elements: str
      returned: success
    archives:
      description: Parts of the bucket, as M(groundwork.aws.iam_server_roles) takes them.
      type: list
      elements: dict
      returned: success
"""

from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.boot.options import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.topics.boot.run import converge_boots


def main() -> None:
    run_module(ARGUMENTS, converge_boots)


if __name__ == "__main__":
    main()
