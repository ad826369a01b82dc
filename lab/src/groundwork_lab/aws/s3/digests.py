"""The digests that an upload declares, compared with its content. Pure functions.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable, Mapping

from groundwork_lab.aws.context import refuse

Digest = Callable[[bytes], bytes]
DIGESTS: Mapping[str, Digest] = {
    "Content-MD5": lambda body: hashlib.md5(body, usedforsecurity=False).digest(),
    "x-amz-checksum-crc32": lambda body: zlib.crc32(body).to_bytes(4, "big"),
    "x-amz-checksum-sha1": lambda body: hashlib.sha1(body, usedforsecurity=False).digest(),
    "x-amz-checksum-sha256": lambda body: hashlib.sha256(body).digest(),
}


def check(headers: Mapping[str, str], body: bytes) -> None:
    """Refuse a body that does not match a digest in the headers."""
    for name, digest in DIGESTS.items():
        given = headers.get(name)
        if given is not None and given != base64.b64encode(digest(body)).decode():
            refuse("BadDigest", f"The {name.removeprefix('x-amz-checksum-').upper()} you specified did not match.")
