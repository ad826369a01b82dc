"""The free space of a server is checked before anything is changed."""

from __future__ import annotations

import shutil
import subprocess
import typing as t
from pathlib import Path

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.host import room
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import Done
from ansible_collections.groundwork.aws.plugins.module_utils.host.room import FEWEST, GIB, MIB, Room

PLENTY = Room("/", 8 * GIB, 5 * GIB, 100_000)
DU = {
    "/": 7 * GIB,
    "/var": 5 * GIB,
    "/var/log": 4 * GIB,
    "/var/lib": GIB,
    "/usr": 2 * GIB,
    "/usr/lib": GIB,
    "/usr/share": GIB,
}


def du(argv: t.Sequence[str], /, *, stdin: str = "") -> Done:
    assert argv[2:3] == ["du"]
    return Done(0, "".join(f"{size}\t{name}\n" for name, size in DU.items()), "")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"free": FEWEST - 1}, r"^The file system / has 64 MiB of 8.0 GiB free, and this run needs 64 MiB\."),
        ({"free": 0}, r"/ has 0 MiB of 8.0 GiB free.* Its largest folders: /var/log \(4.0 GiB\), /usr \(2.0 GiB\)"),
        ({"files": 3}, r"^The file system / can take only 3 more files: it has no free inodes\."),
    ],
)
def test_a_run_without_room_is_refused(changes: dict[str, int], words: str) -> None:
    with pytest.raises(GroundworkError, match=words) as caught:
        room.require_room(du, [PLENTY._replace(**changes)])
    assert "Nothing was changed" in str(caught.value)
    assert "run again" in str(caught.value)


@pytest.mark.parametrize(("free", "warned"), [(5 * GIB, False), (0.81 * GIB, False), (0.79 * GIB, True)])
def test_little_room_is_a_warning(free: float, warned: bool) -> None:
    warnings = room.require_room(du, [PLENTY, PLENTY._replace(mount="/srv", free=int(free))])
    assert [warning.startswith("The file system /srv is 90% full") for warning in warnings] == [True] * warned


def test_a_release_must_fit_beside_what_a_run_needs(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    room.require_for(tmp_path, free - FEWEST - 512 * MIB)
    with pytest.raises(GroundworkError, match="and this run needs"):
        room.require_for(tmp_path, free + FEWEST)


def test_each_file_system_is_looked_at_once(tmp_path: Path) -> None:
    found = room.rooms(["/", "/proc", str(tmp_path), str(tmp_path / "missing"), "/"])
    assert [one.mount for one in found].count("/") <= 1
    assert "/proc" in {one.mount for one in found}
    assert all(Path(one.mount).is_mount() for one in found)


@pytest.mark.parametrize(("size", "free", "refused"), [(60, 59, False), (60, 31, False), (60, 29, True)])
def test_a_small_file_system_needs_half_of_itself(size: int, free: int, refused: bool) -> None:
    wrong = room.shortage(Room("/run", size * MIB, free * MIB, 5000))
    assert bool(wrong) == refused


@pytest.mark.parametrize(("mount", "told"), [("/", "enlarge the root volume"), ("/run", "enlarge that file system")])
def test_the_remedy_is_that_of_the_file_system(mount: str, told: str) -> None:
    with pytest.raises(GroundworkError, match=told):
        room.require_room(du, [PLENTY._replace(mount=mount, free=0)])


@pytest.mark.parametrize(
    ("listing", "found"),
    [
        ("Mounted on 1B-blocks Avail\n/mnt/my disk 100 7\n", [Room("/mnt/my disk", 100, 7, 1000)]),
        (
            "Mounted on 1B-blocks Avail\n/ 100 7\n/var 5 1\n/ 100 7\n",
            [Room("/", 100, 7, 1000), Room("/var", 5, 1, 1000)],
        ),
        ("", []),
        ("Mounted on 1B-blocks Avail\n/proc - -\n", []),
    ],
)
def test_df_is_read(listing: str, found: list[Room]) -> None:
    assert room.parse_df(listing) == found


def test_the_real_df_is_read() -> None:
    told = subprocess.run([*room.DF, "/"], check=True, capture_output=True, text=True).stdout
    assert [one.mount for one in room.parse_df(told)] == ["/"]


@pytest.mark.parametrize("mounted", [True, False])
def test_a_folder_is_of_the_next_mount_above_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, mounted: bool
) -> None:
    monkeypatch.setattr(Path, "is_mount", lambda place: mounted and place == tmp_path)
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert room.room_of(tmp_path / "a" / "b").mount == (str(tmp_path) if mounted else "/")
