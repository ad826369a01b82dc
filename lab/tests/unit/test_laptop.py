"""The environment on the lab's internet contains the lab's settings and no others."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from groundwork_lab.laptop import argv_inside, environment, resolver_files
from groundwork_lab.settings import Settings

SETTINGS = Settings(name="lab", state=Path("/state"), cache=Path("/cache"))


@pytest.mark.parametrize(
    ("inherited", "name", "value"),
    [
        ({}, "AWS_ENDPOINT_URL", "http://198.18.0.2"),
        ({"AWS_ENDPOINT_URL": "http://elsewhere"}, "AWS_ENDPOINT_URL", "http://198.18.0.2"),
        ({}, "AWS_ENDPOINT_URL_S3", "http://198.18.0.4"),
        ({}, "S3_ENDPOINT_URL", "http://198.18.0.4"),
        ({"AWS_REGION": "us-west-2"}, "AWS_REGION", "eu-central-1"),
        ({"AWS_ACCESS_KEY_ID": "real"}, "AWS_ACCESS_KEY_ID", "AKIAGROUNDWORKLAB000"),
        ({"AWS_CONFIG_FILE": "/home/me/.aws/config"}, "AWS_CONFIG_FILE", "/dev/null"),
        ({"GROUNDWORK_LAB": "other"}, "GROUNDWORK_LAB", "lab"),
        ({"PATH": "/usr/bin"}, "PATH", f"{Path(sys.executable).parent}:/usr/bin"),
        ({"HOME": "/home/me", "TERM": "xterm"}, "HOME", "/home/me"),
        ({"no_proxy": "localhost"}, "no_proxy", "localhost,198.18.0.2,198.18.0.4,.amazonaws.com,.cloudfront.net,.test"),
        ({}, "NO_PROXY", "198.18.0.2,198.18.0.4,.amazonaws.com,.cloudfront.net,.test"),
        ({"SSL_CERT_FILE": "/mine"}, "SSL_CERT_FILE", "/state/authority/bundle.pem"),
        ({}, "REQUESTS_CA_BUNDLE", "/state/authority/bundle.pem"),
        ({}, "CURL_CA_BUNDLE", "/state/authority/bundle.pem"),
        ({}, "AWS_CA_BUNDLE", "/state/authority/bundle.pem"),
        ({}, "NODE_EXTRA_CA_CERTS", "/state/authority/bundle.pem"),
    ],
)
def test_what_is_set(inherited: dict[str, str], name: str, value: str) -> None:
    assert environment(SETTINGS, inherited)[name] == value


@pytest.mark.parametrize(
    "name", ["AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_EC2", "AWS_ROLE_ARN", "AWS_URL", "EC2_URL"]
)
def test_what_would_lead_to_a_real_account_stays_outside(name: str) -> None:
    assert name not in environment(SETTINGS, {name: "x"})


def test_name_resolution_is_covered_by_files_of_the_lab() -> None:
    assert resolver_files(SETTINGS) == {
        "/etc/resolv.conf": Path("/state/names/resolv.conf"),
        "/etc/nsswitch.conf": Path("/state/names/nsswitch.conf"),
    }


def test_a_daemon_inside_gets_its_own_arguments() -> None:
    assert argv_inside("aws", ["daemon", "-x"])[1:] == ["-m", "groundwork_lab.laptop", "aws", "daemon", "-x"]
