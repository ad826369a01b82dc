"""The hosts that the package cache tunnels to, and its configuration."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from groundwork_lab.packages import render_config, tunnel_pattern

HTTPS = ["https://mirror.example/debian", "https://user:word@other.example:8443/x", "http://plain.example/debian"]


@pytest.mark.parametrize(
    ("target", "through"),
    [
        ("mirror.example:443", True),
        ("other.example:8443", True),
        ("plain.example:443", False),
        ("mirrorxexample:443", False),
        ("mirror.example:443.evil", False),
        ("evil-mirror.example:443", False),
        ("other.example:443", False),
    ],
)
def test_only_the_machines_https_sources_are_tunnelled(target: str, through: bool) -> None:
    pattern = tunnel_pattern(HTTPS)
    assert pattern is not None
    assert bool(re.search(pattern, target)) is through
    assert "word" not in pattern


def test_without_https_sources_nothing_is_tunnelled() -> None:
    assert tunnel_pattern(["http://plain.example/debian"]) is None


def test_configuration() -> None:
    assert render_config(Path("/cache"), Path("/logs"), ["https://mirror.example/debian"]).splitlines() == [
        "CacheDir: /cache",
        "LogDir: /logs",
        "SupportDir: /usr/lib/apt-cacher-ng",
        "BindAddress: 198.18.0.5",
        "Port: 3142",
        "ForeGround: 1",
        "ExThreshold: 30",
        r"PassThroughPattern: ^(mirror\.example:443)$",
    ]
