# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What can go wrong, told once: every helper raises one of these, and a module's `main()` fails in one place."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field


class GroundworkError(Exception):
    """A failure with a remedy in its message; `details` become fields of the module's failure."""

    def __init__(self, message: str, **details: t.Any) -> None:
        super().__init__(message)
        self.details = details


class DeadlineError(GroundworkError):
    """Something awaited did not come in time. `seen` is what was seen last, for who can tell it in words."""

    def __init__(self, message: str, seen: t.Any) -> None:
        super().__init__(message, last_seen=str(seen))  # as text: a module's result takes only what JSON has
        self.seen = seen


@dataclass(frozen=True)
class Problem:
    """One thing wrong with the input: where, what, and what would be right."""

    variable: str
    wrong: str
    right: str

    def __str__(self) -> str:
        return f"{self.variable}: {self.wrong}; {self.right}."


class InputError(GroundworkError):
    """The input cannot be built. Raised before the first write, with all problems at once."""

    def __init__(self, problems: t.Sequence[Problem]) -> None:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        lines = "\n".join(f"- {problem}" for problem in problems)
        super().__init__(
            f"{count} in the input, nothing was changed:\n{lines}",
            problems=[vars(problem) for problem in problems],
        )
        self.problems = tuple(problems)


def one_line(text: str) -> str:
    """Return the text with line breaks, and all else that does not print, written as Python writes it."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


@dataclass
class Problems:
    """A collector of problems. `prefix` is put before each variable: a role's `network_`, nothing for a module.

    `warnings` are sentences about what is legal, but probably not meant.
    """

    prefix: str = ""
    found: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def add(self, variable: str, wrong: str, right: str) -> None:
        """Note that `variable` (an option's path, as `subnets[2].cidr`) is `wrong`, and what is `right`."""
        problem = Problem(*map(one_line, (self.prefix + variable, wrong, right)))
        if problem not in self.found:  # several roles share the environment's own variables
            self.found.append(problem)

    def warn(self, variable: str, what: str) -> None:
        """Note that `what` (a sentence without its end) is odd about `variable`, but can be built."""
        self.warnings.append(f"{self.prefix}{variable}: {what}.")

    def scope(self, prefix: str) -> Problems:
        """The same collection, under another prefix."""
        return Problems(prefix, self.found, self.warnings)

    def raise_if_any(self) -> None:
        """Raise InputError when something was found."""
        if self.found:
            raise InputError(self.found)


def check_range(variable: str, value: int, least: int, most: int, problems: Problems) -> None:
    """Note a number that cannot be."""
    if not least <= value <= most:
        problems.add(variable, f"{value} is out of range", f"give a whole number from {least} to {most}")
