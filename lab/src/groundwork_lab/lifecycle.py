"""Starting and stopping the lab: the commands `up` and `down`."""

from __future__ import annotations

import json
import os
import select
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from groundwork_lab.errors import LabError, half_there
from groundwork_lab.journal import Journal, boot_id, start_time
from groundwork_lab.laptop import FOREIGN
from groundwork_lab.processes import NETNS, end
from groundwork_lab.settings import Settings
from groundwork_lab.undo import end_inhabitants, rebooted, undo

Progress = Callable[[str], None]

# The programs that the lab runs, with the Debian packages that contain them.
PROGRAMS = {
    "apt-cacher-ng": "apt-cacher-ng",
    "ganesha.nfsd": "nfs-ganesha",
    "haproxy": "haproxy",
    "ip": "iproute2",
    "knotc": "knot",
    "knotd": "knot",
    "losetup": "mount",
    "mariadb": "mariadb-client",
    "mariadb-binlog": "mariadb-client",
    "mariadb-install-db": "mariadb-server",
    "mariadb-tzinfo-to-sql": "mariadb-server",
    "mariadbd": "mariadb-server",
    "mkfs.ext4": "e2fsprogs",
    "mmdebstrap": "mmdebstrap",
    "nginx": "nginx",
    "nft": "nftables",
    "nsenter": "util-linux",
    "resize2fs": "e2fsprogs",
    "setpriv": "util-linux",
    "slirp4netns": "slirp4netns",
    "socat": "socat",
    "systemd-nspawn": "systemd-container",
    "unbound": "unbound",
    "unbound-checkconf": "unbound",
    "unbound-control": "unbound",
}
MODULES = {
    "/usr/lib/nginx/modules/ngx_http_js_module.so": "libnginx-mod-http-js",
    "/usr/lib/nginx/modules/ngx_http_brotli_filter_module.so": "libnginx-mod-http-brotli-filter",
    "/usr/lib/nginx/modules/ngx_http_headers_more_filter_module.so": "libnginx-mod-http-headers-more-filter",
    "/usr/lib/nginx/modules/ngx_stream_module.so": "libnginx-mod-stream",
    "/usr/lib/*/ganesha/libfsalvfs.so": "nfs-ganesha-vfs",
    "/usr/share/zoneinfo/UTC": "tzdata",
}
SBIN = "/usr/local/sbin:/usr/sbin:/sbin"
INOTIFY = "inotify.json"  # in the folder of all labs: the machine's limit before the first lab was started
CLOSING = 90.0  # seconds for the daemon to stop, which includes the shutdown of its hosts


def up(settings: Settings, patience: float, progress: Progress) -> bool:
    """Start the lab and wait until its API answers. Return False if it is already up. Raise LabError on failure.

    If it is interrupted, everything except the base image is removed.
    """
    with _alone(settings):
        if daemon(settings):
            return False
        refuse_if_half_there(settings)
        refuse_without_programs(_path())
        refuse_without_control_groups()
        _build_base_image(settings, progress)
        _settle(settings)
        settings.boot.write_text(boot_id(), encoding="ascii")
        try:
            _start(settings, patience)
        except KeyboardInterrupt:
            progress("interrupted: removing what was created")
            _undo(settings)
            raise
        return True


def down(settings: Settings, progress: Progress) -> tuple[bool, list[str]]:
    """Stop the lab and remove what it created. Return whether it existed, and what remained or required force."""
    with _alone(settings):
        refuse_from_inside(settings)
        if not settings.state.exists():
            return False, []
        running = daemon(settings)
        # Processes of `exec` must end before their namespace loses its name: afterwards they could not be found.
        for part in ("laptop", "visitor"):
            end_inhabitants(settings.namespace(part))
        if running:
            progress(f"stopping the daemon (pid {running[0]})")
            end(*running, grace=CLOSING)
        return True, _undo(settings)


def _settle(settings: Settings) -> None:
    """Create the state folder and raise the machine's inotify limit. The end of the last lab resets the limit."""
    from groundwork_lab.plane.hosts import watches  # noqa: PLC0415 - only up and down need it, not `exec`

    labs = settings.state.parent
    with watches.alone(watches.LIMIT):
        labs.mkdir(parents=True, exist_ok=True)
        try:
            watches.allow(labs / INOTIFY, watches.LIMIT)
        except OSError as error:
            raise LabError(f"The machine's limit of inotify instances cannot be raised: {error}.") from error
        settings.state.mkdir(mode=0o711)


def _undo(settings: Settings) -> list[str]:
    from groundwork_lab.plane.hosts import watches  # noqa: PLC0415 - only up and down need it, not `exec`

    problems = undo(settings, Journal(settings.journal))
    labs = settings.state.parent
    with watches.alone(watches.LIMIT):
        if {file.name for file in labs.iterdir()} <= {INOTIFY}:
            watches.put_back(labs / INOTIFY, watches.LIMIT)
            labs.rmdir()
    return problems


def daemon(settings: Settings) -> tuple[int, int] | None:
    """Return the pid and the start time of the running daemon, or None."""
    try:
        identity = json.loads(settings.daemon.read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    pid, start = int(identity["pid"]), int(identity["start"])
    return (pid, start) if start_time(pid) == start and not rebooted(settings) else None


def refuse_if_half_there(settings: Settings) -> None:
    if settings.state.exists():
        raise LabError(half_there(settings))


def refuse_without_programs(path: str) -> None:
    """Raise LabError with the packages to install if a program is missing."""
    missing = {program: package for program, package in PROGRAMS.items() if shutil.which(program, path=path) is None}
    missing |= {module: package for module, package in MODULES.items() if not any(Path("/").glob(module[1:]))}
    if missing:
        packages = " ".join(sorted(set(missing.values())))
        raise LabError(f"This machine does not have {', '.join(missing)}; run `apt-get install {packages}`.")


def refuse_without_control_groups() -> None:
    from groundwork_lab.plane.hosts.cgroups import NoControlGroupsError, machine_tree  # noqa: PLC0415

    try:
        machine_tree()
    except NoControlGroupsError as error:
        raise LabError(str(error)) from error


def refuse_from_inside(settings: Settings) -> None:
    """Raise LabError in a shell that `exec` started: `down` would end that shell, and itself with it."""
    here = Path("/proc/self/ns/net").stat()
    for handle in NETNS.glob(f"{settings.name}-*"):
        there = handle.stat()
        if (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino):
            raise LabError("This shell runs inside the lab, which `down` removes; leave the shell first.")


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Lock the lab against another `up` or `down`. The lock is an abstract socket, which ends with this process."""
    if os.geteuid() != 0:
        raise LabError("The lab requires root to create namespaces and mounts; run this with sudo.")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as lock:
        try:
            lock.bind(f"\0groundwork-lab-{settings.name}")
        except OSError as error:
            message = f"Another `up` or `down` of the lab '{settings.name}' is running; wait until it has finished."
            raise LabError(message) from error
        yield


def _build_base_image(settings: Settings, progress: Progress) -> None:
    from groundwork_lab.plane.hosts.apt import NoDebianArchiveError  # noqa: PLC0415
    from groundwork_lab.plane.hosts.image import DEFAULT, BaseImages  # noqa: PLC0415
    from groundwork_lab.plane.hosts.roots import RootError  # noqa: PLC0415

    try:
        BaseImages(settings).ensure(DEFAULT, progress)
    except (RootError, NoDebianArchiveError) as error:
        raise LabError(str(error)) from error


def _start(settings: Settings, patience: float) -> None:
    reading, writing = os.pipe()
    with settings.log.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "groundwork_lab.daemon", str(writing)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=[writing],
            cwd="/",
            env=_environment(settings, os.environ),
        )
    os.close(writing)
    try:
        with os.fdopen(reading, "rb") as ready:
            answered = bool(select.select([ready], [], [], patience)[0])
            if answered and ready.read() == b"ready\n":
                return
    except KeyboardInterrupt:
        end(process.pid, start_time(process.pid) or 0, grace=CLOSING)
        raise
    end(process.pid, start_time(process.pid) or 0, grace=CLOSING)
    why = "ended" if answered else f"did not answer within {patience:g} s"
    tail = "\n".join(settings.log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:])
    raise LabError(f"The lab's daemon {why}; run `groundwork-lab down`, then `up`. {settings.log} ends with:\n{tail}")


def _environment(settings: Settings, inherited: Mapping[str, str]) -> dict[str, str]:
    """Return the daemon's environment: the inherited one without variables that point to a real AWS account."""
    kept = {name: value for name, value in inherited.items() if name not in FOREIGN and not name.startswith("AWS_")}
    return {**kept, "GROUNDWORK_LAB": settings.name, "GROUNDWORK_LAB_SLOW": str(settings.slow), "PATH": _path()}


def _path() -> str:
    """Return PATH with the folders of system daemons, which a user's PATH often does not contain."""
    return f"{os.environ.get('PATH', '/usr/bin:/bin')}:{SBIN}"
