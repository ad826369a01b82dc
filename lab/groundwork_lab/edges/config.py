"""nginx's configuration for all distributions. Pure.

Three layers, each a set of servers of the same nginx: `viewer` takes requests by TLS, runs functions and dresses
answers; `cache` keeps objects; `origin` asks origins and tells how long an answer may be kept. They speak HTTP over
UNIX sockets. A viewer's worker opens a new connection to the cache for each request, so that a worker which a
reload is replacing reads no cache but the newest (docs/decisions/0010).
https://nginx.org/en/docs/http/ngx_http_proxy_module.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from groundwork_lab.edges.functions import associations
from groundwork_lab.edges.policies import items
from groundwork_lab.edges.sites import origins
from groundwork_lab.model import Distribution, World
from groundwork_lab.settings import EDGE, ORIGIN, RESOLVER

Config = Mapping[str, Any]
MODULES = ("ngx_http_js_module", "ngx_http_brotli_filter_module", "ngx_http_headers_more_filter_module")
USER = "www-data"
# What the viewer's layer tells the next ones, beside the headers for the origin, which hang on the last of these.
TOLD = (
    ("Edge-Site", "$edge_site"),
    ("Edge-Behavior", "$edge_behavior"),
    ("Edge-Host", "$edge_host"),
    ("Edge-Scheme", "$scheme"),
    ("Edge-Key", "$edge_key"),
    ("Edge-Headers", "$edge_headers"),
)
VARIABLES = (
    *("edge_layer", "edge_server", "edge_uri", "edge_site", "edge_behavior", "edge_host", "edge_key", "edge_headers"),
    *("edge_request", "edge_status", "edge_body", "edge_id"),
)


@dataclass(frozen=True)
class Place:
    """Where an edge is: its folder, what it listens on for viewers, and which S3 and resolver it asks."""

    folder: Path
    viewers: Sequence[str] = (f"{EDGE}:80", f"{EDGE}:443 ssl http2")
    s3: str = f"{ORIGIN[0]}:{ORIGIN[1]}"
    resolver: str = str(RESOLVER)
    trusted: Path = Path("/etc/ssl/certs/ca-certificates.crt")

    def socket(self, layer: str) -> Path:
        return self.folder / "sockets" / f"{layer}.sock"

    def cache(self, zone: str) -> Path:
        return self.folder / "cache" / zone


def zone(distribution_id: str, generation: int) -> str:
    """The name of a distribution's cache: another one after each invalidation."""
    return f"{distribution_id}-{generation}"


def render(world: World, generations: Mapping[str, int], place: Place) -> str:
    """The whole file. `generations`: how often each distribution's cache was begun anew."""
    distributions = sorted(world.distributions.values(), key=lambda each: each.id)
    zones = {each.id: zone(each.id, generations.get(each.id, 0)) for each in distributions}
    http = [
        *_common(place),
        *_zones(zones, place),
        *(f"upstream edge_{layer} {{ server unix:{place.socket(layer)}; }}" for layer in ("cache", "origin")),
        *_texts(),
        *_viewer(distributions, place),
        *_cache(place),
        *(line for each in distributions for line in _origins(each, world, place)),
    ]
    return "\n".join([*_main(place), "http {", *_indented(http), "}", ""])


def _main(place: Place) -> list[str]:
    return [
        *(f"load_module /usr/lib/nginx/modules/{name}.so;" for name in MODULES),
        "daemon off;",
        f"user {USER};",
        "worker_processes 2;",
        f"pid {place.folder / 'nginx.pid'};",
        "error_log stderr notice;",
        "events { worker_connections 2048; }",
    ]


def _common(place: Place) -> list[str]:
    return [
        "access_log off;",
        "server_tokens off;",
        "default_type application/octet-stream;",
        "js_path js;",
        "js_import viewer from viewer.js;",
        "js_import cache from cache.js;",
        "js_import origin from origin.js;",
        *(f"js_var ${name};" for name in VARIABLES),
        f"resolver {place.resolver} valid=5s ipv6=off;",
        *(
            f"{kind}_temp_path {place.folder / 'temp' / kind};"
            for kind in ("client_body", "proxy", "fastcgi", "scgi", "uwsgi")
        ),
        "client_max_body_size 0;",
        "merge_slashes off;",
        "server_names_hash_bucket_size 256;",
        "map_hash_bucket_size 256;",
        "variables_hash_max_size 2048;",
        # A header that CloudFront takes (https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/
        # cloudfront-limits.html: 20,480 bytes) grows on the way inside, where key and headers are one each.
        "large_client_header_buffers 4 32k;",
        "underscores_in_headers on;",
        "proxy_http_version 1.1;",
        "proxy_buffer_size 64k;",
        "proxy_buffers 8 64k;",
        "proxy_headers_hash_max_size 1024;",
        "proxy_headers_hash_bucket_size 128;",
        # The layers inside wait as long as the origin's layer does.
        "proxy_read_timeout 300s;",
        "proxy_send_timeout 300s;",
        *_passed_on(),
    ]


def _passed_on() -> list[str]:
    """The origin's own headers reach the viewer, where nginx would put others in their place."""
    return [f"proxy_pass_header {name};" for name in ("Date", "Server")]


def _zones(zones: Mapping[str, str], place: Place) -> list[str]:
    """Objects are kept until they are forgotten, not until nobody has asked for them in a while."""
    return [
        *(
            f"proxy_cache_path {place.cache(name)} levels=2 keys_zone={name}:4m inactive=1y use_temp_path=on;"
            for name in zones.values()
        ),
        "map $http_edge_site $edge_zone {",
        *_indented(["default off;", *(f"{site} {name};" for site, name in zones.items())]),
        "}",
    ]


def _viewer(distributions: Iterable[Distribution], place: Place) -> list[str]:
    return [
        "server {",
        *_indented(
            [
                *(f"listen {each};" for each in place.viewers),
                f"ssl_certificate {place.folder / 'tls' / 'certificate.pem'};",
                f"ssl_certificate_key {place.folder / 'tls' / 'key.pem'};",
                "ssl_protocols TLSv1.2 TLSv1.3;",
                "ssl_session_cache shared:tls:1m;",
                "large_client_header_buffers 4 32k;",
                # What nginx answers by itself would have its own name beside any that the JavaScript gives.
                "location / { js_content viewer.request; more_set_headers 'Server: CloudFront'; }",
                *(line for each in distributions for line in _site(each)),
                *_location("@page", "viewer.page", ["proxy_method GET;", "proxy_pass_request_body off;"]),
                "location @replaced { js_content viewer.replaced; }",
            ]
        ),
        "}",
    ]


def _site(distribution: Distribution) -> list[str]:
    """Where a request goes on to the next layer; errors that have a page of the site's own come back.

    A status that the JavaScript sets is overruled by the text that came with the upstream's, unless nginx takes the
    answer for an error's page: so the requests of viewer-response functions go round by an error that is none.
    """
    config: Config = distribution.config
    pages = [each for each in items(config.get("CustomErrorResponses")) if each.get("ResponsePagePath")]
    replaced = [
        f"error_page {each['ErrorCode']} ={each.get('ResponseCode') or each['ErrorCode']} @replaced;" for each in pages
    ]
    answered = any(kind == "viewer-response" for kind, _ in associations(distribution))
    more = [
        *replaced,
        *(["proxy_intercept_errors on;"] if pages else []),
        *(["js_body_filter viewer.body buffer_type=buffer;"] if answered else []),
    ]
    around = [
        f"location @{distribution.id}-function {{",
        *_indented(["recursive_error_pages on;", f"error_page 418 =200 @{distribution.id};", "return 418;"]),
        "}",
    ]
    return [*_location(f"@{distribution.id}", "viewer.response", more), *(around if answered else [])]


def _location(name: str, header_filter: str, more: Sequence[str]) -> list[str]:
    return [
        f"location {name} {{",
        *_indented(
            [
                "proxy_pass http://$edge_layer$edge_uri;",
                "proxy_pass_request_headers off;",
                "proxy_set_header Host $edge_server;",
                'proxy_set_header Connection "";',
                *(f"proxy_set_header {header} {variable};" for header, variable in TOLD),
                f"js_header_filter {header_filter};",
                *more,
            ]
        ),
        "}",
    ]


def _cache(place: Place) -> list[str]:
    """The origin's layer has put all that caching depends on into X-Accel-Expires."""
    return [
        "server {",
        *_indented(
            [
                f"listen unix:{place.socket('cache')};",
                "large_client_header_buffers 8 128k;",
                "location / {",
                *_indented(
                    [
                        "proxy_pass http://edge_origin;",
                        "proxy_set_header Host $http_host;",
                        'proxy_set_header Connection "";',
                        "proxy_cache $edge_zone;",
                        "proxy_cache_key $http_edge_key;",
                        "proxy_cache_revalidate on;",
                        "proxy_force_ranges on;",
                        "proxy_cache_use_stale error timeout http_500 http_502 http_503 http_504;",
                        "proxy_ignore_headers Cache-Control Expires Set-Cookie Vary;",
                        "add_header Edge-Outcome $upstream_cache_status always;",
                        f"set $edge_folder {place.folder / 'cache'};",
                        "js_header_filter cache.answer;",
                    ]
                ),
                "}",
            ]
        ),
        "}",
    ]


def _texts() -> list[str]:
    """What has no other way of being said in a configuration, or needs a pattern."""
    return [
        'geo $edge_dollar { default "$"; }',
        "map $http_if_none_match $edge_strong_match {",
        *_indented(["default $http_if_none_match;", "~^W/(?<edge_strong>.*)$ $edge_strong;"]),
        "}",
    ]


def _origins(distribution: Distribution, world: World, place: Place) -> list[str]:
    lines: list[str] = []
    for server, origin in origins(distribution).values():
        control = world.origin_access_controls.get(origin.get("OriginAccessControlId") or "") or {}
        told = [*_asked(origin, place), *_signed(distribution.arn, str(control.get("SigningBehavior", "never")))]
        lines += ["server {", *_indented(_origin(server, origin, told, place)), "}"]
    return lines


def _origin(server: str, origin: Config, told: Sequence[str], place: Place) -> list[str]:
    return [
        f"listen unix:{place.socket('origin')};",
        f"server_name {server};",
        "large_client_header_buffers 8 128k;",
        # All of what the JavaScript gives no Content-Encoding; the viewer's layer takes this as it is.
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
        *_indented(
            [
                *told,
                "proxy_set_header Host $http_edge_host;",
                'proxy_set_header Connection "";',
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
        *_indented(
            [
                "js_content origin.unreachable;",
                "js_header_filter origin.answer;",
                "more_set_headers 'Server: CloudFront';",
            ]
        ),
        "}",
    ]


def _asked(origin: Config, place: Place) -> list[str]:
    """How an origin is reached. A name is looked up when it is asked, as it may come later than its distribution."""
    custom = origin.get("CustomOriginConfig")
    if not custom:
        # An edge weakens the ETag of what it compresses; S3 knows the strong one alone.
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
    return [*http, "if ($http_edge_scheme = https) {", *_indented(https), "}"]


def _signed(arn: str, behavior: str) -> list[str]:
    """Who asks, for S3 to believe; what a viewer calls itself is never passed on.

    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html
    (advanced settings for origin access control)
    """
    header = "proxy_set_header X-Groundwork-Source-Arn"
    match behavior:
        case "always":
            return [f"{header} {arn};", 'proxy_set_header Authorization "";']
        case "no-override":
            unsigned = ["if ($http_authorization = '') {", *_indented([f"set $edge_source {arn};"]), "}"]
            return ["set $edge_source '';", *unsigned, f"{header} $edge_source;"]
    return [f'{header} "";']


def quoted(text: str) -> str:
    """`text` as one word of nginx's configuration, taken as it is."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "${edge_dollar}")
    return f'"{escaped}"'


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"    {line}" for line in lines]
