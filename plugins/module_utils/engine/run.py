# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a module: parse its options, make or show its plan, and fail in one place."""

from __future__ import annotations

import secrets
import typing as t
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ansible_collections.groundwork.aws.plugins.module_utils.engine.apply import (
    CONSISTENCY_DEADLINE,
    apply,
    report,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.arguments import COMMON_ARGUMENTS, parse_owner
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import (
    GroundworkError,
    Problems,
    is_unknown,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.identity import refuse_edited
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, RetryingClients
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner
from ansible_collections.groundwork.aws.plugins.module_utils.engine.placeholders import hide
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import THIS_HOUR, THIS_RUN, Change, Ids
from ansible_collections.groundwork.aws.plugins.module_utils.engine.wait import SYSTEM_CLOCK, Clock

Options = t.Mapping[str, t.Any]
D = t.TypeVar("D")


@dataclass(frozen=True)
class Run:
    """The context of a topic's `converge_<topic>(run)`. Tests create one without Ansible.

    `warn` shows a warning. `writers` are clients that do not repeat requests. `hour` is the current hour, and `id` the
    run's own: parts of client tokens.
    """

    options: Options
    clients: Clients
    warn: t.Callable[[str], None]
    check_mode: bool = False
    clock: Clock = SYSTEM_CLOCK
    writers: Clients | None = None
    hour: str = field(default_factory=lambda: datetime.now(UTC).strftime("%Y-%m-%dT%H"))
    id: str = field(default_factory=lambda: secrets.token_hex(8))

    def parse(self, component: str, parse: t.Callable[[Options, Problems], D | None]) -> tuple[Owner, D]:
        """Return the owner and the desired state. Raise InputError with all problems of the options."""
        problems = Problems()
        owner = parse_owner(self.options, component, problems)
        desired = parse(self.options, problems)
        problems.raise_if_any()
        for warning in problems.warnings:
            self.warn(warning)
        return owner, t.cast(D, desired)

    def observe(
        self, look: t.Callable[[], D], check: t.Callable[[D, Problems], None] = lambda _seen, _problems: None
    ) -> D:
        """Return what `look` reads, when `check` adds no problem to it. Raise InputError with all problems.

        AWS may not report yet what another module has created seconds ago, or may report it and not know its id. If
        only such resources are missing, a real run reads again for some seconds before it fails.
        https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
        """
        end, pause = self.clock.monotonic() + CONSISTENCY_DEADLINE, 1.0
        while True:
            over = self.check_mode or self.clock.monotonic() >= end
            try:
                observed, problems = look(), Problems()
                check(observed, problems)
                if over or not problems.found or len(problems.missing) < len(problems.found):
                    problems.raise_if_any()
                    return observed
            except GroundworkError as error:
                if over or not is_unknown(str(error.details.get("error_code", ""))):
                    raise
            self.clock.sleep(pause)
            pause = min(pause * 2, 8.0)

    def make(self, changes: t.Sequence[Change], ids: Ids) -> dict[str, t.Any]:
        """Make the changes, except in check mode, and return `changed`, `changes` and `diff` of the module's result.

        A real run adds to `ids` the ids of the created resources. Raise GroundworkError before the first change if a
        resource that the changes create exists with an edited tag.
        """
        refuse_edited(self.clients, changes)
        if not self.check_mode:
            ids[THIS_HOUR], ids[THIS_RUN] = self.hour, self.id
            apply(changes, self.clients, ids, self.clock, self.writers)
        return report(changes, ids)


def run_module(arguments: Options, converge: t.Callable[[Run], dict[str, t.Any]], **settings: t.Any) -> None:
    """Run a module. `arguments` is its own part of the argument spec, and `converge` returns its result.

    `settings` are passed to AnsibleAWSModule (`required_if`, `mutually_exclusive`, …).
    """
    from ansible.module_utils.common.warnings import warn  # noqa: PLC0415 - a Run needs no Ansible
    from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule  # noqa: PLC0415 - likewise

    from ansible_collections.groundwork.aws.plugins.module_utils.engine.quiet import QuietModule  # noqa: PLC0415 - likewise

    AnsibleAWSModule.default_settings["module_class"] = QuietModule  # the setting of that name is not read
    module = AnsibleAWSModule(argument_spec={**COMMON_ARGUMENTS, **arguments}, supports_check_mode=True, **settings)
    run = Run(
        module.params,
        RetryingClients(module),
        warn,  # module.warn of amazon.aws is deprecated
        check_mode=module.check_mode,
        writers=RetryingClients(module, writing=True),
    )
    try:
        result = converge(run)
    except GroundworkError as error:
        module.fail_json(**hide({"msg": str(error), **error.details}, module.params.get("secrets") or {}))
    module.exit_json(**result)
