# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Look at paths that a user has given. One that is too long does not exist; pathlib raises OSError for it."""

from __future__ import annotations

import os
from pathlib import Path


def is_folder(path: str | Path) -> bool:
    """Return whether the path is a folder."""
    return os.path.isdir(path)  # noqa: PTH112 - pathlib raises OSError


def is_file(path: str | Path) -> bool:
    """Return whether the path is a file."""
    return os.path.isfile(path)  # noqa: PTH113 - pathlib raises OSError
