# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests to AWS from a server, with the credentials of its instance profile and only Python's standard library.

The text of this file is also part of the user data of new servers, so it imports nothing from the collection.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import os
import re
import ssl
import sys
import time
import typing as t
from dataclasses import dataclass, field, replace
from pathlib import Path

METADATA = "169.254.169.254"
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"  # Debian's
FOLDER = Path("/run/groundwork/boot")
TIMEOUT = 10.0  # seconds for an answer
# A new role is not visible everywhere at once, and the route to the internet may not exist yet.
# https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html (changes are not always visible)
PATIENCE = 240.0  # seconds: less than Auto Scaling's grace period, 300
WORDS = re.compile(r'<(?:Code|Message)>([^<]*)<|"(?:__type|[Mm]essage)"\s*:\s*"([^"]*)"')

T = t.TypeVar("T")


class FetchError(Exception):
    """A request failed until the timeout. The message contains no secret."""


class RefusedError(Exception):
    """A response whose `status` is not 200."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Keys:
    """The temporary credentials of the instance's role."""

    name: str
    secret: str = field(repr=False)
    token: str = field(repr=False)


@dataclass(frozen=True)
class Request:
    """An HTTP request. The names of the headers are in lower case."""

    method: str
    host: str
    path: str
    headers: t.Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


def to_metadata() -> http.client.HTTPConnection:
    """Return a connection to the instance metadata service."""
    return http.client.HTTPConnection(METADATA, timeout=TIMEOUT)


def to_host(host: str) -> http.client.HTTPConnection:
    """Return a connection to an AWS endpoint. Its certificate is verified."""
    return http.client.HTTPSConnection(host, timeout=TIMEOUT, context=ssl.create_default_context(cafile=AUTHORITIES))


@dataclass(frozen=True)
class Cloud:
    """The AWS API for an instance. Tests replace the last four attributes."""

    region: str
    domain: str  # of the partition, as amazonaws.com
    to_metadata: t.Callable[[], http.client.HTTPConnection] = to_metadata
    to_host: t.Callable[[str], http.client.HTTPConnection] = to_host
    clock: t.Callable[[], float] = time.monotonic
    sleep: t.Callable[[float], None] = time.sleep

    def instance_id(self) -> str:
        """Return the id of this instance. Raise FetchError after `PATIENCE`, as do `fetch` and `parameter`."""
        return self.patiently("read the instance id", lambda: self.metadata("instance-id"))

    def fetch(self, bucket: str, key: str) -> bytes:
        """Return the content of an S3 object."""
        host = f"{bucket}.s3.{self.region}.{self.domain}"
        return self.patiently(f"fetch s3://{bucket}/{key}", lambda: self.ask("s3", Request("GET", host, f"/{key}")))

    def parameter(self, name: str) -> str:
        """Return the decrypted value of a parameter in Parameter Store."""
        host = f"ssm.{self.region}.{self.domain}"
        headers = {"x-amz-target": "AmazonSSM.GetParameter", "content-type": "application/x-amz-json-1.1"}
        request = Request("POST", host, "/", headers, json.dumps({"Name": name, "WithDecryption": True}).encode())

        def attempt() -> str:
            return str(json.loads(self.ask("ssm", request))["Parameter"]["Value"])

        return self.patiently(f"read the parameter {name}", attempt)

    def ask(self, service: str, request: Request) -> bytes:
        """Return the body of the response to a signed request."""
        return self.send(service, request)[1]

    def send(self, service: str, request: Request) -> tuple[t.Mapping[str, str], bytes]:
        """Return the headers and the body of the response to a signed request.

        The credentials are read again each time, because those of a new role may come late.
        """
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        headers = sign(request, keys=self._keys(), scope=(self.region, service), now=now)
        return respond(self.to_host(request.host), replace(request, headers=headers))

    def _keys(self) -> Keys:
        place = "iam/security-credentials/"
        told = json.loads(self.metadata(place + self.metadata(place).split()[0]))
        return Keys(told["AccessKeyId"], told["SecretAccessKey"], told["Token"])

    def metadata(self, path: str) -> str:
        """Return a value from the instance metadata.

        https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
        """
        lasting = {"x-aws-ec2-metadata-token-ttl-seconds": "60"}
        token = answer(self.to_metadata(), Request("PUT", METADATA, "/latest/api/token", lasting)).decode()
        having = {"x-aws-ec2-metadata-token": token}
        return answer(self.to_metadata(), Request("GET", METADATA, f"/latest/meta-data/{path}", having)).decode()

    def patiently(self, doing: str, attempt: t.Callable[[], T], patience: float = PATIENCE) -> T:
        """Return the result of `attempt`, which is repeated for `patience` seconds while it fails. Raise FetchError."""
        start, delay = self.clock(), 0.25
        while True:
            try:
                return attempt()
            except (OSError, http.client.HTTPException, RefusedError, LookupError, ValueError) as error:
                if self.clock() >= start + patience:
                    reason = f"{type(error).__name__}: {error}".removeprefix("RefusedError: ")
                    raise FetchError(f"Could not {doing} within {patience:.0f} s. The last error: {reason}") from None
            self.sleep(delay)
            delay = min(delay * 2, 8.0)


def answer(connection: http.client.HTTPConnection, request: Request) -> bytes:
    """Return the body of the response."""
    return respond(connection, request)[1]


def respond(connection: http.client.HTTPConnection, request: Request) -> tuple[t.Mapping[str, str], bytes]:
    """Return the headers, by their names in lower case, and the body of the response.

    Raise RefusedError with only AWS' code and message: errors can repeat tokens.
    """
    try:
        connection.request(request.method, request.path, request.body, dict(request.headers))
        response = connection.getresponse()
        content = response.read()
    finally:
        connection.close()
    if response.status != 200:
        said = ": ".join("".join(pair) for pair in WORDS.findall(content.decode(errors="replace")))
        text = f"{request.host} answered {response.status} {said or response.reason}"
        raise RefusedError(text, response.status)
    return {name.lower(): value for name, value in response.headers.items()}, content


def sign(request: Request, *, keys: Keys, scope: tuple[str, str], now: str) -> dict[str, str]:
    """Return the headers (in lower case) with a signature for the region and service in `scope`. Pure.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    """
    content = hashlib.sha256(request.body).hexdigest()
    signed = {**request.headers, "host": request.host, "x-amz-content-sha256": content, "x-amz-date": now}
    if keys.token:
        signed["x-amz-security-token"] = keys.token
    names = ";".join(sorted(signed))
    lines = (f"{name}:{signed[name]}" for name in sorted(signed))
    path, _mark, query = request.path.partition("?")  # the query as it is signed: sorted, and every name with a value
    canonical = "\n".join([request.method, path, query, *lines, "", names, content])
    where = (now[:8], *scope, "aws4_request")
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    text = "\n".join(["AWS4-HMAC-SHA256", now, "/".join(where), digest])
    key = f"AWS4{keys.secret}".encode()
    for part in (*where, text):
        key = hmac.digest(key, part.encode(), "sha256")
    given = f"AWS4-HMAC-SHA256 Credential={keys.name}/{'/'.join(where)}, SignedHeaders={names}, Signature={key.hex()}"
    return {**signed, "authorization": given}


def start(cloud: Cloud, bucket: str, key: str, digest: str, folder: Path = FOLDER) -> t.NoReturn:
    """Fetch the program that configures this server, verify its digest, and replace this process with it."""
    try:
        program = cloud.fetch(bucket, key)
    except FetchError as error:
        raise SystemExit(f"groundwork: {error}") from None
    found = hashlib.sha256(program).hexdigest()
    if found != digest:
        raise SystemExit(f"groundwork: s3://{bucket}/{key} has the SHA-256 {found}, not {digest}: it is not run.")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{digest}.pyz"
    path.write_bytes(program)
    os.execv(sys.executable, [sys.executable, "-I", str(path)])  # noqa: S606 - the arguments are a list, and the program is verified
