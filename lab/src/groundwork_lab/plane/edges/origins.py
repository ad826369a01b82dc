"""The origin layer of nginx's configuration: a server for each origin. Pure functions.

Connections to an origin are kept for its keep-alive timeout, as far as the lab knows its addresses: those of load
balancers and instances. Other names are looked up for each request.
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/RequestAndResponseBehaviorCustomOrigin.html
(persistent connections, origin response timeout)

An origin's certificate must cover the Host header or the origin's domain name. nginx compares one name, the one that
it sends as SNI. If that was not covered, the origin is asked again without SNI, so that it shows the same certificate
if it has none for the Host, and the certificate is compared with the domain name.
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-https-cloudfront-to-custom-origin.html
"""

from __future__ import annotations

from collections.abc import Sequence

from groundwork_lab.apart import Apart
from groundwork_lab.model import Distribution, World
from groundwork_lab.plane.edges.place import TOLD, Place
from groundwork_lab.plane.edges.policies import Config, items
from groundwork_lab.plane.edges.sites import origins as origins_of
from groundwork_lab.plane.edges.syntax import indented, quoted
from groundwork_lab.plane.names import records
from groundwork_lab.settings import EDGE, EDGE_HTTP_1


def texts() -> list[str]:
    """Return the maps for a literal `$`, for which nginx has no escape, and for strong ETags."""
    return [
        'geo $edge_dollar { default "$"; }',
        "map $http_if_none_match $edge_strong_match {",
        *indented(["default $http_if_none_match;", "~^W/(?<edge_strong>.*)$ $edge_strong;"]),
        "}",
        "map $http_upgrade $edge_upgraded { '' Keep-Alive; default upgrade; }",
    ]


def servers(distribution: Distribution, world: World, place: Place) -> list[str]:
    known = addresses(world)
    lines: list[str] = []
    for server, origin in origins_of(distribution).values():
        control = world.origin_access_controls.get(origin.get("OriginAccessControlId") or "") or {}
        found = known.get(str(origin["DomainName"]).lower(), [])
        lines += _kept(server, origin, found, place)
        signed = _signed(distribution.arn, str(control.get("SigningBehavior", "never")))
        told = [*_asked(server, origin, known=bool(found), place=place), *signed]
        lines += ["server {", *indented(_origin(server, origin, told, place)), "}"]
    return lines


def addresses(world: World) -> dict[str, list[str]]:
    """Return the addresses of the lab's load balancers and instances by name, sorted."""
    found: dict[str, list[str]] = {}
    others = ((address, name) for address, name in records(world, Apart()) if address not in (EDGE, EDGE_HTTP_1))
    for address, name in sorted(others):
        found.setdefault(name, []).append(str(address))
    return found


def _kept(server: str, origin: Config, found: Sequence[str], place: Place) -> list[str]:
    """Return the groups of addresses whose connections are kept, one for each scheme.

    nginx tries each line of a group once, so there is a line for each of CloudFront's attempts.
    """
    custom = origin.get("CustomOriginConfig") or {}
    attempts = int(origin.get("ConnectionAttempts") or 3)
    ports = {"http": custom.get("HTTPPort"), "https": custom.get("HTTPSPort")} if custom else {}
    groups = {scheme: [f"{address}:{port}" for address in found] for scheme, port in ports.items() if found}
    groups |= {} if custom else {"http": [place.s3]}
    timeout = int(custom.get("OriginKeepaliveTimeout") or 5)
    return [
        line
        for scheme, each in groups.items()
        for line in (
            f"upstream {server}-{scheme} {{",
            *indented([f"server {address} max_fails=0;" for address in each] * attempts),
            *indented(["keepalive 16;", f"keepalive_timeout {timeout}s;"]),
            "}",
        )
    ]


def _origin(server: str, origin: Config, told: Sequence[str], place: Place) -> list[str]:
    named = _tls(origin, str(origin["DomainName"]), sni="off")
    return [
        f"listen unix:{place.socket('origin')};",
        f"server_name {server};",
        "large_client_header_buffers 8 128k;",
        "if_modified_since off;",  # the origin has compared the dates
        # compresses all answers to which the JavaScript sets no Content-Encoding; the viewer layer passes them on
        "gzip on;",
        "gzip_proxied any;",
        "gzip_vary on;",
        "gzip_min_length 0;",
        "gzip_types *;",
        "brotli on;",
        "brotli_comp_level 5;",
        "brotli_min_length 0;",
        "brotli_types *;",
        "recursive_error_pages on;",
        *_locations("/", "@once", origin, [*told, *_tls(origin, "$http_edge_host", sni="on")]),
        *(_locations("@named", "@named-once", origin, [*told, *named]) if named else []),
        "location @unreachable {",
        *indented(
            [
                "js_content origin.failed;",
                "js_header_filter origin.answer;",
                "more_set_headers 'Server: CloudFront';",
            ]
        ),
        "}",
    ]


def _locations(name: str, once: str, origin: Config, told: Sequence[str]) -> list[str]:
    """Return the location of a request, and another one for methods that are not sent again after a timeout.

    nginx itself sends POST and PATCH to another address only if they were not sent yet.
    """
    unsafe = "if ($request_method ~ ^(PUT|DELETE|OPTIONS)$) { return 418; }"
    return [
        *_location(name, origin, told, [f"error_page 418 = {once};", unsafe]),
        *_location(once, origin, told, ["proxy_next_upstream off;"]),
    ]


def _location(name: str, origin: Config, told: Sequence[str], more: Sequence[str]) -> list[str]:
    return [
        f"location {name} {{",
        *indented(
            [
                *more,
                *told,
                "proxy_set_header Host $http_edge_host;",
                "proxy_set_header Connection $edge_upgraded;",
                "proxy_set_header Upgrade $http_upgrade;",
                *(f'proxy_set_header {name} "";' for name, _ in TOLD),
                *(
                    f"proxy_set_header {each['HeaderName']} {quoted(each['HeaderValue'])};"
                    for each in items(origin.get("CustomHeaders"))
                ),
                f"proxy_connect_timeout {int(origin.get('ConnectionTimeout') or 10)}s;",
                "error_page 502 504 = @unreachable;",
                "js_header_filter origin.answer;",
            ]
        ),
        "}",
    ]


def _asked(server: str, origin: Config, *, known: bool, place: Place) -> list[str]:
    """Return the lines for reaching an origin. An unknown name is looked up for each request."""
    custom = origin.get("CustomOriginConfig")
    if not custom:
        # the edge weakens the ETag of an object that it compresses, but S3 knows the strong ETag only
        return [f"proxy_pass http://{server}-http;", "proxy_set_header If-None-Match $edge_strong_match;"]
    timeout = int(custom.get("OriginReadTimeout") or 30)
    return [
        f"set $edge_address {server if known else origin['DomainName']};",
        *_scheme(custom),
        f"proxy_pass $edge_scheme://$edge_address{'-$edge_scheme' if known else ':$edge_port'};",
        f"set $edge_name {origin['DomainName']};",
        f"proxy_bind {place.outgoing};",
        f"proxy_read_timeout {timeout}s;",
        f"proxy_ssl_protocols {' '.join(_protocols(custom))};",
        "proxy_ssl_verify on;",
        "proxy_ssl_verify_depth 4;",
        f"proxy_ssl_trusted_certificate {place.trusted};",
    ]


def _tls(origin: Config, name: str, *, sni: str) -> list[str]:
    """Return the lines for the name that a certificate must cover. An origin without HTTPS has none."""
    policy = (origin.get("CustomOriginConfig") or {}).get("OriginProtocolPolicy", "http-only")
    return [] if policy == "http-only" else [f"proxy_ssl_server_name {sni};", f"proxy_ssl_name {name};"]


def _protocols(custom: Config) -> list[str]:
    """Return the versions of TLS for an origin. OpenSSL has no SSL 3.0.

    https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_OriginSslProtocols.html
    """
    configured = items(custom.get("OriginSslProtocols")) or ["TLSv1", "TLSv1.1", "TLSv1.2"]
    return sorted(each for each in configured if each != "SSLv3") or ["TLSv1"]


def _scheme(custom: Config) -> list[str]:
    http = ["set $edge_scheme http;", f"set $edge_port {int(custom['HTTPPort'])};"]
    https = ["set $edge_scheme https;", f"set $edge_port {int(custom['HTTPSPort'])};"]
    match custom["OriginProtocolPolicy"]:
        case "http-only":
            return http
        case "https-only":
            return https
    return [*http, "if ($http_edge_scheme = https) {", *indented(https), "}"]


def _signed(arn: str, behavior: str) -> list[str]:
    """Return the lines that identify the distribution to S3. A viewer's own identification is never passed on.

    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html
    (advanced settings for origin access control)
    """
    header = "proxy_set_header X-Groundwork-Source-Arn"
    match behavior:
        case "always":
            return [f"{header} {arn};", 'proxy_set_header Authorization "";']
        case "no-override":
            unsigned = ["if ($http_authorization = '') {", *indented([f"set $edge_source {arn};"]), "}"]
            return ["set $edge_source '';", *unsigned, f"{header} $edge_source;"]
    return [f'{header} "";']
