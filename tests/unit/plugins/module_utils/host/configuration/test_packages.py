"""What apt's commands end with, and what a person is told of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import Done
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.packages import install

UNREACHED = Done(100, "Err:1 http://deb.example bookworm InRelease", "E: Failed to fetch http://deb.example/InRelease")
UNKNOWN = Done(100, "", "E: Unable to locate package apache2")
FINE = Done(0, "", "")


class Apt:
    """A host on which `update` and `install` end as given."""

    def __init__(self, *, update: Done, install: Done) -> None:
        self.ends = {"update": update, "install": install}
        self.ran: list[str] = []

    def __call__(self, argv: Sequence[str], /, *, stdin: str = "") -> Done:
        verb = next((word for word in argv if word in self.ends), "")
        self.ran.append(verb or argv[0])
        return self.ends.get(verb, FINE)


@pytest.mark.parametrize(
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
def test_the_cause_is_told(tmp_path: Path, update: Done, message: str) -> None:
    with pytest.raises(GroundworkError, match=message):
        install(Apt(update=update, install=UNKNOWN), ["apache2"], hold=[], lists=tmp_path)


def test_a_mirror_that_is_not_needed_may_be_down(tmp_path: Path) -> None:
    apt = Apt(update=UNREACHED, install=FINE)
    install(apt, ["apache2"], hold=[], lists=tmp_path)
    assert apt.ran == ["dpkg", "update", "install"]


def test_young_lists_are_not_fetched_again(tmp_path: Path) -> None:
    (tmp_path / "deb.example_dists_bookworm_main_binary-amd64_Packages").touch()
    apt = Apt(update=UNREACHED, install=UNKNOWN)
    with pytest.raises(GroundworkError, match="Unable to locate package apache2"):
        install(apt, ["apache2"], hold=[], lists=tmp_path)
    assert apt.ran == ["dpkg", "install"]


class Locked(Apt):
    """A host whose dpkg is another's so many times."""

    def __init__(self, times: int) -> None:
        super().__init__(update=FINE, install=FINE)
        self.locked = times
        self.now = 0.0

    def __call__(self, argv: Sequence[str], /, *, stdin: str = "") -> Done:
        done = super().__call__(argv, stdin=stdin)
        if self.ran[-1] != "dpkg" or not self.locked:
            return done
        self.locked -= 1
        return Done(2, "", "dpkg: error: dpkg frontend lock was locked by another process with pid 233\n")

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_the_apt_of_a_killed_run_is_waited_for(tmp_path: Path) -> None:
    apt = Locked(3)
    install(apt, ["apache2"], hold=[], lists=tmp_path, clock=apt)
    assert apt.ran == ["dpkg"] * 4 + ["update", "install"]
    assert apt.now == 3.0


def test_a_lock_that_is_never_released_is_told(tmp_path: Path) -> None:
    apt = Locked(1000)
    with pytest.raises(
        GroundworkError, match="Timed out after 300 s waiting for another process to release dpkg's lock"
    ):
        install(apt, ["apache2"], hold=[], lists=tmp_path, clock=apt)
    assert set(apt.ran) == {"dpkg"}
