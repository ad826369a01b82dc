# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find and remove buckets, with all their objects.

AWS deletes only an empty bucket: one without object versions, delete markers and incomplete multipart uploads.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/delete-bucket.html
"""

from __future__ import annotations

import json
import typing as t
from datetime import UTC, datetime
from fnmatch import fnmatchcase

from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Read
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import COMPONENT, tag_dict
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call
from ansible_collections.groundwork.aws.plugins.module_utils.engine.removal import (
    Described,
    Protection,
    Removal,
    Sight,
    Thing,
)

BUCKETS, BACKUPS = "buckets", "backups"  # the options for their removal
BACKUP = "backup"  # the component whose bucket has backups
REMOVING = ("s3:DeleteBucket", "s3:DeleteObject", "s3:DeleteObjectVersion")
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
        if sight.owns(_arn_of(bucket)) and _wish_for(_arn_of(bucket), sight) in sight.wishes:
            yield f"versions {name}", Read("s3", "list_object_versions", "", named, GONE)
            yield f"uploads {name}", Read("s3", "list_multipart_uploads", "Uploads", named, GONE)
            yield f"versioning {name}", Read("s3", "get_bucket_versioning", "MFADelete", named, GONE)
            yield f"policy {name}", Read("s3", "get_bucket_policy", "Policy", named, (*GONE, "NoSuchBucketPolicy"))
            unlocked = (*GONE, "ObjectLockConfigurationNotFoundError")
            lock = "ObjectLockConfiguration.ObjectLockEnabled"
            yield f"lock {name}", Read("s3", "get_object_lock_configuration", lock, named, unlocked)
            yield from _reads_of_locks(name, sight)


def _reads_of_locks(bucket: str, sight: Sight) -> t.Iterator[tuple[str, Read]]:
    """Yield the reads of the retention of each object version, which a bucket with Object Lock may have."""
    if "Enabled" in sight.found(f"lock {bucket}"):
        for page in sight.found(f"versions {bucket}"):
            for one in page.get("Versions", []):
                which = {"Bucket": bucket, "Key": one["Key"], "VersionId": one["VersionId"]}
                yield _lock_of(bucket, one), Read("s3", "head_object", "", which, ("404", "NoSuchVersion", "NoSuchKey"))


def _lock_of(bucket: str, version: Described) -> str:
    return f"lock {bucket} {version['VersionId']} {version['Key']}"


def _arn_of(bucket: Described) -> str:
    return f"arn:aws:s3:::{bucket['Name']}"


def _wish_for(arn: str, sight: Sight) -> str:
    """Return the option for the removal of a bucket."""
    tags = tag_dict({"Tags": sight.found(f"tags {arn}")})
    return BACKUPS if tags.get(COMPONENT) == BACKUP else BUCKETS


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
    arn = _arn_of(bucket)
    tags = tag_dict({"Tags": sight.found(f"tags {arn}")})
    protections = tuple(_protections(name, sight))
    return Thing(
        "bucket", arn, name, calls=calls, before=before, wish=_wish_for(arn, sight), tags=tags, protections=protections
    )


def _protections(bucket: str, sight: Sight) -> t.Iterator[Protection]:
    """Yield what protects a bucket or its object versions.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/MultiFactorAuthenticationDelete.html
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
    """
    if "Enabled" in sight.found(f"versioning {bucket}"):
        yield Protection(
            "MFA delete is enabled",
            f"aws s3api put-bucket-versioning --bucket {bucket} "
            '--versioning-configuration Status=Enabled,MFADelete=Disabled --mfa "SERIAL CODE"',
            "Only the root user of the account can disable it, with its MFA device.",
        )
    if denied := sorted(set(_denied(sight.found(f"policy {bucket}")))):
        what = f"its policy denies {', '.join(denied)} to everyone"
        yield Protection(what, f"aws s3api delete-bucket-policy --bucket {bucket}")
    yield from _locked(bucket, sight)


def _denied(policies: t.Sequence[str]) -> t.Iterator[str]:
    """Yield the actions that a bucket policy denies to all principals without a condition, of those of a removal."""
    for policy in policies:
        statements = json.loads(policy).get("Statement", [])
        for statement in statements if isinstance(statements, list) else [statements]:
            everyone = statement.get("Principal") in ("*", {"AWS": "*"}, {"AWS": ["*"]})
            if statement.get("Effect") == "Deny" and everyone and not statement.get("Condition"):
                given = statement.get("Action", [])
                patterns = [given] if isinstance(given, str) else given
                yield from (one for one in REMOVING if any(fnmatchcase(one.lower(), p.lower()) for p in patterns))


def _locked(bucket: str, sight: Sight) -> t.Iterator[Protection]:
    """Yield the retention and the legal holds of object versions, as one protection each."""
    found = [
        (one, head)
        for page in sight.found(f"versions {bucket}")
        for one in page.get("Versions", [])
        for head in sight.found(_lock_of(bucket, one))
    ]
    now = datetime.now(UTC)
    kept = [(one, head) for one, head in found if head.get("ObjectLockRetainUntilDate", now) > now]
    held = [one for one, head in found if head.get("ObjectLockLegalHoldStatus") == "ON"]
    if kept:
        until = max(head["ObjectLockRetainUntilDate"] for _one, head in kept)
        modes = sorted({head["ObjectLockMode"] for _one, head in kept})
        yield Protection(
            f"Object Lock retains {_counted(len(kept), kept[0][0]['Key'])} until {until:%Y-%m-%d %H:%M} UTC "
            f"({', '.join(modes)})",
            otherwise="Wait until then. In governance mode, 'aws s3api put-object-retention' with "
            "'--bypass-governance-retention' and an empty retention lifts it.",
        )
    if held:
        yield Protection(
            f"a legal hold is on {_counted(len(held), held[0]['Key'])}",
            otherwise="Lift it with 'aws s3api put-object-legal-hold' and '--legal-hold Status=OFF' for each version.",
        )


def _counted(count: int, key: str) -> str:
    """Return the number of object versions, and the key of the first."""
    return f"{count} object version{'s' if count > 1 else ''} ({key}{', …' if count > 1 else ''})"


def _abort(bucket: str, upload: Described) -> Call:
    which = {"Bucket": bucket, "Key": upload["Key"], "UploadId": upload["UploadId"]}
    return Call("s3", "abort_multipart_upload", which, settled=("NoSuchUpload", *GONE))


def _delete(bucket: str, objects: t.Sequence[Described]) -> Call:
    everything = {"Objects": list(objects), "Quiet": True}
    return Call("s3", "delete_objects", {"Bucket": bucket, "Delete": everything}, settled=GONE, refusals="Errors")


REMOVAL = Removal(
    kinds=("bucket",),
    things=_things,
    reads=_reads,
    after="cloudfront",
)
