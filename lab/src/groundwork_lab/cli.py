"""The command `groundwork-lab`.

Only the daemon and the build of images import large modules, so that the command itself starts quickly.

Exit codes: 0 success, 1 refusal or failure, 2 wrong arguments, 3 the lab is not up. `exec` returns the exit code of its
program, 125 if the lab prevented it, 126 if it cannot be executed and 127 if it was not found, as env(1).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NoReturn

from groundwork_lab import settings as addresses
from groundwork_lab.errors import LabError, not_up
from groundwork_lab.settings import Settings, from_environment

Command = Callable[[Settings, argparse.Namespace], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = parser().parse_args(argv)
    command: Command = options.command
    try:
        return command(from_environment(), options)
    except (LabError, ValueError) as error:
        code = error.code if isinstance(error, LabError) else 1
        print(f"groundwork-lab: {error}", file=sys.stderr)
        return code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `status | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands and options."""
    top = argparse.ArgumentParser(prog="groundwork-lab", description="A local AWS on this machine, with real packets.")
    commands = top.add_subparsers(metavar="COMMAND", required=True)

    def add(name: str, command: Command, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(name, help=text, description=text)
        made.set_defaults(command=command)
        return made

    made = add("up", up, "Start the lab. Build the base image of its hosts first if it does not exist.")
    made.add_argument("--wait", nargs="?", type=float, const=60.0, default=60.0, metavar="SECONDS", help=WAIT_HELP)
    made.add_argument("--slow", nargs="?", type=float, const=60.0, default=0.0, metavar="SECONDS", help=SLOW_HELP)
    add("down", down, "Stop the lab and remove everything that it created, except the base image.")
    made = add("status", status, "Show the lab's resources and whether the data plane is up to date.")
    made.add_argument("--json", action="store_true", help="print JSON, documented in groundwork_lab/status.py")
    made = add("exec", execute, "Run a program on the lab's internet, with its endpoint, credentials and DNS.")
    made.add_argument("--as", dest="part", choices=("laptop", "visitor"), default="laptop", help="the network to use")
    made.add_argument("argv", nargs=argparse.REMAINDER, metavar="-- PROGRAM …")
    made = add("console", console, "Show the console log of a host.")
    made.add_argument("host", metavar="NAME-OR-ID")
    made = add("calls", calls, "Show the API calls since the last reset, by service and operation.")
    made.add_argument("--json", action="store_true", help='{"calls": {service: {operation: number}}, "writes": …}')
    made.add_argument("--reset", action="store_true", help="reset the counts after showing them")
    made = add("register", register, "Register a domain below `test`, so that its name servers are asked.")
    made.add_argument("domain", metavar="DOMAIN", help="a name like example.test")
    made.add_argument("--zone", metavar="ID", help="the hosted zone, if the domain has several")
    made.add_argument("--name-servers", nargs="+", metavar="NAME", help="other name servers than the hosted zone's")
    made = add("deregister", deregister, "Remove a registered domain, so that its names do not exist.")
    made.add_argument("domain", metavar="DOMAIN")
    made = add("minute", minute, "Show or set how long a minute of CloudWatch's metrics and alarms takes.")
    made.add_argument("seconds", nargs="?", type=float, metavar="SECONDS", help="from 2 to 60, as long as on AWS")
    add("domains", domains, "Show the registered domains and their name servers.")
    _add_faults(commands)
    return top


SLOW_HELP = "report what a deleted resource used for this time, as AWS does: interfaces, addresses (default: 60)"
WAIT_HELP = "the maximum time to wait for the API to answer (default: 60)"


def _add_faults(commands: Any) -> None:
    text = "Make API calls fail, slow or out of date. The same rules, seeds and calls have the same faults."
    kinds = commands.add_parser("faults", help=text, description=text).add_subparsers(metavar="ACTION", required=True)
    made = kinds.add_parser("set", help="set a rule in place of all existing rules")
    made.set_defaults(command=faults_set)
    made.add_argument("--add", action="store_true", help="keep the existing rules; the first match applies")
    for flag, kind, text in FAULT_FLAGS:
        field = FAULT_FIELDS.get(flag, flag)
        made.add_argument(f"--{flag}", dest=f"fault_{field}", type=kind, metavar=flag.upper(), help=text)
    for flag, field, text in FAULT_SWITCHES:
        made.add_argument(f"--{flag}", dest=f"fault_{field}", action="store_true", default=None, help=text)
    kinds.add_parser("clear", help="remove all rules").set_defaults(command=faults_clear)
    kinds.add_parser("show", help="show the rules").set_defaults(command=faults_show)


FAULT_FIELDS = {"access-key": "access_key", "error": "code", "rate": "probability"}
FAULT_FLAGS: tuple[tuple[str, type, str], ...] = (
    ("service", str, "the name of a boto3 client, or a pattern (default: all)"),
    ("operation", str, "an operation such as DescribeInstances, or a pattern such as 'Create*' (default: all)"),
    ("access-key", str, "the access key of the caller, or a pattern (default: all)"),
    ("error", str, "the error code (default: RequestLimitExceeded); empty for only a --delay"),
    ("message", str, "the error message"),
    ("status", int, "the HTTP status of the error (default: 503)"),
    ("rate", float, "the share of the calls that the rule applies to, 0 to 1 (default: 1)"),
    ("every", int, "apply the rule to every N-th call instead"),
    ("times", int, "apply the rule to at most this number of calls"),
    ("delay", float, "seconds to delay the call"),
    ("stale", float, "answer reads as of this number of seconds ago"),
    ("unknown", float, "refuse calls that name what did not exist this number of seconds ago, as AWS does (NotFound)"),
    ("seed", int, "the seed of the random choice for --rate (default: 0)"),
)
FAULT_SWITCHES = (
    ("after", "executed", "execute the call, then answer with the error"),
    ("drop-after", "drop", "execute the call, then close the connection without an answer"),
    ("cut-after", "cut", "execute the call, then send the first half of the answer"),
)


def up(settings: Settings, options: argparse.Namespace) -> int:
    from groundwork_lab import lifecycle  # noqa: PLC0415

    if lifecycle.up(replace(settings, slow=options.slow), options.wait, _progress):
        print(f"The lab '{settings.name}' is up.")
    else:
        print(f"The lab '{settings.name}' is already up.")
    print(_whereabouts(settings))
    return 0


def down(settings: Settings, options: argparse.Namespace) -> int:  # noqa: ARG001
    from groundwork_lab import lifecycle  # noqa: PLC0415

    was_there, problems = lifecycle.down(settings, _progress)
    for problem in problems:
        print(f"groundwork-lab: {problem}", file=sys.stderr)
    if (settings.state).exists():
        raise LabError(f"Resources of the lab '{settings.name}' remain; run `groundwork-lab down` again.")
    print(f"The lab '{settings.name}' is removed." if was_there else f"The lab '{settings.name}' does not exist.")
    return 0


def status(settings: Settings, options: argparse.Namespace) -> int:
    from groundwork_lab.control import ask  # noqa: PLC0415
    from groundwork_lab.status import render  # noqa: PLC0415

    answer = json.loads(ask(settings, "GET", "/status"))
    print(json.dumps(answer, indent=2) if options.json else render(answer), end="\n" if options.json else "")
    return 1 if answer["errors"] else 0


def execute(settings: Settings, options: argparse.Namespace) -> int:
    from groundwork_lab import laptop  # noqa: PLC0415

    argv = options.argv[1:] if options.argv[:1] == ["--"] else options.argv
    if not argv:
        raise LabError("The program is missing; run `groundwork-lab exec -- PROGRAM …`.", 2)
    try:
        laptop.enter(settings, options.part)
    except PermissionError as error:
        raise LabError("`groundwork-lab exec` requires root; run it with sudo.", 125) from error
    except FileNotFoundError as error:
        raise LabError(f"{not_up(settings)} ({error.filename} is missing)", 125) from error
    return _become(argv, laptop.environment(settings, os.environ))


def _become(argv: list[str], environment: dict[str, str]) -> NoReturn:
    try:
        os.execvpe(argv[0], argv, environment)  # noqa: S606 (no shell is needed: this is an argv)
    except FileNotFoundError as error:
        raise LabError(f"The program '{argv[0]}' was not found.", 127) from error
    except OSError as error:
        raise LabError(f"The program '{argv[0]}' cannot be executed: {error.strerror}.", 126) from error


def console(settings: Settings, options: argparse.Namespace) -> int:
    from urllib.parse import quote  # noqa: PLC0415

    from groundwork_lab.control import ask  # noqa: PLC0415

    sys.stdout.buffer.write(ask(settings, "GET", f"/console/{quote(options.host, safe='')}"))
    return 0


def calls(settings: Settings, options: argparse.Namespace) -> int:
    from groundwork_lab.control import ask  # noqa: PLC0415

    answer = json.loads(ask(settings, "DELETE" if options.reset else "GET", "/calls"))
    print(json.dumps(answer, indent=2) if options.json else _calls_table(answer))
    return 0


def _calls_table(answer: dict[str, dict[str, dict[str, int]]]) -> str:
    from groundwork_lab.status import table  # noqa: PLC0415

    rows = [
        (service, operation, number, "write" if operation in answer["writes"].get(service, {}) else "")
        for service, operations in answer["calls"].items()
        for operation, number in operations.items()
    ]
    written = sum(row[2] for row in rows if row[3])
    lines = table(("SERVICE", "OPERATION", "CALLS", ""), rows)
    return "\n".join([*lines, f"{sum(row[2] for row in rows)} calls, {written} of them writes"])


def register(settings: Settings, options: argparse.Namespace) -> int:
    from groundwork_lab.control import ask  # noqa: PLC0415

    wanted = {"domain": options.domain, "zone": options.zone, "name_servers": options.name_servers}
    given = {name: value for name, value in wanted.items() if value}
    return _show_domains(ask(settings, "POST", "/domains", given))


def deregister(settings: Settings, options: argparse.Namespace) -> int:
    from urllib.parse import quote  # noqa: PLC0415

    from groundwork_lab.control import ask  # noqa: PLC0415

    return _show_domains(ask(settings, "DELETE", f"/domains/{quote(options.domain, safe='')}"))


def minute(settings: Settings, options: argparse.Namespace) -> int:
    from groundwork_lab.control import ask  # noqa: PLC0415

    if options.seconds is None:
        seconds = json.loads(ask(settings, "GET", "/minute"))
    else:
        seconds = json.loads(ask(settings, "POST", "/minute", options.seconds))
    print(f"A minute of metrics takes {seconds:g} s.")
    return 0


def domains(settings: Settings, options: argparse.Namespace) -> int:  # noqa: ARG001
    from groundwork_lab.control import ask  # noqa: PLC0415

    return _show_domains(ask(settings, "GET", "/domains"))


def _show_domains(answer: bytes) -> int:
    from groundwork_lab.status import table  # noqa: PLC0415

    rows = [(each["domain"], " ".join(each["name_servers"])) for each in json.loads(answer)]
    print("\n".join(table(("DOMAIN", "NAME SERVERS"), rows)) if rows else "No domains.")
    return 0


def faults_set(settings: Settings, options: argparse.Namespace) -> int:
    from groundwork_lab.control import ask  # noqa: PLC0415

    given = {name.removeprefix("fault_"): value for name, value in vars(options).items() if name.startswith("fault_")}
    fault = {name: value for name, value in given.items() if value is not None}
    return _show_faults(ask(settings, "POST", "/faults/add" if options.add else "/faults", fault))


def faults_clear(settings: Settings, options: argparse.Namespace) -> int:  # noqa: ARG001
    from groundwork_lab.control import ask  # noqa: PLC0415

    return _show_faults(ask(settings, "DELETE", "/faults"))


def faults_show(settings: Settings, options: argparse.Namespace) -> int:  # noqa: ARG001
    from groundwork_lab.control import ask  # noqa: PLC0415

    return _show_faults(ask(settings, "GET", "/faults"))


def _show_faults(answer: bytes) -> int:
    from groundwork_lab.status import table  # noqa: PLC0415

    rules = json.loads(answer)
    print("\n".join(table(list(rules[0]), [list(rule.values()) for rule in rules])) if rules else "No faults.")
    return 0


def _progress(line: str) -> None:
    print(line, flush=True)


def _whereabouts(settings: Settings) -> str:
    return "\n".join(
        [
            f"  API       http://{addresses.API} (S3 http://{addresses.S3}), region {addresses.REGION}",
            f"  names     {addresses.RESOLVER}",
            f"  log       {settings.log}",
            "  look      groundwork-lab status",
            "  use       groundwork-lab exec -- aws ec2 describe-vpcs",
        ]
    )
