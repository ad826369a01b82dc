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

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, Read, observe, read_all
from ansible_collections.groundwork.aws.plugins.module_utils.engine.removal import Answers, Removal, Sight

DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")
INSIDE = "inside "  # begins the key of a read of all resources in the environment's VPCs


def look(removals: t.Sequence[Removal], sight: Sight, clients: Clients) -> Sight:
    """Return the sight with all answers. Reads that need no other answer are made in parallel."""
    while reads := {key: read for key, read in reads_of(removals, sight) if key not in sight.answers}:
        made, denied = _made(reads, _optional(removals, sight), clients)
        answers = _merged(removals, {**sight.answers, **made})
        sight = replace(sight, answers=answers, denied={**sight.denied, **denied})
    return sight


def _optional(removals: t.Iterable[Removal], sight: Sight) -> set[str]:
    """Return the keys of the reads of topics that an environment may not use."""
    return {key for removal in removals if removal.optional for key, _read in removal.reads(sight)}


def _made(
    reads: t.Mapping[str, Read], optional: t.Container[str], clients: Clients
) -> tuple[dict[str, list[t.Any]], dict[str, str]]:
    """Return the answers, and AWS' messages of the optional reads that the credentials do not allow."""
    try:
        return observe(clients, reads), {}
    except GroundworkError as error:
        if error.details.get("error_code") not in DENIED:
            raise
    answers: dict[str, list[t.Any]] = {}
    denied: dict[str, str] = {}
    for key, read in reads.items():
        try:
            answers[key] = read_all(clients, read)
        except GroundworkError as error:
            if key not in optional or error.details.get("error_code") not in DENIED:
                raise
            answers[key], denied[key] = [], str(error)
    return answers, denied


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
