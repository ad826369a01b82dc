#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: environment_https_info
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
short_description: Read the certificates and the distributions of an environment
description:
  - Returns the certificates of AWS Certificate Manager and the CloudFront distributions that have the tags of the
    environment, with their states.
  - Certificates are read in the environment's region and in the region of CloudFront.
options: {}
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - groundwork.aws.common.connection
notes:
  - Budget. 2 API calls, and 1 for each certificate and each distribution.
  - Permissions. C(tag:GetResources), C(acm:DescribeCertificate) and C(cloudfront:GetDistribution). If the credentials
    may not read the tags of CloudFront's region, nothing of that region is returned.
seealso:
  - module: groundwork.aws.acm_certificates
  - module: groundwork.aws.cloudfront_distribution
"""

EXAMPLES = r"""
- name: Read the certificates and the distributions
  groundwork.aws.environment_https_info:
    environment_name: dev
    region: eu-central-1
  register: https
"""

RETURN = r"""
certificates:
  description: The certificates, sorted by their names.
  returned: success
  type: list
  elements: dict
  contains:
    arn:
      description: The ARN.
      type: str
      returned: success
    names:
      description: The domain names, sorted.
      type: list
      elements: str
      returned: success
    status:
      description: The status, for example V(ISSUED) or V(PENDING_VALIDATION).
      type: str
      returned: success
    ends:
      description: The time in UTC at which it expires. Empty if it is not issued.
      type: str
      returned: success
    days:
      description: The number of full days until it expires, below 0 if it has expired. Null if it is not issued.
      type: int
      returned: success
    in_use:
      description: Whether a load balancer or a distribution uses it.
      type: bool
      returned: success
    problem:
      description: What is wrong with its issue or its renewal. Empty if nothing is.
      type: str
      returned: success
distributions:
  description: The distributions, sorted by their names.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The id.
      type: str
      returned: success
    name:
      description: The name, without that of the environment.
      type: str
      returned: success
    domain:
      description: The domain name of CloudFront.
      type: str
      returned: success
    aliases:
      description: The other domain names.
      type: list
      elements: str
      returned: success
    status:
      description: V(Deployed) or V(InProgress).
      type: str
      returned: success
    enabled:
      description: Whether it answers requests.
      type: bool
      returned: success
  sample:
    - id: E1A2B3C4D5E6F7
      name: site
      domain: d111111abcdef8.cloudfront.net
      aliases: []
      status: Deployed
      enabled: true
"""

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.environment_https_info import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.project.https import look_at_https


def main() -> None:
    run_module(ARGUMENTS, look_at_https)


if __name__ == "__main__":
    main()
