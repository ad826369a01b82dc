"""The disks of hosts, as they are mounted. Run with `-m lab`."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from groundwork_lab.journal import Journal
from groundwork_lab.plane.hosts import disks
from groundwork_lab.plane.hosts.disks import GIB, Disk

pytestmark = pytest.mark.lab
MIB = 1024**2
FILES = 40 * MIB  # in the image of the test

Make = Callable[..., Disk]


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal")


@pytest.fixture
def make(tmp_path: Path, journal: Journal) -> Iterator[Make]:
    """Return a function that returns a mounted disk of 1 GiB, of an image with `hosts` and `program`."""
    image = tmp_path / "image"
    (image / "etc").mkdir(parents=True)
    (image / "etc/hosts").write_text("of the image")
    (image / "program").write_bytes(os.urandom(FILES))
    made: list[Disk] = []

    def make(name: str, *layers: Path) -> Disk:
        disk = Disk((*layers, image), tmp_path / name, gib=1)
        disks.mount(disk, journal)
        made.append(disk)
        return disk

    yield make
    for disk in made:
        disks.unmount(disk, journal)


def fill(disk: Disk) -> int:
    """Write a file until the disk is full. Return its size."""
    with (disk.root / "large").open("wb", buffering=0) as file, pytest.raises(OSError) as caught:
        while True:
            file.write(bytes(8 * MIB))
    assert caught.value.errno == errno.ENOSPC
    return (disk.root / "large").stat().st_size


def test_it_has_the_size_of_its_volume_and_the_images_files_count(make: Make) -> None:
    usage = shutil.disk_usage(make("one").root)
    assert 0.9 * GIB < usage.total < GIB
    assert FILES < usage.used < FILES + 10 * MIB


def test_a_full_disk_is_no_other_disks(make: Make) -> None:
    one, other = make("one"), make("other")
    assert 0.85 * GIB < fill(one) < GIB - FILES
    assert shutil.disk_usage(one.root).free < 8 * MIB
    (other.root / "file").write_bytes(bytes(MIB))
    (one.root / "large").unlink()
    (one.root / "file").write_bytes(bytes(MIB))


def test_all_its_files_are_on_one_device(make: Make) -> None:
    root = make("one").root
    (root / "etc/new").write_text("of the host")
    assert len({path.lstat().st_dev for path in (root, *root.rglob("*"))}) == 1


def test_its_file_takes_no_more_than_what_was_written(make: Make) -> None:
    disk = make("one")
    assert disk.file.stat().st_size == GIB
    assert disk.file.stat().st_blocks * 512 < 10 * MIB


def test_its_content_outlives_the_mount(make: Make, journal: Journal) -> None:
    disk = make("one")
    (disk.root / "etc/hosts").write_text("of the host")
    (disk.root / "program").unlink()
    used = shutil.disk_usage(disk.root).used
    disks.unmount(disk, journal)
    assert not journal.entries()
    disks.mount(disk, journal)
    assert (disk.root / "etc/hosts").read_text() == "of the host"
    assert not (disk.root / "program").exists()
    assert abs(shutil.disk_usage(disk.root).used - used) < MIB


@pytest.mark.parametrize("runs", [True, False])
def test_a_layer_is_a_copy_that_other_disks_start_from(
    make: Make, tmp_path: Path, journal: Journal, runs: bool
) -> None:
    source, layer = make("source"), tmp_path / "ami-1"
    (source.root / "etc/hosts").write_text("of the source")
    (source.root / "program").unlink()
    shutil.rmtree(source.root / "etc")
    (source.root / "etc").mkdir()
    (source.root / "etc/new").write_bytes(os.urandom(30 * MIB))
    if not runs:
        disks.unmount(source, journal)
    with disks.opened(source, journal):
        disks.copy(source, layer)
    assert source.mounted == source.volume.is_mount() == runs
    copy = make("copy", layer)
    assert sorted(path.name for path in copy.root.rglob("*")) == ["etc", "new"]
    used = shutil.disk_usage(copy.root).used
    assert 30 * MIB < used < 45 * MIB, "the new file counts, and the program that was removed does not"


def test_a_copy_that_fails_is_repeated(
    make: Make, tmp_path: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, layer = make("source"), tmp_path / "ami-1"
    answers = ["tar ended with 2 and 0: Cannot open", "tar ended with 0 and 2: Cannot hard link"]
    once = disks._copy_once
    monkeypatch.setattr(disks, "_copy_once", lambda *given: answers.pop() if answers else once(*given))
    with disks.opened(source, journal):
        disks.copy(source, layer)
        assert layer.is_dir()
        assert not answers
        shutil.rmtree(layer)
        answers.extend(["a failure"] * disks.COPY_ATTEMPTS)
        with pytest.raises(disks.DiskError, match=r"Cannot copy the disk .*: a failure"):
            disks.copy(source, layer)
    assert not layer.exists()


def test_a_disk_is_deleted_only_when_it_is_not_mounted(make: Make, journal: Journal) -> None:
    disk = make("one")
    with pytest.raises(disks.DiskError, match="is still mounted"):
        disks.delete(disk)
    disks.unmount(disk, journal)
    disks.delete(disk)
    assert not disk.folder.exists()
    assert str(disk.file) not in subprocess.run(["losetup", "-a"], check=True, capture_output=True, text=True).stdout


def test_there_are_more_disks_than_loop_devices_at_first(make: Make) -> None:
    assert all(make(f"disk-{number}").mounted for number in range(12))


def test_a_format_that_was_interrupted_begins_again(tmp_path: Path, journal: Journal, make: Make) -> None:
    disk = Disk((tmp_path,), tmp_path / "one", gib=1)
    disk.folder.mkdir()
    disk.file.with_suffix(".unfinished").write_bytes(b"half")
    assert not disk.exists
    assert make("one").mounted
