# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The removals of all topics, for the teardown. Written by tools/index."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.removal import Removal
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb import removal as alb
from ansible_collections.groundwork.aws.plugins.module_utils.topics.certificates import removal as certificates
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront import removal as cloudfront
from ansible_collections.groundwork.aws.plugins.module_utils.topics.database import removal as database
from ansible_collections.groundwork.aws.plugins.module_utils.topics.distribution import removal as distribution
from ansible_collections.groundwork.aws.plugins.module_utils.topics.file_system import removal as file_system
from ansible_collections.groundwork.aws.plugins.module_utils.topics.firewall import removal as firewall
from ansible_collections.groundwork.aws.plugins.module_utils.topics.image import removal as image
from ansible_collections.groundwork.aws.plugins.module_utils.topics.nat import removal as nat
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network import removal as network
from ansible_collections.groundwork.aws.plugins.module_utils.topics.records import removal as records
from ansible_collections.groundwork.aws.plugins.module_utils.topics.scaling import removal as scaling
from ansible_collections.groundwork.aws.plugins.module_utils.topics.secrets import removal as secrets
from ansible_collections.groundwork.aws.plugins.module_utils.topics.server_roles import removal as server_roles
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers import removal as servers
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_bucket import removal as site_bucket

REMOVALS: t.Mapping[str, Removal] = {
    "alb": alb.REMOVAL,
    "certificates": certificates.REMOVAL,
    "cloudfront": cloudfront.REMOVAL,
    "database": database.REMOVAL,
    "distribution": distribution.REMOVAL,
    "file_system": file_system.REMOVAL,
    "firewall": firewall.REMOVAL,
    "image": image.REMOVAL,
    "nat": nat.REMOVAL,
    "network": network.REMOVAL,
    "records": records.REMOVAL,
    "scaling": scaling.REMOVAL,
    "secrets": secrets.REMOVAL,
    "server_roles": server_roles.REMOVAL,
    "servers": servers.REMOVAL,
    "site_bucket": site_bucket.REMOVAL,
}
