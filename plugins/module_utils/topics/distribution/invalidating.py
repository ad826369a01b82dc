# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The work of the module `cloudfront_invalidation`."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems, check_range
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Change
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.policies import check_name
from ansible_collections.groundwork.aws.plugins.module_utils.topics.distribution.content import (
    Content,
    check_content,
    plan_content,
    plan_marks,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.distribution.finding import Found, find
from ansible_collections.groundwork.aws.plugins.module_utils.topics.distribution.options import COMPONENT

BALANCER = ".elb."  # in the host name of each load balancer


@dataclass(frozen=True)
class Wish:
    """The content that origins serve, or that they are about to serve if `changing`, by distribution."""

    contents: t.Mapping[str, Content]
    changing: bool
    deadline: float  # seconds

    def changes(self, name: str, found: Found) -> t.Iterator[Change]:
        """Yield the changes of an existing distribution."""
        content = self.contents[name]
        return plan_marks(name, found, content) if self.changing else plan_content(name, found, content, self.deadline)


def converge_invalidation(run: Run) -> dict[str, t.Any]:
    """Create invalidations of what distributions have cached of another content, and return the module's result.

    A distribution that does not exist has cached nothing. Raise GroundworkError on failure.
    """
    owner, wish = run.parse(run.options.get("component", COMPONENT), _parse)
    found = {name: find(run.clients, owner, name, lambda domain: BALANCER in domain) for name in wish.contents}
    return run.make([change for name, one in found.items() if one for change in wish.changes(name, one)], {})


def _parse(options: t.Mapping[str, t.Any], problems: Problems) -> Wish:
    for at, one in enumerate(options["distributions"]):
        check_name(one["name"], problems, f"distributions[{at}].name")
        check_content(one["content"], f"distributions[{at}].content", problems)
    check_range("deadline", options["deadline"], 1, 86400, problems)
    contents = {one["name"]: one["content"] for one in options["distributions"] if one["content"]}
    return Wish(contents, options["state"] == "changing", float(options["deadline"]))
