# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the variables of the role `lamp`."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.check import Check, Options
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.known import Known
from ansible_collections.groundwork.aws.plugins.module_utils.project.lamp import php
from ansible_collections.groundwork.aws.plugins.module_utils.project.lamp.options import MANAGED, parse_lamp

OWN_IMAGE = "servers_tiers.{}.image: {{promoted: true}}, or its id"


def _check(own: Options, known: Known, problems: Problems) -> dict[str, t.Any]:
    private = None if known.servers is None else known.servers.get("private", ())
    parse_lamp(own, problems, servers=private, booting=known.booting)
    for tier, image in known.images.items():
        if wrong := php.mismatch(own["php_version"], image):
            problems.add(
                "php_version", wrong, f"give that version, or for an image of your own {OWN_IMAGE.format(tier)}"
            )
            break
    if own["bucket"] and own["bucket"] == known.site_bucket:
        problems.add("bucket", f"'{own['bucket']}' is the static site's bucket", "give another bucket, or none")
    return {
        "shares_files": any(site.get("shared_everywhere") for site in own["sites"]),
        "managed_database": own["database_server"] == MANAGED,
    }


CHECK = Check(_check, refers=("servers",), after="static_site")
