# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keys in OpenSSH's formats: public ones in one line `<type> <base64>`, as in `known_hosts`, and private ones."""

from __future__ import annotations

import base64
import binascii
import re
import typing as t
from dataclasses import dataclass

HOST_KEY_TYPES = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa")

_LINE = re.compile(rf"(?P<type>{'|'.join(HOST_KEY_TYPES)})[ \t]+(?P<body>AAAA[0-9A-Za-z+/]+={{0,2}})(?![0-9A-Za-z+/=])")

# https://github.com/openssh/openssh-portable/blob/master/PROTOCOL.key
_PRIVATE = re.compile(
    r"\s*-----BEGIN OPENSSH PRIVATE KEY-----\s(?P<body>[0-9A-Za-z+/=\s]+)-----END OPENSSH PRIVATE KEY-----\s*"
)
_MAGIC = b"openssh-key-v1\0"


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


def public_half(private: str) -> PublicKey | None:
    """Return the public key in a private key of OpenSSH's format, or None if it has another format or is damaged.

    The public key is not encrypted, also if the private key is.
    """
    match = _PRIVATE.fullmatch(private)
    try:
        blob = base64.b64decode("".join(match["body"].split()), validate=True) if match else b""
    except binascii.Error:
        return None
    if not blob.startswith(_MAGIC):
        return None
    rest = blob.removeprefix(_MAGIC)
    head = [field or b"" for field in _fields(rest, most=3)]  # the cipher, the key derivation function, its options
    keys = list(_fields(rest[sum(4 + len(field) for field in head) + 4 :], most=2))  # after the number of keys
    if len(keys) < 2 or not keys[0] or not keys[1]:
        return None
    public = keys[0]
    kind = next(_fields(public)) or b""
    return find_public_key(f"{kind.decode('ascii', 'replace')} {base64.b64encode(public).decode()}")


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


def _fields(blob: bytes, most: int = 100) -> t.Iterator[bytes | None]:
    """Yield at most `most` fields of a key in wire format, and None at the end if the last field is incomplete."""
    while blob and most:
        most -= 1
        length = int.from_bytes(blob[:4], "big")
        if len(blob) < 4 + length:
            yield None
            return
        yield blob[4 : 4 + length]
        blob = blob[4 + length :]
