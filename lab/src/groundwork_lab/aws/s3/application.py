"""S3 as a function from a request to an answer, without a web framework between the socket and moto.

moto's web framework took a third of the time of a PUT, and added a header that allows all origins to each answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from moto.moto_server.werkzeug_app import BackendRequest
from moto.s3.exceptions import S3ClientError
from moto.s3.responses import S3Response

from groundwork_lab.aws.context import AwsError, refuse
from groundwork_lab.aws.errors import Answer, error_answer
from groundwork_lab.aws.s3 import checks, subresources
from groundwork_lab.aws.s3.addressing import Address, settle
from groundwork_lab.aws.s3.buckets import BucketsResponses
from groundwork_lab.aws.s3.listing import ListingResponses
from groundwork_lab.aws.s3.objects import ConditionError, ObjectsResponses
from groundwork_lab.aws.s3.refusals import status_of

SCOPE = re.compile(r"Credential=[^/,]+/\d{8}/([^/,]+)/s3/aws4_request")
CHECKSUM = re.compile("x-amz-checksum-(crc32|crc32c|crc64nvme|sha1|sha256)")


class RegionError(AwsError):
    """The region of a signature that is not that of the bucket."""

    def __init__(self, code: str, message: str, bucket: Any) -> None:
        super().__init__(code, message)
        self.region = str(bucket.region_name)


def details_of(error: AwsError) -> dict[str, str]:
    """Return the further elements of an error of S3."""
    if isinstance(error, RegionError):
        return {"Region": error.region}
    return {"Condition": error.condition} if isinstance(error, ConditionError) else {}


def signed_regions(environ: Mapping[str, Any]) -> tuple[str, str]:
    """Return the regions in the credential scopes of the header and of the query, "" without one.

    https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html
    """
    query = dict(parse_qsl(environ.get("QUERY_STRING", "")))
    scopes = (
        SCOPE.search(environ.get("HTTP_AUTHORIZATION", "")),
        SCOPE.search(f"Credential={query.get('X-Amz-Credential', '')}"),
    )
    header, presigned = (found[1] if found else "" for found in scopes)
    return header, presigned


class Responses(BucketsResponses, ListingResponses, ObjectsResponses, S3Response):
    """S3's response to one request for `address`."""

    address: Address

    @staticmethod
    def subdomain_based_buckets(request: Any) -> bool:  # noqa: ARG004 - moto's signature
        return False  # `settle` has moved the bucket to the path

    def parse_bucket_name_from_url(self, request: Any, url: str) -> str:  # noqa: ARG002 - moto's signature
        return self.address.bucket

    def parse_key_name(self) -> str:
        return self.address.key

    def answer(self, request: BackendRequest) -> Any:
        """Return moto's (status, headers, body)."""
        respond = self.key_response if self.address.key else self.bucket_response
        return respond(request, request.raw_url, request.headers)

    def _key_response(self, request: Any, full_url: str) -> Any:
        self._check_region(request)
        self._check_owner()
        return super()._key_response(request, full_url)

    def _bucket_response(self, request: Any, full_url: str) -> Any:
        self._check_region(request)
        self._check_owner()
        return super()._bucket_response(request, full_url)

    def _check_region(self, request: Any) -> None:
        """Refuse a request for a bucket that is signed for another region than that of the bucket.

        https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList
        """
        bucket = self.backend.buckets.get(self.address.bucket)
        header, query = signed_regions(request.environ)
        if bucket is None or bucket.region_name in (header, query) or not (header or query):
            return
        wrong = f"the region '{header or query}' is wrong; expecting '{bucket.region_name}'"
        if header:
            raise RegionError("AuthorizationHeaderMalformed", f"The authorization header is malformed; {wrong}", bucket)
        message = f"Error parsing the X-Amz-Credential parameter; {wrong}"
        raise RegionError("AuthorizationQueryParametersError", message, bucket)

    def _check_owner(self) -> None:
        """Refuse a request that expects another owner of the bucket.

        https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
        """
        expected = self.headers.get("x-amz-expected-bucket-owner")
        if expected is None or self.address.bucket not in self.backend.buckets:
            return
        if expected != self.backend.account_id:
            refuse("AccessDenied", "Access Denied")

    @classmethod
    def application(cls, environ: dict[str, Any]) -> Answer:
        """Answer one request. The caller holds the context's lock."""
        responses = cls()
        responses.address = settle(environ)
        one_condition(environ)
        try:
            request = BackendRequest(environ)
            check(request, responses.address)
            status, headers, body = responses.answer(request)
        except AwsError as error:
            answer = error_answer(
                "s3", str(error.code), str(error.message), status_of(str(error.code)), details_of(error)
            )
            region = (("x-amz-bucket-region", error.region),) if isinstance(error, RegionError) else ()
            return replace(answer, headers=(*answer.headers, *region))
        except S3ClientError as error:
            return error_answer("s3", error.error_type, error.description, int(error.code))
        if status in (204, 304):
            body = b""
        content = body.encode() if isinstance(body, str) else bytes(body)
        return Answer(int(status), tuple(told(headers)), content)


def check(request: BackendRequest, address: Address) -> None:
    """Refuse a request that S3 refuses whatever there is in the bucket."""
    query = dict(parse_qsl(request.environ.get("QUERY_STRING", ""), keep_blank_values=True))
    checks.expired(query, datetime.now(UTC))
    checks.check_headers(request.headers, address.key)
    operation = subresources.operation_of(request.method, address.key, query) if address.bucket else None
    if operation is not None and request.method == "PUT":
        checks.check_body(operation, request.get_data())


def told(headers: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the headers of the answer with the names that S3 uses, and the type of a checksum.

    https://docs.aws.amazon.com/AmazonS3/latest/API/RESTCommonResponseHeaders.html and
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
    """
    sums = [str(value) for name, value in headers.items() if CHECKSUM.fullmatch(name.lower())]
    if sums:
        yield "x-amz-checksum-type", "COMPOSITE" if "-" in sums[0] else "FULL_OBJECT"
    for name, value in headers.items():
        if name != "x-amz-sdk-checksum-algorithm":  # a header of the request
            yield "x-amz-request-id" if name == "x-amzn-requestid" else name, str(value)


def one_condition(environ: dict[str, Any]) -> None:
    """Remove the condition on the time if the request has a condition on the ETag, which has precedence.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html#API_GetObject_RequestSyntax
    """
    if environ["REQUEST_METHOD"] in ("GET", "HEAD"):
        for better, other in (("IF_NONE_MATCH", "IF_MODIFIED_SINCE"), ("IF_MATCH", "IF_UNMODIFIED_SINCE")):
            if f"HTTP_{better}" in environ:
                environ.pop(f"HTTP_{other}", None)
