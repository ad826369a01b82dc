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
from browser import Browser
from forms import File, multipart
from selenium.webdriver.common.keys import Keys

EXAMPLE = "wordpress"
WELCOME = ".components-modal__frame button[aria-label^='Close']"  # of the editor's first use
PLUGIN = "scribe"
WRITABLE = f"wp-content/plugins/{PLUGIN}/cache"  # to be declared
# It tells on a page of the tools which of its folders it can write.
SCRIBE = """<?php
/* Plugin Name: Scribe */

add_action('admin_menu', fn () => add_management_page('Scribe', 'Scribe', 'read', 'scribe', function (): void {
    foreach (['cache', 'log'] as $folder) {
        $written = @file_put_contents(__DIR__ . "/{$folder}/note.txt", 'A note.');
        printf('<p>%s: %s.</p>', $folder, $written ? 'written' : 'refused');
    }
}));
"""


def add_plugin(source: Path) -> None:
    """Add a plugin with two folders to the source."""
    folder = source / "wp-content" / "plugins" / PLUGIN
    for name in ("cache", "log"):
        (folder / name).mkdir(parents=True)
        (folder / name / "index.html").write_text("")
    (folder / f"{PLUGIN}.php").write_text(SCRIBE)


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


class BrowsingEditor:
    """A person who uses WordPress in a browser."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.browser = browser
        self.url = url

    def install(self, title: str, password: str) -> None:
        """Follow the installer, which asks for no database, and log in from its last page."""
        self.browser.open(f"{self.url}/")
        self.browser.fill("#weblog_title", title)
        self.browser.fill("#user_login", "editor")
        self.browser.find("#pass1.strong")  # WordPress has filled in a password of its own
        self.browser.fill("#pass1", password)
        self.browser.fill("#admin_email", "editor@example.com")
        self.browser.shoot("installer")
        self.browser.click("#submit")
        self.browser.shows("WordPress has been installed")
        self.browser.click("a.button")
        self.browser.fill("#user_login", "editor")
        self.browser.fill("#user_pass", password)
        self.browser.click("#wp-submit")
        self.browser.find("#wpadminbar")
        self.browser.shoot("dashboard")

    def publish(self, title: str, text: str, picture: Path) -> str:
        """Write a post with a picture in the editor, publish it, and look at it. Return its URL."""
        self.browser.open(f"{self.url}/wp-admin/post-new.php")
        self.browser.find(WELCOME)
        self.browser.click(".editor-post-title__input", closing=WELCOME)
        self.browser.type(title, Keys.ENTER, text, Keys.ENTER, "/image")
        self.browser.click(".components-autocomplete__result")
        self.browser.choose_file(".block-editor-media-placeholder input[type=file]", picture)
        self.browser.find(".wp-block-image img[src*='/wp-content/uploads/']")
        self.browser.gone(".wp-block-image .components-spinner")
        self.browser.shoot("editor")
        self.browser.click(".editor-post-publish-panel__toggle")
        self.browser.click(".editor-post-publish-panel .editor-post-publish-button")
        self.browser.click(".post-publish-panel__postpublish-buttons a")
        self.browser.shows(text)
        self.browser.shoot("post")
        return str(self.browser.driver.current_url)

    def activate(self, plugin: str) -> None:
        self.browser.open(f"{self.url}/wp-admin/plugins.php")
        self.browser.click(f"#activate-{plugin}")
        self.browser.find(f"#deactivate-{plugin}")
        self.browser.shoot("plugins")
