"""The whole lab end to end: boto3 builds a site, hosts answer, packets are routed correctly, nothing remains."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import pytest

pytestmark = pytest.mark.lab

SEEN_AS = """
import socketserver
class Handler(socketserver.BaseRequestHandler):
    def handle(self):
        self.request.recv(4096)
        body = self.client_address[0]
        self.request.sendall(f"HTTP/1.0 200 OK\\r\\n\\r\\n{body}".encode())
server = socketserver.TCPServer(("198.18.0.20", 8080), Handler)
print("listening", flush=True)
server.serve_forever()
"""


class Lab(Protocol):
    name: str
    state: Path

    def __call__(self, *argv: str, check: bool = ..., **options: Any) -> subprocess.CompletedProcess[str]: ...
    def inside(self, *argv: str, part: str = ..., **options: Any) -> subprocess.CompletedProcess[str]: ...
    def start_inside(self, *argv: str, part: str) -> subprocess.Popen[str]: ...
    def status(self) -> dict[str, Any]: ...
    def traces(self) -> list[str]: ...


Ssh = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("key") / "id"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path


@pytest.fixture(scope="module")
def site(lab: Lab, key: Path) -> dict[str, Any]:
    script = Path(__file__).with_name("build_site.py")
    built = lab.inside(sys.executable, str(script), f"{key}.pub")
    found: dict[str, Any] = json.loads(built.stdout)
    return found


@pytest.fixture(scope="module")
def ssh(lab: Lab, site: dict[str, Any], key: Path) -> Ssh:
    """Return a function that runs a command on a tier's server. Host keys come from the consoles and are checked."""
    known = key.with_name("known_hosts")
    public, private = site["servers"]["public"], site["servers"]["private"]
    keys = [(public["public_ip"], host_key(lab, "public-1")), (private["private_ip"], host_key(lab, "private-1"))]
    known.write_text("".join(f"{address} {each}\n" for address, each in keys))
    common = ["ssh", "-i", str(key), "-o", f"UserKnownHostsFile={known}", "-o", "StrictHostKeyChecking=yes"]
    common += ["-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-F", "none"]
    jump = f"{' '.join(common)} -W %h:%p admin@{public['public_ip']}"
    ways = {
        "public": [*common, f"admin@{public['public_ip']}"],
        "private": [*common, "-o", f"ProxyCommand={jump}", f"admin@{private['private_ip']}"],
    }
    return lambda tier, *argv, **options: lab.inside(*ways[tier], *argv, **options)


def host_key(lab: Lab, name: str) -> str:
    """Return the host's ed25519 key, which cloud-init writes to the console at the end of the first boot."""
    found: list[str] = []

    def told() -> bool:
        found.extend(re.findall(r"^ssh-ed25519 AAAA\S+", lab("console", name).stdout, re.MULTILINE))
        return bool(found)

    assert eventually(30, told), f"no host key in the console of {name}"
    return found[0]


@pytest.fixture
def witness(lab: Lab) -> Any:
    """Run a server on the internet that answers each client with the client's address."""
    process = lab.start_inside(sys.executable, "-c", SEEN_AS, part="visitor")
    assert process.stdout is not None
    assert process.stdout.readline() == "listening\n"
    yield "http://198.18.0.20:8080/"
    process.terminate()
    process.wait()


def eventually(seconds: float, predicate: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if predicate():
            return True
    return False


def test_an_unknown_program_and_exit_codes_pass_through(lab: Lab) -> None:
    assert lab.inside("sh", "-c", "exit 7", check=False).returncode == 7
    assert lab.inside("no-such-program", check=False).returncode == 127


def test_a_second_up_changes_nothing(lab: Lab) -> None:
    assert "is already up" in lab("up").stdout


def test_hosts_are_reached_with_keys_from_their_consoles(site: dict[str, Any], ssh: Ssh) -> None:
    for tier, server in site["servers"].items():
        assert ssh(tier, "hostname", "-I").stdout.split() == [server["private_ip"]]


def test_names_resolve_inside_and_outside(lab: Lab, site: dict[str, Any], ssh: Ssh) -> None:
    public, private = site["servers"]["public"], site["servers"]["private"]
    assert lab.inside("getent", "hosts", public["public_name"]).stdout.split()[0] == public["public_ip"]
    assert ssh("public", "getent", "hosts", private["private_name"]).stdout.split()[0] == private["private_ip"]


def test_each_host_is_seen_with_the_right_address(site: dict[str, Any], ssh: Ssh, witness: str) -> None:
    public = site["servers"]["public"]["public_ip"]
    assert ssh("public", "curl", "-s", "-m", "10", witness).stdout == public
    assert ssh("private", "curl", "-s", "-m", "10", witness).stdout == site["nat_address"]


def test_the_balancer_spreads_requests_over_both(lab: Lab, site: dict[str, Any]) -> None:
    url = f"http://{site['balancer']}/"
    answers = {lab.inside("curl", "-sf", "-m", "10", url, part="visitor").stdout.strip() for _ in range(6)}
    assert len(answers) == 2


def test_a_connection_from_before_reaches_no_server_that_has_left(lab: Lab, site: dict[str, Any]) -> None:
    script = Path(__file__).with_name("keep_connections.py")
    public = site["servers"]["public"]["id"]
    told = json.loads(lab.inside(sys.executable, str(script), site["balancer"], public).stdout)
    assert {status for status, _ in (*told["before"], *told["after"])} == {200}
    assert len({host for _, host in told["before"]}) == 2
    assert len({host for _, host in told["after"]}) == 1
    assert all(told["kept"]), "it was not told to open another connection meanwhile"


def test_only_the_balancer_reaches_the_web_port(lab: Lab, site: dict[str, Any]) -> None:
    address = site["servers"]["public"]["public_ip"]
    assert lab.inside("curl", "-s", "-m", "2", f"http://{address}/", check=False).returncode == 28


def test_a_host_filters_its_packets_by_user(site: dict[str, Any], ssh: Ssh) -> None:
    install = "apt-get -qq update && apt-get -qq install -y --no-install-recommends nftables >/dev/null"
    rules = (
        "add table inet own; "
        "add chain inet own output { type filter hook output priority filter; }; "
        "add rule inet own output meta skuid nobody ip daddr 169.254.169.254 reject"
    )
    url = "http://169.254.169.254/"
    asking = f"curl -s -m 5 -o /dev/null -w '%{{exitcode}} ' {url}"
    script = f'{install} && nft "{rules}" && {{ runuser -u nobody -- {asking}; {asking}; nft delete table inet own; }}'
    assert ssh("public", "sudo", "sh", "-c", shlex.quote(script)).stdout.split() == ["7", "0"]


def test_status_tells_what_there_is(lab: Lab, site: dict[str, Any]) -> None:
    status = lab.status()
    assert status["errors"] == {}
    assert [(host["name"], host["state"], host["reachable"]) for host in status["hosts"]] == [
        ("private-1", "running", True),
        ("public-1", "running", True),
    ]
    targets = status["balancers"][0]["target_groups"][0]["targets"]
    assert {target["state"] for target in targets} == {"healthy"}
    assert site["balancer"] in lab("status").stdout


def test_a_revoked_rule_cuts_new_connections_within_two_seconds(lab: Lab, site: dict[str, Any]) -> None:
    address = site["servers"]["public"]["public_ip"]

    def reached() -> bool:
        return lab.inside(sys.executable, "-c", CONNECT, address, check=False).returncode == 0

    assert reached()
    lab.inside(sys.executable, "-c", REVOKE, site["web_group"], "revoke")
    try:
        assert eventually(2, lambda: not reached())
    finally:
        lab.inside(sys.executable, "-c", REVOKE, site["web_group"], "authorize")
    assert eventually(5, reached)


CONNECT = "import socket, sys; socket.create_connection((sys.argv[1], 22), timeout=0.5)"

REVOKE = """
import sys, boto3
ec2 = boto3.client("ec2")
change = getattr(ec2, f"{sys.argv[2]}_security_group_ingress")
change(GroupId=sys.argv[1], IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0")
"""

DESCRIBE = """
import boto3, botocore.config
config = botocore.config.Config(retries={"max_attempts": 0})
boto3.client("ec2", config=config).describe_vpcs()
"""


def test_refused_calls_stop_nothing(lab: Lab, site: dict[str, Any]) -> None:
    public = site["servers"]["public"]
    script = Path(__file__).with_name("wrong_calls.py")
    made = lab.inside(sys.executable, str(script), public["subnet"], site["web_group"]).stdout.strip()

    def is_up() -> bool:
        return any(host["reachable"] for host in lab.status()["hosts"] if host["id"] == made)

    assert eventually(60, is_up)
    found = lab.status()
    assert (found["errors"], found["unreadable"]) == ({}, [])
    assert lab.inside("curl", "-sf", f"http://{site['balancer']}/").stdout.strip() != ""


def test_calls_are_counted(lab: Lab, site: dict[str, Any]) -> None:
    lab("calls", "--reset")
    lab.inside(sys.executable, "-c", DESCRIBE)
    assert json.loads(lab("calls", "--json", "--reset").stdout) == {"calls": {"ec2": {"DescribeVpcs": 1}}, "writes": {}}


def test_faults_strike_and_clear(lab: Lab, site: dict[str, Any]) -> None:
    lab("faults", "set", "--service", "ec2", "--operation", "Describe*", "--error", "RequestLimitExceeded")
    struck = lab.inside(sys.executable, "-c", DESCRIBE, check=False)
    lab("faults", "clear")
    assert "RequestLimitExceeded" in struck.stderr
    lab.inside(sys.executable, "-c", DESCRIBE)


def test_a_killed_daemon_leaves_a_lab_that_down_clears(lab: Lab, site: dict[str, Any]) -> None:
    """Run as the last test, because it ends the lab."""
    os.kill(lab.status()["pid"], signal.SIGKILL)
    assert eventually(5, lambda: lab("status", check=False).returncode == 3)
    refused = lab("up", check=False)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "`groundwork-lab down`" in refused.stderr
    assert "is removed" in lab("down").stdout
    assert lab.traces() == []
    assert "does not exist" in lab("down").stdout
