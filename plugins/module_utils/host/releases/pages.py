# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests for the pages of this server's sites, as a load balancer sends them, and the check of the responses.

All requests go to this server. A redirect within the site is followed on this server, with its host name as Host.
"""

from __future__ import annotations

import http.client
import re
import typing as t
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from urllib.parse import quote, urljoin, urlsplit

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems, check_range
from ansible_collections.groundwork.aws.plugins.module_utils.engine.wait import SYSTEM_CLOCK, Clock
from ansible_collections.groundwork.aws.plugins.module_utils.host.probe import RELEASE, Response, fetch

ADDRESS = "127.0.0.1"
PORT = 80
PATIENCE = 2.0  # seconds for which a page is requested again until it is answered as expected
PAUSE = 0.25  # seconds between two requests for the same page
CONCURRENCY = 4
MOST_REDIRECTS = 5
LONGEST_TIMEOUT = 300  # seconds
REDIRECTS = frozenset({301, 302, 303, 307, 308})
# As in the matcher of a target group's health check.
# https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Matcher.html
MATCHER = re.compile(r"[2-4]\d{2}(-[2-4]\d{2})?(,[2-4]\d{2}(-[2-4]\d{2})?)*")
PATH = re.compile(r"/[!-~]*")  # a request's target has no space, and ASCII only (RFC 9112, section 3.2)
URL_CHARACTERS = "%/:=&?~#+!$,;'@()*[]"


@dataclass(frozen=True)
class Page:
    """A page of a site, and its expected statuses.

    `host` is the Host of the request. `names` are the site's host names. With `any_name` the site also gets the
    requests for names that no site has.
    """

    site: str
    path: str = "/"
    matcher: str = "200-399"
    timeout: float = 10.0  # seconds
    host: str = ADDRESS
    names: tuple[str, ...] = ()
    any_name: bool = False
    release: str = field(default="", compare=False)  # the expected one, "" for any

    def __str__(self) -> str:
        named = f" (Host: {self.host})" if self.host != ADDRESS else ""
        return f"{self.site}: {self.path}{named}"


@dataclass(frozen=True)
class Answer:
    """The result of a request. `fault` says what is wrong, and is "" if the response is as expected."""

    page: Page
    status: int = 0  # 0 without a complete response
    fault: str = ""

    def __str__(self) -> str:
        return f"{self.page} {self.fault}"

    def told(self) -> dict[str, t.Any]:
        """Return the answer for a module's result."""
        return {"site": self.page.site, "path": self.page.path, "status": self.status, "fault": self.fault}


@dataclass(frozen=True)
class Place:
    """The URL of a request, as a client sees it."""

    scheme: str
    host: str
    target: str  # the path with its query

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}{self.target}"


class Fetch(t.Protocol):
    """Sends one request; tests pass a fake."""

    def __call__(
        self, address: str, port: int, target: str, headers: t.Mapping[str, str], timeout: float, /
    ) -> Response:
        """Return the complete response."""


def check_page(where: str, page: t.Mapping[str, t.Any], problems: Problems) -> None:
    """Add to `problems` what is wrong with a page."""
    path, matcher = page["path"], str(page["matcher"])
    if not PATH.fullmatch(path):
        right = "begin it with /, and write spaces and special characters percent-encoded, as /a%20page"
        problems.add(f"{where}.path", f"'{path}' is not a path of a URL", right)
    if not MATCHER.fullmatch(matcher) or any(first > last for first, last in ranges(matcher)):
        right = "give statuses from 200 to 499, as 200 or 200-299,401"
        problems.add(f"{where}.matcher", f"'{matcher}' is not a list of HTTP statuses", right)
    check_range(f"{where}.timeout", page["timeout"], 1, LONGEST_TIMEOUT, problems)


def ranges(matcher: str) -> list[tuple[int, int]]:
    """Return the first and the last status of each part of a matcher."""
    parts = [part.partition("-") for part in matcher.split(",")]
    return [(int(first), int(last or first)) for first, _dash, last in parts]


def matches(matcher: str, status: int) -> bool:
    """Return whether a matcher contains a status."""
    return any(first <= status <= last for first, last in ranges(matcher))


def ask_all(pages: t.Collection[Page], *, fetch: Fetch = fetch, clock: Clock = SYSTEM_CLOCK) -> list[Answer]:
    """Request all pages, some at a time. Return their answers in the same order."""
    if not pages:
        return []
    with ThreadPoolExecutor(max_workers=CONCURRENCY) as pool:
        return list(pool.map(lambda page: ask_patiently(page, fetch, clock), pages))


def ask_patiently(page: Page, fetch: Fetch, clock: Clock) -> Answer:
    """Request a page until it is answered as expected, or `PATIENCE` has passed. Return the last answer."""
    end = clock.monotonic() + PATIENCE
    while (answer := ask(page, fetch)).fault and clock.monotonic() < end:
        clock.sleep(PAUSE)
    return answer


def ask(page: Page, fetch: Fetch) -> Answer:
    """Request a page once, follow its redirects within the site, and check the last response."""
    place = Place("http", page.host, page.path)
    cookies: SimpleCookie = SimpleCookie()
    seen: set[tuple[Place, str]] = set()
    while True:
        try:
            response = fetch(ADDRESS, PORT, place.target, headers_for(place, cookies), page.timeout)
        except TimeoutError:
            return Answer(page, 0, f"{_where(page, place)}gave no whole answer within {page.timeout:g} s")
        except (OSError, http.client.HTTPException) as error:
            return Answer(page, 0, f"{_where(page, place)}gave no answer ({type(error).__name__}: {error})")
        keep_cookies(cookies, response)
        try:
            following = follow(page, place, response)
        except ValueError as error:
            return Answer(page, response.status, str(error))
        if following is None:
            return judge(page, place, response)
        place, state = following, (following, cookies.output())
        if state in seen or len(seen) == MOST_REDIRECTS:
            kind = "redirects in a circle" if state in seen else f"redirects more than {MOST_REDIRECTS} times"
            return Answer(page, response.status, f"{kind}, at last to {place}")
        seen.add(state)


def headers_for(place: Place, cookies: SimpleCookie) -> dict[str, str]:
    """Return the headers of a client's request, with those that the load balancer adds.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/application/x-forwarded-headers.html
    """
    kept = "; ".join(f"{name}={morsel.coded_value}" for name, morsel in cookies.items())
    return {
        "Host": place.host,
        "User-Agent": "groundwork.aws",
        "Accept": "*/*",
        "Connection": "close",
        "X-Forwarded-For": ADDRESS,
        "X-Forwarded-Proto": place.scheme,
        "X-Forwarded-Port": "443" if place.scheme == "https" else "80",
        **({"Cookie": kept} if kept else {}),
    }


def keep_cookies(cookies: SimpleCookie, response: Response) -> None:
    """Keep the cookies of a response, as a browser does: some applications redirect until they receive theirs."""
    for value in response.headers.get_all("Set-Cookie", []):
        try:
            cookies.load(value)
        except CookieError:
            continue  # browsers ignore invalid cookies


def follow(page: Page, place: Place, response: Response) -> Place | None:
    """Return the target of a redirect to follow, or None if the response is the page's answer. Pure.

    A redirect to a name of the site is followed. One to another name is followed when it leads to the same path and
    the site gets the requests for that name too; otherwise the redirect is the answer. When only redirects are
    expected, none is followed. Raise ValueError if the redirect leads out of the site.
    """
    location = response.headers.get("Location")
    if response.status not in REDIRECTS or not location or only_redirects(page.matcher):
        return None
    try:
        parts = urlsplit(urljoin(str(place), location))
        name, port = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError(f"answered {response.status}, a redirect to '{location}', which is not a URL") from None
    if parts.scheme not in ("http", "https"):
        return None
    path = quote(parts.path or "/", safe=URL_CHARACTERS)
    query = f"?{quote(parts.query, safe=URL_CHARACTERS)}" if parts.query else ""
    following = Place(parts.scheme, f"{name}:{port}" if port else name, path + query)
    if is_own(page, name):
        return following
    if path != urlsplit(place.target).path:
        return None
    if page.any_name:
        return following
    raise ValueError(
        f"answered {response.status}, a redirect to {following}, and {name} is not in the site's server_names"
    )


def only_redirects(matcher: str) -> bool:
    """Return whether a matcher contains only redirects."""
    return all(first >= 300 and last <= 399 for first, last in ranges(matcher))


def is_own(page: Page, name: str) -> bool:
    """Return whether a host name belongs to the site, compared as Apache does: `*.` stands for any labels."""
    asked = urlsplit(f"//{page.host}").hostname
    return name == asked or any(name.endswith(own[1:]) if own.startswith("*.") else name == own for own in page.names)


def judge(page: Page, place: Place, response: Response) -> Answer:
    """Return the answer for the last response of a page. Pure."""
    served = response.headers.get(RELEASE, "")
    if not matches(page.matcher, response.status):
        fault = f"{_where(page, place)}answered {response.status}, expected {page.matcher}"
    elif page.release and served and served != page.release and is_own(page, urlsplit(str(place)).hostname or ""):
        fault = f"{_where(page, place)}was answered with the release {served}, expected {page.release}"
    else:
        fault = ""
    return Answer(page, response.status, fault)


def _where(page: Page, place: Place) -> str:
    """Return the beginning of a message about the target of a redirect, or "" for the page itself."""
    return "" if place == Place("http", page.host, page.path) else f"redirects to {place}, which "


def lost(answered: t.Collection[Page], after: t.Iterable[Answer]) -> list[Answer]:
    """Return the answers of the pages that were answered as expected before, and are not now. Pure."""
    return [answer for answer in after if answer.fault and answer.page in answered]


def well(answers: t.Iterable[Answer]) -> frozenset[Page]:
    """Return the pages that were answered as expected."""
    return frozenset(answer.page for answer in answers if not answer.fault)
