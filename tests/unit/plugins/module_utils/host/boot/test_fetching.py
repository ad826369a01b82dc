"""What a server fetches by itself: signatures like botocore's, IMDSv2, and patience with what comes late."""

from __future__ import annotations

import hashlib
import http.client
import json
import typing as t
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from ansible_collections.groundwork.aws.plugins.module_utils.host.boot import fetching
from ansible_collections.groundwork.aws.plugins.module_utils.host.boot.fetching import (
    PATIENCE,
    Cloud,
    FetchError,
    Keys,
    Request,
    sign,
)

SECRETS = {"AccessKeyId": "ASIAEXAMPLE", "SecretAccessKey": "very-secret", "Token": "a-token"}
MISSING = (404, b"")
ROLE = "/latest/meta-data/iam/security-credentials/"


def test_a_signature_is_that_of_the_documentation() -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html (GET Object)"""
    keys = Keys("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "")
    request = Request("GET", "examplebucket.s3.amazonaws.com", "/test.txt", {"range": "bytes=0-9"})
    signed = sign(request, keys=keys, scope=("us-east-1", "s3"), now="20130524T000000Z")
    assert signed["authorization"].endswith(
        "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
        "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    )


def test_a_signature_with_a_token_and_a_body_is_botocores() -> None:
    host, body = "ssm.eu-central-1.amazonaws.com", b'{"Name": "/a"}'
    given = {"x-amz-target": "AmazonSSM.GetParameter", "content-type": "application/x-amz-json-1.1"}
    digest = hashlib.sha256(body).hexdigest()  # botocore tells it to S3 alone
    theirs = AWSRequest("POST", f"https://{host}/", data=body, headers={**given, "x-amz-content-sha256": digest})
    SigV4Auth(Credentials("ASIAEXAMPLE", "very-secret", "a-token"), "ssm", "eu-central-1").add_auth(theirs)
    keys, request = Keys("ASIAEXAMPLE", "very-secret", "a-token"), Request("POST", host, "/", given, body)
    ours = sign(request, keys=keys, scope=("eu-central-1", "ssm"), now=theirs.headers["X-Amz-Date"])
    assert ours["authorization"] == theirs.headers["Authorization"]


class World:
    """A metadata service and AWS in one, and time that passes only when somebody sleeps.

    `answers` are status and body by path; a list gives them one after the other, the last one again and again.
    """

    def __init__(self) -> None:
        self.answers: dict[str, t.Any] = {
            "/latest/api/token": (200, b"imds-token"),
            "/latest/meta-data/instance-id": (200, b"i-0123"),
            ROLE: (200, b"dev-public"),
            f"{ROLE}dev-public": (200, json.dumps(SECRETS).encode()),
        }
        self.asked: list[tuple[str, str, dict[str, str], bytes]] = []
        self.hosts: list[str] = []
        self.now = 0.0
        world = self

        class Handler(BaseHTTPRequestHandler):
            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                world.asked.append((self.command, self.path, headers, body))
                answers = world.answers.get(self.path, MISSING)
                if isinstance(answers, list):
                    answers = answers.pop(0) if len(answers) > 1 else answers[0]
                self.send_response(answers[0])
                self.send_header("Content-Length", str(len(answers[1])))
                self.end_headers()
                self.wfile.write(answers[1])

            do_GET = do_PUT = do_POST = handle_any  # noqa: N815 - http.server's names

            def log_message(self, *arguments: t.Any) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        Thread(target=self.server.serve_forever, daemon=True).start()

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.server.server_port, timeout=5)

    def to_host(self, host: str) -> http.client.HTTPConnection:
        self.hosts.append(host)
        return self.connect()

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    @property
    def cloud(self) -> Cloud:
        return Cloud("eu-central-1", "amazonaws.com", self.connect, self.to_host, lambda: self.now, self.sleep)


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_a_parameter_is_read_with_the_roles_keys(world: World) -> None:
    world.answers["/"] = (200, json.dumps({"Parameter": {"Value": "opens it"}}).encode())
    assert world.cloud.parameter("/groundwork/dev/lamp/app/database-password") == "opens it"
    method, path, headers, body = world.asked[-1]
    assert (method, path, world.hosts) == ("POST", "/", ["ssm.eu-central-1.amazonaws.com"])
    assert json.loads(body) == {"Name": "/groundwork/dev/lamp/app/database-password", "WithDecryption": True}
    assert (headers["x-amz-target"], headers["x-amz-security-token"]) == ("AmazonSSM.GetParameter", "a-token")
    assert headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=ASIAEXAMPLE/")
    asked = {path: headers for _method, path, headers, _body in world.asked}
    assert asked[ROLE]["x-aws-ec2-metadata-token"] == "imds-token"


def test_an_object_is_fetched_from_its_bucket(world: World) -> None:
    world.answers["/boot/public/abc.pyz"] = (200, b"content")
    assert world.cloud.fetch("groundwork-dev", "boot/public/abc.pyz") == b"content"
    assert world.hosts == ["groundwork-dev.s3.eu-central-1.amazonaws.com"]


@pytest.mark.parametrize(
    ("path", "late"),
    [
        (ROLE, [MISSING, MISSING, (200, b"dev-public")]),
        (f"{ROLE}dev-public", [(200, b'{"Code": "Failed"}'), (200, json.dumps(SECRETS).encode())]),
        ("/one", [(403, b"<Code>AccessDenied</Code>"), (200, b"content")]),
        ("/latest/api/token", [(503, b""), (200, b"imds-token")]),
    ],
)
def test_what_comes_late_is_waited_for(world: World, path: str, late: list[t.Any]) -> None:
    world.answers = {"/one": (200, b"content"), **world.answers, path: late}
    assert world.cloud.fetch("bucket", "one") == b"content"
    assert 0 < world.now < 5


def test_what_never_comes_is_told_without_a_secret(world: World) -> None:
    said = "<Error><Code>AccessDenied</Code><Message>not yours</Message><Token-0>a-token</Token-0></Error>"
    world.answers["/one"] = (403, said.encode())
    with pytest.raises(FetchError) as told:
        world.cloud.fetch("bucket", "one")
    assert str(told.value).startswith(
        f"Could not fetch s3://bucket/one within {PATIENCE:.0f} s. The last error: bucket.s3."
    )
    assert str(told.value).endswith("answered 403 AccessDenied: not yours")
    assert PATIENCE <= world.now < PATIENCE + 10


def test_nobody_there_is_told_too(world: World) -> None:
    world.server.shutdown()
    world.server.server_close()
    with pytest.raises(FetchError, match="ConnectionRefusedError"):
        world.cloud.instance_id()


def test_a_program_that_is_not_the_one_meant_is_not_run(world: World, tmp_path: Path) -> None:
    world.answers["/one"] = (200, b"something else")
    with pytest.raises(SystemExit, match="it is not run"):
        fetching.start(world.cloud, "bucket", "one", "0" * 64, tmp_path / "boot")
    assert list(tmp_path.iterdir()) == []


def test_keys_do_not_show_themselves() -> None:
    assert "very-secret" not in repr(Keys("ASIAEXAMPLE", "very-secret", "a-token"))
