# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The declaration by which a role has its variables checked in the preflight."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.known import Known

Options = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class Check:
    """The rules for the variables of a role. `CHECK` is in the file `check.py` of the folder with the role's name.

    `run` gets the variables without the role's prefix, and the names that other roles define. It adds to problems, and
    returns the names that this role defines, by the fields of Known. They are used only if it adds no problems.

    `refers` are the roles that define the names in its variables. `after` is a role that comes before this one in
    messages, and that need not be checked with it. While a `basis` has problems, the roles that refer to it are not
    checked.
    """

    run: t.Callable[[Options, Known, Problems], t.Mapping[str, t.Any]]
    refers: tuple[str, ...] = ()
    after: str = ""
    basis: bool = False
