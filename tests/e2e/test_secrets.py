"""Passwords with awkward characters reach PHP and MariaDB byte for byte, and are found nowhere else after any run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import yaml
from laptop import FPM_FOLDER, ROOT, Laptop
from leaks import Leaks
from nasty_secrets import FOR_EVERYBODY, marked
from running_site import Site
from watching import eventually

SERVER = "public-1"
PARAMETER = "/groundwork/local/lamp/app/database-password"
LIMITED = ("--limit", f"localhost,{SERVER}")
# Each has a site of its own, so that one run tries them all.
PASSWORDS = {f"s{number}": marked(secret, "Jq7xW2kTz9") for number, secret in enumerate(FOR_EVERYBODY)}
OTHERS = {site: marked(secret, "Vb4mR8nLc1") for site, secret in zip(PASSWORDS, FOR_EVERYBODY[::-1], strict=True)}
SITES = [
    {"name": "app", "web_root": "public"},
    *({"name": site, "web_root": "public", "server_names": [f"{site}.example.com"]} for site in PASSWORDS),
]
LOGS = "SET GLOBAL general_log = {0}, GLOBAL slow_query_log = {0}, GLOBAL long_query_time = {1}"
BROKEN_POOL = f"{FPM_FOLDER}/pool.d/zz-broken.conf"


def variables(passwords: dict[str, str]) -> str:
    """Return a file of variables in YAML. The passwords are marked as no templates: some contain braces."""
    quoted = {site: yaml.dump(secret, default_style='"', width=float("inf")) for site, secret in passwords.items()}
    given = "".join(f"  {site}: !unsafe {text}" for site, text in quoted.items())
    return f"lamp_sites: {json.dumps(SITES)}\nlamp_database_passwords:\n{given}"


class Controller:
    """Runs of site.yml that write down everything that Ansible can write down."""

    def __init__(self, laptop: Laptop, folder: Path) -> None:
        self._laptop = laptop
        self._given = folder / "given.yml"
        self.kept = folder / "kept"
        self.kept.mkdir()

    @property
    def _environment(self) -> dict[str, str]:
        return {
            "ANSIBLE_LOG_PATH": str(self.kept / "ansible.log"),
            "ANSIBLE_LOG_FOLDER": str(self.kept / "plays"),
            "ANSIBLE_CALLBACKS_ENABLED": "ansible.posix.profile_tasks,community.general.log_plays",
            "ANSIBLE_CACHE_PLUGIN": "ansible.builtin.jsonfile",
            "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(self.kept / "facts"),
            "ANSIBLE_RETRY_FILES_ENABLED": "true",
            "ANSIBLE_RETRY_FILES_SAVE_PATH": str(self.kept / "retry"),
            "ANSIBLE_LOCAL_TEMP": str(self.kept / "tmp"),
        }

    def play(self, leaks: Leaks, *words: str, passwords: dict[str, str] | None = None) -> tuple[int, list[str]]:
        """Return the exit code, and what has a secret that nobody needs there."""
        self._given.write_text(variables(passwords) if passwords else "{}")
        argv = ["ansible-playbook", "-i", "inventories/local", "site.yml", "-vvvv", "--diff", "-e", f"@{self._given}"]
        with leaks.watching_processes() as processes:
            done = self._laptop.run(*argv, *words, **self._environment)
        print("\n".join(line for line in done.stdout.splitlines() if line.startswith(("[ERROR]", "fatal:"))))
        for name in ("ansible.log", "plays"):
            assert (self.kept / name).exists(), done.stderr
        said = leaks.in_text(done.stdout + done.stderr)
        return done.returncode, [*said, *leaks.below(self.kept, ROOT / ".environments"), *sorted(processes)]


@pytest.fixture(scope="module")
def controller(laptop: Laptop, tmp_path_factory: pytest.TempPathFactory) -> Controller:
    return Controller(laptop, tmp_path_factory.mktemp("secrets"))


@pytest.fixture
def leaks(tmp_path: Path) -> Leaks:
    return Leaks(tmp_path, ["Jq7xW2kTz9", "Vb4mR8nLc1"])


@pytest.fixture(scope="module", autouse=True)
def database_log(laptop: Laptop) -> Iterator[str]:
    """MariaDB writes all statements down, as an administrator would have it for a while: where it does."""
    assert laptop.on(SERVER, f'mariadb -e "{LOGS.format(1, 0)}"')[0] == 0
    yield "/var/lib/mysql/$(hostname)*.log"
    assert laptop.on(SERVER, f'mariadb -e "{LOGS.format(0, 10)}" && rm /var/lib/mysql/$(hostname)*.log')[0] == 0


def instance(site: Site, server: str = SERVER) -> str:
    return str(site.server_id(server))


def test_passwords_that_are_only_tried_are_nowhere(controller: Controller, leaks: Leaks, site: Site) -> None:
    assert controller.play(leaks, "--check", *LIMITED, passwords=PASSWORDS) == (0, [])
    assert leaks.on_server(instance(site)) == []


def test_passwords_are_only_where_they_are_needed(
    controller: Controller, leaks: Leaks, laptop: Laptop, site: Site, database_log: str
) -> None:
    assert controller.play(leaks, "--tags", "lamp", *LIMITED, passwords=PASSWORDS) == (0, [])
    assert leaks.on_server(instance(site)) == []
    hashes = laptop.on(SERVER, f"cat {database_log} | grep --count --extended-regexp '[*][0-9A-F]{{8}}|IDENTIFIED'")
    assert hashes[0] == 1, "a log of statements has hashes, or there is none"


def test_php_and_mariadb_have_the_same_passwords(laptop: Laptop) -> None:
    """The hash that MariaDB has was made of the password without PHP."""
    ask = "curl -s -o /dev/null -w '%{http_code} ' -H \"Host: $site.example.com\" http://localhost/whoami.php"
    told = laptop.on(SERVER, f"for site in {' '.join(PASSWORDS)}; do {ask}; done")
    assert told == (0, " ".join(["200"] * len(PASSWORDS)))


def test_a_run_that_fails_tells_no_password(controller: Controller, leaks: Leaks, laptop: Laptop, site: Site) -> None:
    """php-fpm refuses a pool that somebody left there, just when all passwords change."""
    assert laptop.on(SERVER, f"printf '[zz]\\nuser = nobody-there\\n' > {BROKEN_POOL}")[0] == 0
    try:
        kept = json.dumps({"lamp_keep_files": [BROKEN_POOL]})  # the role would set it aside
        assert controller.play(leaks, "--tags", "lamp", *LIMITED, "-e", kept, passwords=OTHERS) == (2, [])
    finally:
        assert laptop.on(SERVER, f"rm {BROKEN_POOL}")[0] == 0
    assert leaks.on_server(instance(site)) == []


def test_a_password_is_rotated_as_the_changelog_says(
    controller: Controller, laptop: Laptop, site: Site, tmp_path: Path
) -> None:
    def password() -> str:
        return str(laptop.client("ssm").get_parameter(Name=PARAMETER, WithDecryption=True)["Parameter"]["Value"])

    before = password()
    laptop.client("ssm").delete_parameter(Name=PARAMETER)
    assert controller.play(Leaks(tmp_path, [before])) == (0, [])
    after = password()
    assert after != before
    leaks = Leaks(tmp_path, [before, after])
    assert leaks.below(controller.kept) == []
    for server in (SERVER, "private-1"):
        assert leaks.on_server(instance(site, server)) == []
    for tier in ("public", "private"):
        servers = eventually(partial(site.answering, tier, 10), lambda seen: len(seen) == 2, 10)
        assert len(servers) == 2
