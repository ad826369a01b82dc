# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Computes parts of a release from what the play recorded on its servers."""

from __future__ import annotations

DOCUMENTATION = r"""
---
name: release
short_description: Compute a part of a release from what the play recorded on its servers
description:
  - Used by the role release alone, and private to this collection.
version_added: 0.1.0
author:
  - The groundwork.aws developers (@groundwork)
positional: part
options:
  _input:
    description: The variables of the play's servers, by name (C(hostvars)).
    type: dict
    required: true
  part:
    description: The part to compute.
    type: str
    choices: [servers, rolled_back, lost, taken_back, outdated_records, report]
    required: true
  hosts:
    description: The names of the servers that get the release.
    type: list
    elements: str
    required: true
  absent:
    description: For V(servers), the names of the servers that are not registered with their target groups.
    type: list
    elements: str
    default: []
  plan:
    description: For the other parts, the servers of the result of M(groundwork.aws.release_plan).
    type: dict
    default: {}
  touched:
    description: For the other parts, the names of the servers whose batches were started.
    type: list
    elements: str
    default: []
  at:
    description: For V(taken_back), the time.
    type: str
    default: ""
  releases:
    description: For V(outdated_records), the releases that all servers have.
    type: list
    elements: dict
    default: []
  unwell:
    description: For V(report), the errors of registering servers and of invalidating what CloudFront has cached.
    type: list
    elements: str
    default: []
  stays:
    description: For V(report), whether the release was not rolled back.
    type: bool
    default: false
  command:
    description: For V(report), the command that releases again.
    type: str
    default: ""
  sites:
    description: For V(report), the number of sites.
    type: int
    default: 1
"""

EXAMPLES = r"""
- name: Show the servers that were rolled back
  ansible.builtin.debug:
    msg: "{{ hostvars | groundwork.aws.release('rolled_back', hosts=release_hosts, plan=release_plan.servers) }}"
"""

RETURN = r"""
_value:
  description: The part.
  type: raw
"""

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.project import reports
from ansible_collections.groundwork.aws.plugins.module_utils.topics.rollout import records

Hosts = t.Mapping[str, t.Mapping[str, t.Any]]
TIER = "groundwork:tier"
FOUND = {"rolled_back": reports.rolled_back, "lost": reports.lost}
UNPLANNED: t.Mapping[str, t.Any] = {"back": (), "rotated": False}  # a server that has the release already


class FilterModule:
    """The filter `release`."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return the filters of this file by their names."""
        return {"release": release}


def release(hostvars: Hosts, part: str, hosts: t.Sequence[str], **play: t.Any) -> t.Any:
    """Return a part of a release."""
    if part == "servers":
        return [server(name, hostvars[name], play["absent"]) for name in hosts]
    if part == "outdated_records":
        served = {one["name"]: one["id"] for one in play["releases"]}
        return [
            {"resource": hostvars[name]["server_id"], **change}
            for name in hosts
            for change in records.tag_changes(hostvars[name]["server_tags"], served)
        ]
    if part == "taken_back":
        return taken_back({name: hostvars[name] for name in hosts}, play["plan"], play["at"])
    members = [member(name, hostvars[name], play["plan"].get(name, UNPLANNED), play["touched"]) for name in hosts]
    if part in FOUND:
        return FOUND[part](members)
    facts = {name: play[name] for name in ("stays", "command", "sites")}
    return reports.release_report(members, list(play["unwell"]), **facts)


def server(name: str, facts: t.Mapping[str, t.Any], absent: t.Container[str]) -> dict[str, t.Any]:
    """Return a server before the release, as an item of the option `servers` of the action release_plan."""
    sites = facts["lamp_seen"]["sites"]
    return {"name": name, "tier": facts["server_tags"][TIER], "sites": sites, "serving": name not in absent}


def member(
    name: str, facts: t.Mapping[str, t.Any], plan: t.Mapping[str, t.Any], touched: t.Container[str]
) -> reports.Member:
    """Return a server, and what the play recorded about it."""
    return reports.Member(
        name=name,
        id=facts.get("server_id", ""),
        tier=facts["server_tags"][TIER],
        before={one["name"]: one["id"] for one in plan["back"]},
        rotated=plan["rotated"],
        touched=name in touched,
        reachable="ping" in facts.get("release_answer", {}),
        failures=tuple(filter(None, (facts.get(key) for key in ("release_failure", "release_failure_back")))),
        asked=facts.get("release_asked", {}).get("failed_pages"),
        returned=facts.get("release_returned"),
        failed_before=facts.get("release_given", {}).get("failed_before"),
    )


def taken_back(hosts: Hosts, plan: t.Mapping[str, t.Any], at: str) -> list[dict[str, t.Any]]:
    """Return the tags that record that a release was taken back, as options of `amazon.aws.ec2_tag`.

    There are none if no server had the release, and in a tier of which some servers keep it.
    """
    went_back = (
        one.get("release_went_back") or one.get("release_given", {}).get("taken_back") for one in hosts.values()
    )
    if not any(went_back):
        return []
    reason = next((one["release_failure"] for one in hosts.values() if one.get("release_failure")), "")
    found = []
    for tier in dict.fromkeys(one["server_tags"][TIER] for one in hosts.values()):
        members = [name for name, one in hosts.items() if one["server_tags"][TIER] == tier]
        if not plan.keys() >= {*members}:
            continue
        before = {name: {one["name"]: one["id"] for one in plan[name]["back"]} for name in members}
        moves = [
            (one["name"], one["id"], before[name][one["name"]])
            for name in members
            for one in plan[name]["forward"]
            if one["name"] in before[name]
        ]
        tags = records.taken_back(moves, at, reason)
        found += [{"resource": hosts[name]["server_id"], "tags": tags} for name in members if tags]
    return found
