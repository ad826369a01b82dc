# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of an environment on the controller: the key pair and the known hosts."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError


def read_file(path: Path, option: str) -> str:
    """Return the text of a file, or "" if it does not exist. Raise GroundworkError, with the `option`, on failure."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise GroundworkError(
            f"{option}: {path} cannot be read: {error.strerror}; give the path of a readable file."
        ) from error


def write_file(path: Path, text: str, option: str) -> None:
    """Replace a file atomically, so that ssh never reads a part of it. Only the user can read it (mode 0600).

    A missing folder is created with mode 0700. Raise GroundworkError, with the `option`, on failure.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            Path(temporary).replace(path)
        except OSError:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise GroundworkError(
            f"{option}: {path} cannot be written: {error.strerror}; give the path of a writable file."
        ) from error
