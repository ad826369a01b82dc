"""Buckets: their names, default settings and policies.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/create-bucket-faq.html
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from typing import Any, NoReturn
from uuid import uuid4
from xml.etree import ElementTree

from moto.core.responses import ActionResult
from moto.s3.models import OWNER, FakeBucket, PublicAccessBlock, S3Backend
from moto.s3.responses import S3Response

from groundwork_lab.aws.context import refuse
from groundwork_lab.aws.s3 import checks, wording
from groundwork_lab.aws.s3.access import is_set
from groundwork_lab.aws.s3.listing import NAMESPACE, document
from groundwork_lab.aws.s3.policies import is_public
from groundwork_lab.aws.s3.subresources import ABSENT

XML = {"Content-Type": "application/xml"}
DECLARATION = re.compile(rb"^\s*<\?xml[^>]*\?>")
INVENTORIES = 100  # of a page
ENFORCED = "BucketOwnerEnforced"
OWNERSHIPS = (ENFORCED, "BucketOwnerPreferred", "ObjectWriter")
ENCRYPTION = {"Rule": {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": "false"}}
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]|\.(?!\.)){1,61}[a-z0-9]")
_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")


def is_name(name: str) -> bool:
    """Return whether the name is valid for a bucket.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    """
    return (
        _NAME.fullmatch(name) is not None
        and not re.fullmatch(r"\d+\.\d+\.\d+\.\d+", name)
        and not name.startswith(_PREFIXES)
        and not name.endswith(_SUFFIXES)
    )


class Bucket(FakeBucket):
    """A bucket with AWS' default settings since April 2023: not public, without ACLs, encrypted."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.public_access_block = PublicAccessBlock("true", "true", "true", "true")
        self.encryption: Any = ENCRYPTION
        self.ownership_rule: Any = ENFORCED
        self.payer = "BucketOwner"
        self.lifecycle = b""  # as the request sent it: moto keeps less
        self.inventories: dict[str, bytes] = {}  # likewise, by id

    def get_permission(self, action: str, resource: str) -> Any:  # noqa: ARG002 - moto's signature
        """Permit everything: permissions are checked before moto receives a request (`access`)."""
        from moto.iam.access_control import PermissionResult  # noqa: PLC0415 - heavy

        return PermissionResult.PERMITTED

    @property
    def has_acls(self) -> bool:
        return bool(self.ownership_rule != ENFORCED)


class BucketsBackend(S3Backend):
    def create_bucket(self, bucket_name: str, region_name: str, bucket_namespace: str | None = None) -> Any:
        if not is_name(bucket_name):
            refuse("InvalidBucketName", "The specified bucket is not valid.")
        return super().create_bucket(bucket_name, region_name, bucket_namespace=bucket_namespace)

    def put_bucket_policy(self, bucket_name: str, policy: bytes) -> None:
        bucket = self.get_bucket(bucket_name)
        parsed = wording.parsed(policy, bucket_name)
        if is_set(bucket.public_access_block, "block_public_policy") and is_public(parsed):
            refuse(
                "AccessDenied",
                f"User: arn:aws:iam::{self.account_id}:root is not authorized to perform: s3:PutBucketPolicy on "
                f'resource: "arn:aws:s3:::{bucket_name}" because public policies are prevented by the '
                "BlockPublicPolicy setting in S3 Block Public Access.",
            )
        bucket.policy = json.dumps(wording.normalized(parsed), separators=(",", ":")).encode()

    def put_object_lock_configuration(
        self,
        bucket_name: str,
        lock_enabled: bool,
        mode: str | None = None,
        days: int | None = None,
        years: int | None = None,
    ) -> None:
        """Lock the objects of a versioned bucket, which can have objects.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-configure.html
        """
        bucket = self.get_bucket(bucket_name)
        if bucket.versioning_status != "Enabled":
            message = "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration"
            refuse("InvalidBucketState", message)
        bucket.object_lock_enabled = bucket.object_lock_enabled or lock_enabled
        bucket.default_lock_mode, bucket.default_lock_days, bucket.default_lock_years = mode, days or 0, years or 0

    def get_object_lock_configuration(self, bucket_name: str) -> tuple[bool, str | None, int | None, int | None]:
        """Return the default retention in the unit in which it was put: a period is in days or in years.

        https://docs.aws.amazon.com/AmazonS3/latest/API/API_DefaultRetention.html
        """
        enabled, mode, days, years = super().get_object_lock_configuration(bucket_name)
        return enabled, mode, days or None, years or None

    def delete_bucket_encryption(self, bucket_name: str) -> None:
        """Reset the encryption to the default of all buckets."""
        self.get_bucket(bucket_name).encryption = ENCRYPTION


class BucketsResponses(S3Response):
    def _bucket_response_put(self, request: Any, bucket_name: str, querystring: dict[str, Any]) -> Any:
        if "acl" in querystring and not self._bucket().has_acls:
            no_acls()
        if "acl" in querystring:
            check_public_acl(self._bucket(), self.headers, self.body)
        if "requestPayment" in querystring:
            payer = ElementTree.fromstring(self.body).findtext("{*}Payer")  # noqa: S314 - `checks` has parsed it before
            self._bucket().payer = payer
            return 200, {}, ""
        if not querystring:
            self._check_creation()
        answer = super()._bucket_response_put(request, bucket_name, querystring)
        if not querystring and (tags := tags_of(self.body)):  # moto reads tags only in a PutBucketTagging request
            self.backend.put_bucket_tagging(bucket_name, tags)
        if "lifecycle" in querystring:
            self._bucket().lifecycle = identified(self.body)
        if "inventory" in querystring:
            self._bucket().inventories[querystring.get("id", [""])[0]] = self.body
        return (204, {}, "") if "policy" in querystring else answer

    def _bucket_response_get(self, bucket_name: str, querystring: dict[str, Any]) -> Any:
        absent = next((ABSENT[each] for each in ABSENT if each in querystring), None)
        if absent is not None:
            return self._no_configurations(absent, querystring)
        if "requestPayment" not in querystring:
            return super()._bucket_response_get(bucket_name, querystring)
        payer = f"<Payer>{self._bucket().payer}</Payer>"
        body = f'<RequestPaymentConfiguration xmlns="{NAMESPACE}">{payer}</RequestPaymentConfiguration>'
        return 200, XML, body

    def _no_configurations(self, kind: str, querystring: dict[str, Any]) -> Any:
        """Answer the list of the bucket's configurations of a kind, or the request for one of them: there are none."""
        self._bucket()
        if "id" in querystring:
            no_configuration()
        self.data["Action"] = f"ListBucket{kind}Configurations"
        return self.serialized(ActionResult({"IsTruncated": False}))

    def get_bucket_inventory_configuration(self) -> Any:
        found = self._bucket().inventories.get(self.querystring["id"][0])
        return (200, XML, found) if found else no_configuration()

    def list_bucket_inventory_configurations(self) -> Any:
        """Return all inventories of the bucket: it has at most 1,000, and a page has 100.

        https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBucketInventoryConfigurations.html
        """
        found = sorted(self._bucket().inventories.items())
        start = int(self.querystring.get("continuation-token", ["0"])[0] or 0)
        end = start + INVENTORIES
        more = len(found) > end
        parts = [DECLARATION.sub(b"", body).decode() for _, body in found[start:end]]
        parts.append(f"<IsTruncated>{str(more).lower()}</IsTruncated>")
        if more:
            parts.append(f"<NextContinuationToken>{end}</NextContinuationToken>")
        return 200, XML, document("ListInventoryConfigurationsResult", parts)

    def _bucket_response_delete(self, bucket_name: str, querystring: dict[str, Any]) -> Any:
        if "inventory" not in querystring:
            return super()._bucket_response_delete(bucket_name, querystring)
        if self._bucket().inventories.pop(querystring.get("id", [""])[0], None) is None:
            no_configuration()
        return 204, {}, ""

    def _bucket_tagging_from_body(self) -> dict[str, str]:
        """Return the tags of the request. The value of a tag can be empty."""
        return {key: value or "" for key, value in super()._bucket_tagging_from_body().items()}

    @staticmethod
    def _acl_to_dict(acl: Any) -> dict[str, Any]:
        """Return the ACL with a grant for each grantee and each permission.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#canned-acl
        """
        pairs = [
            (grantee, permission)
            for grant in acl.grants
            for grantee in grant.grantees
            for permission in grant.permissions
        ]
        return {
            "Owner": {"ID": OWNER},
            "Grants": [{"Grantee": _grantee(grantee), "Permission": permission} for grantee, permission in pairs],
        }

    def serialized(self, action_result: ActionResult) -> Any:
        return super().serialized(ActionResult(owned(action_result.result)))

    def get_bucket_lifecycle(self) -> Any:
        bucket = self._bucket()
        return (200, {}, bucket.lifecycle) if bucket.rules else super().get_bucket_lifecycle()

    def _check_creation(self) -> None:
        ownership = self.headers.get("x-amz-object-ownership")
        if ownership is not None and ownership not in OWNERSHIPS:
            refuse("InvalidArgument", f"Invalid x-amz-object-ownership header: {ownership}")
        acl = self.headers.get("x-amz-acl", "private")
        if acl != "private" and ownership in (None, ENFORCED):
            refuse("InvalidBucketAclWithObjectOwnership", "Bucket cannot have ACLs set with ObjectOwnership's setting")

    def _bucket(self) -> Any:
        return self.backend.get_bucket(self.bucket_name)


def _grantee(grantee: Any) -> dict[str, str]:
    return {"Type": "Group", "URI": grantee.uri} if grantee.uri else {"Type": "CanonicalUser", "ID": grantee.id}


def owned(result: Any) -> Any:
    """Return the result with the account's canonical ID as each owner and initiator. S3 has no display names any more.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_Owner.html
    """
    if isinstance(result, list):
        return [owned(each) for each in result]
    if not isinstance(result, dict):
        return result
    return {name: {"ID": OWNER} if name in ("Owner", "Initiator") else owned(value) for name, value in result.items()}


def tags_of(creation: bytes) -> dict[str, str]:
    """Return the tags in a CreateBucketConfiguration.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucketConfiguration.html
    """
    if not creation:
        return {}
    found = ElementTree.fromstring(creation).findall("{*}Tags/{*}Tag")  # noqa: S314 - sent by the lab's user
    return {tag.findtext("{*}Key", ""): tag.findtext("{*}Value", "") for tag in found}


def identified(lifecycle: bytes) -> bytes:
    """Return the lifecycle rules with an ID each. S3 generates an ID for a rule without one."""
    ElementTree.register_namespace("", NAMESPACE)
    root = ElementTree.fromstring(lifecycle)  # noqa: S314 - moto has parsed it before
    for rule in root.iter(f"{{{NAMESPACE}}}Rule"):
        if rule.find(f"{{{NAMESPACE}}}ID") is None:
            ElementTree.SubElement(rule, f"{{{NAMESPACE}}}ID").text = b64encode(uuid4().bytes).decode()
    return bytes(ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True))


def policy_is_public(policy: bytes) -> bool:
    """Return the result of GetBucketPolicyStatus. It replaces moto's function."""
    return is_public(json.loads(policy))


def check_public_acl(bucket: Any, headers: Any, body: bytes) -> None:
    """Refuse a public ACL if the bucket blocks them.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
    """
    if is_set(bucket.public_access_block, "block_public_acls") and checks.is_public_acl(headers, body):
        refuse("AccessDenied", "Access Denied because public access control lists are prevented by BlockPublicAcls.")


def no_configuration() -> NoReturn:
    """Refuse the id of an inventory, or of another configuration, that the bucket does not have.

    https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList
    """
    refuse("NoSuchConfiguration", "The specified configuration does not exist.")


def no_acls() -> NoReturn:
    """Refuse ACLs.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
    """
    refuse("AccessControlListNotSupported", "The bucket does not allow ACLs")
