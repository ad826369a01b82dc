"""A site's processes do not reach the instance metadata service, which would give them the server's role.

Root does, and so does a site that asks for it.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from laptop import FPM, Laptop
from running_site import Site
from watching import eventually

SERVER = "public-1"
ONLY = ("--tags", "lamp", "--limit", SERVER)
UNIT = "groundwork-metadata"
ACTIVE = f"systemctl is-active {UNIT} apache2 {FPM}"
AT_ONCE = 2.0  # seconds; a packet that is dropped is answered by the timeout, after 5
# What PHP sees: IMDSv2 asks for a token, and IMDSv1 does without.
PAGE = """<?php
    function answer(string $method, string $path, array $headers): string {
        $options = ['method' => $method, 'header' => $headers, 'timeout' => 5];
        $context = stream_context_create(['http' => $options]);
        return (string) @file_get_contents("http://169.254.169.254/latest/$path", false, $context);
    }
    $began = microtime(true);
    $token = answer('PUT', 'api/token', ['X-aws-ec2-metadata-token-ttl-seconds: 60']);
    $error = error_get_last()['message'] ?? '';
    $instance = answer('GET', 'meta-data/instance-id', ["X-aws-ec2-metadata-token: $token"]);
    $role = answer('GET', 'meta-data/iam/security-credentials/', []);
    echo json_encode([
        'token' => $token !== '', 'instance' => $instance, 'role' => $role,
        'refused' => str_contains($error, 'refused'), 'seconds' => microtime(true) - $began,
    ]);
"""
TOKEN = "curl -s -m 5 -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token"
DATAGRAM = """
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
    client.settimeout(5)
    client.connect(("169.254.169.254", 9))
    try:
        client.send(b"?")
        client.recv(1)
    except OSError as error:
        print(type(error).__name__)
"""

Ask = Callable[[str], dict[str, Any]]


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Return the sites: one that asks for the service beside two that do not."""
    folder: Path = tmp_path_factory.mktemp("sites")
    (folder / "index.php").write_text(PAGE)
    common = {"source": {"path": str(folder)}, "database": False}
    return [
        {"name": "app", "web_root": "public"},
        {"name": "kept-away", "server_names": ["kept-away.test"], **common},
        {"name": "asking", "server_names": ["asking.test"], "instance_metadata": True, **common},
    ]


@pytest.fixture(scope="module")
def server(laptop: Laptop, sites: list[dict[str, Any]]) -> Iterator[str]:
    """Return the server with the sites. Afterwards it is as it was."""
    try:
        play(laptop, sites)
        yield SERVER
    finally:
        back = laptop.play(*ONLY)
        accounts = [f"{kind}-{one}" for one in ("kept-away", "asking") for kind in ("code", "site")]
        removed = [f"{command} {account}" for command in ("userdel", "groupdel") for account in accounts]
        gone = "\n".join(["set -e", *removed, "rm -r /srv/www/kept-away /srv/www/asking"])
        code, said = laptop.on(SERVER, gone)
        assert back.code == 0, back.failures() or back.errors
        assert code == 0, said


def play(laptop: Laptop, sites: list[dict[str, Any]]) -> list[str]:
    """Configure the server, and return what was changed."""
    done = laptop.play(*ONLY, variables={"lamp_sites": sites})
    assert done.code == 0, done.failures() or done.errors
    changes: list[str] = done.changes()
    return changes


@pytest.fixture(scope="module")
def ask(laptop: Laptop, server: str) -> Ask:
    """Return a function that returns what the PHP of a site sees of the service."""

    def asked(name: str) -> dict[str, Any]:
        code, printed = laptop.on(server, f"curl -s -m 20 -H 'Host: {name}.test' http://127.0.0.1/")
        assert code == 0, printed
        answer: dict[str, Any] = json.loads(printed)
        return answer

    return asked


def is_kept_away(laptop: Laptop, ask: Ask) -> None:
    """Assert that the one site gets nothing and waits for nothing, and that the other one gets its answers."""
    answer = ask("kept-away")
    assert answer.pop("seconds") < AT_ONCE
    assert answer == {"token": False, "instance": "", "role": "", "refused": True}
    answer = ask("asking")
    assert answer["token"]
    assert laptop.on(SERVER, f'curl -s -H "X-aws-ec2-metadata-token: $({TOKEN})" {INSTANCE}') == (0, answer["instance"])


INSTANCE = "http://169.254.169.254/latest/meta-data/instance-id"


def test_php_gets_neither_a_token_nor_data_unless_its_site_asks(laptop: Laptop, site: Site, ask: Ask) -> None:
    is_kept_away(laptop, ask)
    assert ask("asking")["instance"] == site.servers[SERVER]["InstanceId"]


@pytest.mark.parametrize("account", ["site-app", "site-kept-away", "www-data"])
def test_no_program_of_a_site_reaches_it_nor_does_apache(laptop: Laptop, server: str, account: str) -> None:
    run = f"runuser -u {account} --"
    code, printed = laptop.on(server, f"{run} {TOKEN} -o /dev/null -w '%{{time_total}} seconds'")
    assert code == 7, "curl(1): failed to connect"
    assert float(printed.split()[0]) < AT_ONCE
    assert laptop.on(server, f"{run} python3 -c '{DATAGRAM}'") == (0, "PermissionError")


def test_the_address_of_ipv6_is_refused_too(laptop: Laptop, server: str) -> None:
    """The lab has no IPv6, so that no packet shows it."""
    code, rules = laptop.on(server, "nft list chain inet groundwork_metadata output")
    assert code == 0, rules
    assert [line.rpartition(" reject ")[0].split("}")[1] for line in rules.splitlines() if "reject" in line] == [
        " ip daddr 169.254.169.254",
        " ip6 daddr fd00:ec2::254",
    ]


def test_it_is_so_after_a_reboot(laptop: Laptop, site: Site, ask: Ask) -> None:
    server = site.servers[SERVER]
    before = laptop.on(SERVER, "stat -c %Y /proc/1")
    laptop.client("ec2").reboot_instances(InstanceIds=[server["InstanceId"]])
    assert not eventually(lambda: can_connect(server["PublicIpAddress"]), lambda up: not up, 30)
    assert eventually(lambda: can_connect(server["PublicIpAddress"]), bool, 60)
    assert laptop.on(SERVER, "stat -c %Y /proc/1") != before
    _, active = eventually(lambda: laptop.on(SERVER, ACTIVE), lambda said: said[0] == 0, 30)
    assert active.split() == ["active"] * 3
    is_kept_away(laptop, ask)


def can_connect(address: str) -> bool:
    try:
        socket.create_connection((address, 22), timeout=0.3).close()
    except OSError:
        return False
    return True


def test_a_run_mends_what_an_administrator_removed(laptop: Laptop, sites: list[dict[str, Any]], ask: Ask) -> None:
    assert play(laptop, sites) == []
    assert laptop.on(SERVER, "nft flush ruleset")[0] == 0
    assert ask("kept-away")["token"], "this is what the table prevents"
    assert play(laptop, sites) == [f"{SERVER}: reload service {UNIT}"]
    is_kept_away(laptop, ask)


def test_rules_of_an_administrator_stay(laptop: Laptop, sites: list[dict[str, Any]], ask: Ask) -> None:
    assert laptop.on(SERVER, "nft add table inet theirs")[0] == 0
    try:
        changed = play(laptop, [*sites[:2], {**sites[2], "instance_metadata": False}])
        assert changed == [f"{SERVER}: reload service {UNIT}", f"{SERVER}: update file /etc/groundwork/metadata.nft"]
        assert not ask("asking")["token"]
        assert play(laptop, sites) == changed
        is_kept_away(laptop, ask)
        assert laptop.on(SERVER, "nft list tables")[1].split("\n") == [
            "table inet theirs",
            "table inet groundwork_metadata",
        ]
    finally:
        laptop.on(SERVER, "nft delete table inet theirs")


def test_rules_of_an_administrators_own_service_do_not_remove_it(laptop: Laptop, server: str, ask: Ask) -> None:
    """Debian's configuration of nftables.service begins with `flush ruleset`."""
    try:
        for command in ("start", "reload", "restart", "stop"):
            assert laptop.on(server, f"systemctl {command} nftables")[0] == 0
            is_kept_away(laptop, ask)
    finally:
        assert laptop.on(server, "systemctl stop nftables")[0] == 0


def test_nothing_runs_without_the_rules(laptop: Laptop, sites: list[dict[str, Any]], ask: Ask) -> None:
    assert laptop.on(SERVER, f"systemctl stop {UNIT} && {ACTIVE}; echo")[1].split() == ["inactive"] * 3
    started = [f"{SERVER}: start service {name}" for name in ("apache2", UNIT, FPM)]
    assert play(laptop, sites) == started
    is_kept_away(laptop, ask)
