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
  - Lists what M(groundwork.aws.s3_site_content) has published to a bucket, the newest first, and tells which release is
    served and who publishes right now.
options:
  bucket:
    description: The bucket.
    type: str
    required: true
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
notes:
  - Budget. Two API calls, three when a publication is not complete.
seealso:
  - module: groundwork.aws.s3_site_content
"""

EXAMPLES = r"""
- name: See what could be brought back
  groundwork.aws.s3_site_releases_info:
    environment_name: dev
    region: eu-central-1
    bucket: dev-site-example
  register: published
"""

RETURN = r"""
releases:
  description: The releases, the newest first. Empty when nothing was published.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The id, for O(groundwork.aws.s3_site_content#module:release).
      type: str
      returned: success
    published:
      description: When its publication began.
      type: str
      returned: success
    files:
      description: How many objects it has.
      type: int
      returned: success
    bytes:
      description: How many bytes its files have.
      type: int
      returned: success
    restores:
      description: The release that it brought back, empty for one that was published from a source.
      type: str
      returned: success
    served:
      description: Whether it is what visitors get.
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
  description: The publication that is under way, or was interrupted; empty when there is none.
  returned: success
  type: dict
  contains:
    release:
      description: The id of the release that it makes.
      type: str
      returned: success
    since:
      description: When it began.
      type: str
      returned: success
    publisher:
      description: Who publishes.
      type: str
      returned: success
    interrupted:
      description: Whether it is known to have ended before it was complete. The next publication completes it.
      type: bool
      returned: success
  sample: {}
"""

from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.releases import (
    ARGUMENTS,
    list_releases,
)


def main() -> None:
    run_module(ARGUMENTS, list_releases)


if __name__ == "__main__":
    main()
