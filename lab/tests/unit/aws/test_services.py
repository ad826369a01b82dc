"""A service is found because its package is there."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from groundwork_lab import aws
from groundwork_lab.aws.corrections import discover
from groundwork_lab.aws.services import Service, find, global_endpoints, services

PACKAGE = """
from groundwork_lab.aws.services import Service

SERVICE = Service(client="sqs", protocol="query", reach="lab", global_endpoint=True)
"""
CORRECTIONS = """
from moto.sqs.models import SQSBackend, sqs_backends

from groundwork_lab.aws.corrections import Corrections


class Backend(SQSBackend):
    pass


CORRECTIONS = Corrections(registry=sqs_backends, backend=Backend)
"""


@pytest.fixture
def new_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Put the package `sqs` beside those of the other services."""
    (tmp_path / "sqs").mkdir()
    (tmp_path / "sqs" / "__init__.py").write_text(PACKAGE)
    (tmp_path / "sqs" / "corrections.py").write_text(CORRECTIONS)
    monkeypatch.setattr(aws, "__path__", [*aws.__path__, str(tmp_path)])
    clear()
    yield
    for name in [each for each in sys.modules if each.startswith(f"{aws.__name__}.sqs")]:
        del sys.modules[name]
    del aws.sqs
    clear()


def clear() -> None:
    for cached in (services, find):
        cached.cache_clear()


@pytest.mark.usefixtures("new_service")
def test_a_new_package_is_a_service() -> None:
    found = find("sqs")
    assert found is not None
    assert (found.reach, found.moto, found.prefix) == ("lab", "sqs", "sqs")
    assert "sqs" in global_endpoints()
    assert discover()["sqs"].backend.__name__ == "Backend"


def test_a_package_has_the_name_of_its_client() -> None:
    folders = {each.name for each in Path(aws.__path__[0]).iterdir() if (each / "__init__.py").exists()}
    assert {each.client.replace("-", "") for each in services()} == folders


@pytest.mark.parametrize(
    ("signing_name", "version", "client"),
    [
        ("ec2", "2016-11-15", "ec2"),
        ("elasticloadbalancing", "2015-12-01", "elbv2"),
        ("elasticloadbalancing", "", "elbv2"),
        ("elasticloadbalancing", "2012-06-01", "elb"),
        ("tagging", "", "resourcegroupstaggingapi"),
    ],
)
def test_the_signing_name_and_the_version_decide(signing_name: str, version: str, client: str) -> None:
    found = find(signing_name, version)
    assert found is not None
    assert found.client == client


def test_a_signing_name_of_no_service() -> None:
    assert find("elbv2") is None


def test_actions_in_policies() -> None:
    assert {each.prefix for each in services() if each.prefix != each.client} == {
        "elasticfilesystem",
        "elasticloadbalancing",
        "servicequotas",
        "tag",
    }


def test_names_default_to_that_of_the_client() -> None:
    service = Service(client="sqs", protocol="json")
    assert {service.signing_name, service.moto, service.prefix} == {"sqs"}


def test_declarations_are_read_without_moto() -> None:
    script = "import sys; from groundwork_lab.aws import services; services.services(); print('moto' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert told.stdout == "False\n"
