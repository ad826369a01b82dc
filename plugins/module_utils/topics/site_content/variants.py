# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compression with Brotli. The library is required only if compressed variants are used."""

from __future__ import annotations

import typing as t

QUALITY = 11  # the highest: a file is compressed once and transferred often

try:
    import brotli

    HAS_BROTLI = True
except ImportError:
    HAS_BROTLI = False


def missing_library() -> str:
    """Return Ansible's message for a missing Python library."""
    from ansible.module_utils.basic import missing_required_lib  # noqa: PLC0415 - heavy, and hardly ever needed

    return str(missing_required_lib("brotli", reason="for `precompress`"))


def pack(body: bytes) -> bytes:
    """Return `body` compressed with Brotli (RFC 7932)."""
    return t.cast(bytes, brotli.compress(body, mode=brotli.MODE_TEXT, quality=QUALITY))
