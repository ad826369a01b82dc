"""A site among others on one server reads nothing of theirs: not through Apache, PHP, opcache, or shared folders."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from laptop import FPM_FOLDER, Laptop

SERVER = "public-1"
ONLY = ("--tags", "lamp", "--limit", SERVER)
MARK = "-- end of the answer --"
SECRET = "nobody-else-reads-this"
VICTIM = {
    "public/index.php": """<?php
        require __DIR__ . '/../config.php';
        session_id('victims');
        session_start();
        $_SESSION['secret'] = $secret;
        file_put_contents('/srv/www/victim/shared/notes', $secret);
        file_put_contents(tempnam(sys_get_temp_dir(), 'notes'), $secret);
        file_put_contents('/tmp/notes', $secret);
        echo 'served';
    """,
    "public/style.css": f"/* {SECRET} */",
    "config.php": f"<?php $secret = '{SECRET}';",
    "config.yml": SECRET,
    ".env": SECRET,
}
# What the query names, as PHP sees it: `show` a file's content or a folder's, `run` a script.
EVIL = {
    "public/index.php": """<?php
        [$how, $path] = [array_key_first($_GET), current($_GET)];
        if ($how === 'show') { echo is_dir($path) ? implode(' ', scandir($path)) : file_get_contents($path); }
        if ($how === 'run') { include $path; echo $secret; }
    """,
    "data/inside": "what a link inside of the release leads to",
}


def write(folder: Path, files: dict[str, str]) -> str:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return str(folder)


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    folder = tmp_path_factory.mktemp("sites")
    evil = write(folder / "evil", EVIL)
    (folder / "evil" / "public" / "inside").symlink_to("../data/inside")
    common = {"web_root": "public", "database": False}
    return [
        {"name": "app", "web_root": "public"},
        {
            "name": "victim",
            "server_names": ["victim.test"],
            "source": {"path": write(folder / "victim", VICTIM)},
            **common,
        },
        {"name": "evil", "server_names": ["evil.test"], "source": {"path": evil}, **common},
    ]


@pytest.fixture(scope="module")
def server(laptop: Laptop, sites: list[dict[str, Any]]) -> Iterator[str]:
    """The server with two more sites, each of which was visited. Afterwards it is as it was."""
    try:
        made = laptop.play(*ONLY, variables={"lamp_sites": sites})
        assert made.code == 0, made.failures() or made.errors
        assert ask(laptop, "victim.test", ["/"]) == {"/": "served"}
        yield SERVER
    finally:
        back = laptop.play(*ONLY)
        accounts = [f"{kind}-{one}" for one in ("victim", "evil") for kind in ("code", "site")]
        removed = [f"{command} {account}" for command in ("userdel", "groupdel") for account in accounts]
        # A site that is removed keeps its accounts and releases.
        gone = "\n".join(["set -e", *removed, "rm -r /srv/www/victim /srv/www/evil", "rm -f /tmp/notes"])
        code, said = laptop.on(SERVER, gone)
        assert back.code == 0, back.failures() or back.errors
        assert code == 0, said


def ask(laptop: Laptop, host: str, paths: list[str]) -> dict[str, str]:
    """What the server's Apache answers itself, by path."""
    asks = (
        f"curl -s -m 10 -H 'Host: {host}' {shlex.quote(f'http://127.0.0.1{path}')}; echo; echo {MARK}" for path in paths
    )
    code, printed = laptop.on(SERVER, "\n".join(asks))
    assert code == 0, printed
    answers = [answer.strip() for answer in printed.split(MARK)]
    return dict(zip(paths, answers, strict=False))


def test_apache_follows_no_link_out_of_a_release(laptop: Laptop, server: str) -> None:
    """Links as a release has that was unpacked before archives were checked: to files that Apache itself may read."""
    leads = {
        "passwd": "/etc/passwd",
        "static": "/srv/www/victim/current/public/style.css",
        "config": "/srv/www/victim/current/config.yml",
        "folder": "/srv/www/victim/current",
        "through": "passwd",
    }
    public = "/srv/www/evil/current/public"
    planted = [f"ln -s {target} {public}/{name}; chown -h code-evil: {public}/{name}" for name, target in leads.items()]
    code, said = laptop.on(
        server, "\n".join([*planted, "runuser -u www-data -- cat /srv/www/victim/current/public/style.css"])
    )
    assert (code, said) == (0, VICTIM["public/style.css"])
    answers = ask(laptop, "evil.test", ["/inside", *(f"/{name}" for name in leads), "/folder/config.yml"])
    assert answers.pop("/inside") == EVIL["data/inside"]
    assert [path for path, answer in answers.items() if "403 Forbidden" not in answer] == []


def test_php_reads_nothing_of_another_site(laptop: Laptop, server: str) -> None:
    code, printed = laptop.on(server, "readlink -f /srv/www/victim/current; ls /srv/www/victim/tmp")
    assert code == 0, printed
    release, *temporary = printed.split()
    assert temporary, "each answer of the page leaves a file"
    shown = (
        "/srv/www/victim",
        "/srv/www/victim/current/config.php",
        "/srv/www/victim/current/.env",
        f"{release}/config.yml",
        f"{release}/public/style.css",
        "/srv/www/victim/shared/notes",
        *(f"/srv/www/victim/tmp/{name}" for name in temporary),
        "/tmp/notes",  # noqa: S108 - that is the point
        "/var/lib/php/sessions",
        "/var/lib/php/sessions/sess_victims",
        "/var/log/apache2/victim-access.log",
        f"{FPM_FOLDER}/pool.d/groundwork-app.secret.conf",
        "http://127.0.0.1/server-status",
    )
    run = f"/?run={release}/config.php"  # by its real path, under which PHP has it compiled
    answers = ask(laptop, "evil.test", [run, *(f"/?show={path}" for path in shown), "/?show=/etc/hostname"])
    assert answers.pop("/?show=/etc/hostname"), "what everybody may read is read"
    assert json.dumps({path: answer for path, answer in answers.items() if answer}) == "{}"


def test_apache_reads_what_it_serves_and_nothing_changes_a_release(laptop: Laptop, server: str) -> None:
    private = ("current/config.php", "current/config.yml", "current/.env", "shared/notes", "tmp")
    reads = [f"runuser -u www-data -- test -r /srv/www/victim/{path} && echo {path}" for path in private]
    writes = [
        f"runuser -u {user} -- find /srv/www/evil/releases -writable -not -type l" for user in ("site-evil", "www-data")
    ]
    assert laptop.on(server, "\n".join([*reads, *writes])) == (0, "")
