#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: s3_site_content
version_added: 0.2.0
author:
  - The groundwork.aws developers (@groundwork)
short_description: Publish a folder as the content of a static site
description:
  - Publishes a folder to a bucket and invalidates the distribution in front of it, in one process.
  - Files are compared by the SHA-256 of their content and by the headers that they would get, never by time.
  - The order protects visitors. Assets are put before the pages that need them, then the edge is invalidated, and what
    is not needed any more is deleted last. A run that was killed at any point is completed by the next one.
  - Each publication is a release. O(release) brings one back from the bucket's old versions, without any upload. The
    bucket has to be versioned for that.
  - Two publishers do not interleave. The second one is told who publishes, and since when.
  - The module M(community.aws.s3_sync) asks for every object, knows no order, and empties a bucket when its source is
    missing.
options:
  bucket:
    description: The bucket.
    type: str
    required: true
  distribution:
    description:
      - The name of the distribution in front of the bucket, as in M(groundwork.aws.cloudfront_distribution).
      - It is looked for when there is something to invalidate. Without it nothing is invalidated.
    type: str
  source:
    description:
      - The folder to publish. Needed unless O(release) is given, which goes before it.
      - Names are published in Unicode's composed form (NFC). Links that stay in the folder are followed.
    type: path
  release:
    description: The id of a release to bring back, as M(groundwork.aws.s3_site_releases_info) lists it.
    type: str
  prefix:
    description: Where the content is in the bucket, the distribution's origin path without its slash.
    type: str
    default: site
  cache_control:
    description:
      - The Cache-Control of files by pattern; the first that matches counts.
      - Files that none matches get V(public, max-age=31536000, immutable) when their name has a fingerprint,
        V(public, max-age=0, s-maxage=31536000, must-revalidate) when they are pages (HTML, feeds, web manifests,
        service workers), and else V(public, max-age=300, s-maxage=86400).
    type: list
    elements: dict
    default: []
    suboptions:
      pattern:
        description: A shell pattern of the file's name, or with a slash in it of its path below the source.
        type: str
        required: true
      value:
        description: The header's value.
        type: str
        required: true
  fingerprint:
    description:
      - A regular expression that finds paths with a fingerprint of the content in their name.
      - Unless given, the forms of webpack, Vite, Rollup, esbuild, Hugo and others are known. Version numbers, dates and
        words are not taken for fingerprints, at the price that a few fingerprints are not either.
    type: str
  content_types:
    description:
      - The Content-Type of files by pattern; the first that matches counts.
      - Files that none matches get theirs from a fixed table by extension, text with C(charset=utf-8).
    type: list
    elements: dict
    default: []
    suboptions:
      pattern:
        description: A shell pattern of the file's name, or with a slash in it of its path below the source.
        type: str
        required: true
      value:
        description: The media type.
        type: str
        required: true
  exclude:
    description:
      - Shell patterns of names, or with a slash in them of paths below the source, that are left out.
      - The default leaves out hidden files and folders. C(.well-known) is none. What is left out is told in a warning.
    type: list
    elements: str
    default:
      - .*
  precompress:
    description:
      - Extensions of files that are also stored packed by Brotli, under their name and C(.br), for a distribution whose
        function asks for these. A file that does not get smaller is stored there as it is.
      - An extension that has left the list stays packed, see O(keep_variants).
      - Needs the Python library brotli.
    type: list
    elements: str
    default: []
  keep_variants:
    description:
      - Whether files whose extension the last release had packed go on having their variant, when O(precompress) does
        not name it any more, and in a release that never had it too.
      - Edges ask for variants until the distribution's function has changed, and some seconds longer; AWS does not tell
        for how long. V(false) is rid of them. Use it in a publication after that.
    type: bool
    default: true
  redirects:
    description:
      - The paths that the distribution's viewer-request function redirects. A private bucket cannot answer a redirect,
        so that nothing is published for them. A file that one of them would hide is refused.
    type: list
    elements: str
    default: []
  max_deletions:
    description:
      - How many objects one run may delete, as a number or as a percentage of those that are there. What is above is
        refused before anything is changed.
      - With a percentage ten are always allowed. It does not count for O(release).
    type: str
    default: 25%
  allow_missing_references:
    description: Whether pages may refer to assets that are not in the source. If so, they are told in a warning.
    type: bool
    default: false
  keep_releases:
    description: How many releases stay listed, 1 to 100. A few more may, when removing them costs a request.
    type: int
    default: 5
  keep_assets:
    description:
      - For how many releases files with a fingerprint stay after they left the source, 0 to 100, so that a page that
        was loaded before finds its assets.
    type: int
    default: 1
  wait:
    description: Whether to wait until the invalidation is completed. If not, what is gone is deleted without waiting.
    type: bool
    default: true
  deadline:
    description: For how many seconds to wait for the invalidation.
    type: int
    default: 900
  parallel:
    description: How many requests are made at a time, 1 to 20.
    type: int
    default: 16
  progress:
    description: A file to which lines about the progress are added. The action plugin of this module shows them.
    type: path
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
notes:
  - Budget. With nothing to do and N objects in the bucket ⌈N/1000⌉ + 2 calls, all of them reads of S3. A change costs a
    call per object, two records, and one invalidation, for which the distribution is found by one call. One that takes
    long renews its lease by a write every 40 seconds.
  - Permissions. C(s3:ListBucket) on the bucket, C(s3:GetObject), C(s3:PutObject), C(s3:DeleteObject) and
    C(s3:AbortMultipartUpload) on its objects, C(s3:ListBucketVersions) and C(s3:GetObjectVersion) for O(release) and
    for what an interrupted run has left; with O(distribution) C(tag:GetResources), C(cloudfront:CreateInvalidation)
    and C(cloudfront:GetInvalidation).
  - Deleted pages go before the invalidation, so that no edge fetches one again; deleted assets go after it.
  - An invalidation has every form of a changed path (C(/guide/index.html), C(/guide/), C(/guide)). Files with a
    fingerprint and paths that are new are not invalidated.
  - The records of releases are kept below C(releases/), beside the prefix.
  - Tags are not used for objects.
seealso:
  - module: groundwork.aws.s3_site_releases_info
  - module: groundwork.aws.cloudfront_distribution
"""

EXAMPLES = r"""
- name: Publish the site
  groundwork.aws.s3_site_content:
    environment_name: dev
    region: eu-central-1
    bucket: dev-site-example
    distribution: site
    source: build/

- name: Publish with a cache of a day for downloads, and Brotli variants
  groundwork.aws.s3_site_content:
    environment_name: dev
    region: eu-central-1
    bucket: dev-site-example
    distribution: site
    source: build/
    precompress: [js, css, svg]
    cache_control:
      - pattern: downloads/*
        value: public, max-age=86400

- name: Bring back what was there before
  groundwork.aws.s3_site_content:
    environment_name: dev
    region: eu-central-1
    bucket: dev-site-example
    distribution: site
    release: 20260131T120000Z-3f2a9c1b
"""

RETURN = r"""
changes:
  description: What was changed, or in check mode would be. Above 100 objects the others are counted.
  returned: success
  type: list
  elements: dict
  contains:
    action:
      description: V(create), V(update) or V(delete).
      type: str
      returned: success
    resource:
      description: V(object), V(objects), V(invalidation) or V(release).
      type: str
      returned: success
    name:
      description: The object's path, or how many.
      type: str
      returned: success
release:
  description: The id of the release that is served. V((known after apply)) in check mode when there would be a new one.
  returned: success
  type: str
  sample: 20260131T120000Z-3f2a9c1b
previous:
  description: The id of the release that was served before this run, empty before the first.
  returned: success
  type: str
  sample: 20260130T120000Z-0a1b2c3d
counts:
  description: Numbers of objects.
  returned: success
  type: dict
  contains:
    uploaded:
      description: Objects that were put, variants included.
      type: int
      returned: success
    copied:
      description: Objects that were brought back from old versions.
      type: int
      returned: success
    bytes:
      description: Bytes of the uploaded files, variants left out.
      type: int
      returned: success
    deleted:
      description: Objects that were deleted.
      type: int
      returned: success
    unchanged:
      description: Objects that were as they should be.
      type: int
      returned: success
    kept:
      description: Files with a fingerprint that left the source and stay for now.
      type: int
      returned: success
    mended:
      description: Of the put objects those that somebody had changed in the bucket.
      type: int
      returned: success
  sample:
    uploaded: 1
    copied: 0
    bytes: 4711
    deleted: 0
    unchanged: 1999
    kept: 0
    mended: 0
invalidation:
  description: The invalidation.
  returned: success
  type: dict
  contains:
    id:
      description: Its id, empty when there was nothing to invalidate.
      type: str
      returned: success
    paths:
      description: Its paths.
      type: list
      elements: str
      returned: success
  sample:
    id: I2J0I21PCUYOIK
    paths: [/guide, /guide/, /guide/index.html]
calls:
  description: The writes that were made, or in check mode would be, by service and operation.
  returned: success
  type: dict
  sample:
    s3:
      PutObject: 3
    cloudfront:
      CreateInvalidation: 1
"""

from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.options import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.run import converge_content


def main() -> None:
    run_module(ARGUMENTS, converge_content)


if __name__ == "__main__":
    main()
