#!/usr/bin/python

# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_private_key
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
short_description: Keep the private key for the servers in Parameter Store
description:
  - Keeps the private key of an environment in SSM Parameter Store, in the parameter
    C(/groundwork/<environment>/servers/key) of type SecureString, and in a file on the controller. Every controller
    that may read the parameter can work with the servers.
  - A key that is missing in one of the two places is copied from the other. If neither has one, a key of type ed25519
    is generated, unless EC2 has the environment's key pair already.
  - It is an error if the two places have different keys, or if the only key is not the one of EC2's key pair. The
    message says which key is newer, which one the key pair has, and what to do. Nothing is ever overwritten.
  - An existing key is copied to the controller in check mode too, because check mode connects to the servers with it.
  - No result, diff or error contains the private key.
options:
  path:
    description:
      - The path of the private key, on the controller. The file has the mode C(0600), and its folder is created with
        the mode C(0700). The public key is beside it, with the suffix C(.pub).
    type: path
    required: true
  kms_key:
    description:
      - The KMS key that encrypts the parameter, as an ARN, an id or an alias. The default is the account's key for SSM,
        C(alias/aws/ssm).
      - It is used when the parameter is created. To change it, delete the parameter where the file exists, and run
        again.
    type: str
    default: ""
  renew:
    description:
      - Whether to generate a new key if the key of the key pair is lost, or to accept a key that is not the one of the
        key pair. M(groundwork.aws.ec2_server_recovery) then installs it on the servers.
    type: bool
    default: false
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - groundwork.aws.common.connection
notes:
  - Budget. 1 API call if both places have the key. Otherwise 1 more, and if the parameter is created 1 write and 1
    read.
  - "The credentials need C(ssm:GetParameters) on the parameter. The controller that stores the key also needs
    C(ssm:PutParameter) and C(ssm:AddTagsToResource). With a KMS key of your own, C(kms:Decrypt) and C(kms:Encrypt)."
  - The roles of M(groundwork.aws.iam_server_roles) cannot read the parameter.
seealso:
  - module: groundwork.aws.ec2_instance_group
  - module: groundwork.aws.ec2_console_host_keys
  - module: groundwork.aws.ec2_server_recovery
"""

EXAMPLES = r"""
- name: Get the private key of the environment
  groundwork.aws.ssm_private_key:
    environment_name: dev
    region: eu-central-1
    path: ~/.ssh/groundwork-dev
"""

RETURN = r"""
changes:
  description: The changes in order. In check mode they are only planned.
  returned: success
  type: list
  elements: dict
  contains:
    action:
      description: Always V(create).
      type: str
      returned: success
    resource:
      description: One of V(parameter) and V(file).
      type: str
      returned: success
    name:
      description: The name of the parameter or of the file.
      type: str
      returned: success
  sample:
    - action: create
      resource: parameter
      name: /groundwork/dev/servers/key
path:
  description: The path of the private key.
  returned: success
  type: str
  sample: /home/me/.ssh/groundwork-dev
public_key:
  description: The public key. V((known after apply)) if check mode plans a new key.
  returned: success
  type: str
  sample: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJIF4M9mOM1CgqWnVr0CnU4jUDqUDV/AiWYOf4qqJmz
"""

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.ssm_private_key import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.private_key import converge_private_key

# What the documentation cannot say, for tools/generate.
UNDOCUMENTED = {
    "kms_key": {"no_log": False},
}


def main() -> None:
    run_module(ARGUMENTS, converge_private_key)


if __name__ == "__main__":
    main()
