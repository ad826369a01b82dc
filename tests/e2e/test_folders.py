"""A site writes what it declares: uploads outlive releases, nothing else changes, and commands get what PHP gets."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from laptop import Laptop

SERVER = "public-1"
ONLY = ("--tags", "lamp", "--limit", SERVER)
NAME = "writer.test"
SHARED = "/srv/www/writer/shared"
AWKWARD = """both ' and " and \\' and \\" $HOME `id` é"""
# `write` creates a file with a script, by its path within the application; `env` tells the environment.
APPLICATION = {
    "public/index.php": """<?php
        if (isset($_GET['write'])) {
            $path = dirname(__DIR__) . '/' . $_GET['write'];
            echo @file_put_contents($path, '<?php echo "RAN";') ? 'written' : 'refused';
        } elseif (isset($_GET['env'])) { echo json_encode(getenv()); } else { echo 'served'; }
    """,
    "public/media/logo.txt": "first",
    "web/index.html": "another root",
    "config/app.yml": "private",
    "var/cache/packed": "packed",
}
FORMS = ("x.php", "x.php/more", "X.PHP", "x.phar", "x.phtml", "x.php.jpg", "x%2ephp", "./x.php")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("writer")
    for name, text in APPLICATION.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def sites(source: Path, **changes: Any) -> dict[str, Any]:
    writer = {
        "name": "writer",
        "server_names": [NAME],
        "source": {"path": str(source)},
        "web_root": "public",
        "environment": {"KEY": AWKWARD, "NONE": ""},
        "shared": ["public/media"],
        "shared_files": [".env.local"],
        "writable": ["public/cache", "var/cache"],
        **changes,
    }
    return {"lamp_sites": [{"name": "app", "web_root": "public"}, writer]}


@pytest.fixture(scope="module")
def server(laptop: Laptop, source: Path, site: object) -> Iterator[str]:
    """The server with one more site. Afterwards it is as it was."""
    try:
        made = laptop.play(*ONLY, variables=sites(source))
        assert made.code == 0, made.failures() or made.errors
        yield SERVER
    finally:
        back = laptop.play(*ONLY)
        accounts = [f"{command} {kind}-writer" for command in ("userdel", "groupdel") for kind in ("code", "site")]
        gone = "\n".join(["set -e", *accounts, "rm -r /srv/www/writer /etc/groundwork/sites/writer"])
        code, said = laptop.on(SERVER, gone)
        assert back.code == 0, back.failures() or back.errors
        assert code == 0, said


def ask(laptop: Laptop, path: str) -> tuple[int, str]:
    """Return the status and the body of an answer of the server's Apache to itself."""
    curl = (
        f"curl -s -m 10 --path-as-is -w '\\n%{{http_code}}' -H 'Host: {NAME}' {shlex.quote(f'http://127.0.0.1{path}')}"
    )
    code, printed = laptop.on(SERVER, curl)
    assert code == 0, printed
    body, _newline, status = printed.rpartition("\n")
    return int(status), body.strip()


def write(laptop: Laptop, path: str) -> str:
    return ask(laptop, f"/?write={path}")[1]


def test_a_second_run_changes_nothing(laptop: Laptop, source: Path, server: str) -> None:
    for flags in (("--check",), ()):
        again = laptop.play(*ONLY, *flags, variables=sites(source))
        assert (again.code, again.changes()) == (0, []), again.failures()


def test_it_writes_what_it_declares_alone(laptop: Laptop, server: str) -> None:
    written = ("public/media/x.php", "public/cache/x.php", "var/cache/x.php", ".env.local")
    assert {path: write(laptop, path) for path in written} == dict.fromkeys(written, "written")
    refused = ("public/x.php", "config/app.yml", "config/new", "var/new", "public/index.php", "new")
    assert {path: write(laptop, path) for path in refused} == dict.fromkeys(refused, "refused")


def test_apache_serves_it_and_runs_no_script_there(laptop: Laptop, server: str) -> None:
    assert ask(laptop, "/media/logo.txt") == (200, "first")
    copies = [
        f"cp -p {SHARED}/public/media/x.php {SHARED}/public/media/{name}" for name in ("X.PHP", "x.phar", "x.phtml")
    ]
    links = [
        f"ln -s {target} {SHARED}/public/media/{name}" for name, target in (("out", "/etc/passwd"), ("up", "/etc"))
    ]
    plant = "\n".join([*copies, f"cp -p {SHARED}/public/media/x.php {SHARED}/public/media/x.php.jpg", *links])
    override = f"printf 'SetHandler x\\nRequire all granted\\n' > {SHARED}/public/media/.htaccess"
    code, said = laptop.on(server, f"runuser -u site-writer -- sh -c {shlex.quote(f'umask 027; {plant}; {override}')}")
    assert code == 0, said
    asked = [f"/media/{form}" for form in FORMS] + ["/cache/x.php", "/media/out", "/media/up/passwd"]
    assert {path: ask(laptop, path)[0] for path in asked} == dict.fromkeys(asked, 403)
    assert ask(laptop, "/media/logo.txt") == (200, "first")


def test_apache_reads_what_it_serves_alone(laptop: Laptop, server: str) -> None:
    paths = ("current/config/app.yml", "current/var/cache/packed", "current/public/media/logo.txt", "shared")
    reads = [f"runuser -u www-data -- test -r /srv/www/writer/{path} && echo {path}" for path in paths]
    assert laptop.on(server, "\n".join([*reads, "true"])) == (0, "current/public/media/logo.txt")


def variables(printed: str) -> dict[str, str]:
    """Return the environment that PHP tells, without what each way to start a program sets itself."""
    return {name: value for name, value in json.loads(printed).items() if name not in ("PATH", "PWD", "TERM", "USER")}


def test_commands_get_what_php_gets(laptop: Laptop, server: str) -> None:
    of_php = variables(ask(laptop, "/?env=1")[1])  # with those of the request
    php = "php -r 'echo json_encode(getenv());'"
    code, printed = laptop.on(server, f"groundwork-site writer -- {php}")
    assert code == 0, printed
    of_command = variables(printed)
    assert {name: of_php.get(name) for name in of_command} == of_command
    assert (of_command["KEY"], of_command["NONE"], of_command["DB_NAME"]) == (AWKWARD, "", "writer")
    assert len(of_command["DB_PASSWORD"]) >= 12
    unit = "systemd-run --quiet --wait --pipe -p EnvironmentFile=/etc/groundwork/sites/writer/environment"
    code, printed = laptop.on(server, f"{unit} {php}")
    assert code == 0, printed
    of_systemd = variables(printed)
    assert {name: of_systemd.get(name) for name in of_command} == of_command


def test_a_command_can_do_what_the_site_can(laptop: Laptop, server: str) -> None:
    tries = ("touch config/new 2>/dev/null || echo refused", "curl -s -m 3 http://169.254.169.254/ || echo away")
    script = "; ".join(["id -un", "pwd", "umask", *tries])
    command = f"groundwork-site writer -- sh -c {shlex.quote(script)}; readlink -f /srv/www/writer/current"
    code, printed = laptop.on(server, command)
    assert code == 0, printed
    account, folder, mask, written, metadata, release = printed.split("\n")
    assert (account, folder, mask) == ("site-writer", release, "0027")
    assert (written, metadata) == ("refused", "away")
    assert laptop.on(server, "groundwork-site writer -- sh -c 'exit 7'")[0] == 7


def test_uploads_outlive_releases(laptop: Laptop, source: Path, server: str) -> None:
    _code, first = laptop.on(server, "basename $(readlink /srv/www/writer/current)")
    (source / "public" / "media" / "logo.txt").write_text("second")
    (source / "public" / "style.css").write_text("/* new */")
    released = laptop.play(*ONLY, variables=sites(source))
    assert released.code == 0, released.failures()
    assert ask(laptop, "/style.css")[0] == 200
    assert ask(laptop, "/media/logo.txt") == (200, "first"), "a release does not change what is shared"
    assert laptop.on(
        server, f"ls {SHARED}/public/media/x.php {SHARED}/.env.local; ls /srv/www/writer/current/var/cache"
    ) == (
        0,
        f"{SHARED}/.env.local\n{SHARED}/public/media/x.php\npacked",
    )
    back = laptop.play(*ONLY, variables={**sites(source), "lamp_release": f"writer:{first}"})
    assert back.code == 0, back.failures()
    assert ask(laptop, "/style.css")[0] == 404
    assert ask(laptop, "/media/logo.txt") == (200, "first")
    assert laptop.play(*ONLY, variables=sites(source)).code == 0


def test_a_folder_that_is_removed_from_the_list_keeps_its_data(laptop: Laptop, source: Path, server: str) -> None:
    fewer = sites(source, shared=[])
    told = "public/media of writer is not declared as shared any more."
    warned = [
        [
            warning
            for _task, _host, result in done.results()
            for warning in result.get("warnings", ())
            if told in warning
        ]
        for done in (laptop.play(*ONLY, variables=fewer) for _time in range(2))
    ]
    assert [len(warnings) for warnings in warned] == [1, 0]
    assert ask(laptop, "/media/logo.txt") == (200, "second"), "as it was packed"
    assert laptop.on(server, f"cat {SHARED}/public/media/logo.txt") == (0, "first")
    assert laptop.play(*ONLY, variables=sites(source)).code == 0
    assert ask(laptop, "/media/logo.txt") == (200, "first")


def test_another_web_root_is_right_in_the_same_run(laptop: Laptop, source: Path, server: str) -> None:
    """The release stays the same: who can read its files, and those that the site writes, follows the web root."""
    reads = f"runuser -u www-data -- test -r {SHARED}/public/media/logo.txt || echo hidden"
    moved = laptop.play(*ONLY, variables=sites(source, web_root="web"))
    assert moved.code == 0, moved.failures()
    assert "public-1: create release" not in " ".join(moved.changes())
    assert (ask(laptop, "/"), ask(laptop, "/media/logo.txt")[0]) == ((200, "another root"), 404)
    assert laptop.on(server, reads) == (0, "hidden")
    back = laptop.play(*ONLY, variables=sites(source))
    assert back.code == 0, back.failures()
    assert (ask(laptop, "/"), ask(laptop, "/media/logo.txt")) == ((200, "served"), (200, "first"))
    again = laptop.play(*ONLY, variables=sites(source))
    assert (again.code, again.changes()) == (0, [])


def test_a_release_that_does_not_fit_is_refused_before_anything_is_written(
    laptop: Laptop, source: Path, server: str
) -> None:
    wrong = sites(source, shared=["config/app.yml"])
    for flags in (("--check",), ()):
        refused = laptop.play(*ONLY, *flags, variables=wrong)
        assert refused.code != 0
        assert "config/app.yml: is a file of the application, but is declared in shared" in str(refused.failures())
    assert ask(laptop, "/")[1] == "served"
