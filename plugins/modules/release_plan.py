#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: release_plan
short_description: Plan a release over servers behind balancers
description:
  - Takes what M(groundwork.aws.server) and M(groundwork.aws.elbv2_target_rotation) have seen of the servers, and
    plans who gets a release when, what is asked of whom, and what each server goes back to when it fails.
  - It runs on the controller, without a connection and without a module run.
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
options:
  servers:
    description: The servers, each with its name, tier, sites (current and kept releases), and whether it is serving.
    type: list
    elements: dict
    required: true
  releases:
    description:
      - What is released, as the option O(groundwork.aws.server#module:releases). One without C(archive) cannot be
        brought to servers that do not keep it.
    type: list
    elements: dict
    required: true
  canary:
    description: How many servers of each tier are in the first batch.
    type: int
    required: true
  batch:
    description: How many servers of each tier are in each other batch, a number or a share as V(50%).
    type: str
    required: true
  tiers:
    description: The names of all servers by tier, those that are not released to included.
    type: dict
    required: true
  groups:
    description: The target groups by name, each with its tier.
    type: dict
    required: true
  urls:
    description: Where the target groups are reached.
    type: dict
    required: true
  hosts:
    description: The host names of the sites that can be asked for, empty for a site that needs none.
    type: dict
    required: true
  probe_paths:
    description: What a batch is asked for through the balancers.
    type: list
    elements: str
    required: true
attributes:
  check_mode:
    description: Tells the changes of the whole release too, since nothing that would make them follows.
    support: full
  diff_mode:
    description: In check mode it shows the releases of each batch's servers.
    support: full
notes:
  - Implemented as an action plugin; this file is its documentation.
"""

EXAMPLES = r"""
- name: Plan the release
  groundwork.aws.release_plan:
    servers:
      - name: public-1
        tier: public
        serving: true
        sites: {shop: {current: 5b1c07aa9e12, kept: [5b1c07aa9e12]}}
    releases:
      - {name: shop, path: /srv/www/shop, id: 3f2a9c01d4e5, archive: /tmp/shop-3f2a9c01d4e5.tar.gz}
    canary: 1
    batch: 50%
    tiers: {public: [public-1, public-2]}
    groups: {public: public}
    urls: {public: "http://dev-public-1234567890.eu-central-1.elb.amazonaws.com"}
    hosts: {shop: shop.example.com}
    probe_paths: [/]
"""

RETURN = r"""
batches:
  description: The batches in their order, each with its name, servers, those that are drained, and probes.
  returned: success
  type: list
  elements: dict
before:
  description: Servers that an interrupted run released to, as a batch that takes part in going back only.
  returned: success
  type: list
  elements: dict
servers:
  description: By server what it is given (C(forward), C(back)).
  returned: success
  type: dict
lines:
  description: The plan in words.
  returned: success
  type: list
  elements: str
changes:
  description: What would be changed.
  returned: in check mode
  type: list
  elements: dict
  contains:
    action:
      description: What would be done.
      type: str
    resource:
      description: To what kind of thing.
      type: str
    name:
      description: To which one.
      type: str
"""
