#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: acm_certificates
version_added: 0.2.0
author:
  - The groundwork.aws developers (@groundwork)
short_description: Manage the certificates of an environment
description:
  - Requests certificates of AWS Certificate Manager, which are validated by DNS, and returns the validation records.
    M(groundwork.aws.route53_records) enters them. AWS renews the certificates by itself as long as these records exist.
  - A certificate cannot be changed. If O(certificates[].names) change, another one is requested, and the former one
    stays until O(replaced=delete).
options:
  certificates:
    description: All certificates.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: The name of the certificate in the environment, which is not one of its host names.
        type: str
        required: true
      names:
        description:
          - The host names, at most 100, of which at least one has at most 64 characters. C(*.) as the first label
            stands for one label.
          - ACM's quota for the names of a certificate is 10 by default.
        type: list
        elements: str
        required: true
      region:
        description:
          - The region. The certificate of a load balancer is in the load balancer's region, that of a distribution in
            C(us-east-1). The default is O(region).
        type: str
      key_algorithm:
        description: The algorithm of the key pair.
        type: str
        choices: [RSA_2048, EC_prime256v1, EC_secp384r1]
        default: RSA_2048
  given:
    description:
      - Certificates that are not managed by this module. It only checks that they are issued, have not expired, and
        cover their names. Each takes one API call.
    type: list
    elements: dict
    default: []
    suboptions:
      arn:
        description: The ARN.
        type: str
        required: true
      names:
        description: The host names that the certificate has to cover.
        type: list
        elements: str
        required: true
  wait:
    description: Whether to wait until all O(certificates) are issued.
    type: bool
    default: false
  deadline:
    description:
      - The time limit for the issuance of a certificate, in seconds, 60 to 259200. ACM looks for the validation records
        for 72 hours.
    type: int
    default: 1800
  replaced:
    description:
      - What to do with certificates that another one of the same name has replaced, when the other one is issued.
      - V(delete) removes them from the listeners of the environment that offer them beside another one, and deletes
        them. A certificate that something else uses stays, with a warning.
    type: str
    choices: [keep, delete]
    default: keep
  planned:
    description:
      - In check mode, whether an earlier task has planned the requests. Then missing certificates count as issued, as
        they are when this task runs.
    type: bool
    default: false
  all_regions:
    description: >-
      Whether to look for certificates of the environment in C(us-east-1) and in O(region), also if none is declared
      there.
    type: bool
    default: false
  purge:
    description: Whether to delete certificates of the environment that are not declared and that nothing uses.
    type: bool
    default: false
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - groundwork.aws.common.connection
notes:
  - Budget. 2 API calls for each region if nothing changes.
  - A warning tells of a certificate that is valid for less than 30 days, because ACM should have renewed it before.
seealso:
  - module: groundwork.aws.route53_records
"""

EXAMPLES = r"""
- name: Request the certificates
  groundwork.aws.acm_certificates:
    environment_name: dev
    region: eu-central-1
    certificates:
      - name: alb-public
        names: [www.example.com, example.com]
      - name: site
        names: [static.example.com]
        region: us-east-1
  register: requested

- name: Enter the validation records
  groundwork.aws.route53_records:
    environment_name: dev
    region: eu-central-1
    zone: example.com
    certificates: "{{ requested.certificates }}"

- name: Wait for the certificates
  groundwork.aws.acm_certificates:
    environment_name: dev
    region: eu-central-1
    certificates:
      - name: alb-public
        names: [www.example.com, example.com]
      - name: site
        names: [static.example.com]
        region: us-east-1
    wait: true
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
      resource: certificate
      name: alb-public
certificates:
  description: The declared certificates.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The name of the certificate.
      type: str
      returned: success
    arn:
      description: The ARN, or V((known after apply)) in check mode.
      type: str
      returned: success
    names:
      description: The host names.
      type: list
      elements: str
      returned: success
    region:
      description: The region.
      type: str
      returned: success
    issued:
      description: Whether the certificate is issued.
      type: bool
      returned: success
    validations:
      description: The validation records (C(name), C(type) and C(value)), as long as the certificate is not issued.
      type: list
      elements: dict
      returned: success
pending:
  description: The names of the certificates that are not issued.
  returned: success
  type: list
  elements: str
  sample: [alb-public]
replaced:
  description: The ARNs of the certificates that others have replaced, or replace when they are issued.
  returned: success
  type: list
  elements: str
  sample: []
used:
  description: The C(name) and the C(names) of the environment's certificates that were in use before this run.
  returned: success
  type: list
  elements: dict
  sample:
    - name: alb-public
      names: [example.com, www.example.com]
undeclared:
  description:
    - The ARNs of the environment's certificates that are not declared, in the regions of those that are. With O(purge)
      they are deleted, unless something uses them.
  returned: success
  type: list
  elements: str
  sample: []
"""

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.acm_certificates import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.certificates.run import converge_certificates


def main() -> None:
    run_module(ARGUMENTS, converge_certificates)


if __name__ == "__main__":
    main()
