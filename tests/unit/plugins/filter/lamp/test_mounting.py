"""The mount of the file system with what sites share on all servers, and nothing of it without such a site."""

from __future__ import annotations

import subprocess
import typing as t

import pytest
from lamp_variables import given

from ansible_collections.groundwork.aws.plugins.filter.lamp import lamp
from ansible_collections.groundwork.aws.plugins.module_utils.project.lamp.folders import number_of

NAME = "fs-1.efs.eu-central-1.amazonaws.com"
ALBUM = {"name": "album", "shared": ["media"], "shared_everywhere": True}
WORKER = {"name": "thumbs", "command": ["php", "thumbs.php"]}


def variables(**site: t.Any) -> dict[str, t.Any]:
    return given(sites=[{**ALBUM, **site}], file_system=NAME, packed=[])


def configuration(**site: t.Any) -> t.Any:
    return lamp(variables(**site), "configuration")


def files(found: t.Any) -> dict[str, t.Any]:
    return {one["path"]: one for one in found["files"]}


def test_the_file_system_is_mounted_and_kept_so() -> None:
    found = configuration()
    mount = files(found)["/etc/systemd/system/srv-groundwork-files.mount"]["content"]
    assert f"\nWhat={NAME}:/\nWhere=/srv/groundwork/files\nType=nfs4\n" in mount
    assert "hard" in mount
    assert "nosuid,nodev" in mount
    services = {one["name"]: one.get("state", "started") for one in found["services"]}
    assert (services["groundwork-files"], services["srv-groundwork-files.mount"]) == ("started", "unchanged")
    assert {"groundwork-files", "srv-groundwork-files.mount"} <= set(found["purge_services"])
    assert "nfs-common" in found["packages"]
    assert "nfs-common" in lamp(variables(), "image_configuration")["packages"]
    assert files(found)["/etc/systemd/system/remote-fs.target.wants/srv-groundwork-files.mount"]["state"] == "link"


def test_the_shared_folder_is_left_to_the_release() -> None:
    assert "/srv/www/album/shared" not in files(configuration())
    assert files(configuration(shared_everywhere=False))["/srv/www/album/shared"]["state"] == "directory"
    [release] = lamp(given(sites=[ALBUM], file_system=NAME, release="album:3f2a9c01d4e5", packed=[]), "releases")
    assert release["folders"]["files"] == "/srv/groundwork/files"


def test_the_account_has_the_same_number_on_each_server() -> None:
    for site, number, must in (({}, number_of(ALBUM), True), ({"uid": 59007}, 59007, True)):
        [account] = [one for one in configuration(**site)["accounts"] if one["name"] == "site-album"]
        assert (account["uid"], account["require_uid"]) == (number, must)
    [account] = [one for one in configuration(shared_everywhere=False)["accounts"] if one["name"] == "site-album"]
    assert (account["uid"], account["require_uid"]) == (number_of(ALBUM), False)


def test_a_number_follows_from_the_name_alone() -> None:
    assert [number_of({"name": name}) for name in ("app", "blog", "shop")] == [59255, 59531, 59586]


def test_without_a_site_that_uses_it_there_is_nothing_of_it() -> None:
    found = configuration(shared_everywhere=False)
    assert [path for path in files(found) if "groundwork-files" in path or path.startswith("/srv/groundwork")] == []
    assert "nfs-common" not in found["packages"]
    assert [one for one in found["services"] if "files" in one["name"]] == []
    assert lamp(variables(shared_everywhere=False), "watched")["files"] == ""
    purged = {one["pattern"] for one in found["purge"]}
    assert set(files(configuration())) - set(files(found)) - purged == {
        "/srv/groundwork",
        "/srv/groundwork/files",
        *TARGETS,
    }


TARGETS = ("/etc/systemd/system/remote-fs.target.wants",)  # a folder that may have other units


@pytest.mark.parametrize("everywhere", [True, False])
def test_workers_can_write_to_it(everywhere: bool) -> None:
    unit = files(configuration(shared_everywhere=everywhere, workers=[WORKER]))[
        "/etc/systemd/system/groundwork-album-thumbs@.service"
    ]["content"]
    [line] = [one for one in unit.splitlines() if one.startswith("ReadWritePaths=")]
    assert line == f"ReadWritePaths=/srv/www/album{' /srv/groundwork' if everywhere else ''}"


KEEPING = """
systemctl() {{ echo "systemctl $*" >> {folder}/done; case "$*" in *is-active*) return {active};; esac; }}
timeout() {{ return {silent}; }}
umount() {{ echo "umount $*" >> {folder}/done; }}
sleep() {{ count=$((${{count:-0}} + 1)); [ "$count" -lt 4 ] || exit 0; }}
"""


@pytest.mark.parametrize(
    ("active", "silent", "done"),
    [
        (0, 0, []),
        (3, 0, ["systemctl start srv-groundwork-files.mount"] * 4),
        (0, 137, ["umount --force --lazy --no-canonicalize --internal-only /srv/groundwork/files"] * 3),
    ],
)
def test_the_mount_is_kept_and_given_up(tmp_path: t.Any, active: int, silent: int, done: list[str]) -> None:
    program = files(configuration())["/usr/local/sbin/groundwork-files"]["content"]
    fakes = KEEPING.format(folder=tmp_path, active=active, silent=silent)
    subprocess.run(["sh", "-c", f"{fakes}\n{program}"], check=True, capture_output=True)
    acted = [line for line in (tmp_path / "done").read_text().splitlines() if "is-active" not in line]
    assert acted == done
