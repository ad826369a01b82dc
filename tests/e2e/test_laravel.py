"""A Laravel project in its standard layout, by the variables of docs/examples/laravel alone."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import examples
import pytest
from asking import get
from forms import File
from laptop import Laptop, Variables
from mediawiki import png
from running_site import Site
from watching import eventually
from wordpress import Editor

SERVERS = [f"{tier}-{number}" for tier in ("public", "private") for number in (1, 2)]
ENV_FILE = "/etc/groundwork/sites/notes/secrets/laravel.env"
TEXT = 'say "this" & <that>'
# Of a later release: it must have run before the page that reads the column is served.
MIGRATION = """<?php

use Illuminate\\Database\\Migrations\\Migration;
use Illuminate\\Database\\Schema\\Blueprint;
use Illuminate\\Support\\Facades\\Schema;

return new class extends Migration
{
    public function up(): void
    {
        Schema::table('notes', fn (Blueprint $table) => $table->string('mood')->default('merry'));
    }
};
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return examples.built("laravel", tmp_path_factory.mktemp("source") / "notes", "/srv/notes")


@pytest.fixture(scope="module")
def given(source: Path) -> Variables:
    return examples.variables("laravel", source)


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


@pytest.fixture(scope="module")
def visitor(notes: str) -> Editor:
    """Somebody with cookies, which Laravel has encrypted with APP_KEY."""
    return Editor(notes)


def visits(page: str) -> int:
    """Return how often the visitor has been there, as the page tells it."""
    return int(re.findall(r"Visit (\d+)", page)[0])


def on_each_server(laptop: Laptop, command: str) -> dict[str, str]:
    """Return what a command prints on each server."""
    return {name: laptop.on(name, command)[1] for name in SERVERS}


def test_the_second_run_changes_nothing(laptop: Laptop, given: Variables, notes: str) -> None:
    assert notes
    again = laptop.play(variables=given)
    assert again.code == 0, again.failures()
    assert again.changes() == []


def test_a_note_is_added_through_a_form_and_a_worker_takes_its_job(visitor: Editor) -> None:
    page = visitor.get("/")
    [token] = re.findall(r'name="_token" value="(\w+)"', page)
    picture = File("picture", "dot.png", "image/png", png(4, 3))
    assert html.escape(TEXT) in visitor.send("/notes", picture, _token=token, text=TEXT)
    counted = eventually(lambda: visitor.get("/"), lambda page: "3 words" in page, 60)
    assert "not counted" not in counted
    assert visits(counted) > visits(page), "each server knows the session"


def test_an_upload_is_on_every_server(laptop: Laptop, visitor: Editor) -> None:
    [path] = re.findall(r'<img src="(/storage/[^"]+)"', visitor.get("/"))
    ask = f"curl --silent --output /dev/null --write-out '%{{http_code}} %{{content_type}}' 'http://127.0.0.1{path}'"
    assert on_each_server(laptop, ask) == dict.fromkeys(SERVERS, "200 image/png")


def test_links_are_https_when_the_balancer_says_so_and_not_when_a_visitor_does(laptop: Laptop, notes: str) -> None:
    ask = "curl --silent --header 'X-Forwarded-Proto: https' --header 'Host: notes.example.com' http://127.0.0.1/"
    assert 'rel="canonical" href="https://notes.example.com"' in laptop.on("public-1", ask)[1]
    assert f'rel="canonical" href="{notes}"' in get(f"{notes}/", {"X-Forwarded-Proto": "https"}).text


def test_nothing_beside_the_web_root_is_served(notes: str) -> None:
    for path in ("/.env", "/artisan", "/../bootstrap/app.php", "/storage/logs/laravel.log", "/nothing/here"):
        assert get(f"{notes}{path}").status in (400, 403, 404), path


def test_the_scheduler_runs_each_minute_on_one_server(laptop: Laptop, visitor: Editor) -> None:
    def ticks() -> int:
        return int(re.findall(r"tick (\d+)", visitor.get("/"))[0])

    assert eventually(ticks, lambda count: count >= 2, 130) >= 2
    count = "mariadb --skip-column-names --batch notes --execute 'select count(*) - count(distinct minute) from ticks'"
    assert laptop.on("private-1", count) == (0, "0")


def test_a_release_migrates_first_and_keeps_the_sessions(
    laptop: Laptop, given: Variables, source: Path, visitor: Editor
) -> None:
    before = visits(visitor.get("/"))
    (source / "database" / "migrations" / "2026_12_01_000000_add_mood.php").write_text(MIGRATION)
    view = source / "resources" / "views" / "notes.blade.php"
    view.write_text(view.read_text().replace("{{ $note->text }}", "{{ $note->text }} ({{ $note->mood }})"))
    release = laptop.play(playbook="playbooks/release.yml", variables=given)
    assert release.code == 0, release.failures()
    told = on_each_server(laptop, "curl --silent http://127.0.0.1/ | grep --count '(merry): 3 words'")
    assert told == dict.fromkeys(SERVERS, "1")
    assert visits(visitor.get("/")) == before + 1


def test_all_servers_have_the_same_key_in_one_file_alone(laptop: Laptop, notes: str) -> None:
    assert notes
    read = f"s=$(sed --quiet 's/^APP_KEY=//p' {ENV_FILE} | tr --delete --complement a-zA-Z0-9)"
    keys = on_each_server(laptop, f"{read}; printf %s $s | wc --chars; printf %s $s | md5sum")
    [key] = set(keys.values())
    assert key.startswith("32\n")
    # Files of the log come and go meanwhile.
    search = 'grep --no-messages -rlF "$s" /srv/www /var/log /etc | sort'
    assert on_each_server(laptop, f"{read}; {search}") == dict.fromkeys(SERVERS, ENV_FILE)
