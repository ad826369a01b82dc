"""The end-to-end tests on the lab, as a user with a laptop. See README.md."""

from __future__ import annotations

from pathlib import Path

import pytest
from account_listing import Listing, account_listing
from golden_images import promoted
from laptop import Laptop
from running_site import Site
from stages import POSITIONS, mismatches, stage_of

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


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out a long stage whose file is not named."""
    stage = stage_of(collection_path.name) if collection_path.parent == HERE else None
    named = {Path(argument.partition("::")[0]).resolve() for argument in config.args}
    return True if stage and stage.long and collection_path.resolve() not in named else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Bring the tests into the order of the stages, and within a stage leave them in the order of its file."""
    wrong = mismatches(path.name for path in HERE.glob("test_*.py"))
    if wrong:
        raise pytest.UsageError("\n".join(wrong))
    items.sort(key=lambda item: POSITIONS.get(item.path.name, -1) if item.path.parent == HERE else -1)
