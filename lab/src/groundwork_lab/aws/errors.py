"""AWS' error responses, for requests that moto does not receive or cannot answer."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from uuid import uuid4
from xml.sax.saxutils import escape

Protocol = Literal["ec2", "query", "json", "rest-json", "rest-xml", "s3", "cbor"]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def cut(self) -> Answer:
        """Return the first half of the answer."""
        half = self.body[: len(self.body) // 2]
        headers = tuple((name, value) for name, value in self.headers if name.lower() != "content-length")
        return Answer(self.status, (*headers, ("Content-Length", str(len(half)))), half)


def error_answer(
    protocol: Protocol, code: str, message: str, status: int, details: Mapping[str, str] | None = None
) -> Answer:
    """Return an error in the format of `protocol`, from which botocore reads code and message.

    `details` are further elements of an error of S3.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html#api-error-response and
    https://smithy.io/2.0/aws/protocols/index.html
    """
    request_id = str(uuid4())
    headers = [("x-amzn-requestid", request_id)]
    if protocol == "cbor":
        headers += [("Content-Type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")]
        return Answer(status, tuple(headers), _cbor({"__type": code, "message": message}))
    if protocol in ("json", "rest-json"):
        body = json.dumps({"__type": code, "message": message})
        headers += [("Content-Type", "application/x-amz-json-1.1"), ("x-amzn-ErrorType", code)]
    else:
        body = '<?xml version="1.0" encoding="UTF-8"?>\n' + _xml(
            protocol, escape(printable(code)), escape(printable(message)), request_id, details or {}
        )
        headers.append(("Content-Type", "application/xml" if protocol == "s3" else "text/xml;charset=UTF-8"))
    return Answer(status, tuple(headers), body.encode())


def _cbor(fields: Mapping[str, str]) -> bytes:
    """Return a map of less than 24 texts. https://www.rfc-editor.org/rfc/rfc8949.html#name-specification-of-the-cbor-e"""
    texts = (each.encode() for pair in fields.items() for each in pair)
    return bytes([0xA0 + len(fields)]) + b"".join(b"\x79" + len(each).to_bytes(2, "big") + each for each in texts)


UNPRINTABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML cannot contain: https://www.w3.org/TR/xml/#charsets"""


def printable(text: str) -> str:
    """Return the text with U+FFFD in place of the characters that XML cannot contain."""
    return UNPRINTABLE.sub("\ufffd", text)


def _xml(protocol: Protocol, code: str, message: str, request_id: str, details: Mapping[str, str]) -> str:
    error = f"<Code>{code}</Code><Message>{message}</Message>"
    if protocol == "ec2":
        return f"<Response><Errors><Error>{error}</Error></Errors><RequestID>{request_id}</RequestID></Response>"
    if protocol == "s3":
        error += "".join(f"<{name}>{escape(printable(value))}</{name}>" for name, value in details.items())
        return f"<Error>{error}<RequestId>{request_id}</RequestId></Error>"
    error = f"<Error><Type>Sender</Type>{error}</Error>"
    return f"<ErrorResponse>{error}<RequestId>{request_id}</RequestId></ErrorResponse>"
