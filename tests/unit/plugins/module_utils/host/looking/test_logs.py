"""The lines of logs: their times, whose they are, where the next look continues, and the order over several servers."""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import Done
from ansible_collections.groundwork.aws.plugins.module_utils.host.looking.logs import (
    Log,
    latest,
    lines_of,
    merged,
    parse_wish,
    read,
    time_of,
)

DEFAULTS = {"logs": [], "units": [], "hide": [], "lines": 100, "minutes": 0, "begin": {}, "follow": 0}
ACCESS = '192.0.2.1 - - [30/Nov/2026:03:31:{:02d} +0000] "GET /{} HTTP/1.1" 200 12 "-" "curl"'
FPM = '[30-Nov-2026 03:31:{:02d}] WARNING: [pool {}] child 7 said into stderr: "{}"'


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        ('192.0.2.1 - - [30/Nov/2026:03:31:52 +0000] "GET / HTTP/1.1" 200 12', 1796009512.0),
        ('192.0.2.1 - - [30/Nov/2026:04:31:52 +0100] "GET / HTTP/1.1" 200 12', 1796009512.0),
        ("[Mon Nov 30 03:31:52.250000 2026] [proxy_fcgi:error] [pid 1:tid 2] AH01071: Got error", 1796009512.25),
        ("[30-Nov-2026 03:31:52] WARNING: [pool shop] child 7 said into stderr", 1796009512.0),
        ("#0 /srv/www/shop/current/index.php(3): fail()", None),
        ("[99-Nov-2026 03:31:52] WARNING: not a date", None),
        ("", None),
    ],
)
def test_the_time_of_a_line(line: str, seconds: float | None) -> None:
    assert time_of(line) == seconds


def test_a_line_without_a_time_belongs_to_the_line_before_it(tmp_path: Path) -> None:
    log = tmp_path / "fpm.log"
    log.write_text(
        "\n".join([FPM.format(1, "shop", "boom"), "#0 index.php(3)", FPM.format(2, "blog", "else"), "#1 x"]) + "\n"
    )
    found, _next = lines_of(Log("php", str(log), "[pool shop]"), 0, {})
    assert [line.text for line in found] == [FPM.format(1, "shop", "boom"), "#0 index.php(3)"]


def test_reading_in_pieces_gives_every_complete_line_once(tmp_path: Path) -> None:
    log, chance = tmp_path / "access.log", random.Random(7)  # noqa: S311 - the same cuts each time
    whole = "".join(ACCESS.format(number % 60, number) + "\n" for number in range(200)).encode()
    begin, found = 0, []
    for end in [*sorted(chance.randrange(len(whole)) for _cut in range(40)), len(whole)]:
        log.write_bytes(whole[:end])
        lines, begin = lines_of(Log("access", str(log)), begin, {})
        found += [line.text for line in lines]
    assert found == whole.decode().splitlines()


def test_a_rotated_log_is_read_from_its_beginning(tmp_path: Path) -> None:
    log = tmp_path / "access.log"
    log.write_text(ACCESS.format(1, "a" * 300) + "\n")
    _lines, begin = lines_of(Log("access", str(log)), 0, {})
    log.write_text(ACCESS.format(2, "b") + "\n")
    found, _next = lines_of(Log("access", str(log)), begin, {})
    assert [line.text for line in found] == [ACCESS.format(2, "b")]


def test_a_log_that_does_not_exist_has_no_lines(tmp_path: Path) -> None:
    assert lines_of(Log("access", str(tmp_path / "none")), 0, {}) == ([], 0)


def test_secrets_are_hidden_in_files_and_in_the_journal(tmp_path: Path) -> None:
    pool, log = tmp_path / "pool.conf", tmp_path / "error.log"
    pool.write_text("[shop]\nenv[DB_PASSWORD] = 'correct horse battery'\n")
    log.write_text("[30-Nov-2026 03:31:52] ERROR: correct horse battery is wrong\n")
    entry = {"MESSAGE": list(b"with correct horse battery"), "_SYSTEMD_UNIT": "groundwork-shop-mail@1.service"}
    journal = json.dumps({**entry, "__REALTIME_TIMESTAMP": "1796009513000000"})
    wish = parse_wish(
        {
            **DEFAULTS,
            "logs": [{"name": "error", "path": str(log)}],
            "units": ["groundwork-shop-*"],
            "hide": [str(pool)],
        },
        Problems(),
    )
    lines, _next = read(lambda _argv, **_more: Done(0, journal + "\n", ""), wish, 1796009600.0)
    assert [(line.log, "horse" in line.text) for line in lines] == [
        ("error", False),
        ("groundwork-shop-mail@1", False),
    ]


def test_the_next_look_asks_the_journal_for_what_came_later_only(tmp_path: Path) -> None:
    asked: list[list[str]] = []

    def run(argv: list[str], **_more: str) -> Done:
        asked.append(argv)
        return Done(0, "", "")

    wish = parse_wish({**DEFAULTS, "units": ["groundwork-shop-*"], "minutes": 5}, Problems())
    _lines, following = read(run, wish, 1000.0)
    read(run, parse_wish({**DEFAULTS, "units": ["groundwork-shop-*"], "begin": following}, Problems()), 1002.0)
    assert asked[0][-2:] == ["--lines=100", "--since=@700.000000"]
    assert asked[1][-2:] == ["--since=@1000.000000", "--until=@1002.000000"]


def test_the_lines_of_servers_are_in_the_order_of_time() -> None:
    servers = {"public-1": [[3.0, "access", "c"], [1.0, "error", "a"]], "public-2": [[2.0, "access", "b"]]}
    assert merged(servers, 10) == [
        "1970-01-01 00:00:01 public-1 error: a",
        "1970-01-01 00:00:02 public-2 access: b",
        "1970-01-01 00:00:03 public-1 access: c",
    ]
    assert merged(servers, 1) == ["1970-01-01 00:00:03 public-1 access: c"]
    assert latest([], 5) == []


@pytest.mark.parametrize(("option", "value"), [("lines", 0), ("lines", 10001), ("minutes", -1), ("follow", -1)])
def test_wrong_numbers_are_named(option: str, value: int) -> None:
    problems = Problems()
    parse_wish({**DEFAULTS, option: value}, problems)
    assert [problem.variable for problem in problems.found] == [option]
