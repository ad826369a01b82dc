"""Visitors at a steady rate: an open loop, in which a slow answer delays nobody else's request.

    python tests/support/load.py RATE URL...    until SIGTERM or SIGINT, then what was seen as JSON

Connections are kept and used again, as browsers do; one that the other side closed while it was idle is no failure, and
its request is made on a new one (RFC 9112, 9.3.1). Everything else but a 200 within the deadline is a failure.
"""

from __future__ import annotations

import asyncio
import json
import signal
import ssl
import sys
from collections import Counter
from dataclasses import dataclass, field
from itertools import cycle
from typing import TypedDict
from urllib.parse import urlsplit

DEADLINE = 10.0  # seconds that a visitor waits
TELLING = ("x-groundwork-server", "x-groundwork-release")

TRUST = ssl.create_default_context()

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Answers(TypedDict):
    """How many answers of one kind were seen. What a response does not tell is ""."""

    status: str
    server: str
    release: str
    count: int


class Seen(TypedDict):
    """What was seen at a URL: all answers, and a line for each failure."""

    url: str
    requests: int
    answers: list[Answers]
    failures: list[str]


class Report(TypedDict):
    """What this program prints. `late` is the longest delay of a request, in seconds."""

    seconds: float
    late: float
    places: list[Seen]


@dataclass
class Place:
    """A URL that is asked, with its idle connections."""

    url: str
    idle: list[Connection] = field(default_factory=list)
    seen: Counter[tuple[str, ...]] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    async def visit(self, at: float) -> None:
        """One visitor, `at` seconds after the start."""
        try:
            status, *told = await asyncio.wait_for(self._ask(), DEADLINE)
        except (TimeoutError, OSError, asyncio.IncompleteReadError, ValueError) as error:
            status, told = f"{type(error).__name__} {error}", ["", ""]
        self.seen[(status, *told)] += 1
        if status != "200":
            self.failures.append(f"{at:.2f} s: {status} {' '.join(told)}".rstrip())

    async def _ask(self) -> list[str]:
        while self.idle:
            connection = self.idle.pop()
            try:
                return await self._exchange(connection)
            except (ConnectionError, asyncio.IncompleteReadError) as error:
                if getattr(error, "partial", b""):
                    raise
        place = urlsplit(self.url)
        secure = place.scheme == "https"
        port = place.port or (443 if secure else 80)
        return await self._exchange(await asyncio.open_connection(place.hostname, port, ssl=TRUST if secure else None))

    async def _exchange(self, connection: Connection) -> list[str]:
        reader, writer = connection
        keep = False
        try:
            place = urlsplit(self.url)
            writer.write(f"GET {place.path or '/'} HTTP/1.1\r\nHost: {place.hostname}\r\n\r\n".encode())
            first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").rstrip().split("\r\n")
            headers = {name.lower(): value.strip() for name, _colon, value in (line.partition(":") for line in lines)}
            await _read_body(reader, headers)
            keep = headers.get("connection", "").lower() != "close"
            return [first.split(" ", 2)[1], *(headers.get(name, "") for name in TELLING)]
        finally:
            if keep:
                self.idle.append(connection)
            else:
                writer.close()


async def _read_body(reader: asyncio.StreamReader, headers: dict[str, str]) -> None:
    if headers.get("transfer-encoding") == "chunked":
        size = -1
        while size:
            size = int(await reader.readuntil(b"\r\n"), 16)
            await reader.readexactly(size + 2)
    elif "content-length" in headers:
        await reader.readexactly(int(headers["content-length"]))
    else:
        await reader.read()
        headers["connection"] = "close"


async def run(rate: float, urls: list[str]) -> Report:
    """Visit in turn until told to stop, then wait for the answers that are still due."""
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    for ending in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(ending, stopped.set)
    places = [Place(url) for url in urls]
    visits: set[asyncio.Task[None]] = set()
    start = loop.time()
    late = 0.0
    for number, place in enumerate(cycle(places)):
        due = start + number / rate
        late = max(late, loop.time() - due)
        await asyncio.sleep(max(0.0, due - loop.time()))
        if stopped.is_set():
            break
        visit = asyncio.create_task(place.visit(loop.time() - start))
        visits.add(visit)
        visit.add_done_callback(visits.discard)
    seconds = loop.time() - start
    await asyncio.gather(*visits)
    return {"seconds": round(seconds, 1), "late": round(late, 2), "places": [told(place) for place in places]}


def told(place: Place) -> Seen:
    """Return what was seen at a place."""
    answers: list[Answers] = [
        {"status": status, "server": server, "release": release, "count": count}
        for (status, server, release), count in sorted(place.seen.items())
    ]
    return {"url": place.url, "requests": place.seen.total(), "answers": answers, "failures": place.failures}


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(float(sys.argv[1]), sys.argv[2:])), indent=1))
