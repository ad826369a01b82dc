"""Uploads by a browser's form, which a policy in the form permits.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-post-example.html and
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html
"""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape

from werkzeug.formparser import parse_form_data

from groundwork_lab.aws.context import refuse

IGNORED = frozenset({"policy", "x-amz-signature", "signature", "awsaccesskeyid", "file"})
LENGTH, OPERANDS = "content-length-range", 3  # with the kind itself


@dataclass(frozen=True)
class Form:
    """The fields in lower case, the name of the file, and its content."""

    fields: Mapping[str, str]
    name: str
    content: bytes

    @property
    def access_key(self) -> str:
        """Return the key that signed the policy."""
        return self.fields.get("x-amz-credential", "").partition("/")[0] or self.fields.get("awsaccesskeyid", "")

    @property
    def key(self) -> str:
        return self.fields.get("key", "").replace("${filename}", self.name)


def form_of(environ: dict[str, Any]) -> Form | None:
    """Return the form of a request, or None if it has none."""
    posted = environ["REQUEST_METHOD"] == "POST"
    if not posted or not str(environ.get("CONTENT_TYPE", "")).startswith("multipart/form-data"):
        return None
    body = environ["wsgi.input"].getvalue()
    _, fields, files = parse_form_data({**environ, "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))})
    told = {name.lower(): value for name, value in fields.items()}
    sent = files.get("file")
    content = sent.read() if sent is not None else told.get("file", "").encode()
    return Form(told, (sent.filename or "") if sent is not None else "", content)


def check(form: Form, bucket: str, now: datetime) -> None:
    """Refuse a form whose policy has expired, or whose conditions the fields do not meet."""
    try:
        policy = json.loads(base64.b64decode(form.fields.get("policy", "")))
        until = datetime.fromisoformat(policy["expiration"].replace("Z", "+00:00"))
        conditions = [_condition(each) for each in policy["conditions"]]
    except (ValueError, KeyError, TypeError, AttributeError):
        _malformed()
    if (until if until.tzinfo else until.replace(tzinfo=UTC)) < now:
        refuse("AccessDenied", "Invalid according to Policy: Policy expired.")
    if not form.key:
        refuse("InvalidArgument", "Bucket POST must contain a field named 'key'.")
    values = {**form.fields, "bucket": bucket, "key": form.key}
    named = {"bucket"}
    for each in conditions:
        named.add(_check_condition(*each, values, form))
    extra = sorted(set(form.fields) - named - IGNORED - {name for name in form.fields if name.startswith("x-ignore-")})
    if extra:
        refuse("AccessDenied", f"Invalid according to Policy: Extra input fields: {extra[0]}")


def answer(form: Form, bucket: str, etag: str) -> tuple[int, dict[str, str], str]:
    """Return the status, the headers and the body of the answer.

    https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
    """
    location = f"http://{bucket}.s3.amazonaws.com/{quote(form.key)}"
    headers = {"ETag": etag, "Location": location}
    redirect = form.fields.get("success_action_redirect", "")
    if redirect:
        told = urlencode({"bucket": bucket, "key": form.key, "etag": etag})
        return 303, {**headers, "Location": f"{redirect}{'&' if '?' in redirect else '?'}{told}"}, ""
    status = form.fields.get("success_action_status", "")
    if status == "201":
        parts = {"Location": location, "Bucket": bucket, "Key": form.key, "ETag": etag}
        inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in parts.items())
        return 201, {**headers, "Content-Type": "application/xml"}, f"<PostResponse>{inner}</PostResponse>"
    return (200 if status == "200" else 204), headers, ""


def _malformed() -> NoReturn:
    message = "The content of the form does not meet the conditions specified in the policy document."
    refuse("InvalidPolicyDocument", message)


def _condition(given: Any) -> tuple[str, str, str]:
    """Return the kind of a condition and its two operands. Refuse one that is malformed.

    https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html#sigv4-ConditionMatching
    """
    whole = [["eq", f"${name}", value] for name, value in given.items()] if isinstance(given, dict) else [given]
    if len(whole) != 1 or not isinstance(whole[0], list) or len(whole[0]) != OPERANDS:
        _malformed()
    if any(isinstance(each, bool) or not isinstance(each, str | int) for each in whole[0]):
        _malformed()
    kind, first, second = map(str, whole[0])
    if kind == LENGTH:
        if not all(re.fullmatch("[0-9]+", each) for each in (first, second)):
            _malformed()
    elif kind not in ("eq", "starts-with") or not first.startswith("$"):
        _malformed()
    return kind, first, second


def _check_condition(kind: str, first: str, second: str, values: Mapping[str, str], form: Form) -> str:
    """Refuse a form that does not meet the condition. Return the field that the condition names."""
    if kind == LENGTH:
        size = len(form.content)
        if size < int(first):
            refuse("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
        if size > int(second):
            refuse("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
        return ""
    field = first.removeprefix("$").lower()
    value = values.get(field, "")
    holds = value.startswith(second) if kind == "starts-with" else value == second
    if not holds:
        told = json.dumps([kind, first, second])
        refuse("AccessDenied", f"Invalid according to Policy: Policy Condition failed: {told}")
    return field
