"""S3 as a function from a request to an answer, without a web framework between the socket and moto.

moto's web framework took a third of the time of a PUT, and added a header that allows all origins to each answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from moto.moto_server.werkzeug_app import BackendRequest
from moto.s3.exceptions import S3ClientError
from moto.s3.responses import S3Response

from groundwork_lab.aws.context import AwsError, refuse
from groundwork_lab.aws.errors import Answer, error_answer
from groundwork_lab.aws.s3.addressing import Address, settle
from groundwork_lab.aws.s3.buckets import BucketsResponses
from groundwork_lab.aws.s3.listing import ListingResponses
from groundwork_lab.aws.s3.objects import ObjectsResponses
from groundwork_lab.aws.s3.refusals import status_of


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
        self._check_owner()
        return super()._key_response(request, full_url)

    def _bucket_response(self, request: Any, full_url: str) -> Any:
        self._check_owner()
        return super()._bucket_response(request, full_url)

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
            status, headers, body = responses.answer(BackendRequest(environ))
        except AwsError as error:
            return error_answer("s3", str(error.code), str(error.message), status_of(str(error.code)))
        except S3ClientError as error:
            return error_answer("s3", error.error_type, error.description, int(error.code))
        if status in (204, 304):
            body = b""
        content = body.encode() if isinstance(body, str) else bytes(body)
        return Answer(int(status), tuple(told(headers)), content)


def told(headers: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the headers of the answer with the names that S3 uses.

    https://docs.aws.amazon.com/AmazonS3/latest/API/RESTCommonResponseHeaders.html
    """
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
