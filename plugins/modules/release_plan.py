#!/usr/bin/python
# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: release_plan
short_description: Plan the release of an application to servers behind load balancers
description:
  - Takes the state of the servers from M(groundwork.aws.server) and M(groundwork.aws.elbv2_target_rotation), and
    plans the batches of servers, the probes of each batch, and the release that each server goes back to on a failure.
  - It runs on the controller, without connections.
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
options:
  servers:
    description: The servers, each with name, tier, sites (current and kept releases), and whether it serves.
    type: list
    elements: dict
    required: true
  releases:
    description:
      - The releases, as the option O(groundwork.aws.server#module:releases). A release without C(archive) must be
        kept on all servers already.
    type: list
    elements: dict
    required: true
  canary:
    description: The number of servers of each tier in the first batch.
    type: int
    required: true
  batch:
    description: The number of servers of each tier in the other batches, or a share as V(50%).
    type: str
    required: true
  tiers:
    description: The names of all servers by tier, including those that do not get the release.
    type: dict
    required: true
  groups:
    description: The target groups by name, each with its tier.
    type: dict
    required: true
  urls:
    description: The URLs of the target groups.
    type: dict
    required: true
  names:
    description: The domain names of each target group, which the certificates of its load balancer cover.
    type: dict
    default: {}
  hosts:
    description: The host names of the sites to probe, or an empty string for a site without one.
    type: dict
    required: true
  probe_paths:
    description: The paths to request through the load balancers.
    type: list
    elements: str
    required: true
extends_documentation_fragment:
  - groundwork.aws.common.python
attributes:
  check_mode:
    description: Also returns the changes of the whole release.
    support: full
  diff_mode:
    description: Shows the releases of each batch's servers, in check mode.
    support: full
notes:
  - This module is an action plugin. This file is its documentation.
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
  description: The batches in order, each with its name, its servers, its servers to drain, and its probes.
  returned: success
  type: list
  elements: dict
before:
  description: Servers that an interrupted run has updated, as a batch which only goes back on a failure.
  returned: success
  type: list
  elements: dict
servers:
  description: The releases of each server (C(forward), C(back)), by server.
  returned: success
  type: dict
lines:
  description: The plan as text.
  returned: success
  type: list
  elements: str
changes:
  description: The planned changes.
  returned: in check mode
  type: list
  elements: dict
  contains:
    action:
      description: The action.
      type: str
    resource:
      description: The kind of resource.
      type: str
    name:
      description: The resource's name.
      type: str
"""
