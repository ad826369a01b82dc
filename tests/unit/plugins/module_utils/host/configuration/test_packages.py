"""What apt's commands end with, and what a person is told of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import Done
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.packages import (
    check_installable,
    install,
    packaged,
)

UNREACHED = Done(100, "Err:1 http://deb.example bookworm InRelease", "E: Failed to fetch http://deb.example/InRelease")
UNKNOWN = Done(100, "", "E: Unable to locate package apache2")
FINE = Done(0, "", "")


class Apt:
    """A host on which `update` and `install` end as given."""

    def __init__(self, *, update: Done, install: Done) -> None:
        self.ends = {"update": update, "install": install}
        self.ran: list[str] = []
        self.simulated: list[bool] = []

    def __call__(self, argv: Sequence[str], /, *, stdin: str = "") -> Done:
        self.simulated.append("--simulate" in argv)
        verb = next((word for word in argv if word in self.ends), "")
        self.ran.append("download" if "--download-only" in argv else verb or argv[0])
        return self.ends.get(verb, FINE)


CAUSES = pytest.mark.parametrize(
    ("update", "message"),
    [
        (
            UNREACHED,
            r"the package lists could not be fetched\.(?s:.*)Failed to fetch http://deb\.example(?s:.*)nat_mode",
        ),
        (
            FINE,
            r"Could not install the packages: apt-get .* failed with exit code 100:\nE: Unable to locate package",
        ),
    ],
    ids=["no way to the mirrors", "no such package"],
)


@CAUSES
def test_check_mode_tells_the_same_cause(tmp_path: Path, update: Done, message: str) -> None:
    apt = Apt(update=update, install=UNKNOWN)
    with pytest.raises(GroundworkError, match=message):
        check_installable(apt, ["apache2"], lists=tmp_path)
    assert apt.simulated == [False, True]
    assert list(tmp_path.iterdir()) == []


def test_check_mode_does_not_judge_an_interrupted_installation(tmp_path: Path) -> None:
    interrupted = Done(100, "", "E: dpkg was interrupted, you must manually run 'dpkg --configure -a'")
    check_installable(Apt(update=FINE, install=interrupted), ["apache2"], lists=tmp_path)


@CAUSES
def test_the_cause_is_told(tmp_path: Path, update: Done, message: str) -> None:
    with pytest.raises(GroundworkError, match=message):
        install(Apt(update=update, install=UNKNOWN), ["apache2"], hold=[], lists=tmp_path)


def test_a_mirror_that_is_not_needed_may_be_down(tmp_path: Path) -> None:
    apt = Apt(update=UNREACHED, install=FINE)
    install(apt, ["apache2"], hold=[], lists=tmp_path)
    assert apt.ran == ["dpkg", "update", "download", "install"]


def test_young_lists_are_not_fetched_again(tmp_path: Path) -> None:
    (tmp_path / "deb.example_dists_bookworm_main_binary-amd64_Packages").touch()
    apt = Apt(update=UNREACHED, install=UNKNOWN)
    with pytest.raises(GroundworkError, match="Unable to locate package apache2"):
        install(apt, ["apache2"], hold=[], lists=tmp_path)
    assert apt.ran == ["dpkg", "download"]


class Locked(Apt):
    """A host on which another process holds the lock of a program, so many times."""

    program = "dpkg"
    said = "dpkg: error: dpkg frontend lock was locked by another process with pid 233\n"

    def __init__(self, times: int) -> None:
        super().__init__(update=FINE, install=FINE)
        self.locked = times
        self.now = 0.0

    def __call__(self, argv: Sequence[str], /, *, stdin: str = "") -> Done:
        done = super().__call__(argv, stdin=stdin)
        if self.ran[-1] != self.program or not self.locked:
            return done
        self.locked -= 1
        return Done(100, "", self.said)

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class ListsLocked(Locked):
    """A host on which another process holds the lock of the package lists, so many times."""

    program = "update"
    said = "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 99 (apt-get)\n"


def test_the_apt_of_a_killed_run_is_waited_for(tmp_path: Path) -> None:
    apt = Locked(3)
    install(apt, ["apache2"], hold=[], lists=tmp_path, clock=apt)
    assert apt.ran == ["dpkg"] * 4 + ["update", "download", "install"]
    assert apt.now == 3.0


class Hanging(Apt):
    """A host on which downloads do not end, so many times."""

    def __init__(self, times: int) -> None:
        super().__init__(update=FINE, install=FINE)
        self.hanging = times

    def __call__(self, argv: Sequence[str], /, *, stdin: str = "") -> Done:
        done = super().__call__(argv, stdin=stdin)
        if argv[0] != "timeout" or not self.hanging:
            return done
        self.hanging -= 1
        return Done(124, "", "")


def test_a_download_that_hangs_is_begun_again(tmp_path: Path) -> None:
    apt = Hanging(2)
    install(apt, ["apache2"], hold=[], lists=tmp_path)
    assert apt.ran == ["dpkg", "update", "update", "update", "download", "install"]


def test_a_download_that_never_ends_is_told(tmp_path: Path) -> None:
    with pytest.raises(GroundworkError, match=r"apt-get did not end within 120 s, at 3 attempts\."):
        install(Hanging(9), ["apache2"], hold=[], lists=tmp_path)


def test_the_lock_of_the_package_lists_is_waited_for(tmp_path: Path) -> None:
    apt = ListsLocked(2)
    install(apt, ["apache2"], hold=[], lists=tmp_path, clock=apt)
    assert apt.ran == ["dpkg", *["update"] * 3, "download", "install"]


def test_a_lock_that_is_never_released_is_told(tmp_path: Path) -> None:
    apt = Locked(1000)
    with pytest.raises(
        GroundworkError, match="Timed out after 300 s waiting for another process to release the lock of dpkg or apt"
    ):
        install(apt, ["apache2"], hold=[], lists=tmp_path, clock=apt)
    assert set(apt.ran) == {"dpkg"}


def test_what_belongs_to_a_package(tmp_path: Path) -> None:
    """A file, a link to a file, what a package made at its installation, and what a person wrote."""
    shipped, made, mine = (tmp_path / name for name in ("shipped.conf", "made.ini", "mine.conf"))
    links = [tmp_path / f"link-{at}" for at in range(3)]
    for link, target in zip(links, (shipped, made, mine), strict=True):
        target.touch()
        link.symlink_to(target)
    registry = tmp_path / "registry"
    registry.write_text(f"php8.2-common {made}\n")

    def dpkg(argv: Sequence[str], /, *, stdin: str = "") -> Done:
        assert argv[:2] == ["dpkg-query", "--search"]
        return Done(1, f"apache2, apache2-data: {shipped}\n", "no path found")

    paths = [str(path) for path in (shipped, made, mine, *links)]
    assert packaged(dpkg, paths, registry) == {str(path) for path in (shipped, made, links[0], links[1])}
    assert packaged(dpkg, [], registry) == frozenset()
