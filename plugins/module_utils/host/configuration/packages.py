# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The packages of this host. A new daemon does not start before it is configured."""

from __future__ import annotations

import re
import time
import typing as t
from pathlib import Path
from tempfile import TemporaryDirectory

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.wait import SYSTEM_CLOCK, Clock, wait_until
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import Done, Run, succeed, tail

LISTS = Path("/var/lib/apt/lists")
LISTS_VALID = 3600.0  # seconds
LOCK_TIMEOUT = 300  # seconds: cloud-init and apt-daily hold dpkg's lock in the first minutes of a server
UCF_REGISTRY = Path("/var/lib/ucf/registry")
APT = ("apt-get", "--quiet")
UPDATE = ("update", "--error-on=any")  # without --error-on, an unreachable mirror is only a warning
SANDBOX = "APT::Sandbox::User=root"  # the account _apt cannot write to a temporary folder of root
INTERRUPTED = "dpkg was interrupted"
# The lock of dpkg, and of apt's package lists
LOCKED = re.compile(r"lock was locked by another process|Could not get lock")
# apt does not notice every connection that a mirror has closed, and then never ends.
DOWNLOADS = 3  # attempts
LISTS_TIMEOUT, PACKAGES_TIMEOUT = 120, 600  # seconds of an attempt
TIMED_OUT = 124  # timeout(1)
RUNTIME_UNITS = Path("/run/systemd/system")
# A condition that fails makes systemd skip the start without an error. A reboot removes the file, as it is below /run.
# https://www.freedesktop.org/software/systemd/man/latest/systemd.unit.html#Conditions%20and%20Asserts
HOLD = "[Unit]\nConditionPathExists=/run/groundwork/never\n"


def installed(run: Run, names: t.Sequence[str]) -> frozenset[str]:
    """Return the packages that are installed and configured."""
    if not names:
        return frozenset()
    done = run(["dpkg-query", "--show", "--showformat=${Package} ${db:Status-Status}\n", *names])
    pairs = (line.split(" ", 1) for line in done.out.splitlines() if " " in line)
    return frozenset(name for name, status in pairs if status == "installed")


def packaged(run: Run, paths: t.Sequence[str], registry: Path = UCF_REGISTRY) -> frozenset[str]:
    """Return the paths that belong to a package. A link belongs to the package of its target.

    Files that a package creates at its installation are in the registry of ucf(1).
    """
    targets = {path: str(Path(path).resolve()) for path in paths}
    if not targets:
        return frozenset()
    done = run(["dpkg-query", "--search", *sorted({*targets, *targets.values()})])
    owned = {line.partition(": ")[2] for line in done.out.splitlines()}
    if registry.exists():
        owned |= {line.partition(" ")[2].strip() for line in registry.read_text().splitlines()}
    return frozenset(path for path, target in targets.items() if owned & {path, target})


def install(
    run: Run, names: t.Sequence[str], *, hold: t.Sequence[str], lists: Path = LISTS, clock: Clock = SYSTEM_CLOCK
) -> None:
    """Install packages without recommended ones. The services in `hold` do not start.

    Raise GroundworkError with the output of apt, or that of the update if the package lists could not be fetched.
    """
    for service in hold:
        _hold_file(service).parent.mkdir(parents=True, exist_ok=True)
        _hold_file(service).write_text(HOLD)
    lock = ["-o", f"DPkg::Lock::Timeout={LOCK_TIMEOUT}"]
    succeed(_patient(run, clock), "complete the last installation", ["dpkg", "--configure", "-a", "--force-confold"])
    refreshed = None if _fresh(lists) else _patient(_downloading(run, LISTS_TIMEOUT), clock)([*APT, *lock, *UPDATE])
    conffiles = ["-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold"]
    _install(_downloading(run, PACKAGES_TIMEOUT), names, [*lock, "--download-only"], refreshed)
    _install(run, names, [*lock, *conffiles], refreshed)


def check_installable(run: Run, names: t.Sequence[str], *, lists: Path = LISTS) -> None:
    """Raise GroundworkError if `install` would not find the packages. The server is not changed.

    Old package lists are fetched into a temporary folder.
    """
    with TemporaryDirectory() as folder:
        own = ["Dir::Cache::pkgcache=", "Dir::Cache::srcpkgcache=", f"Dir::State::lists={folder}", SANDBOX]
        options = [word for option in own for word in ("-o", option)]
        refreshed = None if _fresh(lists) else _downloading(run, LISTS_TIMEOUT)([*APT, *options, *UPDATE])
        found = options if refreshed and refreshed.code == 0 else []
        _install(run, names, ["--simulate", *found], refreshed)


def _install(run: Run, names: t.Sequence[str], options: t.Sequence[str], refreshed: Done | None) -> None:
    """Install packages. `refreshed` is the result of fetching the package lists, None if they were recent.

    If the old lists suffice, an error of fetching does not matter.
    """
    argv = [*APT, "--yes", "--no-install-recommends", *options, "install", *names]
    done = run(argv)
    if done.code == 0 or ("--simulate" in options and INTERRUPTED in done.err):  # `install` completes it first
        return
    if refreshed is None or refreshed.code == 0:
        text = f"Could not install the packages: {' '.join(argv)} failed with exit code {done.code}:\n{tail(done)}"
        raise GroundworkError(text)
    raise GroundworkError(
        f"Could not install the packages: the package lists could not be fetched.\n{tail(refreshed)}\n"
        "Give the server a route to its mirrors (a private server needs a NAT gateway: nat_mode; its security "
        "group must allow the connection; host names must resolve), or mirrors that it can reach; then run again."
    )


def _patient(run: Run, clock: Clock) -> Run:
    """Return a `Run` that waits while another process holds a lock, for what does not wait itself.

    These are dpkg, and apt-get update: DPkg::Lock::Timeout is not for the lock of the package lists.
    """

    def patient(argv: t.Sequence[str], /, *, stdin: str = "") -> Done:
        return wait_until(
            lambda: run(argv, stdin=stdin),
            lambda done: not LOCKED.search(done.err),
            until="another process to release the lock of dpkg or apt",
            deadline=LOCK_TIMEOUT,
            interval=1.0,
            clock=clock,
        )

    return patient


def _downloading(run: Run, seconds: int) -> Run:
    """Return a `Run` that ends a download after some seconds, and begins it again."""

    def downloading(argv: t.Sequence[str], /, *, stdin: str = "") -> Done:
        for _attempt in range(DOWNLOADS):
            done = run(["timeout", "--kill-after=10", str(seconds), *argv], stdin=stdin)
            if done.code != TIMED_OUT:
                return done
        return Done(TIMED_OUT, done.out, f"{argv[0]} did not end within {seconds} s, at {DOWNLOADS} attempts.")

    return downloading


def release_holds(run: Run, services: t.Iterable[str]) -> None:
    """Remove the holds of services, so that they can start."""
    held = [service for service in services if _hold_file(service).exists()]
    for service in held:
        _hold_file(service).unlink()
        _hold_file(service).parent.rmdir()
    if held:
        succeed(run, "reload systemd's units", ["systemctl", "daemon-reload"])


def _hold_file(service: str) -> Path:
    return RUNTIME_UNITS / f"{service}.service.d" / "groundwork-hold.conf"


def _fresh(lists: Path) -> bool:
    """Return whether the package lists exist and are recent. apt moves new lists into that folder."""
    if not any(lists.glob("*Packages*")):
        return False
    return time.time() - lists.stat().st_mtime < LISTS_VALID
