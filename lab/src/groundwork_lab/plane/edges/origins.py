"""The origin layer of nginx's configuration: a server for each origin. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence

from groundwork_lab.model import Distribution, World
from groundwork_lab.plane.edges.place import TOLD, Place
from groundwork_lab.plane.edges.policies import Config, items
from groundwork_lab.plane.edges.sites import origins as origins_of
from groundwork_lab.plane.edges.syntax import indented, quoted


def texts() -> list[str]:
    """Return the maps for a literal `$`, for which nginx has no escape, and for strong ETags."""
    return [
        'geo $edge_dollar { default "$"; }',
        "map $http_if_none_match $edge_strong_match {",
        *indented(["default $http_if_none_match;", "~^W/(?<edge_strong>.*)$ $edge_strong;"]),
        "}",
        "map $http_upgrade $edge_upgraded { '' ''; default upgrade; }",
    ]


def servers(distribution: Distribution, world: World, place: Place) -> list[str]:
    lines: list[str] = []
    for server, origin in origins_of(distribution).values():
        control = world.origin_access_controls.get(origin.get("OriginAccessControlId") or "") or {}
        told = [*_asked(origin, place), *_signed(distribution.arn, str(control.get("SigningBehavior", "never")))]
        lines += ["server {", *indented(_origin(server, origin, told, place)), "}"]
    return lines


def _origin(server: str, origin: Config, told: Sequence[str], place: Place) -> list[str]:
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
        "location / {",
        *indented(
            [
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
        "location @unreachable {",
        *indented(
            [
                "js_content origin.unreachable;",
                "js_header_filter origin.answer;",
                "more_set_headers 'Server: CloudFront';",
            ]
        ),
        "}",
    ]


def _asked(origin: Config, place: Place) -> list[str]:
    """Return the lines for reaching an origin. Its name is looked up for each request, as it may be created later."""
    custom = origin.get("CustomOriginConfig")
    if not custom:
        # the edge weakens the ETag of an object that it compresses, but S3 knows the strong ETag only
        return [f"proxy_pass http://{place.s3};", "proxy_set_header If-None-Match $edge_strong_match;"]
    timeout = int(custom.get("OriginReadTimeout") or 30)
    return [
        f"set $edge_address {origin['DomainName']};",
        *_scheme(custom),
        "proxy_pass $edge_scheme://$edge_address:$edge_port;",
        f"proxy_read_timeout {timeout}s;",
        "proxy_ssl_server_name on;",
        "proxy_ssl_name $http_edge_host;",
        "proxy_ssl_verify on;",
        "proxy_ssl_verify_depth 4;",
        f"proxy_ssl_trusted_certificate {place.trusted};",
    ]


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
