"""The environment of a site for commands: what PHP gets, in a file that systemd and a shell read alike."""

from __future__ import annotations

import os
import random
import subprocess
import typing as t
from pathlib import Path

import pytest
from lamp_variables import given
from nasty_secrets import FOR_EVERYBODY, NOT_FOR_FPM
from release_server import open_way

from ansible_collections.groundwork.aws.plugins.filter.lamp import lamp, render
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.placeholders import environment_quoted, fill
from ansible_collections.groundwork.aws.plugins.module_utils.project.lamp import environment

PARAMETER = "/groundwork/dev/lamp/app/database-password"
PLACE = "/etc/groundwork/sites/app"
CHARACTERS = "\\\"$`'#;= \t\n\r\x01\x7fab\u0080\u0081\u0088é密😀\u2028%{}()*?[]~!&|<>@"
SHELLS = ("/bin/sh", "/bin/bash")
ESCAPABLE = '"\\`$'


def of_systemd(text: str) -> dict[str, str]:
    """Return the variables that systemd reads from a file of variables in double quotes.

    "Variable assignment values may be quoted … Double quotes: backslash-escapes of the shell": systemd.exec(5),
    EnvironmentFile=. A backslash counts before the characters of `ESCAPABLE` alone; one before a line break is removed
    together with it.
    """
    found: dict[str, str] = {}
    at = 0
    while at < len(text):
        if text[at] in "#;":
            at = text.index("\n", at) + 1
            continue
        name, _equals, _rest = text[at:].partition('="')
        at += len(name) + 2
        value = ""
        while text[at] != '"':
            if text[at] == "\\":
                at += 1
                value += text[at] if text[at] in ESCAPABLE else "" if text[at] == "\n" else f"\\{text[at]}"
            else:
                value += text[at]
            at += 1
        found[name] = value
        assert text[at + 1] == "\n", "nothing follows the value"
        at += 2
    return found


def of_shell(text: str, folder: Path, shell: str) -> dict[str, str]:
    """Return the variables that a shell reads by `.`, exported to a program."""
    path = folder / "environment"
    path.write_bytes(text.encode())
    script = 'set -a; . "$1"; exec env -0'
    done = subprocess.run([shell, "-c", script, "sh", str(path)], env={}, capture_output=True, check=True)
    pairs = [entry.partition("=") for entry in done.stdout.decode().split("\0") if entry]
    return {name: value for name, _equals, value in pairs if name not in ("PWD", "OLDPWD", "SHLVL", "_")}


def values() -> list[str]:
    random_ = random.Random(12)  # noqa: S311 - the values are no keys
    made = ["".join(random_.choices(CHARACTERS, k=random_.randrange(20))) for _number in range(500)]
    return ["", "\\", "\\\n", "a\\", *FOR_EVERYBODY, *NOT_FOR_FPM, *CHARACTERS, *made]


@pytest.mark.parametrize("shell", SHELLS)
def test_systemd_and_shells_read_what_was_written(tmp_path: Path, shell: str) -> None:
    wanted = {f"V{number}": value for number, value in enumerate(values())}
    text = "".join(f"{name}={environment_quoted(value)}\n" for name, value in wanted.items())
    assert of_systemd(text) == wanted
    assert of_shell(text, tmp_path, shell) == wanted


def test_a_nul_character_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="NUL"):
        environment_quoted("a\0b")


def files(**changes: t.Any) -> dict[str, dict[str, t.Any]]:
    return {one["path"]: one for one in lamp(given(**changes), "configuration")["files"]}


@pytest.mark.parametrize("secret", FOR_EVERYBODY)
def test_commands_get_what_php_gets(secret: str) -> None:
    site = {"name": "app", "environment": {"KEY": secret.replace("@groundwork(", ""), "NONE": "", "COUNT": 4}}
    file = files(sites=[site])[f"{PLACE}/environment"]
    problems = Problems()
    text = fill(file["content"], {PARAMETER: secret}, "", problems)
    assert problems.found == []
    assert of_systemd(text) == {
        "COUNT": "4",
        "DB_HOST": "localhost",
        "DB_NAME": "app",
        "DB_PASSWORD": secret,
        "DB_USER": "app",
        "HOME": "/srv/www/app",
        "KEY": secret.replace("@groundwork(", ""),
        "NONE": "",
        "SERVER": "private-1",
        "TIER": "private",
        "TMPDIR": "/srv/www/app/tmp",
    }


def test_only_root_and_the_site_can_read_it() -> None:
    found = files()
    assert {path: (found[path]["group"], found[path]["mode"]) for path in (PLACE, f"{PLACE}/environment")} == {
        PLACE: ("code-app", "0750"),
        f"{PLACE}/environment": ("code-app", "0640"),
    }
    accounts = {one["name"]: one["members"] for one in lamp(given(), "configuration")["accounts"]}
    assert accounts["code-app"] == ["site-app"], "the web server is not in the group"
    assert {"pattern": "/etc/groundwork/sites/*/environment"} in lamp(given(), "configuration")["purge"]


def test_an_image_has_the_launcher_and_no_variables() -> None:
    paths = [one["path"] for one in lamp(given(), "image_configuration")["files"]]
    assert [path for path in paths if "groundwork" in path and "site" in path] == [environment.LAUNCHER]


@pytest.fixture
def launch(tmp_path: Path) -> t.Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs the launcher for a site `app`, whose account is `daemon` here."""
    if os.geteuid():
        pytest.skip("only root can become another account")
    current = tmp_path / "www" / "app" / "releases" / "1"
    current.mkdir(parents=True)
    (tmp_path / "www" / "app" / "current").symlink_to("releases/1")
    place = tmp_path / "sites" / "app"
    place.mkdir(parents=True)
    (place / "environment").write_text('HOME="/srv/www/app"\nKEY="two  words and \\"quotes\\""\n')
    open_way(tmp_path)
    context = {"environments": str(tmp_path / "sites"), "root": str(tmp_path / "www")}
    program = tmp_path / "groundwork-site"
    program.write_text(render("site.sh.j2", context).replace("account=site-$site", "account=daemon"))
    program.chmod(0o755)

    def launched(*argv: str, **options: t.Any) -> subprocess.CompletedProcess[str]:
        outer = {"PATH": os.environ["PATH"], "SECRET_OF_ROOT": "leaks"}
        return subprocess.run(
            [str(program), *argv], env=outer, check=False, text=True, capture_output=True, input="told", **options
        )

    return launched


def test_a_command_runs_as_the_site(launch: t.Any, tmp_path: Path) -> None:
    done = launch("app", "--", "sh", "-c", "id -un; id -Gn; pwd; umask; grep NoNewPrivs /proc/self/status; cat")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "daemon",
        "daemon",
        str(tmp_path / "www/app/releases/1"),
        "0027",
        "NoNewPrivs:\t1",
        "told",
    ]


def test_a_command_cannot_type_into_the_terminal_of_root(launch: t.Any, tmp_path: Path) -> None:
    """Also if its input is a file, as in `groundwork-site shop -- mysql < dump.sql`."""
    assert launch("app", "true").returncode == 0
    opening = "sh -c '(: > /dev/tty) 2> /dev/null && echo open || echo closed'"
    for command in (f"printf x | {tmp_path}/groundwork-site app -- {opening}", f"printf x | {opening}"):
        done = subprocess.run(["script", "-qec", command, "/dev/null"], text=True, capture_output=True, check=True)
        assert done.stdout.strip() == ("closed" if "groundwork-site" in command else "open")


def test_a_command_has_the_environment_of_the_site_alone(launch: t.Any, tmp_path: Path) -> None:
    done = launch("app", "env")
    assert sorted(done.stdout.splitlines()) == [
        "HOME=/srv/www/app",
        'KEY=two  words and "quotes"',
        "PATH=/usr/local/bin:/usr/bin:/bin",
        f"PWD={tmp_path / 'www/app/releases/1'}",
        "USER=daemon",
    ]


def test_arguments_and_the_exit_code_pass_unchanged(launch: t.Any) -> None:
    done = launch("app", "--", "sh", "-c", 'printf "<%s>" "$@"; exit 7', "sh", "a b", "", "$HOME", "--folder", "*")
    assert (done.returncode, done.stdout) == (7, "<a b><><$HOME><--folder><*>")


def test_another_folder(launch: t.Any) -> None:
    assert launch("app", "--folder", "/usr", "--", "pwd").stdout == "/usr\n"


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        ((), "Usage: groundwork-site <site>"),
        (("app",), "Usage: groundwork-site <site>"),
        (("app", "--folder"), "Usage: groundwork-site <site>"),
        (("app", "--folder", "/nowhere", "true"), "can't cd to /nowhere"),
        (("../app", "true"), "'../app' is not the name of a site"),
        (("shop", "true"), "the site shop is not configured on this server"),
    ],
)
def test_what_is_refused(launch: t.Any, argv: tuple[str, ...], told: str) -> None:
    done = launch(*argv)
    assert done.returncode == 125
    assert told in done.stderr


def test_another_account_is_refused(launch: t.Any) -> None:
    done = launch("app", "true", user="nobody")
    assert (done.returncode, done.stdout) == (125, "")
    assert "only root and daemon can run commands of app" in done.stderr


def test_the_site_itself_can_use_it(launch: t.Any) -> None:
    done = launch("app", "id", "-un", user="daemon", group="daemon")
    assert (done.returncode, done.stdout) == (0, "daemon\n")


def test_the_launcher_is_a_clean_script(tmp_path: Path) -> None:
    path = tmp_path / "site.sh"
    path.write_text(render("site.sh.j2", {"environments": "/etc/groundwork/sites", "root": "/srv/www"}))
    subprocess.run(["sh", "-n", str(path)], check=True)
