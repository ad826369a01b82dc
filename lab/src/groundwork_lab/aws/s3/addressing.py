"""The bucket of a request, from its host name or its path. Pure functions.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

ENDPOINT = re.compile(
    r"(?:(?P<bucket>.+)\.)?s3(?:[.-](?:dualstack\.)?(?P<region>[a-z0-9-]+))?\.amazonaws\.com(?::\d+)?"
)


@dataclass(frozen=True)
class Address:
    """The resource of a request: none, a bucket, or an object in a bucket."""

    bucket: str = ""
    key: str = ""

    @property
    def arn(self) -> str:
        return f"arn:aws:s3:::{self.bucket}" + (f"/{self.key}" if self.key else "")


def bucket_in(host: str) -> str:
    """Return the bucket in a host name, or "" if the path contains it."""
    found = ENDPOINT.fullmatch(host.lower())
    return (found["bucket"] or "") if found else ""


def raw_path(environ: dict[str, Any]) -> str:
    """Return the path as it was sent, percent-encoded."""
    raw = str(environ.get("RAW_URI") or environ.get("REQUEST_URI") or environ.get("PATH_INFO", "/"))
    if raw.startswith(("http://", "https://")):
        raw = "/" + raw.split("://", 1)[1].partition("/")[2]
    return raw.partition("?")[0]


def settle(environ: dict[str, Any]) -> Address:
    """Return the resource of the request, and move the bucket from the host name to the path."""
    bucket = bucket_in(environ.get("HTTP_HOST", ""))
    path = raw_path(environ)
    if bucket:
        path = f"/{bucket}{path}"
        query = environ.get("QUERY_STRING", "")
        environ["HTTP_HOST"] = "s3.amazonaws.com"
        environ["RAW_URI"] = environ["REQUEST_URI"] = f"{path}?{query}" if query else path
        environ["PATH_INFO"] = f"/{bucket}{environ['PATH_INFO']}"
    name, _, key = path.removeprefix("/").partition("/")
    return Address(unquote(name), unquote(key))
