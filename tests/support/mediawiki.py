"""A person who uses MediaWiki by its API.

https://www.mediawiki.org/wiki/API:Action_API
"""

from __future__ import annotations

import json
import struct
import zlib
from http.cookiejar import CookieJar
from typing import Any
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener

from forms import File, multipart


def png(width: int, height: int) -> bytes:
    """Return a picture of one color."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = (b"\0" + b"\x20\x80\x80" * width) * height
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


class Author:
    """A person with a browser that keeps cookies."""

    def __init__(self, url: str, password: str) -> None:
        self.url = url
        self.password = password
        self._opener = build_opener(HTTPCookieProcessor(CookieJar()))

    def ask(self, **parameters: str) -> dict[str, Any]:
        """Return the answer to a request that changes nothing."""
        return self._answer(Request(f"{self.url}/api.php?{urlencode({'format': 'json', **parameters})}"))

    def token(self, kind: str = "csrf") -> str:
        return str(self.ask(action="query", meta="tokens", type=kind)["query"]["tokens"][f"{kind}token"])

    def log_in(self, name: str, password: str) -> str:
        """Log in, and return "PASS" if that succeeded."""
        given = {"username": name, "password": password, "loginreturnurl": f"{self.url}/"}
        return str(self.change(action="clientlogin", logintoken=self.token("login"), **given)["clientlogin"]["status"])

    def edit(self, title: str, text: str) -> str:
        """Write a page, and return "Success" if that succeeded."""
        return str(self.change(action="edit", title=title, text=text, token=self.token())["edit"]["result"])

    def upload(self, name: str, content: bytes) -> str:
        """Upload a picture, and return its URL."""
        fields = {"action": "upload", "format": "json", "filename": name, "ignorewarnings": "1", "token": self.token()}
        body, headers = multipart(fields, File("file", name, "image/png", content))
        answer = self._answer(Request(f"{self.url}/api.php", body, headers))
        return str(answer["upload"]["imageinfo"]["url"])

    def change(self, **parameters: str) -> dict[str, Any]:
        """Return the answer to a request that changes something."""
        return self._answer(Request(f"{self.url}/api.php", urlencode({"format": "json", **parameters}).encode()))

    def _answer(self, request: Request) -> dict[str, Any]:
        with self._opener.open(request, timeout=60) as answer:
            found: dict[str, Any] = json.loads(answer.read())
        return found
