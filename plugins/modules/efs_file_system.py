#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: efs_file_system
version_added: 0.2.0
author:
  - The groundwork.aws developers (@groundwork)
short_description: Manage the file system that the servers of an environment share
description:
  - Creates one file system of Amazon EFS for an environment, encrypted at rest, with a mount target in a subnet of each
    zone.
  - The subnets of M(groundwork.aws.ec2_vpc_network) and the security groups of M(groundwork.aws.ec2_security_groups)
    are found by their tags.
  - The file system is never deleted by this module. M(groundwork.aws.environment_teardown) deletes its mount targets,
    and the file system with all files only if O(groundwork.aws.environment_teardown#module:file_systems=true).
  - The encryption of an existing file system cannot be changed. The module fails if it is not encrypted.
options:
  zones:
    description:
      - The Availability Zones of the network, as in M(groundwork.aws.ec2_vpc_network). Each gets a mount target.
    type: list
    elements: str
    required: true
  tier:
    description:
      - The tier in whose subnets the mount targets are. AWS allows one mount target in each zone.
    type: str
    default: private
  security_groups:
    description:
      - The security groups of the mount targets, 1 to 5 names as in M(groundwork.aws.ec2_security_groups). One of them
        must permit TCP port 2049 from the security groups of the servers.
    type: list
    elements: str
    required: true
  throughput_mode:
    description:
      - V(elastic) scales with the use, and is paid by it.
      - V(bursting) scales with the size of the files.
    type: str
    choices: [elastic, bursting]
    default: elastic
  purge:
    description:
      - Whether to delete mount targets in zones and subnets that are no longer declared. Servers that have mounted them
        lose the files until they mount another one.
    type: bool
    default: false
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - groundwork.aws.common.connection
notes:
  - Budget. 5 API calls if nothing changes, for any number of zones.
seealso:
  - module: groundwork.aws.ec2_vpc_network
  - module: groundwork.aws.ec2_security_groups
"""

EXAMPLES = r"""
- name: Permit NFS from the web servers
  groundwork.aws.ec2_security_groups:
    environment_name: dev
    region: eu-central-1
    groups:
      - name: web
      - name: files
        ingress:
          - ports: [2049]
            groups: [web]

- name: Create the file system
  groundwork.aws.efs_file_system:
    environment_name: dev
    region: eu-central-1
    zones: [eu-central-1a, eu-central-1b]
    tier: private
    security_groups: [files]
  register: shared

- name: Mount the file system on a server, with the options that EFS recommends
  ansible.posix.mount:
    path: /srv/shared
    src: "{{ shared.file_system.dns_name }}:/"
    fstype: nfs4
    opts: nfsvers=4.1,rsize=1048576,wsize=1048576,hard,timeo=600,retrans=2,noresvport,_netdev
    state: mounted
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
      description: The kind of resource, as AWS names it.
      type: str
      returned: success
    name:
      description: The name of the resource, without the environment.
      type: str
      returned: success
  sample:
    - action: create
      resource: mount target
      name: files-a
file_system:
  description: The file system. What does not exist yet is V((known after apply)) in check mode.
  returned: success
  type: dict
  contains:
    id:
      description: The id of the file system.
      type: str
      returned: success
    dns_name:
      description: The name that resolves to a mount target in the VPC.
      type: str
      returned: success
    addresses:
      description: The private address of the mount target, by zone.
      type: dict
      returned: success
  sample:
    id: fs-0a1b2c3d4e5f60718
    dns_name: fs-0a1b2c3d4e5f60718.efs.eu-central-1.amazonaws.com
    addresses:
      eu-central-1a: 10.20.8.10
"""

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.efs_file_system import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.file_system.run import converge_file_system


def main() -> None:
    run_module(ARGUMENTS, converge_file_system)


if __name__ == "__main__":
    main()
