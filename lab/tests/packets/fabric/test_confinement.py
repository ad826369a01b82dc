"""The rights of a host: all in the network namespace of its interface, none in another one. Requires root.

The programs run as `launch.py` starts systemd-nspawn: with all capabilities of the interface's user namespace.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from groundwork_lab.journal import Journal
from groundwork_lab.model import World
from groundwork_lab.plane.fabric import Fabric
from groundwork_lab.plane.fabric.routing import DNS_MARK
from groundwork_lab.plane.hosts import launch
from groundwork_lab.processes import NETNS, in_namespace, listen
from groundwork_lab.settings import VISITOR, Settings

pytestmark = pytest.mark.lab

Run = Callable[..., subprocess.CompletedProcess[str]]

CONNECT = """
import socket, sys
try:
    with socket.create_connection((sys.argv[1], int(sys.argv[2])), 2, source_address=(sys.argv[3], 0)):
        print("connected")
except OSError as error:
    print(type(error).__name__)
"""

# The router is the other end of the link of `eth0`, which rtnetlink can name: linux/rtnetlink.h, linux/if_link.h.
ASK_ROUTER = """
import json, os, socket, struct, subprocess, sys
GET, SET, DELETE = 18, 16, 17  # RTM_GETLINK, RTM_NEWLINK, RTM_DELLINK
TARGET_NETNSID = 46
shown = subprocess.run(["ip", "-json", "link", "show", "eth0"], capture_output=True, check=True)
[eth0] = json.loads(shown.stdout)
def ask(kind, change=0):
    link = struct.pack("=BxHiII", 0, 0, eth0["link_index"], 0, change)
    target = struct.pack("=HHI", 8, TARGET_NETNSID, eth0["link_netnsid"])
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as netlink:
        netlink.send(struct.pack("=IHHII", 16 + len(link + target), kind, 5, 1, 0) + link + target)
        answer = netlink.recv(65536)
    if struct.unpack_from("=H", answer, 4) != (2,):  # NLMSG_ERROR
        return "shown"
    return os.strerror(-struct.unpack_from("=i", answer, 16)[0])
print(ask(GET), ask(SET, change=1), ask(DELETE), sep=", ")
"""


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, world: World) -> Iterator[Settings]:
    state = tmp_path_factory.mktemp("state")
    settings = Settings("confined", state, state)
    with closing(Fabric(settings, Journal(settings.journal))) as fabric:
        fabric.start()
        fabric.reconcile(world)
        yield settings


@pytest.fixture
def serve(settings: Settings) -> Iterator[Callable[[str, str, int], None]]:
    """Return a function that listens in a namespace: the kernel accepts the connections."""
    servers = []
    yield lambda place, address, port: servers.append(listen(settings.namespace(place), address, port))
    for server in servers:
        server.close()


@pytest.fixture
def host(settings: Settings, tmp_path: Path) -> Run:
    """Return a function that runs a program as root of the host with an interface, with `inside` in its namespace."""

    def run(*argv: str, interface: str = "eni-web1") -> subprocess.CompletedProcess[str]:
        place = f"--net={NETNS / settings.namespace(interface)}"
        launcher = [sys.executable, "-I", "-S", launch.__file__, str(tmp_path), str(tmp_path)]
        return subprocess.run(["nsenter", place, *launcher, *argv], capture_output=True, text=True, check=False)

    return run


def script(*commands: str) -> tuple[str, ...]:
    return ("sh", "-ec", "\n".join(commands))


def connecting(address: object, port: int, *, source: str = "", user: int | None = None) -> str:
    """Return the shell command that prints whether a connection can be opened."""
    switch = f"setpriv --reuid={user} --clear-groups " if user else ""
    return f"{switch}{sys.executable} -I -S -c '{CONNECT}' {address} {port} '{source}'"


def test_a_host_filters_its_packets_by_user(host: Run, serve: Callable[[str, str, int], None]) -> None:
    serve("visitor", str(VISITOR), 8000)
    rule = f"add rule inet own output meta skuid 33 ip daddr {VISITOR} reject"
    ran = host(
        *script(
            "nft 'add table inet own; add chain inet own output { type filter hook output priority 0; }'",
            connecting(VISITOR, 8000, user=33),
            f"nft '{rule}'",
            connecting(VISITOR, 8000, user=33),
            connecting(VISITOR, 8000),
        )
    )
    assert (ran.stdout.split(), ran.stderr) == (["connected", "ConnectionRefusedError", "connected"], "")


def test_a_host_that_boots_again_has_no_filters(host: Run) -> None:
    assert host("nft", "add table inet own").returncode == 0
    assert host("nft", "list", "ruleset").stdout == ""


def test_files_keep_their_owners(host: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ran = host(*script(f"chown 33:0 {tmp_path}/file", f"stat --format=%u:%g {tmp_path}/file"))
    assert (ran.stdout, ran.stderr) == ("33:0\n", "")
    assert (tmp_path / "file").stat().st_uid == 33


def test_a_link_on_its_disk_leads_nowhere(host: Run, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "dev").symlink_to(tmp_path / "outside")
    ran = host("true")
    assert ran.returncode != 0
    assert f"Too many levels of symbolic links: '{tmp_path}/dev'" in ran.stderr
    assert list((tmp_path / "outside").iterdir()) == []


def test_a_host_sees_no_process_of_the_machine(host: Run, tmp_path: Path) -> None:
    """Test the /proc below the one that systemd-nspawn mounts."""
    ran = host(*script(f"cd {tmp_path}", "ls dev/shm | grep -c '^[0-9]'"))
    assert (ran.stdout, ran.stderr) == ("0\n", "")


@pytest.mark.parametrize("other", ["vpc-1", "eni-web2", "igw-1", "internet", "aws", "laptop"])
def test_a_host_enters_no_other_network_namespace(settings: Settings, host: Run, other: str) -> None:
    ran = host("nsenter", f"--net={NETNS / settings.namespace(other)}", "true")
    assert (ran.returncode, ran.stderr.strip().rpartition(": ")[2]) == (1, "Operation not permitted")


def test_a_host_moves_no_device_to_another_network_namespace(settings: Settings, host: Run) -> None:
    there = NETNS / settings.namespace("vpc-1")
    ran = host(*script("ip link add own type veth peer name other", f"ip link set own netns {there}"))
    assert ran.returncode != 0
    assert "Operation not permitted" in ran.stderr
    assert host("ip", "link", "delete", "own").returncode == 0


def test_a_host_neither_sees_nor_changes_the_router_behind_its_link(host: Run) -> None:
    assert host(sys.executable, "-I", "-S", "-c", ASK_ROUTER).stdout == (
        "Permission denied, Operation not permitted, Permission denied\n"
    )


def test_root_of_the_machine_would_see_the_router_behind_the_link(settings: Settings) -> None:
    """Test that the question of the test above is the right one, without the change and the deletion."""
    asking = ASK_ROUTER.replace('print(ask(GET), ask(SET, change=1), ask(DELETE), sep=", ")', "print(ask(GET))")
    argv = [sys.executable, "-I", "-S", "-c", asking]
    ran = in_namespace(
        settings.namespace("eni-web1"), lambda: subprocess.run(argv, capture_output=True, text=True, check=False)
    )
    assert (ran.stdout, ran.stderr) == ("shown\n", "")


COUNT = """
add table ip count
add counter ip count received
add chain ip count input { type filter hook input priority -200; }
add rule ip count input tcp dport 3306 counter name received
"""


@pytest.fixture
def received(settings: Settings) -> Iterator[Callable[[], int]]:
    """Return a function that returns how many packets for port 3306 the host of `eni-app2` has received."""

    def nft(*argv: str, text: str = "") -> str:
        inside = ["nsenter", f"--net={NETNS / settings.namespace('eni-app2')}", "nft", *argv]
        return subprocess.run(inside, input=text, capture_output=True, text=True, check=True).stdout

    nft("--file", "-", text=COUNT)
    yield lambda: int(
        json.loads(nft("--json", "list", "counter", "ip", "count", "received"))["nftables"][1]["counter"]["packets"]
    )
    nft("delete", "table", "ip", "count")


@pytest.mark.parametrize(
    ("attempt", "source"),
    [
        pytest.param("nft flush ruleset", "", id="no filters"),
        pytest.param(
            f"nft 'add table ip own; add chain ip own output {{ type route hook output priority 0; }}; "
            f"add rule ip own output meta mark set {DNS_MARK}'",
            "",
            id="the mark of the name server",
        ),
        pytest.param("ip address add 10.0.0.11/32 dev eth0", "10.0.0.11", id="the address of a member"),
    ],
)
def test_a_host_does_not_get_around_a_security_group(
    host: Run, serve: Callable[[str, str, int], None], received: Callable[[], int], attempt: str, source: str
) -> None:
    """Test with a server that accepts port 3306 from `web`, and a host that does not belong to `web`."""
    serve("eni-app2", "10.0.10.22", 3306)
    tried = host(*script(attempt, connecting("10.0.10.22", 3306, source=source)), interface="eni-app1")
    if source:
        host("ip", "address", "delete", f"{source}/32", "dev", "eth0", interface="eni-app1")
    assert (tried.stdout, tried.stderr, received()) == ("TimeoutError\n", "", 0)
    assert host(*script(connecting("10.0.10.22", 3306))).stdout == "connected\n"
    assert received() > 0


def test_a_host_with_the_address_of_another_one_gets_none_of_its_packets(
    host: Run, serve: Callable[[str, str, int], None]
) -> None:
    serve("eni-web2", "10.0.0.12", 80)
    took = host(*script("ip address add 10.0.0.12/32 dev eth0", "ip neighbour flush dev eth0"), interface="eni-web3")
    try:
        assert took.returncode == 0
        assert host(*script(connecting("10.0.0.12", 80))).stdout == "connected\n"
    finally:
        host("ip", "address", "delete", "10.0.0.12/32", "dev", "eth0", interface="eni-web3")
