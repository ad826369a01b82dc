"""A bucket with S3's conditional writes, and servers that reach it with the role in their instance metadata."""

from __future__ import annotations

import hashlib
import json
import typing as t
from dataclasses import dataclass, field

from ansible_collections.groundwork.aws.plugins.module_utils.host.boot.fetching import Cloud

KEYS = {"AccessKeyId": "ASIA", "SecretAccessKey": "secret", "Token": "token"}


@dataclass
class Bucket:
    """The objects of a bucket, with S3's conditional writes and without the permission to list it."""

    objects: dict[str, str] = field(default_factory=dict)

    def answer(self, method: str, path: str, headers: t.Mapping[str, str], body: bytes) -> tuple[int, str]:
        assert headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=ASIA/")
        if method == "GET":
            return (200, self.objects[path]) if path in self.objects else (403, "<Code>AccessDenied</Code>")
        if headers.get("if-none-match") == "*" and path in self.objects:
            return 412, "<Code>PreconditionFailed</Code>"
        if headers.get("if-match", etag_of(self.objects.get(path, ""))) != etag_of(self.objects.get(path, "")):
            return 412, "<Code>PreconditionFailed</Code>"
        self.objects[path] = body.decode()
        return 200, ""


def etag_of(text: str) -> str:
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


@dataclass
class Response:
    status: int
    text: str
    reason: str = ""

    @property
    def headers(self) -> dict[str, str]:
        return {"ETag": etag_of(self.text)}

    def read(self) -> bytes:
        return self.text.encode()


@dataclass
class Connection:
    reply: t.Callable[..., tuple[int, str]]
    response: Response = field(default_factory=lambda: Response(0, ""))

    def request(self, method: str, path: str, body: bytes, headers: t.Mapping[str, str]) -> None:
        self.response = Response(*self.reply(method, path, headers, body))

    def getresponse(self) -> Response:
        return self.response

    def close(self) -> None:
        pass


class Server:
    """A server whose clock only its waiting moves. `lost` is called before and after each request to S3."""

    def __init__(self, name: str, bucket: Bucket, lost: t.Callable[[str], bool] = lambda _when: False) -> None:
        self.name, self.bucket, self.lost = name, bucket, lost
        self.time = 0.0
        self.said: list[str] = []
        self.hosts: set[str] = set()

    def metadata(self, method: str, path: str, _headers: t.Any, _body: bytes) -> tuple[int, str]:
        told = {
            "api/token": "t",
            "meta-data/instance-id": self.name,
            "meta-data/mac": "0a:1b",
            "meta-data/network/interfaces/macs/0a:1b/owner-id": "123456789012",
            "meta-data/network/interfaces/macs/0a:1b/vpc-id": "vpc-1",
            "meta-data/placement/region": "eu-central-1",
            "meta-data/services/domain": "amazonaws.com",
            "meta-data/iam/security-credentials/": "dev-public",
            "meta-data/iam/security-credentials/dev-public": json.dumps(KEYS),
        }
        return 200, told[path.removeprefix("/latest/")]

    def s3(self, *request: t.Any) -> tuple[int, str]:
        if self.lost("request"):
            raise ConnectionResetError("the request was lost")
        answer = self.bucket.answer(*request)
        if self.lost("response"):
            raise ConnectionResetError("the response was lost")
        return answer

    def to_host(self, host: str) -> t.Any:
        self.hosts.add(host)
        return Connection(self.s3)

    def sleep(self, seconds: float) -> None:
        self.time += seconds

    def to_metadata(self) -> t.Any:
        return Connection(self.metadata)

    def cloud(self) -> Cloud:
        return Cloud("", "", self.to_metadata, self.to_host, lambda: self.time, self.sleep)
