#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: http_probe
short_description: Request pages from servers, directly or through a load balancer, and check the responses
description:
  - Sends requests until each of the given servers has sent enough responses. It fails if too many of these are errors,
    if a server serves another release, or if a server does not respond.
  - Servers that the role C(lamp) configures send their name and their release in response headers, to themselves and
    to the networks of C(lamp_probe_cidrs). Responses of other servers are not counted.
  - It runs on a server, or on the controller to send requests through a load balancer.
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
options:
  probes:
    description: The probes. All requests are sent before the responses are checked.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: The probe's name in messages.
        type: str
        required: true
      url:
        description: The URL of the server, load balancer or distribution, beginning with C(http://) or C(https://),
          without a path.
        type: str
        required: true
      tls_name:
        description: The host name that the certificate of an HTTPS URL has to cover. Without one the certificate is not
          verified, as for a load balancer that is requested by the name that AWS gave it.
        type: str
        default: ""
      host:
        description: The site's host name. By default the host name of the URL.
        type: str
        default: ""
      paths:
        description: The paths to request, in turn.
        type: list
        elements: str
        default: [/]
      servers:
        description: The names of the servers whose responses are checked.
        type: list
        elements: str
        required: true
      release:
        description: The id of the release that they must serve. Empty for any.
        type: str
        default: ""
  requests:
    description: The number of responses to check for each probe. Each path is requested at least once.
    type: int
    default: 1
  error_threshold:
    description:
      - The allowed percentage of errors. An error is a status of 500 or more, or a missing response.
      - If more requests than that are errors, but at most 10 percent, the requests are repeated up to twice before the
        percentage is judged. So one lost response is not an error of a server.
    type: float
    default: 0.0
  timeout:
    description: The time limit of a request, in seconds.
    type: int
    default: 10
  deadline:
    description: The time limit of each probe until all servers have responded, in seconds.
    type: int
    default: 60
extends_documentation_fragment:
  - groundwork.aws.common.python
attributes:
  check_mode:
    description: Sends no requests, because the release is not on the servers yet.
    support: full
  diff_mode:
    description: The module makes no changes.
    support: none
"""

EXAMPLES = r"""
- name: Check that the load balancer serves the new release
  groundwork.aws.http_probe:
    probes:
      - name: shop
        url: http://dev-public-1234567890.eu-central-1.elb.amazonaws.com
        servers: [public-1]
        release: 3f2a9c01d4e5
    requests: 50
    error_threshold: 1
  delegate_to: localhost
"""

RETURN = r"""
probes:
  description: The result of each probe.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The probe's name.
      type: str
    requests:
      description: The number of responses by server. The name is empty for responses without a server's name.
      type: dict
    failures:
      description: The number of errors.
      type: dict
"""

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.http_probe import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.quiet import QuietModule
from ansible_collections.groundwork.aws.plugins.module_utils.host.probe import (
    parse_probes,
    sample,
    summary,
    verdict,
)


def main() -> None:
    """Send all requests, then check the responses."""
    module = QuietModule(argument_spec=ARGUMENTS, supports_check_mode=True)
    options, problems = module.params, Problems()
    probes = parse_probes(options, problems)
    try:
        problems.raise_if_any()
    except GroundworkError as error:
        module.fail_json(msg=str(error), **error.details)
    asked = () if module.check_mode else probes
    limits = (options["requests"], options["timeout"], options["deadline"], options["error_threshold"])
    answers = [sample(one, *limits) for one in asked]
    seen = [summary(probe, some) for probe, some in zip(asked, answers, strict=True)]
    wrong = [
        line
        for probe, some in zip(asked, answers, strict=True)
        for line in verdict(probe, some, options["error_threshold"])
    ]
    if wrong:
        module.fail_json(msg="\n".join(wrong), probes=seen)
    module.exit_json(changed=False, probes=seen)


if __name__ == "__main__":
    main()
