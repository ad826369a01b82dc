# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read all resources of an environment: one read per type, then the reads whose arguments are in the first answers.

Resources are found by their tags. If the environment has a VPC, all other resources in it are read too, because they
may keep resources of the environment.
"""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.removal import Answers, Removal, Sight

INSIDE = "inside "  # begins the key of a read of all resources in the environment's VPCs


def look(removals: t.Sequence[Removal], sight: Sight, clients: Clients) -> Sight:
    """Return the sight with all answers. Reads that need no other answer are made in parallel."""
    while reads := {key: read for key, read in reads_of(removals, sight) if key not in sight.answers}:
        answers = {**sight.answers, **observe(clients, reads)}
        sight = replace(sight, answers=_merged(removals, answers))
    return sight


def reads_of(removals: t.Iterable[Removal], sight: Sight) -> t.Iterator[tuple[str, Read]]:
    """Yield all reads whose arguments are known, including those that have been made."""
    vpcs = [vpc["VpcId"] for vpc in sight.found("vpcs")]
    for removal in removals:
        for key, kind in removal.tagged.items():
            yield key, kind.read(sight.whose.environment)
            if vpcs and kind.inside:
                yield INSIDE + key, kind.read_inside(vpcs)
        yield from removal.reads(sight)


def _merged(removals: t.Iterable[Removal], answers: Answers) -> Answers:
    """Return the answers. A resource that was found by its tag and in a VPC is there once."""
    both = {
        key: list({one[kind.id]: one for one in (*answers[key], *answers[INSIDE + key])}.values())
        for removal in removals
        for key, kind in removal.tagged.items()
        if INSIDE + key in answers
    }
    return {**answers, **both}
