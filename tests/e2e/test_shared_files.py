"""Shared folders that are the same on every server, and what is served while they are away."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from asking import Answer, get
from laptop import ENVIRONMENT, INVENTORY, Laptop, Play
from running_site import Site
from watching import eventually

NAME = "album.test"
FOLDER = "/srv/www/album"
SERVERS = ("private-1", "public-1", "public-2")
LONGEST = 45  # seconds until requests that need the files fail, when their file system is away
# `put` writes a file into the shared folder; every other page does not need it.
PAGE = """<?php
    if (isset($_GET['put'])) {
        $path = __DIR__ . '/media/' . basename($_GET['put']);
        echo @file_put_contents($path, $_GET['put'] . "\\n") ? 'written' : 'failed';
    } else { echo 'served'; }
"""
ANSWER = re.compile(r"^(\S+) \| \w+ \| rc=0 >>\n(.*?)(?=^\S+ \| |\Z)", re.MULTILINE | re.DOTALL)
SHOWN = "Show the state of the environment"
AWAY = (
    "nft add table inet away",
    "nft add chain inet away out '{ type filter hook output priority 0; }'",
    "nft add rule inet away out tcp dport 2049 drop",
)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("album")
    (folder / "public" / "media").mkdir(parents=True)
    (folder / "public" / "index.php").write_text(PAGE)
    (folder / "public" / "media" / "first.txt").write_text("packed\n")
    return folder


def variables(source: Path, *, everywhere: bool = True, **more: Any) -> dict[str, Any]:
    album = {
        "name": "album",
        "server_names": [NAME],
        "source": {"path": str(source)},
        "web_root": "public",
        "database": False,
        "shared": ["public/media"],
        "shared_everywhere": everywhere,
    }
    return {"lamp_sites": [{"name": "app", "web_root": "public"}, album], **more}


def played(laptop: Laptop, *words: str, variables: dict[str, Any], **more: str) -> Play:
    done = laptop.play(*words, variables=variables, **more)
    assert done.code == 0, done.failures() or done.errors
    return done


@pytest.fixture(scope="module")
def album(laptop: Laptop, site: Site, source: Path) -> Iterator[None]:
    """The site on all servers, each with files of its own. Afterwards the environment is as it was."""
    assert site
    try:
        played(laptop, "--tags", "lamp", variables=variables(source, everywhere=False))
        for name in ("public-1", "public-2"):
            for path, text in ((f"{name}.txt", name), ("both.txt", name)):
                write = f"mkdir -p public/media; echo {text} > public/media/{path}"
                assert laptop.on(
                    name, f"cd {FOLDER}/shared && runuser -u site-album -- sh -c {shlex.quote(write)}"
                ) == (0, "")
        yield
    finally:
        remove_files(laptop)
        accounts = [f"{command} {kind}-album" for command in ("userdel", "groupdel") for kind in ("code", "site")]
        gone = "\n".join([*accounts, "rm -rf /srv/www/album /etc/groundwork/sites/album"])
        played(laptop, variables={"firewall_purge": True})
        for name in SERVERS:
            assert laptop.on(name, gone)[0] == 0


def remove_files(laptop: Laptop) -> None:
    """Delete the file system with its mount targets."""
    efs = laptop.client("efs")
    for system in efs.describe_file_systems(CreationToken=f"{ENVIRONMENT}-files")["FileSystems"]:
        own = {"FileSystemId": system["FileSystemId"]}
        for target in efs.describe_mount_targets(**own)["MountTargets"]:
            efs.delete_mount_target(MountTargetId=target["MountTargetId"])
        left = eventually(partial(efs.describe_mount_targets, **own), lambda found: not found["MountTargets"], 60)
        assert left["MountTargets"] == []
        efs.delete_file_system(**own)


def ask(laptop: Laptop, server: str, path: str, longest: int = 10) -> tuple[int, str]:
    """Return the status and the body of a server's answer to itself, and 0 if it does not answer in time."""
    return everywhere(laptop, path, (server,), longest)[server]


def everywhere(
    laptop: Laptop, path: str, servers: tuple[str, ...] = SERVERS, longest: int = 10
) -> dict[str, tuple[int, str]]:
    """Return what each server answers to itself."""
    url = shlex.quote(f"http://127.0.0.1{path}")
    curl = f"curl -s -m {longest} -w '\\n%{{http_code}}' -H 'Host: {NAME}' {url}; true"
    argv = ("ansible", "-i", INVENTORY, ",".join(servers), "-m", "ansible.builtin.shell", "-a", curl)
    done = laptop.run(*argv, ANSIBLE_STDOUT_CALLBACK="ansible.builtin.minimal")
    told = {name: text.strip().rpartition("\n") for name, text in ANSWER.findall(done.stdout)}
    assert sorted(told) == sorted(servers), f"{done.stdout}{done.stderr}"
    return {name: (int(status), body.strip()) for name, (body, _newline, status) in told.items()}


def visit(site: Site, path: str) -> Answer:
    return get(f"{site.urls['public']}{path}", {"Host": NAME})


def upload(site: Site) -> str:
    """Upload a file through the balancer, and return its name."""
    name = f"{uuid4().hex}.txt"
    assert visit(site, f"/?put={name}").text == "written"
    return name


def warnings(play: Play) -> list[str]:
    return [told for _task, _host, result in play.results() for told in result.get("warnings", ())]


@pytest.fixture(scope="module")
def shared(laptop: Laptop, album: None, source: Path) -> Play:
    """The run that makes the files of the servers the same."""
    planned = played(laptop, "--check", variables=variables(source))
    made = played(laptop, variables=variables(source))
    assert {"localhost: create file system files", "localhost: create mount target files-a"} <= set(planned.changes())
    place = f"{FOLDER}/shared to /srv/groundwork/files/album"
    assert {f"{name}: move shared folder {place}" for name in SERVERS} <= set(planned.changes()) & set(made.changes())
    return made


def test_what_the_servers_had_is_on_all_of_them(laptop: Laptop, shared: Play) -> None:
    for name in ("public-1", "public-2"):
        assert everywhere(laptop, f"/media/{name}.txt") == dict.fromkeys(SERVERS, (200, name))
    assert everywhere(laptop, "/media/first.txt") == dict.fromkeys(SERVERS, (200, "packed"))
    [(status, winner)] = set(everywhere(laptop, "/media/both.txt").values())
    [loser] = {"public-1", "public-2"} - {winner}
    assert status == 200
    assert laptop.on(loser, f"cat {FOLDER}/shared.local/public/media/both.txt") == (0, loser)
    told = [warning for warning in warnings(shared) if "were not copied" in warning]
    assert len(told) == 1
    assert "public/media/both.txt" in told[0]


def test_the_second_run_changes_nothing(laptop: Laptop, shared: Play, source: Path) -> None:
    for flags in (("--check",), ()):
        again = played(laptop, *flags, variables=variables(source))
        assert (again.changes(), [one for one in warnings(again) if "album" in one]) == ([], [])


def test_an_upload_is_on_every_server(laptop: Laptop, site: Site, shared: Play) -> None:
    name = upload(site)
    assert everywhere(laptop, f"/media/{name}") == dict.fromkeys(SERVERS, (200, name))
    numbers = {
        laptop.on(one, f"stat -c '%u %g' {FOLDER}/shared/public/media/{name}; id -u site-album") for one in SERVERS
    }
    [(code, printed)] = numbers
    number = printed.split()[-1]
    assert (code, printed.split()) == (0, [number] * 3)
    assert 59000 <= int(number) <= 59999


def test_pages_without_it_are_served_while_it_is_away(laptop: Laptop, site: Site, shared: Play, source: Path) -> None:
    name = upload(site)
    server = "public-2"
    assert laptop.on(server, "\n".join(AWAY))[0] == 0
    try:
        assert ask(laptop, server, "/") == (200, "served")
        status, _body = ask(laptop, server, f"/media/{name}", LONGEST)
        assert 400 <= status < 600, "the request that was waiting fails"
        assert ask(laptop, server, f"/media/{name}")[0] in (403, 404), "later ones fail at once"
        assert ask(laptop, server, "/?put=lost.txt")[1] == "failed"
        assert ask(laptop, server, "/") == (200, "served")
        told = played(laptop, playbook="playbooks/status.yml", variables=variables(source))
        [shown] = [result["msg"] for task, _host, result in told.results() if task.endswith(SHOWN) and "msg" in result]
        assert f"  {server}: the file system of all servers at /srv/groundwork/files is not mounted" in shown
    finally:
        assert laptop.on(server, "nft delete table inet away")[0] == 0
    back = eventually(lambda: ask(laptop, server, f"/media/{name}"), lambda answer: answer[0] == 200, 60)
    assert back == (200, name)
    assert ask(laptop, server, "/media/lost.txt")[0] == 404


def test_it_outlives_a_release_and_going_back(laptop: Laptop, site: Site, shared: Play, source: Path) -> None:
    name = upload(site)
    _code, before = laptop.on("public-1", f"basename $(readlink {FOLDER}/current)")
    (source / "public" / "style.css").write_text("/* new */")
    played(laptop, playbook="playbooks/release.yml", variables=variables(source))
    assert everywhere(laptop, "/style.css") == dict.fromkeys(SERVERS, (200, "/* new */"))
    assert everywhere(laptop, f"/media/{name}") == dict.fromkeys(SERVERS, (200, name))
    played(laptop, playbook="playbooks/release.yml", variables=variables(source, lamp_release=f"album:{before}"))
    assert set(everywhere(laptop, "/style.css")) == set(SERVERS)
    assert {status for status, _body in everywhere(laptop, "/style.css").values()} == {404}
    assert everywhere(laptop, f"/media/{name}") == dict.fromkeys(SERVERS, (200, name))


def test_a_new_server_has_it(laptop: Laptop, site: Site, shared: Play, source: Path) -> None:
    name = upload(site)
    private = sum(one.startswith("private-") for one in site.servers)
    counts = {"public": 3, "private": private}
    more = {tier: {"count": count, "instance_type": "t3.small"} for tier, count in counts.items()}
    try:
        played(laptop, variables=variables(source, servers_tiers=more))
        assert everywhere(laptop, f"/media/{name}", ("public-3",)) == {"public-3": (200, name)}
    finally:
        played(laptop, variables=variables(source, servers_allow_removal=True))


def test_it_is_not_turned_off_by_accident(laptop: Laptop, shared: Play, source: Path) -> None:
    for flags in (("--check",), ()):
        refused = laptop.play("--tags", "lamp", *flags, variables=variables(source, everywhere=False))
        assert refused.code != 0
        told = f"{FOLDER}/shared is a link to /srv/groundwork/files/album, but should be a directory."
        assert told in str(refused.failures())
