# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Brotli at its best: the library is needed when variants are asked for, and not before."""

from __future__ import annotations

import typing as t

QUALITY = 11  # packed once, unpacked at every visit

try:
    import brotli

    HAS_BROTLI = True
except ImportError:
    HAS_BROTLI = False


def missing_library() -> str:
    """What AnsibleAWSModule says of a library that is missing."""
    from ansible.module_utils.basic import missing_required_lib  # noqa: PLC0415 - heavy, and hardly ever needed

    return str(missing_required_lib("brotli", reason="for `precompress`"))


def pack(body: bytes) -> bytes:
    """RFC 7932."""
    return t.cast(bytes, brotli.compress(body, mode=brotli.MODE_TEXT, quality=QUALITY))
