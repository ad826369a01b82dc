#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cloudfront_distribution
version_added: 0.2.0
author:
  - The groundwork.aws developers (@groundwork)
short_description: Keep a CloudFront distribution
description:
  - Makes a distribution and keeps it as it is declared. The declared part is put onto what there is, and only a real
    difference is an update, which shows nothing but the difference.
  - What the module does not know of stays as it is. Lists (origins, behaviours, error pages, aliases) are declared as a
    whole.
  - The module M(community.aws.cloudfront_distribution) changes something with every run, drops origin access controls
    and function associations, and has no check mode.
options:
  name:
    description: What people call it. With the environment's name before it this is its name in AWS.
    type: str
    required: true
  origins:
    description: Where the distribution gets what it does not have. The first one is the default.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The origin's name in this distribution.
        type: str
        required: true
      bucket:
        description: An S3 bucket of the region, or else O(origins[].domain).
        type: str
      domain:
        description: A server's host name.
        type: str
      path:
        description: What goes before the path of every request, as V(/site).
        type: str
      origin_access_control:
        description: The environment's origin access control by which the bucket knows the distribution.
        type: str
      protocol:
        description: How a server is asked.
        type: str
        choices: [http-only, https-only, match-viewer]
        default: https-only
      http_port:
        description: A server's port for HTTP.
        type: int
        default: 80
      https_port:
        description: A server's port for HTTPS.
        type: int
        default: 443
      headers:
        description:
          - Headers that are sent to the origin. Their values are in no diff.
          - A secret by which an origin knows CloudFront is given by a placeholder, C(@groundwork(parameter:/path)@),
            and its value in O(secrets).
        type: dict
  secrets:
    description:
      - The values for the placeholders, by the paths of their parameters.
      - Only the values of O(origins[].headers) can contain placeholders.
      - Each has at least 8 characters. This option is not logged, and its values are hidden in what the module returns.
    type: dict
    default: {}
  behavior:
    description: What holds for all paths that no behaviour matches.
    type: dict
    default: {}
    suboptions: &behavior
      origin:
        description: The origin's name. The first one unless given.
        type: str
      viewer_protocol:
        description: What happens to plain HTTP.
        type: str
        choices: [redirect-to-https, https-only, allow-all]
        default: redirect-to-https
      methods:
        description:
          - Which methods are let through. V(read) are GET and HEAD, V(read-options) OPTIONS too, V(all) all methods.
          - Answers to GET and HEAD are cached.
        type: str
        choices: [read, read-options, all]
        default: read
      compress:
        description: Whether the edge compresses what the cache policy lets it compress.
        type: bool
        default: true
      cache_policy:
        description: The cache policy, one that AWS manages (as V(CachingOptimized)) or one of the environment's own.
        type: str
        default: CachingOptimized
      origin_request_policy:
        description: The origin request policy, likewise.
        type: str
      response_headers_policy:
        description: The response headers policy, likewise.
        type: str
      functions:
        description: The environment's functions by event, V(viewer-request) or V(viewer-response).
        type: dict
  behaviors:
    description: What holds for some paths. The first one that matches counts.
    type: list
    elements: dict
    default: []
    suboptions:
      <<: *behavior
      path:
        description: The pattern of paths, as V(/api/*).
        type: str
        required: true
  error_pages:
    description: Pages instead of errors.
    type: list
    elements: dict
    default: []
    suboptions:
      code:
        description: The origin's status code.
        type: int
        required: true
      page:
        description: The path of the page, as V(/404.html).
        type: str
      response_code:
        description: The status code that visitors get with the page. The origin's unless given.
        type: int
      ttl:
        description: For how many seconds edges remember the error at least.
        type: int
        default: 10
  default_root_object:
    description: The object that answers for V(/).
    type: str
    default: ""
  aliases:
    description: Host names besides the distribution's own.
    type: list
    elements: str
    default: []
  certificate_arn:
    description: A certificate of ACM in us-east-1 that covers all aliases.
    type: str
    default: ""
  minimum_tls:
    description: The least TLS that visitors may speak, where the certificate is yours.
    type: str
    choices: [TLSv1.2_2019, TLSv1.2_2021, TLSv1.2_2025, TLSv1.3_2025]
    default: TLSv1.2_2021
  web_acl_arn:
    description:
      - A WAFv2 web ACL of scope CLOUDFRONT. An empty string takes away the one that there is.
      - Unless given, what there is stays, since an organisation's firewall manager may have set it.
    type: str
  log_bucket:
    description: A bucket for access logs, with access control lists enabled.
    type: str
    default: ""
  log_prefix:
    description: What the names of the logs begin with.
    type: str
    default: ""
  price_class:
    description: Which edges serve. Fewer are cheaper.
    type: str
    choices: [PriceClass_100, PriceClass_200, PriceClass_All]
    default: PriceClass_100
  http_version:
    description: The newest HTTP that edges speak.
    type: str
    choices: [http1.1, http2, http3, http2and3]
    default: http2and3
  ipv6:
    description: Whether edges have IPv6 addresses.
    type: bool
    default: true
  enabled:
    description: Whether edges answer.
    type: bool
    default: true
  comment:
    description: What people read in the console.
    type: str
    default: ""
  wait:
    description: Whether to wait until all edges know of a change.
    type: bool
    default: true
  deadline:
    description: For how many seconds to wait.
    type: int
    default: 900
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - amazon.aws.common.modules
  - amazon.aws.region.modules
notes:
  - Budget. 2 API calls when there is nothing to do. The names of the access controls and policies that it refers to are
    in tags of its own, as C(groundwork:cache-policy); each kind of which something is new to it costs one call more.
  - It is found by its tags, by the Resource Groups Tagging API in us-east-1. When that tells of none, CloudFront itself
    is asked, so that one which was made a moment ago is not made again.
  - One that somebody else changes while the module works is left alone. The module says so, and can be run again.
seealso:
  - module: groundwork.aws.cloudfront_origin_access_control
  - module: groundwork.aws.cloudfront_function
  - module: groundwork.aws.cloudfront_cache_policy
  - module: groundwork.aws.cloudfront_response_headers_policy
  - module: groundwork.aws.s3_site_access
"""

EXAMPLES = r"""
- name: Put a distribution in front of the bucket
  groundwork.aws.cloudfront_distribution:
    environment_name: dev
    region: eu-central-1
    name: site
    origins:
      - name: site
        bucket: dev-site-example
        path: /site
        origin_access_control: site
    behavior:
      response_headers_policy: SecurityHeadersPolicy
      functions:
        viewer-request: site
    default_root_object: index.html
    error_pages:
      - code: 404
        page: /404.html
"""

RETURN = r"""
changes:
  description: What was changed, or in check mode would be, in order.
  returned: success
  type: list
  elements: dict
  contains:
    action:
      description: V(create) or V(update).
      type: str
      returned: success
    resource:
      description: The kind of resource, in AWS' words.
      type: str
      returned: success
    name:
      description: The name that people use.
      type: str
      returned: success
  sample:
    - action: create
      resource: distribution
      name: site
distribution:
  description: The distribution. V((known after apply)) in check mode for what does not exist yet.
  returned: success
  type: dict
  contains:
    id:
      description: Its id.
      type: str
      returned: success
    arn:
      description: Its ARN.
      type: str
      returned: success
    domain_name:
      description: Its own host name.
      type: str
      returned: success
    url:
      description: Where visitors find it, by its first alias if it has one.
      type: str
      returned: success
  sample:
    id: E1A2B3C4D5E6F7
    arn: arn:aws:cloudfront::123456789012:distribution/E1A2B3C4D5E6F7
    domain_name: d111111abcdef8.cloudfront.net
    url: https://d111111abcdef8.cloudfront.net
"""

from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.distribution.arguments import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.topics.distribution.run import converge_distribution


def main() -> None:
    run_module(ARGUMENTS, converge_distribution)


if __name__ == "__main__":
    main()
