"""The lab's DNS in a network namespace that has only loopback, with the addresses of its daemons."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from lab_dns import Dns

from groundwork_lab.journal import Journal
from groundwork_lab.plane.names import Names
from groundwork_lab.settings import NAME_SERVERS, PARENT, RESOLVER, Settings


@pytest.fixture(scope="module")
def running() -> Iterator[Dns]:
    with ExitStack() as stack:
        state = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="groundwork-names-")))
        settings = Settings(f"dns{os.getpid()}", state, state)
        namespace = settings.namespace("aws")
        subprocess.run(["ip", "netns", "add", namespace], check=True)
        stack.callback(subprocess.run, ["ip", "netns", "delete", namespace], check=True)
        subprocess.run(["ip", "-n", namespace, "link", "set", "lo", "up"], check=True)
        for address in (RESOLVER, PARENT, *NAME_SERVERS):
            subprocess.run(["ip", "-n", namespace, "address", "add", f"{address}/32", "dev", "lo"], check=True)
        journal = Journal(state / "journal")
        names = stack.enter_context(closing(Names(settings, journal, ["iam"])))
        names.start()
        yield Dns(names, settings, journal)


@pytest.fixture
def dns(running: Dns) -> Iterator[Dns]:
    yield running
    for domain in running.names.registered:
        running.names.deregister(domain)
    running.serve()
