# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The work of the module `release_command_info`: what servers have recorded about the commands of releases."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.desired import ID
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.release_command import PREFIX
from ansible_collections.groundwork.aws.plugins.module_utils.topics.server_roles.claims import bucket_name

COMPONENT = "lamp"


def parse_question(options: t.Mapping[str, t.Any], problems: Problems) -> dict[str, str]:
    """Return the ids of the releases by site. Add to `problems` what is wrong."""
    releases = {str(site): str(identity) for site, identity in options["releases"].items()}
    for site, identity in releases.items():
        if not ID.fullmatch(identity):
            right = "use letters, digits, dots and hyphens"
            problems.add(f"releases.{site}", f"'{identity}' is not a valid release id", right)
    return releases


def look_at_commands(run: Run) -> dict[str, t.Any]:
    """Return the module's result. Raise GroundworkError on failure."""
    owner, releases = run.parse(COMPONENT, parse_question)
    [caller] = observe(run.clients, {"caller": Read("sts", "get_caller_identity", "")})["caller"]
    bucket = bucket_name(caller["Account"], run.clients.client("s3").meta.region_name)
    where = {"Bucket": bucket, "Prefix": f"{PREFIX}/{owner.environment}/"}
    listing = Read("s3", "list_objects_v2", "Contents", where, absent=("NoSuchBucket",))
    objects = observe(run.clients, {"objects": listing})["objects"]
    keys = latest(objects, releases)
    reads = {site: Read("s3", "get_object", "Body", {"Bucket": bucket, "Key": key}) for site, key in keys.items()}
    bodies = observe(run.clients, reads) if reads else {}
    told = [{"site": site, "release": releases[site], **_record(keys[site], bodies[site][0])} for site in keys]
    return {"changed": False, "commands": told}


def latest(objects: t.Iterable[t.Mapping[str, t.Any]], releases: t.Mapping[str, str]) -> dict[str, str]:
    """Return the keys of the records by site. Of those of several VPCs, the newest one is that of the environment."""
    ordered = sorted(objects, key=lambda one: one["LastModified"])
    ends = {f"/{site}/{identity}": site for site, identity in releases.items()}
    return {site: one["Key"] for one in ordered for end, site in ends.items() if one["Key"].endswith(end)}


def _record(key: str, body: t.Any) -> dict[str, str]:
    try:
        found = json.loads(body.read())
        return {name: str(found[name]) for name in ("state", "server", "message")}
    except (ValueError, KeyError, TypeError) as error:
        raise GroundworkError(f"The record {key} is damaged: {error}. Delete it, and run again.") from error
