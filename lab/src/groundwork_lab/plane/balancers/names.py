"""The names of headers as HTTP/1.1 clients and targets usually write them.

HAProxy writes all names in lower case, and an Application Load Balancer as it received them. With this list, the names
that programs compare have their usual case in both directions.
https://docs.haproxy.org/2.6/configuration.html#h1-case-adjust
"""

from __future__ import annotations

_UNUSUAL = (
    "Content-MD5 DNT ETag TE WWW-Authenticate X-UA-Compatible X-XSS-Protection Sec-WebSocket-Accept "
    "Sec-WebSocket-Extensions Sec-WebSocket-Key Sec-WebSocket-Protocol Sec-WebSocket-Version"
)
_USUAL = (
    "accept accept-charset accept-encoding accept-language accept-ranges access-control-allow-credentials "
    "access-control-allow-headers access-control-allow-methods access-control-allow-origin "
    "access-control-expose-headers access-control-max-age access-control-request-headers "
    "access-control-request-method age allow authorization cache-control connection content-disposition "
    "content-encoding content-language content-length content-location content-range content-security-policy "
    "content-type cookie date expect expires forwarded from host if-match if-modified-since if-none-match if-range "
    "if-unmodified-since keep-alive last-modified link location max-forwards origin pragma proxy-authenticate "
    "proxy-authorization range referer referrer-policy retry-after server server-timing set-cookie "
    "strict-transport-security trailer transfer-encoding upgrade upgrade-insecure-requests user-agent vary via "
    "warning x-amzn-trace-id x-content-type-options x-forwarded-for x-forwarded-host x-forwarded-port "
    "x-forwarded-proto x-frame-options x-http-method-override x-powered-by x-request-id x-requested-with"
)


def adjusted() -> list[str]:
    """Return the lines of the section `global` with the case of each name."""
    usual = [*_UNUSUAL.split(), *("-".join(part.capitalize() for part in name.split("-")) for name in _USUAL.split())]
    return [f"h1-case-adjust {name.lower()} {name}" for name in usual]
