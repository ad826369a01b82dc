"""A server's disk is full: the run says so before it changes anything, and the site serves on when there is room."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from laptop import Laptop
from running_site import Site

SERVER = "public-1"
FILL = "/var/log/filled"


@pytest.fixture
def full(laptop: Laptop, site: Site) -> Iterator[None]:
    """Fill the disk of a server, as a log does. The blocks are only allocated, not written: fallocate(1)."""
    fill = f"fallocate -l $(df --output=avail --block-size=1 / | tail -1) {FILL}; cat /dev/zero > {FILL}.rest"
    laptop.on(SERVER, fill)
    yield
    assert laptop.on(SERVER, f"rm -f {FILL} {FILL}.rest && systemctl restart mariadb")[0] == 0


def test_the_disk_is_the_servers_own(laptop: Laptop, site: Site) -> None:
    code, listing = laptop.on(SERVER, "df --block-size=1G --output=size,pcent / | tail -1")
    assert code == 0
    size, used = listing.split()
    assert int(size) in (7, 8), "the root volume has 8 GiB"
    assert 5 < int(used.rstrip("%")) < 50


@pytest.mark.usefixtures("full")
@pytest.mark.parametrize("mode", [(), ("--check",)], ids=["run", "check"])
def test_it_is_named_with_what_fills_it(laptop: Laptop, mode: tuple[str, ...]) -> None:
    play = laptop.play(*mode)
    assert play.code != 0
    told = "\n".join(str(failure) for failure in play.failures())
    assert f"{SERVER}: The file system / has 0 MiB of" in told
    assert "/var/log (" in told
    assert "Nothing was changed" in told
    assert "run again" in told


def test_with_room_again_the_run_completes(laptop: Laptop, site: Site) -> None:
    play = laptop.play()
    assert play.code == 0, play.failures()
    assert site.status("public") == 200
