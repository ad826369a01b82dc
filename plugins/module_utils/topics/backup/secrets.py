# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bring generated secrets back as they were at the time of a backup, for the data that were made with them."""

from __future__ import annotations

import hashlib
import json
import typing as t
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import PARAMETER_NAME
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call, Change
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.host.backups.making import MANIFEST
from ansible_collections.groundwork.aws.plugins.module_utils.topics.backup.bucket import COMPONENT, bucket_of
from ansible_collections.groundwork.aws.plugins.module_utils.topics.backup.choosing import (
    ID,
    read_json,
    read_object,
)

MISSING = ("ParameterNotFound",)


@dataclass(frozen=True)
class Wanted:
    """The backup, and the parameters of the secrets, by site and by name."""

    backup: str
    tier: str
    server: str
    parameters: t.Mapping[str, t.Mapping[str, str]]


def parse_wanted(options: t.Mapping[str, t.Any], problems: Problems) -> Wanted | None:
    """Return what is restored. Add to `problems` what is wrong with the options."""
    match = ID.fullmatch(options["backup"])
    if not match:
        problems.add("backup", f"'{options['backup']}' is not the id of a backup", "give one of s3_backups_info")
    parameters: dict[str, dict[str, str]] = {}
    for site, names in options["parameters"].items():
        if not isinstance(names, t.Mapping):
            problems.add(f"parameters.{site}", f"{names!r} is not a dictionary", "give paths by the names of secrets")
            continue
        parameters[str(site)] = {str(name): str(path) for name, path in names.items()}
        for name, path in parameters[str(site)].items():
            if not PARAMETER_NAME.fullmatch(path):
                problems.add(f"parameters.{site}.{name}", f"'{path}' is not a parameter path", "give its path")
    return Wanted(options["backup"], options["tier"], match["server"], parameters) if match else None


def restore_secrets(run: Run) -> dict[str, t.Any]:
    """Return the result of the module `ssm_restored_secrets`, which contains no value. Raise GroundworkError."""
    owner, wanted = run.parse(COMPONENT, parse_wanted)
    bucket = bucket_of(run.clients, owner)
    prefix = f"{wanted.tier}/{wanted.server}/{wanted.backup}/"
    manifest = read_json(run.clients, bucket, f"{prefix}{MANIFEST}")
    values: dict[str, str] = {}
    for site, names in wanted.parameters.items():
        facts = (manifest["sites"].get(site) or {}).get("secrets")
        kept = _values(run, bucket, prefix, facts) if facts else {}
        values.update({path: kept[name] for name, path in names.items() if name in kept})
    reads = {
        path: Read("ssm", "get_parameter", "Parameter", {"Name": path, "WithDecryption": True}, absent=MISSING)
        for path in values
    }
    actual = {path: found[0] for path, found in observe(run.clients, reads).items() if found} if reads else {}
    return run.make(plan(values, actual), {})


def _values(run: Run, bucket: str, prefix: str, facts: t.Mapping[str, t.Any]) -> dict[str, str]:
    key = f"{prefix}{facts['object']}"
    content = read_object(run.clients, bucket, key)
    if hashlib.sha256(content).hexdigest() != facts["sha256"]:
        raise GroundworkError(f"s3://{bucket}/{key} is not what was written. Choose another backup.")
    found: dict[str, str] = json.loads(content)
    return found


def plan(values: t.Mapping[str, str], actual: t.Mapping[str, t.Mapping[str, t.Any]]) -> list[Change]:
    """Return the changes of the parameters with other values. The differences do not contain these. Pure.

    A parameter that does not exist yet is created by the next run of the role lamp, so it is left out here.
    """
    changes = []
    for path, value in sorted(values.items()):
        current = actual.get(path)
        if current is None or current["Value"] == value:
            continue
        arguments = {"Name": path, "Value": value, "Type": "SecureString", "Overwrite": True}
        call = Call("ssm", "put_parameter", arguments).safe_to_repeat()
        version = int(current["Version"])
        changes.append(Change("update", "parameter", path, (call,), {"Version": version}, {"Version": version + 1}))
    return changes
