"""The connection of the lab's internet to the real one: slirp4netns, which requires no settings of the machine.

It is a TCP/IP stack in user space, between a tap device in the backbone's namespace and ordinary sockets of a process.
Source: slirp4netns(1).
"""

from __future__ import annotations

import os
import select
import socket
import subprocess

from pyroute2 import IPRoute

from groundwork_lab.journal import Journal
from groundwork_lab.plane.fabric.naming import internet_namespace
from groundwork_lab.plane.fabric.rulesets import UPLINK_DEVICE
from groundwork_lab.processes import NETNS, in_namespace, spawn, stop
from groundwork_lab.settings import Settings

_DEADLINE = 10.0  # seconds to wait for the tap device


class UplinkError(Exception):
    """slirp4netns did not start."""


class Uplink:
    """The process that transfers packets between `tap0` and the machine's sockets."""

    def __init__(self, settings: Settings, journal: Journal) -> None:
        self._settings = settings
        self._journal = journal
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start the process and wait for its device. Raise UplinkError if it does not start."""
        self.close()
        namespace = internet_namespace(self._settings)
        reader, writer = os.pipe()
        try:
            self._process = spawn(
                argv(namespace, writer),
                self._journal,
                log=self._settings.state / "uplink.log",
                pass_fds=(writer,),
            )
        finally:
            os.close(writer)
        try:
            self._await(reader)
        finally:
            os.close(reader)
        in_namespace(namespace, _bring_up)

    def close(self) -> None:
        if self._process is not None:
            stop(self._process, self._journal)
            self._process = None

    def _await(self, reader: int) -> None:
        """Wait until the process writes a byte. It closes the pipe if it ends."""
        readable, _, _ = select.select([reader], [], [], _DEADLINE)
        if not readable or not os.read(reader, 1):
            log = self._settings.state / "uplink.log"
            message = f"slirp4netns did not start; see {log}. It requires /dev/net/tun and Debian's slirp4netns."
            raise UplinkError(message)


def argv(namespace: str, ready: int) -> list[str]:
    """Return the command line. The machine's loopback addresses are not reachable from the lab's internet."""
    return [
        "slirp4netns",
        "--netns-type=path",
        "--disable-host-loopback",
        "--mtu=1500",
        f"--ready-fd={ready}",
        str(NETNS / namespace),
        UPLINK_DEVICE,
    ]


def _bring_up() -> None:
    with IPRoute() as netlink:
        netlink.link("set", index=socket.if_nametoindex(UPLINK_DEVICE), state="up")
