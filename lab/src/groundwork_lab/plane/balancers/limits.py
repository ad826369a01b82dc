"""The lines of HAProxy's configuration that refuse requests and responses, as a load balancer does. Pure functions.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html (HTTP errors) and
https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html (HTTP headers)
"""

from __future__ import annotations

from groundwork_lab.plane.balancers.pages import SENT_BY, page
from groundwork_lab.plane.balancers.syntax import quoted

LINE = HEADER = 16 * 1024  # bytes of the request line, and of one header
REQUEST, RESPONSE = 64 * 1024, 32 * 1024  # bytes of all headers
LONG_HEADER = rf"(?:^|\n)[^\n]{{{HEADER + 1}}}"  # anchored, or it is tried from each byte
NUL = r"\x00"
ADDRESSES = 30  # in X-Forwarded-For
# HAProxy reads all headers into one buffer, with room for those that it adds.
BUFFER, ROOM, HEADERS = 112 * 1024, 16 * 1024, 8192


def tuning() -> list[str]:
    """Return the lines of the section `global` with which HAProxy itself allows more than the limits."""
    return [f"tune.bufsize {BUFFER}", f"tune.maxrewrite {ROOM}", f"tune.http.maxhdr {HEADERS}"]


def requests() -> list[str]:
    """Return the lines of a frontend that refuse requests. A frontend also needs `option disable-h2-upgrade`."""
    return [
        _refused(505, "!{ req.ver 1.0 1.1 2.0 }"),
        _refused(400, "{ req.ver 1.1 } !{ req.hdr_cnt(host) gt 0 }"),
        _refused(400, f"{{ method,length gt {LINE} }} || {{ url,length gt {LINE} }}"),
        _refused(400, f"{{ req.hdrs,length gt {REQUEST} }}"),
        _refused(400, f"{{ req.hdrs -m reg {quoted(LONG_HEADER)} }}"),
        _refused(400, f"{{ req.hdrs -m reg {quoted(NUL)} }}"),
        _refused(405, "METH_TRACE"),
        _refused(463, f"{{ req.hdr_cnt(X-Forwarded-For) gt {ADDRESSES} }}"),
    ]


def responses() -> list[str]:
    """Return the lines of a backend that refuse answers of targets."""
    return [_refused(502, f"{{ res.hdrs,length gt {RESPONSE} }}", "http-response")]


def _refused(status: int, condition: str, kind: str = "http-request") -> str:
    answer = f"return status {status} content-type text/html string {quoted(page(status))} {SENT_BY}"
    return f"{kind} {answer} if {condition}"
