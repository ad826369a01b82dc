# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find and remove buckets, with all their objects.

AWS deletes only an empty bucket: one without object versions, delete markers and incomplete multipart uploads.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/delete-bucket.html
"""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Read
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.options import BUCKETS
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.things import Described, Thing, Whose

Answers = t.Mapping[str, list[t.Any]]

DELETED_AT_ONCE = 1000  # https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
GONE = ("NoSuchBucket",)
# A bucket that cannot be read belongs to others: its policy denies access, or its region is not enabled.
OTHERS = (*GONE, "NoSuchTagSet", "AccessDenied", "AllAccessDisabled", "IllegalLocationConstraintException")


def first_reads() -> dict[str, Read]:
    """Return the read of the account's buckets."""
    return {"buckets": Read("s3", "list_buckets", "Buckets")}


def second_reads(first: Answers) -> dict[str, Read]:
    """Return the reads of the buckets' tags, because users choose the names of buckets."""
    return {
        f"tags {arn_of(bucket)}": Read("s3", "get_bucket_tagging", "TagSet", {"Bucket": bucket["Name"]}, OTHERS)
        for bucket in first["buckets"]
    }


def third_reads(answers: Answers, whose: Whose, wishes: t.Container[str]) -> dict[str, Read]:
    """Return the reads of all content of the environment's buckets, if they are to be removed."""
    reads: dict[str, Read] = {}
    for bucket in _ours(answers, whose) if BUCKETS in wishes else ():
        named = {"Bucket": bucket["Name"]}
        reads[f"versions {bucket['Name']}"] = Read("s3", "list_object_versions", "", named, GONE)
        reads[f"uploads {bucket['Name']}"] = Read("s3", "list_multipart_uploads", "Uploads", named, GONE)
    return reads


def arn_of(bucket: Described) -> str:
    """Return a bucket's ARN."""
    return f"arn:aws:s3:::{bucket['Name']}"


def _ours(answers: Answers, whose: Whose) -> list[Described]:
    return [one for one in answers["buckets"] if whose.owns_described({"Tags": answers[f"tags {arn_of(one)}"]})]


def bucket_things(answers: Answers, whose: Whose) -> list[Thing]:
    """Return the buckets."""
    return [_bucket(bucket, answers) for bucket in _ours(answers, whose)]


def _bucket(bucket: Described, answers: Answers) -> Thing:
    name = bucket["Name"]
    uploads = answers.get(f"uploads {name}", [])
    pages = answers.get(f"versions {name}", [])
    versions = [one for page in pages for one in (*page.get("Versions", []), *page.get("DeleteMarkers", []))]
    objects = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in versions]
    calls = (
        *(_abort(name, upload) for upload in uploads),
        *(_delete(name, objects[start : start + DELETED_AT_ONCE]) for start in range(0, len(objects), DELETED_AT_ONCE)),
        Call("s3", "delete_bucket", {"Bucket": name}, settled=GONE),
    )
    before = {"versions": len(objects), "uploads": len(uploads)}
    return Thing("bucket", arn_of(bucket), name, calls=calls, before=before, wish=BUCKETS)


def _abort(bucket: str, upload: Described) -> Call:
    which = {"Bucket": bucket, "Key": upload["Key"], "UploadId": upload["UploadId"]}
    return Call("s3", "abort_multipart_upload", which, settled=("NoSuchUpload", *GONE))


def _delete(bucket: str, objects: t.Sequence[Described]) -> Call:
    everything = {"Objects": list(objects), "Quiet": True}
    return Call("s3", "delete_objects", {"Bucket": bucket, "Delete": everything}, settled=GONE)
