"""The configuration of an edge: golden files, and its check by nginx."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from distributions import behavior, counted, distribution, s3_origin, world

from groundwork_lab.authority import Authority
from groundwork_lab.model import World
from groundwork_lab.plane.edges import functions
from groundwork_lab.plane.edges.config import render
from groundwork_lab.plane.edges.manager import SCRIPTS
from groundwork_lab.plane.edges.nginx import NginxError, check
from groundwork_lab.plane.edges.place import Place
from groundwork_lab.plane.edges.sites import known
from groundwork_lab.plane.edges.syntax import quoted
from groundwork_lab.settings import Settings

GOLDEN = Path(__file__).parent / "golden"
FOLDER = Path("/state/edge")


def simple() -> World:
    return world()


def everything() -> World:
    server = {"HTTPPort": 8080, "HTTPSPort": 8443, "OriginReadTimeout": 20}
    custom = counted({"HeaderName": "X-Secret", "HeaderValue": 'a "$b"'})
    origins = [
        s3_origin(),
        s3_origin(Id="open", OriginAccessControlId="", CustomHeaders=custom),
        *(
            {
                "Id": protocol,
                "DomainName": f"{protocol}.example",
                "OriginPath": "",
                "CustomHeaders": counted(),
                "ConnectionTimeout": 3,
                "CustomOriginConfig": {**server, "OriginProtocolPolicy": protocol},
            }
            for protocol in ("http-only", "https-only", "match-viewer")
        ),
    ]
    errors = [
        {"ErrorCode": 404, "ResponsePagePath": "/404.html", "ResponseCode": "404", "ErrorCachingMinTTL": 10},
        {"ErrorCode": 403, "ResponsePagePath": "/index.html", "ResponseCode": "200", "ErrorCachingMinTTL": 0},
        {"ErrorCode": 500, "ErrorCachingMinTTL": 1},
    ]
    legacy = behavior(
        PathPattern="/legacy/*",
        TargetOriginId="match-viewer",
        ForwardedValues={"QueryString": True, "Cookies": {"Forward": "all"}, "Headers": counted("*")},
        MinTTL=0,
    )
    del legacy["CachePolicyId"]
    first = distribution(
        origins=origins,
        errors=errors,
        behaviors=[legacy, behavior(PathPattern="*.css", functions={"viewer-response": "headers"})],
        default=behavior(functions={"viewer-request": "clean"}, ResponseHeadersPolicyId="secure"),
        Aliases=counted("www.example.com"),
    )
    second = distribution(identifier="EOFF", domain="doff.cloudfront.net", Enabled=False)
    codes = {
        "clean": "function handler(e) { return e.request; }",
        "headers": "function handler(e) { return e.response; }",
    }
    return world(
        second,
        first,
        functions=codes,
        signing="no-override",
        headers={"secure": {"SecurityHeadersConfig": {"ContentTypeOptions": {"Override": True}}}},
    )


@pytest.mark.parametrize("build", [simple, everything])
def test_golden(build: Any) -> None:
    made = build()
    assert render(made, {"EDFDVBD6EXAMPLE": 3}, Place(FOLDER)) == (GOLDEN / f"{build.__name__}.conf").read_text()
    told = json.dumps(known(made), indent=2, sort_keys=True) + "\n"
    assert told == (GOLDEN / f"{build.__name__}.json").read_text()


@pytest.mark.skipif(shutil.which("nginx") is None, reason="needs nginx")
@pytest.mark.parametrize("build", [World, simple, everything])
def test_nginx_takes_it(build: Any, tmp_path: Path) -> None:
    made = build()
    config = written(made, tmp_path)
    check(config)
    config.write_text(config.read_text().replace("proxy_cache_revalidate on;", "proxy_cache_revalidate maybe;"))
    with pytest.raises(NginxError, match="maybe"):
        check(config)


def written(made: World, folder: Path) -> Path:
    """Write all files that nginx reads to a folder."""
    place = Place(folder, viewers=("127.0.0.1:18080", "127.0.0.1:18443 ssl http2"))
    for name in ("tls", "sockets", "temp", "cache", "js"):
        (folder / name).mkdir()
    authority = Authority(Settings("test", folder, folder))
    authority.start()
    certificate, key = authority.issue(["*.cloudfront.net"])
    (folder / "tls" / "certificate.pem").write_bytes(certificate)
    (folder / "tls" / "key.pem").write_bytes(key)
    shutil.copytree(SCRIPTS, folder / "js", dirs_exist_ok=True)
    used = functions.used(made)
    (folder / "js" / "edge.js").write_text(f"export default {json.dumps(known(made))};")
    (folder / "js" / "functions.js").write_text(functions.registry(used, ()))
    for each in used:
        (folder / "js" / functions.module_name(each.code)).write_bytes(functions.module(each.code))
    config = folder / "nginx.conf"
    config.write_text(render(made, {}, place))
    return config


@pytest.mark.parametrize(
    ("text", "word"),
    [("a b", '"a b"'), ('a"b', r'"a\"b"'), ("a\\b", r'"a\\b"'), ("$host", '"${edge_dollar}host"')],
)
def test_words_of_a_configuration(text: str, word: str) -> None:
    assert quoted(text) == word
