# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Multipart uploads. The part size depends only on the file's size, so that the object's ETag can be computed.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
"""

from __future__ import annotations

import hashlib
import typing as t
from xml.etree import ElementTree

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.changes import Item
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.s3 import Answer, Bucket
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.source import changed_meanwhile

MIB = 1024 * 1024
THRESHOLD = 16 * MIB  # larger files are uploaded in parts, so that memory and a repeated request are limited to a part
MOST_PARTS = 10_000


def part_size(size: int) -> int:
    """Return the part size in bytes: 16 MiB, or as many whole MiB as 10,000 parts require."""
    return max(THRESHOLD, -(-size // (MOST_PARTS * MIB)) * MIB)


def parts(size: int) -> int:
    """Return the number of parts of a file, or 0 if it is uploaded in one request."""
    return -(-size // part_size(size)) if size > THRESHOLD else 0


def etag_of(path: str, size: int) -> str:
    """Return the ETag that S3 computes for the file. It does not apply to buckets that encrypt with a KMS key."""
    with open(path, "rb") as opened:  # noqa: PTH123
        if not parts(size):
            return hashlib.md5(opened.read(), usedforsecurity=False).hexdigest()
        sums = [
            hashlib.md5(opened.read(part_size(size)), usedforsecurity=False).digest() for _part in range(parts(size))
        ]
    return f"{hashlib.md5(b''.join(sums), usedforsecurity=False).hexdigest()}-{len(sums)}"


def upload(bucket: Bucket, key: str, item: Item, headers: t.Mapping[str, str], keep: t.Callable[[], None]) -> Answer:
    """Upload a file in parts. Call `keep` before each part. On failure, abort the upload and raise GroundworkError."""
    begun = bucket.ask(
        "create_multipart_upload", f"start the upload of {key}", "POST", key, query={"uploads": ""}, headers=headers
    )
    upload_id = next(child.text or "" for child in begun.xml() if child.tag.endswith("UploadId"))
    try:
        etags = _send_parts(bucket, key, item, upload_id, keep)
        return _complete(bucket, key, upload_id, etags)
    except GroundworkError:
        query = {"uploadId": upload_id}
        bucket.ask(
            "abort_multipart_upload",
            f"abort the upload of {key}",
            "DELETE",
            key,
            query=query,
            expected=("NoSuchUpload",),
        )
        raise


def _send_parts(bucket: Bucket, key: str, item: Item, upload_id: str, keep: t.Callable[[], None]) -> list[str]:
    digest = hashlib.sha256()
    etags: list[str] = []
    try:
        with open(item.place, "rb") as opened:  # noqa: PTH123
            while body := opened.read(part_size(item.size)):
                keep()
                digest.update(body)
                query = {"partNumber": str(len(etags) + 1), "uploadId": upload_id}
                etags.append(bucket.ask("upload_part", f"upload {key}", "PUT", key, query=query, body=body).etag)
    except OSError as error:
        raise GroundworkError(f"Could not read {item.place}: {error.strerror}.") from error
    if digest.hexdigest() != item.digest:
        raise changed_meanwhile(item.place)
    return etags


def _complete(bucket: Bucket, key: str, upload_id: str, etags: t.Sequence[str]) -> Answer:
    root = ElementTree.Element("CompleteMultipartUpload")
    for number, etag in enumerate(etags, 1):
        part = ElementTree.SubElement(root, "Part")
        ElementTree.SubElement(part, "PartNumber").text = str(number)
        ElementTree.SubElement(part, "ETag").text = f'"{etag}"'
    answer = bucket.ask(
        "complete_multipart_upload",
        f"complete the upload of {key}",
        "POST",
        key,
        query={"uploadId": upload_id},
        body=ElementTree.tostring(root),
    )
    etag = next(child.text or "" for child in answer.xml() if child.tag.endswith("ETag"))
    return Answer(answer.status, {**answer.headers, "ETag": etag}, b"")
