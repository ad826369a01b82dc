"""Visitors of a static site: each loads a page, then at once all that the page needs, and follows its links.

One takes no compression, the next gzip, the third Brotli, and so on.

    python tests/e2e/crawler.py URL [VISITORS]    until SIGTERM or SIGINT, then what was seen as JSON
    python tests/e2e/crawler.py --once URL        every page that can be reached, once

A page that loads is asked for what it loads: an asset that does not come with 200 is broken. So is a page that answers
with an error of the server; that a page is not there any more (404) is no breakage, and is counted.
"""

from __future__ import annotations

import gzip
import http.client
import json
import random
import signal
import ssl
import sys
import threading
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

import brotli

DEADLINE = 10.0  # seconds that a visitor waits
LOADED = {"img": "src", "script": "src", "source": "src", "iframe": "src", "embed": "src"}
UNPACK = {"identity": bytes, "gzip": gzip.decompress, "br": brotli.decompress}
LOADING_LINKS = {"stylesheet", "icon", "manifest", "modulepreload", "preload"}


class Page(HTMLParser):
    """What a page loads, and where its links lead, as absolute URLs of the same site."""

    def __init__(self, url: str, text: str) -> None:
        super().__init__()
        self.url = url
        self.assets: set[str] = set()
        self.links: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in LOADED:
            self._add(self.assets, given.get(LOADED[tag], ""))
        elif tag == "link" and LOADING_LINKS & set(given.get("rel", "").lower().split()):
            self._add(self.assets, given.get("href", ""))
        elif tag == "a":
            self._add(self.links, given.get("href", ""))

    def _add(self, found: set[str], reference: str) -> None:
        url, _ = urldefrag(urljoin(self.url, reference))
        if reference and urlsplit(url)[:2] == urlsplit(self.url)[:2]:
            found.add(url)


@dataclass
class Seen:
    """What all visitors have seen together. `broken` holds {page, asset, status}; `caches` counts X-Cache."""

    pages: set[str] = field(default_factory=set)
    statuses: Counter[str] = field(default_factory=Counter)
    caches: Counter[str] = field(default_factory=Counter)
    broken: list[dict[str, str]] = field(default_factory=list)
    visits: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class Visitor:
    """One browser with one connection, which it keeps. One that `remembers` asks for an asset once."""

    def __init__(self, seen: Seen, *, accepts: str = "identity", remembers: bool = False) -> None:
        self.seen = seen
        self._accepts = accepts
        self._remembers = remembers
        self._known: set[str] = set()
        self._connection: http.client.HTTPConnection | None = None

    def load(self, url: str) -> Page | None:
        """A page with all that it needs; None when there is no page."""
        status, kind, text = self._ask(url)
        with self.seen.lock:
            self.seen.visits += 1
        if status != "200":
            if status != "404":
                self._broken(url, url, status)
            return None
        if not kind.startswith("text/html"):
            return None
        page = Page(url, text)
        for asset in sorted(page.assets - self._known):
            answer, _kind, _text = self._ask(asset)
            if answer != "200":
                self._broken(url, asset, answer)
        if self._remembers:
            self._known |= page.assets
        with self.seen.lock:
            self.seen.pages.add(url)
        return page

    def _ask(self, url: str) -> tuple[str, str, str]:
        """Status, type and text. What is not an answer is told as the status."""
        try:
            status, headers, body = self._exchange(url)
        except (OSError, http.client.HTTPException, brotli.error) as error:
            self._connection = None
            status, headers, body = f"{type(error).__name__} {error}", {}, b""
        with self.seen.lock:
            self.seen.statuses[status] += 1
            self.seen.caches[headers.get("x-cache", "")] += 1
        return status, headers.get("content-type", ""), body.decode("utf-8", "replace")

    def _exchange(self, url: str) -> tuple[str, dict[str, str], bytes]:
        place = urlsplit(url)
        fresh = self._connection is None
        if self._connection is None:
            self._connection = _connect(place.scheme, place.netloc)
        try:
            wanted = f"{place.path or '/'}{'?' + place.query if place.query else ''}"
            self._connection.request("GET", wanted, headers={"Accept-Encoding": self._accepts})
            answer = self._connection.getresponse()
        except (ConnectionError, http.client.RemoteDisconnected):
            self._connection = None  # it was closed while it was idle: no failure, and asked again on a new one
            if fresh:
                raise
            return self._exchange(url)
        body = answer.read()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return str(answer.status), headers, UNPACK[headers.get("content-encoding", "identity")](body)

    def _broken(self, page: str, asset: str, status: str) -> None:
        with self.seen.lock:
            self.seen.broken.append({"page": page, "asset": asset, "status": status})


def _connect(scheme: str, place: str) -> http.client.HTTPConnection:
    """Certificates are those of the environment (SSL_CERT_FILE)."""
    if scheme == "https":
        return http.client.HTTPSConnection(place, timeout=DEADLINE, context=ssl.create_default_context())
    return http.client.HTTPConnection(place, timeout=DEADLINE)


def crawl_once(start: str, seen: Seen) -> None:
    """Every page that can be reached, each once."""
    visitor, todo, known = Visitor(seen, remembers=True), [start], {start}
    while todo:
        page = visitor.load(todo.pop())
        new = page.links - known if page else set()
        known |= new
        todo += sorted(new)


def wander(start: str, seen: Seen, stopped: threading.Event, seed: int) -> None:
    """From link to link; back to the start where there is none, and now and then."""
    accepts = list(UNPACK)[seed % len(UNPACK)]
    choice, visitor, url = random.Random(seed), Visitor(seen, accepts=accepts), start  # noqa: S311 - repeatable on purpose
    while not stopped.is_set():
        page = visitor.load(url)
        links = sorted(page.links) if page and choice.random() > 0.05 else []
        url = choice.choice(links) if links else start


def crawl(start: str, visitors: int, seen: Seen) -> None:
    """Many visitors until told to stop."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    threads = [threading.Thread(target=wander, args=(start, seen, stopped, number)) for number in range(visitors)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def told(seen: Seen) -> dict[str, Any]:
    return {
        "visits": seen.visits,
        "pages": sorted(seen.pages),
        "statuses": dict(sorted(seen.statuses.items())),
        "caches": dict(sorted(seen.caches.items())),
        "broken": seen.broken,
    }


def main(arguments: list[str]) -> None:
    seen = Seen()
    if arguments[0] == "--once":
        crawl_once(arguments[1], seen)
    else:
        crawl(arguments[0], int(arguments[1]) if arguments[1:] else 4, seen)
    print(json.dumps(told(seen), indent=1))


if __name__ == "__main__":
    main(sys.argv[1:])
