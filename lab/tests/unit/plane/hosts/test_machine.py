from __future__ import annotations

import sys
from pathlib import Path

import pytest

from groundwork_lab.plane.hosts import cgroups, disks, machine
from groundwork_lab.plane.hosts.disks import Disk


def test_nspawn_command() -> None:
    plan = machine.Machine(name="lab-i-1", root=Path("/state/i-1/root"), hostname="ip-10-20-0-5")
    assert machine.nspawn_argv(plan) == [
        "env",
        "SYSTEMD_NSPAWN_LOCK=0",
        "systemd-nspawn",
        "--quiet",
        "--boot",
        "--directory=/state/i-1/root",
        "--machine=lab-i-1",
        "--hostname=ip-10-20-0-5",
        "--capability=CAP_NET_ADMIN",
        f"--drop-capability={','.join(machine.DROPPED)}",
        "--bind=/dev/fuse",
        "--console=read-only",
        "--register=no",
        "--keep-unit",
        "--settings=no",
        "--link-journal=no",
        "--resolv-conf=off",
        "--timezone=off",
    ]


def test_launch_command() -> None:
    plan = machine.Machine(name="lab-i-1", root=Path("/state/i-1/root"), hostname="ip-10-20-0-5")
    argv = machine.launch_argv(Path("/sys/fs/cgroup/lab/i-1"), plan)
    assert argv[:3] == [sys.executable, "-I", "-S"]
    assert Path(argv[3]).is_file()
    assert argv[4:] == ["/sys/fs/cgroup/lab/i-1", "/state/i-1/root", *machine.nspawn_argv(plan)]


def test_seed_files() -> None:
    assert machine.seed_files(None) == {
        "etc/resolv.conf": "nameserver 169.254.169.253\nsearch eu-central-1.compute.internal\n"
    }
    files = machine.seed_files("http://198.18.0.5:3142")
    assert files["etc/apt/apt.conf.d/80package-cache"] == 'Acquire::http::Proxy "http://198.18.0.5:3142";\n'


def test_writes_inside(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/resolv.conf").write_text("old")
    machine.write_inside(tmp_path, "etc/resolv.conf", "new")
    assert (tmp_path / "etc/resolv.conf").read_text() == "new"
    assert [each.name for each in (tmp_path / "etc").iterdir()] == ["resolv.conf"]


@pytest.mark.parametrize("trap", ["etc/resolv.conf", "etc/.resolv.conf.new"])
def test_does_not_follow_a_hosts_links(tmp_path: Path, trap: str) -> None:
    outside = tmp_path / "outside"
    outside.write_text("untouched")
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / trap).symlink_to(outside)
    machine.write_inside(root, "etc/resolv.conf", "new")
    assert outside.read_text() == "untouched"
    assert (root / "etc/resolv.conf").read_text() == "new"


def test_refuses_a_folder_that_is_a_link(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (tmp_path / "root").mkdir()
    (tmp_path / "root/etc").symlink_to(tmp_path / "outside")
    with pytest.raises(OSError, match="etc"):
        machine.write_inside(tmp_path / "root", "etc/resolv.conf", "new")
    assert not list((tmp_path / "outside").iterdir())


@pytest.mark.parametrize(
    ("folder", "lower"),
    [("/cache/x", "/cache/x"), ("/ca:che/x", r"/ca\:che/x"), ("/ca,che/x", r"/ca\,che/x"), ("/c\\x", r"/c\\x")],
)
def test_overlay_options(folder: str, lower: str) -> None:
    options = disks.overlay_options(Disk((Path("/layers/ami-1"), Path(folder)), Path("/state/i-1/disk"), 8))
    assert (
        options == f"lowerdir=/layers/ami-1:{lower},upperdir=/state/i-1/disk/volume/upper,"
        "workdir=/state/i-1/disk/volume/work,xino=on,volatile"
    )


UNIFIED = "24 1 0:22 / /sys/fs/cgroup rw,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
HYBRID = (
    "30 1 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
    "31 1 0:31 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n"
    "32 1 0:32 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
)


@pytest.mark.parametrize(
    ("mountinfo", "folders"),
    [
        (UNIFIED, ["/sys/fs/cgroup/lab/i-1"]),
        (HYBRID, ["/sys/fs/cgroup/unified/lab/i-1", "/sys/fs/cgroup/systemd/lab/i-1"]),
        (UNIFIED + "40 1 0:22 / /elsewhere rw - cgroup2 cgroup2 rw\n", ["/sys/fs/cgroup/lab/i-1"]),
    ],
)
def test_control_groups(mountinfo: str, folders: list[str]) -> None:
    assert [str(path) for path in cgroups.tree(mountinfo).folders("lab", "i-1")] == folders


def test_needs_a_v2_tree() -> None:
    with pytest.raises(cgroups.NoControlGroupsError, match="mount -t cgroup2"):
        cgroups.tree(HYBRID.replace("cgroup2", "cgroup"))


def test_removing_a_group_that_is_gone_is_no_error(tmp_path: Path) -> None:
    cgroups.remove(tmp_path / "gone")


def test_removes_nested_groups(tmp_path: Path) -> None:
    (tmp_path / "lab/i-1/payload").mkdir(parents=True)
    cgroups.remove(tmp_path / "lab/i-1")
    assert not (tmp_path / "lab/i-1").exists()
    assert (tmp_path / "lab").exists()


def test_a_host_trusts_the_authority(tmp_path: Path) -> None:
    for folder in ("usr/local/share/ca-certificates", "etc/ssl/certs"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / machine.BUNDLE).write_bytes(b"Debian's \xff\n")
    for _ in range(2):
        machine.trust(tmp_path, "the lab's\n")
    assert (tmp_path / machine.AUTHORITY).read_text() == "the lab's\n"
    assert (tmp_path / machine.BUNDLE).read_bytes() == b"Debian's \xff\nthe lab's\n"


def test_a_host_without_authorities_is_left_alone(tmp_path: Path) -> None:
    machine.trust(tmp_path, "the lab's\n")
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("untouched")
    root = tmp_path / "root"
    for folder in ("usr/local/share/ca-certificates", "etc/ssl/certs"):
        (root / folder).mkdir(parents=True)
    (root / machine.BUNDLE).symlink_to(outside)
    with pytest.raises(OSError, match="ca-certificates"):
        machine.trust(root, "the lab's\n")
    assert outside.read_text() == "untouched"
