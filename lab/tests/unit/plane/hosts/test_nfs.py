"""The NFS client of hosts: encoding, options, messages. What it does with a server is in tests/packets/files."""

from __future__ import annotations

import stat
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from groundwork_lab.plane.hosts import image, nfs
from groundwork_lab.plane.hosts.nfs import fuse, operations, xdr
from groundwork_lab.plane.hosts.nfs.files import Caching
from groundwork_lab.plane.hosts.nfs.mount import OptionError, main, parsed
from groundwork_lab.plane.hosts.nfs.session import NfsError, Patience, Who, succeeded

EFS = "nfsvers=4.1,rsize=1048576,wsize=1048576,hard,timeo=600,retrans=2,noresvport,_netdev"


def reader(data: bytes) -> xdr.Reader:
    return xdr.Reader(memoryview(data))


@pytest.mark.parametrize("data", [b"", b"a", b"abcd", b"abcde", bytes(range(256))])
def test_opaque_data_is_padded_to_words(data: bytes) -> None:
    encoded = xdr.opaque(data) + xdr.u32(7)
    found = reader(encoded)
    assert len(encoded) % 4 == 0
    assert (found.opaque(), found.u32()) == (data, 7)


@pytest.mark.parametrize("numbers", [[], [0], [1, 33], [3, 31, 32, 53], [75]])
def test_sets_of_numbers(numbers: list[int]) -> None:
    assert reader(xdr.bitmap(numbers)).bitmap() == frozenset(numbers)


def test_an_answer_that_ends_too_early_is_an_error() -> None:
    for found in (reader(b"\0\0"), reader(xdr.u32(8) + b"1234")):
        with pytest.raises(struct.error):
            found.opaque()


def test_a_result_is_its_operation_and_its_status() -> None:
    assert succeeded(reader(xdr.u32(9) + xdr.u32(0) + xdr.u32(5))).u32() == 5
    with pytest.raises(NfsError) as caught:
        succeeded(reader(xdr.u32(9) + xdr.u32(13)))
    assert (caught.value.status, caught.value.errno) == (13, 13)
    assert NfsError(10010).errno == 11  # a denied lock is EAGAIN
    assert NfsError(12345).errno == 5  # an unknown one is EIO


def test_attributes_are_read_in_the_order_of_their_numbers() -> None:
    times = b"".join(xdr.i64(second) + xdr.u32(0) for second in (1, 2, 3))
    values = (
        xdr.u32(2) + xdr.u64(77) + xdr.u64(4096) + xdr.u64(12) + xdr.u32(0o750) + xdr.u32(2) + xdr.opaque(b"1000")
        + xdr.opaque(b"www-data@lan") + xdr.u32(0) + xdr.u32(0) + xdr.u64(8192) + times
    )  # fmt: skip
    found = operations.attributes(reader(xdr.u32(9) + xdr.u32(0) + operations.WANTED + xdr.opaque(values)))
    assert found.mode == stat.S_IFDIR | 0o750
    assert (found.uid, found.gid) == (1000, operations.NOBODY)
    assert (found.change, found.size, found.fileid, found.links) == (77, 4096, 12, 2)
    assert (found.atime, found.ctime, found.mtime) == ((1, 0), (2, 0), (3, 0))


def test_at_most_sixteen_groups_are_sent() -> None:
    """RFC 5531, appendix A: `gids<16>`."""
    body = reader(Who(1, 2, tuple(range(20))).credential())
    assert body.u32() == 1
    sent = xdr.Reader(body.view())
    sent.u32()
    sent.opaque()
    assert [sent.u32() for _ in range(3)] == [1, 2, 16]


def test_the_recommended_options_of_efs() -> None:
    """https://docs.aws.amazon.com/efs/latest/ug/mounting-fs-nfs-mount-settings.html"""
    wanted = parsed("fs-1.efs.eu-central-1.amazonaws.com:/a/b", f"rw,{EFS}")
    assert (wanted.server, wanted.path, wanted.port) == ("fs-1.efs.eu-central-1.amazonaws.com", b"/a/b", 2049)
    assert (wanted.patience, wanted.patience.bound) == (Patience(hard=True, timeo=60.0, retrans=2), 180.0)
    assert (wanted.read, wanted.caching, wanted.flags) == (1 << 20, Caching(3.0, 30.0), 0)


def test_other_options() -> None:
    wanted = parsed("10.0.0.1:/", "ro,noexec,soft,timeo=10,retrans=1,actimeo=7,rsize=65536,x-systemd.automount,nofail")
    assert (wanted.patience.hard, wanted.patience.bound) == (False, 2.0)
    assert (wanted.caching, wanted.read, wanted.flags) == (Caching(7.0, 7.0), 65536, 1 | 8)
    assert parsed("10.0.0.1:/", "noac").caching == Caching(0.0, 0.0)


@pytest.mark.parametrize(
    ("source", "options"),
    [
        ("fs-1", ""), (":/", ""), ("host:relative", ""), ("host:/", "nfsvers=3"), ("host:/", "sec=krb5"),
        ("host:/", "proto=udp"), ("host:/", "timeo=soon"), ("host:/", "remount"), ("host:/", "tls"),
    ],
)  # fmt: skip
def test_what_the_client_does_not_have_is_refused(source: str, options: str) -> None:
    with pytest.raises(OptionError):
        parsed(source, options)
    assert main([source, "/mnt", "-o", options]) == 32


def test_the_answer_to_init() -> None:
    """`FEATURES` are offered by the kernel, or are not used."""
    answer = fuse.init(memoryview(struct.pack("<IIII", 7, 45, 131072, 1 << 10 | 1 << 3)))
    assert len(answer) == 64
    assert struct.unpack_from("<IIII", answer) == (7, fuse.MINOR, 131072, 1 << 10)


def test_the_image_has_the_command(tmp_path: Path) -> None:
    """The package has another name there, and Python has no site packages."""
    folder = tmp_path / "groundwork_nfs"
    folder.mkdir()
    for source in Path(nfs.__file__).parent.glob("*.py"):
        (folder / source.name).write_text(source.read_text("utf-8"), "utf-8")
    command = tmp_path / "mount.nfs4"
    command.write_text(image.MOUNT.replace("/usr/lib/groundwork-lab", str(tmp_path)), "utf-8")
    outcome = subprocess.run([sys.executable, "-IS", command, "x"], capture_output=True, text=True, check=False)
    assert (outcome.returncode, outcome.stderr) == (1, "usage: mount.nfs4 SERVER:/FOLDER FOLDER [-o OPTIONS]\n")
