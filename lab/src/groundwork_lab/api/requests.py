"""The service, operation and region of a request, and whether it is signed.

The service and region are in the credential scope of the signature. The operation is in the form's `Action`, in
`X-Amz-Target`, or in method and path.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote

from groundwork_lab.aws.errors import Protocol
from groundwork_lab.aws.services import Service, find


@dataclass(frozen=True)
class Scope:
    """The credential scope of a signature. `service` is the signing name."""

    region: str
    service: str


@dataclass(frozen=True)
class Call:
    service: Service
    operation: str  # "" if the request matches no operation
    region: str
    dry_run: bool = False


def scope(authorization: str, query: str) -> Scope | None:
    """Return the credential scope of the request, from the header or the (presigned) query, or None if it is unsigned.

    Signature version 2 names neither region nor service. Only S3 still accepts it.
    """
    if authorization.startswith("AWS4-HMAC-SHA256"):
        credential = authorization.partition("Credential=")[2].partition(",")[0].strip()
        return _scope_of(credential)
    if authorization.startswith("AWS "):
        return Scope("", "s3")
    fields = parse_qs(query)
    if "X-Amz-Credential" in fields:
        return _scope_of(unquote(fields["X-Amz-Credential"][0]))
    if "AWSAccessKeyId" in fields and "Signature" in fields:
        return Scope("", "s3")
    return None


def access_key(authorization: str, query: str) -> str:
    """Return the id of the key that signed the request, with signature version 4 or 2."""
    if authorization.startswith("AWS4-HMAC-SHA256"):
        return authorization.partition("Credential=")[2].partition("/")[0].strip()
    if authorization.startswith("AWS "):
        return authorization.removeprefix("AWS ").partition(":")[0].strip()
    fields = parse_qs(query)
    if "AWSAccessKeyId" in fields:
        return fields["AWSAccessKeyId"][0]
    return unquote(fields.get("X-Amz-Credential", [""])[0]).partition("/")[0]


def _scope_of(credential: str) -> Scope | None:
    parts = credential.split("/")
    return Scope(parts[-3], parts[-2].lower()) if len(parts) >= 5 else None


def identify(found: Scope, environ: dict[str, Any], body: bytes) -> Call | None:
    """Return the call of a signed request, or None if the lab does not have the service."""
    service = find(found.service)
    if service is None:
        return None
    form: dict[str, list[str]] = {}
    if service.protocol in ("ec2", "query"):
        form = parse_qs(body.decode("utf-8", "replace")) or parse_qs(environ.get("QUERY_STRING", ""))
        service = find(found.service, form.get("Version", [""])[0]) or service
    return Call(
        service=service,
        operation=_operation(service, form, environ),
        region=found.region,
        dry_run=form.get("DryRun", [""])[0].lower() == "true",
    )


def protocol_of(environ: dict[str, Any]) -> Protocol:
    """Return the protocol of a request to a service that the lab does not have, as its client reads the answer.

    https://smithy.io/2.0/aws/protocols/index.html
    """
    if environ.get("HTTP_SMITHY_PROTOCOL") == "rpc-v2-cbor":
        return "cbor"
    if environ.get("HTTP_X_AMZ_TARGET"):
        return "json"
    form = str(environ.get("CONTENT_TYPE", "")).startswith("application/x-www-form-urlencoded")
    return "query" if form else "rest-json"


def _operation(service: Service, form: dict[str, list[str]], environ: dict[str, Any]) -> str:
    if service.protocol in ("ec2", "query"):
        return form.get("Action", [""])[0]
    if service.protocol == "json":
        return str(environ.get("HTTP_X_AMZ_TARGET", "")).rpartition(".")[2]
    return rest_operation(service.client, environ)


OBJECT_OPERATIONS = {"GET": "GetObject", "HEAD": "HeadObject", "DELETE": "DeleteObject"}


def object_operation(environ: dict[str, Any]) -> str:
    """Return the operation of a plain S3 request for one object, without botocore's model; "" for other requests.

    These requests have no query string. They are the most frequent ones, so their lookup must be fast.
    """
    _, _, key = environ["PATH_INFO"].removeprefix("/").partition("/")
    if not key or environ.get("QUERY_STRING"):
        return ""
    if environ["REQUEST_METHOD"] == "PUT":
        return "CopyObject" if "HTTP_X_AMZ_COPY_SOURCE" in environ else "PutObject"
    return OBJECT_OPERATIONS.get(environ["REQUEST_METHOD"], "")


def rest_operation(client: str, environ: dict[str, Any]) -> str:
    """Return the operation of a REST request, matched by method, path, query and headers against botocore's model."""
    if client == "s3" and (plain := object_operation(environ)):
        return plain
    from moto.core.request import Request  # noqa: PLC0415 - heavy
    from moto.core.routing import NotFound, get_service_router  # noqa: PLC0415

    try:
        operation, _ = get_service_router(client).match(Request(dict(environ)))
    except NotFound:
        return ""
    return str(operation.name)
