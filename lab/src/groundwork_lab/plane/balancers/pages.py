"""The error pages of a load balancer.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-troubleshooting.html
"""

from __future__ import annotations

REASONS = {
    301: "Moved Permanently",
    302: "Found",
    400: "Bad Request",
    405: "Not Allowed",
    408: "Request Time-out",
    463: "",
    502: "Bad Gateway",
    503: "Service Temporarily Unavailable",
    504: "Gateway Time-out",
    505: "HTTP Version Not Supported",
}
SENT_BY = "hdr Server awselb/2.0 hdr Date %[date,http_date]"


def title(status: int) -> str:
    return f"{status} {REASONS[status]}".strip()


def page(status: int) -> str:
    return page_titled(title(status))


def page_titled(words: str) -> str:
    """Return ELB's page with `words` as title and heading, with CRLF line ends."""
    lines = ["<html>", f"<head><title>{words}</title></head>", "<body>", f"<center><h1>{words}</h1></center>"]
    return "".join(f"{line}\r\n" for line in [*lines, "</body>", "</html>"])
