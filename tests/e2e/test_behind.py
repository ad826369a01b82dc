"""A server that missed a release serves no visitor before it has what the others serve."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from laptop import Laptop, Play
from running_site import Site
from sample_app import BROKEN, changed_app
from visitors import served, short_delay
from watching import eventually

RELEASE = "playbooks/release.yml"
LATE = "private-2"


@pytest.fixture(scope="module", autouse=True)
def _short_delay(laptop: Laptop) -> Iterator[None]:
    with short_delay(laptop):
        yield


@pytest.fixture(scope="module")
def first(laptop: Laptop, site: Site) -> Iterator[dict[str, str]]:
    """What every server had before these tests, and gets again after them."""
    found = served(site)
    yield found
    back = laptop.play()
    assert back.code == 0, back.failures() or back.errors
    assert served(site) == found


def stories(play: Play) -> str:
    """Return what the tasks of a run show."""
    return "\n".join(str(result.get("msg")) for _task, _host, result in play.results())


def test_a_server_that_was_stopped_serves_what_the_others_serve(
    laptop: Laptop, site: Site, first: dict[str, str], tmp_path: Path
) -> None:
    late, ec2, new = site.server_id(LATE), laptop.client("ec2"), changed_app(tmp_path)
    ec2.stop_instances(InstanceIds=[late], Force=True)
    assert eventually(lambda: LATE in site.servers, lambda there: not there, 60) is False
    planned = laptop.play("--check", playbook=RELEASE, variables=new)
    assert f"{LATE} ({late}) is stopped and does not get the release." in stories(planned)
    assert [change for change in planned.changes() if change.endswith("create tag groundwork:held")]
    done = laptop.play(playbook=RELEASE, variables=new)
    assert done.code == 0, done.failures() or done.errors
    assert f"{LATE} ({late}) is stopped and does not get the release." in stories(done)
    assert late not in site.health("private")

    ec2.start_instances(InstanceIds=[late])
    assert eventually(lambda: laptop.reaches(LATE), bool, 60)
    now = served(site)
    assert LATE not in now
    assert len({*now.values()}) == 1
    assert now["private-1"] != first["private-1"]

    planned = laptop.play("--check", variables=new)
    assert [change for change in planned.changes() if change.endswith("create targets private")]
    assert late not in site.health("private")
    done = laptop.play(variables=new)
    assert done.code == 0, done.failures() or done.errors
    assert served(site) == dict.fromkeys(first, now["private-1"])
    again = laptop.play(variables=new)
    assert (again.code, again.changes()) == (0, []), again.failures() or again.errors


def warnings(play: Play) -> set[str]:
    """Return the warnings of a run's tasks."""
    return {str(warning) for _task, _host, result in play.results() for warning in result.get("warnings", ())}


@pytest.mark.usefixtures("first")
def test_site_yml_keeps_what_is_served_after_a_release_was_taken_back(
    laptop: Laptop, site: Site, tmp_path: Path
) -> None:
    before, bad = served(site), changed_app(tmp_path / "bad", BROKEN)
    assert laptop.play(playbook=RELEASE, variables=bad).code != 0
    kept = laptop.play(variables=bad)
    assert kept.code == 0, kept.failures() or kept.errors
    assert served(site) == before
    told = "\n".join(warnings(kept))
    for part in ("of app was taken back at 20", "app through public", f"{before['public-1']} stays."):
        assert part in told

    right = laptop.play(playbook=RELEASE, variables=changed_app(tmp_path / "right"))
    assert right.code == 0, right.failures() or right.errors
    now = served(site)
    assert now["public-1"] != before["public-1"]
    late = laptop.play(variables=bad)
    assert late.code == 0, late.failures() or late.errors
    assert f"{now['public-1']} stays." in "\n".join(warnings(late))
    assert served(site) == now
