"""nginx's configuration for all distributions. Pure functions.

There are three layers, each a set of servers in the same nginx. `viewer` accepts requests over TLS, runs functions and
sets response headers. `cache` keeps objects. `origin` requests origins and sets how long an answer may be kept. They
communicate over HTTP on UNIX sockets. A viewer's worker opens a new connection to the cache for each request, so that a
worker which is being replaced by a reload reads only the newest cache (docs/decisions/0010).
https://nginx.org/en/docs/http/ngx_http_proxy_module.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from groundwork_lab.model import Distribution, World
from groundwork_lab.plane.edges import logs, origins, tls
from groundwork_lab.plane.edges.functions import associations
from groundwork_lab.plane.edges.place import TOLD, Place
from groundwork_lab.plane.edges.policies import Config, items
from groundwork_lab.plane.edges.syntax import indented

MODULES = (
    *("ngx_http_js_module", "ngx_http_brotli_filter_module", "ngx_http_headers_more_filter_module"),
    "ngx_stream_module",
)
USER = "www-data"
VARIABLES = (
    *("edge_layer", "edge_server", "edge_uri", "edge_site", "edge_behavior", "edge_host", "edge_key", "edge_headers"),
    *("edge_request", "edge_status", "edge_body", "edge_id", "edge_upgrade", "edge_asked"),
)


# The statuses with which nginx refuses a request itself, by CloudFront's status, and the location that answers instead.
OWN_ERRORS = {400: (400, 408, 495, 496, 497, 501, 505), 403: (405,), 413: (413, 414, 494), 502: (500, 502, 503, 504)}
MALFORMED = "/.edge-malformed"
_BODILESS = ('proxy_set_header Content-Length "";', 'proxy_set_header Transfer-Encoding "";')


def zone(distribution_id: str, generation: int) -> str:
    """Return the name of a distribution's cache zone. It changes with each invalidation."""
    return f"{distribution_id}-{generation}"


def render(world: World, generations: Mapping[str, int], place: Place) -> str:
    """Return the complete file. `generations` holds how often each distribution's cache was replaced."""
    distributions = sorted(world.distributions.values(), key=lambda each: each.id)
    zones = {each.id: zone(each.id, generations.get(each.id, 0)) for each in distributions}
    http = [
        *_common(place),
        *_zones(zones, place),
        *logs.definition(distributions),
        *(f"upstream edge_{layer} {{ server unix:{place.socket(layer)}; }}" for layer in ("cache", "origin")),
        *origins.texts(),
        *_viewers(distributions, place),
        *_cache(place),
        *(line for each in distributions for line in origins.servers(each, world, place)),
    ]
    return "\n".join([*_main(place), *tls.stream(distributions, place), "http {", *indented(http), "}", ""])


def _main(place: Place) -> list[str]:
    return [
        *(f"load_module /usr/lib/nginx/modules/{name}.so;" for name in MODULES),
        "daemon off;",
        f"user {USER};",
        "worker_processes 2;",
        f"pid {place.folder / 'nginx.pid'};",
        "error_log stderr notice;",
        "events { worker_connections 4096; }",
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
        "js_set $edge_strict cache.strict;",
        f"resolver {place.resolver} valid=1s ipv6=off;",
        *(
            f"{kind}_temp_path {place.folder / 'temp' / kind};"
            for kind in ("client_body", "proxy", "fastcgi", "scgi", "uwsgi")
        ),
        "client_max_body_size 0;",
        "if_modified_since before;",
        "merge_slashes off;",
        "server_names_hash_bucket_size 256;",
        "map_hash_bucket_size 256;",
        "variables_hash_max_size 2048;",
        # A header that CloudFront accepts (https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/
        # cloudfront-limits.html: 20,480 bytes) grows between the layers, where the key and all headers are one header
        # each.
        "large_client_header_buffers 4 32k;",
        "underscores_in_headers on;",
        "proxy_http_version 1.1;",
        "proxy_buffer_size 64k;",
        "proxy_buffers 8 64k;",
        "proxy_headers_hash_max_size 1024;",
        "proxy_headers_hash_bucket_size 128;",
        # the inner layers wait as long as the origin layer
        "proxy_read_timeout 300s;",
        "proxy_send_timeout 300s;",
        "map $edge_upgrade $edge_connection { '' ''; default upgrade; }",
        *_passed_on(),
    ]


def _passed_on() -> list[str]:
    """Return the lines that pass the origin's headers on, which nginx would replace."""
    return [f"proxy_pass_header {name};" for name in ("Date", "Server")]


def _zones(zones: Mapping[str, str], place: Place) -> list[str]:
    """Return the lines for the caches. Objects are kept until they are invalidated, not until they are unused."""
    return [
        *(
            f"proxy_cache_path {place.cache(name)} levels=2 keys_zone={name}:4m inactive=1y use_temp_path=on;"
            for name in zones.values()
        ),
        "map $http_edge_site $edge_zone {",
        *indented(["default off;", *(f"{site} {name};" for site, name in zones.items())]),
        "}",
    ]


def _viewers(distributions: Sequence[Distribution], place: Place) -> list[str]:
    """Return a server for plain HTTP and CloudFront's own certificate, and one for each certificate of distributions.

    All of them serve all distributions: the Host header decides, as on AWS within an account.
    """
    plain = [f"listen {each};" for each in place.http]
    own = tls.listening(tls.own_doors(), place)
    others = [tls.listening([door], place) for door in map(tls.door, distributions) if door is not None]
    log = logs.writing(distributions, place.log)
    return [line for each in ([*plain, *own], *others) for line in _viewer(distributions, [*each, *log])]


def _viewer(distributions: Sequence[Distribution], beginning: Sequence[str]) -> list[str]:
    return [
        "server {",
        *indented(
            [
                *beginning,
                "large_client_header_buffers 4 32k;",
                # nginx's own answers would have its Server header beside the one of the JavaScript
                "location / { js_content viewer.request; more_set_headers 'Server: CloudFront'; }",
                *(f"error_page {_words(own)} ={status} {MALFORMED};" for status, own in OWN_ERRORS.items()),
                f"location = {MALFORMED} {{ internal; js_content viewer.malformed; "
                "more_set_headers 'Server: CloudFront'; }",
                *(line for each in distributions for line in _site(each)),
                # the body of the viewer's request is not sent, so neither must its length be
                *_location("@page", "viewer.page", ["proxy_method GET;", "proxy_pass_request_body off;", *_BODILESS]),
                "location @replaced { js_content viewer.replaced; }",
            ]
        ),
        "}",
    ]


def _words(statuses: Iterable[int]) -> str:
    return " ".join(map(str, statuses))


def _site(distribution: Distribution) -> list[str]:
    """Return the locations that pass a request to the next layer, and the error pages of the site.

    When JavaScript sets the status, nginx still sends the reason of the upstream's status, unless it handles the answer
    as an error page. So requests with viewer-response functions pass through an internal error.
    """
    config: Config = distribution.config
    pages = [each for each in items(config.get("CustomErrorResponses")) if each.get("ResponsePagePath")]
    replaced = [
        f"error_page {each['ErrorCode']} ={each.get('ResponseCode') or each['ErrorCode']} @replaced;" for each in pages
    ]
    answered = any(kind == "viewer-response" for kind, _ in associations(distribution))
    more = [
        *replaced,
        # with error pages, nginx would put its own page in the place of an origin's answer with these statuses
        *(["proxy_intercept_errors on;"] if pages else [f"error_page {_words(OWN_ERRORS[502])} =502 {MALFORMED};"]),
        *(["js_body_filter viewer.body buffer_type=buffer;"] if answered else []),
    ]
    around = [
        f"location @{distribution.id}-function {{",
        *indented(["recursive_error_pages on;", f"error_page 418 =200 @{distribution.id};", "return 418;"]),
        "}",
    ]
    return [*_location(f"@{distribution.id}", "viewer.response", more), *(around if answered else [])]


def _location(name: str, header_filter: str, more: Sequence[str]) -> list[str]:
    return [
        f"location {name} {{",
        *indented(
            [
                "proxy_pass http://$edge_layer$edge_uri;",
                "proxy_pass_request_headers off;",
                "proxy_set_header Host $edge_server;",
                "proxy_set_header Connection $edge_connection;",
                "proxy_set_header Upgrade $edge_upgrade;",
                *(f"proxy_set_header {header} {variable};" for header, variable in TOLD),
                f"js_header_filter {header_filter};",
                *more,
            ]
        ),
        "}",
    ]


def _cache(place: Place) -> list[str]:
    """Return the server of the cache layer. The origin layer has set the headers that determine the caching.

    nginx's setting for the use of expired objects is one of a location, not of an object, so there are two locations.
    """
    stale = "proxy_cache_use_stale error timeout invalid_header http_500 http_502 http_503 http_504;"
    return [
        "server {",
        *indented(
            [
                f"listen unix:{place.socket('cache')};",
                "large_client_header_buffers 8 128k;",
                f"set $edge_folder {place.folder / 'cache'};",
                "recursive_error_pages on;",
                *_cached("/", [stale, "error_page 418 = @strict;", "if ($edge_strict) { return 418; }"]),
                *_cached("@strict", []),
                "location @failed { js_content origin.unreachable; more_set_headers 'Server: CloudFront'; }",
            ]
        ),
        "}",
    ]


def _cached(name: str, more: Sequence[str]) -> list[str]:
    return [
        f"location {name} {{",
        *indented(
            [
                "proxy_pass http://edge_origin;",
                "proxy_set_header Host $http_host;",
                'proxy_set_header Connection "";',
                "proxy_cache $edge_zone;",
                "proxy_cache_key $http_edge_key;",
                "proxy_cache_revalidate on;",
                "proxy_force_ranges on;",
                "proxy_cache_background_update on;",
                "proxy_ignore_headers Expires Set-Cookie Vary;",
                "add_header Edge-Outcome $upstream_cache_status always;",
                "js_header_filter cache.answer;",
                "error_page 502 504 = @failed;",
                *more,
            ]
        ),
        "}",
    ]
