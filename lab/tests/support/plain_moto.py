"""The tests of corrections against moto without corrections: `--plain-moto`.

Each test with the mark `correction` must fail there. A test that passes shows that moto follows AWS' documentation in
what the test checks, so that the correction is superfluous: the run fails and names it. The cases of a test with
parameters belong to one correction, which is necessary if one of them fails.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.ec2.models import amis

from groundwork_lab.api import Context, ControlPlane
from groundwork_lab.aws.ec2.images import DEBIAN, RELEASES, ROOT_DEVICE
from groundwork_lab.model import World
from groundwork_lab.settings import Settings

Refused = pytest.fail.Exception  # what `pytest.raises` raises if nothing was raised
EXPECTED = (AssertionError, ClientError, KeyError, IndexError, Refused)
"""The ways in which moto shows that it lacks a correction. Other errors are errors of the test."""


IMAGE = {
    "ami_id": RELEASES[0].image_id,
    "name": RELEASES[0].name,
    "owner_id": DEBIAN,
    "architecture": "x86_64",
    "creation_date": RELEASES[0].created,
    "image_type": "machine",
    "public": True,
    "root_device_name": ROOT_DEVICE,
    "root_device_type": "ebs",
    "virtualization_type": "hvm",
}
"""The image that the tests launch, as moto's list of images would have it."""


class PlainControlPlane(ControlPlane):
    """A control plane without corrections. moto completes everything at once, so that reports have no effect."""

    def __init__(self, settings: Settings, changed: Callable[[], None]) -> None:
        amis.AMIS = [IMAGE]
        os.environ["MOTO_AMIS_PATH"] = ""  # moto then loads no others than these, which are thousands
        super().__init__(settings, changed, installed={})

    def snapshot(self) -> World:
        raise NotImplementedError("moto alone has no World: separate what the test checks of it.")

    def report(self, change: Callable[[Context], bool]) -> None:
        pass


def is_registered(item: pytest.Item) -> bool:
    """Return whether the test shows a correction that does not need the data plane."""
    return any(not mark.kwargs.get("data_plane") for mark in item.iter_markers("correction"))


class PlainRun:
    """Runs the marked tests, each until one of its cases fails, and turns the results around."""

    def __init__(self) -> None:
        self._necessary: set[str] = set()
        self._last: dict[str, str] = {}

    @staticmethod
    def _name(item: pytest.Item) -> str:
        return item.nodeid.partition("[")[0]

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        config.hook.pytest_deselected(items=[item for item in items if not is_registered(item)])
        items[:] = [item for item in items if is_registered(item)]
        self.keep(items)

    def keep(self, items: Iterable[pytest.Item]) -> None:
        """Keep which case of each test is the last one."""
        self._last = {self._name(item): item.nodeid for item in items}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        if self._name(item) in self._necessary:
            pytest.skip("another case shows that moto needs the correction")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[Any]) -> Generator[None, Any, Any]:
        report = yield
        return self.judged(item, call, report)

    def judged(self, item: pytest.Item, call: pytest.CallInfo[Any], report: Any) -> Any:
        """Return the report of a case turned around: a failure is expected, and the last pass is a failure."""
        name = self._name(item)
        if call.when == "call" and call.excinfo is not None and isinstance(call.excinfo.value, EXPECTED):
            self._necessary.add(name)
            report.outcome, report.wasxfail = "skipped", "moto needs the correction"
        elif call.when == "call" and report.passed and self._last[name] == item.nodeid:
            report.outcome = "failed"
            report.longrepr = f"{name} passes without the lab's corrections: moto does not need this one any more."
        return report
