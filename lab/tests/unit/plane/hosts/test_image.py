from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from groundwork_lab.plane.hosts import image
from groundwork_lab.plane.hosts.apt import Apt, Source
from groundwork_lab.plane.hosts.roots import finish

MACHINE = Apt(
    sources=(Source("http://mirror.example/debian", "bookworm"),),
    reaching=('Acquire::http::Proxy "http://proxy.example:3142";',),
    judging=(),
)


def test_key_follows_what_is_in_the_image() -> None:
    key = image.recipe(12, MACHINE, "amd64").key
    assert key == image.recipe(12, MACHINE, "amd64").key
    assert key == image.recipe(12, replace(MACHINE, reaching=()), "amd64").key  # a proxy does not change the image
    assert key != image.recipe(12, MACHINE, "arm64").key
    assert key != image.recipe(12, replace(MACHINE, sources=(Source("http://b", "bookworm"),)), "amd64").key
    assert key != image.recipe(12, replace(MACHINE, judging=('Acquire::Check-Date "false";',)), "amd64").key


def test_cloud_config_is_the_amis() -> None:
    config = yaml.safe_load(image.CLOUD_CONFIG)
    assert config["system_info"]["default_user"]["name"] == "admin"
    assert config["ssh_pwauth"] is False
    modules = {name for stage in ("init", "config", "final") for name in config[f"cloud_{stage}_modules"]}
    assert {"users-groups", "ssh", "keys-to-console", "scripts-user", "runcmd"} <= modules
    assert "locale" not in modules


def test_finish(tmp_path: Path) -> None:
    root = tmp_path
    for name in ("etc/apt/apt.conf.d/99mmdebstrap", "etc/ssh/ssh_host_rsa_key", "etc/ssh/ssh_config", "etc/hostname"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("old")
    (root / "etc/resolv.conf").symlink_to(tmp_path / "elsewhere")
    (root / "etc/systemd/system").mkdir(parents=True)
    (root / "var/lib/dpkg").mkdir(parents=True)
    (root / "var/lib/dpkg/diversions").write_text("/bin/sh\n/bin/sh.distrib\ndash\n")
    finish(root, image.recipe(12, MACHINE, "amd64"))
    assert not (root / "etc/apt/apt.conf.d/99mmdebstrap").exists()
    assert not (root / "etc/ssh/ssh_host_rsa_key").exists()
    assert not (root / "etc/hostname").exists()
    assert (root / "etc/ssh/ssh_config").read_text() == "old"
    assert (root / "etc/machine-id").read_text() == ""
    assert not (root / "etc/resolv.conf").is_symlink()
    assert "mirror.example" in (root / "etc/apt/sources.list.d/debian.sources").read_text()
    assert (root / "etc/systemd/system/apt-daily.timer").readlink() == Path("/dev/null")
    diverted = (root / "var/lib/dpkg/diversions").read_text()
    assert {"dash", "/sbin/mount.nfs4.diverted"} <= set(diverted.split())
    command = root / "usr/sbin/mount.nfs4"
    assert (command.stat().st_mode & 0o777, (root / "etc/hosts").stat().st_mode & 0o777) == (0o755, 0o644)


@pytest.mark.parametrize("judging", [(), ('Acquire::Check-Date "false";',)])
def test_hosts_judge_dates_as_the_machine_does(judging: tuple[str, ...]) -> None:
    files = image.recipe(12, replace(MACHINE, judging=judging), "amd64").files
    assert files.get("etc/apt/apt.conf.d/90machine") == (f"{judging[0]}\n" if judging else None)
