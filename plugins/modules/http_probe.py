#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: http_probe
short_description: Ask servers for pages, directly or through their balancer, and judge their answers
description:
  - Sends requests until each of the named servers has given its share of answers, and fails when more of these are
    errors than is allowed, when a server serves another release, or when one is never heard of.
  - Servers that the role lamp configures tell their name and their release in headers of each answer, to themselves and
    to the networks of C(lamp_probe_cidrs). Answers of servers that are not named do not count.
  - It runs where it is called, on a server, or on the controller to ask through a balancer.
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
options:
  probes:
    description: What is asked. All of it is, before any of it is judged.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: What it is called in messages.
        type: str
        required: true
      url:
        description: The server's or the balancer's URL, beginning with C(http://), without a path.
        type: str
        required: true
      host:
        description: The site's host name, unless it is the URL's.
        type: str
        default: ""
      paths:
        description: The paths that are asked for in turn.
        type: list
        elements: str
        default: [/]
      servers:
        description: The names of the servers whose answers are judged.
        type: list
        elements: str
        required: true
      release:
        description: The id of the release that they should serve. Empty for any.
        type: str
        default: ""
  requests:
    description: How many answers of the servers of each probe are judged. Each path is asked for once at least.
    type: int
    default: 1
  error_threshold:
    description:
      - How many percent of these answers may be errors. An error is a status of 500 or more, or no answer at all.
    type: float
    default: 0.0
  timeout:
    description: For how many seconds to wait for an answer.
    type: int
    default: 10
  deadline:
    description: For how many seconds to go on asking, for each probe, until all servers have answered.
    type: int
    default: 60
attributes:
  check_mode:
    description: Asks nobody, since what would be judged is not there yet.
    support: full
  diff_mode:
    description: There is nothing to show.
    support: none
"""

EXAMPLES = r"""
- name: See that the new release answers through the balancer
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
  description: What each probe saw.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: The probe's name.
      type: str
    requests:
      description: How many answers there were by server. Empty is the name for answers that do not tell theirs.
      type: dict
    failures:
      description: How many of them were errors.
      type: dict
"""

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.quiet import QuietModule
from ansible_collections.groundwork.aws.plugins.module_utils.host.probe import (
    PROBE_ARGUMENTS,
    gather,
    parse_probes,
    summary,
    verdict,
)


def main() -> None:
    """Ask, then judge."""
    module = QuietModule(argument_spec=PROBE_ARGUMENTS, supports_check_mode=True)
    options, problems = module.params, Problems()
    probes = parse_probes(options, problems)
    try:
        problems.raise_if_any()
    except GroundworkError as error:
        module.fail_json(msg=str(error), **error.details)
    asked = () if module.check_mode else probes
    answers = [gather(one, options["requests"], options["timeout"], options["deadline"]) for one in asked]
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
