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
  - Publishes a folder to a bucket and invalidates the distribution in front of it.
  - Files are compared by the SHA-256 of their content and by their headers, not by their modification time.
  - Assets are uploaded before the pages that refer to them. Then the distribution is invalidated, and finally assets
    that are not needed any more are deleted. If a run is interrupted at any point, the next run completes it.
  - Each publication is a release. O(release) restores one from the noncurrent versions of the bucket, without uploads.
    This requires a versioned bucket.
  - Only one process can publish at a time. A second one fails with the name of the first one and the time of its start.
  - The module M(community.aws.s3_sync) sends a request for every object, does not order uploads, and deletes all
    objects of a bucket if the source is missing.
options:
  bucket:
    description: The name of the bucket.
    type: str
    required: true
  distribution:
    description:
      - The name of the distribution in front of the bucket, as in M(groundwork.aws.cloudfront_distribution).
      - It is looked up only if paths have to be invalidated. Without this option nothing is invalidated.
    type: str
  pages_distribution:
    description:
      - The name of a distribution between the bucket and O(distribution), which is invalidated first. It is ignored if
        it does not exist.
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
      - The Cache-Control header of files by pattern. The first matching pattern is used.
      - The default is V(public, max-age=31536000, immutable) for files with a fingerprint in their name, V(public,
        max-age=0, s-maxage=31536000, must-revalidate) for pages (HTML, feeds, web manifests, service workers), and
        V(public, max-age=300, s-maxage=86400) for others.
    type: list
    elements: dict
    default: []
    suboptions:
      pattern:
        description: A shell pattern of the file's name, or, with a slash in it, of the path relative to the source.
        type: str
        required: true
      value:
        description: The value of the header.
        type: str
        required: true
  fingerprint:
    description:
      - A regular expression that matches paths with a fingerprint of the content in their name.
      - By default the fingerprints of webpack, Vite, Rollup, esbuild, Next.js, Astro, Hugo and others are detected. A
        name that looks like a word or a number counts if most names of its folder have a fingerprint in this place.
    type: str
  content_types:
    description:
      - The Content-Type header of files by pattern. The first matching pattern is used.
      - The default comes from a fixed table of extensions. Text has C(charset=utf-8).
    type: list
    elements: dict
    default: []
    suboptions:
      pattern:
        description: A shell pattern of the file's name, or, with a slash in it, of the path relative to the source.
        type: str
        required: true
      value:
        description: The media type.
        type: str
        required: true
  exclude:
    description:
      - Shell patterns of names, or, with a slash in them, of paths relative to the source, that are not published.
      - The default excludes hidden files and folders, except C(.well-known). A warning lists the excluded paths.
    type: list
    elements: str
    default:
      - .*
  precompress:
    description:
      - Extensions of files for which a variant compressed with Brotli is stored too, under the file's name and C(.br).
        The viewer-request function of the distribution has to request it. A file that does not get smaller is stored
        there uncompressed.
      - The variants of an extension that is removed from the list are kept, see O(keep_variants).
      - Requires the Python library brotli.
    type: list
    elements: str
    default: []
  keep_variants:
    description:
      - Whether files whose extension had variants in the last release keep their variant if O(precompress) does not
        contain the extension any more, and if O(release) does not contain the variant.
      - Edge locations request variants until the change of the distribution's function is deployed, and for some
        seconds more, which AWS does not specify. Publish with V(false) after that to delete the variants.
    type: bool
    default: true
  redirects:
    description:
      - The paths that the distribution's viewer-request function redirects. The module publishes nothing for them. It
        is an error if the source has a file under one of these paths, because visitors could not reach it.
    type: list
    elements: str
    default: []
  clean_urls:
    description:
      - How the distribution's viewer-request function maps paths without an extension, as in the role static_site. It
        decides which paths are invalidated, and of which files the module warns because visitors do not find them.
      - V(serve) and V(redirect) map C(/guide) to C(/guide/index.html), V(html) maps it to C(/guide.html). V(none) maps
        nothing.
    type: str
    choices: [serve, redirect, html, none]
    default: serve
  unmapped_paths:
    description: Paths without an extension that the function leaves as they are, as browsers send them.
    type: list
    elements: str
    default: []
  variables:
    description: The prefix of the variables from which the options come. Messages name these variables.
    type: str
  max_deletions:
    description:
      - The maximum number of files that may be missing in the source since the last release, as a number or as a
        percentage of the existing objects. If it is exceeded, the module fails before it changes anything.
      - With a percentage, 10 files are always allowed. Files with a fingerprint do not count. The limit does not apply
        to O(release).
    type: str
    default: 25%
  allow_missing_references:
    description: Whether pages may refer to missing assets. If V(true), a warning lists them.
    type: bool
    default: false
  keep_releases:
    description: The number of releases to keep, 1 to 100. More are kept if deleting them needs another request.
    type: int
    default: 5
  keep_assets:
    description:
      - The number of releases for which files are kept after they were removed from the source, 0 to 100. So a page
        that was loaded earlier can still load its assets.
      - Only files with a fingerprint and files that a page or a style sheet of the last release loads are kept. All
        others are deleted at once, such as pages and documents that pages link to. A warning names the kept files that
        have no fingerprint; with V(0) they are deleted at once.
    type: int
    default: 1
  max_invalidation_paths:
    description:
      - The maximum number of paths of an invalidation, 1 to 3000. Above it, paths become wildcards for folders, which
        make edge locations fetch unchanged objects again. A wildcard counts as one path.
      - AWS charges for each path after the first 1,000 of a month.
    type: int
    default: 50
  wait:
    description: Whether to wait for the invalidation to be completed before assets are deleted.
    type: bool
    default: true
  deadline:
    description: The time limit for the invalidation, in seconds.
    type: int
    default: 900
  parallel:
    description: The number of parallel requests, 1 to 20.
    type: int
    default: 16
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - groundwork.aws.common.connection
notes:
  - Budget. ⌈N/1000⌉ + 2 API calls if nothing changes, for N objects in the bucket; all of them are reads of S3. A
    change takes 1 call per object, 2 for the records of the release, 1 to find the distribution, and 1 for the
    invalidation. A long publication renews its lease with 1 call every 40 seconds.
  - Permissions. C(s3:ListBucket) on the bucket, C(s3:GetObject), C(s3:PutObject), C(s3:DeleteObject) and
    C(s3:AbortMultipartUpload) on its objects, C(s3:ListBucketVersions) and C(s3:GetObjectVersion) for O(release) and
    for what an interrupted run has left; with O(distribution) C(tag:GetResources), C(cloudfront:CreateInvalidation)
    and C(cloudfront:GetInvalidation).
  - Pages are deleted before the invalidation, so that edge locations cannot fetch them again. Assets are deleted after
    it.
  - An invalidation contains every form of a changed path (C(/guide/index.html), C(/guide/), C(/guide)). New paths and
    files with a fingerprint are not invalidated. A path with a space or one of C(!$&'()*+,:;=@[]^|~) is invalidated by
    a wildcard for everything that begins as it does before this character, because URLs and invalidations have more
    than one form of it.
  - The records of releases are stored below C(releases/), beside the prefix.
  - Objects have no tags.
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

- name: Publish with Brotli variants, and cache downloads for a day
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

- name: Restore an earlier release
  groundwork.aws.s3_site_content:
    environment_name: dev
    region: eu-central-1
    bucket: dev-site-example
    distribution: site
    release: 20260131T120000Z-3f2a9c1b
"""

RETURN = r"""
changes:
  description: The changes in order. In check mode they are only planned. Objects after the first 100 are counted.
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
      description: The path of the object, or the number of further objects.
      type: str
      returned: success
release:
  description: The id of the current release. V((known after apply)) in check mode if a new one would be published.
  returned: success
  type: str
  sample: 20260131T120000Z-3f2a9c1b
previous:
  description: The id of the release before this run. Empty if there was none.
  returned: success
  type: str
  sample: 20260130T120000Z-0a1b2c3d
counts:
  description: Numbers of objects.
  returned: success
  type: dict
  contains:
    uploaded:
      description: Uploaded objects, including variants.
      type: int
      returned: success
    copied:
      description: Objects that were restored from noncurrent versions.
      type: int
      returned: success
    bytes:
      description: Bytes of the uploaded files, without variants.
      type: int
      returned: success
    deleted:
      description: Deleted objects.
      type: int
      returned: success
    unchanged:
      description: Unchanged objects.
      type: int
      returned: success
    kept:
      description: Files that were removed from the source and are kept for now.
      type: int
      returned: success
    mended:
      description: The uploaded objects that had been changed or deleted in the bucket manually.
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
      description: The id. Empty if nothing was invalidated.
      type: str
      returned: success
    paths:
      description: The invalidated paths.
      type: list
      elements: str
      returned: success
  sample:
    id: I2J0I21PCUYOIK
    paths: [/guide, /guide/, /guide/index.html]
calls:
  description: The numbers of API calls that change something, by service and operation.
  returned: success
  type: dict
  sample:
    s3:
      PutObject: 3
    cloudfront:
      CreateInvalidation: 1
"""

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.s3_site_content import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.run import converge_content


def main() -> None:
    run_module(ARGUMENTS, converge_content)


if __name__ == "__main__":
    main()
