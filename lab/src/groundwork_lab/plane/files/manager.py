"""The manager of the NFS servers: one for each mount target, on the files of its file system."""

from __future__ import annotations

import logging
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from groundwork_lab.apart import Apart
from groundwork_lab.journal import Journal
from groundwork_lab.model import FileSystem, Interface, MountTarget, World
from groundwork_lab.plane.files.config import PORT, render
from groundwork_lab.processes import spawn, stop, wait_listening
from groundwork_lab.settings import Settings

PROGRAM = "ganesha.nfsd"

_log = logging.getLogger(__name__)


class FileServers:
    """Implements `ports.Reconciler`.

    The files are below `files` in the state folder, in a folder that only root enters, because hosts decide about
    their owners and modes. They are deleted with their file system.
    """

    def __init__(self, settings: Settings, journal: Journal) -> None:
        self._settings = settings
        self._journal = journal
        self._folder = settings.state / "files"
        self._servers: dict[str, subprocess.Popen[bytes]] = {}  # by mount target

    def reconcile(self, world: World) -> None:
        """Start and stop servers. Raise UnservedError with the file systems whose servers failed."""
        apart = Apart()
        wanted = {target.id for system in world.file_systems.values() for target in system.mount_targets}
        for name in self._servers.keys() - wanted:
            with apart.trying(name):
                self._stop(name)
        with ThreadPoolExecutor(max_workers=4, thread_name_prefix="files") as pool:
            for system in world.file_systems.values():
                self._data(system.id).mkdir(parents=True, exist_ok=True)
                for target in system.mount_targets:
                    pool.submit(self._follow, system, target, world.interfaces.get(target.interface_id), apart)
        for name in self._kept() - world.file_systems.keys():
            with apart.trying(name):
                shutil.rmtree(self._folder / name)
        apart.end()

    def _data(self, system_id: str) -> Path:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self._folder / system_id / "data"

    def _kept(self) -> set[str]:
        return {each.name for each in self._folder.iterdir()} if self._folder.exists() else set()

    def _follow(self, system: FileSystem, target: MountTarget, interface: Interface | None, apart: Apart) -> None:
        with apart.trying(system.id):
            if interface is None:
                message = f"The network interface of {target.id} does not exist."
                raise LookupError(message)
            process = self._servers.get(target.id)
            if process is not None and process.poll() is None:
                return
            if process is not None:
                _log.error("The server of %s ended with code %s; restarting it.", target.id, process.returncode)
                self._stop(target.id)
            self._start(system, target, interface)

    def _start(self, system: FileSystem, target: MountTarget, interface: Interface) -> None:
        folder = self._folder / system.id / target.id
        (folder / "clients").mkdir(parents=True, exist_ok=True)
        config = folder / "ganesha.conf"
        config.write_text(render(self._data(system.id), folder), encoding="utf-8")
        namespace = self._settings.namespace(interface.id)
        argv = [PROGRAM, "-F", "-f", str(config), "-L", str(folder / "ganesha.log"), "-p", str(folder / "pid")]
        process = spawn(argv, self._journal, namespace=namespace, log=folder / "output.log")
        self._servers[target.id] = process
        wait_listening(process, namespace, str(interface.private_ip), PORT)

    def _stop(self, name: str) -> None:
        stop(self._servers[name], self._journal)
        del self._servers[name]

    def close(self) -> None:
        """Stop all servers, and keep the files."""
        for name in list(self._servers):
            self._stop(name)
