# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Probes: requests to servers, directly or through their load balancer, and the check of the responses.

A server sends its name and the id of its release in two headers of each response, to the networks in
`lamp_probe_cidrs`. This tells the responses of some servers behind a load balancer from those of the others.
"""

from __future__ import annotations

import http.client
import math
import ssl
import time
import typing as t
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.message import Message
from urllib.parse import urlsplit

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.wait import SYSTEM_CLOCK, Clock

SERVER = "X-Groundwork-Server"
RELEASE = "X-Groundwork-Release"
CONCURRENCY = 4
CHUNK = 65536  # bytes
PAUSE = 0.2  # seconds, after a round without any answer
DOUBTFUL = 10.0  # percent of failures, up to which more requests decide
SAMPLES = 3


@dataclass(frozen=True)
class Probe:
    """The requests: `paths` of `url`, with the Host `host` unless empty. The responses of `servers` are checked.

    `tls_name` is the host name that the certificate of an HTTPS URL has to cover. Without one it is not verified.
    """

    name: str
    url: str
    host: str
    paths: tuple[str, ...]
    servers: frozenset[str]
    release: str  # the expected one, "" for any
    tls_name: str = ""


@dataclass(frozen=True)
class Answer:
    """A response. `status` is 0 without one, and `fault` then says why.

    `server` and `release` are "" if their headers are missing.
    """

    path: str
    status: int
    server: str = ""
    release: str = ""
    fault: str = ""

    @property
    def failed(self) -> bool:
        return self.status == 0 or self.status >= 500


@dataclass(frozen=True)
class Response:
    """A complete response, without its body."""

    status: int
    headers: Message


Ask = t.Callable[[Probe, str, float], Answer]


def parse_probes(options: t.Mapping[str, t.Any], problems: Problems) -> tuple[Probe, ...]:
    """Return the probes. Add to `problems` what is wrong."""
    for at, one in enumerate(options["probes"]):
        where = f"probes[{at}]"
        if not one["url"].startswith(("http://", "https://")):
            problems.add(f"{where}.url", f"'{one['url']}' is not a URL", "begin it with http:// or https://")
        for path in one["paths"]:
            if not path.startswith("/"):
                problems.add(f"{where}.paths", f"'{path}' does not begin with /", "begin it with /")
    for name in ("requests", "timeout", "deadline"):
        if options[name] < 1:
            problems.add(name, f"{options[name]} is too small", "give 1 or more")
    return tuple(
        Probe(
            one["name"],
            one["url"].rstrip("/"),
            one["host"],
            tuple(one["paths"]),
            frozenset(one["servers"]),
            one["release"],
            one["tls_name"],
        )
        for one in options["probes"]
    )


class Tls(t.NamedTuple):
    """How a connection is encrypted. `name` is sent to the server, and the certificate has to cover it if verified."""

    context: ssl.SSLContext
    name: str


def tls_of(probe: Probe) -> Tls | None:
    """Return the encryption of an HTTPS URL."""
    place = urlsplit(probe.url)
    if place.scheme != "https":
        return None
    context = ssl.create_default_context()
    if not probe.tls_name:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return Tls(context, probe.tls_name or probe.host or place.hostname or "")


def fetch(
    address: str, port: int, target: str, headers: t.Mapping[str, str], timeout: float, *, tls: Tls | None = None
) -> Response:
    """Send one GET request over a new connection, without a proxy. Return the complete response.

    `timeout` is in seconds, for the whole request. Raise OSError (such as TimeoutError or SSLError) or HTTPException.
    """
    end = time.monotonic() + timeout
    connection = http.client.HTTPConnection(address, port, timeout=timeout)
    try:
        if tls:
            connection.connect()
            connection.sock = tls.context.wrap_socket(connection.sock, server_hostname=tls.name)
        connection.request("GET", target, headers=dict(headers))
        socket = connection.sock
        response = connection.getresponse()
        while response.read1(CHUNK):
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError("timed out")
            socket.settimeout(left)
        if response.length:  # read1 does not raise for an incomplete body
            raise http.client.IncompleteRead(b"", response.length)
        return Response(response.status, response.headers)
    finally:
        connection.close()


def ask(probe: Probe, path: str, timeout: float) -> Answer:
    """Send a request for one path of a probe."""
    place = urlsplit(probe.url)
    headers = {"Host": probe.host} if probe.host else {}
    try:
        tls = tls_of(probe)
        port = place.port or (443 if tls else 80)
        response = fetch(place.hostname or "", port, path, headers, timeout, tls=tls)
    except (OSError, http.client.HTTPException) as error:
        return Answer(path, 0, fault=str(error) or type(error).__name__)
    return Answer(path, response.status, response.headers.get(SERVER, ""), response.headers.get(RELEASE, ""))


def gather(
    probe: Probe, requests: int, timeout: float, deadline: float, *, clock: Clock = SYSTEM_CLOCK, ask: Ask = ask
) -> list[Answer]:
    """Send requests until each server has given its share of `requests` responses, at least one for each path."""
    share = max(math.ceil(requests / max(1, len(probe.servers))), len(probe.paths))
    answers: list[Answer] = []
    end = clock.monotonic() + deadline
    with ThreadPoolExecutor(max_workers=CONCURRENCY) as pool:
        while lacking(probe, answers, share) and clock.monotonic() < end:
            begin = len(answers)
            paths = [probe.paths[at % len(probe.paths)] for at in range(begin, begin + max(CONCURRENCY, share))]
            answers += pool.map(lambda path: ask(probe, path, timeout), paths)
            if not any(answer.status for answer in answers[begin:]):
                clock.sleep(PAUSE)
    return answers


def sample(
    probe: Probe,
    requests: int,
    timeout: float,
    deadline: float,
    error_threshold: float,
    *,
    clock: Clock = SYSTEM_CLOCK,
    ask: Ask = ask,
) -> list[Answer]:
    """Return the responses to judge a probe by.

    If a few requests fail, as when the network loses one response of 50, `requests` more are sent, at most twice.
    `error_threshold` is in percent.
    """
    answers: list[Answer] = []
    for _attempt in range(SAMPLES):
        answers += gather(probe, requests, timeout, deadline, clock=clock, ask=ask)
        theirs = _theirs(probe, answers)
        share = sum(answer.failed for answer in theirs) * 100 / max(1, len(theirs))
        if not 0 < error_threshold < share <= DOUBTFUL:
            break
    return answers


def _theirs(probe: Probe, answers: t.Iterable[Answer]) -> list[Answer]:
    """Return the responses of the probe's servers, and the failures without the name of a server.

    These come from the load balancer, or are missing responses. They may be due to the probe's servers.
    """
    return [answer for answer in answers if answer.server in probe.servers or (answer.failed and not answer.server)]


def lacking(probe: Probe, answers: t.Iterable[Answer], share: int) -> list[str]:
    """Return the servers that have not given their share of responses."""
    given = Counter(answer.server for answer in answers)
    return sorted(server for server in probe.servers if given[server] < share)


def verdict(probe: Probe, answers: t.Sequence[Answer], error_threshold: float) -> list[str]:
    """Return what is wrong with the responses of a probe's servers, as sentences. `error_threshold` is in percent."""
    theirs = _theirs(probe, answers)
    wrong = []
    failed = [answer for answer in theirs if answer.failed]
    if failed and len(failed) * 100 > error_threshold * len(theirs):
        kinds = Counter(f"{one.server or 'unknown server '}{one.path}: {_outcome(one)}" for one in failed)
        told = ", ".join(f"{kind} ({count} times)" for kind, count in sorted(kinds.items()))
        wrong.append(
            f"{probe.name}: {len(failed)} of {len(theirs)} requests failed, more than {error_threshold:g} %: {told}."
        )
    for server, release in sorted({(one.server, one.release) for one in theirs if one.server and not one.failed}):
        if probe.release and release != probe.release:
            wrong.append(f"{probe.name}: {server} serves the release '{release}', not '{probe.release}'.")
    unheard = lacking(probe, answers, 1)
    if unheard:
        wrong.append(
            f"{probe.name}: none of {len(answers)} answers from {probe.url} came from "
            f"{', '.join(unheard)}. Servers send their names only to the networks in lamp_probe_cidrs."
        )
    return wrong


def _outcome(answer: Answer) -> str:
    missing = f"no answer ({answer.fault})" if answer.fault else "no answer"
    return str(answer.status) if answer.status else missing


def summary(probe: Probe, answers: t.Sequence[Answer]) -> dict[str, t.Any]:
    """Return the requests and failures of a probe by server, "" for responses without the name of a server."""
    servers = sorted({answer.server for answer in answers})
    return {
        "name": probe.name,
        "requests": {server: sum(one.server == server for one in answers) for server in servers},
        "failures": {server: sum(one.server == server and one.failed for one in answers) for server in servers},
    }
