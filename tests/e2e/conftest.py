"""The end-to-end tests on the lab, as a user with a laptop. See README.md."""

from __future__ import annotations

from pathlib import Path

import pytest
from account_listing import Listing, account_listing
from golden_images import promoted
from laptop import Laptop
from running_site import Site
from stages import PARTS, POSITIONS, Stage, mismatches, stage_of

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def laptop() -> Laptop:
    return Laptop()


@pytest.fixture(scope="session")
def site(laptop: Laptop) -> Site:
    return Site(laptop)


@pytest.fixture(scope="session", autouse=True)
def before_site(laptop: Laptop) -> Listing:
    """The resources in the account before the first test."""
    return account_listing(laptop.client)


@pytest.fixture(scope="module", autouse=True)
def _what_the_stage_needs(request: pytest.FixtureRequest, before_site: Listing, site: Site) -> None:
    stage = stage_of(request.path.name)
    if stage and stage.needs == "site":
        site.build()


@pytest.fixture(scope="module")
def image(laptop: Laptop) -> str:
    """The id of the promoted golden image."""
    return promoted(laptop)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--part", choices=PARTS, help="only the stages of this part; all by default")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Bring the tests into the order of the stages, and within a stage leave them in the order of its file."""
    wrong = mismatches(path.name for path in HERE.glob("test_*.py"))
    if wrong:
        raise pytest.UsageError("\n".join(wrong))
    items.sort(key=lambda item: POSITIONS.get(item.path.name, -1) if item.path.parent == HERE else -1)
    part = config.getoption("--part")
    others = [item for item in items if part and (stage := stage_of(item.path.name)) and stage.part != part]
    if others:
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how long each stage took, with the building of its site."""
    took: dict[Stage, float] = {}
    for report in (one for reports in terminalreporter.stats.values() for one in reports):
        stage = stage_of(Path(report.nodeid.partition("::")[0]).name) if isinstance(report, pytest.TestReport) else None
        if stage:
            took[stage] = took.get(stage, 0.0) + report.duration
    for stage, seconds in took.items():
        terminalreporter.write_line(f"Stage {stage.name}: {seconds:.0f} s")
