"""Workers of sites: their units, and the message for each mistake."""

from __future__ import annotations

import importlib
import re
import typing as t
from pathlib import Path

import pytest
from nasty_secrets import FOR_EVERYBODY

from ansible_collections.groundwork.aws.plugins.filter.lamp import lamp
from ansible_collections.groundwork.aws.plugins.module_utils.project.lamp.jobs import exec_line, words_of

from ...module_utils.project.lamp.test_options import site, told
from .test_desired import VARIABLES

UNIT = "/etc/systemd/system/groundwork-my-app-queue@.service"
WANTED = "/etc/systemd/system/multi-user.target.wants"
APP: dict[str, t.Any] = {
    "name": "my-app",
    "database": False,
    "workers": [{"name": "queue", "command": ["php", "worker.php", "100%"], "number": 2, "memory_mb": 64}],
}
SERVICES = ["groundwork-my-app-queue@1", "groundwork-my-app-queue@2"]


def configuration(**changes: t.Any) -> dict[str, t.Any]:
    variables = {**VARIABLES, "packed": [], "sites": [{**APP, **changes}]}
    return t.cast(dict[str, t.Any], lamp(variables, "configuration"))


def test_a_worker_is_a_unit_with_a_link_for_each_process() -> None:
    files = {one["path"]: one for one in configuration()["files"]}
    text = files[UNIT]["content"]
    assert files[UNIT]["restart"] == SERVICES
    settings = dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    expected = {
        "User": "site-my-app",
        "WorkingDirectory": "/srv/www/my-app/current",
        "EnvironmentFile": "/etc/groundwork/sites/my-app/environment",
        "ExecStart": '/usr/bin/env -- "php" "worker.php" "100%%"',
        "Requires": "groundwork-metadata.service",
        "Restart": "always",
        "StartLimitBurst": "30",
        "TimeoutStopSec": "30",
        "MemoryMax": "64M",
        "NoNewPrivileges": "yes",
        "ProtectSystem": "strict",
        "ReadWritePaths": "/srv/www/my-app",
    }
    assert {name: settings[name] for name in expected} == expected
    links = {path: one["target"] for path, one in files.items() if path.startswith(WANTED)}
    assert links == {f"{WANTED}/{name}.service": UNIT for name in SERVICES}


def test_the_release_starts_what_the_configuration_leaves_as_it_is() -> None:
    services = {one["name"]: one for one in configuration()["services"]}
    assert [services[name]["state"] for name in SERVICES] == ["unchanged"] * 2
    variables = {**VARIABLES, "sites": [APP], "packed": [{"name": "my-app", "id": "a", "archive": "/a"}]}
    [release] = lamp(variables, "releases")
    assert release["workers"] == SERVICES


def test_without_limit_there_is_none() -> None:
    files = {one["path"]: one for one in configuration(workers=[{"name": "queue", "command": "php a"}])["files"]}
    assert "Memory" not in files[UNIT]["content"]


def test_a_worker_that_is_not_declared_any_more_is_stopped_and_removed() -> None:
    found = configuration(workers=[])
    assert found["purge_services"][:2] == ["groundwork-*@*", "groundwork-*.timer"]
    patterns = [one["pattern"] for one in found["purge"]]
    assert {f"{WANTED}/groundwork-*@*.service", "/etc/systemd/system/groundwork-*@.service"} <= set(patterns)


def test_an_image_has_no_worker() -> None:
    image = lamp({**VARIABLES, "sites": [APP]}, "image_configuration")
    assert "queue" not in str(image)


def read_by_systemd(line: str) -> list[str]:
    """Return the arguments of a command line of a unit, by the rules of systemd.service(5) for quoted arguments."""
    prefix, rest = line[: len("/usr/bin/env --")], line[len("/usr/bin/env --") :]
    assert prefix == "/usr/bin/env --"
    assert re.fullmatch(r'( "(?:[^"\\]|\\.)*")*', rest)
    assert "\n" not in rest
    words = []
    for quoted in re.findall(r'"((?:[^"\\]|\\.)*)"', rest):
        text = re.sub(r"\\(.)", lambda found: {"n": "\n", "t": "\t"}.get(found[1], found[1]), quoted)
        for sign in "%$":
            assert sign not in text.replace(sign * 2, "")
            text = text.replace(sign * 2, sign)
        words.append(text)
    return words


@pytest.mark.parametrize(
    "argument", [*(one for one in FOR_EVERYBODY if "\x85" not in one), "two\nlines", "", ";", "\\", '"', "$$%%"]
)
def test_a_command_gets_its_arguments_byte_for_byte(argument: str) -> None:
    assert read_by_systemd(exec_line(words_of(["php", argument, "-x"]))) == ["php", argument, "-x"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("php artisan queue:work --tries=3", ("php", "artisan", "queue:work", "--tries=3")),
        ("""php -r 'echo "a | b";' "c & d" e\\ f""", ("php", "-r", 'echo "a | b";', "c & d", "e f")),
        (["php", 3], ("php", "3")),
    ],
)
def test_text_is_split_as_by_a_shell(text: t.Any, words: tuple[str, ...]) -> None:
    assert words_of(text) == words


@pytest.mark.parametrize(
    ("worker", "message"),
    [
        ({"name": "a-b"}, "name: 'a-b' is not a valid name of a worker; use at most 32 lower case letters"),
        ({"name": "A"}, "name: 'A' is not a valid name of a worker"),
        ({"number": 0}, "number: 0 is out of range; give a whole number from 1 to 100"),
        ({"stop_timeout": 0}, "stop_timeout: 0 is out of range"),
        ({"memory_mb": 1}, "memory_mb: 1 is out of range"),
        *(
            ({"command": command}, f"command: the command cannot be executed: {why}")
            for command, why in (
                ("php a | sort", "it contains '|', which only a shell interprets; give a program and its arguments"),
                ("php $HOME/a", "it contains '$', which only a shell"),
                ('php "$HOME"', "it contains '$', which only a shell"),
                ("php a > b", "it contains '>'"),
                ("php 'a", "No closing quotation"),
                ("", "it is empty"),
                ([], "it is empty"),
                (["A=1", "php"], "'A=1' is not the name of a program"),
                (["-x"], "'-x' is not the name of a program"),
                (["php", None], "None is not text"),
                (["php", True], "True is not text"),
                (["php", "a\x00"], "it contains a control character"),
                (7, "it is neither text nor a list of arguments"),
                (["php", "x" * 100_000], "it has more than 100000 characters"),
            )
        ),
    ],
)
def test_what_is_refused(worker: dict[str, t.Any], message: str) -> None:
    (problem,) = told(site(workers=[{"name": "queue", "command": "php a", **worker}]))
    assert problem.startswith(f"lamp_sites[0].workers[0].{message}")


def test_a_name_is_used_once() -> None:
    worker = {"name": "queue", "command": "php a"}
    assert told(site(workers=[worker, worker])) == [
        "lamp_sites[0].workers[1].name: 'queue' is used twice; use another name."
    ]


NIGHTLY: dict[str, t.Any] = {"name": "nightly", "command": "php report.php", "on_calendar": "*-*-* 03:00:00"}
SYSTEMD = "/etc/systemd/system"
PROGRAM = "/usr/local/lib/groundwork/claim.py"


def lines(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))


@pytest.mark.parametrize("servers", ["once", "everywhere"])
def test_a_schedule_is_a_timer_and_a_service(servers: str) -> None:
    found = configuration(workers=[], schedules=[{**NIGHTLY, "servers": servers, "timeout": 60}])
    files = {one["path"]: one for one in found["files"]}
    timer = files[f"{SYSTEMD}/groundwork-my-app-nightly.timer"]
    assert lines(timer["content"])["OnCalendar"] == "*-*-* 03:00:00"
    assert timer["restart"] == ["groundwork-my-app-nightly.timer"]
    service = lines(files[f"{SYSTEMD}/groundwork-my-app-nightly.service"]["content"])
    expected = {
        "User": "site-my-app",
        "ExecStart": '/usr/local/bin/groundwork-site my-app -- /usr/bin/env -- "php" "report.php"',
        "Requires": "groundwork-metadata.service",
        "TimeoutStartSec": "60",
        "NoNewPrivileges": "yes",
    }
    assert {name: service[name] for name in expected} == expected
    assert "EnvironmentFile" not in service, "the claim, which root makes, would get the variables of the site"
    claims = f'+/usr/bin/python3 -I {PROGRAM} "dev" "my-app" "nightly" "*-*-* 03:00:00"'
    assert service.get("ExecCondition") == (claims if servers == "once" else None)
    assert (PROGRAM in files) is (servers == "once")
    assert {"name": "groundwork-my-app-nightly.timer"} in found["services"]
    check = ["systemd-analyze", "calendar", "*-*-* 03:00:00"]
    assert {"argv": check, "services": ["groundwork-my-app-nightly.timer"]} in found["validators"]
    assert {"pattern": f"{SYSTEMD}/groundwork-*.timer"} in found["purge"]


def test_the_release_watches_the_jobs() -> None:
    sites = [{**APP, "schedules": [NIGHTLY]}]
    [release] = lamp(
        {**VARIABLES, "sites": sites, "packed": [{"name": "my-app", "id": "a", "archive": "/a"}]}, "releases"
    )
    assert release["jobs"] == ["groundwork-my-app-nightly"]


def test_the_program_that_claims_is_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server has Python's standard library and nothing of this collection."""
    [text] = [one["content"] for one in configuration(schedules=[NIGHTLY])["files"] if one["path"] == PROGRAM]
    (tmp_path / "program.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    names = vars(importlib.import_module("program"))
    assert "ansible_collections" not in text.split("class ", 1)[1]
    said: list[str] = []
    job = names["Job"]("dev", "app", "nightly", "daily")
    cloud = names["Cloud"]("", "")
    assert names["decide"](job, cloud, now=0, timer=False, say=said.append, find=lambda *_: []) == 0
    assert said == ["Started by hand, without a claim."]


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        ({"name": "a-b"}, "name: 'a-b' is not a valid name of a schedule"),
        ({"command": "php a | b"}, "command: the command cannot be executed: it contains '|'"),
        (
            {"on_calendar": "at night"},
            "on_calendar: 'at night' is not a time in systemd's syntax; write it as",
        ),
        ({"on_calendar": "25:00"}, "on_calendar: '25' is not a hour from 0 to 23"),
        ({"timeout": 0}, "timeout: 0 is out of range"),
        ({"memory_mb": 1}, "memory_mb: 1 is out of range"),
    ],
)
def test_a_wrong_schedule_is_refused(schedule: dict[str, t.Any], message: str) -> None:
    (problem,) = told(site(schedules=[{**NIGHTLY, **schedule}]))
    assert problem.startswith(f"lamp_sites[0].schedules[0].{message}")


def test_the_name_of_a_schedule_is_used_once() -> None:
    (problem,) = told(site(schedules=[NIGHTLY, NIGHTLY]))
    assert problem == "lamp_sites[0].schedules[1].name: 'nightly' is used twice; use another name."


MIGRATE = "php bin/console doctrine:migrations:migrate"


def release_of(**changes: t.Any) -> dict[str, t.Any]:
    packed = [{"name": "my-app", "id": "3f2a", "archive": "/a"}]
    [release] = lamp({**VARIABLES, "sites": [{**APP, **changes}], "packed": packed}, "releases")
    return t.cast(dict[str, t.Any], release)


def test_a_release_command_is_a_unit_in_the_folder_of_the_new_release() -> None:
    command = release_of(release_command=[MIGRATE, ["php", "warm up.php"]], release_command_timeout=90)["command"]
    expected = {
        "Type": "oneshot",
        "RemainAfterExit": "yes",
        "User": "site-my-app",
        "WorkingDirectory": "/srv/www/my-app/releases/3f2a",
        "EnvironmentFile": "/etc/groundwork/sites/my-app/environment",
        "Requires": "groundwork-metadata.service",
        "TimeoutStartSec": "90",
    }
    settings = lines(command["unit"])
    assert {name: settings[name] for name in expected} == expected
    runs = [line for line in command["unit"].splitlines() if line.startswith("ExecStart=")]
    assert [read_by_systemd(line.removeprefix("ExecStart=")) for line in runs] == [
        ["php", "bin/console", "doctrine:migrations:migrate"],
        ["php", "warm up.php"],
    ]
    assert command["lines"] == [MIGRATE, "php 'warm up.php'"]
    assert (command["environment"], command["timeout"], command["ready"]) == ("dev", 90, [])


def test_a_release_with_a_command_that_is_given_by_its_id_is_told() -> None:
    def stays(**changes: t.Any) -> t.Any:
        return lamp({**VARIABLES, "sites": [{**APP, **changes}], "packed": [], "release": "3f2a"}, "stays")

    [told_of] = stays(release_command=[MIGRATE])
    assert (told_of["site"], told_of["id"]) == ("my-app", "3f2a")
    assert told_of["told"].startswith("The release 3f2a of my-app was served before.")
    assert stays() == []


def test_a_release_command_has_the_rights_of_a_worker() -> None:
    worker = next(one["content"] for one in configuration()["files"] if one["path"] == UNIT)
    hardening = worker.partition("UMask=")[2].partition("\n\n")[0]
    assert "ProtectSystem=strict" in hardening
    assert hardening.strip() in release_of(release_command=[MIGRATE])["command"]["unit"]


def test_a_release_command_waits_for_the_database_of_its_site() -> None:
    command = release_of(database=True, release_command=[MIGRATE])["command"]
    launcher = ["/usr/local/bin/groundwork-site", "my-app", "--folder", "/srv/www/my-app", "--", "php", "-r"]
    assert command["ready"][:-1] == launcher
    assert command["timeout"] == 600
    assert release_of()["command"] is None


@pytest.mark.parametrize(
    "given",
    [[], [MIGRATE], [["php", "a.php"], ["./b.sh"]], [["./a.sh"], ["./b.sh"]], ["./a.sh"], ["./a.sh", "php b.php"]],
)
def test_a_release_command_is_accepted(given: t.Any) -> None:
    assert told(site(release_command=given)) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"release_command": MIGRATE}, "release_command: is not a list of commands; give a list of commands, as ['php"),
        ({"release_command": {"a": "b"}}, "release_command: is not a list of commands"),
        ({"release_command": ""}, "release_command: is not a list of commands"),
        (
            {"release_command": ["php", "migrate.php"]},
            "release_command: php, migrate.php would be 2 commands of one word each; for one command write ['php mig",
        ),
        ({"release_command": [""]}, "release_command[0]: the command cannot be executed: it is empty"),
        ({"release_command": [MIGRATE, []]}, "release_command[1]: the command cannot be executed: it is empty"),
        ({"release_command": [" "]}, "release_command[0]: the command cannot be executed: it is empty"),
        ({"release_command": [None]}, "release_command[0]: the command cannot be executed: it is neither text nor"),
        ({"release_command": [["php", True]]}, "release_command[0]: the command cannot be executed: True is not text"),
        (
            {"release_command": ["php a.php && b"]},
            "release_command[0]: the command cannot be executed: it contains '&'",
        ),
        (
            {"release_command": ["A=1 php a.php"]},
            "release_command[0]: the command cannot be executed: 'A=1' is not the",
        ),
        ({"release_command": [["php", "\0"]]}, "release_command[0]: the command cannot be executed: it contains a con"),
        ({"release_command": [["php", "a"]] * 21}, "release_command: 21 commands are too many; give at most 20"),
        ({"release_command": [MIGRATE], "release_command_timeout": 0}, "release_command_timeout: 0 is out of range"),
        ({"release_command": [MIGRATE], "release_command_timeout": 3601}, "release_command_timeout: 3601 is out of"),
        (
            {"release_command_timeout": 60},
            "release_command_timeout: is given without a release command; give release_command",
        ),
    ],
)
def test_a_wrong_release_command_is_refused(changes: dict[str, t.Any], message: str) -> None:
    (problem,) = told(site(**changes))
    assert problem.startswith(f"lamp_sites[0].{message}")
