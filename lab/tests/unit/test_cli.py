"""The command's messages, tables and exit codes, with a fake daemon."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from groundwork_lab import cli, control
from groundwork_lab.errors import LabError
from groundwork_lab.settings import Settings

CALLS = {
    "calls": {"ec2": {"CreateVpc": 1, "DescribeVpcs": 12}, "s3": {"GetObject": 3}},
    "writes": {"ec2": {"CreateVpc": 1}},
}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """Replace the daemon by a fake, and return the list of its requests."""
    questions: list[tuple[object, ...]] = []

    def ask(settings: Settings, method: str, path: str, body: object = None) -> bytes:
        questions.append((method, path, body))
        if path.startswith("/console"):
            return b"Debian GNU/Linux 12\r\n"
        if path == "/minute":
            return json.dumps(body or 60.0).encode()
        return json.dumps(CALLS if path.startswith("/calls") else [body] if body else []).encode()

    monkeypatch.setattr(control, "ask", ask)
    return questions


@pytest.mark.parametrize(
    ("argv", "question"),
    [
        (["calls"], ("GET", "/calls", None)),
        (["calls", "--reset", "--json"], ("DELETE", "/calls", None)),
        (["console", "public-1"], ("GET", "/console/public-1", None)),
        (["console", "my host/1"], ("GET", "/console/my%20host%2F1", None)),
        (["minute"], ("GET", "/minute", None)),
        (["minute", "5"], ("POST", "/minute", 5.0)),
        (["domains"], ("GET", "/domains", None)),
        (["deregister", "example.test"], ("DELETE", "/domains/example.test", None)),
        (
            ["register", "example.test", "--zone", "Z1", "--name-servers", "a.test", "b.test"],
            ("POST", "/domains", {"domain": "example.test", "zone": "Z1", "name_servers": ["a.test", "b.test"]}),
        ),
        (["faults", "show"], ("GET", "/faults", None)),
        (["faults", "clear"], ("DELETE", "/faults", None)),
        (["faults", "set", "--service", "ec2"], ("POST", "/faults", {"service": "ec2"})),
        (
            [
                "faults",
                "set",
                "--add",
                "--operation",
                "Create*",
                "--error",
                "Throttling",
                "--status",
                "400",
                "--rate",
                "0.2",
            ],
            ("POST", "/faults/add", {"operation": "Create*", "code": "Throttling", "status": 400, "probability": 0.2}),
        ),
        (
            ["faults", "set", "--every", "3", "--times", "1", "--delay", "0.5", "--seed", "7", "--drop-after"],
            ("POST", "/faults", {"every": 3, "times": 1, "delay": 0.5, "seed": 7, "drop": True}),
        ),
        (
            ["faults", "set", "--stale", "3", "--unknown", "2.5", "--access-key", "AKIA*"],
            ("POST", "/faults", {"stale": 3.0, "unknown": 2.5, "access_key": "AKIA*"}),
        ),
    ],
)
def test_what_the_daemon_is_asked(
    asked: list[tuple[object, ...]], argv: list[str], question: tuple[object, ...]
) -> None:
    assert cli.main(argv) == 0
    assert asked == [question]


def test_calls_as_a_table(asked: list[tuple[object, ...]], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["calls"]) == 0
    assert capsys.readouterr().out == (
        "  SERVICE  OPERATION     CALLS\n"
        "  ec2      CreateVpc     1      write\n"
        "  ec2      DescribeVpcs  12\n"
        "  s3       GetObject     3\n"
        "16 calls, 1 of them writes\n"
    )


@pytest.mark.parametrize(("argv", "seconds"), [(["minute"], "60"), (["minute", "2.5"], "2.5")])
def test_the_length_of_a_minute_is_told(
    asked: list[tuple[object, ...]], capsys: pytest.CaptureFixture[str], argv: list[str], seconds: str
) -> None:
    assert cli.main(argv) == 0
    assert capsys.readouterr().out == f"A minute of metrics takes {seconds} s.\n"


def test_calls_as_json(asked: list[tuple[object, ...]], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["calls", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == CALLS


@pytest.mark.parametrize(
    "argv", [[], ["fly"], ["console"], ["faults", "set", "--rate", "much"], ["exec", "--as", "root"]]
)
def test_wrong_arguments_are_code_2(argv: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(argv)
    assert caught.value.code == 2


@pytest.mark.parametrize(
    ("lab", "argv", "outcome"),
    [
        ("nolab", ["status"], (3, "The lab 'nolab' is not up; start it with `groundwork-lab up`.")),
        ("nolab", ["calls"], (3, "The lab 'nolab' is not up")),
        ("nolab", ["exec", "--", "true"], (125, "The lab 'nolab' is not up")),
        ("nolab", ["exec"], (2, "The program is missing")),
        ("No-Lab", ["status"], (1, "GROUNDWORK_LAB is 'No-Lab'")),
    ],
)
def test_mistakes_are_one_line(
    lab: str,
    argv: list[str],
    outcome: tuple[int, str],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    code, message = outcome
    monkeypatch.setenv("GROUNDWORK_LAB", lab)
    assert cli.main(argv) == code
    error = capfd.readouterr().err
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("code", [1, 3])
def test_errors_carry_their_code(code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def ask(*_: object) -> bytes:
        raise LabError("no", code)

    monkeypatch.setattr(control, "ask", ask)
    assert cli.main(["status"]) == code


def test_the_command_imports_nothing_heavy() -> None:
    heavy = "{'moto', 'boto3', 'pyroute2', 'yaml', 'http', 'subprocess'}"
    script = f"import sys, groundwork_lab.cli; print(sorted({heavy} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert found.stdout.strip() == "[]"
