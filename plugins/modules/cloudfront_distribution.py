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
short_description: Manage a CloudFront distribution
description:
  - Creates or updates a distribution. The declared settings are compared with the existing ones. The distribution is
    updated only if they differ, and the diff shows only the differences.
  - Settings that the module does not support are kept. Lists (origins, behaviors, error pages, aliases) are replaced as
    a whole.
  - The module M(community.aws.cloudfront_distribution) is not idempotent, removes origin access controls and function
    associations, and does not support check mode.
options:
  name:
    description: The name. Its name in AWS is C(<environment>-<name>).
    type: str
    required: true
  state:
    description: V(absent) disables the distribution, waits until all edge locations know that, and deletes it.
    type: str
    choices: [present, absent]
    default: present
  component:
    description: The role that the distribution belongs to, for its tag C(groundwork:component). Its policies and
      functions belong to the same role.
    type: str
    default: static_site
  origins:
    description: The origins, at least one. The first one is the default.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The name of the origin in this distribution.
        type: str
        required: true
      bucket:
        description: An S3 bucket of the region. Give either this or O(origins[].domain).
        type: str
      domain:
        description: The host name of an HTTP server.
        type: str
      path:
        description: The origin path, which is prepended to the path of each request, such as V(/site).
        type: str
      origin_access_control:
        description: The name of the environment's origin access control, which signs the requests to the bucket.
        type: str
      protocol:
        description: The protocol of requests to an HTTP server.
        type: str
        choices: [http-only, https-only, match-viewer]
        default: https-only
      http_port:
        description: The HTTP port of an HTTP server.
        type: int
        default: 80
      https_port:
        description: The HTTPS port of an HTTP server.
        type: int
        default: 443
      headers:
        description:
          - Custom headers that are sent to the origin. The diff does not show their values.
          - Give a secret as a placeholder, C(@groundwork(parameter:/path)@), and its value in O(secrets).
        type: dict
  secrets:
    description:
      - The values of the placeholders, by the names of their parameters.
      - Only the values of O(origins[].headers) can contain placeholders.
      - Each value must have at least 8 characters. The option is not logged, and its values are hidden in the result.
    type: dict
    default: {}
  behavior:
    description: The default cache behavior, for paths that O(behaviors) do not match.
    type: dict
    default: {}
    suboptions: &behavior
      origin:
        description: The name of the origin. The default is the first origin.
        type: str
      viewer_protocol:
        description: How requests over HTTP are handled.
        type: str
        choices: [redirect-to-https, https-only, allow-all]
        default: redirect-to-https
      methods:
        description:
          - The allowed methods. V(read) are GET and HEAD, V(read-options) are GET, HEAD and OPTIONS, V(all) are all
            methods.
          - Responses to GET and HEAD are cached.
        type: str
        choices: [read, read-options, all]
        default: read
      compress:
        description: Whether CloudFront compresses objects, if the cache policy enables it.
        type: bool
        default: true
      cache_policy:
        description: The name of a cache policy of AWS, such as V(CachingOptimized), or of the environment.
        type: str
        default: CachingOptimized
      origin_request_policy:
        description: The name of an origin request policy of AWS or of the environment.
        type: str
      response_headers_policy:
        description: The name of a response headers policy of AWS or of the environment.
        type: str
      functions:
        description: The names of the environment's functions by event, V(viewer-request) or V(viewer-response).
        type: dict
  behaviors:
    description: The cache behaviors by path pattern. The first matching one is used.
    type: list
    elements: dict
    default: []
    suboptions:
      <<: *behavior
      path:
        description: The path pattern, such as V(/api/*). The first cache behavior that matches is used.
        type: str
        required: true
  error_pages:
    description: The custom error responses.
    type: list
    elements: dict
    default: []
    suboptions:
      code:
        description: The status code of the origin.
        type: int
        required: true
      page:
        description: The path of the error page, such as V(/404.html).
        type: str
      response_code:
        description: The status code that CloudFront returns with the page. The default is O(error_pages[].code).
        type: int
      ttl:
        description: The minimum TTL of the error in seconds.
        type: int
        default: 10
  content:
    description:
      - What the origins serve, by names of your own, such as the releases of sites. If the distribution's tags record
        something else, all cached objects are invalidated, as by M(groundwork.aws.cloudfront_invalidation).
      - Names that are left out are not compared.
    type: dict
    default: {}
  default_root_object:
    description: The object that is returned for V(/).
    type: str
    default: ""
  aliases:
    description: Alternate domain names.
    type: list
    elements: str
    default: []
  certificate_arn:
    description: The ARN of an ACM certificate in us-east-1 that covers all aliases.
    type: str
    default: ""
  minimum_tls:
    description: The security policy, which sets the minimum TLS version. It applies only with O(certificate_arn).
    type: str
    choices: [TLSv1.2_2019, TLSv1.2_2021, TLSv1.2_2025, TLSv1.3_2025]
    default: TLSv1.2_2021
  web_acl_arn:
    description:
      - The ARN of a WAFv2 web ACL with the scope CLOUDFRONT. An empty string removes the existing association.
      - By default the existing association is kept, because AWS Firewall Manager may have created it.
    type: str
  log_bucket:
    description: The bucket for standard access logs. Its access control lists must be enabled.
    type: str
    default: ""
  log_prefix:
    description: The prefix of the names of the log files.
    type: str
    default: ""
  price_class:
    description: The price class, which limits the edge locations.
    type: str
    choices: [PriceClass_100, PriceClass_200, PriceClass_All]
    default: PriceClass_100
  http_version:
    description: The supported HTTP versions.
    type: str
    choices: [http1.1, http2, http3, http2and3]
    default: http2and3
  ipv6:
    description: Whether IPv6 is enabled.
    type: bool
    default: true
  enabled:
    description: Whether the distribution is enabled.
    type: bool
    default: true
  comment:
    description: The comment, which the console shows.
    type: str
    default: ""
  wait:
    description: Whether to wait for a change to be deployed to all edge locations.
    type: bool
    default: true
  deadline:
    description: The time limit for the deployment, in seconds.
    type: int
    default: 900
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - groundwork.aws.common.connection
notes:
  - Budget. 2 API calls if nothing changes. The distribution's tags, such as C(groundwork:cache-policy), contain the
    names and ids of the origin access controls and policies that it refers to. 1 call more for each kind of resource,
    and for each function, that is new to the distribution.
  - The distribution is found by its tags, with the Resource Groups Tagging API in us-east-1. If that finds none,
    CloudFront's own API is searched too, so that a recently created distribution is not created again.
  - With O(state=absent) 2 API calls if it does not exist.
  - If the distribution is changed by another client while the module runs, the module fails and changes nothing. Run it
    again.
seealso:
  - module: groundwork.aws.cloudfront_origin_access_control
  - module: groundwork.aws.cloudfront_function
  - module: groundwork.aws.cloudfront_cache_policy
  - module: groundwork.aws.cloudfront_response_headers_policy
  - module: groundwork.aws.s3_site_access
  - module: groundwork.aws.cloudfront_invalidation
"""

EXAMPLES = r"""
- name: Create a distribution with a bucket as its origin
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
  description: The changes in order. In check mode they are only planned.
  returned: success
  type: list
  elements: dict
  contains:
    action:
      description: V(create), V(update) or V(delete).
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
      resource: distribution
      name: site
distribution:
  description: The distribution. Values that are not known in check mode are V((known after apply)).
  returned: O(state=present)
  type: dict
  contains:
    id:
      description: The id.
      type: str
      returned: success
    arn:
      description: The ARN.
      type: str
      returned: success
    domain_name:
      description: The domain name.
      type: str
      returned: success
    url:
      description: The URL, with the first alias if there is one, otherwise with the domain name.
      type: str
      returned: success
  sample:
    id: E1A2B3C4D5E6F7
    arn: arn:aws:cloudfront::123456789012:distribution/E1A2B3C4D5E6F7
    domain_name: d111111abcdef8.cloudfront.net
    url: https://d111111abcdef8.cloudfront.net
"""

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.cloudfront_distribution import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.distribution.run import converge_distribution

# What the documentation cannot say, for tools/generate.
UNDOCUMENTED = {
    "secrets": {"no_log": True},
}


def main() -> None:
    run_module(ARGUMENTS, converge_distribution)


if __name__ == "__main__":
    main()
