"""A short way through the product with the newest supported pair of Python and ansible: `make newest`.

The run, the page, a release, nothing to do, names with HTTPS, the environment's end. Its name keeps it out of
`pytest tests/e2e`, which is the long way with the oldest pair.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from account_listing import Listing, account_listing
from ansible.release import __version__ as ansible_core
from asking import get
from laptop import Laptop
from running_site import Site
from sample_app import changed_app
from visitors import TIERS, served, short_delay

SERVERS = {"public-1", "public-2", "private-1", "private-2"}
RELEASE = "playbooks/release.yml"
ZONE = "newest.test"


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


@pytest.fixture(scope="module")
def zone(laptop: Laptop) -> Iterator[str]:
    """The id of a hosted zone with a record of somebody else, whose domain is registered."""
    route53 = laptop.client("route53")
    made = str(route53.create_hosted_zone(Name=ZONE, CallerReference="newest")["HostedZone"]["Id"])
    foreign = {"Name": f"old.{ZONE}.", "Type": "A", "TTL": 300, "ResourceRecords": [{"Value": "192.0.2.7"}]}
    change(route53, made, "CREATE", foreign)
    registered = laptop.run("groundwork-lab", "register", ZONE)
    assert registered.returncode == 0, registered.stderr
    yield made
    laptop.run("groundwork-lab", "deregister", ZONE)
    change(route53, made, "DELETE", foreign)
    route53.delete_hosted_zone(Id=made)


def change(route53: Any, zone: str, action: str, record: dict[str, Any]) -> None:
    batch = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)


def test_names_bring_certificates_https_and_redirects(laptop: Laptop, zone: str) -> None:
    assert zone
    names = {
        "dns_zone": ZONE,
        "alb_names": {"public": [f"www.{ZONE}", ZONE]},
        "static_site_aliases": [f"static.{ZONE}"],
    }
    planned = laptop.play("--check", variables=names)
    assert planned.code == 0, planned.failures() or planned.errors
    play = laptop.play(variables=names)
    assert play.code == 0, play.failures() or play.errors
    for name in (f"www.{ZONE}", ZONE, f"static.{ZONE}"):
        assert get(f"https://{name}/").status == 200
        answer = get(f"http://{name}/a?b=c")
        assert (answer.status, answer.headers["Location"].replace(":443", "")) == (301, f"https://{name}/a?b=c")


def test_the_end_leaves_nothing(laptop: Laptop, before_site: Listing, zone: str) -> None:
    everything = {"environment_confirm": "local", "teardown_buckets": True, "teardown_images": True}
    play = laptop.play(playbook="playbooks/teardown.yml", variables=everything)
    assert play.code == 0, play.failures() or play.errors
    left = laptop.client("route53").list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    assert sorted(one["Type"] for one in left) == ["A", "NS", "SOA"]
    listing = account_listing(laptop.client)
    assert listing["HostedZones"].pop(zone)
    assert listing == before_site
