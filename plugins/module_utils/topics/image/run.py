# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the module `ec2_golden_image`."""

from __future__ import annotations

import typing as t
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import KNOWN_AFTER_APPLY
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.topics.image.bench import BUILDER, TESTER
from ansible_collections.groundwork.aws.plugins.module_utils.topics.image.changes import (
    check,
    in_use,
    is_needed,
    plan,
    removable,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.image.observed import (
    Observed,
    observe_golden,
    observe_users,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.image.options import (
    COMPONENT,
    Golden,
    Stage,
    parse_golden,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.launching import Launch, refuse_launches

# The state that each stage leaves for the next one, for the module's result.
LEAVES: t.Mapping[Stage, str] = {"build": BUILDER, "test": TESTER}


def converge_golden(run: Run) -> dict[str, t.Any]:
    """Run one stage of a bake and return the module's result. Raise GroundworkError on failure."""
    now = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    owner, desired = run.parse(COMPONENT, partial(parse_golden, now=now))
    plans = desired.stage in ("plan", "build")
    seen = run.observe(
        lambda: observe_golden(run.clients, owner, desired),
        lambda found, problems: check(desired, found, owner, problems, check_mode=run.check_mode) if plans else None,
    )
    if not plans and not run.check_mode:
        _check_stage(desired, seen)
    if desired.stage not in ("capture", "test") and removable(desired, seen):
        seen = observe_users(run.clients, seen)
    needed = is_needed(desired, seen)
    if plans and needed:
        refuse_launches(run.clients, [Launch("", desired.instance_type, (), seen.base)])
    run = replace(run, check_mode=run.check_mode or desired.stage == "plan")  # a plan never writes
    result = run.make(plan(owner, desired, seen), seen.ids())
    left = seen if run.check_mode else observe_golden(run.clients, owner, desired)
    return {**result, "bake": needed, "stamp": desired.stamp, "in_use": in_use(desired, seen), **_told(desired, left)}


def _check_stage(desired: Golden, seen: Observed) -> None:
    """Raise GroundworkError if the previous stage is not done."""
    if desired.stage == "capture" and not seen.machine(BUILDER):
        raise GroundworkError(
            "There is nothing to capture an image of: the builder does not exist. Run the stage build first."
        )
    names = {image.name for image in seen.images if image.state == "available"}
    if desired.stage in ("test", "promote") and desired.name not in names:
        raise GroundworkError(
            f"The image {desired.name} does not exist, so the stage {desired.stage} cannot run. Run the stage "
            "build first."
        )


def _told(desired: Golden, left: Observed) -> dict[str, t.Any]:
    machine = left.machine(LEAVES.get(desired.stage, ""))
    promoted = left.image(left.promoted) if left.promoted else None
    baked = next((image for image in left.images if image.name == desired.name), None)
    return {
        "machine": {"name": machine.name, "id": machine.id, "public_ip": machine.public_ip} if machine else {},
        "image": {"name": desired.name, "id": baked.id if baked else KNOWN_AFTER_APPLY},
        "promoted": {"name": promoted.name if promoted else "", "id": left.promoted},
        "images": [{"name": image.name, "id": image.id} for image in left.images],
    }
