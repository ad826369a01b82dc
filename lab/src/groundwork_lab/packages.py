"""The package cache: apt-cacher-ng on the lab's internet, so that each package is downloaded only once per lab.

Its files are removed with the lab. It looks up mirrors with the lab's resolver, which forwards their names. Downloads
over https cannot be cached: they are tunneled, and only to the machine's own package sources.
Source: https://www.unix-ag.uni-kl.de/~bloch/acng/html/config-serv.html
"""

from __future__ import annotations

import logging
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from groundwork_lab.journal import Journal
from groundwork_lab.laptop import argv_inside
from groundwork_lab.model import World
from groundwork_lab.plane.names import write_atomically
from groundwork_lab.processes import spawn, stop, wait_listening
from groundwork_lab.settings import PACKAGES, Settings

PORT = 3142
PROGRAM = Path("/usr/sbin/apt-cacher-ng")
USER = "apt-cacher-ng"

_log = logging.getLogger(__name__)


def machines_sources() -> list[str]:
    """Return the addresses of the machine's package sources, as apt reads them. Raise CalledProcessError."""
    command = ["apt-get", "indextargets", "--format", "$(SITE)"]
    listing = subprocess.run(command, check=True, capture_output=True, text=True)
    return sorted(set(listing.stdout.split()))


def tunnel_pattern(sources: Iterable[str]) -> str | None:
    """Return a regular expression for the hosts that the cache may tunnel https to, or None if there are none."""
    parts = [urlsplit(source) for source in sources]
    hosts = {f"{part.hostname}:{part.port or 443}" for part in parts if part.scheme == "https" and part.hostname}
    return f"^({'|'.join(re.escape(host) for host in sorted(hosts))})$" if hosts else None


def render_config(cache: Path, logs: Path, sources: Iterable[str]) -> str:
    """Return apt-cacher-ng's acng.conf."""
    tunnel = tunnel_pattern(sources)
    return "\n".join(
        [
            f"CacheDir: {cache}",
            f"LogDir: {logs}",
            "SupportDir: /usr/lib/apt-cacher-ng",
            f"BindAddress: {PACKAGES}",
            f"Port: {PORT}",
            "ForeGround: 1",
            "ExThreshold: 30",  # days; nothing expires while a lab exists
            *([f"PassThroughPattern: {tunnel}"] if tunnel else []),
            "",
        ]
    )


class Packages:
    """The process of the package cache. Its files are below `packages` in the state folder.

    Each lab has its own cache, because apt-cacher-ng cannot share its files with another process.
    """

    def __init__(self, settings: Settings, journal: Journal) -> None:
        self._settings = settings
        self._journal = journal
        self._folder = settings.state / "packages"
        self._cache = self._folder / "cache"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Write the configuration and start the cache as its own user. Raise OSError, or KeyError without that user."""
        user = pwd.getpwnam(USER)
        for folder in (self._folder, self._cache, self._folder / "log"):
            folder.mkdir(parents=True, exist_ok=True)
        for folder in (self._cache, self._folder / "log"):
            shutil.chown(folder, user.pw_uid, user.pw_gid)
        write_atomically(
            self._folder / "acng.conf", render_config(self._cache, self._folder / "log", machines_sources())
        )
        self._run(user)

    def reconcile(self, world: World) -> None:  # noqa: ARG002 (the cache does not depend on the resources)
        """Restart the cache if its process has ended."""
        if self._process is not None and self._process.poll() is not None:
            _log.error("apt-cacher-ng ended with code %s; restarting it.", self._process.returncode)
            self._run(pwd.getpwnam(USER))

    def close(self) -> None:
        if self._process is not None:
            stop(self._process, self._journal)
            self._process = None

    def _run(self, user: pwd.struct_passwd) -> None:
        # setpriv comes last and sets the parent-death signal again, because a change of the user clears it (prctl(2)).
        identity = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--init-groups", "--pdeathsig=TERM"]
        self._process = spawn(
            argv_inside("aws", [*identity, "--", os.fspath(PROGRAM), "-c", os.fspath(self._folder)]),
            self._journal,
            log=self._folder / "apt-cacher-ng.log",
        )
        wait_listening(self._process, self._settings.namespace("aws"), str(PACKAGES), PORT)
