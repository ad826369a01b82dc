# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The errors that all functions raise. A module's `main()` turns them into its failure in one place."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field


class GroundworkError(Exception):
    """A failure whose message contains a remedy. `details` become fields of the module's failure."""

    def __init__(self, message: str, **details: t.Any) -> None:
        super().__init__(message)
        self.details = details


class DeadlineError(GroundworkError):
    """A timeout. `seen` is the last result, from which a caller can compose a better message."""

    def __init__(self, message: str, seen: t.Any) -> None:
        super().__init__(message, last_seen=str(seen))  # as text: a module's result must be JSON
        self.seen = seen


def is_unknown(code: str) -> bool:
    """Return whether AWS' error code says that something that a call names does not exist, or is not known yet."""
    return code.endswith(("NotFound", "NotFoundException")) or code.startswith("NoSuch") or code == "InvalidTarget"


@dataclass(frozen=True)
class Problem:
    """One problem of the input: the variable, what is wrong with it, and what would be right."""

    variable: str
    wrong: str
    right: str

    def __str__(self) -> str:
        return f"{self.variable}: {self.wrong}; {self.right}."


class InputError(GroundworkError):
    """Invalid input. It is raised before the first write, with all problems at once."""

    def __init__(self, problems: t.Sequence[Problem]) -> None:
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        lines = "\n".join(f"- {problem}" for problem in problems)
        super().__init__(
            f"{count} in the input, nothing was changed:\n{lines}",
            problems=[vars(problem) for problem in problems],
        )
        self.problems = tuple(problems)


def one_line(text: str) -> str:
    """Return the text with line breaks and other unprintable characters escaped as in Python."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


@dataclass
class Problems:
    """A collection of problems. `prefix` is put before each variable: `network_` for a role, "" for a module.

    `warnings` are sentences about input that is valid but probably a mistake. `missing` are those of the problems that
    are about a resource that AWS does not report, and that another module may have created seconds ago.
    """

    prefix: str = ""
    found: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    missing: list[Problem] = field(default_factory=list)

    def add(self, variable: str, wrong: str, right: str) -> None:
        """Add a problem of `variable` (an option's path, as `subnets[2].cidr`): what is wrong and what is right."""
        problem = Problem(*map(one_line, (self.prefix + variable, wrong, right)))
        if problem not in self.found:  # several roles share the environment's own variables
            self.found.append(problem)

    def add_missing(self, variable: str, wrong: str, right: str) -> None:
        """Add a problem of `variable` that refers to a resource that AWS does not report (yet)."""
        count = len(self.found)
        self.add(variable, wrong, right)
        self.missing += self.found[count:]

    def warn(self, variable: str, what: str) -> None:
        """Add a warning about `variable`. `what` is a sentence without its full stop."""
        self.warnings.append(f"{self.prefix}{variable}: {what}.")

    def scope(self, prefix: str) -> Problems:
        """Return a view of this collection with another prefix."""
        return Problems(prefix, self.found, self.warnings, self.missing)

    def raise_if_any(self) -> None:
        """Raise InputError if there are problems."""
        if self.found:
            raise InputError(self.found)


def check_range(variable: str, value: int, least: int, most: int, problems: Problems) -> None:
    """Add to `problems` a number that is not in the range from `least` to `most`."""
    if not least <= value <= most:
        problems.add(variable, f"{value} is out of range", f"give a whole number from {least} to {most}")
