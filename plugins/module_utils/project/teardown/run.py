# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the module `environment_teardown`, which removes an environment and verifies that no resource remains.

It reads, plans, deletes and reads again, until it finds no resource of the environment to delete. So the last read
verifies the removal, and a run on a removed environment only reads.
"""

from __future__ import annotations

import typing as t
from collections import Counter

from ansible_collections.groundwork.aws.plugins.module_utils.engine.apply import apply, report
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Change
from ansible_collections.groundwork.aws.plugins.module_utils.engine.removal import Sight, Thing, Whose
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.project.ordering import in_order
from ansible_collections.groundwork.aws.plugins.module_utils.project.removals import REMOVALS
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.interfaces import interface_removal
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.keeping import Keeper, is_wished, keepers
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.options import Teardown, parse_teardown
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.order import going, ordered, plan_removal
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.reads import look
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.things import things

COMPONENT = "teardown"
ROUNDS = 3  # an Auto Scaling group or another run of site.yml may create resources meanwhile
SWEEP_DEADLINE = 60.0  # seconds until AWS stops reporting deleted resources
SWEEP_INTERVAL = 5.0

TOPICS = in_order(REMOVALS, lambda removal: (removal.after,))
ALL = (*TOPICS, interface_removal(TOPICS))
# All kinds of resources of an environment, which the last read looks for.
KINDS = sorted(kind for removal in ALL for kind in removal.kinds)


def converge_teardown(run: Run) -> dict[str, t.Any]:
    """Return the result of `environment_teardown`. Raise GroundworkError with all remaining resources."""
    owner, desired = run.parse(COMPONENT, parse_teardown)
    teardown = _Teardown(run, Whose(owner.environment, owner.region), desired)
    if run.check_mode:
        return teardown.predict()
    return teardown.remove()


class _Teardown:
    """One run. `refused` are AWS' messages by the ids of the resources that it did not delete, `made` the changes."""

    def __init__(self, run: Run, whose: Whose, desired: Teardown) -> None:
        self.run = run
        self.whose = whose
        self.desired = desired
        self.refused: dict[str, str] = {}
        self.made: dict[str, Change] = {}
        self.things = self._look(check=True)
        for line in _elsewhere(self.things, whose.environment):
            run.warn(line)

    def predict(self) -> dict[str, t.Any]:
        for keeper in self._keepers():
            self.run.warn(f"{keeper}.")
        changes = plan_removal(self._leaving())
        return {**report(changes, {}), **self._found()}

    def remove(self) -> dict[str, t.Any]:
        rounds = 0
        while rounds < ROUNDS and (leaving := self._leaving()):
            rounds += 0 if self._refuses(leaving) else 1
            self._sweep()
        self._prove()
        return {**report(list(self.made.values()), {}), **self._found()}

    def _look(self, *, check: bool = False) -> list[Thing]:
        begin = Sight(self.whose, {}, self.desired.wishes, self.desired.deadline)
        sight = look(ALL, begin, self.run.clients)
        if check:
            _check(sight)
        return things(ALL, sight)

    def _leaving(self) -> list[Thing]:
        return going(self.things, self.desired.wishes, self.refused)

    def _keepers(self) -> list[Keeper]:
        """Return the resources that keep resources of the environment which the user wants to remove."""
        found = keepers(self.things, self.desired.wishes, self.refused)
        return [k for k in found if k.reason or not (k.thing.ours and is_wished(k.thing, self.desired.wishes))]

    def _refuses(self, leaving: t.Sequence[Thing]) -> bool:
        """Delete the resources. Return whether AWS refused a deletion; the next round leaves that resource out."""
        things, changes = ordered(leaving), plan_removal(leaving)
        done = len(changes)
        try:
            apply(changes, self.run.clients, {}, self.run.clock, self.run.writers)
        except GroundworkError as error:
            done = len(error.details["made"])
            if not error.details.get("error_code") or done == len(changes):
                raise
            at_fault = things[done]
            together = [one for one in things if at_fault.batch and one.batch == at_fault.batch]
            self.refused.update({one.id: str(error) for one in together or [at_fault]})
        self.made.update({str(change): change for change in changes[:done]})
        return done < len(changes)

    def _sweep(self) -> None:
        """Read again until no deleted resource is found, or until SWEEP_DEADLINE."""
        clock = self.run.clock
        end = clock.monotonic() + SWEEP_DEADLINE
        self.things = self._look()
        while not self.refused and self._leaving() and clock.monotonic() < end:
            clock.sleep(SWEEP_INTERVAL)
            self.things = self._look()

    def _found(self) -> dict[str, t.Any]:
        """Return the number of the environment's resources in the last read, by kind, and what keeps them."""
        counted = Counter(thing.kind for thing in self.things if thing.ours and not thing.part_of)
        return {"found": {kind: counted[kind] for kind in KINDS}, "keepers": [str(one) for one in self._keepers()]}

    def _prove(self) -> None:
        kept = [f"{keeper}. {_remedy(keeper)}" for keeper in self._keepers()]
        rest = [f"{thing} was deleted, but AWS still reports it. Run again." for thing in self._leaving()]
        if kept or rest:
            lines = "\n".join(f"- {line}" for line in (*kept, *rest))
            told = {**report(list(self.made.values()), {}), **self._found()}
            raise GroundworkError(f"Resources of environment '{self.whose.environment}' remain:\n{lines}", **told)


def _elsewhere(things: t.Iterable[Thing], environment: str) -> t.Iterator[str]:
    """Yield a sentence for each other region in which an environment of the same name has global resources."""
    regions: dict[str, list[str]] = {}
    for thing in things:
        if thing.region:
            regions.setdefault(thing.region, []).append(f"{thing.kind} {thing.name}")
    for region, names in sorted(regions.items()):
        yield (
            f"The environment {environment} in {region} has resources that are in all regions, which stay: "
            f"{', '.join(sorted(names))}. Remove them with the inventory of that environment."
        )


def _remedy(keeper: Keeper) -> str:
    if keeper.reason:
        return "Remove the cause, and run again."
    return "Delete it or move it elsewhere, and run again."


def _check(sight: Sight) -> None:
    problems = Problems()
    for removal in ALL:
        if removal.check:
            removal.check(sight, problems)
    problems.raise_if_any()
