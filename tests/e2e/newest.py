"""A short way through the product with the newest supported pair of Python and ansible: `make newest`.

The run, the page, a release, nothing to do, the environment's end. Its name keeps it out of `pytest tests/e2e`,
which is the long way with the oldest pair.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import pytest
import yaml
from account_listing import Listing, account_listing
from ansible.release import __version__ as ansible_core
from laptop import Laptop
from running_site import Site
from sample_app import changed_app
from visitors import TIERS, served, short_delay

SERVERS = {"public-1", "public-2", "private-1", "private-2"}
RELEASE = "playbooks/release.yml"


def released(laptop: Laptop, site: Site, **variables: object) -> dict[str, str]:
    """Run a release; return what every server has then."""
    with short_delay(laptop):
        play = laptop.play(playbook=RELEASE, variables=variables)
    assert play.code == 0, play.failures() or play.errors
    found = served(site)
    assert set(found) == SERVERS
    assert len(set(found.values())) == 1, found
    return found


def test_the_pair_is_the_newest(laptop: Laptop) -> None:
    assert sys.version_info[:2] >= (3, 13)
    told = laptop.run("ansible-playbook", "--version").stdout
    assert f"[core {ansible_core}]" in told and sys.prefix in told, "the playbooks run with what runs the tests"
    amazon_aws = import_module("ansible_collections.amazon.aws")
    manifest = Path(amazon_aws.__path__[0], "MANIFEST.json")
    version = yaml.safe_load(manifest.read_text())["collection_info"]["version"]
    assert tuple(map(int, version.split("."))) >= (11, 2), "older ones are those of the oldest pair"


def test_the_first_run_serves_the_page(laptop: Laptop, site: Site) -> None:
    play = laptop.play()
    assert play.code == 0, play.failures() or play.errors
    assert set(play.changed()) == SERVERS | {"localhost"}
    assert [site.status(tier) for tier in TIERS] == [200, 200]
    assert set(served(site)) == SERVERS


def test_a_release_comes_to_every_server(laptop: Laptop, site: Site, tmp_path: Path) -> None:
    before = served(site)
    now = released(laptop, site, **changed_app(tmp_path))
    assert set(now.values()).isdisjoint(before.values())
    assert released(laptop, site, lamp_release=before["public-1"]) == before


def test_a_release_that_is_nowhere_is_refused(laptop: Laptop, site: Site) -> None:
    before = served(site)
    play = laptop.play(playbook=RELEASE, variables={"lamp_release": "000000000000"})
    assert play.code != 0
    assert "lamp_release: '000000000000' of 'app' is not on" in "\n".join(play.failures())
    assert served(site) == before


@pytest.mark.parametrize("words", [("--check", "--diff"), ()], ids=["check", "run"])
def test_then_there_is_nothing_to_do(laptop: Laptop, words: tuple[str, ...]) -> None:
    play = laptop.play(*words)
    assert play.code == 0, play.failures() or play.errors
    assert (play.changes(), set(play.changed().values())) == ([], {0})


def test_the_end_leaves_nothing(laptop: Laptop, before_site: Listing) -> None:
    everything = {"environment_confirm": "local", "teardown_buckets": True, "teardown_images": True}
    play = laptop.play(playbook="playbooks/teardown.yml", variables=everything)
    assert play.code == 0, play.failures() or play.errors
    assert account_listing(laptop.client) == before_site
