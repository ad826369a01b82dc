# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Public keys in OpenSSH's one-line format `<type> <base64>`, as in `id_ed25519.pub` and `known_hosts`."""

from __future__ import annotations

import base64
import binascii
import re
import typing as t
from dataclasses import dataclass

HOST_KEY_TYPES = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa")

_LINE = re.compile(rf"(?P<type>{'|'.join(HOST_KEY_TYPES)})[ \t]+(?P<body>AAAA[0-9A-Za-z+/]+={{0,2}})(?![0-9A-Za-z+/=])")


@dataclass(frozen=True, order=True)
class PublicKey:
    """A public key without its comment."""

    type: str
    body: str  # base64 of the key in RFC 4253's wire format

    def __str__(self) -> str:
        return f"{self.type} {self.body}"


def find_public_key(text: str) -> PublicKey | None:
    """Return the first public key in a text, or None if there is none or it is incomplete or damaged."""
    match = _LINE.search(text)
    if not match or not _is_whole(match["type"], match["body"]):
        return None
    return PublicKey(match["type"], match["body"])


def _is_whole(kind: str, body: str) -> bool:
    """Return whether the wire format is complete: each field has a 4-byte length, and the first field is the type.

    https://www.rfc-editor.org/rfc/rfc4253#section-6.6
    """
    try:
        blob = base64.b64decode(body, validate=True)
    except binascii.Error:
        return False
    fields = list(_fields(blob))
    return len(fields) >= 2 and fields[0] == kind.encode() and fields[-1] is not None


def _fields(blob: bytes) -> t.Iterator[bytes | None]:
    """Yield the fields of a key in wire format, and None at the end if the last field is incomplete."""
    while blob:
        length = int.from_bytes(blob[:4], "big")
        if len(blob) < 4 + length:
            yield None
            return
        yield blob[4 : 4 + length]
        blob = blob[4 + length :]
