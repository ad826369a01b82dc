# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parse the options of `environment_teardown`, including the confirmation."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems


@dataclass(frozen=True)
class Teardown:
    """The options. `deadline` is in seconds, per resource.

    `wishes` are the names of the options that are true, among them those without which some resources stay (`Thing`).
    """

    wishes: frozenset[str]
    deadline: float


def parse_teardown(options: t.Mapping[str, t.Any], problems: Problems) -> Teardown | None:
    """Return the options, or None if they add problems."""
    before = len(problems.found)
    environment, confirmed = str(options["environment_name"]), str(options.get("environment_confirm") or "")
    if confirmed != environment:
        wrong = f"'{confirmed}' is not the environment's name" if confirmed else "is missing"
        right = f"give -e environment_confirm={environment} to remove all resources of {environment}"
        problems.add("environment_confirm", wrong, right)
    deadline = int(options["deadline"])
    if not 60 <= deadline <= 7200:
        problems.add("deadline", f"{deadline} s is out of range", "give a number from 60 to 7200")
    if len(problems.found) > before:
        return None
    return Teardown(frozenset(name for name, value in options.items() if value is True), float(deadline))
