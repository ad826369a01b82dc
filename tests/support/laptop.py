"""The laptop of a user, on the lab's internet: Ansible runs, commands on servers, and AWS clients."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypedDict

import boto3
from deprecations import own_deprecations
from watching import eventually

from groundwork_lab.control import ask
from groundwork_lab.settings import from_environment

ROOT = Path(__file__).parents[2]
ENVIRONMENT = "local"
INVENTORY = f"inventories/{ENVIRONMENT}"

LOCK_CALLS = 4  # of S3 in a run of less than a minute: GetBucketPolicy, and the following
LOCK = ("PutObject", "DeleteObject")  # the writes of a run's lock: taken and renewed, and released

Variables = dict[str, Any]
# A file with variables of every run: `make long-trixie` gives those of Debian 13.
GIVEN: Variables = json.loads((ROOT / path).read_text()) if (path := os.environ.get("GROUNDWORK_GIVEN")) else {}
FPM = f"php{GIVEN.get('lamp_php_version', '8.2')}-fpm"
FPM_FOLDER = f"/etc/php/{GIVEN.get('lamp_php_version', '8.2')}/fpm"


class Calls(TypedDict):
    """The calls to AWS since the last reset, by service and operation."""

    calls: dict[str, dict[str, int]]
    writes: dict[str, dict[str, int]]


@dataclass(frozen=True)
class Play:
    """The result of an ansible-playbook run, from its JSON callback."""

    code: int
    output: dict[str, Any]
    errors: str

    def results(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Yield every (task, host, result)."""
        for play in self.output["plays"]:
            for task in play["tasks"]:
                for host, result in task["hosts"].items():
                    yield task["task"]["name"], host, result

    def changes(self) -> list[str]:
        """Return what the run changed, or would change, as `host: action resource name`, in the order of the names."""
        told = (
            f"{host}: {change['action']} {change['resource']} {change['name']}"
            for _task, host, result in self.results()
            for change in result.get("changes", [])
        )
        return sorted(told)

    def summary(self) -> dict[str, Any]:
        """Return the summary at the end of the run."""
        return next(result["summary"] for _task, _host, result in self.results() if "summary" in result)

    def changed(self) -> dict[str, int]:
        """Return the number of changed tasks of each host."""
        return {host: stats["changed"] for host, stats in self.output["stats"].items()}

    def failures(self) -> list[str]:
        """Return the messages of the tasks that failed."""
        return [str(result.get("msg")) for _task, _host, result in self.results() if result.get("failed")]


def family(pid: int) -> list[int]:
    """Return a process and its descendants, without those that end meanwhile."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [pid, *(one for child in children for one in family(int(child)))]


def command_line(
    *words: str, playbook: str, inventory: str = INVENTORY, variables: Mapping[str, Any] | None = None
) -> list[str]:
    """Return the command that runs a playbook with these variables."""
    values = {**GIVEN, **(variables or {})}
    given = ["-e", json.dumps(values)] if values else []
    return ["ansible-playbook", "-i", inventory, playbook, *words, *given]


def ended(process: subprocess.Popen[Any]) -> bool:
    """Return whether a process has ended."""
    return process.poll() is not None


def besides_lock(calls: Calls) -> dict[str, dict[str, int]]:
    """Return the writes of a run that changes nothing in S3, without those of its lock."""
    s3 = {name: count for name, count in calls["writes"].get("s3", {}).items() if name not in LOCK}
    writes = {**calls["writes"], "s3": s3}
    return {service: operations for service, operations in writes.items() if operations}


class Laptop:
    """A user's machine with a checkout of the project, on the lab's internet."""

    def __init__(self, checkout: Path = ROOT) -> None:
        self.checkout = checkout

    @property
    def environment(self) -> dict[str, str]:
        """The user's environment variables, without those that molecule sets for itself."""
        return {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "MOLECULE_"))}

    def run(self, *argv: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a command, with more environment variables."""
        own = {**self.environment, **more}
        return subprocess.run(
            argv, cwd=self.checkout, env=own, capture_output=True, text=True, check=False, timeout=900
        )

    @staticmethod
    def kill(process: subprocess.Popen[Any]) -> None:
        """Send SIGKILL to a run and all its descendants: Ansible's workers are in sessions of their own."""
        for pid in family(process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()

    def play(
        self,
        *words: str,
        playbook: str = "site.yml",
        inventory: str = INVENTORY,
        variables: Mapping[str, Any] | None = None,
    ) -> Play:
        """Run a playbook. Fail if it causes deprecation warnings."""
        argv = command_line(*words, playbook=playbook, inventory=inventory, variables=variables)
        done = self.run(*argv, ANSIBLE_STDOUT_CALLBACK="ansible.posix.json", ANSIBLE_DEPRECATION_WARNINGS="true")
        start = done.stdout.find("{")
        assert start >= 0, f"no JSON from ansible-playbook:\n{done.stdout}\n{done.stderr}"
        told = json.loads(done.stdout[start:])
        deprecated = own_deprecations(done.stderr, told)
        assert deprecated == [], deprecated
        return Play(done.returncode, told, done.stderr)

    def play_until(
        self,
        writes: int,
        service: str,
        *words: str,
        playbook: str = "site.yml",
        variables: Mapping[str, Any] | None = None,
    ) -> int:
        """Run a playbook, kill it after so many writes of one service or of all, and return how many it has made."""
        argv = command_line(*words, playbook=playbook, variables=variables)
        self.calls(reset=True)
        with tempfile.TemporaryFile("w+") as printed:
            with self.start(*argv, stdout=printed) as run:
                made = eventually(lambda: self.writes(service), lambda count: count >= writes or ended(run), 180)
                through = ended(run)
                self.kill(run)
            printed.seek(0)
            told = printed.read()[-4000:]
        assert made >= writes, f"it made {made} writes of {writes}:\n{told}"
        assert not through, f"it was through before it could be killed:\n{told}"
        return made

    def start(self, *argv: str, stdout: IO[str] | None = None) -> subprocess.Popen[bytes]:
        """Start a command whose output goes to a file, or is discarded."""
        return subprocess.Popen(
            argv, cwd=self.checkout, env=self.environment, stdout=stdout or subprocess.DEVNULL, stderr=subprocess.STDOUT
        )

    def start_reading(self, *argv: str) -> subprocess.Popen[str]:
        """Start a command, and let its output be read while it runs."""
        own = {**self.environment, "PYTHONUNBUFFERED": "1"}
        return subprocess.Popen(
            argv, cwd=self.checkout, env=own, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    @contextmanager
    def playing(self, playbook: str, variables: Mapping[str, Any]) -> Iterator[list[Play]]:
        """Run a playbook during the block; afterwards the list holds it."""
        done: list[Play] = []
        with ThreadPoolExecutor(1) as thread:
            running = thread.submit(self.play, playbook=playbook, variables=variables)
            yield done
            done.append(running.result())

    def on(self, server: str, command: str, inventory: str = INVENTORY) -> tuple[int, str]:
        """Run a shell command on a server, as root, over SSH; return its exit code and what it printed."""
        argv = ("ansible", "-i", inventory, server, "-b", "-m", "ansible.builtin.shell", "-a", command)
        done = self.run(*argv, ANSIBLE_STDOUT_CALLBACK="ansible.builtin.minimal")
        head, _separator, printed = done.stdout.partition(">>\n")
        code = re.search(r"rc=(-?\d+)", head)
        assert code, f"{server} was not reached: {done.stdout}{done.stderr}"
        return int(code[1]), printed.strip()

    def reaches(self, server: str) -> bool:
        """Return whether Ansible can work on a server, wherever it is by now."""
        return self.run("ansible", "-i", INVENTORY, server, "-m", "ansible.builtin.ping").returncode == 0

    def as_visitor(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """Run a command of another machine on the internet."""
        return self.run("groundwork-lab", "exec", "--as", "visitor", "--", *argv)

    def calls(self, *, reset: bool = False) -> Calls:
        """Return the calls since the last reset."""
        done = self.run("groundwork-lab", "calls", "--json", *(["--reset"] if reset else []))
        assert done.returncode == 0, done.stderr
        counted: Calls = json.loads(done.stdout)
        return counted

    @staticmethod
    def writes(service: str = "") -> int:
        """Return the number of writes of a run since the last reset, of one service or of all, after it took its lock.

        It starts no process.
        """
        counted: Calls = json.loads(ask(from_environment(), "GET", "/calls"))
        writes = {name: sum(operations.values()) for name, operations in counted["writes"].items()}
        writes["s3"] = max(writes.get("s3", 0) - 1, 0)
        return sum(count for name, count in writes.items() if service in ("", name))

    def client(self, service: str) -> Any:
        """Return boto3's client, which has no types."""
        return boto3.client(service)
