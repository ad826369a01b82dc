"""WordPress as an editor uses it, by the variables of docs/examples/wordpress alone."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import examples
import pytest
from asking import get
from laptop import Laptop, Variables
from running_site import Site
from wordpress import EXAMPLE, PNG, Editor, unpacked

TITLE = "Ground and work"
PASSWORD = uuid4().hex
SALTS = ("AUTH_KEY", "NONCE_SALT")
# Of PHP in the site's environment: the salts that the site got.
TELL_SALTS = "foreach (['AUTH_KEY', 'NONCE_SALT'] as $n) { echo md5(getenv($n)), ' ', strlen(getenv($n)), ' '; }"


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpacked(tmp_path_factory.mktemp("source"))


@pytest.fixture(scope="module")
def blog(laptop: Laptop, source: Path) -> Variables:
    """WordPress on all servers, in place of the sample application."""
    given = examples.variables(EXAMPLE, source)
    play = laptop.play(variables=given)
    assert play.code == 0, play.failures()
    return given


@pytest.fixture(scope="module")
def editor(site: Site, blog: Variables) -> Editor:
    """Somebody who has installed WordPress through the balancer, and is logged in."""
    assert blog
    person = Editor(site.urls["public"])
    assert "WordPress has been installed" in person.install(TITLE, PASSWORD)
    assert "Dashboard" in person.log_in(PASSWORD)
    return person


@pytest.fixture(scope="module")
def picture(editor: Editor) -> str:
    """The path of a picture that was uploaded."""
    made = editor.create(
        "media", PNG, **{"Content-Type": "image/png", "Content-Disposition": "attachment; filename=dot.png"}
    )
    return str(urlsplit(made["source_url"]).path)


def shown(laptop: Laptop, path: str) -> dict[str, int]:
    """Return the status of a page on each server, as it answers itself."""
    ask = f"curl --silent --output /dev/null --write-out '%{{http_code}}' 'http://127.0.0.1{path}'"
    return {f"{tier}-{n}": int(laptop.on(f"{tier}-{n}", ask)[1]) for tier in ("public", "private") for n in (1, 2)}


def test_the_second_run_changes_nothing(laptop: Laptop, blog: Variables) -> None:
    again = laptop.play(variables=blog)
    assert again.code == 0, again.failures()
    assert again.changes() == []


def test_both_balancers_show_the_same_blog(site: Site, editor: Editor) -> None:
    assert editor.url == site.urls["public"]
    for url in site.urls.values():
        assert TITLE in get(f"{url}/").text or get(f"{url}/").status in (301, 302)


def test_a_post_with_a_picture_is_written_and_read(laptop: Laptop, editor: Editor, picture: str) -> None:
    content = {"title": "First", "content": f'<img src="{picture}">', "status": "publish"}
    post = editor.create("posts", json.dumps(content).encode(), **{"Content-Type": "application/json"})
    assert picture in editor.get(f"/?p={post['id']}")
    assert set(shown(laptop, picture).values()) == {200}, "an upload is on every server"


def test_the_picture_outlives_a_release_and_going_back(
    laptop: Laptop, blog: Variables, source: Path, picture: str
) -> None:
    before = shown(laptop, picture)
    (source / "wp-content" / "themes" / "mark.txt").write_text(uuid4().hex)
    release = laptop.play(playbook="playbooks/release.yml", variables=blog)
    assert release.code == 0, release.failures()
    assert shown(laptop, "/wp-content/themes/mark.txt") == dict.fromkeys(before, 200)
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
    told = {
        laptop.on(f"{tier}-{number}", f'groundwork-site blog -- php -r "{TELL_SALTS.replace("$", chr(92) + "$")}"')
        for tier in ("public", "private")
        for number in (1, 2)
    }
    [(code, text)] = told
    assert code == 0
    assert re.fullmatch(r"\w{32} 64 \w{32} 64", text), text
