# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Recognize a response that was cut on its way, or that is not from AWS.

botocore takes some of them for complete ones: JSON that cannot be parsed for an empty response, and an error without a
readable code for an error whose code is the HTTP status.
"""

from __future__ import annotations

import json
import typing as t

try:
    from botocore.exceptions import ClientError
    from botocore.parsers import ResponseParserError
except ImportError:
    pass  # AnsibleAWSModule fails with the remedy before anything here is called

JSON = "application/x-amz-json"  # https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html


def watch(client: t.Any) -> None:
    """Make a boto3 client raise ResponseParserError for a success that is not of AWS, and for JSON that was cut.

    Each response of AWS has the id of its request. Without it, the page of a proxy would be read as an empty list.
    """
    client.meta.events.register("after-call", _check)


def _check(http_response: t.Any, parsed: t.Mapping[str, t.Any], **_event: t.Any) -> None:
    if http_response.status_code < 300 and not parsed.get("ResponseMetadata", {}).get("RequestId"):
        message = "the response has no request id"
        raise ResponseParserError(message)
    if http_response.headers.get("content-type", "").startswith(JSON) and http_response.content:
        try:
            json.loads(http_response.content)
        except ValueError as error:
            raise ResponseParserError(str(error)) from error


def is_cut(error: Exception, operation: str) -> bool:
    """Return whether a request failed because its response was cut. Responses to HEAD have no body, and no code."""
    if not isinstance(error, ClientError):
        return isinstance(error, ResponseParserError)
    return bool(error.response["Error"]["Code"].isdecimal() and not operation.startswith("head_"))
