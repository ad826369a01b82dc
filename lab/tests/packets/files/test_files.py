"""Files on several servers: NFS from hosts' namespaces to mount targets, through the fabric. Requires root.

A host mounts as in its image: with the package of `mount.nfs4`, in the user namespace of its interface.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from ipaddress import IPv4Address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from groundwork_lab.journal import Journal
from groundwork_lab.model import FileSystem, Interface, MountTarget, SecurityGroup, SecurityGroupRule, World
from groundwork_lab.plane import hosts
from groundwork_lab.plane.fabric import Fabric
from groundwork_lab.plane.files import FileServers
from groundwork_lab.processes import NETNS
from groundwork_lab.settings import Settings

pytestmark = pytest.mark.lab

PATIENCE = 20.0  # seconds for an answer of a host
FIRST, SECOND = IPv4Address("10.0.0.40"), IPv4Address("10.0.1.40")
OPTIONS = "nfsvers=4.1,rsize=1048576,wsize=1048576,hard,timeo=600,retrans=2,noresvport,_netdev,retry=0"

# What a host runs: it enters its user namespace, and executes what it is told. `run` does so in a process of its own.
HOST = """
import ctypes, fcntl, json, os, signal, subprocess, sys, time, traceback
libc = ctypes.CDLL(None, use_errno=True)
with open("/proc/self/ns/net", "rb") as network:
    users = fcntl.ioctl(network, 0xB701)  # NS_GET_USERNS
assert libc.setns(users, 0x10000000) == 0 and libc.unshare(0x00020000) == 0
assert libc.mount(None, b"/", None, 0x44000, None) == 0  # private
sys.path.insert(0, sys.argv[1])
from nfs.mount import main
def mount(source, options):
    return main([source, sys.argv[2], "-o", options])
def run(code, uid=0):
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        answer = ""
        try:
            os.setgroups([]), os.setgid(uid), os.setuid(uid)
            answer = repr(eval(code, names))
        except BaseException as error:
            answer = type(error).__name__
        os.write(writing, answer.encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told:
        answer = told.read()
    os.waitpid(child, 0)
    return answer
names = globals()
os.umask(0o022)
for line in sys.stdin:
    try:
        answer = {"value": eval(compile(json.loads(line), "told", "eval"), names)}
    except OSError as error:
        answer = {"error": type(error).__name__}
    except BaseException:
        answer = {"failure": traceback.format_exc()}
    print(json.dumps(answer), flush=True)
"""


@dataclass
class Host:
    """A host in the namespace of an interface. `folder` is where it mounts."""

    process: subprocess.Popen[str]
    folder: Path

    def send(self, code: str) -> None:
        assert self.process.stdin is not None
        print(json.dumps(code.replace("@", f"{self.folder}/")), file=self.process.stdin, flush=True)

    def answer(self, patience: float = PATIENCE) -> Any:
        """Return the value of what was sent, or the name of its error."""
        assert self.process.stdout is not None
        assert select.select([self.process.stdout], [], [], patience)[0], "The host does not answer."
        told = json.loads(self.process.stdout.readline())
        assert "failure" not in told, told["failure"]
        return told.get("error") or told["value"]

    def does(self, code: str) -> Any:
        """Return the value of an expression on the host: `@` is its mounted folder."""
        self.send(code)
        return self.answer()

    def writes(self, name: str, text: str) -> None:
        assert self.does(f"open('@{name}', 'w').write({text!r})") == len(text)

    def reads(self, name: str) -> Any:
        return self.does(f"open('@{name}').read()")


@dataclass
class Site:
    """A file system with a mount target in each of two zones."""

    settings: Settings
    fabric: Fabric
    servers: FileServers
    world: World
    stack: ExitStack
    tmp: Path

    def apply(self, world: World) -> None:
        self.world = world
        self.fabric.reconcile(world)
        self.servers.reconcile(world)

    def host(self, interface: str) -> Host:
        folder = self.tmp / f"{interface}-{time.monotonic_ns()}"
        folder.mkdir()
        package = Path(hosts.__file__).parent
        namespace = NETNS / self.settings.namespace(interface)
        argv = ["nsenter", f"--net={namespace}", sys.executable, "-c", HOST, str(package), str(folder)]
        process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.stack.callback(self._end, process)
        return Host(process, folder)

    def _end(self, process: subprocess.Popen[str]) -> None:
        """End a host, and with its mount namespace the process that serves its mount."""
        process.kill()
        process.communicate()

    def mounted(self, interface: str, address: IPv4Address, options: str = OPTIONS) -> Host:
        host = self.host(interface)
        assert host.does(f"mount('{address}:/', '{options}')") == 0
        return host

    def server(self, number: int) -> int:
        """Return the pid of a mount target's server."""
        return self.servers._servers[f"fsmt-{number}"].pid


def with_files(world: World) -> World:
    """Return the `World` with a file system that the servers `web` may use."""
    targets = {}
    for number, (subnet, address) in enumerate((("subnet-a", FIRST), ("subnet-c", SECOND)), start=1):
        targets[f"eni-files{number}"] = Interface(
            id=f"eni-files{number}",
            vpc_id="vpc-1",
            subnet_id=subnet,
            mac=f"02:00:00:00:01:{number:02x}",
            private_ip=address,
            public_ip=None,
            security_group_ids=("sg-files",),
            source_dest_check=True,
            owner="mount-target",
            owner_id=f"fsmt-{number}",
        )
    return replace(
        world,
        interfaces={**world.interfaces, **targets},
        security_groups={**world.security_groups, "sg-files": files_group(2049)},
        file_systems={
            "fs-1": FileSystem("fs-1", (MountTarget("fsmt-1", "eni-files1"), MountTarget("fsmt-2", "eni-files2")))
        },
    )


def files_group(port: int) -> SecurityGroup:
    ingress = SecurityGroupRule("tcp", port, port, group_ids=("sg-web",))
    return SecurityGroup("sg-files", "vpc-1", "files", ingress=(ingress,), egress=())


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory, world: World) -> Iterator[Site]:
    state = tmp_path_factory.mktemp("state")
    settings = Settings("files", state, state)
    journal = Journal(settings.journal)
    with ExitStack() as stack:
        fabric = stack.enter_context(closing(Fabric(settings, journal)))
        fabric.start()
        servers = stack.enter_context(closing(FileServers(settings, journal)))
        mounts = Path(stack.enter_context(TemporaryDirectory()))
        mounts.chmod(0o755)  # other users than root use the mounts too
        site = Site(settings, fabric, servers, world, ExitStack(), mounts)
        site.apply(with_files(world))
        yield site


@pytest.fixture
def site(plane: Site, world: World) -> Iterator[Site]:
    with ExitStack() as stack:
        plane.stack = stack
        plane.apply(with_files(world))
        yield plane


@pytest.fixture
def pair(site: Site) -> tuple[Host, Host]:
    """Return two hosts, in two zones, which use two mount targets."""
    return site.mounted("eni-web1", FIRST), site.mounted("eni-web3", SECOND)


def test_what_one_host_writes_another_one_reads(pair: tuple[Host, Host]) -> None:
    one, two = pair
    for number in range(30):  # each time with other content: nothing is remembered too long after an `open`
        one.writes("page", "x" * number)
        assert two.reads("page") == "x" * number
    size = 5_000_000
    assert one.does(f"open('@big', 'wb').write(bytes(range(250)) * {size // 250})") == size
    assert two.does(f"open('@big', 'rb').read() == bytes(range(250)) * {size // 250}") is True
    one.does("[open('@big', 'r+b').truncate(10), os.unlink('@page')]")
    assert two.does("os.stat('@big').st_size if open('@big') else 0") == 10
    assert two.reads("page") == "FileNotFoundError"


def test_folders_names_and_attributes(pair: tuple[Host, Host]) -> None:
    one, two = pair
    one.does("[os.makedirs('@a/b'), os.mkdir('@c')]")
    one.writes("a/b/file", "1")
    one.does("[os.rename('@a/b/file', '@c/moved'), os.symlink('moved', '@c/link'), os.link('@c/moved', '@c/hard')]")
    assert two.does("sorted(os.listdir('@c'))") == ["hard", "link", "moved"]
    assert two.does("[open('@c/link').read(), os.readlink('@c/link'), os.stat('@c/hard').st_nlink]") == [
        "1",
        "moved",
        2,
    ]
    one.does("[os.chmod('@c/moved', 0o640), os.chown('@c/moved', 1234, 4321), os.utime('@c/moved', (1, 2))]")
    two.does("globals().update(f=open('@c/moved'))")
    told = "[(each.st_mode, each.st_uid, each.st_gid, each.st_mtime) for each in [os.fstat(f.fileno())]][0]"
    assert two.does(told) == [0o100640, 1234, 4321, 2.0]
    assert two.does("os.rmdir('@a')") == "OSError"  # it has a folder
    assert two.does("[os.rmdir('@a/b'), os.rmdir('@a'), os.path.exists('@a')]") == [None, None, False]
    many = 700
    one.does(f"[os.mkdir('@c/%d' % number) for number in range({many})]")
    assert two.does("len(set(os.listdir('@c')))") == many + 3
    assert two.does("os.statvfs('@').f_blocks > 0") is True


def test_a_name_is_taken_once(pair: tuple[Host, Host]) -> None:
    """A server that comes second finds out, also if it has just looked and seen nothing."""
    one, two = pair
    assert two.does("os.path.exists('@taken') or os.path.exists('@folder')") is False
    one.does("open('@.one', 'w').write('one') and os.link('@.one', '@taken')")
    two.writes(".two", "two")
    assert two.does("os.link('@.two', '@taken')") == "FileExistsError"
    assert two.reads("taken") == "one"
    one.does("os.makedirs('@.first/x') or os.rename('@.first', '@folder')")
    two.does("os.mkdir('@.second')")
    assert two.does("os.rename('@.second', '@folder')") == "OSError"
    assert two.does("os.listdir('@folder')") == ["x"]


def test_the_server_decides_by_user_and_group(pair: tuple[Host, Host]) -> None:
    one, two = pair
    one.does("[os.mkdir('@own'), os.chown('@own', 2000, 2000)]")
    assert (
        one.does("run(\"open('@own/secret', 'x', opener=lambda n, f: os.open(n, f, 0o600)).write('s')\", 2000)") == "1"
    )
    assert two.does("run(\"open('@own/secret').read()\", 2000)") == "'s'"
    assert two.does("run(\"open('@own/secret').read()\", 2001)") == "PermissionError"
    assert two.does("run(\"open('@own/new', 'w')\", 2001)") == "PermissionError"
    assert two.does("[os.stat('@own/secret').st_uid, os.stat('@own/secret').st_gid]") == [2000, 2000]
    assert one.does("run(\"os.write(os.open('@own/ro', os.O_CREAT | os.O_WRONLY, 0o444), b'abc')\", 2000)") == "3"


@pytest.mark.parametrize("how", ["flock", "lockf"])
def test_locks_of_one_host_hold_on_another(pair: tuple[Host, Host], how: str) -> None:
    one, two = pair
    one.writes("lock", "")
    take = f"globals().update(f=open('@lock', 'r+')) or fcntl.{how}(f, fcntl.LOCK_EX | fcntl.LOCK_NB)"
    assert one.does(take) is None
    assert two.does(take) == "BlockingIOError"
    two.send(f"fcntl.{how}(f, fcntl.LOCK_EX)")  # waits
    one.does("f.close()")
    assert two.answer() is None
    assert one.does(take) == "BlockingIOError"
    count = f"""[[fcntl.{how}(h, fcntl.LOCK_EX), h.write(str(int(h.read() or 0) + 1).ljust(4)) if not h.seek(0) else 0,
        h.flush(), h.close()] and None for _ in range(40) for h in [Counter('@count')]]"""
    counter = """globals().update(Counter=type('Counter', (), {
        '__init__': lambda s, n: setattr(s, 'd', os.open(n, os.O_RDWR | os.O_CREAT)), 'fileno': lambda s: s.d,
        'seek': lambda s, n: os.lseek(s.d, n, 0), 'read': lambda s: os.pread(s.d, 9, 0).decode(),
        'write': lambda s, t: os.pwrite(s.d, t.encode(), 0), 'flush': lambda s: None,
        'close': lambda s: os.close(s.d)}))"""
    for each in pair:
        each.does(counter)
    one.does("os.path.exists('@count') and os.unlink('@count')")
    for each in pair:
        each.send(count)
    for each in pair:
        each.answer()
    assert one.reads("count").strip() == "80"


def test_appends_of_two_hosts_are_all_kept(pair: tuple[Host, Host]) -> None:
    one, two = pair
    for host in (one, two, one):
        host.does("[open('@log', 'a').write('line\\n') for _ in range(20)] and None")
    assert two.reads("log") == "line\n" * 60


def test_an_open_file_outlives_its_name(pair: tuple[Host, Host]) -> None:
    one, two = pair
    one.writes("open", "old")
    one.writes("new", "new")
    one.does("globals().update(f=open('@open')) or os.rename('@new', '@open')")
    assert one.does("[f.read(), open('@open').read()]") == ["old", "new"]
    assert two.reads("open") == "new"
    one.does("f.close() or globals().update(f=open('@open')) or os.unlink('@open')")
    assert one.does("[f.read(), f.close()]") == ["new", None]
    deadline = time.monotonic() + PATIENCE
    while two.does("[each for each in os.listdir('@') if each.startswith('.nfs')]"):
        assert time.monotonic() < deadline, "A hidden file is left."


def test_a_security_group_without_the_port_closes_it(site: Site) -> None:
    assert site.host("eni-app1").does(f"mount('{FIRST}:/', '{OPTIONS}')") == 32
    site.apply(replace(site.world, security_groups={**site.world.security_groups, "sg-files": files_group(2050)}))
    assert site.host("eni-web1").does(f"mount('{FIRST}:/', '{OPTIONS}')") == 32
    site.apply(replace(site.world, security_groups={**site.world.security_groups, "sg-files": files_group(2049)}))
    assert site.host("eni-web1").does(f"mount('{FIRST}:/', '{OPTIONS}')") == 0


def test_a_soft_mount_fails_after_its_bound(site: Site) -> None:
    host = site.mounted("eni-web1", FIRST, "soft,timeo=10,retrans=1,retry=0,noac")
    host.writes("file", "1")
    os.kill(site.server(1), signal.SIGSTOP)
    try:
        began = time.monotonic()
        assert host.does("os.stat('@file')") == "TimeoutError"
        assert 1.5 < time.monotonic() - began < 10
    finally:
        os.kill(site.server(1), signal.SIGCONT)
    assert host.reads("file") == "1"


def test_a_hard_mount_waits_and_can_be_killed(site: Site) -> None:
    host = site.mounted("eni-web1", FIRST, OPTIONS + ",noac")
    host.writes("file", "1")
    os.kill(site.server(1), signal.SIGSTOP)
    try:
        waiting = "globals().update(p=subprocess.Popen(['cat', '@file'], stdout=subprocess.DEVNULL))"
        host.does(waiting + " or time.sleep(2)")
        assert host.does("p.poll()") is None
        assert host.does("p.kill() or p.wait(5)") == -signal.SIGKILL
        host.does(waiting)
    finally:
        os.kill(site.server(1), signal.SIGCONT)
    assert host.does("p.wait(15)") == 0


def test_an_unmount_by_force_ends_what_waits(site: Site) -> None:
    host = site.mounted("eni-web1", FIRST, OPTIONS + ",noac")
    host.writes("file", "1")
    os.kill(site.server(1), signal.SIGSTOP)
    try:
        waiting = "subprocess.Popen(['cat', '@file'], stdout=subprocess.DEVNULL)"
        host.does(f"globals().update(p={waiting}) or time.sleep(2)")
        assert host.does("p.poll()") is None
        force = ["umount", "--force", "--lazy", "--no-canonicalize", "--internal-only"]
        assert host.does(f"subprocess.run([*{force}, sys.argv[2]]).returncode") == 0
        assert host.does("p.wait(10)") == 1
        assert host.does("os.listdir('@')") == []
    finally:
        os.kill(site.server(1), signal.SIGCONT)
    assert host.does(f"mount('{FIRST}:/', '{OPTIONS}')") == 0
    assert host.reads("file") == "1"


def test_a_server_that_ended_is_started_and_locks_are_kept(site: Site, pair: tuple[Host, Host]) -> None:
    one, two = pair
    one.writes("lock", "x")
    take = "globals().update(f=open('@lock', 'r+')) or fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)"
    assert one.does(take) is None
    ended = site.servers._servers["fsmt-1"]
    ended.kill()
    ended.wait()
    one.send("open('@lock').read()")
    site.apply(site.world)
    assert one.answer() == "x"
    assert two.does(take) == "BlockingIOError"
    one.send("f.close()")
    assert two.does("globals().update(f=open('@lock', 'r+')) or fcntl.flock(f, fcntl.LOCK_EX)") is None
    assert one.answer() is None


def test_files_are_deleted_with_their_file_system(site: Site) -> None:
    folder = site.settings.state / "files"
    assert (folder.stat().st_mode & 0o777, (folder / "fs-1/data").is_dir()) == (0o700, True)
    site.apply(replace(site.world, file_systems={"fs-1": FileSystem("fs-1", ())}))
    assert (folder / "fs-1/data").is_dir()
    assert site.host("eni-web1").does(f"mount('{FIRST}:/', '{OPTIONS}')") == 32
    site.apply(replace(site.world, file_systems={}))
    assert not list(folder.iterdir())
