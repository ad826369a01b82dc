#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: route53_records
version_added: 0.2.0
author:
  - The groundwork.aws developers (@groundwork)
short_description: Manage the records of an environment in a hosted zone
description:
  - Points names to load balancers and distributions by alias records of Route 53, and enters the validation records of
    certificates (M(groundwork.aws.acm_certificates)).
  - Records have no tags. Beside each name there is a TXT record, C(_groundwork.<environment>.<region>.<name>), which
    says that its records are the environment's. A name whose records are not is changed only if it is in O(adopt), and
    the module fails with their value.
  - Records below a name end what a wildcard stands for. So a new name in O(kept) that a wildcard stands for gets copies
    of the wildcard's A, AAAA and CNAME records together with its validation record.
  - A validation record can be the one of several certificates, also of other environments. It stays as long as one of
    them exists in the environment's region or in C(us-east-1), or another environment has its TXT record.
options:
  zone:
    description: The domain of the hosted zone, such as V(example.com).
    type: str
    required: true
  create:
    description: >-
      Whether to create the zone if the account has none. Its name servers must be entered in the parent domain.
    type: bool
    default: false
  elsewhere:
    description:
      - Whether another account or another provider runs the zone. Then the records are only returned, in C(entries),
        and with O(wait) awaited until the resolver of this machine finds them.
    type: bool
    default: false
  aliases:
    description: The names and their targets.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: >-
          The host name. C(*.) as the first label stands for all names of the zone below that have no records.
        type: str
        required: true
      target:
        description: The DNS name of a load balancer, or the domain name of a distribution.
        type: str
        required: true
      zone_id:
        description: The hosted zone of the target. Required for load balancers.
        type: str
        default: ''
      ipv6:
        description: Whether the target has IPv6 addresses.
        type: bool
        default: false
      resource:
        description:
          - The environment's name for the target, such as C(alb-public), which is written into the ownership record.
            When it changes, the former one is remembered there until O(forget).
        type: str
        default: ''
  kept:
    description: >-
      Names that are declared, and whose targets are not known in this run. Their records are not changed, and only
      refused if they are not the environment's.
    type: list
    elements: str
    default: []
  adopt:
    description:
      - Names whose existing records of other origin are replaced, if they are A, AAAA or CNAME records. The diff shows
        their values, which are not kept anywhere else.
    type: list
    elements: str
    default: []
  unseen:
    description:
      - With O(elsewhere), names that are not awaited, because the provider answers for them with addresses of its own,
        as a proxy or a content delivery network does. Whether they lead to their targets cannot be seen.
    type: list
    elements: str
    default: []
  forget:
    description:
      - Whether resolvers have forgotten what names led to before. Then the ownership records forget it too, and with
        O(purge) those of undeclared names are deleted. Other records of names are not changed.
    type: bool
    default: false
  certificates:
    description:
      - The certificates whose validation records have to be in the zone, as M(groundwork.aws.acm_certificates) returns
        them.
    type: list
    elements: dict
    default: []
    suboptions:
      arn:
        description: The ARN.
        type: str
        required: true
      names:
        description: The host names.
        type: list
        elements: str
        required: true
  check_delegation:
    description:
      - Whether to ask the resolver of this machine for the name servers of the zone, which requires the Python package
        C(dnspython). A warning says which NS records to enter. A new zone is always checked.
    type: bool
    default: false
  planned:
    description:
      - In check mode, whether an earlier task has planned the zone and the validation records. They are not planned
        again then.
    type: bool
    default: false
  wait:
    description: Whether to wait until all name servers of Route 53 have the records.
    type: bool
    default: true
  deadline:
    description: With O(elsewhere), how long to wait for the records, in seconds, 60 to 259200.
    type: int
    default: 1800
  purge:
    description: Whether to delete the environment's records of names and certificates that are not declared.
    type: bool
    default: false
requirements:
  - dnspython >= 2.6, for O(check_delegation), O(elsewhere), and new zones
extends_documentation_fragment:
  - groundwork.aws.common
  - groundwork.aws.common.attributes
  - groundwork.aws.common.connection
notes:
  - Budget. 2 API calls if nothing changes, and 1 more for each 300 records of the zone.
  - The option C(tags) has no effect, because records have no tags.
seealso:
  - module: groundwork.aws.acm_certificates
"""

EXAMPLES = r"""
- name: Point names to a load balancer and to a distribution
  groundwork.aws.route53_records:
    environment_name: dev
    region: eu-central-1
    zone: example.com
    aliases:
      - name: www.example.com
        target: dev-public-1234567890.eu-central-1.elb.amazonaws.com
        zone_id: Z215JYRZR1TBD5
      - name: static.example.com
        target: d111111abcdef8.cloudfront.net
        ipv6: true
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
      description: The host name, or for a validation record the domain that it validates.
      type: str
      returned: success
  sample:
    - action: create
      resource: record
      name: www.example.com
zone:
  description: The hosted zone, with its C(id) and C(name_servers).
  returned: success
  type: dict
delegation:
  description: What is wrong with the delegation of the zone, or an empty string.
  returned: success
  type: str
moved:
  description: The names that lead to another target than before. Resolvers may have the former one for a minute.
  returned: success
  type: list
  elements: str
undeclared:
  description: The names that are not declared. With O(purge) their records have been deleted.
  returned: success
  type: list
  elements: str
ttl:
  description:
    - With O(elsewhere), the longest time to live of the records that the resolver has found, in seconds. Other
      resolvers may have their former values for that time.
  returned: success
  type: int
  sample: 0
owned:
  description:
    - The names with an ownership record of the environment, what they lead to after this run (C(resource)), and what
      they led to before (C(former)). Resolvers may have the former ones for a minute.
  returned: success
  type: list
  elements: dict
  sample:
    - name: www.example.com
      resource: alb-public
      former: [alb-private]
entries:
  description: With O(elsewhere), the records to enter (C(name), C(type), C(value)), and whether they are C(visible).
  returned: success
  type: list
  elements: dict
"""

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.route53_records import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import run_module
from ansible_collections.groundwork.aws.plugins.module_utils.topics.records.run import converge_records


def main() -> None:
    run_module(ARGUMENTS, converge_records)


if __name__ == "__main__":
    main()
