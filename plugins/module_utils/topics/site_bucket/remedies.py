# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The remedies in messages about a bucket that does not exist."""

from __future__ import annotations

NO_BUCKET = "NoSuchBucket"
REMEDIES = {NO_BUCKET: "Run s3_site_bucket (the role static_site) first, or correct the bucket's name."}
