# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The names that buckets may have."""

from __future__ import annotations

import re

from ansible_collections.groundwork.aws.plugins.module_utils.errors import Problems

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
BUCKET = re.compile(
    r"(?!xn--|sthree-|amzn-s3-demo-)(?!.*(-s3alias|--ol-s3|--x-s3|--table-s3)$)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]"
)


def check_bucket(name: str, problems: Problems, variable: str = "bucket") -> str:
    """The name. Dots are refused too: a name with one is not covered by S3's certificate."""
    if not BUCKET.fullmatch(name):
        right = "use 3 to 63 lower case letters, digits and hyphens, no hyphen at either end"
        problems.add(variable, f"'{name}' is no bucket's name", right)
    return name
