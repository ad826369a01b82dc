# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The records of releases that were taken back. They are tags of the servers, which the inventory reads.

These functions are pure. A tag is

groundwork:taken-back:<site> = <id>, kept <id>, 2026-11-29T20:31Z, <reason>
"""

from __future__ import annotations

import re
import typing as t
from collections import Counter
from dataclasses import dataclass, replace

Tags = t.Mapping[str, str]

TIER = "groundwork:tier"
PREFIX = "groundwork:taken-back:"
LONGEST = 256  # characters of a tag's value
VALUE = re.compile(r"(?P<id>\S+), kept (?P<kept>\S+), (?P<at>\S+?), (?P<reason>.*)")
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions
NOT_IN_TAGS = re.compile(r"[^\w +=.:/@-]+")


@dataclass(frozen=True)
class Record:
    """A release `id` that was taken back at a time in ISO 8601, and the release `kept` that is served instead."""

    id: str
    kept: str
    at: str
    reason: str

    @property
    def value(self) -> str:
        """Return the value of the tag. The end of a long reason is left out."""
        reason = " ".join(NOT_IN_TAGS.sub(" ", self.reason).split())
        return f"{self.id}, kept {self.kept}, {self.at}, {reason}"[:LONGEST]


def records(tags: Tags) -> dict[str, Record]:
    """Return the records of a server, by site."""
    found = {key.removeprefix(PREFIX): VALUE.fullmatch(value) for key, value in tags.items() if key.startswith(PREFIX)}
    return {site: Record(**match.groupdict()) for site, match in found.items() if match}


def records_for(tier: str, servers: t.Sequence[Tags]) -> dict[str, Record]:
    """Return the records that concern a tier, by site: the latest of its servers.

    A tier without servers in the inventory, such as one with an Auto Scaling group, gets what the others get.
    """
    members = [tags for tags in servers if tags.get(TIER) == tier] or servers
    counts = Counter((site, record) for tags in members for site, record in records(tags).items())
    ranked = sorted(counts, key=lambda one: (one[1].at, counts[one], one[1].value))
    return dict(ranked)


def noted(record: Record, site: str) -> str:
    """Return the warning that another release stays, and what to do."""
    return (
        f"The release {record.id} of {site} was taken back at {record.at} ({record.reason}). {record.kept} stays. "
        f"Correct the application, or release {record.id} in batches with release.yml, which removes this record. "
        f"To release it here all the same, set lamp_release to {site}:{record.id}."
    )


def taken_back(moves: t.Iterable[tuple[str, str, str]], at: str, reason: str) -> dict[str, str]:
    """Return the tags that record releases that were taken back.

    `moves` are the sites of all servers of a tier, with the ids of the release and of the one before. Servers that had
    different ones before are recorded with the most common one.
    """
    counts = Counter(move for move in moves if move[1] != move[2])
    common = sorted(counts, key=lambda move: (counts[move], move))
    return {f"{PREFIX}{site}": Record(new, before, at, reason).value for site, new, before in common}


def tag_changes(tags: Tags, served: t.Mapping[str, str]) -> list[dict[str, t.Any]]:
    """Return which tags of a server must change when it serves these releases, as options of `amazon.aws.ec2_tag`.

    A release that is served again is not taken back any more. The record of another one tells what is served instead.
    """
    changes = []
    for site, record in records(tags).items():
        key, current = f"{PREFIX}{site}", served.get(site, record.kept)
        if current == record.id:
            changes.append({"state": "absent", "tags": {key: None}})
        elif current != record.kept:
            changes.append({"state": "present", "tags": {key: replace(record, kept=current).value}})
    return changes
