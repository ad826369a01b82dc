#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: environment_lock
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
short_description: Check the AWS account and take the lock of the environment
description:
  - Fails if the credentials are of another account than O(account_id).
  - Takes the lock of the environment for this run of ansible-playbook. Another run that wants it is refused, with who
    holds the lock, since when, and with which command. The lock is an object in S3, which is written and deleted only
    if it is unchanged since it was read.
  - A process beside the run renews the lock every 30 seconds, and releases it when ansible-playbook ends, also when
    that was killed. A lock that was not renewed for 120 seconds is taken over by the next run that wants it.
  - A run that has lost its lock stops before its next change. The modules of this collection check that before each
    change in AWS and before each run on a server, with a file on the controller and without an API call.
  - Takes the lock once in a run of ansible-playbook, however often it is called.
options:
  account_id:
    description:
      - The 12 digits of the environment's account. Write them in quotes, because YAML drops a leading zero.
      - By default any account is used.
    type: str
  state:
    description:
      - V(taken) takes the lock.
      - V(released) releases the lock of this run. Without it the lock is released when ansible-playbook ends.
    type: str
    choices: [taken, released]
    default: taken
  wait:
    description:
      - For how many seconds to wait for the lock if another run holds it. Who holds it is displayed before the wait.
    type: int
    default: 0
  break_lock:
    description:
      - The id of a lock to break, as the message about that lock has it. Its run stops before its next change.
      - Breaking a lock takes 40 seconds, in which that run learns that it has lost it.
    type: str
    default: ""
  command:
    description: What this run does, for the messages of other runs. The action plugin of this module sets it.
    type: str
    default: ""
  pid:
    description: The process whose end releases the lock. The action plugin of this module sets it to ansible-playbook.
    type: int
    default: 0
  state_file:
    description: The file with the state of the lock. The action plugin of this module sets it.
    type: path
    default: ""
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - groundwork.aws.common.connection
notes:
  - Budget. 3 API calls to take the lock, 1 to release it, and 1 every 30 seconds to renew it. The first run in an
    account and region needs 2 more calls, which create the bucket C(groundwork-<account>-<region>).
  - Permissions. C(s3:GetBucketPolicy) on the bucket, C(s3:GetObject), C(s3:PutObject) and C(s3:DeleteObject) on its
    objects. The first run needs C(s3:CreateBucket), C(s3:PutBucketOwnershipControls), C(s3:TagResource) and
    C(s3:PutBucketPolicy) too.
  - O(environment_name) and the region select the lock. Every environment has its own.
  - In check mode the lock is not taken. If another run holds it, a warning tells that.
"""

EXAMPLES = r"""
- name: Take the lock of the environment
  groundwork.aws.environment_lock:
    environment_name: prod
    region: eu-central-1
    account_id: "012345678901"
    wait: 600

- name: Release the lock of the environment
  groundwork.aws.environment_lock:
    environment_name: prod
    region: eu-central-1
    state: released
"""

RETURN = r"""
account:
  description: The id of the account.
  returned: when the lock was taken, and in check mode
  type: str
  sample: "012345678901"
arn:
  description: The ARN of the user or role whose credentials are used.
  returned: when the lock was taken, and in check mode
  type: str
  sample: arn:aws:sts::012345678901:assumed-role/deploy/ci
changes:
  description: The changes of the bucket of the locks, in order. In check mode they are only planned.
  returned: success
  type: list
  elements: dict
lock:
  description: The lock. In check mode, that of another run, or null.
  returned: when the lock was taken, and in check mode
  type: dict
  sample:
    id: 3f2a9c1b5d7e8f90
    who: ann@laptop
    caller: arn:aws:sts::012345678901:assumed-role/deploy/ann
    since: "2026-01-31T12:00:00Z"
    command: site.yml --limit public-1
"""

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.environment_lock import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.lock.run import take_lock


def main() -> None:
    run_module(ARGUMENTS, take_lock)


if __name__ == "__main__":
    main()
