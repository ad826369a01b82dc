"""The standard logs of distributions: nginx writes a line of JSON for each request, and a thread delivers them.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference.html
"""

from __future__ import annotations

import gzip
import json
import logging
import re
import secrets
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from groundwork_lab.model import Distribution
from groundwork_lab.plane.edges.policies import Config

INTERVAL = 10.0  # seconds between two deliveries; CloudFront delivers several times an hour
FORMAT = "edge"
FIELDS = (
    *("date", "time", "x-edge-location", "sc-bytes", "c-ip", "cs-method", "cs(Host)", "cs-uri-stem", "sc-status"),
    *("cs(Referer)", "cs(User-Agent)", "cs-uri-query", "cs(Cookie)", "x-edge-result-type", "x-edge-request-id"),
    *("x-host-header", "cs-protocol", "cs-bytes", "time-taken", "x-forwarded-for", "ssl-protocol", "ssl-cipher"),
    *("x-edge-response-result-type", "cs-protocol-version", "fle-status", "fle-encrypted-fields", "c-port"),
    *("time-to-first-byte", "x-edge-detailed-result-type", "sc-content-type", "sc-content-len", "sc-range-start"),
    "sc-range-end",
)
VARIABLES = {  # of nginx, by field
    "site": "edge_site",
    "at": "msec",
    "x-edge-location": "sent_http_x_amz_cf_pop",
    "sc-bytes": "bytes_sent",
    "c-ip": "remote_addr",
    "cs-method": "request_method",
    "uri": "request_uri",
    "sc-status": "status",
    "cs(Referer)": "http_referer",
    "cs(User-Agent)": "http_user_agent",
    "cs(Cookie)": "http_cookie",
    "outcome": "sent_http_x_cache",
    "x-edge-request-id": "sent_http_x_amz_cf_id",
    "x-host-header": "http_host",
    "cs-protocol": "scheme",
    "cs-bytes": "request_length",
    "time-taken": "request_time",
    "x-forwarded-for": "http_x_forwarded_for",
    "ssl-protocol": "ssl_protocol",
    "ssl-cipher": "ssl_cipher",
    "cs-protocol-version": "server_protocol",
    "c-port": "remote_port",
    "time-to-first-byte": "upstream_header_time",
    "sc-content-type": "sent_http_content_type",
    "sc-content-len": "sent_http_content_length",
    "range": "sent_http_content_range",
}
ENCODED = ("cs(Referer)", "cs(User-Agent)", "cs(Cookie)", "sc-content-type", "x-forwarded-for")
KEPT = "!#$&'()*+,-./:;=?@[]_~"  # of the characters that are not letters or digits
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logs-reference.html (x-edge-result-type)
OUTCOMES = ("Hit", "RefreshHit", "Miss", "LimitExceeded", "CapacityExceeded", "Error", "Redirect")
OTHER_OUTCOMES = {"FunctionGeneratedResponse": "FunctionGeneratedResponse"}

_log = logging.getLogger(__name__)

Line = Mapping[str, str]
Deliver = Callable[[str, str, bytes], None]
"""Takes a distribution's id, the end of the object's key, and the content."""


def is_logged(distribution: Distribution) -> bool:
    """Return whether the requests of a distribution are logged."""
    return bool(_settings(distribution).get("Enabled"))


def _settings(distribution: Distribution) -> Config:
    config: Config = distribution.config
    return config.get("Logging") or {}


def definition(distributions: Iterable[Distribution]) -> list[str]:
    """Return the lines of nginx that define the log and whose requests it has, if any distribution is logged."""
    logged = [each.id for each in distributions if is_logged(each)]
    if not logged:
        return []
    members = ",".join(f'"{name}":"${variable}"' for name, variable in VARIABLES.items())
    return [
        f"log_format {FORMAT} escape=json '{{{members}}}';",
        f"map $edge_site $edge_logged {{ default 0; {' '.join(f'{each} 1;' for each in logged)} }}",
    ]


def writing(distributions: Iterable[Distribution], file: Path) -> list[str]:
    """Return the line of a server of nginx that writes the log, if any distribution is logged."""
    return [f"access_log {file} {FORMAT} if=$edge_logged;"] if any(map(is_logged, distributions)) else []


def record(line: Line, domain: str, *, cookies: bool) -> str:
    """Return a line of a standard log. `domain` is the distribution's, `cookies` whether they are logged."""
    at = datetime.fromtimestamp(float(line["at"]), UTC)
    stem, _mark, query = line["uri"].partition("?")
    outcome = _outcome(line["outcome"])
    start, end = _range(line["range"])
    found = {
        **line,
        **{name: quote(line[name], safe=KEPT) for name in ENCODED},
        "date": f"{at:%Y-%m-%d}",
        "time": f"{at:%H:%M:%S}",
        "cs(Host)": domain,
        "cs-uri-stem": quote(stem, safe=f"%{KEPT}"),
        "cs-uri-query": quote(query, safe=f"%{KEPT}"),
        "x-edge-result-type": outcome,
        "x-edge-response-result-type": outcome,
        "x-edge-detailed-result-type": outcome,
        "time-to-first-byte": line["time-to-first-byte"].rpartition(",")[2].strip() or line["time-taken"],
        "sc-range-start": start,
        "sc-range-end": end,
    }
    if not cookies:
        found["cs(Cookie)"] = "-"
    return "\t".join(found.get(name) or "-" for name in FIELDS)


def _outcome(told: str) -> str:
    word = told.removesuffix(" from cloudfront")
    return word if word in OUTCOMES else OTHER_OUTCOMES.get(word, "Error")


def _range(told: str) -> tuple[str, str]:
    """Return the ends of a Content-Range, such as `bytes 0-9/100`, or "" twice."""
    found = re.match(r"bytes (\d+)-(\d+)/", told)
    return (found[1], found[2]) if found else ("", "")


def objects(
    lines: Iterable[Line], distributions: Mapping[str, Distribution], unique: Callable[[], str]
) -> dict[str, dict[str, bytes]]:
    """Return the contents of log files by distribution, each by the end of its key: one for each hour.

    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging.html (file name format)
    """
    texts: dict[tuple[str, str], list[str]] = {}
    for line in lines:
        distribution = distributions.get(line["site"])
        if distribution is None:
            continue
        hour = datetime.fromtimestamp(float(line["at"]), UTC).strftime("%Y-%m-%d-%H")
        cookies = bool(_settings(distribution).get("IncludeCookies"))
        texts.setdefault((distribution.id, hour), []).append(record(line, distribution.domain_name, cookies=cookies))
    head = ["#Version: 1.0", f"#Fields: {' '.join(FIELDS)}"]
    found: dict[str, dict[str, bytes]] = {}
    for (identity, hour), records in texts.items():
        content = gzip.compress("\n".join([*head, *records, ""]).encode())
        found.setdefault(identity, {})[f"{identity}.{hour}.{unique()}.gz"] = content
    return found


class Deliveries:
    """A thread that hands over what nginx has logged. `distributions` are those whose requests were ever logged."""

    def __init__(self, file: Path, deliver: Deliver) -> None:
        self._file = file
        self._deliver = deliver
        self._read = 0  # bytes
        self._distributions: dict[str, Distribution] = {}
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def follow(self, distributions: Iterable[Distribution]) -> None:
        """Deliver the logs of these distributions from now on."""
        self._distributions |= {each.id: each for each in distributions if is_logged(each)}
        if self._distributions and self._thread is None:
            self._thread = threading.Thread(target=self._run, name="edge-logs", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._closing.set()
        if self._thread is not None:
            self._thread.join()

    def pass_once(self) -> None:
        """Deliver what was logged since the last pass."""
        for identity, named in objects(self._lines(), dict(self._distributions), lambda: secrets.token_hex(4)).items():
            for name, content in named.items():
                self._deliver(identity, name, content)

    def _lines(self) -> list[Line]:
        """Return the complete lines since the last pass. nginx appends to the file, a new one of it to a new file."""
        if not self._file.exists():
            return []
        if self._file.stat().st_size < self._read:
            self._read = 0
        with self._file.open("rb") as file:
            file.seek(self._read)
            whole, mark, _rest = file.read().rpartition(b"\n")
        self._read += len(whole) + len(mark)
        return [json.loads(line) for line in whole.decode(errors="replace").splitlines()]

    def _run(self) -> None:
        while not self._closing.wait(INTERVAL):
            try:
                self.pass_once()
            except Exception:  # the thread must continue, or no log is delivered any more
                _log.exception("A delivery of logs failed")
