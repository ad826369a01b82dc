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


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    changes: list[str] = []
    hosts = FakeHosts()
    plane = ControlPlane(Settings("test", tmp_path, tmp_path), lambda: changes.append("changed"))
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
