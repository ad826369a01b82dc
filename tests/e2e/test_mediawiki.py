"""MediaWiki as an author uses it, by the variables of docs/examples/mediawiki alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import examples
import pytest
from asking import get
from laptop import Laptop, Variables
from mediawiki import Author, png
from running_site import Site
from watching import eventually

SERVERS = [f"{tier}-{number}" for tier in ("public", "private") for number in (1, 2)]
TITLE = "Ground and work"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return examples.built("mediawiki", tmp_path_factory.mktemp("source") / "mediawiki", "/srv/mediawiki")


@pytest.fixture(scope="module")
def wiki(laptop: Laptop, site: Site, source: Path) -> Iterator[Variables]:
    """MediaWiki on all servers, in place of the sample application. Its release command has installed it."""
    assert site
    given = examples.variables("mediawiki", source)
    try:
        play = laptop.play(variables=given)
        assert play.code == 0, play.failures()
        yield given
    finally:
        play = laptop.play()
        assert play.code == 0, play.failures()


@pytest.fixture(scope="module")
def author(laptop: Laptop, site: Site, wiki: Variables) -> Author:
    """The administrator, with the password that was generated, logged in through one of the load balancers."""
    assert wiki
    code, password = laptop.on("public-1", "groundwork-site wiki -- printenv ADMIN_PASSWORD")
    assert code == 0
    person = Author(site.urls["public"], password.strip())
    assert person.log_in("Admin", person.password) == "PASS"
    assert person.edit(TITLE, "Written by an author. [[Category:Ground]]") == "Success"
    return person


def statuses(laptop: Laptop, path: str) -> dict[str, int]:
    """Return the status of a page on each server, as it answers itself."""
    ask = f"curl --silent --output /dev/null --write-out '%{{http_code}}' 'http://127.0.0.1{path}'"
    return {name: int(laptop.on(name, ask)[1]) for name in SERVERS}


def test_the_second_run_changes_nothing(laptop: Laptop, wiki: Variables) -> None:
    again = laptop.play(variables=wiki)
    assert again.code == 0, again.failures()
    assert again.changes() == []


def test_a_page_is_read_through_both_balancers(site: Site, author: Author) -> None:
    assert author
    for url in site.urls.values():
        page = get(f"{url}/wiki/{TITLE.replace(' ', '_')}")
        assert page.status == 200
        assert "Written by an author." in page.text


def test_each_server_knows_who_is_logged_in(author: Author) -> None:
    """The requests of one connection are spread over the servers of a tier."""
    users = {author.ask(action="query", meta="userinfo")["query"]["userinfo"]["name"] for _ in range(6)}
    assert users == {"Admin"}


def test_an_upload_and_its_thumbnail_are_on_every_server(laptop: Laptop, author: Author) -> None:
    path = urlsplit(author.upload("Ground.png", png(400, 300))).path
    assert statuses(laptop, path) == dict.fromkeys(SERVERS, 200)
    asked = author.ask(action="query", titles="File:Ground.png", prop="imageinfo", iiprop="url", iiurlwidth="120")
    [page] = asked["query"]["pages"].values()
    thumbnail = urlsplit(page["imageinfo"][0]["thumburl"]).path
    assert "/thumb/" in thumbnail
    assert statuses(laptop, thumbnail) == dict.fromkeys(SERVERS, 200)


def test_a_worker_does_the_jobs_of_an_edit(author: Author) -> None:
    assert author.edit("Template:Used", "one") == "Success"
    for number in range(3):
        assert author.edit(f"User {number}", "{{Used}}") == "Success"
    assert author.edit("Template:Used", "[[Category:Used later]]") == "Success"

    def members() -> int:
        asked = author.ask(action="query", list="categorymembers", cmtitle="Category:Used later")
        return len(asked["query"]["categorymembers"])

    assert eventually(members, lambda count: count >= 3, 90) >= 3


def test_a_release_updates_the_tables_and_keeps_the_pages(
    laptop: Laptop, wiki: Variables, source: Path, author: Author
) -> None:
    (source / "release.txt").write_text(uuid4().hex)
    play = laptop.play(playbook="playbooks/release.yml", variables=wiki)
    assert play.code == 0, play.failures()
    assert statuses(laptop, "/release.txt") == dict.fromkeys(SERVERS, 200)
    assert "Written by an author." in get(f"{author.url}/wiki/{TITLE.replace(' ', '_')}").text
    assert author.log_in("Admin", author.password) == "PASS", "update.php ends the sessions"


def test_no_php_runs_where_authors_upload_and_the_passwords_are_not_told(laptop: Laptop, author: Author) -> None:
    assert author
    folder = "/srv/www/wiki/shared/images"
    assert laptop.on("public-1", f"printf '<?php echo 6*7;' | groundwork-site wiki -- tee {folder}/x.php")[0] == 0
    status, text = laptop.on("public-1", "curl --silent 'http://127.0.0.1/images/x.php'")
    assert (status, "42" in text) == (0, False)
    assert laptop.on("public-1", f"rm {folder}/x.php")[0] == 0
    assert laptop.on("public-1", "groundwork-site wiki -- sh -c 'ls -A $TMPDIR' | grep password | wc --lines") == (
        0,
        "0",
    )
