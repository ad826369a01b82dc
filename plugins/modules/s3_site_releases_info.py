#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: s3_site_releases_info
version_added: 0.2.0
author:
  - The groundwork.aws developers (@groundwork)
short_description: List the releases of a static site
description:
  - Returns the releases that M(groundwork.aws.s3_site_content) has published to a bucket, newest first, and the
    publication that is in progress.
options:
  bucket:
    description: The name of the bucket.
    type: str
    required: true
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - groundwork.aws.common.connection
notes:
  - Budget. 2 API calls, or 3 if a publication is incomplete.
seealso:
  - module: groundwork.aws.s3_site_content
"""

EXAMPLES = r"""
- name: List the releases that can be restored
  groundwork.aws.s3_site_releases_info:
    environment_name: dev
    region: eu-central-1
    bucket: dev-site-example
  register: published
"""

RETURN = r"""
releases:
  description: The releases, newest first. Empty if nothing was published.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The id, for O(groundwork.aws.s3_site_content#module:release).
      type: str
      returned: success
    published:
      description: The time when its publication began.
      type: str
      returned: success
    files:
      description: The number of objects.
      type: int
      returned: success
    bytes:
      description: The size of its files in bytes.
      type: int
      returned: success
    restores:
      description: The id of the release that it restored. Empty if it was published from a source.
      type: str
      returned: success
    served:
      description: Whether it is the current release.
      type: bool
      returned: success
  sample:
    - id: 20260131T120000Z-3f2a9c1b
      published: "2026-01-31T12:00:00.000Z"
      files: 1204
      bytes: 73400320
      restores: ""
      served: true
publishing:
  description: The publication that is in progress or was interrupted. Empty if there is none.
  returned: success
  type: dict
  contains:
    release:
      description: The id of the new release.
      type: str
      returned: success
    since:
      description: The time when it began.
      type: str
      returned: success
    publisher:
      description: The user and the machine that publish.
      type: str
      returned: success
    interrupted:
      description: Whether it was interrupted. The next publication completes it.
      type: bool
      returned: success
  sample: {}
"""

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.s3_site_releases_info import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.releases import (
    list_releases,
)


def main() -> None:
    run_module(ARGUMENTS, list_releases)


if __name__ == "__main__":
    main()
