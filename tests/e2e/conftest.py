"""End to end on the lab, as a person with a laptop: run with `groundwork-lab exec -- pytest tests/e2e`.

The files run in the order of their numbers: refused input, the plan, the run, the site, its packets,
breakage, more servers, a release, an image, groups that launch it, servers replaced by it, a second environment,
and at last the environment's end. Each but the last leaves the site as it found it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import boto3
import pytest
from account_listing import Listing, account_listing
from deprecations import own_deprecations

from groundwork_lab.control import ask
from groundwork_lab.settings import from_environment

ROOT = Path(__file__).parents[2]
INVENTORY = "inventories/local"
ENVIRONMENT = "local"
IMAGE_PARAMETER = f"/groundwork/{ENVIRONMENT}/image/lamp"
APP = ROOT / "roles" / "lamp" / "files" / "app"
T = TypeVar("T")


@dataclass(frozen=True)
class Play:
    """What an ansible-playbook run said, from its JSON callback."""

    code: int
    output: dict[str, Any]
    errors: str

    def results(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Every (task, host, result)."""
        for play in self.output["plays"]:
            for task in play["tasks"]:
                for host, result in task["hosts"].items():
                    yield task["task"]["name"], host, result

    def changes(self) -> list[str]:
        """Everything that was made, or would be, as `host: action resource name`, in order of the names."""
        told = (
            f"{host}: {change['action']} {change['resource']} {change['name']}"
            for _, host, result in self.results()
            for change in result.get("changes", [])
        )
        return sorted(told)

    def changed(self) -> dict[str, int]:
        return {host: stats["changed"] for host, stats in self.output["stats"].items()}

    def failures(self) -> list[str]:
        return [str(result.get("msg")) for _, _, result in self.results() if result.get("failed")]


def family(pid: int) -> list[int]:
    """A process and all that descend from it, but for what ends meanwhile."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [pid, *(one for child in children for one in family(int(child)))]


def command_line(
    *words: str, playbook: str, inventory: str = INVENTORY, variables: Mapping[str, Any] | None = None
) -> list[str]:
    given = ["-e", json.dumps(variables)] if variables else []
    return ["ansible-playbook", "-i", inventory, playbook, *words, *given]


def ended(process: subprocess.Popen[Any]) -> bool:
    return process.poll() is not None


class Laptop:
    """You, on the lab's internet."""

    @property
    def environment(self) -> dict[str, str]:
        """A person's, without what molecule sets for itself."""
        return {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "MOLECULE_"))}

    def run(self, *argv: str, **more: str) -> subprocess.CompletedProcess[str]:
        own = {**self.environment, **more}
        return subprocess.run(argv, cwd=ROOT, env=own, capture_output=True, text=True, check=False, timeout=900)

    @staticmethod
    def kill(process: subprocess.Popen[Any]) -> None:
        """SIGKILL for a run and all that descend from it: Ansible's workers are in sessions of their own."""
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
        argv = command_line(*words, playbook=playbook, inventory=inventory, variables=variables)
        done = self.run(*argv, ANSIBLE_STDOUT_CALLBACK="ansible.posix.json", ANSIBLE_DEPRECATION_WARNINGS="true")
        start = done.stdout.find("{")
        assert start >= 0, f"no JSON from ansible-playbook:\n{done.stdout}\n{done.stderr}"
        told = json.loads(done.stdout[start:])
        assert own_deprecations(done.stderr, told) == []
        return Play(done.returncode, told, done.stderr)

    def play_until(
        self,
        writes: int,
        service: str,
        *words: str,
        playbook: str = "site.yml",
        variables: Mapping[str, Any] | None = None,
    ) -> int:
        """A run that is killed once it has made so many writes, of one service or of all; how many it had made then."""
        argv = command_line(*words, playbook=playbook, variables=variables)
        silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.calls(reset=True)
        with subprocess.Popen(argv, cwd=ROOT, env=self.environment, **silent) as run:
            made = eventually(lambda: self.writes(service), lambda count: count >= writes or ended(run), 180)
            through = ended(run)
            self.kill(run)
        assert made >= writes, f"it made {made} writes"
        assert not through, "it was through before it could be killed"
        return made

    @contextmanager
    def playing(self, playbook: str, variables: Mapping[str, Any]) -> Iterator[list[Play]]:
        """A run that goes on meanwhile; afterwards the list holds it."""
        done: list[Play] = []
        with ThreadPoolExecutor(1) as thread:
            running = thread.submit(self.play, playbook=playbook, variables=variables)
            yield done
            done.append(running.result())

    def on(self, server: str, command: str) -> tuple[int, str]:
        """A shell command on a server, as root, over SSH: its exit code and what it printed."""
        argv = ("ansible", "-i", INVENTORY, server, "-b", "-m", "ansible.builtin.shell", "-a", command)
        done = self.run(*argv, ANSIBLE_STDOUT_CALLBACK="ansible.builtin.minimal")
        head, _, printed = done.stdout.partition(">>\n")
        code = re.search(r"rc=(-?\d+)", head)
        assert code, f"{server} was not reached: {done.stdout}{done.stderr}"
        return int(code[1]), printed.strip()

    def reaches(self, server: str) -> bool:
        """Whether Ansible can work on a server, wherever it is by now."""
        return self.run("ansible", "-i", INVENTORY, server, "-m", "ansible.builtin.ping").returncode == 0

    def as_visitor(self, *argv: str) -> subprocess.CompletedProcess[str]:
        """A command of someone else on the internet."""
        return self.run("groundwork-lab", "exec", "--as", "visitor", "--", *argv)

    def calls(self, *, reset: bool = False) -> dict[str, Any]:
        done = self.run("groundwork-lab", "calls", "--json", *(["--reset"] if reset else []))
        assert done.returncode == 0, done.stderr
        counted: dict[str, Any] = json.loads(done.stdout)
        return counted

    @staticmethod
    def writes(service: str = "") -> int:
        """How many writes there were since the last reset, of all services or of one: at once, without a process."""
        counted = json.loads(ask(from_environment(), "GET", "/calls"))["writes"]
        return sum(sum(operations.values()) for name, operations in counted.items() if service in ("", name))

    def client(self, service: str) -> Any:
        return boto3.client(service)


def get(url: str, headers: Mapping[str, str] | None = None, timeout: float = 5) -> tuple[int, str]:
    """Status and body of a GET; status 0 when nothing answers."""
    request = urllib.request.Request(url, headers=dict(headers or {}))
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def eventually(look: Callable[[], T], ready: Callable[[T], bool], deadline: float) -> T:
    """What `look` saw when `ready` liked it, or at the deadline (seconds); the caller asserts."""
    end = time.monotonic() + deadline
    while True:
        seen = look()
        if ready(seen) or time.monotonic() > end:
            return seen
        time.sleep(0.1)


@pytest.fixture(name="eventually", scope="session")
def _eventually() -> Callable[..., Any]:
    return eventually


class Site:
    """What the control plane says of the environment."""

    def __init__(self, laptop: Laptop) -> None:
        self._laptop = laptop

    @property
    def servers(self) -> dict[str, dict[str, Any]]:
        """The running servers by name."""
        filters = [
            {"Name": "tag:groundwork:environment", "Values": [ENVIRONMENT]},
            {"Name": "instance-state-name", "Values": ["running"]},
        ]
        found = self._laptop.client("ec2").describe_instances(Filters=filters)
        servers = [server for reservation in found["Reservations"] for server in reservation["Instances"]]
        return {name_of(server).removeprefix(f"{ENVIRONMENT}-"): server for server in servers}

    @property
    def urls(self) -> dict[str, str]:
        """The balancers' URLs by tier."""
        balancers = self._laptop.client("elbv2").describe_load_balancers()["LoadBalancers"]
        return {b["LoadBalancerName"].removeprefix(f"{ENVIRONMENT}-"): f"http://{b['DNSName']}" for b in balancers}

    def health(self, tier: str) -> dict[str, str]:
        """Target health by instance id."""
        elb = self._laptop.client("elbv2")
        group = elb.describe_target_groups(Names=[f"{ENVIRONMENT}-{tier}"])["TargetGroups"][0]["TargetGroupArn"]
        found = elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return {target["Target"]["Id"]: target["TargetHealth"]["State"] for target in found}

    def status(self, tier: str) -> int:
        """The status of the tier's page."""
        return get(f"{self.urls[tier]}/")[0]

    def whoami(self, tier: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        code, body = get(f"{self.urls[tier]}/whoami.php", headers)
        assert code == 200, f"{tier}: {code} {body}"
        answer: dict[str, Any] = json.loads(body)
        return answer


def name_of(resource: Mapping[str, Any]) -> str:
    return {tag["Key"]: tag["Value"] for tag in resource.get("Tags", [])}.get("Name", "")


@pytest.fixture(scope="session")
def laptop() -> Laptop:
    return Laptop()


@pytest.fixture(scope="session")
def site(laptop: Laptop) -> Site:
    return Site(laptop)


@pytest.fixture(scope="session")
def forget_images(laptop: Laptop) -> Callable[[], None]:
    """Removes the environment's golden images. Servers that run on them run on."""
    ours = [{"Name": "tag:groundwork:component", "Values": ["image"]}]

    def forget() -> None:
        ec2 = laptop.client("ec2")
        for image in ec2.describe_images(Owners=["self"], Filters=ours)["Images"]:
            ec2.deregister_image(ImageId=image["ImageId"], DeleteAssociatedSnapshots=True)
        laptop.client("ssm").delete_parameters(Names=[IMAGE_PARAMETER])

    return forget


@pytest.fixture(scope="module")
def image(laptop: Laptop) -> str:
    """The promoted golden image: it is baked when there is none."""
    baked = laptop.play(playbook="playbooks/image.yml")
    assert baked.code == 0, baked.failures() or baked.errors
    promoted: str = laptop.client("ssm").get_parameter(Name=IMAGE_PARAMETER)["Parameter"]["Value"]
    return promoted


@pytest.fixture
def source(tmp_path: Path) -> Callable[[str], dict[str, Any]]:
    """The variables of a release of the sample application with something at the head of its page."""

    def changed(head: str) -> dict[str, Any]:
        app = shutil.copytree(APP, tmp_path / "app")
        page = app / "public" / "index.php"
        page.write_text(f"{page.read_text()}<!-- {tmp_path} -->\n")
        page.write_text(page.read_text().replace("<?php\n\ndeclare(strict_types=1);", f"{head}<?php", 1))
        return {"lamp_sites": [{"name": "app", "web_root": "public", "source": {"path": str(app)}}]}

    return changed


@pytest.fixture(scope="session", autouse=True)
def before_site(laptop: Laptop) -> Listing:
    """Everything that is in the account before the first test."""
    return account_listing(laptop.client)


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Each step stands on the one before it, so the order is that of the files and lines."""
    assert [item.path.name for item in items] == sorted(item.path.name for item in items)
