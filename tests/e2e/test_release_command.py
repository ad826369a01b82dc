"""A release command runs once, on one of all servers, before any of them serves the release, or no server serves it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from laptop import Laptop, Variables
from running_site import Site
from sample_app import changed_app
from visitors import served, short_delay, visitors

PLAYBOOK = "playbooks/release.yml"
SITE = "site.yml"
NOTES = "/srv/www/app/tmp/release-command"
NOTE = ["sh", "-c", f'test -f public/index.php && echo "$SERVER $PWD $(readlink /srv/www/app/current)" >> {NOTES}']
FAIL = ["sh", "-c", 'echo "the table is missing, and the password is $DB_PASSWORD"; exit 3']


@pytest.fixture(scope="module", autouse=True)
def _short_delay(laptop: Laptop) -> Iterator[None]:
    with short_delay(laptop):
        yield


@pytest.fixture(scope="module")
def first(laptop: Laptop, site: Site) -> Iterator[dict[str, str]]:
    """What every server had before these tests, and has after them."""
    found = served(site)
    assert len(found) == 4
    yield found
    back = laptop.play(playbook=PLAYBOOK, variables={"lamp_release": found["public-1"]})
    assert back.code == 0, back.failures() or back.errors
    on_servers(laptop, f"rm -f {NOTES}")


def on_servers(laptop: Laptop, command: str) -> list[str]:
    """Run a command on all servers. Return the lines of its output."""
    shell = ("-b", "-m", "ansible.builtin.shell", "-a", command)
    done = laptop.run("ansible", "-i", "inventories/local", "servers", *shell)
    assert done.returncode == 0, done.stdout
    return [line for line in done.stdout.splitlines() if " | " not in line and line.strip()]


def notes(laptop: Laptop) -> list[list[str]]:
    """Return what the commands have noted on all servers: the server, the folder, and what was served."""
    return [line.split() for line in on_servers(laptop, f"cat {NOTES} 2> /dev/null; true")]


def commanded(folder: Path, *commands: list[str]) -> Variables:
    """Return the variables that release a changed application with release commands."""
    variables: dict[str, Any] = dict(changed_app(folder))
    [app] = variables["lamp_sites"]
    return {"lamp_sites": [{**app, "release_command": list(commands), "release_command_timeout": 60}]}


def test_site_yml_runs_it_once_over_all_servers(
    laptop: Laptop, site: Site, first: dict[str, str], tmp_path: Path
) -> None:
    """The servers get their right to agree in the same run, and a second run has nothing to do."""
    variables = commanded(tmp_path, NOTE)
    planned = laptop.play("--check", playbook=SITE, variables=variables)
    assert planned.code == 0, planned.failures() or planned.errors
    told = [line for line in planned.changes() if ": run release command app " in line]
    assert len(told) == 4, "each server may be the one"
    assert all(": sh -c 'test -f public/index.php" in line for line in told)
    with visitors(site, rate=20) as seen:
        play = laptop.play(playbook=SITE, variables=variables)
    assert play.code == 0, play.failures() or play.errors
    assert [place["failures"] for place in seen] == [[], []]
    [release] = set(served(site).values())
    assert release != first["public-1"]
    [[server, folder, current]] = notes(laptop)
    assert server in first
    assert folder == f"/srv/www/app/releases/{release}"
    assert current == f"releases/{first['public-1']}"
    assert len([line for line in play.changes() if ": run release command app " in line]) == 1
    again = laptop.play(playbook=SITE, variables=variables)
    assert (again.code, again.changes()) == (0, [])
    assert len(notes(laptop)) == 1


def test_a_failure_leaves_the_old_release_and_the_corrected_command_runs(
    laptop: Laptop, site: Site, tmp_path: Path, first: dict[str, str]
) -> None:
    before, ran = served(site), len(notes(laptop))
    failing = commanded(tmp_path, NOTE, FAIL, NOTE)
    with visitors(site, rate=20) as seen:
        play = laptop.play(playbook=PLAYBOOK, variables=failing)
        assert play.code != 0
        story = play.failures()[-1]
        assert re.search(r"The release command of app [0-9a-f]{12} failed with exit code 3: sh -c 'echo", story)
        assert "the table is missing, and the password is " in story
        assert not set(on_servers(laptop, "sed -n 's/^DB_PASSWORD=//p' /etc/groundwork/sites/app/environment")) & {
            line.rpartition(" ")[2] for line in story.splitlines()
        }
        assert "No server serves app " in story
        assert served(site) == before
        assert len(notes(laptop)) == ran + 1, "one server ran it, up to the command that failed"
        [app] = failing["lamp_sites"]
        corrected = {"lamp_sites": [{**app, "release_command": [NOTE]}]}
        mended = laptop.play(playbook=PLAYBOOK, variables=corrected)
    assert mended.code == 0, mended.failures() or mended.errors
    assert [place["failures"] for place in seen] == [[], []]
    [release] = set(served(site).values())
    assert [folder for _server, folder, _current in notes(laptop)].count(f"/srv/www/app/releases/{release}") == 2
    again = laptop.play(playbook=PLAYBOOK, variables=corrected)
    assert (again.code, again.changes()) == (0, [])
    assert len(notes(laptop)) == ran + 2


def test_going_back_runs_nothing(laptop: Laptop, site: Site, first: dict[str, str]) -> None:
    ran = len(notes(laptop))
    sites = [{"name": "app", "web_root": "public", "release_command": [NOTE]}]
    back = laptop.play(playbook=PLAYBOOK, variables={"lamp_sites": sites, "lamp_release": first["public-1"]})
    assert back.code == 0, back.failures() or back.errors
    assert served(site) == first
    assert len(notes(laptop)) == ran
    told = f"The release {first['public-1']} of app was served before. Its release command does not run again"
    warned = [
        task
        for task, _host, result in back.results()
        if any(warning.startswith(told) for warning in result.get("warnings", ()))
    ]
    assert warned[0].endswith("Look up the releases of the server"), "before anything is changed"
