"""A host: a thread that applies the desired state of an instance to its machine, and reports the result."""

from __future__ import annotations

import logging
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from groundwork_lab import processes
from groundwork_lab.journal import Entry, Journal, start_time
from groundwork_lab.model import Image, Instance, InstanceState, Interface
from groundwork_lab.plane.hosts import cgroups, disks, machine, metadata
from groundwork_lab.plane.hosts.disks import Disk
from groundwork_lab.plane.hosts.layers import Layers
from groundwork_lab.plane.hosts.metadata_server import MetadataService
from groundwork_lab.ports import Reports
from groundwork_lab.settings import Settings

REBOOTED = 133  # systemd-nspawn's exit code, with --keep-unit, for a machine that reboots
REBOOT_SIGNAL = signal.SIGRTMIN + 5  # systemd(1), SIGNALS: starts reboot.target
CONSOLE_BYTES = 64 * 1024  # https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetConsoleOutput.html
GLANCE = 0.1  # seconds between polls for events that are not reported (a namespace, a listening socket)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Limits:
    """Time limits in seconds, and the number of hosts that boot at the same time."""

    boot: float = 60.0  # from the start of the machine until sshd answers
    shutdown: float = 30.0  # for an orderly shutdown; afterwards the machine is killed
    boots: int = 4


@dataclass(frozen=True)
class Wanted:
    """The desired state of a host. `gone` means terminated, `reboots` counts RebootInstances.

    `images` are to be created from its disk.
    """

    power: Literal["on", "off", "gone"]
    reboots: int
    images: tuple[Image, ...] = ()


def wanted(instance: Instance, images: Mapping[str, Image]) -> Wanted:
    """Return the desired state of a host from its instance's state and the pending images."""
    powers: dict[InstanceState, Literal["on", "off", "gone"]] = {
        "pending": "on",
        "running": "on",
        "stopping": "off",
        "stopped": "off",
        "shutting-down": "gone",
        "terminated": "gone",
    }
    captures = tuple(image for image in images.values() if image.pending and image.instance_id == instance.id)
    return Wanted(powers[instance.state], instance.reboots, captures)


@dataclass(frozen=True)
class Seen:
    """The state of a host. `reported` is the last reported state. A `held` host has ended or failed to boot.

    A held host stays off until the desired state was `off` once: a `World` from before the API knew of its end must not
    start it again.
    """

    running: bool = False
    reported: InstanceState | None = None
    held: bool = False
    reboots: int = 0
    captured: frozenset[str] = frozenset()  # images that were captured, or failed to be captured


Step = Literal["boot", "capture", "reboot", "shut down", "terminate", "wait"]


def next_step(want: Wanted, seen: Seen) -> Step:
    """Return the next step. It is determined again after each step."""
    if uncaptured(want, seen) is not None:
        return "capture"
    if want.power == "gone":
        return "terminate"
    if want.power == "off":
        return "wait" if not seen.running and seen.reported == "stopped" else "shut down"
    if seen.held:
        return "wait"
    if not seen.running:
        return "boot"
    return "reboot" if want.reboots > seen.reboots else "wait"


def uncaptured(want: Wanted, seen: Seen) -> Image | None:
    """Return the next image to create from the disk."""
    return next((image for image in want.images if image.id not in seen.captured), None)


@dataclass(frozen=True)
class Shared:
    """The objects that all hosts of a lab share."""

    settings: Settings
    journal: Journal
    reports: Reports
    metadata: MetadataService
    layers: Layers
    slots: threading.Semaphore  # limits the number of hosts that boot at the same time
    limits: Limits
    package_proxy: str | None
    authority: str = ""  # PEM: an authority that the hosts trust in addition to Debian's


class BootError(Exception):
    """A machine did not boot."""


class _SupersededError(Exception):
    """The desired state has changed."""


class _RebootedError(Exception):
    """The machine requested a reboot while it booted."""


class Host:
    """The machine of one instance. `want` and `close` can be called from any thread.

    `prepare` makes the layers of its disk before the first boot. It may take minutes, and raises BootError.
    """

    def __init__(
        self,
        shared: Shared,
        instance: Instance,
        interface: Interface,
        layers: tuple[Path, ...],
        prepare: Callable[[], None] = lambda: None,
    ) -> None:
        self._prepare = prepare
        self._shared = shared
        self._id = instance.id
        self._interface = interface
        self._folder = shared.settings.state / "instances" / instance.id
        self._disk = Disk(layers, self._folder / "disk", instance.root_gib)
        self._machine = machine.Machine(
            name=shared.settings.namespace(instance.id),
            root=self._disk.root,
            hostname=metadata.short_hostname(interface.private_ip),
        )
        self._tree = cgroups.machine_tree()
        self._seen = Seen(reboots=instance.reboots)
        self._want = wanted(instance, {})
        self._closing = False
        self._rebooting = False  # whether the next boot appends to the console log
        self._process: subprocess.Popen[bytes] | None = None
        self._start_time = 0  # start time of the process
        self._reachable = False
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._thread = threading.Thread(target=self._live, name=f"host-{instance.id}")
        self._thread.start()

    def want(self, want: Wanted) -> None:
        if want != self._want:
            self._want = want
            os.eventfd_write(self._wake, 1)

    @property
    def reachable(self) -> bool:
        """Return whether sshd has answered since the machine was last started."""
        return self._reachable

    @property
    def layers(self) -> tuple[Path, ...]:
        """Return the layers below the disk, or () if the disk is deleted."""
        return () if self.finished else self._disk.layers

    @property
    def finished(self) -> bool:
        """Return whether the host is terminated and all its processes have ended."""
        return not self._thread.is_alive()

    def close(self) -> None:
        """Kill the machine. `join` waits until it has ended."""
        self._closing = True
        os.eventfd_write(self._wake, 1)

    def join(self) -> None:
        self._thread.join()

    # -- the thread ----------------------------------------------------------------------------------------------

    def _live(self) -> None:
        steps: dict[Step, Callable[[], None]] = {
            "boot": self._boot,
            "capture": self._capture,
            "reboot": self._reboot,
            "shut down": self._shut_down,
            "wait": self._wait,
        }
        while not self._closing:
            if self._want.power != "on":
                self._seen = replace(self._seen, held=False)
            step = next_step(self._want, self._seen)
            if step == "terminate":
                self._terminate()
                return
            try:
                steps[step]()
                self._notice_end()
            except OSError as error:
                self._give_up(f"Server.InternalError: {error}")
        self._clear_away(grace=0)

    def _give_up(self, reason: str) -> None:
        """Report the instance as stopped, with the reason, and keep it stopped until the desired state is `off`."""
        _log.error("%s: %s", self._id, reason)
        self._seen = replace(self._seen, running=False, held=True)
        self._report("stopped", reason=reason)

    def _wait(self, seconds: float | None = None) -> None:
        """Wait for a change of the desired state, the end of the machine, or the end of the time."""
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        descriptor = os.pidfd_open(self._process.pid) if self._running() and self._process else None
        try:
            if descriptor is not None:
                poll.register(descriptor, select.POLLIN)
            poll.poll(None if seconds is None else seconds * 1000)
        finally:
            if descriptor is not None:
                os.close(descriptor)
        with suppress(BlockingIOError):
            os.eventfd_read(self._wake)

    def _running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _notice_end(self) -> None:
        """Handle the end of the machine: restart it if it reboots, otherwise report its instance as stopped."""
        if self._process is None or self._process.poll() is None:
            return
        code = self._process.returncode
        self._clear_away(grace=0)
        self._seen = replace(self._seen, running=False)
        if code == REBOOTED:
            self._rebooting = True
            return
        if code == 0:
            self._seen = replace(self._seen, held=True)
            self._report("stopped", reason="Client.InstanceInitiatedShutdown: Instance initiated shutdown")
        else:
            self._give_up(f"Server.InternalError: The host ended with code {code}.\n{self._tail()}")

    # -- booting -------------------------------------------------------------------------------------------------

    def _boot(self) -> None:
        """Boot, with one retry. If the host is still not up, report it as stopped with the reason."""
        if not self._slot():
            return
        try:
            self._attempts()
        finally:
            self._shared.slots.release()

    def _slot(self) -> bool:
        """Wait for permission to boot. Return False if the desired state has changed."""
        while not self._shared.slots.acquire(timeout=GLANCE):
            if self._superseded():
                return False
        return True

    def _attempts(self) -> None:
        new = not self._disk.exists
        for last in (False, True):
            try:
                if new:
                    self._prepare()
                self._attempt()
            except _SupersededError:
                return
            except (BootError, OSError) as error:
                _log.warning("%s: %s", self._id, error)
                reason = f"Server.InternalError: {error}\n{self._tail()}"
                self._clear_away(grace=0)
                if new:  # discard the result of an incomplete first boot
                    disks.delete(self._disk)
                if last:
                    self._give_up(reason)
            else:
                return

    def _attempt(self) -> None:
        """Boot once, from the namespace to sshd. Raise BootError, OSError or _SupersededError."""
        deadline = time.monotonic() + self._shared.limits.boot
        if not self._rebooting:
            self.console.unlink(missing_ok=True)
        self._rebooting = False
        namespace = processes.NETNS / self._namespace
        self._until(namespace.exists, deadline, f"its network namespace {self._namespace} does not exist")
        self._until(self._metadata_served, deadline, f"the router of {self._interface.vpc_id} does not exist")
        while True:
            self._start()
            try:
                self._until(lambda: self._leader() is not None, deadline, "its PID 1 is not running")
                self._seen = replace(self._seen, running=True, reboots=self._want.reboots)
                self._report("running")
                self._until(self._sshd_answers, deadline, "sshd does not answer")
            except _RebootedError:
                self._clear_away(grace=0)
                continue
            self._reachable = True
            self._shared.reports.instance_reachable(self._id)
            return

    def _start(self) -> None:
        """Start the machine on its disk."""
        shared = self._shared
        disks.mount(self._disk, shared.journal)
        for name, text in machine.seed_files(shared.package_proxy).items():
            machine.write_inside(self._disk.root, name, text)
        if shared.authority:
            machine.trust(self._disk.root, shared.authority)
        group = self._groups()[0]
        group.mkdir(exist_ok=True)
        shared.journal.record(Entry("folder", str(machine.mailbox(self._machine))))
        argv = machine.launch_argv(group, self._machine)
        self._process = processes.spawn(argv, shared.journal, namespace=self._namespace, log=self.console)
        self._start_time = start_time(self._process.pid) or 0

    def _until(self, ready: Callable[[], bool], deadline: float, otherwise: str) -> None:
        """Wait until `ready`. Raise BootError with the text `otherwise`, _SupersededError or _RebootedError."""
        while not ready():
            code = self._process.poll() if self._process else None
            if self._superseded():
                raise _SupersededError
            if code == REBOOTED:
                raise _RebootedError
            if code is not None:
                message = f"The host ended with code {code} while it booted."
                raise BootError(message)
            if time.monotonic() > deadline:
                message = f"Timed out after {self._shared.limits.boot:g} s waiting for the host to boot: {otherwise}."
                raise BootError(message)
            self._wait(GLANCE)

    def _superseded(self) -> bool:
        return self._closing or self._want.power != "on"

    def _metadata_served(self) -> bool:
        """Return whether the VPC's metadata service listens. cloud-init needs it."""
        try:
            self._shared.metadata.serve(self._interface.vpc_id)
        except OSError:  # the router or its address does not exist yet
            return False
        return True

    def _leader(self) -> int | None:
        """Return the pid of the machine's PID 1 on this machine when it is systemd, or None."""
        if self._process is None:
            return None
        for pid in children(self._process.pid):
            if is_systemd(pid):
                return pid
        return None

    def _sshd_answers(self) -> bool:
        return processes.in_namespace(self._namespace, ssh_banner)

    # -- capturing -----------------------------------------------------------------------------------------------

    def _capture(self) -> None:
        """Create an image of the disk. Without NoReboot, the host is shut down for it and boots again afterwards.

        https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateImage.html (NoReboot)
        """
        image = uncaptured(self._want, self._seen)
        if image is None:
            return
        failure = ""
        try:
            with self._shared.layers.making(image.id, self._disk.layers) as layer:
                if not image.no_reboot:
                    self._power_down()
                with disks.opened(self._disk, self._shared.journal):
                    disks.copy(self._disk, layer)
        except OSError as error:
            _log.exception("%s: the capture of image %s failed", self._id, image.id)
            failure = str(error)
        self._seen = replace(self._seen, captured=self._seen.captured | {image.id})
        self._shared.reports.image_captured(image.id, failure=failure)

    def _power_down(self) -> None:
        """Shut down in an orderly way. The next boot appends to the console log."""
        was_running = self._running()
        self._clear_away(grace=self._shared.limits.shutdown)
        self._seen = replace(self._seen, running=False)
        self._rebooting = self._rebooting or was_running

    # -- ending --------------------------------------------------------------------------------------------------

    def _reboot(self) -> None:
        """Reboot with the same disk and console log. Kill the machine if it does not shut down in time."""
        leader = self._leader()
        self._reachable = False
        if leader is not None:
            os.kill(leader, REBOOT_SIGNAL)
            self._gone_within(self._shared.limits.shutdown)
        self._clear_away(grace=0)
        self._seen = replace(self._seen, running=False)
        self._rebooting = True

    def _shut_down(self) -> None:
        self._clear_away(grace=self._shared.limits.shutdown)
        self._seen = replace(self._seen, running=False)
        self._report("stopped")

    def _terminate(self) -> None:
        """Power off and delete the disk. The console log is kept, because the API returns it after termination."""
        try:
            self._clear_away(grace=self._shared.limits.shutdown)
            disks.delete(self._disk)
        except OSError:
            _log.exception("%s: its remaining files are removed when the lab goes down", self._id)
        self._report("terminated")

    def _clear_away(self, grace: float) -> None:
        """Shut the machine down within `grace` seconds, or kill it, and remove everything except its disk."""
        self._reachable = False
        if self._process is not None:
            if grace and self._process.poll() is None:
                self._process.terminate()
                self._gone_within(grace)
            self._process.kill()
            self._process.wait()
            self._shared.journal.strike(Entry("process", str(self._process.pid), self._start_time))
            self._process = None
        self._remove_mailbox()
        for group in self._groups():
            cgroups.remove(group)
        disks.unmount(self._disk, self._shared.journal)

    def _remove_mailbox(self) -> None:
        mailbox = machine.mailbox(self._machine)
        if mailbox.exists():
            shutil.rmtree(mailbox)
        self._shared.journal.strike(Entry("folder", str(mailbox)))

    def _gone_within(self, seconds: float) -> None:
        """Wait for the machine's end, at most `seconds`, and not at all when the lab closes."""
        deadline = time.monotonic() + seconds
        while self._running() and not self._closing and (left := deadline - time.monotonic()) > 0:
            self._wait(left)

    # -- small things --------------------------------------------------------------------------------------------

    @property
    def console(self) -> Path:
        return self._folder / "console.log"

    @property
    def _namespace(self) -> str:
        return self._shared.settings.namespace(self._interface.id)

    def _groups(self) -> tuple[Path, ...]:
        return self._tree.folders(self._shared.settings.name, self._id)

    def _report(self, state: InstanceState, *, reason: str = "") -> None:
        self._seen = replace(self._seen, reported=state)
        self._shared.reports.instance_state(self._id, state, reason=reason)

    def _tail(self) -> str:
        return plain(read_tail(self.console, 2000))


def read_tail(path: Path, size: int) -> bytes:
    """Return the last `size` bytes of a file, or b"" if it does not exist."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - size))
            return file.read(size)
    except FileNotFoundError:
        return b""


def plain(console: bytes) -> str:
    """Return the text of a console without colors and control characters, which the API's XML cannot contain."""
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", console.decode("utf-8", "replace"))
    return "".join(each for each in text if each == "\n" or each.isprintable())


def children(pid: int) -> list[int]:
    """Return the children of a process' main thread (proc(5)), or [] if the process does not exist."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text("utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [int(word) for word in text.split()]


def is_systemd(pid: int) -> bool:
    """Return whether a process runs systemd as PID 1 of its own PID namespace."""
    try:
        return is_init(Path(f"/proc/{pid}/status").read_text("utf-8", errors="replace"))
    except (FileNotFoundError, ProcessLookupError):
        return False


def is_init(status: str) -> bool:
    """Return whether the text of /proc/PID/status is that of a systemd with PID 1 in its own namespace.

    `NSpid` lists its pids from the outermost namespace to the innermost.
    """
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return fields.get("Name", "").strip() == "systemd" and fields.get("NSpid", "").split()[1:] == ["1"]


def ssh_banner() -> bool:
    """Return whether an SSH server answers on port 22 of this namespace's loopback (RFC 4253, section 4.2)."""
    try:
        with socket.create_connection(("127.0.0.1", 22), timeout=1.0) as client:
            return client.recv(4) == b"SSH-"
    except OSError:
        return False
