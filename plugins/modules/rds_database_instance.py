#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rds_database_instance
version_added: 0.2.0
author:
  - The groundwork.aws developers (@groundwork)
short_description: Manage the MariaDB of an environment on Amazon RDS
description:
  - Creates one DB instance of RDS for MariaDB with its DB subnet group and its DB parameter group. It is encrypted at
    rest, is not reachable from outside of the VPC, and accepts connections with TLS only.
  - The subnets of M(groundwork.aws.ec2_vpc_network) and the security groups of M(groundwork.aws.ec2_security_groups)
    are found by their tags.
  - Most changes are made at once, and interrupt nothing. Another instance class and another minor version interrupt the
    database. AWS makes them in the maintenance window, unless O(apply_immediately) is true. Some parameters wait for a
    restart of the database. The name of such a change says so, also in check mode, and so does a warning of each run
    while something waits.
  - Storage only grows. If AWS has made it larger than O(storage_gib), it stays so.
  - AWS never upgrades the minor version by itself, until it ends its support for the version. Every run tells of that
    end from one year before. Another major version is an error.
  - With O(restore_from) the database gets the data of a backup.
  - The DB instance is never deleted by this module. M(groundwork.aws.environment_teardown) deletes it.
  - The encryption of an existing DB instance cannot be changed. The module fails if it is not encrypted.
options:
  zones:
    description:
      - The Availability Zones of the network, as in M(groundwork.aws.ec2_vpc_network), at least two.
    type: list
    elements: str
    required: true
  tier:
    description:
      - The tier in whose subnets the database is.
    type: str
    default: private
  security_groups:
    description:
      - The security groups of the database, 1 to 5 names as in M(groundwork.aws.ec2_security_groups). One of them must
        permit TCP port 3306 from the security groups of the servers.
    type: list
    elements: str
    required: true
  instance_class:
    description:
      - The size of the database, an instance class of RDS. Another one interrupts the database.
    type: str
    default: db.t4g.small
  engine_version:
    description:
      - The version of MariaDB. A major version such as V(11.4) creates a database of the minor version that AWS
        recommends, and keeps the minor version of an existing one. A minor version such as V(11.4.5) upgrades an older
        one of the same major version, with an interruption.
    type: str
    default: '11.4'
  storage_gib:
    description:
      - The storage in GiB, 20 to 65536, on gp3. A number that is larger than the existing storage makes it larger,
        without an interruption.
    type: int
    default: 20
  max_storage_gib:
    description:
      - The size in GiB up to which AWS makes the storage larger by itself when little is free, at least 10 % more than
        O(storage_gib). With V(0) it does not.
    type: int
    default: 100
  multi_az:
    description:
      - Whether another Availability Zone has a standby, which takes over when the database or its zone fails. It
        doubles the price.
    type: bool
    default: false
  backup_retention_days:
    description:
      - For how many days AWS keeps the backups, to each second of which the database can be restored, 1 to 35.
    type: int
    default: 7
  backup_window:
    description:
      - The time of the daily backup in UTC, at least 30 minutes.
    type: str
    default: 02:00-03:00
  maintenance_window:
    description:
      - The time of the week in UTC in which AWS maintains the database, and makes changes that interrupt it, at least
        30 minutes. It must not overlap O(backup_window).
    type: str
    default: sun:03:30-sun:04:30
  deletion_protection:
    description:
      - Whether AWS refuses to delete the database. M(groundwork.aws.environment_teardown) then removes nothing.
    type: bool
    default: true
  parameters:
    description:
      - Parameters of MariaDB, as C(max_connections), in addition to those that the collection sets
        (C(require_secure_transport), and C(character_set_server), C(collation_server) and C(local_infile), which can be
        given here). A parameter that is removed here gets its default value.
    type: dict
    default: {}
  kms_key_id:
    description:
      - The ARN of the KMS key that encrypts the storage, the backups and the snapshots of a new database. The default
        is the account's key for RDS.
    type: str
  apply_immediately:
    description:
      - Whether changes that interrupt the database are made at once, and not in the maintenance window. Parameters that
        wait for a restart then get it.
    type: bool
    default: false
  password:
    description:
      - The placeholder for the password of the master user C(groundwork), C(@groundwork(parameter:/path)@).
    type: str
    required: true
  password_version:
    description:
      - The version of the parameter with the password. The password is set again when it differs from the version that
        was set last, which a tag of the DB instance has. With V(0) the password of an existing database stays.
    type: int
    default: 0
  secrets:
    description:
      - The value for the placeholder, by the path of its parameter. This option is not logged. Without it only a plan
        is possible.
    type: dict
    default: {}
  restore_from:
    description:
      - The backup whose data replace those of the database, V(newest) for the latest second that can be restored, a
        time in UTC such as V(2026-11-30T02:30:00Z), or the identifier of a DB snapshot. AWS restores to a new DB
        instance beside the database, and the two then exchange their identifiers, which interrupts the database for
        some minutes. The former DB instance is kept under another identifier. Nothing else is changed. A run that was
        interrupted is completed by another one with the same value.
      - Another run without this option then gives the restored database its settings and the master password.
    type: str
  deadline:
    description:
      - The time limit for a change of the database, in seconds. The creation takes about ten minutes, with a standby
        longer.
    type: int
    default: 3600
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - groundwork.aws.common.connection
notes:
  - Budget. 8 API calls if nothing changes. O(parameters) that are not set yet take some more, which read all parameters
    of the engine.
seealso:
  - module: groundwork.aws.ec2_vpc_network
  - module: groundwork.aws.ec2_security_groups
  - module: groundwork.aws.ssm_generated_secret
"""

EXAMPLES = r"""
- name: Get the master password
  groundwork.aws.ssm_generated_secret:
    environment_name: dev
    region: eu-central-1
    name: /groundwork/dev/database/master-password
    component: database
  register: password

- name: Create the database
  groundwork.aws.rds_database_instance:
    environment_name: dev
    region: eu-central-1
    zones: [eu-central-1a, eu-central-1b]
    security_groups: [database]
    instance_class: db.t4g.medium
    multi_az: true
    parameters:
      max_connections: 300
    password: "@groundwork(parameter:/groundwork/dev/database/master-password)@"
    password_version: "{{ password.version }}"
    secrets:
      /groundwork/dev/database/master-password: "{{ password.value }}"
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
      description: >-
        The name of the resource, without the environment. The name of a change that interrupts the database, or that
        waits for a restart, says so.
      type: str
      returned: success
  sample:
    - action: create
      resource: DB instance
      name: database
    - action: update
      resource: DB instance
      name: "database: instance class, with an interruption, in the maintenance window sun:03:30-sun:04:30"
database:
  description: The database. What does not exist yet is V((known after apply)) in check mode.
  returned: success
  type: dict
  contains:
    identifier:
      description: The identifier of the DB instance.
      type: str
      returned: success
    address:
      description: The name at which MariaDB answers in the VPC. Its certificate has this name.
      type: str
      returned: success
    port:
      description: The TCP port.
      type: int
      returned: success
    master_username:
      description: The name of the master user.
      type: str
      returned: success
    state:
      description: The state that AWS reports, V(absent) before the creation.
      type: str
      returned: success
    engine_version:
      description: The version of MariaDB.
      type: str
      returned: success
    support_ends:
      description: The day on which AWS ends its support for the major version, empty if it is not known.
      type: str
      returned: success
    instance_class:
      description: The instance class.
      type: str
      returned: success
    storage_gib:
      description: The storage in GiB.
      type: int
      returned: success
    max_storage_gib:
      description: The size up to which the storage grows by itself, V(0) if it does not.
      type: int
      returned: success
    multi_az:
      description: Whether there is a standby.
      type: bool
      returned: success
    restorable_until:
      description: The latest second to which the backups can be restored, empty before the first one.
      type: str
      returned: success
    waiting:
      description: What waits for the maintenance window or for a restart, one sentence each.
      type: list
      elements: str
      returned: success
  sample:
    identifier: dev-database
    address: dev-database.c0a1b2c3d4e5.eu-central-1.rds.amazonaws.com
    port: 3306
    state: available
    engine_version: 11.4.5
"""

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.rds_database_instance import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.database.run import converge_database

# What the documentation cannot say, for tools/generate.
UNDOCUMENTED = {
    "kms_key_id": {"no_log": False},
    "password": {"no_log": False},
    "password_version": {"no_log": False},
    "secrets": {"no_log": True},
}


def main() -> None:
    run_module(ARGUMENTS, converge_database)


if __name__ == "__main__":
    main()
