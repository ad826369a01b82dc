from __future__ import annotations

from collections.abc import Mapping

import pytest

from groundwork_lab.plane.hosts import apt
from groundwork_lab.plane.hosts.apt import Source, Target

INDEXES = """\
MetaKey: main/binary-amd64/Packages
Codename: bookworm
Label: Debian
Origin: Debian
Component: main
Release: bookworm
Repo-URI: http://mirror.example/debian/
Fallback-Of:

MetaKey: main/binary-amd64/Packages
Component: main
Release: bookworm-security
Repo-URI: http://mirror.example/security/
"""


def test_parses_indexes() -> None:
    assert apt.parse_targets(INDEXES) == [
        Target("http://mirror.example/debian/", "bookworm", "bookworm", "main", "Debian"),
        Target("http://mirror.example/security/", "bookworm-security", "", "main", ""),
    ]


def test_parses_nothing() -> None:
    assert apt.parse_targets("") == []


def target(uri: str, release: str, *, codename: str = "", component: str = "main", origin: str = "Debian") -> Target:
    return Target(uri, release, codename, component, origin)


@pytest.mark.parametrize(
    ("machine", "targets", "expected"),
    [
        pytest.param(
            "bookworm",
            [target("a", "bookworm-security"), target("b", "bookworm"), target("b", "bookworm-updates")],
            [("b", "bookworm"), ("b", "bookworm-updates"), ("a", "bookworm-security")],
            id="pockets-in-order",
        ),
        pytest.param(
            "trixie",
            [target("a", "trixie"), target("s", "trixie-security")],
            [("a", "bookworm"), ("s", "bookworm-security")],
            id="a-newer-machine",
        ),
        pytest.param(
            "bookworm",
            [target("a", "oldstable", codename="bookworm")],
            [("a", "bookworm")],
            id="a-suite-by-its-other-name",
        ),
        pytest.param(
            "bookworm",
            [
                target("x", "bookworm", origin="Someone"),
                target("y", "bookworm", component="stable", origin=""),
                target("a", "bookworm", origin=""),
                target("b", "bookworm"),
            ],
            [("a", "bookworm")],
            id="only-debians-and-the-first",
        ),
        pytest.param(
            "bookworm",
            [target("mirror+file:///etc/apt/mirrors/debian.list", "bookworm")],
            [("https://mirror.example/debian", "bookworm")],
            id="behind-a-mirror-list",
        ),
    ],
)
def test_finds_the_machines_archive(machine: str, targets: list[Target], expected: list[tuple[str, str]]) -> None:
    lists: Mapping[str, str] = {"/etc/apt/mirrors/debian.list": "# ours\nhttps://mirror.example/debian priority:1\n"}
    found = apt.debian_sources(targets, machine, "bookworm", lists.__getitem__)
    assert found == tuple(Source(uri, suite) for uri, suite in expected)


@pytest.mark.parametrize("targets", [[], [target("a", "noble", origin="Ubuntu")], [target("a", "bookworm-security")]])
def test_says_what_is_missing(targets: list[Target]) -> None:
    with pytest.raises(apt.NoDebianArchiveError, match=r"bookworm .*Add one to /etc/apt/sources\.list\.d"):
        apt.debian_sources(targets, "bookworm", "bookworm", str)


def test_renders_deb822() -> None:
    text = apt.render_sources([Source("http://a/debian", "bookworm"), Source("http://a/sec", "bookworm-security")])
    assert text == (
        "Types: deb\nURIs: http://a/debian\nSuites: bookworm\nComponents: main\n"
        "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
        "\n"
        "Types: deb\nURIs: http://a/sec\nSuites: bookworm-security\nComponents: main\n"
        "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n"
    )


DUMP = """\
Acquire "";
Acquire::Check-Valid-Until "false";
Acquire::http "";
Acquire::http::Proxy "http://proxy.example:3142";
Acquire::http::Proxy::mirror.example "DIRECT";
Acquire::https::Proxy "";
Acquire::https::CaInfo "/etc/ssl/ours.pem";
Acquire::Languages:: "none";
"""


def test_keeps_what_reaches_the_archive() -> None:
    assert apt.options(DUMP, apt.REACHING) == (
        'Acquire::http::Proxy "http://proxy.example:3142";',
        'Acquire::http::Proxy::mirror.example "DIRECT";',
        'Acquire::https::CaInfo "/etc/ssl/ours.pem";',
    )


def test_keeps_how_dates_are_judged() -> None:
    assert apt.options(DUMP, apt.JUDGING) == ('Acquire::Check-Valid-Until "false";',)
