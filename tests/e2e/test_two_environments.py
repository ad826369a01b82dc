"""A second environment beside the first: every playbook touches only its own, and the first is served all the while."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from account_listing import Listing, account_listing
from golden_images import forget_images
from laptop import ROOT, Laptop, Play, besides_lock
from running_site import Site
from sample_app import changed_app
from visitors import TIERS, visitors

SAMPLE = ROOT / "roles" / "static_site" / "files" / "site"
RATE = 20  # requests a second: a machine that builds an environment has other things to do
SECOND = "inventories/dev"
# What that inventory leaves to its owner, fewer servers, and private ones that come and go by themselves.
OWN: dict[str, Any] = {
    "firewall_admin_cidrs": ["198.18.0.10/32"],
    "servers_tiers": {
        "public": {"count": 1, "instance_type": "t3.small"},
        "private": {"group": {"min": 1, "max": 2}, "instance_type": "t3.small"},
    },
    "alb_target_groups": [{"name": tier, "tier": tier, "deregistration_delay": 5} for tier in TIERS],
    "static_site_source": str(SAMPLE),
    "static_site_bucket": "groundwork-dev-site",
}


def second(laptop: Laptop, *words: str, playbook: str = "site.yml", **variables: object) -> Play:
    play = laptop.play(*words, playbook=playbook, inventory=SECOND, variables={**OWN, **variables})
    assert play.code == 0, play.failures() or play.errors
    return play


def unchanged(laptop: Laptop, playbook: str = "site.yml") -> None:
    """The first environment is as its inventory wants it."""
    again = laptop.play(playbook=playbook)
    assert again.code == 0, again.failures() or again.errors
    assert (again.changes(), set(again.changed().values())) == ([], {0})


@pytest.fixture(scope="module", autouse=True)
def before(laptop: Laptop) -> Listing:
    """The account with the first environment alone, which has no golden image."""
    forget_images(laptop)
    return account_listing(laptop.client)


@pytest.fixture(scope="module", autouse=True)
def _visited(site: Site, before: Listing) -> Iterator[None]:
    """The first environment has visitors, and none of them sees an error."""
    assert before
    with visitors(site, rate=RATE) as seen:
        yield
    assert [place["failures"] for place in seen] == [[], []]


@pytest.fixture
def untouched(laptop: Laptop, before: Listing) -> Iterator[None]:
    """Afterwards everything that was there before the second environment is as it was."""
    yield
    now = account_listing(laptop.client)
    assert {kind: {own: now[kind].get(own) for own in things} for kind, things in before.items()} == before


@pytest.mark.usefixtures("untouched")
def test_it_is_built_beside_the_first(laptop: Laptop) -> None:
    second(laptop)
    names = {one["LoadBalancerName"] for one in laptop.client("elbv2").describe_load_balancers()["LoadBalancers"]}
    assert names == {f"{environment}-{tier}" for environment in ("local", "dev") for tier in TIERS}


@pytest.mark.usefixtures("untouched")
def test_the_same_again_changes_neither(laptop: Laptop) -> None:
    laptop.calls(reset=True)
    again = second(laptop)
    assert (again.changes(), set(again.changed().values())) == ([], {0})
    unchanged(laptop)
    assert besides_lock(laptop.calls()) == {}


@pytest.mark.usefixtures("untouched")
def test_a_release_is_its_own(laptop: Laptop, tmp_path: Path) -> None:
    assert second(laptop, playbook="playbooks/release.yml", **changed_app(tmp_path)).changes()
    unchanged(laptop, "playbooks/release.yml")


@pytest.mark.usefixtures("untouched")
def test_a_publication_is_its_own(laptop: Laptop, tmp_path: Path) -> None:
    source = shutil.copytree(SAMPLE, tmp_path / "site")
    page = source / "index.html"
    page.write_text(f"{page.read_text()}<!-- of dev -->\n")
    assert second(laptop, playbook="playbooks/publish.yml", static_site_source=str(source)).changes()
    unchanged(laptop, "playbooks/publish.yml")


def test_its_image_is_its_own(laptop: Laptop) -> None:
    """Its group needed one, so site.yml has baked it; the first environment would bake another."""
    images = [f"/groundwork/{name}/image/lamp" for name in ("dev", "local")]
    there = laptop.client("ssm").get_parameters(Names=images)
    assert ([one["Name"] for one in there["Parameters"]], there["InvalidParameters"]) == (images[:1], images[1:])
    planned = laptop.play("--check", playbook="playbooks/image.yml").changes()
    assert f"localhost: create parameter {images[1]}" in planned
    assert "/groundwork/dev/" not in "\n".join(planned)


def test_a_server_of_the_first_is_not_replaced(laptop: Laptop, site: Site) -> None:
    stranger = site.server_id("public-1")
    variables = {**OWN, "servers_replace": [stranger], "servers_replace_data": "lost"}
    laptop.calls(reset=True)
    refused = laptop.play(playbook="playbooks/replace.yml", inventory=SECOND, variables=variables)
    assert refused.code != 0
    assert f"'{stranger}' is not a declared server" in "\n".join(refused.failures())
    assert besides_lock(laptop.calls()) == {}


def test_its_end_is_its_own(laptop: Laptop, before: Listing) -> None:
    confirmed = {"environment_confirm": "dev", "teardown_buckets": True, "teardown_images": True}
    second(laptop, playbook="playbooks/teardown.yml", **confirmed)
    assert account_listing(laptop.client) == before
    assert not (ROOT / ".environments" / "dev").exists()
    unchanged(laptop)
