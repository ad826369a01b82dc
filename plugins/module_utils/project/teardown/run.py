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
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
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
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.things import alone, protections, things

COMPONENT = "teardown"
ROUNDS = 3  # an Auto Scaling group or another run of site.yml may create resources meanwhile
SWEEP_DEADLINE = 60.0  # seconds until AWS stops reporting deleted resources
SWEEP_INTERVAL = 5.0

UNREAD = "These kinds of resources were not looked at, and remain if the environment has any: {kinds}. {reasons}"

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
    """One run. `refused` are AWS' messages by the ids of the resources that it did not delete, `made` the changes.

    `single` are the ids of the resources whose batch was refused. AWS may have refused one of them only, so that each
    is deleted by a call of its own.
    """

    def __init__(self, run: Run, whose: Whose, desired: Teardown) -> None:
        self.run = run
        self.whose = whose
        self.desired = desired
        self.refused: dict[str, str] = {}
        self.single: set[str] = set()
        self.made: dict[str, Change] = {}
        self.unread: set[str] = set()
        self.things = self._look()
        for line in _elsewhere(self.things, whose.environment):
            run.warn(line)
        self._check()

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

    def _look(self) -> list[Thing]:
        begin = Sight(self.whose, {}, self.desired.wishes, self.desired.deadline)
        sight = look(ALL, begin, self.run.clients)
        lacking = [one for one in ALL if any(key in sight.denied for key, _read in one.reads(sight))]
        unread = {kind for removal in lacking for kind in removal.kinds} - self.unread
        if unread:
            reasons = " ".join(dict.fromkeys(sight.denied.values()))
            self.run.warn(UNREAD.format(kinds=", ".join(sorted(unread)), reasons=reasons))
        self.unread |= unread
        return things(ALL, sight)

    def _check(self) -> None:
        """Raise GroundworkError with all protections of the resources that are to be deleted."""
        region = str(self.run.options.get("region") or "")
        lines = [f"- {thing}: {one.text(region)}" for thing in self._leaving() for one in protections(thing)]
        if lines:
            count = "1 protection" if len(lines) == 1 else f"{len(lines)} protections"
            told = "\n".join(lines)
            whose = f"resources of environment '{self.whose.environment}'"
            raise GroundworkError(f"Nothing was removed, because {whose} have {count}:\n{told}")

    def _leaving(self) -> list[Thing]:
        leaving = going(self.things, self.desired.wishes, self.refused)
        return [alone(thing) if thing.id in self.single else thing for thing in leaving]

    def _keepers(self) -> list[Keeper]:
        """Return the resources that keep resources of the environment which the user wants to remove."""
        found = keepers(self.things, self.desired.wishes, self.refused)
        return [k for k in found if k.reason or not (k.thing.ours and is_wished(k.thing, self.desired.wishes))]

    def _refuses(self, leaving: t.Sequence[Thing]) -> bool:
        """Delete the resources. Return whether one was not deleted; the next round leaves that resource out."""
        things, changes = ordered(leaving), plan_removal(leaving)
        try:
            apply(changes, self.run.clients, {}, self.run.clock, self.run.writers)
        except GroundworkError as error:
            done = len(error.details["made"])
            awaited = error.details.pop("awaited", None)
            if awaited:
                at_fault = next(one for one in things if [one.ref.resource, one.ref.name] == awaited)
            elif error.details.get("error_code"):
                at_fault = things[done]
            else:
                raise
            together = {one.id for one in things if at_fault.batch and one.batch == at_fault.batch}
            if len(together) > 1 and not awaited:
                self.single |= together
            else:
                self.refused[at_fault.id] = str(error)
            self.made.update({str(change): change for change in changes[:done]})
            return True
        self.made.update({str(change): change for change in changes})
        return False

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
        found = {kind: counted[kind] for kind in KINDS if kind not in self.unread}
        keeping = [str(one) for one in self._keepers()]
        wished = [one for one in self.things if one.ours and not one.part_of and is_wished(one, self.desired.wishes)]
        kept = [f"{one}: {one.wish}" for one in wished]
        return {"found": found, "not_looked_at": sorted(self.unread), "keepers": keeping, "kept": kept}

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
