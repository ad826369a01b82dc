"""A Symfony project in its standard layout, by the variables of docs/examples/symfony alone."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import examples
import pytest
from asking import get
from laptop import Laptop, Variables
from running_site import Site
from watching import eventually
from wordpress import Editor

SERVERS = [f"{tier}-{number}" for tier in ("public", "private") for number in (1, 2)]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return examples.built("symfony", tmp_path_factory.mktemp("source") / "notes", "/srv/notes")


@pytest.fixture(scope="module")
def given(source: Path) -> Variables:
    """The variables of the example, with a schedule that can be awaited."""
    found = examples.variables("symfony", source)
    [site] = found["lamp_sites"]
    [tick] = site["schedules"]
    return {**found, "lamp_sites": [{**site, "schedules": [{**tick, "on_calendar": "*:*:0/15"}]}]}


@pytest.fixture(scope="module")
def notes(laptop: Laptop, site: Site, given: Variables) -> Iterator[str]:
    """The URL of the project, which is on all servers in place of the sample application."""
    try:
        play = laptop.play(variables=given)
        assert play.code == 0, play.failures()
        yield site.urls["public"]
    finally:
        play = laptop.play()
        assert play.code == 0, play.failures()


def test_the_second_run_changes_nothing(laptop: Laptop, given: Variables, notes: str) -> None:
    assert notes
    again = laptop.play(variables=given)
    assert again.code == 0, again.failures()
    assert again.changes() == []


def test_the_front_controller_answers_and_files_are_served_beside_it(notes: str) -> None:
    assert get(f"{notes}/about/health").text == "About health.\n"
    assert get(f"{notes}/notes.css").text.startswith("h1")
    assert get(f"{notes}/nothing/here").status == 404
    assert get(f"{notes}/.env").status in (403, 404)
    assert get(f"{notes}/../config/services.yaml").status in (400, 403, 404)


def test_a_note_that_one_balancer_takes_is_shown_by_the_other(site: Site, notes: str) -> None:
    visitor = Editor(notes)
    text = """both ' and " and é"""
    assert text in json.loads(visitor.post("/notes", text=text))["notes"]
    told = json.loads(get(f"{site.urls['private']}/").text)
    assert told["notes"] == [text]
    assert told["link"] == f"{site.urls['private']}/"


def test_a_tick_is_written_once_for_all_servers(laptop: Laptop, notes: str) -> None:
    def ticks() -> int:
        return int(json.loads(get(f"{notes}/").text)["ticks"])

    before, began = ticks(), time.monotonic()
    seen = eventually(ticks, lambda count: count >= before + 3, 90)
    assert seen - before <= (time.monotonic() - began) / 15 + 1
    code, told = laptop.on("private-1", "systemctl list-timers --no-legend 'groundwork-notes-*'")
    assert (code, "groundwork-notes-tick" in told) == (0, True)


def test_the_cache_belongs_to_the_release(laptop: Laptop, given: Variables, source: Path, notes: str) -> None:
    assert laptop.on("public-1", "ls /srv/www/notes/current/var/cache")[1] == "prod"
    controller = source / "src" / "Controller" / "NotesController.php"
    controller.write_text(controller.read_text().replace('"About {$topic}', '"All about {$topic}'))
    release = laptop.play(playbook="playbooks/release.yml", variables=given)
    assert release.code == 0, release.failures()
    told = {server: laptop.on(server, "curl -s http://127.0.0.1/about/us")[1] for server in SERVERS}
    assert told == dict.fromkeys(SERVERS, "All about us.")
    assert get(f"{notes}/about/us").text == "All about us.\n"


def test_the_secret_is_in_no_log_and_no_file_of_the_release(laptop: Laptop, notes: str) -> None:
    assert notes
    read = "s=$(groundwork-site notes -- printenv APP_SECRET); printf %s $s | wc -c"
    search = 'grep -rlF "$s" /srv/www /var/log /etc/apache2 || [ $? = 1 ]'
    assert laptop.on("public-1", f"{read}; {search}") == (0, "32")
