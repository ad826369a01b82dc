"""Objects: conditional writes and deletions, versions and delete markers, deletion of up to a thousand objects at once.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, NoReturn
from xml.etree import ElementTree

import moto.s3.responses
from moto.s3.exceptions import AccessDeniedByLock, CopyObjectMustChangeSomething, NoSuchUpload
from moto.s3.models import FakeDeleteMarker, FakeKey, S3Backend
from moto.s3.responses import S3Response

from groundwork_lab.aws.context import AwsError, refuse
from groundwork_lab.aws.s3 import digests, forms
from groundwork_lab.aws.s3.buckets import check_public_acl, no_acls
from groundwork_lab.aws.s3.listing import document, element

DELETED_AT_ONCE = 1000
NULL = "null"  # the only version in an unversioned bucket, and the one that a bucket with suspended versioning replaces


OWNERS = ("bucket-owner-full-control", "private")
"""The ACLs that S3 takes for a bucket without ACLs, because they say what holds there."""


class ObjectsBackend(S3Backend):
    def _check_upload(self, bucket_name: str, upload_id: str) -> None:
        if upload_id not in self.get_bucket(bucket_name).multiparts:
            raise NoSuchUpload(upload_id=upload_id)

    def upload_part(self, bucket_name: str, multipart_id: str, *arguments: Any, **options: Any) -> Any:
        self._check_upload(bucket_name, multipart_id)
        return super().upload_part(bucket_name, multipart_id, *arguments, **options)

    def upload_part_copy(self, dest_bucket_name: str, multipart_id: str, *arguments: Any, **options: Any) -> Any:
        self._check_upload(dest_bucket_name, multipart_id)
        return super().upload_part_copy(dest_bucket_name, multipart_id, *arguments, **options)

    def complete_multipart_upload(self, bucket_name: str, multipart_id: str, *arguments: Any) -> Any:
        self._check_upload(bucket_name, multipart_id)
        return super().complete_multipart_upload(bucket_name, multipart_id, *arguments)

    def put_object(self, bucket_name: str, key_name: str, *arguments: Any, **options: Any) -> Any:
        """Put an object. With suspended versioning, S3 replaces the null version, where moto deletes all versions."""
        bucket = self.get_bucket(bucket_name)
        if bucket.versioning_status != "Suspended":
            return super().put_object(bucket_name, key_name, *arguments, **options)
        kept = self._without(bucket, key_name, NULL)
        dict.pop(bucket.keys, key_name, None)  # the store's own pop would clear the removed versions
        made = super().put_object(bucket_name, key_name, *arguments, **options)
        made._is_versioned = True  # so that its version id `null` is returned
        bucket.keys.setlist(key_name, [*kept, made])
        return made

    @staticmethod
    def _without(bucket: Any, key_name: str, version_id: str) -> list[Any]:
        return [each for each in bucket.keys.getlist(key_name, []) if each.version_id != version_id]

    @staticmethod
    def _keep(bucket: Any, key_name: str, versions: list[Any]) -> None:
        """Keep only these versions, and remove the name if there are none."""
        bucket.keys.setlist(key_name, versions)
        if not versions:
            dict.pop(bucket.keys, key_name)

    def delete_object(
        self, bucket_name: str, key_name: str, version_id: str | None = None, bypass: bool = False
    ) -> tuple[bool, dict[str, Any]]:
        bucket = self.get_bucket(bucket_name)
        if version_id is not None:
            return True, self._delete_version(bucket, key_name, version_id, bypass=bypass)
        if bucket.versioning_status is None:
            self._keep(bucket, key_name, [])
            return True, {}
        marker = FakeDeleteMarker(key=bucket.keys.get(key_name) or SimpleNamespace(name=key_name))
        before = bucket.keys.getlist(key_name, [])
        if bucket.versioning_status == "Suspended":
            marker._version_id = NULL
            before = self._without(bucket, key_name, NULL)
        bucket.keys.setlist(key_name, [*before, marker])
        return True, {"version-id": marker.version_id, "delete-marker": "true"}

    def _delete_version(self, bucket: Any, key_name: str, version_id: str, *, bypass: bool) -> dict[str, Any]:
        before = bucket.keys.getlist(key_name, [])
        gone = next((each for each in before if each.version_id == version_id), None)
        if isinstance(gone, FakeKey) and gone.is_locked(governance_bypass=bypass):
            raise AccessDeniedByLock
        self._keep(bucket, key_name, self._without(bucket, key_name, version_id))
        marker = {"delete-marker": "true"} if isinstance(gone, FakeDeleteMarker) else {}
        return {"version-id": version_id, **marker}

    def copy_object(self, src_key: Any, dest_bucket_name: str, dest_key_name: str, **options: Any) -> None:
        """Copy an object. A copy onto itself must change something, or name a version in a bucket that has versions.

        The bucket's default encryption is not a change.
        """
        onto_itself = (src_key.bucket_name, src_key.name) == (dest_bucket_name, dest_key_name)
        changes = any(options.get(each) for each in ("storage", "encryption", "website_redirect_location"))
        changes = changes or bool(options.get("provided_version_id") and self.get_bucket(dest_bucket_name).is_versioned)
        if onto_itself and not changes and options.get("mdirective") != "REPLACE":
            current = self.get_object(dest_bucket_name, dest_key_name)
            if current is src_key:
                raise CopyObjectMustChangeSomething
        super().copy_object(src_key, dest_bucket_name, dest_key_name, **options)


def check_conditions(headers: Mapping[str, str], current: Any) -> None:
    """Refuse a write whose condition the current object does not meet. `current` is None if it does not exist."""
    match, none_match = headers.get("If-Match"), headers.get("If-None-Match")
    if none_match is not None:
        if none_match != "*":
            refuse("NotImplemented", "A header you provided implies functionality that is not implemented")
        if current is not None:
            failed("If-None-Match")
    if match is not None:
        if current is None:
            refuse("NoSuchKey", "The specified key does not exist.")
        if match.strip('"') != current.etag.strip('"'):
            failed()


def check_deletion(etag: str | None, current: Any) -> None:
    """Refuse a deletion if the current object does not have this ETag. `*` is the ETag of every object.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html
    """
    if etag is None:
        return
    if current is None:
        refuse("NoSuchKey", "The specified key does not exist.")
    if etag != "*" and etag.strip('"') != current.etag.strip('"'):
        failed()


class ConditionError(AwsError):
    """PreconditionFailed, with the header of the condition that does not hold."""

    def __init__(self, condition: str) -> None:
        super().__init__("PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
        self.condition = condition


def failed(condition: str = "If-Match") -> NoReturn:
    raise ConditionError(condition)


def deletions(body: bytes) -> tuple[list[dict[str, str]], bool]:
    """Return the objects to delete ({Key, VersionId, ETag}) and whether the request is quiet. Refuse more than 1000."""
    try:
        root = ElementTree.fromstring(body)  # noqa: S314 - current expat limits entity expansion
    except ElementTree.ParseError:
        malformed_xml()
    members = [(_name(each), each) for each in root]
    objects = [{_name(part): part.text or "" for part in each} for name, each in members if name == "Object"]
    if not 1 <= len(objects) <= DELETED_AT_ONCE or not all(each.get("Key") for each in objects):
        malformed_xml()
    return objects, any(name == "Quiet" and (each.text or "").lower() == "true" for name, each in members)


def not_deleted(key: str, code: str, message: str) -> str:
    return f"<Error>{element('Key', key)}{element('Code', code)}{element('Message', message)}</Error>"


def _name(each: ElementTree.Element) -> str:
    return each.tag.rpartition("}")[2]


def malformed_xml() -> NoReturn:
    message = "The XML you provided was not well-formed or did not validate against our published schema"
    refuse("MalformedXML", message)


class ObjectsResponses(S3Response):
    headers: Any

    def _key_response_put(self, query: dict[str, Any], key_name: str) -> Any:
        self._check_acl(query)
        if "x-amz-copy-source" not in self.headers:
            digests.check(self.headers, self.body or b"")
        if not query.keys() - {"x-id"}:
            check_conditions(self.headers, self.backend.get_object(self.bucket_name, key_name))
        return super()._key_response_put(query, key_name)

    def _key_response_post(
        self, request: Any, body: bytes, bucket_name: str, query: dict[str, Any], key_name: str
    ) -> Any:
        self._check_acl(query)
        if query.get("uploadId"):
            current = self.backend.get_object(bucket_name, key_name)
            again = current is not None and current.multipart and current.multipart.id == query["uploadId"][0]
            if not again:
                check_conditions(self.headers, current)
        return super()._key_response_post(request, body, bucket_name, query, key_name)

    def delete_object(self) -> Any:
        check_deletion(self.headers.get("If-Match"), self.backend.get_object(self.bucket_name, self.parse_key_name()))
        if self.headers.get("If-Match") == "*":  # moto takes it for an ETag
            self.headers = {name: value for name, value in self.headers.items() if name.lower() != "if-match"}
        return super().delete_object()

    def _check_acl(self, query: dict[str, Any]) -> None:
        given = self.headers.get("x-amz-acl", OWNERS[0])
        grants = any(name.lower().startswith("x-amz-grant-") for name in self.headers.keys())  # noqa: SIM118
        if ("acl" in query or grants or given not in OWNERS) and not self._has_acls():
            no_acls()
        body = self.body if "acl" in query else b""
        check_public_acl(self.backend.get_bucket(self.bucket_name), self.headers, body or b"")

    def _bucket_response_post(self, request: Any, bucket_name: str) -> Any:
        """Upload the file of a browser's form."""
        form = forms.form_of(request.environ)
        if form is None:
            return super()._bucket_response_post(request, bucket_name)
        bucket = self.backend.get_bucket(bucket_name)
        forms.check(form, bucket_name, datetime.now(UTC))
        self.headers = {f"x-amz-{name}" if name == "acl" else name: value for name, value in form.fields.items()}
        self._check_acl({})
        made = self.backend.put_object(bucket_name, form.key, form.content)
        made.set_metadata(moto.s3.responses.metadata_from_headers(form.fields))
        made.set_acl(bucket.acl)
        return forms.answer(form, bucket_name, made.etag)

    def _has_acls(self) -> bool:
        return bool(self.backend.get_bucket(self.bucket_name).has_acls)

    def _bucket_response_delete_keys(self, bucket_name: str, authenticated: bool = True) -> Any:  # noqa: ARG002
        """Delete several objects.

        https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
        """
        objects, quiet = deletions(self.body)
        parts = [self._deleted(bucket_name, each) for each in objects]
        shown = (part for part in parts if not quiet or part.startswith("<Error>"))
        return 200, {"Content-Type": "application/xml"}, document("DeleteResult", shown)

    def _deleted(self, bucket_name: str, wanted: Mapping[str, str]) -> str:
        key, version = wanted["Key"], wanted.get("VersionId")
        bypass = self.headers.get("x-amz-bypass-governance-retention", "").lower() == "true"
        try:
            check_deletion(wanted.get("ETag"), self.backend.get_object(bucket_name, key))
            _, told = self.backend.delete_object(bucket_name, key, version_id=version, bypass=bypass)
        except AccessDeniedByLock:
            return not_deleted(key, "AccessDenied", "Access Denied because object protected by object lock.")
        except AwsError as error:
            return not_deleted(key, str(error.code), str(error.message))
        members = [("Key", key), ("VersionId", version)]
        if "delete-marker" in told:
            members += [("DeleteMarker", "true"), ("DeleteMarkerVersionId", told["version-id"])]
        return f"<Deleted>{''.join(element(name, value) for name, value in members if value is not None)}</Deleted>"
