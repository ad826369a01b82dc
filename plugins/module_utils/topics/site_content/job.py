# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run of the module `s3_site_content`."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.options import Publication
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.s3 import Bucket

if t.TYPE_CHECKING:
    from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run


@dataclass
class Job:
    """A run of the module."""

    run: Run
    owner: Owner
    publication: Publication
    bucket: Bucket
