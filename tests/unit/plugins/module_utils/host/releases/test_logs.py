"""The last lines of a site's logs: what is new, once, and without the site's secrets."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.placeholders import (
    HIDDEN,
    environment_quoted,
    hide,
    php_fpm_quoted,
)
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.logs import (
    LINES,
    Log,
    last_lines,
    secrets_in,
    sizes,
)

APACHE = "[Sun Nov 29 08:24:38 2026] AH01071: Got error 'PHP message: PHP Fatal error: gone\\nStack trace:'"
FPM = '[29-Nov-2026 08:24:40] WARNING: [pool app] child 8828 said into stderr: "{}"'


@pytest.fixture
def logs(tmp_path: Path) -> list[Log]:
    for name in ("app-error.log", "fpm.log"):
        (tmp_path / name).write_text("an old line\n")
    return [Log(str(tmp_path / "app-error.log")), Log(str(tmp_path / "fpm.log"), "[pool app]")]


def write(log: Log, *lines: str) -> None:
    with Path(log.path).open("a") as file:
        file.write("".join(f"{line}\n" for line in lines))


def test_only_new_lines_of_the_site_are_told(logs: list[Log]) -> None:
    since = sizes(logs)
    write(logs[0], APACHE)
    write(logs[1], FPM.format("the logger of an application"), FPM.format("x").replace("[pool app]", "[pool shop]"))
    assert last_lines(logs, since, {}) == [
        f"{logs[0].path}:",
        f"  {APACHE}",
        f"{logs[1].path}:",
        f"  {FPM.format('the logger of an application')}",
    ]


def test_what_php_tells_twice_is_told_once(logs: list[Log]) -> None:
    since = sizes(logs)
    write(logs[0], APACHE)
    write(logs[1], FPM.format("NOTICE: PHP message: PHP Fatal error: gone"), FPM.format("Stack trace:"))
    assert last_lines(logs, since, {}) == [f"{logs[0].path}:", f"  {APACHE}"]


def test_repeated_lines_are_told_once_and_the_last_of_many(logs: list[Log]) -> None:
    since = sizes(logs)
    write(logs[0], *(f"at {second} it failed" for second in range(50)), *("abcdefghijklmnopqrstuvwxyz"))
    told = last_lines(logs[:1], since, {})
    assert told == [f"{logs[0].path}:", *(f"  {letter}" for letter in "abcdefghijklmnopqrstuvwxyz"[-LINES:])]
    write(logs[0], "at 51 it failed", "at 52 it failed")
    assert last_lines(logs[:1], since, {})[-1] != "  at 51 it failed"


def test_without_a_new_line_the_last_ones_are_told(logs: list[Log]) -> None:
    assert last_lines(logs, sizes(logs), {}) == [f"{logs[0].path} (nothing new, its last lines):", "  an old line"]


def test_a_log_that_was_rotated_or_is_missing(logs: list[Log]) -> None:
    since = {logs[0].path: 10_000}
    assert last_lines([*logs, Log("/nowhere/at.all")], since, {})[:2] == [f"{logs[0].path}:", "  an old line"]


def test_a_line_may_be_long_and_no_text(logs: list[Log]) -> None:
    since = sizes(logs)
    Path(logs[0].path).write_bytes(b"an old line\n\xff" + b"x" * 5000 + b"\n")
    assert len(last_lines(logs, since, {})[1]) < 1100


@pytest.mark.parametrize("secret", ["correct-horse-battery", "a'b\\c$d %s", "x" * 40])
@pytest.mark.parametrize("written", ["{}", "[{}]", "password={} user={}"])
def test_a_secret_is_hidden_as_it_is_and_as_apache_writes_it(tmp_path: Path, secret: str, written: str) -> None:
    pool = tmp_path / "groundwork-app.secret.conf"
    pool.write_text(f"; Made by\n\n[app]\nenv[DB_PASSWORD] = {php_fpm_quoted(secret)}\n")
    known = secrets_in([str(pool), "/nowhere/at.all"])
    assert known == {"DB_PASSWORD": secret}
    for form in (secret, secret.replace("\\", "\\\\")):
        line = hide(written.format(form, form), known)
        assert form not in line
        assert HIDDEN in line


@pytest.mark.parametrize("secret", ["correct-horse-battery", "a'b\\c\"d$e`f", "two\nlines of a key"])
def test_secrets_are_read_from_files_of_variables_too(tmp_path: Path, secret: str) -> None:
    file = tmp_path / "hidden"
    file.write_text(f"FIRST={environment_quoted('another one')}\nKEY={environment_quoted(secret)}\n")
    assert secrets_in([str(file)]) == {"FIRST": "another one", "KEY": secret}
