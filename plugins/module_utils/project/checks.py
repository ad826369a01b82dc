# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks of all roles, for the preflight. Written by tools/index."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.check import Check
from ansible_collections.groundwork.aws.plugins.module_utils.project.alb import check as alb
from ansible_collections.groundwork.aws.plugins.module_utils.project.backup import check as backup
from ansible_collections.groundwork.aws.plugins.module_utils.project.dns import check as dns
from ansible_collections.groundwork.aws.plugins.module_utils.project.lamp import check as lamp
from ansible_collections.groundwork.aws.plugins.module_utils.project.release import check as release
from ansible_collections.groundwork.aws.plugins.module_utils.project.restore import check as restore
from ansible_collections.groundwork.aws.plugins.module_utils.project.servers import check as servers
from ansible_collections.groundwork.aws.plugins.module_utils.project.static_site import check as static_site
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown import check as teardown
from ansible_collections.groundwork.aws.plugins.module_utils.topics.database import check as database
from ansible_collections.groundwork.aws.plugins.module_utils.topics.file_system import check as file_system
from ansible_collections.groundwork.aws.plugins.module_utils.topics.firewall import check as firewall
from ansible_collections.groundwork.aws.plugins.module_utils.topics.image import check as image
from ansible_collections.groundwork.aws.plugins.module_utils.topics.nat import check as nat
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network import check as network

CHECKS: t.Mapping[str, Check] = {
    "alb": alb.CHECK,
    "backup": backup.CHECK,
    "database": database.CHECK,
    "dns": dns.CHECK,
    "file_system": file_system.CHECK,
    "firewall": firewall.CHECK,
    "image": image.CHECK,
    "lamp": lamp.CHECK,
    "nat": nat.CHECK,
    "network": network.CHECK,
    "release": release.CHECK,
    "restore": restore.CHECK,
    "servers": servers.CHECK,
    "static_site": static_site.CHECK,
    "teardown": teardown.CHECK,
}
