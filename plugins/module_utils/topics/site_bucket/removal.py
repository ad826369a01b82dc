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
from ansible_collections.groundwork.aws.plugins.module_utils.engine.removal import Described, Removal, Sight, Thing

BUCKETS = "buckets"  # the option for their removal
DELETED_AT_ONCE = 1000  # https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
GONE = ("NoSuchBucket",)
# A bucket that cannot be read belongs to others: its policy denies access, or its region is not enabled.
OTHERS = (*GONE, "NoSuchTagSet", "AccessDenied", "AllAccessDisabled", "IllegalLocationConstraintException")


def _reads(sight: Sight) -> t.Iterator[tuple[str, Read]]:
    """Yield the reads, with those of tags, and of all content of the buckets that are to be removed.

    Users choose the names of buckets, so the tags of all buckets in the region are read.
    """
    where = {"BucketRegion": sight.whose.region} if sight.whose.region else {}
    yield "buckets", Read("s3", "list_buckets", "Buckets", where)
    for bucket in sight.found("buckets"):
        name, named = bucket["Name"], {"Bucket": bucket["Name"]}
        yield f"tags {_arn_of(bucket)}", Read("s3", "get_bucket_tagging", "TagSet", named, OTHERS)
        if BUCKETS in sight.wishes and sight.owns(_arn_of(bucket)):
            yield f"versions {name}", Read("s3", "list_object_versions", "", named, GONE)
            yield f"uploads {name}", Read("s3", "list_multipart_uploads", "Uploads", named, GONE)


def _arn_of(bucket: Described) -> str:
    return f"arn:aws:s3:::{bucket['Name']}"


def _things(sight: Sight) -> t.Iterator[Thing]:
    return (_bucket(one, sight) for one in sight.answers["buckets"] if sight.owns(_arn_of(one)))


def _bucket(bucket: Described, sight: Sight) -> Thing:
    name = bucket["Name"]
    uploads = sight.found(f"uploads {name}")
    pages = sight.found(f"versions {name}")
    versions = [one for page in pages for one in (*page.get("Versions", []), *page.get("DeleteMarkers", []))]
    objects = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in versions]
    calls = (
        *(_abort(name, upload) for upload in uploads),
        *(_delete(name, objects[start : start + DELETED_AT_ONCE]) for start in range(0, len(objects), DELETED_AT_ONCE)),
        Call("s3", "delete_bucket", {"Bucket": name}, settled=GONE),
    )
    before = {"versions": len(objects), "uploads": len(uploads)}
    return Thing("bucket", _arn_of(bucket), name, calls=calls, before=before, wish=BUCKETS)


def _abort(bucket: str, upload: Described) -> Call:
    which = {"Bucket": bucket, "Key": upload["Key"], "UploadId": upload["UploadId"]}
    return Call("s3", "abort_multipart_upload", which, settled=("NoSuchUpload", *GONE))


def _delete(bucket: str, objects: t.Sequence[Described]) -> Call:
    everything = {"Objects": list(objects), "Quiet": True}
    return Call("s3", "delete_objects", {"Bucket": bucket, "Delete": everything}, settled=GONE)


REMOVAL = Removal(
    kinds=("bucket",),
    things=_things,
    reads=_reads,
    after="cloudfront",
)
