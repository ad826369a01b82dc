# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parse the options of `ec2_golden_image`, without calls to AWS."""

from __future__ import annotations

import hashlib
import json
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.addressing import parse_cidr
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems, check_range
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.options import (
    GOLDEN,
    INSTANCE_TYPE,
    ImageChoice,
    parse_image,
)

COMPONENT = "image"
Stage = t.Literal["plan", "build", "capture", "test", "promote", "clear"]
STAMP = re.compile(r"\d{8}T\d{6}Z")


@dataclass(frozen=True)
class Golden:
    """The desired image. `stamp` is the UTC time of its bake, which is part of its name."""

    stage: Stage
    stamp: str
    recipe: t.Mapping[str, t.Any]
    base: ImageChoice
    subnet: str
    instance_type: str
    admin_cidrs: tuple[str, ...]
    keep: int
    rebuild: bool
    deadline: float  # seconds, for each step

    @property
    def name(self) -> str:
        """Return the image's name."""
        return f"{GOLDEN}-{self.stamp}"

    def digest(self, base_id: str) -> str:
        """Return a digest of everything that goes into the image."""
        whole = json.dumps({"base": base_id, "recipe": self.recipe}, sort_keys=True, default=str)
        return hashlib.sha256(whole.encode()).hexdigest()[:16]


def parse_golden(
    options: t.Mapping[str, t.Any],
    problems: Problems,
    *,
    now: str = "",
    subnets: t.Collection[str] | None = None,
) -> Golden | None:
    """Return the desired image, or None if the options of `ec2_golden_image` add problems.

    `now` is the stamp of a bake that begins. `subnets` are the names of the public subnets, or None if they are not
    known.
    """
    before = len(problems.found)
    stamp = options.get("stamp") or now
    if stamp and not STAMP.fullmatch(stamp):
        problems.add(
            "stamp", f"'{stamp}' is not a timestamp", "give the stamp that the plan returned, as 20260131T120000Z"
        )
    base = parse_image(options.get("base") or {}, "base", problems)
    if subnets is not None and options["subnet"] not in subnets:
        right = f"use one of {', '.join(sorted(subnets)) or 'none'}"
        problems.add("subnet", f"'{options['subnet']}' is not a public subnet", right)
    if not INSTANCE_TYPE.fullmatch(options["instance_type"]):
        problems.add(
            "instance_type", f"'{options['instance_type']}' is not an instance type", "give a type such as t3.small"
        )
    blocks = [parse_cidr(cidr, f"admin_cidrs[{at}]", problems) for at, cidr in enumerate(options["admin_cidrs"])]
    if not blocks:
        problems.add(
            "admin_cidrs",
            "is empty, so the controller cannot connect to the builder",
            "give the addresses that Ansible connects from",
        )
    check_range("keep", options["keep"], 1, 100, problems)
    check_range("deadline", options["deadline"], 60, 86400, problems)
    if len(problems.found) > before:
        return None
    return Golden(
        stage=options.get("stage") or "plan",
        stamp=stamp,
        recipe=options.get("recipe") or {},
        base=base,
        subnet=options["subnet"],
        instance_type=options["instance_type"],
        admin_cidrs=tuple(str(block) for block in blocks),
        keep=options["keep"],
        rebuild=bool(options["rebuild"]),
        deadline=float(options["deadline"]),
    )
