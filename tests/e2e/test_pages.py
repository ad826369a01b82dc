"""site.yml asks every server for a page of every site: what is broken is told, and goes back if that mends it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from laptop import FPM, Laptop, Play
from running_site import Site
from sample_app import changed_app
from watching import eventually

SERVER = "public-1"
WORDS = ("--tags", "lamp", "--limit", SERVER)
VAR = """<?php
if (!@mkdir(dirname(__DIR__) . '/var')) { throw new RuntimeException('Unable to create the "cache" directory'); }
"""
SECURE = """<?php
if ($_SERVER['HTTP_X_FORWARDED_PROTO'] !== 'https') { header("Location: https://$_SERVER[HTTP_HOST]/", true, 301); }
"""
LOGIN = """<?php
if ($_SERVER['REQUEST_URI'] === '/') { header('Location: /login', true, 302); } else { http_response_code(401); }
"""
QUIET = "<?php fwrite(fopen('php://stderr', 'w'), 'the queue is gone'); http_response_code(500);"
# By the site's name: its files, more of its variables, and what is told of it, "" when all is well.
SITES: dict[str, tuple[dict[str, str], dict[str, Any], str]] = {
    "legacy": (
        {".htaccess": "Nonsense On\n", "index.php": "ok"},
        {"allow_override": True},
        "Invalid command 'Nonsense'",
    ),
    "symfony": ({"public/index.php": VAR}, {"web_root": "public"}, 'Unable to create the "cache" directory'),
    "quiet": ({"index.php": QUIET}, {}, 'said into stderr: "the queue is gone"'),
    "slow": ({"index.php": "<?php sleep(3);"}, {"probe": {"timeout": 1}}, "gave no whole answer within 1 s"),
    "secure": ({"index.php": SECURE}, {}, ""),
    "members": (
        {"index.php": LOGIN},
        {"probe": {"matcher": "200-299,401"}, "front_controller": "index.php"},
        "",
    ),
    "nameless": ({"index.html": "ok"}, {"server_names": []}, ""),
}


@pytest.fixture(scope="module")
def _cleared(laptop: Laptop) -> Iterator[None]:
    yield
    folders = " ".join(f"/srv/www/{name}" for name in SITES)
    accounts = " && ".join(f"userdel site-{name} && userdel code-{name}" for name in SITES)
    # The application logged its password: the tests of secrets search these logs too.
    logs = f"truncate --size 0 /var/log/{FPM}.log /var/log/apache2/app-error.log"
    assert laptop.on(SERVER, f"rm -r {folders} && {accounts} && {logs}")[0] == 0


def site_of(folder: Path, name: str) -> dict[str, Any]:
    files, more, _ = SITES[name]
    for path, text in files.items():
        (folder / name / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / name / path).write_text(text)
    named = {"name": name, "database": False, "server_names": [f"{name}.example.com"]}
    return {**named, "source": {"path": str(folder / name)}, **more}


def failure(play: Play) -> dict[str, Any]:
    """The one task that failed."""
    assert play.code != 0
    [(name, host, result)] = [one for one in play.results() if one[2].get("failed")]
    assert (name.rpartition(" : ")[2], host) == (
        "Configure Apache, PHP and MariaDB, and release the applications",
        SERVER,
    )
    return dict(result)


def current(laptop: Laptop) -> str:
    return str(laptop.on(SERVER, "readlink /srv/www/app/current")[1])


@pytest.mark.usefixtures("_cleared")
def test_what_fails_is_told_with_its_cause_and_what_was_answered_before_goes_back(
    laptop: Laptop, site: Site, tmp_path: Path
) -> None:
    before, health = current(laptop), site.health("public")
    broken = changed_app(tmp_path, "<?php throw new RuntimeException('the key is ' . getenv('DB_PASSWORD')); ?>")
    sites = [*broken["lamp_sites"], *(site_of(tmp_path, name) for name in SITES)]
    play = laptop.play(*WORDS, variables={"lamp_sites": sites, "lamp_sites_trust_each_other": True})
    told = failure(play)
    assert {page["site"] for page in told["failed_pages"]} == {"app", *(name for name in SITES if SITES[name][2])}
    assert list(told["taken_back"]) == ["app"]
    own = ("app: / answered 500, expected 200-399", "the key is (secret, not shown)")
    for words in (*own, *(SITES[name][2] for name in SITES)):
        assert words in told["msg"]
    password = laptop.client("ssm").get_parameter(
        Name="/groundwork/local/lamp/app/database-password", WithDecryption=True
    )
    assert password["Parameter"]["Value"] not in json.dumps(play.output)
    assert current(laptop) == before
    assert site.status("public") == 200
    assert site.health("public") == health, "no server leaves its balancer"


def test_a_page_that_breaks_without_a_release_is_found(laptop: Laptop, site: Site, tmp_path: Path) -> None:
    """A server that was never ready is sent no visitors until its page is answered.

    The release is not on the controller, which could put the missing file back.
    """
    instance, part = site.server_id(SERVER), "/srv/www/app/current/src/visits.php"
    before = current(laptop)
    pinned = {"lamp_release": before.strip().rpartition("/")[2], "lamp_archive_folder": str(tmp_path)}
    assert laptop.on(SERVER, f"mv {part} /root/ && touch /srv/www/app/.unready && systemctl reload {FPM}")[0] == 0
    try:
        told = failure(laptop.play(*WORDS, variables=pinned))
        assert "Failed opening required" in told["msg"]
        assert "No release was taken back" in told["msg"]
        assert current(laptop) == before
        state = eventually(lambda: site.health("public")[instance], lambda state: state == "unhealthy", 30)
        assert state == "unhealthy"
    finally:
        assert laptop.on(SERVER, f"mv /root/visits.php {part} && systemctl reload {FPM}")[0] == 0
    again = laptop.play(*WORDS)
    assert (again.code, again.changes()) == (0, []), again.failures() or again.errors
    state = eventually(lambda: site.health("public")[instance], lambda state: state == "healthy", 60)
    assert state == "healthy"
