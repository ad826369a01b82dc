# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parse the options of `s3_boot_bundles`."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import TIER_NAME, check_bucket
from ansible_collections.groundwork.aws.plugins.module_utils.engine.schema import conform_options
from ansible_collections.groundwork.aws.plugins.module_utils.host.server import PARTS, parse_desired

Options = dict[str, t.Any]

TIER_ARGUMENTS: dict[str, Options] = {
    **PARTS,
    "configuration": {**PARTS["configuration"], "required": True},
    "releases": {"required": True, **{key: one for key, one in PARTS["releases"].items() if key != "default"}},
    "versions": {"type": "dict", "default": {}},  # of the parameters, so that a rotation makes another bundle
}


@dataclass(frozen=True)
class Archive:
    """A packed release. `path` is its file on the controller, or None if it can only be in the bucket."""

    site: str
    id: str
    path: Path | None

    @property
    def key(self) -> str:
        """Return the object key, which identifies the content."""
        return f"{folder_of(self.site)}{self.id}.tar.gz"


@dataclass(frozen=True)
class Boot:
    """The desired configuration of a tier's servers, and the releases that they fetch."""

    tier: str
    desired: Options
    archives: tuple[Archive, ...]

    @property
    def folder(self) -> str:
        """Return the tier's key prefix in the bucket."""
        return f"boot/{self.tier}/"


@dataclass(frozen=True)
class Boots:
    """The configurations of all tiers. `bucket` is "" for the environment's own bucket."""

    bucket: str
    tiers: tuple[Boot, ...]


def folder_of(site: str) -> str:
    """Return a site's key prefix in the bucket."""
    return f"releases/{site}/"


def parse_boots(options: t.Mapping[str, t.Any], problems: Problems) -> Boots | None:
    """Return the desired bundles, or None if the options add problems."""
    before = len(problems.found)
    if options["bucket"]:
        check_bucket(options["bucket"], problems)
    if not options.get("region"):
        problems.add("region", "is missing", "give the region of the servers")
    tiers = [_parse_tier(str(tier), given, problems) for tier, given in options["tiers"].items()]
    if len(problems.found) > before:
        return None
    return Boots(options["bucket"], tuple(tier for tier in tiers if tier))


def _parse_tier(tier: str, given: t.Any, problems: Problems) -> Boot | None:
    where = f"tiers.{tier}"
    if not TIER_NAME.fullmatch(tier):
        problems.add(
            where, f"'{tier}' is not a valid tier name", "use at most 16 lower case letters, digits and hyphens"
        )
    if not isinstance(given, t.Mapping):
        problems.add(where, f"{given!r} is not a dictionary", f"give it {', '.join(TIER_ARGUMENTS)}")
        return None
    before = len(problems.found)
    conformed = conform_options(TIER_ARGUMENTS, {key: value for key, value in given.items() if value}, where, problems)
    if len(problems.found) > before:
        return None
    parse_desired(conformed, problems.scope(f"{problems.prefix}{where}."))
    archives = [
        Archive(item["name"], item["id"], Path(item["archive"]).expanduser() if item["archive"] else None)
        for item in conformed["releases"]
    ]
    # The configuration must not depend on an archive's path on the controller.
    releases = [
        {**{key: value for key, value in item.items() if key != "archive"}, "key": archive.key}
        for item, archive in zip(conformed["releases"], archives, strict=True)
    ]
    return Boot(tier, {**conformed, "releases": releases}, tuple(archives))
