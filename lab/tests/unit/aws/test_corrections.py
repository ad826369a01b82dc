"""The register of the corrections: what is marked is overridden, and what is overridden is marked."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import register
from botocore.exceptions import ClientError
from register import Entry, Override

from groundwork_lab.aws.corrections import Corrections, discover

UNITS = Path(__file__).parents[1]
UNREGISTERED = 3  # lower it when an override gets a correction


def entry(operation: str, *also: str, service: str = "ec2", **options: Any) -> Entry:
    fields = {"rule": "A rule.", "page": "https://example", "test": "test_x.py::test_x", "data_plane": False}
    return Entry(service=service, operation=operation, also=frozenset(also), **{**fields, **options})


CREATE, COUNT, FILTER = (
    Override("ec2", "SubnetsBackend", "create_subnet"),
    Override("ec2", "Subnet", "count"),
    Override("ec2", "", "is_filter_matching"),
)


@pytest.mark.parametrize(
    ("known", "missing"),
    [
        ([], [CREATE, COUNT, FILTER]),
        ([entry("CreateSubnet")], [COUNT, FILTER]),
        ([entry("CreateSubnet", service="elbv2")], [CREATE, COUNT, FILTER]),
        ([entry("CreateSubnet", "Subnet.count"), entry("DescribeVpcs", "is_filter_matching")], []),
    ],
)
def test_overrides_without_a_correction(known: list[Entry], missing: list[Override]) -> None:
    assert register.unregistered(known, [CREATE, COUNT, FILTER]) == missing


def test_corrections_of_what_is_not_overridden() -> None:
    assert register.unknown([entry("CreateSubnet", "Subnet.count", "Subnet.gone")], [CREATE, COUNT]) == ["Subnet.gone"]


def test_marks_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "aws"
    folder.mkdir()
    (folder / "test_x.py").write_text(
        '@pytest.mark.correction("ec2:CreateVpc", "A rule.", also=("Vpc.x",))\n'
        '@pytest.mark.correction("s3:PutObject", "Another.", page="https://page", data_plane=True)\n'
        "def test_x(): ...\n"
        "@pytest.mark.exhaustive\n"
        "def test_y(): ...\n"
    )
    page = "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVpc.html"
    test = "aws/test_x.py::test_x"
    assert register.entries(tmp_path) == [
        entry("CreateVpc", "Vpc.x", page=page, test=test),
        entry("PutObject", service="s3", rule="Another.", page="https://page", test=test, data_plane=True),
    ]


class Moto:
    __module__ = "moto.ec2.models"

    def create_subnet(self) -> None: ...

    @classmethod
    def dispatch(cls) -> None: ...


class Topic(Moto):
    __module__ = "groundwork_lab.aws.ec2.subnets"

    def create_subnet(self) -> None: ...

    def own(self) -> None: ...


class Backend(Topic):
    __module__ = "groundwork_lab.aws.ec2.corrections"

    def __init__(self) -> None: ...


def is_filter_matching() -> None: ...


def test_overrides_are_found() -> None:
    registry: Any = SimpleNamespace()
    exchanged = ((registry, "is_filter_matching", is_filter_matching), (registry, "paths", {"/": Topic.dispatch}))
    corrections = Corrections(registry=registry, backend=Backend, exchanged=exchanged)
    own = Corrections(registry=registry, backend=Backend, own=True)
    assert register.overrides({"ec2": corrections, "cloudfront": own}) == [
        Override("ec2", "Topic", "create_subnet"),
        Override("ec2", "", "is_filter_matching"),
    ]


def test_the_register_is_complete_but_for_a_few() -> None:
    known, found = register.entries(UNITS), register.overrides(discover())
    assert register.unknown(known, found) == []
    missing = [str(each) for each in register.unregistered(known, found)]
    assert len(missing) == UNREGISTERED, missing


def test_operations_exist_and_rules_are_sentences() -> None:
    from moto.core.utils import get_service_model

    for each in register.entries(UNITS):
        assert each.operation in get_service_model(each.service).operation_names, each
        assert each.rule.endswith("."), each
        assert each.page.startswith("https://"), each


REFUSED = ClientError({"Error": {"Code": "InvalidSubnet.Range", "Message": "m"}}, "CreateSubnet")


@pytest.mark.parametrize(
    ("results", "outcomes"),
    [
        ([None], ["failed"]),
        ([None, None], ["passed", "failed"]),
        ([REFUSED], ["skipped"]),
        ([None, KeyError("State")], ["passed", "skipped"]),
        ([AttributeError("report_state")], ["failed"]),
    ],
)
def test_on_moto_alone_a_correction_must_fail(results: list[Exception | None], outcomes: list[str]) -> None:
    """One case of the test must fail, with an error that shows that moto lacks the correction."""
    from plain_moto import PlainRun

    run = PlainRun()
    items: Any = [SimpleNamespace(nodeid=f"test_x.py::test_x[{number}]") for number in range(len(results))]
    run.keep(items)
    for item, result, outcome in zip(items, results, outcomes, strict=True):
        shown = None if result is None else SimpleNamespace(value=result)
        call: Any = SimpleNamespace(when="call", excinfo=shown)
        report: Any = SimpleNamespace(outcome="failed" if result else "passed", passed=result is None)
        assert run.judged(item, call, report).outcome == outcome
