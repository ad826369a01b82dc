"""WordPress from Debian's packages, by the files of docs/examples/wordpress, and a person who uses it."""

from __future__ import annotations

import json
import re
import shutil
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener

import examples
from forms import File, multipart

EXAMPLE = "wordpress"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360f8cf50"
    "0f0003860180d6c1b9a40000000049454e44ae426082"
)


def unpacked(folder: Path) -> Path:
    """Write the source as the README of the example says, and return its folder."""
    source = examples.built(EXAMPLE, folder / "wordpress", "/srv/wordpress")
    shutil.copy(examples.EXAMPLES / EXAMPLE / "wp-config.php", source)
    return source


class Editor:
    """A person with a browser that keeps cookies."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._opener = build_opener(HTTPCookieProcessor(CookieJar()))

    def get(self, path: str) -> str:
        """Return a page, after redirects."""
        return self._ask(Request(f"{self.url}{path}")).decode()

    def post(self, path: str, **form: str) -> str:
        """Send a form, and return the page that follows."""
        return self._ask(Request(f"{self.url}{path}", urlencode(form).encode())).decode()

    def send(self, path: str, file: File, **form: str) -> str:
        """Send a form with a file, and return the page that follows."""
        return self._ask(Request(f"{self.url}{path}", *multipart(form, file))).decode()

    def install(self, title: str, password: str) -> str:
        """Follow the installer, which asks for no database, and return its last page."""
        account = {"user_name": "editor", "admin_password": password, "admin_password2": password, "pw_weak": "on"}
        form = {"weblog_title": title, "admin_email": "editor@example.com", "Submit": "Install WordPress", **account}
        return self.post("/wp-admin/install.php?step=2", **form)

    def log_in(self, password: str) -> str:
        """Log in, and return the page that follows."""
        self.get("/wp-login.php")
        form = {"log": "editor", "pwd": password, "wp-submit": "Log In", "testcookie": "1"}
        return self.post("/wp-login.php", redirect_to=f"{self.url}/wp-admin/", **form)

    def create(self, kind: str, body: bytes, **headers: str) -> dict[str, Any]:
        """Create a post or a file by the interface that WordPress' editor uses, and return it."""
        [nonce] = re.findall(r'createNonceMiddleware\( "(\w+)" \)', self.get("/wp-admin/post-new.php"))
        # Links without index.php are a setting of WordPress, which is off at first.
        request = Request(f"{self.url}/index.php?rest_route=/wp/v2/{kind}", body, {"X-WP-Nonce": nonce, **headers})
        made: dict[str, Any] = json.loads(self._ask(request))
        return made

    def _ask(self, request: Request) -> bytes:
        with self._opener.open(request, timeout=30) as answer:
            content: bytes = answer.read()
        return content
