"""The configuration of an edge: golden files, and its check by nginx."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from certificates import issued
from distributions import behavior, counted, distribution, s3_origin, world

from groundwork_lab.authority import Authority
from groundwork_lab.model import Certificate, World
from groundwork_lab.plane.edges import functions
from groundwork_lab.plane.edges.config import render
from groundwork_lab.plane.edges.manager import SCRIPTS
from groundwork_lab.plane.edges.nginx import NginxError, check
from groundwork_lab.plane.edges.place import Place
from groundwork_lab.plane.edges.sites import known
from groundwork_lab.plane.edges.syntax import quoted
from groundwork_lab.plane.edges.tls import NEWEST, POLICIES, ciphers, files, protocols, suites
from groundwork_lab.settings import Settings

GOLDEN = Path(__file__).parent / "golden"
FOLDER = Path("/state/edge")


def simple() -> World:
    return world()


def everything() -> World:
    return with_certificate(Certificate("arn", b"chain", b"key"))


def with_certificate(certificate: Certificate) -> World:
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
        Aliases=counted("www.example.com", "*.example.com"),
        ViewerCertificate={"MinimumProtocolVersion": "TLSv1.2_2021"},
        certificate=certificate,
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
def certified() -> World:
    return with_certificate(issued("*.example.com", kind="2048").as_model("arn"))


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path: that of a UNIX socket has at most 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="groundwork-") as name:
        yield Path(name)


@pytest.mark.parametrize("build", [World, simple, certified])
def test_nginx_takes_it(build: Any, folder: Path) -> None:
    made = build()
    config = written(made, folder)
    check(config)
    config.write_text(config.read_text().replace("proxy_cache_revalidate on;", "proxy_cache_revalidate maybe;"))
    with pytest.raises(NginxError, match="maybe"):
        check(config)


def written(made: World, folder: Path) -> Path:
    """Write all files that nginx reads to a folder."""
    place = Place(folder, http=("127.0.0.1:18080",), https=("127.0.0.1:18443",), https_1=())
    for name in ("tls", "sockets", "temp", "cache", "js"):
        (folder / name).mkdir()
    authority = Authority(Settings("test", folder, folder))
    authority.start()
    certificate, key = authority.issue(["*.cloudfront.net"])
    (folder / "tls" / "certificate.pem").write_bytes(certificate)
    (folder / "tls" / "key.pem").write_bytes(key)
    for each in made.distributions.values():
        for name, content in files(each.certificate).items() if each.certificate else ():
            (folder / "tls" / name).write_bytes(content)
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


@pytest.mark.parametrize("policy", [*POLICIES, NEWEST])
def test_nginx_takes_every_security_policy(policy: str, folder: Path) -> None:
    certificate = issued("www.example.com").as_model("arn")
    named = {"Aliases": counted("www.example.com"), "ViewerCertificate": {"MinimumProtocolVersion": policy}}
    check(written(world(distribution(certificate=certificate, **named)), folder))


@pytest.mark.parametrize(
    ("policy", "oldest", "number", "newest"),
    [
        ("TLSv1", "TLSv1", 19, 3),
        ("TLSv1_2016", "TLSv1", 19, 3),
        ("TLSv1.1_2016", "TLSv1.1", 19, 3),
        ("TLSv1.2_2018", "TLSv1.2", 13, 3),
        ("TLSv1.2_2019", "TLSv1.2", 10, 3),
        ("TLSv1.2_2021", "TLSv1.2", 6, 3),
        ("TLSv1.2_2025", "TLSv1.2", 4, 3),
        ("TLSv1.3_2025", "TLSv1.3", 0, 2),
    ],
)
def test_security_policies(policy: str, oldest: str, number: int, newest: int) -> None:
    """Check the numbers of the page: of TLS 1.2's ciphers for both kinds of keys, and of TLS 1.3's."""
    assert (protocols(policy)[0], len(ciphers(policy)), len(suites(policy))) == (oldest, number, newest)


def test_a_disabled_distribution_has_no_door() -> None:
    certificate = Certificate("arn", b"chain", b"key")
    made = distribution(certificate=certificate, Aliases=counted("www.example.com"), Enabled=False)
    assert "www.example.com" not in render(world(made), {}, Place(FOLDER))


def test_another_certificate_is_another_configuration() -> None:
    named = {"Aliases": counted("www.example.com"), "ViewerCertificate": {"MinimumProtocolVersion": "TLSv1.2_2021"}}
    before, after = (
        render(world(distribution(certificate=Certificate("arn", chain, b"key"), **named)), {}, Place(FOLDER))
        for chain in (b"before", b"after")
    )
    assert before != after
