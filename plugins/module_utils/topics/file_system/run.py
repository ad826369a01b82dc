# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the module `efs_file_system`."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import KNOWN_AFTER_APPLY, Ids, shown
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.topics.file_system.changes import plan_file_system, stale
from ansible_collections.groundwork.aws.plugins.module_utils.topics.file_system.observed import Observed, check, look
from ansible_collections.groundwork.aws.plugins.module_utils.topics.file_system.options import (
    COMPONENT,
    FILE_SYSTEM,
    FileSystem,
    address_ref,
    parse_file_system,
    target_ref,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.firewall.rules import group_ref
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.options import subnet_ref


def converge_file_system(run: Run) -> dict[str, t.Any]:
    """Return the result of the module `efs_file_system`."""
    owner, desired = run.parse(COMPONENT, parse_file_system)

    def checked(observed: Observed, problems: Problems) -> None:
        check(desired, observed, owner, problems, planning=run.check_mode)

    observed = run.observe(lambda: look(owner, run.clients), checked)
    left = sorted(stale(desired, observed))
    if left and not desired.purge:
        run.warn(f"The mount targets in {', '.join(left)} are not declared. Set purge to delete them.")
    ids = known_ids(observed)
    result = run.make(plan_file_system(desired, observed, owner), ids)
    return {**result, "file_system": _facts(desired, ids, run.options["region"])}


def known_ids(observed: Observed) -> Ids:
    """Return the ids of the existing resources."""
    ids: Ids = {subnet_ref(name): own for name, own in observed.subnets.items()}
    ids.update({group_ref(name): own for name, own in observed.groups.items()})
    if observed.system:
        ids[FILE_SYSTEM] = observed.system["FileSystemId"]
    for zone, target in observed.targets.items():
        ids[target_ref(zone)] = target["MountTargetId"]
        ids[address_ref(zone)] = target.get("IpAddress", "")
    return ids


def _facts(desired: FileSystem, ids: Ids, region: str) -> dict[str, t.Any]:
    """Return what servers need to mount the file system.

    https://docs.aws.amazon.com/efs/latest/ug/mounting-fs-mount-cmd-dns-name.html
    """
    own = shown(FILE_SYSTEM, ids)
    name = own if own == KNOWN_AFTER_APPLY else f"{own}.efs.{region}.amazonaws.com"
    addresses = {zone: shown(address_ref(zone), ids) for zone in desired.subnets}
    return {"id": own, "dns_name": name, "addresses": addresses}
