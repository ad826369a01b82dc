# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The assets that pages and style sheets refer to.

For speed, only the tags that load something are passed to the parser. In a page of documentation that is about one tag
in a hundred.
"""

from __future__ import annotations

import re
import typing as t
import unicodedata
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote, unquote, urljoin, urlsplit

from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.names import extension
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.urls import (
    has_extension,
    perhaps_meant,
)

SITE = "http://site.invalid/"
HTML = frozenset({"htm", "html", "xhtml"})

# The link types that load a resource of the page: https://html.spec.whatwg.org/multipage/links.html#linkTypes
LOADING = frozenset({"stylesheet", "icon", "apple-touch-icon", "mask-icon", "manifest", "modulepreload", "preload"})
ATTRIBUTES = {
    "audio": ("src",),
    "embed": ("src",),
    "iframe": ("src",),
    "image": ("href", "xlink:href"),
    "img": ("src",),
    "input": ("src",),
    "link": ("href",),
    "object": ("data",),
    "script": ("src",),
    "source": ("src",),
    "track": ("src",),
    "video": ("src", "poster"),
}
SETS = ("srcset", "imagesrcset")

REST = rb"""[^>"']*(?:(?:"[^"]*"|'[^']*')[^>"']*)*>"""  # of an opening tag
TAGS = "|".join(sorted({*ATTRIBUTES, "base"} - {"script"})).encode()
# A comment, an element whose content is not markup, or a tag that loads something. It matches bytes in lower case,
# which is ten times as fast as matching text in both cases.
TOKEN = re.compile(
    rb"<(?=[!abeiolstv])(?:!--.*?-->"
    rb"|(?P<opening>(?P<element>script|style|textarea|title)\b" + REST + rb")(?P<content>.*?)</(?P=element)\s*>"
    rb"|(?:" + TAGS + rb")\b" + REST + rb")",
    re.DOTALL,
)
STYLED = re.compile(r"""\sstyle\s*=\s*("[^"]*"|'[^']*')""", re.IGNORECASE)
CSS_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
CSS_URL = re.compile(
    r"""url\(\s*(?:"([^"\n]*)"|'([^'\n]*)'|([^)"'\s]*))\s*\)|@import\s+(?:"([^"\n]*)"|'([^'\n]*)')""", re.IGNORECASE
)
HREF = rb"""<a\s[^>]*?\bhref\s*=\s*("[^"]*"|'[^']*'|[^\s>"']+)"""
LINK = re.compile(HREF, re.IGNORECASE)
CANDIDATE = re.compile(r"\s*([^\s,]\S*[^\s,]|[^\s,])(?:\s+[^,]*)?(?:,|$)")  # of a srcset
TEMPLATE = re.compile(r"\{\{|\$\{|<%")  # a placeholder that a script replaces


def has_references(path: str) -> bool:
    """Return whether the type of a file allows references to others."""
    return extension(path) in HTML or extension(path) == "css"


def references_of(path: str, place: str) -> tuple[str, ...]:
    """Return the sorted paths, relative to the source, that a file refers to. Undecodable bytes are replaced."""
    body = Path(place).read_bytes()
    found = css_references(_text(body)) if extension(path) == "css" else html_references(body)
    folder = path[: path.rfind("/") + 1]
    base = urljoin(SITE + quote(folder), next((url for tag, url in found if tag == "base"), ""))
    resolved = {_resolved(base, url) for tag, url in found if tag != "base"}
    return tuple(sorted(one for one in resolved if one))


def css_references(text: str) -> list[tuple[str, str]]:
    """Return ("css", URL) for everything that a style sheet loads."""
    return [
        ("css", next(group for group in found.groups() if group is not None))
        for found in CSS_URL.finditer(CSS_COMMENT.sub("", text))
    ]


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "base":
            self.found.append(("base", given.get("href") or ""))
            return
        if tag == "link" and not LOADING & set((given.get("rel") or "").lower().split()):
            return
        self.found += [(tag, value) for name in ATTRIBUTES.get(tag, ()) if (value := given.get(name))]
        for name in SETS:
            self.found += [(tag, url) for url in CANDIDATE.findall(given.get(name) or "")]


def html_references(body: bytes) -> list[tuple[str, str]]:
    """Return (tag, URL) for everything that a page loads, and for its `base`."""
    tags = _Tags()
    styles: list[str] = []
    for token in TOKEN.finditer(body.lower()):
        element = token["element"]
        if element == b"style":
            styles.append(_text(body[slice(*token.span("content"))]))
        elif element == b"script":
            tags.feed(f"<{_text(body[slice(*token.span('opening'))])}</script>")
        elif not element and not token[0].startswith(b"<!--"):
            tags.feed(_text(body[slice(*token.span())]))
    if b"url(" in body:
        styles += [one[1:-1].replace("&quot;", '"') for one in STYLED.findall(_text(body))]
    return [*tags.found, *(one for style in styles for one in css_references(style))]


def _text(body: bytes) -> str:
    return body.decode("utf-8", errors="replace")


@lru_cache(maxsize=65536)  # the pages of a folder need the same assets
def _resolved(base: str, url: str) -> str:
    """Return the path relative to the source, or "" for a URL of another site and for one that is not a file."""
    url = url.strip()
    if not url or url.startswith(("#", "data:")) or TEMPLATE.search(url):
        return ""
    try:
        whole = urlsplit(urljoin(base, url))
    except ValueError:  # not a URL
        return ""
    if f"{whole.scheme}://{whole.netloc}/" != SITE:
        return ""
    return unicodedata.normalize("NFC", unquote(whole.path).lstrip("/"))


def missing(references: t.Iterable[str], files: t.Container[str]) -> list[str]:
    """Return the references that match neither a file nor the index page of a folder."""
    return [one for one in references if not any(form in files for form in _meant(one))]


def _meant(path: str) -> tuple[str, ...]:
    return (path,) if path and has_extension(path) else perhaps_meant(path)


def links_of(path: str, place: str) -> set[str]:
    """Return the paths, relative to the source, that the links of a page lead to."""
    folder = path[: path.rfind("/") + 1]
    base = SITE + quote(folder)
    hrefs = {_text(one).strip("\"'") for one in LINK.findall(Path(place).read_bytes())}
    return {_resolved(base, href.replace("&amp;", "&")) for href in hrefs}
