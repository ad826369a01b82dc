# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tells which releases the servers serve after a play, for the distributions in front of them."""

from __future__ import annotations

DOCUMENTATION = r"""
---
name: served
short_description: Tell which releases servers serve after a play
description:
  - The result is the option C(alb_releases) of the role alb.
  - Used by the playbooks and the role release, and private to this collection.
version_added: 0.2.0
author:
  - The groundwork.aws developers (@groundwork)
options:
  _input:
    description: The variables of the play's servers and of localhost, by name (C(hostvars)).
    type: dict
    required: true
  hosts:
    description: The names of the servers. What is not known of them is left out.
    type: list
    elements: str
    required: true
  stays:
    description: Whether a release stays. Otherwise it was rolled back.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Show the releases of the servers
  ansible.builtin.debug:
    msg: "{{ hostvars | groundwork.aws.served(hosts=groups.servers) }}"
"""

RETURN = r"""
_value:
  description: The releases (ids by site) of each server and of each Auto Scaling group, with its tier.
  type: list
  elements: dict
"""

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.topics.rollout.records import TIER

Hosts = t.Mapping[str, t.Mapping[str, t.Any]]


class FilterModule:
    """The filter `served`."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters of this file by their names."""
        return {"served": served}


def served(hostvars: Hosts, hosts: t.Sequence[str], stays: bool = True) -> list[dict[str, t.Any]]:
    """Return the releases (ids by site) that servers serve after the play, with their tiers.

    Those of numbered servers are what the role lamp has brought, or the release, if it `stays`. Those of Auto Scaling
    groups are what their servers fetch at their first boot.
    """
    booted = hostvars.get("localhost", {}).get("lamp_booted") or {}
    numbered = [hostvars[name] for name in hosts]
    return [
        *({"tier": _tier(facts), "releases": _served(facts, stays)} for facts in numbered),
        *({"tier": tier, "releases": releases} for tier, releases in booted.items()),
    ]


def _tier(facts: t.Mapping[str, t.Any]) -> str:
    return str(facts.get("server_tier") or facts.get("server_tags", {}).get(TIER, ""))


def _served(facts: t.Mapping[str, t.Any], stays: bool) -> dict[str, str]:
    if not stays:
        return {site: one["current"] for site, one in facts["lamp_seen"]["sites"].items()}
    if "lamp_releases" in facts:
        return {one["name"]: one["id"] for one in facts["lamp_releases"]}
    return dict(facts.get("lamp_made", {}).get("served") or {})
