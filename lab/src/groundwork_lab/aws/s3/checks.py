"""The checks of a request against S3's model in botocore, and against the limits of the documentation. Pure functions.

The model has the values of headers and the schema of bodies. The limits are in the pages that the functions name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NoReturn
from xml.etree import ElementTree

from moto.core.utils import get_service_model

from groundwork_lab.aws.context import refuse
from groundwork_lab.aws.models import is_integer

LONGEST_KEY, MOST_METADATA = 1024, 2048  # bytes
LONGEST_TAG, LONGEST_TAG_VALUE = 128, 256
LONGEST_EXPIRY = 7 * 24 * 3600
CODES = {
    "x-amz-storage-class": ("InvalidStorageClass", "The storage class you specified is not valid"),
    "x-amz-server-side-encryption": (
        "InvalidEncryptionAlgorithmError",
        "The encryption request that you specified is not valid. Supported values: AES256, aws:kms, aws:kms:dsse",
    ),
}
ACTIONS = (  # of a lifecycle rule
    "Expiration",
    "Transition",
    "NoncurrentVersionExpiration",
    "NoncurrentVersionTransition",
    "AbortIncompleteMultipartUpload",
)
PUBLIC_ACLS = frozenset({"public-read", "public-read-write", "authenticated-read"})
GROUPS = (
    "http://acs.amazonaws.com/groups/global/AllUsers",
    "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
)


@cache
def header_values() -> Mapping[str, frozenset[str]]:
    """Return the values of each request header that has an enumeration in the model."""
    model = get_service_model("s3")
    found: dict[str, set[str]] = {}
    for operation in model.operation_names:
        shape = model.operation_model(operation).input_shape
        for member in (shape.members if shape else {}).values():
            values = getattr(member, "enum", None)
            if member.serialization.get("location") == "header" and values:
                found.setdefault(member.serialization["name"].lower(), set()).update(values)
    found.pop("x-amz-acl", None)  # of buckets and of objects, which have different ones
    return {name: frozenset(values) for name, values in found.items()}


def check_headers(headers: Mapping[str, str], key: str) -> None:
    """Refuse headers with values that do not exist, too long keys and too much metadata.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html and
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html#UserMetadata
    """
    if len(key.encode()) > LONGEST_KEY:
        refuse("KeyTooLongError", "Your key is too long")
    known, size = header_values(), 0
    for name, value in headers.items():
        lower = name.lower()
        if lower in known and value not in known[lower]:
            refuse(*CODES.get(lower, ("InvalidArgument", f"Invalid {lower} header: {value}")))
        if lower.startswith("x-amz-meta-"):
            size += len(lower.removeprefix("x-amz-meta-").encode()) + len(value.encode())
    if size > MOST_METADATA:
        refuse("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size")


def expired(query: Mapping[str, str], now: datetime) -> None:
    """Refuse a presigned request whose time is over, or is longer than a week.

    https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
    """
    if "X-Amz-Expires" in query:
        seconds = query["X-Amz-Expires"]
        if not seconds.isdigit() or not 1 <= int(seconds) <= LONGEST_EXPIRY:
            message = "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be "
            refuse("AuthorizationQueryParametersError", f"{message}less than {LONGEST_EXPIRY} seconds")
        try:
            begun = datetime.strptime(query.get("X-Amz-Date", ""), "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        except ValueError:
            refuse("AuthorizationQueryParametersError", "X-Amz-Date must be in the ISO8601 Long Format")
        if begun + timedelta(seconds=int(seconds)) < now:
            refuse("AccessDenied", "Request has expired")
    elif "Signature" in query and "AWSAccessKeyId" in query:
        until = query.get("Expires", "")
        if not until.isdigit() or int(until) < now.timestamp():
            refuse("AccessDenied", "Request has expired")


# Bodies


def check_body(model: Any, body: bytes) -> None:
    """Refuse a body that does not follow the schema of the operation (botocore's model), or its further rules."""
    shape = model.input_shape
    payload = shape.serialization.get("payload") if shape else None
    member = shape.members.get(payload) if payload else None
    if member is None or member.type_name != "structure" or not body:
        return
    try:
        root = ElementTree.fromstring(body)  # noqa: S314 - current expat limits entity expansion
    except ElementTree.ParseError:
        malformed()
    _check(member, root)
    if model.name in FURTHER:
        FURTHER[model.name](root)


def malformed() -> NoReturn:
    message = "The XML you provided was not well-formed or did not validate against our published schema"
    refuse("MalformedXML", message)


def _name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _check(shape: Any, element: ElementTree.Element) -> None:
    if shape.type_name == "structure":
        _check_structure(shape, element)
    elif shape.type_name == "list":
        for each in element:
            _check(shape.member, each)
    elif not _is_value(shape, (element.text or "").strip()):
        malformed()


def _is_value(shape: Any, text: str) -> bool:
    if shape.type_name == "integer":
        return is_integer(text)
    if shape.type_name == "boolean":
        return text.lower() in ("true", "false")
    return not getattr(shape, "enum", None) or text in shape.enum


def _check_structure(shape: Any, element: ElementTree.Element) -> None:
    members = {_element_name(name, member): (name, member) for name, member in shape.members.items()}
    given = set()
    for each in element:
        if _name(each) not in members:
            malformed()
        name, member = members[_name(each)]
        given.add(name)
        _check(member.member if _is_flat(member) else member, each)
    if any(name not in given and not _is_attribute(shape.members[name]) for name in shape.required_members):
        malformed()


def _is_flat(member: Any) -> bool:
    return member.type_name == "list" and bool(member.serialization.get("flattened"))


def _is_attribute(member: Any) -> bool:
    return bool(member.serialization.get("xmlAttribute"))


def _element_name(name: str, member: Any) -> str:
    if _is_flat(member) and "name" in member.member.serialization:
        return str(member.member.serialization["name"])
    return str(member.serialization.get("name", name))


def _texts(root: ElementTree.Element, *path: str) -> Iterator[str]:
    return (each.text or "" for each in root.iterfind("/".join(f"{{*}}{name}" for name in path)))


def _check_tags(root: ElementTree.Element) -> None:
    """Refuse keys that occur twice, and too long tags.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
    """
    keys = list(_texts(root, "TagSet", "Tag", "Key"))
    values = _texts(root, "TagSet", "Tag", "Value")
    if len(keys) != len(set(keys)):
        refuse("InvalidTag", "Cannot provide multiple Tags with the same key")
    if any(not 1 <= len(key) <= LONGEST_TAG for key in keys):
        refuse("InvalidTag", "The TagKey you have provided is invalid")
    if any(len(value) > LONGEST_TAG_VALUE for value in values):
        refuse("InvalidTag", "The TagValue you have provided is invalid")
    if any(key.startswith("aws:") for key in keys):
        refuse("InvalidTag", "System tags cannot be added/updated by requester")


def _check_lifecycle(root: ElementTree.Element) -> None:
    """Refuse rules without an action, with a time that is not positive, or with an ID that occurs twice.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_LifecycleRule.html
    """
    rules = root.findall("{*}Rule")
    names = [each for rule in rules for each in _texts(rule, "ID") if each]
    if not rules:
        malformed()
    if len(names) != len(set(names)):
        refuse("InvalidArgument", "Rule ID must be unique. Found same ID for more than one rule")
    for rule in rules:
        if not any(rule.find(f"{{*}}{each}") is not None for each in ACTIONS):
            refuse("InvalidRequest", "At least one action needs to be specified in a rule")
        if rule.find("{*}Filter") is None and rule.find("{*}Prefix") is None:
            malformed()
        for action in ACTIONS:
            for name in ("Days", "NoncurrentDays", "DaysAfterInitiation"):
                least = 0 if "Transition" in action else 1
                if any(int(each) < least for each in _texts(rule, action, name)):
                    refuse("InvalidArgument", f"'{name}' for {action} action must be a positive integer")


FURTHER = {
    "PutBucketLifecycleConfiguration": _check_lifecycle,
    "PutBucketTagging": _check_tags,
    "PutObjectTagging": _check_tags,
}


def is_public_acl(headers: Mapping[str, str], body: bytes) -> bool:
    """Return whether the ACL of a request is public.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
    """
    grants = " ".join(value for name, value in headers.items() if name.lower().startswith("x-amz-grant-"))
    text = grants + body.decode(errors="replace")
    return headers.get("x-amz-acl", "") in PUBLIC_ACLS or any(group in text for group in GROUPS)
