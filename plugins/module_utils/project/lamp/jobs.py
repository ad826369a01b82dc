# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The workers and schedules of sites: systemd units that run commands of a site as its user, in its current release.

The name of a worker has no hyphen, so that the last hyphen in the name of a unit is between the site and the worker.
The same applies to schedules. A tick of a schedule that runs once is claimed in S3 (docs/decisions/0049).
"""

from __future__ import annotations

import re
import shlex
import typing as t
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems, check_range
from ansible_collections.groundwork.aws.plugins.module_utils.engine.placeholders import is_unicode
from ansible_collections.groundwork.aws.plugins.module_utils.host.boot import claiming, fetching
from ansible_collections.groundwork.aws.plugins.module_utils.project.lamp.calendar import check_calendar
from ansible_collections.groundwork.aws.plugins.module_utils.topics.boot.bundle import source_of

Options = dict[str, t.Any]
Variables = t.Mapping[str, t.Any]
Render = t.Callable[[str, Variables], str]

UNITS = "/etc/systemd/system"
WANTED = f"{UNITS}/multi-user.target.wants"
PROGRAMS = "/usr/local/lib/groundwork"
CLAIM = f"{PROGRAMS}/claim.py"
ONCE = "once"
NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
MOST_PROCESSES = 100  # of a worker on a server
LONGEST_STOP = 3600  # seconds
LONGEST_RUN = 7 * 24 * 3600
LONGEST_RELEASE = 3600  # seconds, for the commands of a release
MOST_COMMANDS = 20
LEAST_MEMORY_MB = 16
MOST_MEMORY_MB = 1024**2
# What a shell interprets outside of quotes. A command is executed without a shell.
SHELL = re.compile(r"[|&;<>()$`*?\[\]{}~!#\n]")
QUOTED = re.compile(r"'[^']*'|\"(?:[^\"\\$`]|\\.)*\"|\\.", re.DOTALL)
ONE_WORD = re.compile(r"\S+")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
LONGEST_COMMAND = 100_000  # characters: an argument can have 128 KiB, and a line of a unit 1 MiB
ESCAPES = {"\\": "\\\\", '"': '\\"', "%": "%%", "$": "$$", "\n": "\\n", "\t": "\\t"}
# The imports of a module that is a part of a program, and that the other parts have made.
IMPORT = re.compile(r"^from (?:__future__|ansible_collections)[^\n(]*(?:\([^)]*\)|[^\n]*)\n", re.MULTILINE)
DEFAULTS: Variables = {
    "number": 1,
    "stop_timeout": 30,
    "memory_mb": 0,
    "timeout": 3600,
    "release_command_timeout": 600,
}
# Ends with 0 if the site can use its database. Without the PHP extension that is not known.
DATABASE_ACCEPTS = (
    "if (!function_exists('mysqli_connect')) exit(0);"
    "mysqli_report(MYSQLI_REPORT_OFF);"
    "$d = mysqli_init(); $ca = getenv('DB_SSL_CA');"
    "if ($ca) { $d->options(MYSQLI_OPT_SSL_VERIFY_SERVER_CERT, true); $d->ssl_set(null, null, $ca, null, null); }"
    "if (@$d->real_connect(getenv('DB_HOST'), getenv('DB_USER'), getenv('DB_PASSWORD'), getenv('DB_NAME'), 0, '',"
    " $ca ? MYSQLI_CLIENT_SSL : 0)) exit(0);"
    "fwrite(STDERR, mysqli_connect_error()); exit(1);"
)


@dataclass(frozen=True)
class Worker:
    """A worker of a site. `memory_mb` is 0 for no limit."""

    site: str
    name: str
    command: tuple[str, ...]
    number: int
    stop_timeout: int
    memory_mb: int

    @property
    def unit(self) -> str:
        """Return the name of the unit's file, a template of one unit for each process."""
        return f"groundwork-{self.site}-{self.name}@.service"

    @property
    def services(self) -> list[str]:
        """Return the names of the services, one for each process on a server."""
        return [f"groundwork-{self.site}-{self.name}@{number}" for number in range(1, self.number + 1)]

    @property
    def exec_start(self) -> str:
        """Return the command as a line of the unit."""
        return exec_line(self.command)


@dataclass(frozen=True)
class Schedule:
    """A schedule of a site. `once` is whether only one server starts it at each tick. `timeout` is in seconds."""

    site: str
    name: str
    command: tuple[str, ...]
    on_calendar: str
    once: bool
    timeout: int
    memory_mb: int

    @property
    def service(self) -> str:
        """Return the name of the service, which runs the command once."""
        return f"groundwork-{self.site}-{self.name}"

    @property
    def timer(self) -> str:
        """Return the name of the timer, which starts the service."""
        return f"{self.service}.timer"

    @property
    def exec_start(self) -> str:
        """Return the command as a line of the unit."""
        return exec_line(self.command)


@dataclass(frozen=True)
class ReleaseCommand:
    """The commands that run once for each release of a site. `timeout` is in seconds, for all of them."""

    commands: tuple[tuple[str, ...], ...]
    timeout: int


class Site(t.Protocol):
    """The properties of a site that this module needs."""

    @property
    def name(self) -> str:
        """Return the site's name."""

    @property
    def workers(self) -> tuple[Worker, ...]:
        """Return the workers of the site."""

    @property
    def schedules(self) -> tuple[Schedule, ...]:
        """Return the schedules of the site."""


def workers_of(site: Variables) -> tuple[Worker, ...]:
    """Return the workers of one of `lamp_sites`."""
    return tuple(
        Worker(
            site=site["name"],
            name=one["name"],
            command=words_of(one["command"]),
            number=_or_default(one, "number"),
            stop_timeout=_or_default(one, "stop_timeout"),
            memory_mb=_or_default(one, "memory_mb"),
        )
        for one in site.get("workers") or ()
    )


def schedules_of(site: Variables) -> tuple[Schedule, ...]:
    """Return the schedules of one of `lamp_sites`."""
    return tuple(
        Schedule(
            site=site["name"],
            name=one["name"],
            command=words_of(one["command"]),
            on_calendar=one["on_calendar"],
            once=(one.get("servers") or ONCE) == ONCE,
            timeout=_or_default(one, "timeout"),
            memory_mb=_or_default(one, "memory_mb"),
        )
        for one in site.get("schedules") or ()
    )


def release_command_of(site: Variables) -> ReleaseCommand | None:
    """Return the release command of one of `lamp_sites`, or None."""
    commands = tuple(words_of(one) for one in site.get("release_command") or ())
    return ReleaseCommand(commands, _or_default(site, "release_command_timeout")) if commands else None


def released(site: t.Any, folder: str, context: Variables, render: Render) -> Options | None:
    """Return the option `command` of a release, which is unpacked in `folder`, or None without a release command."""
    own = site.release_command
    if own is None:
        return None
    exec_starts = [exec_line(command) for command in own.commands]
    given = {**context, "site": site, "folder": folder, "exec_starts": exec_starts}
    launcher = ["/usr/local/bin/groundwork-site", site.name, "--folder", site.folder, "--"]
    return {
        "environment": context["environment"],
        "unit": render("release_command.service.j2", given),
        "lines": [shlex.join(command) for command in own.commands],
        "timeout": own.timeout,
        "ready": [*launcher, "php", "-r", DATABASE_ACCEPTS] if site.database else [],
    }


def _or_default(one: Variables, name: str) -> int:
    value = one.get(name)
    return int(DEFAULTS[name] if value is None else value)


def words_of(command: t.Any) -> tuple[str, ...]:
    """Return the arguments of a command, which is a list or text. Raise ValueError."""
    if isinstance(command, str):
        if found := SHELL.search(QUOTED.sub("", command)):
            raise ValueError(f"it contains {found[0]!r}, which only a shell interprets")
        words = shlex.split(command)
    elif isinstance(command, (list, tuple)):
        words = [str(word) if isinstance(word, int) and not isinstance(word, bool) else word for word in command]
    else:
        raise ValueError("it is neither text nor a list of arguments")
    for word in words:
        if not isinstance(word, str):
            raise ValueError(f"{word!r} is not text")
        if CONTROL.search(word) or not is_unicode(word):
            raise ValueError("it contains a control character")
    if not words or not words[0]:
        raise ValueError("it is empty")
    if "=" in words[0] or words[0].startswith("-"):
        raise ValueError(f"'{words[0]}' is not the name of a program")
    if sum(map(len, words)) > LONGEST_COMMAND:
        raise ValueError(f"it has more than {LONGEST_COMMAND} characters")
    return tuple(words)


def exec_line(words: t.Iterable[str]) -> str:
    """Return a command as ExecStart of a unit has it. systemd executes it with exactly these arguments.

    systemd expands `%` and `$`, and splits at blanks outside of quotes. `env` finds a program by a path that is
    relative to the release, as bin/console.
    https://www.freedesktop.org/software/systemd/man/latest/systemd.service.html#Command%20lines
    """
    quoted = ("".join(ESCAPES.get(character, character) for character in word) for word in words)
    return " ".join(["/usr/bin/env", "--", *(f'"{word}"' for word in quoted)])


def services_of(site: Site) -> list[str]:
    """Return the names of the services that run code of the site, and restart with its releases."""
    return [name for worker in site.workers for name in worker.services]


def configuration(sites: t.Sequence[Site], context: Variables, render: Render) -> Options:
    """Return what workers and schedules add to the option `configuration` of the module `server`.

    A worker is started by the release, because without one it has no code. Therefore its service is left as it is here.
    """
    workers = [(site, worker) for site in sites for worker in site.workers]
    schedules = [(site, schedule) for site in sites for schedule in site.schedules]
    return {
        "files": [
            *(_claim_files() if any(one.once for _site, one in schedules) else ()),
            *(file for site, worker in workers for file in _worker_files(site, worker, context, render)),
            *(file for site, schedule in schedules for file in _schedule_files(site, schedule, context, render)),
        ],
        "services": [
            *({"name": name, "state": "unchanged"} for _site, one in workers for name in one.services),
            *({"name": schedule.timer} for _site, schedule in schedules),
        ],
        "validators": [
            {"argv": ["systemd-analyze", "calendar", one.on_calendar], "services": [one.timer]}
            for _site, one in schedules
        ],
        "purge": [
            {"pattern": f"{WANTED}/groundwork-*@*.service"},
            {"pattern": f"{UNITS}/groundwork-*@.service"},
            {"pattern": f"{UNITS}/timers.target.wants/groundwork-*.timer"},
            {"pattern": f"{UNITS}/groundwork-*.timer"},
            {"pattern": f"{UNITS}/groundwork-*-*.service"},
            {"pattern": f"{PROGRAMS}/claim.py"},
        ],
        "purge_services": ["groundwork-*@*", "groundwork-*.timer"],
    }


def _claim_files() -> list[Options]:
    """Return the program that claims a tick. It is one file, because a server does not have the collection."""
    own = source_of(claiming.__name__).decode()
    text = source_of(fetching.__name__).decode() + IMPORT.sub("", own)
    return [
        {"path": PROGRAMS, "state": "directory"},
        {"path": CLAIM, "content": text, "mode": "0644"},
    ]


def _schedule_files(site: Site, schedule: Schedule, context: Variables, render: Render) -> list[Options]:
    given = {**context, "site": site, "schedule": schedule}
    timer = f"{UNITS}/{schedule.timer}"
    return [
        {"path": f"{UNITS}/{schedule.service}.service", "content": render("schedule.service.j2", given)},
        {"path": timer, "content": render("schedule.timer.j2", given), "restart": [schedule.timer]},
        {"path": f"{UNITS}/timers.target.wants/{schedule.timer}", "state": "link", "target": timer},
    ]


def _worker_files(site: Site, worker: Worker, context: Variables, render: Render) -> list[Options]:
    unit = f"{UNITS}/{worker.unit}"
    text = render("worker.service.j2", {**context, "site": site, "worker": worker})
    # The links are those of `systemctl enable`. As files, they are removed with the unit, and restored by a rollback.
    links = [{"path": f"{WANTED}/{name}.service", "state": "link", "target": unit} for name in worker.services]
    return [{"path": unit, "content": text, "restart": worker.services}, *links]


# Checks ----------------------------------------------------------------------------------------------------------


def check_workers(site: Variables, where: str, problems: Problems) -> None:
    """Add to `problems` what is wrong with the workers of a site."""
    names: set[str] = set()
    for at, worker in enumerate(site.get("workers") or ()):
        place = f"{where}.workers[{at}]"
        name = worker["name"]
        if not NAME.fullmatch(name):
            right = "use at most 32 lower case letters, digits and underscores, a letter first"
            problems.add(f"{place}.name", f"'{name}' is not a valid name of a worker", right)
        elif name in names:
            problems.add(f"{place}.name", f"'{name}' is used twice", "use another name")
        names.add(name)
        check_command(worker["command"], f"{place}.command", problems)
        check_range(f"{place}.number", _or_default(worker, "number"), 1, MOST_PROCESSES, problems)
        check_range(f"{place}.stop_timeout", _or_default(worker, "stop_timeout"), 1, LONGEST_STOP, problems)
        if memory := _or_default(worker, "memory_mb"):
            check_range(f"{place}.memory_mb", memory, LEAST_MEMORY_MB, MOST_MEMORY_MB, problems)


def check_schedules(site: Variables, where: str, problems: Problems) -> None:
    """Add to `problems` what is wrong with the schedules of a site."""
    names: set[str] = set()
    for at, schedule in enumerate(site.get("schedules") or ()):
        place = f"{where}.schedules[{at}]"
        name = schedule["name"]
        if not NAME.fullmatch(name):
            right = "use at most 32 lower case letters, digits and underscores, a letter first"
            problems.add(f"{place}.name", f"'{name}' is not a valid name of a schedule", right)
        elif name in names:
            problems.add(f"{place}.name", f"'{name}' is used twice", "use another name")
        names.add(name)
        check_command(schedule["command"], f"{place}.command", problems)
        try:
            check_calendar(schedule["on_calendar"])
        except ValueError as error:
            right = "write it as '*-*-* 03:00:00', 'Mon..Fri 08:00', '*:0/15', or 'daily'"
            problems.add(f"{place}.on_calendar", str(error), right)
        check_range(f"{place}.timeout", _or_default(schedule, "timeout"), 1, LONGEST_RUN, problems)
        if memory := _or_default(schedule, "memory_mb"):
            check_range(f"{place}.memory_mb", memory, LEAST_MEMORY_MB, MOST_MEMORY_MB, problems)


def check_release_command(site: Variables, where: str, problems: Problems) -> None:
    """Add to `problems` what is wrong with the release command of a site."""
    given, place = site.get("release_command"), f"{where}.release_command"
    if given is None or given == []:
        if site.get("release_command_timeout") is not None:
            right = "give release_command too, or remove it"
            problems.add(f"{place}_timeout", "is given without a release command", right)
        return
    check_range(f"{place}_timeout", _or_default(site, "release_command_timeout"), 1, LONGEST_RELEASE, problems)
    if not isinstance(given, (list, tuple)):
        right = "give a list of commands, as ['php bin/console doctrine:migrations:migrate']"
        problems.add(place, "is not a list of commands", right)
    elif len(given) > MOST_COMMANDS:
        problems.add(place, f"{len(given)} commands are too many", f"give at most {MOST_COMMANDS}")
    elif len(given) > 1 and all(isinstance(one, str) and ONE_WORD.fullmatch(one) for one in given):
        wrong = f"{', '.join(given)} would be {len(given)} commands of one word each"
        right = f"for one command write ['{' '.join(given)}'], for {len(given)} write each as a list of its own"
        problems.add(place, wrong, right)
    else:
        for at, command in enumerate(given):
            check_command(command, f"{place}[{at}]", problems)


def check_command(command: t.Any, where: str, problems: Problems) -> None:
    """Add to `problems` a command that cannot be executed as it is written."""
    try:
        words_of(command)
    except ValueError as error:
        right = (
            "give a program and its arguments, as [php, bin/console, messenger:consume], or [sh, -c, text] for a shell"
        )
        problems.add(where, f"the command cannot be executed: {error}", right)
