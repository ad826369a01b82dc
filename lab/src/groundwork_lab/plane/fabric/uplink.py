"""The way from the lab's internet to the real one: slirp4netns, which needs no setting of the machine's own.

It is a TCP/IP stack in user space: a tap device in the backbone's namespace on one side, ordinary sockets of a
process on the other. Source: slirp4netns(1).
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

_DEADLINE = 10.0  # seconds until the tap must be there


class UplinkError(Exception):
    """slirp4netns did not come up."""


class Uplink:
    """The process that carries packets between `tap0` and the machine's sockets."""

    def __init__(self, settings: Settings, journal: Journal) -> None:
        self._settings = settings
        self._journal = journal
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it and wait for its device, which is up then. Raises UplinkError when it does not come."""
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
        """It writes a byte when it is ready, and closes its end when it dies."""
        readable, _, _ = select.select([reader], [], [], _DEADLINE)
        if not readable or not os.read(reader, 1):
            log = self._settings.state / "uplink.log"
            message = f"slirp4netns did not start; see {log}. It needs /dev/net/tun and Debian's slirp4netns."
            raise UplinkError(message)


def argv(namespace: str, ready: int) -> list[str]:
    """The command; without the machine's loopback, which is not the internet's business."""
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
