"""WordPress as an editor uses it in a browser, by the variables of docs/examples/wordpress, and one for a plugin.

The screenshots are in pytest's folder for temporary files, below `browser`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import examples
import pytest
from asking import get
from browser import Browser, browsing
from laptop import Laptop, Variables
from mediawiki import png
from running_site import Site
from wordpress import EXAMPLE, PLUGIN, WRITABLE, BrowsingEditor, Editor, add_plugin, unpacked

SERVERS = [f"{tier}-{number}" for tier in ("public", "private") for number in (1, 2)]
TITLE = "Ground and work"
TEXT = "Written in a browser, with é."
IN_POST = ".wp-block-image img"
PASSWORD = uuid4().hex
SALTS = ("AUTH_KEY", "NONCE_SALT")
# Of PHP in the site's environment: the salts that the site got.
TELL_SALTS = "foreach (['AUTH_KEY', 'NONCE_SALT'] as $n) { echo md5(getenv($n)), ' ', strlen(getenv($n)), ' '; }"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = unpacked(tmp_path_factory.mktemp("source"))
    add_plugin(found)
    return found


@pytest.fixture(scope="module")
def blog(laptop: Laptop, source: Path) -> Variables:
    """WordPress on all servers, in place of the sample application."""
    found = examples.variables(EXAMPLE, source)
    [own] = found["lamp_sites"]
    given = {**found, "lamp_sites": [{**own, "writable": [WRITABLE]}]}
    play = laptop.play(variables=given)
    assert play.code == 0, play.failures()
    return given


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browsing(tmp_path_factory.mktemp("browser")) as found:
        yield found


@pytest.fixture(scope="module")
def person(site: Site, blog: Variables, browser: Browser) -> BrowsingEditor:
    """Somebody who has installed WordPress in a browser, through the balancer, and is logged in."""
    assert blog
    found = BrowsingEditor(browser, site.urls["public"])
    found.install(TITLE, PASSWORD)
    return found


@pytest.fixture(scope="module")
def post(person: BrowsingEditor, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a post that was written in the editor, with a picture."""
    picture = tmp_path_factory.mktemp("picture") / "ground.png"
    picture.write_bytes(png(400, 300))
    return person.publish("Ground", TEXT, picture)


@pytest.fixture(scope="module")
def editor(person: BrowsingEditor) -> Editor:
    """The same person without the browser."""
    found = Editor(person.url)
    assert "Dashboard" in found.log_in(PASSWORD)
    return found


@pytest.fixture(scope="module")
def picture(post: str, browser: Browser) -> str:
    """The path of the picture of the post."""
    browser.open(post)
    address = browser.find(IN_POST).get_attribute("src")
    return str(urlsplit(str(address)).path)


def shown(laptop: Laptop, path: str) -> dict[str, int]:
    """Return the status of a page on each server, as it answers itself."""
    ask = f"curl --silent --output /dev/null --write-out '%{{http_code}}' 'http://127.0.0.1{path}'"
    return {name: int(laptop.on(name, ask)[1]) for name in SERVERS}


def test_the_second_run_changes_nothing(laptop: Laptop, blog: Variables) -> None:
    again = laptop.play(variables=blog)
    assert again.code == 0, again.failures()
    assert again.changes() == []


def test_both_balancers_show_the_same_blog(site: Site, editor: Editor) -> None:
    assert editor.url == site.urls["public"]
    for url in site.urls.values():
        assert TITLE in get(f"{url}/").text or get(f"{url}/").status in (301, 302)


def test_a_post_with_a_picture_is_written_in_the_editor(browser: Browser, post: str) -> None:
    browser.open(post)
    browser.shows(TEXT)
    assert browser.is_loaded(IN_POST)


def test_the_post_and_its_picture_are_on_every_server(laptop: Laptop, post: str, picture: str) -> None:
    place = urlsplit(post)
    ask = f"curl --silent --header 'Host: {place.netloc}' 'http://127.0.0.1{place.path}?{place.query}'"
    told = {name: (TEXT in page, picture in page) for name in SERVERS for page in [laptop.on(name, ask)[1]]}
    assert told == dict.fromkeys(SERVERS, (True, True))
    assert shown(laptop, picture) == dict.fromkeys(SERVERS, 200)


def test_a_plugin_writes_the_folder_that_is_declared_and_no_other(person: BrowsingEditor, browser: Browser) -> None:
    person.activate(PLUGIN)
    browser.open(f"{person.url}/wp-admin/tools.php?page={PLUGIN}")
    browser.shows("cache: written.")
    browser.shows("log: refused.")
    browser.shoot("plugin")


def test_the_same_is_done_without_a_browser(editor: Editor, picture: str) -> None:
    content = {"title": "First", "content": f'<img src="{picture}">', "status": "publish"}
    made = editor.create("posts", json.dumps(content).encode(), **{"Content-Type": "application/json"})
    assert picture in editor.get(f"/?p={made['id']}")


def test_the_picture_outlives_a_release_and_going_back(
    laptop: Laptop, blog: Variables, source: Path, picture: str
) -> None:
    before = shown(laptop, picture)
    (source / "wp-content" / "themes" / "mark.txt").write_text(uuid4().hex)
    release = laptop.play(playbook="playbooks/release.yml", variables=blog)
    assert release.code == 0, release.failures()
    assert shown(laptop, "/wp-content/themes/mark.txt") == dict.fromkeys(SERVERS, 200)
    assert shown(laptop, picture) == before


def test_no_php_runs_where_editors_write(laptop: Laptop, editor: Editor) -> None:
    assert editor
    folder = "/srv/www/blog/shared/wp-content/uploads"
    for name in ("x.php", "x.PHP", "x.phtml", "x.php.jpg"):
        written = laptop.on("public-1", f"printf '<?php echo 6*7;' | groundwork-site blog -- tee {folder}/{name}")
        assert written[0] == 0, written
    for name in ("x.php", "x.php/more", "x.PHP", "x.phtml"):
        status, text = laptop.on("public-1", f"curl --silent 'http://127.0.0.1/wp-content/uploads/{name}'")
        assert (status, "42" in text) == (0, False), name
    assert laptop.on("public-1", f"rm {folder}/x.*")[0] == 0


def test_the_site_writes_nowhere_else(laptop: Laptop, editor: Editor) -> None:
    assert editor
    for path in ("wp-config.php", "wp-content/plugins/x.php", "wp-content/x.php", "x.php"):
        assert laptop.on("public-1", f"groundwork-site blog -- sh -c 'echo > {path}'")[0] != 0, path


def test_all_servers_have_the_same_generated_salts(laptop: Laptop, editor: Editor) -> None:
    assert editor
    ask = f'groundwork-site blog -- php -r "{TELL_SALTS.replace("$", chr(92) + "$")}"'
    told = {laptop.on(name, ask) for name in SERVERS}
    [(code, text)] = told
    assert code == 0
    assert re.fullmatch(r"\w{32} 64 \w{32} 64", text), text
