"""The WSGI layer in front of moto: authentication, call counts, injected faults, and detection of changes.

moto's own server finds the service by the host name and guesses if it cannot. Here the credential scope of the
signature decides. Requests that moto cannot answer get an error that AWS clients understand.
"""

from __future__ import annotations

import io
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import unquote, unquote_plus

from groundwork_lab.api import permissions, requests, undoing
from groundwork_lab.api.calls import CallCounter, is_read
from groundwork_lab.api.faults import Fault, Faults
from groundwork_lab.api.history import OUTSIDE, History, has_past, is_unknown
from groundwork_lab.api.requests import Call
from groundwork_lab.api.serving import ConnectionCutError
from groundwork_lab.aws import s3
from groundwork_lab.aws.applications import make_application
from groundwork_lab.aws.context import Context
from groundwork_lab.aws.corrections import Application, Installed
from groundwork_lab.aws.errors import UNPRINTABLE, Answer, Protocol, error_answer
from groundwork_lab.aws.s3 import access, forms
from groundwork_lab.aws.s3.addressing import Address, settle
from groundwork_lab.aws.s3.corrections import bucket_of
from groundwork_lab.aws.services import Service
from groundwork_lab.aws.sts import identity

LOG = logging.getLogger(__name__)
S3 = s3.SERVICE
ORIGIN = replace(S3, client="origin", backend="s3")  # as CloudFront's edges call it, counted under its own name
Door = Literal["api", "s3", "origin"]
SOURCE_ARN = "HTTP_X_GROUNDWORK_SOURCE_ARN"
DOORS: tuple[Door, ...] = ("api", "s3", "origin")
StartResponse = Callable[[str, list[tuple[str, str]]], object]


@dataclass
class Middleware:
    """The WSGI application of one socket, whose purpose is `door`.

    At `s3` an unsigned request is an anonymous request to a bucket. At `origin` all requests come from CloudFront's
    edges and are read-only. Only there a header names the distribution, and the signature of a viewer is ignored.
    """

    context: Context
    installed: Installed
    calls: CallCounter
    faults: Faults
    history: History
    changed: Callable[[], None]
    door: Door

    def __post_init__(self) -> None:
        self._applications: dict[str, Application] = {}

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        answer = self._answer(environ)
        start_response(str(answer.status), list(answer.headers))
        return [answer.body]

    def _answer(self, environ: dict[str, Any]) -> Answer:
        body = environ["wsgi.input"].getvalue()
        scope = requests.scope(environ.get("HTTP_AUTHORIZATION", ""), environ.get("QUERY_STRING", ""))
        if scope is None or self.door == "origin":
            return self._unsigned(environ)
        address = settle(environ).arn if scope.service == "s3" else ""
        call = requests.identify(scope, environ, body)
        if call is None:
            message = f"The lab does not have the service {scope.service}."
            protocol = requests.protocol_of(environ)
            return error_answer(
                protocol, "UnknownOperationException" if protocol != "query" else "InvalidAction", message, 400
            )
        query = environ.get("QUERY_STRING", "")
        key = requests.access_key(environ.get("HTTP_AUTHORIZATION", ""), query)
        refused = self._refusal(call) or unprintable(call, environ, body)
        if refused is not None:
            return refused
        with self.context.lock:
            known = identity.is_known(self.context, key)
        if not known:
            return permissions.unknown(call)
        self.calls.count(call.service.client, call.operation)
        with self.context.lock:
            denied = permissions.denied(
                self.context, self.installed, call, key, permissions.Asked(query, body, address)
            )
        return denied or self._with_faults(call, environ, key)

    def _refusal(self, call: Call) -> Answer | None:
        protocol = call.service.protocol
        if not is_known(call.service.client, call.operation):
            return unknown_action(protocol, call.operation)
        if call.service.not_implemented and not is_read(call.operation):
            message = f"The lab has no {call.service.not_implemented}; it refuses {call.operation}."
            return error_answer(protocol, "UnsupportedOperation", message, 400)
        if call.service.reach == "lab" and call.region != self.context.region:
            message = f"The lab's region is {self.context.region}; {call.region} is not enabled for this account."
            return error_answer(protocol, "AuthFailure", message, 401)
        return None

    def _unsigned(self, environ: dict[str, Any]) -> Answer:
        """Answer a request without a signature. Only S3 accepts them, as far as the bucket policy permits."""
        form = forms.form_of(environ) if self.door != "origin" else None
        if form is not None:
            return self._posted(form, environ)
        if self.door == "api":
            if environ.get("HTTP_X_AMZ_TARGET"):
                return error_answer("json", "MissingAuthenticationTokenException", "Missing Authentication Token", 400)
            return error_answer("query", "MissingAuthenticationToken", "Request is missing Authentication Token", 403)
        address = settle(environ)
        call = Call(ORIGIN if self.door == "origin" else S3, requests.rest_operation("s3", environ), "")
        self.calls.count(call.service.client, call.operation)
        if self.door == "origin" and environ["REQUEST_METHOD"] not in ("GET", "HEAD"):
            message = "The specified method is not allowed against this resource."
            return error_answer("s3", "MethodNotAllowed", message, 405)
        source = environ.get(SOURCE_ARN, "") if self.door == "origin" else ""
        return self._permitted(call, environ, address, access.caller(source, environ.get("REMOTE_ADDR", "")))

    def _posted(self, form: forms.Form, environ: dict[str, Any]) -> Answer:
        """Answer the upload of a form, which is signed in its fields."""
        bucket = settle(environ).bucket
        call = Call(S3, "PutObject", "")
        with self.context.lock:
            known = identity.is_known(self.context, form.access_key)
        if not known:
            return (
                permissions.unknown(call)
                if form.access_key
                else error_answer("s3", "AccessDenied", "Access Denied", 403)
            )
        self.calls.count("s3", "PutObject")
        asked = permissions.Asked("", b"", Address(bucket, form.key).arn)
        with self.context.lock:
            denied = permissions.denied(self.context, self.installed, call, form.access_key, asked)
        return denied or self._with_faults(call, environ, form.access_key)

    def _permitted(self, call: Call, environ: dict[str, Any], address: Address, who: access.Caller) -> Answer:
        """Answer an anonymous S3 request. Only callers who may list the bucket learn that a key does not exist.

        https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
        """
        with self.context.lock:
            bucket = bucket_of(self.context, address.bucket)
            action = access.action_of(call.operation, environ.get("QUERY_STRING", ""))
            allowed = action is not None and access.may(bucket, action, address, who)
            may_list = access.may(bucket, "s3:ListBucket", Address(address.bucket), who)
        if address.bucket and bucket is None:
            return error_answer("s3", "NoSuchBucket", "The specified bucket does not exist", 404)
        if allowed:
            answer = self._with_faults(call, environ)
            if answer.status != 404 or may_list:
                return answer
        return error_answer("s3", "AccessDenied", "Access Denied", 403)

    def _with_faults(self, call: Call, environ: dict[str, Any], key: str = "") -> Answer:
        fault = self.faults.strike(call.service.client, call.operation, key)
        if fault is None:
            return self._execute(call, environ)
        time.sleep(fault.delay)
        if fault.age:
            return self._earlier(fault, call, environ) or self._execute(call, environ)
        answer = self._execute(call, environ) if fault.executed or not fault.refuses else None
        if answer is None or fault.refuses:
            return error_answer(call.service.protocol, fault.code, fault.message, fault.status)
        if fault.drop:
            raise ConnectionCutError
        return answer.cut() if fault.cut else answer

    def _earlier(self, fault: Fault, call: Call, environ: dict[str, Any]) -> Answer | None:
        """Answer a call in an earlier state, or return None if the present state has to answer it."""
        if not has_past(call):
            return None
        again = {**environ, "wsgi.input": io.BytesIO(environ["wsgi.input"].getvalue())}
        with self.context.lock, self.history.at(fault.age) as past:
            answer = self._carried_out(call, again) if past else None
        return answer if answer and (fault.stale or is_unknown(answer)) else None

    def _execute(self, call: Call, environ: dict[str, Any]) -> Answer:
        with self.context.lock:
            self.context.pass_time()
            if is_read(call.operation) or not call.service.in_world:
                return self._carried_out(call, environ)
            undoing.found(self.context, call.service, call.region)
            undo = undoing.remember(self.context, without=OUTSIDE)
            answer = self._carried_out(call, environ)
            if answer.status >= 400:
                undo()
            elif not call.dry_run:
                self.history.note(undo)
        if answer.status < 300 and not call.dry_run:
            self.changed()
        return answer

    def _carried_out(self, call: Call, environ: dict[str, Any]) -> Answer:
        """Return the service's answer, or a refusal if the service fails. The caller holds the context's lock."""
        try:
            return self._application(call.service)(environ)
        except NotImplementedError as error:
            LOG.warning("%s: %s", call.service.client, error)
            return unknown_action(call.service.protocol, call.operation)
        except Exception as error:  # moto raises exceptions of any type for parameters that it does not check
            LOG.exception("%s %s failed", call.service.client, call.operation)
            return incapable(call, error)

    def _application(self, service: Service) -> Application:
        """Return moto's application for the service. It is created at first use, because each one imports megabytes."""
        if service.moto not in self._applications:
            self._applications[service.moto] = make_application(service, self.installed.get(service.moto))
        return self._applications[service.moto]


def is_known(client: str, operation: str) -> bool:
    """Return whether boto3's model of the service has the operation."""
    from moto.core.utils import get_service_model  # noqa: PLC0415 - heavy

    return operation in get_service_model(client).operation_names


def unknown_action(protocol: Protocol, operation: str) -> Answer:
    """Return AWS' error for an operation that does not exist.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html#CommonErrors
    """
    code = "UnknownOperationException" if protocol in ("json", "rest-json") else "InvalidAction"
    if protocol == "s3":
        return error_answer(protocol, "NotImplemented", "A header or query you provided is not implemented.", 501)
    return error_answer(protocol, code, f"The action {operation} is not valid for this web service.", 400)


def unprintable(call: Call, environ: Mapping[str, Any], body: bytes) -> Answer | None:
    """Refuse parameters with characters that the XML of the answer cannot contain. S3 encodes them itself."""
    protocol = call.service.protocol
    if protocol in ("ec2", "query"):
        told = unquote_plus(body.decode(errors="replace"))
    elif protocol == "rest-xml":
        told = unquote(f"{environ['PATH_INFO']} {environ.get('QUERY_STRING', '')}")
    else:
        return None
    if not UNPRINTABLE.search(told):
        return None
    code = {"ec2": "InvalidParameterValue", "query": "ValidationError"}.get(protocol, "InvalidArgument")
    return error_answer(protocol, code, "A parameter contains characters that are not valid in XML.", 400)


def incapable(call: Call, error: Exception) -> Answer:
    """Refuse a call that moto fails on. An InternalError would be wrong, because clients retry it.

    S3 has its own code for requests that it does not implement:
    https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList
    """
    protocol = call.service.protocol
    reason = f"The lab cannot carry out {call.operation} with these parameters: {error!r}. Its log tells more."
    if protocol == "s3":
        return error_answer(protocol, "NotImplemented", reason, 501)
    return error_answer(protocol, "UnsupportedOperation", reason, 400)
