"""Archives are read without trust: each kind of bad member, and each kind of damage, in our words."""

from __future__ import annotations

import random
import stat
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hostile import add, link, patched, special, tar, zipped

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import run
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases import archives
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.packing import Source, members_of, release_id

DAMAGES = 600
TAKEN = "app.zip", "app.tar", "app.tar.gz", "app.tar.bz2", "app.tar.xz"


def read(path: Path, **options: object) -> str:
    """The id of an application in an archive, which takes reading all of it."""
    return release_id(members_of(Source(archive=str(path), **options), run, path.parent))  # type: ignore[arg-type]


def refusal(path: Path) -> str:
    with pytest.raises(GroundworkError) as refused:
        read(path)
    return str(refused.value).replace(f"{path.parent}/", "")


OUT = "the link leads out of the application, to"
COPY = "copy its target, or leave it out (exclude)"


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (
            special("x", tarfile.LNKTYPE, linkname="index.php"),
            "x: is a hard link to index.php; pack a copy of the file, as tar --hard-dereference does.",
        ),
        (
            special("x", tarfile.LNKTYPE, linkname="/etc/shadow"),
            "x: is a hard link to /etc/shadow; pack a copy of the file, as tar --hard-dereference does.",
        ),
        (special("x", tarfile.CHRTYPE), "x: is a character device; leave it out (exclude)."),
        (special("x", tarfile.BLKTYPE), "x: is a block device; leave it out (exclude)."),
        (special("x", tarfile.FIFOTYPE), "x: is a named pipe; leave it out (exclude)."),
        (special("x", b"Z"), "x: is not a file, a folder or a link; leave it out (exclude)."),
        (
            lambda a: add(a, "x", mode=0o4755),
            "x: its mode 4755 has a setuid, setgid or sticky bit; remove it (chmod ug-s,-t).",
        ),
        (
            lambda a: add(a, "x", mode=0o2755),
            "x: its mode 2755 has a setuid, setgid or sticky bit; remove it (chmod ug-s,-t).",
        ),
        (lambda a: add(a, "/etc/x"), "/etc/x: its name is absolute; make it relative to the application's folder."),
        (lambda a: add(a, "a/../../x"), "a/../../x: its name leads out of the application; leave '..' out of it."),
        (lambda a: add(a, "a/../x"), "a/../x: its name leads out of the application; leave '..' out of it."),
        (lambda a: add(a, "a\nb"), "'a\\nb': its name has a control character; rename it."),
        (lambda a: add(a, "a\udcff"), "'a\\udcff': its name is not UTF-8; rename it."),
        (
            lambda a: add(a, "x" * 256),
            f"{'x' * 100}...{'x' * 100}: its name has 256 bytes in one component; shorten it to 255.",
        ),
        (
            lambda a: add(a, "x/" * 2000 + "y"),
            f"{'x/' * 50}...{'/x' * 49}/y: its name has 4001 bytes; shorten it to 3840.",
        ),
        (lambda a: add(a, "index.php/x"), "index.php: is a file, but index.php/x is below it; keep one of them."),
        (lambda a: add(a, "./index.php"), "index.php: exists more than once; keep one of them."),
        (lambda a: link(a, "x", "../y"), f"x: {OUT} ../y; {COPY}."),
        (lambda a: (link(a, "a", "s/l/.."), link(a, "s/l", "..")), f"a: {OUT} s/l/..; {COPY}."),
        (
            lambda a: (link(a, "x", "."), add(a, "x/y")),
            "x: is a link, but x/y is below it; keep one of them.",
        ),
        (
            lambda a: add(a, "x", pax_headers={"path": "../y"}),
            "../y: its name leads out of the application; leave '..' out of it.",
        ),
        (
            lambda a: add(a, "x", pax_headers={"GNU.sparse.map": "0,1", "GNU.sparse.size": "99999999"}),
            "x: is a sparse file; pack it without tar's --sparse.",
        ),
    ],
)
def test_a_bad_member_of_a_tar_archive_is_named(tmp_path: Path, make: Callable[..., None], problem: str) -> None:
    told = refusal(tar(tmp_path / "app.tar.gz", make))
    assert told == f"app.tar.gz cannot be released: 1 member is refused.\n- {problem}"


@pytest.mark.parametrize(
    ("name", "content", "mode", "problem"),
    [
        ("../x", b"", stat.S_IFREG, "../x: its name leads out of the application; leave '..' out of it."),
        ("a\0b", b"", stat.S_IFREG, "'a\\x00b': its name has a control character; rename it."),
        ("x", b"/etc/passwd", stat.S_IFLNK, f"x: {OUT} /etc/passwd; {COPY}."),
        ("x", b"y" * 9999, stat.S_IFLNK, "x: is a link whose target has 9999 bytes; shorten it."),
        ("x", b"\xff", stat.S_IFLNK, "x: in the link's target, its name is not UTF-8; rename it."),
        ("x", b"", stat.S_IFIFO, "x: is not a file, a folder or a link; leave it out (exclude)."),
        (
            "x",
            b"",
            stat.S_IFREG | 0o4755,
            "x: its mode 4755 has a setuid, setgid or sticky bit; remove it (chmod ug-s,-t).",
        ),
    ],
)
def test_a_bad_member_of_a_zip_archive_is_named(
    tmp_path: Path, name: str, content: bytes, mode: int, problem: str
) -> None:
    path = zipped(tmp_path / "app.zip", name.replace("\0", "%"), content, mode)
    told = refusal(patched(path, name.replace("\0", "%").encode(), name.encode()))
    assert told == f"app.zip cannot be released: 1 member is refused.\n- {problem}"


def test_an_encrypted_member_is_named(tmp_path: Path) -> None:
    path = zipped(tmp_path / "app.zip", "x")
    head, entry = b"PK\x03\x04\x14\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x00\x00"
    patched(patched(path, head, b"PK\x03\x04\x14\x00\x01\x00"), entry, entry[:8] + b"\x01\x00")
    assert "- x: is encrypted; pack it without a password." in refusal(path)


def test_an_unknown_compression_is_told(tmp_path: Path) -> None:
    path = zipped(tmp_path / "app.zip", "x")
    patched(path, b"PK\x01\x02\x14\x03\x14\x00\x00\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x00\x00\x63\x00")
    again = "Create it again, or give another archive or folder."
    assert refusal(path) == f"index.php in app.zip cannot be read: That compression method is not supported. {again}"


def test_what_is_refused_can_be_excluded(tmp_path: Path) -> None:
    path = tar(tmp_path / "app.tar", special("dev/null", tarfile.CHRTYPE), mode="w")
    assert read(path, exclude=("dev",)) == read(tar(tmp_path / "good.tar", mode="w"))


def test_a_bad_name_is_refused_however_much_of_it_is_dropped(tmp_path: Path) -> None:
    path = tar(tmp_path / "app.tar", lambda a: add(a, "/etc/x"), lambda a: add(a, "../x"), mode="w")
    with pytest.raises(GroundworkError, match="2 members are refused") as refused:
        read(path, strip=1)
    assert "its name is absolute" in str(refused.value)


@pytest.fixture
def whole(tmp_path: Path) -> dict[str, bytes]:
    """An application of some size as each kind of archive."""
    noise = random.Random(3).randbytes(40_000)  # noqa: S311 - repeatable on purpose

    def more(archive: tarfile.TarFile) -> None:
        add(archive, "noise", noise)
        link(archive, "latest", "noise")
        add(archive, "a/" * 60 + "long name", b"in a header of its own")
        add(archive, "last", b"the last")

    for name in TAKEN[1:]:
        mode = "w" if name.endswith(".tar") else f"w:{name.rpartition('.')[2]}"
        tar(tmp_path / name, more, mode=mode)
    with zipfile.ZipFile(tmp_path / TAKEN[0], "w", zipfile.ZIP_DEFLATED) as archive:
        for member, content in {"index.php": b"<?php", "noise": noise, "a/b/last": b"the last"}.items():
            archive.writestr(member, content)
    return {name: (tmp_path / name).read_bytes() for name in TAKEN}


@pytest.mark.parametrize("name", TAKEN)
def test_an_archive_that_is_cut_anywhere_is_refused(tmp_path: Path, whole: dict[str, bytes], name: str) -> None:
    path, content = tmp_path / name, whole[name]
    chance = random.Random(5)  # noqa: S311 - repeatable on purpose
    # A tar archive's end is two blocks of zeros and what fills its last record.
    end = len(content) - (tarfile.RECORDSIZE if name == "app.tar" else 1)
    for length in (0, 1, 100, 512, 1024, 2048, end, *(chance.randrange(end) for _cut in range(40))):
        path.write_bytes(content[:length])
        assert f"{name} cannot be read: " in refusal(path), length


@pytest.mark.parametrize("name", TAKEN)
def test_damage_is_told_in_our_words(tmp_path: Path, whole: dict[str, bytes], name: str) -> None:
    """Any byte may be any other: it is read, or refused by GroundworkError with the archive's name."""
    path, content = tmp_path / name, bytearray(whole[name])
    chance = random.Random(7)  # noqa: S311 - repeatable on purpose
    refused = 0
    for _archive in range(DAMAGES // len(TAKEN)):
        damaged = content[:]
        ends = chance.choice((len(content), 2000))  # as often in the headers as in the data
        for _byte in range(chance.choice((1, 1, 3))):
            damaged[chance.randrange(min(ends, len(content)))] = chance.randrange(256)
        path.write_bytes(damaged)
        try:
            read(path)
        except GroundworkError as error:
            assert name in str(error)
            refused += 1
    assert refused > 10


def test_a_size_below_zero_does_not_go_round_in_circles(tmp_path: Path) -> None:
    """tarfile goes back in the file for it, and would never end (CVE-2025-8194)."""
    path = tar(tmp_path / "app.tar", lambda a: add(a, "x"), mode="w", format=tarfile.GNU_FORMAT)
    content = bytearray(path.read_bytes())
    size = content.index(b"x\0", 1024) + 124
    content[size : size + 12] = b"\xff" * 4 + struct.pack(">q", -1024)
    header = content[size - 124 : size - 124 + 512]
    header[148:156] = b" " * 8
    content[size + 24 : size + 32] = b"%06o\0 " % sum(header)
    path.write_bytes(content)
    assert "app.tar cannot be read: " in refusal(path)


@pytest.mark.parametrize("name", ["app.zip", "app.tar.gz"])
def test_a_decompression_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(archives, "LARGEST", 1024**2)
    monkeypatch.setattr(archives, "CHUNK", 1024)
    path = tmp_path / name
    if name == "app.zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for number in range(3):
                archive.writestr(f"bomb{number}", bytes(500_000))
    else:
        tar(path, lambda a: add(a, "bomb", bytes(2 * 1024**2)))
    told = refusal(path)
    assert told.startswith(f"{name} exceeds the limit of 0 GiB and 500,000 members.")


def test_too_many_members_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_MEMBERS", 2)
    path = tar(tmp_path / "app.tar", lambda a: add(a, "x"), lambda a: add(a, "y"), mode="w")
    assert "2 GiB and 2 members" in refusal(path)


def test_folders_keep_no_setgid_and_are_taken(tmp_path: Path) -> None:
    path = tar(tmp_path / "app.tar", special("x", tarfile.DIRTYPE, mode=0o3775), mode="w")
    assert read(path)
