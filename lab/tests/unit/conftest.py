"""A control plane on loopback in this process, with boto3 as its client and fakes as its data plane."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from control_plane import PUBLIC_KEY, FakeBalancers, FakeHosts, Lab, tags

from groundwork_lab.api import ControlPlane
from groundwork_lab.settings import Settings


def pytest_addoption(parser: pytest.Parser) -> None:
    told = "run the tests of corrections against moto without corrections, where each must fail"
    parser.addoption("--plain-moto", action="store_true", help=told)


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--plain-moto", default=False):
        from plain_moto import PlainRun

        config.pluginmanager.register(PlainRun())


def control_plane(config: pytest.Config) -> type[ControlPlane]:
    if config.getoption("--plain-moto", default=False):
        from plain_moto import PlainControlPlane

        return PlainControlPlane
    return ControlPlane


@pytest.fixture
def lab(tmp_path: Path, pytestconfig: pytest.Config) -> Iterator[Lab]:
    changes: list[str] = []
    hosts = FakeHosts()
    plane = control_plane(pytestconfig)(Settings("test", tmp_path, tmp_path), lambda: changes.append("changed"))
    plane.attach(hosts, FakeBalancers())
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    api, s3, origin = (each.getsockname()[1] for each in sockets)
    plane.serve(sockets)
    yield Lab(plane, api, s3, origin, hosts, changes)
    plane.close()


@pytest.fixture
def tagged() -> Callable[..., list[dict[str, Any]]]:
    return tags


@pytest.fixture
def public_key() -> bytes:
    return PUBLIC_KEY
