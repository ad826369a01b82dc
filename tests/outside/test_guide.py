"""The guide's way to AWS, word for word, as an ordinary user on a machine that has Python and nothing of ours.

The commands are read from docs/guide/moving-to-aws.md, so that the text and the test cannot differ. They end at the
plan: what comes after it is proven end to end.
"""

from __future__ import annotations

import json
import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from checkout import ROOT, copy_tracked

pytestmark = pytest.mark.lab

USER, UID = "person", 61000
IN_A_CHECKOUT = "python3 -m venv .venv\n"
WITHOUT_ONE = "python3 -m venv .venv && . .venv/bin/activate\n"
PLACES = {"AWS_PROFILE=…": "AWS_PROFILE=lab"}
# The example networks, which site.yml refuses, become the person's own.
EDITOR = r"sed -i s,\[192\.0\.2\..*\],[198.18.0.10/32],"
# What a user's session may have beside its home and path: how pip reaches the package index, past which proxy.
KEPT = ("PIP_", "no_proxy", "NO_PROXY", "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")
PATH = "/usr/bin:/bin"
# Runs the command after it as the user, whom only this process and its children know.
BECOME = f'mount --bind "$1" /etc/passwd && shift && exec setpriv --reuid={UID} --regid={UID} --clear-groups "$@"'


def commands(start: str) -> list[str]:
    """Return the guide's block of commands that begins with `start`, without its comments."""
    blocks = re.findall(r"(?:^    .+\n)+", (ROOT / "docs" / "guide" / "moving-to-aws.md").read_text(), re.MULTILINE)
    [block] = [each for each in blocks if each.strip().startswith(start)]
    return [re.sub(r"\s+# .*", "", line.strip()) for line in block.splitlines()]


def split(lines: list[str]) -> tuple[list[str], list[str]]:
    """Return what installs, and what then looks at AWS up to the first plan."""
    profile = next(number for number, line in enumerate(lines) if "AWS_PROFILE" in line)
    plan = next(number for number, line in enumerate(lines) if "--check" in line)
    return lines[:profile], lines[profile : plan + 1]


@dataclass(frozen=True)
class Person:
    """An ordinary user with a home and an AWS profile that leads to the lab."""

    lab: Any
    home: Path
    passwd: Path

    def _argv(self, folder: Path, lines: list[str]) -> list[str]:
        script = "\n".join(["set -e", f"cd '{folder}'", *lines])
        for place, value in PLACES.items():
            script = script.replace(place, value)
        kept = [f"{name}={value}" for name, value in os.environ.items() if name.startswith(KEPT)]
        own = [f"HOME={self.home}", f"USER={USER}", f"PATH={PATH}", f"EDITOR={EDITOR}", "LANG=C.UTF-8"]
        own.append("PIP_NO_COMPILE=1")  # half of the time that pip takes
        become = ["unshare", "--mount", "sh", "-c", BECOME, "sh", str(self.passwd)]
        return [*become, "env", "-i", *kept, *own, "sh", "-c", script]

    def install(self, folder: Path, lines: list[str]) -> None:
        """Run commands on the machine's own network, where the package index is."""
        ran = subprocess.run(self._argv(folder, lines), capture_output=True, text=True, check=False, timeout=900)
        assert ran.returncode == 0, ran.stdout + ran.stderr

    def play(self, folder: Path, lines: list[str]) -> str:
        """Run commands on the lab's internet; returns what they printed."""
        return str(self.lab.inside(*self._argv(folder, lines)).stdout)


@pytest.fixture(scope="module")
def person(lab: Any) -> Iterator[Person]:
    """In a folder that everybody may enter, which pytest's own are not."""
    with tempfile.TemporaryDirectory(prefix="groundwork-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        home = folder / "home"
        (home / ".aws").mkdir(parents=True)
        (home / ".aws" / "config").write_text(profile(lab))
        for settings in (Path.home() / ".config" / "pip" / "pip.conf", Path.home() / ".pip" / "pip.conf"):
            if settings.exists():
                (home / ".config" / "pip").mkdir(parents=True)
                shutil.copy(settings, home / ".config" / "pip" / "pip.conf")
                break
        passwd = folder / "passwd"
        users = "".join(":".join(map(str, entry)) + "\n" for entry in pwd.getpwall())
        passwd.write_text(f"{users}{USER}:x:{UID}:{UID}::{home}:/bin/sh\n")
        copy_tracked(home / "checkout")
        (home / "empty").mkdir()
        give(home)
        yield Person(lab, home, passwd)


def profile(lab: Any) -> str:
    """Return an AWS configuration whose profile has the lab's endpoints and keys."""
    told = dict(line.split("=", 1) for line in lab.inside("env").stdout.splitlines() if line.startswith("AWS_"))
    return (
        f"[profile lab]\nregion = {told['AWS_REGION']}\nservices = lab\nendpoint_url = {told['AWS_ENDPOINT_URL']}\n"
        f"aws_access_key_id = {told['AWS_ACCESS_KEY_ID']}\naws_secret_access_key = {told['AWS_SECRET_ACCESS_KEY']}\n"
        f"[services lab]\ns3 =\n  endpoint_url = {told['AWS_ENDPOINT_URL_S3']}\n"
    )


def give(folder: Path) -> None:
    """Make the user the owner of all that is in a folder."""
    for path in (folder, *folder.rglob("*")):
        os.chown(path, UID, UID, follow_symlinks=False)


def assert_planned(told: str, servers: int) -> None:
    """The plan is complete: network, balancers and every server, and nothing has failed."""
    recap = dict(re.findall(r"^(\S+) +: ok=\d+ +changed=(\d+) +unreachable=0 +failed=0 ", told, re.MULTILINE))
    assert len(recap) == 1 + servers, told
    assert all(int(changed) > 0 for changed in recap.values()), told


@pytest.fixture(scope="module")
def checkout(person: Person) -> Path:
    """A checkout with what the guide installs into it."""
    folder = person.home / "checkout"
    person.install(folder, split(commands(IN_A_CHECKOUT))[0])
    return folder


def test_a_checkout_plans_a_site(person: Person, checkout: Path) -> None:
    assert not (checkout / ".venv" / "bin" / "moto_server").exists(), "production needs no lab"
    person.lab("calls", "--reset")
    assert_planned(person.play(checkout, split(commands(IN_A_CHECKOUT))[1]), 6)
    assert json.loads(person.lab("calls", "--json").stdout)["writes"] == {}


def test_an_installed_collection_plans_a_site_from_an_empty_folder(person: Person, checkout: Path) -> None:
    """But for the first command: the virtual environment is the checkout's, where pip finds what is wanted."""
    empty = person.home / "empty"
    galaxy = Path(sys.executable).with_name("ansible-galaxy")
    build = [str(galaxy), "collection", "build", str(checkout), "--output-path", str(empty)]
    subprocess.run(build, capture_output=True, check=True)
    give(empty)
    install, use = split(commands(WITHOUT_ONE))
    enter = f". '{checkout}/.venv/bin/activate'"
    assert install[0] == "python3 -m venv .venv && . .venv/bin/activate"
    person.install(empty, [enter, *install[1:]])
    assert_planned(person.play(empty, [enter, *use]), 4)
    assert [path.name for path in empty.iterdir() if not path.name.endswith(".tar.gz")] == ["inventories"]
