"""A second controller with a fresh checkout releases, replaces, recovers and removes what a first one built.

Each test stands on the one before it. At the end there is no site.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from checkout import copy_tracked
from laptop import ROOT, Laptop, besides_lock
from running_site import Site
from sample_app import changed_app
from visitors import TIERS, served, short_delay

KEY = "/groundwork/local/servers/key"
NAMES = ("public-1", "public-2", "private-1", "private-2")
FILES = {"id_ed25519", "id_ed25519.pub", "known_hosts"}
RELEASE, REPLACE, RECOVER = (f"playbooks/{name}.yml" for name in ("release", "replace", "recover"))
RECOVERED = {"servers_recover": "all", "servers_recover_downtime": "accepted"}
SERVERS = ("--tags", "infrastructure,lamp")
MARK = "/var/lib/mysql/groundwork-mark"  # beside the databases of the server


def folder(laptop: Laptop) -> Path:
    return laptop.checkout / ".environments" / "local"


def fresh(path: Path) -> Laptop:
    """A controller with a fresh checkout."""
    copy_tracked(path)
    laptop = Laptop(path)
    assert not folder(laptop).exists()
    return laptop


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Laptop:
    return fresh(tmp_path_factory.mktemp("second") / "checkout")


@pytest.fixture(scope="module", autouse=True)
def _short_delay(laptop: Laptop, site: Site) -> Iterator[None]:
    assert site.built
    with short_delay(laptop):
        yield


def played(laptop: Laptop, *words: str, playbook: str = "site.yml", **variables: Any) -> list[str]:
    """Run a playbook that has to succeed, and return its changes, without the end of the short drain."""
    play = laptop.play(*words, playbook=playbook, variables=variables)
    assert play.code == 0, play.failures() or play.errors
    return [change for change in play.changes() if "target group attributes" not in change]


def host_keys(site: Site) -> dict[str, str]:
    """The host key in the tag of each server."""
    tags = {name: {tag["Key"]: tag["Value"] for tag in server["Tags"]} for name, server in site.servers.items()}
    return {name: own.get("groundwork:host-key", "") for name, own in tags.items()}


def silence(laptop: Laptop, site: Site, server: str) -> None:
    """Stop and start a server, so that its console does not show the host keys any more."""
    ec2, own = laptop.client("ec2"), site.server_id(server)
    for change, reached in ((ec2.stop_instances, "instance_stopped"), (ec2.start_instances, "instance_status_ok")):
        change(InstanceIds=[own])
        ec2.get_waiter(reached).wait(InstanceIds=[own], WaiterConfig={"Delay": 1, "MaxAttempts": 120})


def test_check_mode_gets_the_keys_and_shows_no_secret(laptop: Laptop, second: Laptop) -> None:
    laptop.calls(reset=True)
    argv = ["ansible-playbook", "-i", "inventories/local", RELEASE, "--check", "--diff", "-vvv"]
    done = second.run(*argv)
    assert done.returncode == 0, done.stdout[-3000:]
    assert laptop.calls()["writes"] == {}
    first, own = folder(laptop), folder(second)
    assert {path.name for path in own.iterdir()} >= FILES
    key = (own / "id_ed25519").read_text()
    assert key == (first / "id_ed25519").read_text()
    assert stat.S_IMODE(own.stat().st_mode) == 0o700
    assert {stat.S_IMODE((own / name).stat().st_mode) for name in FILES} == {0o600}
    secret = [line for line in key.splitlines() if not line.startswith("-----")]
    assert not any(line in done.stdout + done.stderr for line in secret)


def test_it_releases_and_the_first_one_goes_back(laptop: Laptop, second: Laptop, site: Site, tmp_path: Path) -> None:
    before = served(site)
    play = second.play(playbook=RELEASE, variables=changed_app(tmp_path))
    assert play.code == 0, play.failures() or play.errors
    assert set(served(site).values()).isdisjoint(before.values())
    played(laptop, playbook=RELEASE, lamp_release=before["public-1"])
    assert served(site) == before


def test_it_replaces_a_server_and_the_first_one_follows(laptop: Laptop, second: Laptop, site: Site) -> None:
    before = site.server_id("private-1")
    changes = played(second, playbook=REPLACE, servers_replace=[before], servers_replace_data="lost")
    assert "batch-1: create server private-1-next" in changes
    assert site.server_id("private-1") != before
    followed = played(laptop, "--tags", "infrastructure")
    assert sorted(followed) == ["localhost: create host keys private-1", f"localhost: delete host keys {before}"]
    assert laptop.reaches("private-1")
    assert played(laptop, *SERVERS) == []


def test_a_server_that_is_unknown_everywhere_is_replaced_all_the_same(
    laptop: Laptop, second: Laptop, site: Site
) -> None:
    """A replacement needs nothing of the server that it terminates."""
    lost = site.server_id("public-2")
    silence(laptop, site, "public-2")
    forget(laptop, site, ["public-2"], second)
    refused = second.play("--tags", "infrastructure")
    assert refused.code != 0
    [message] = refused.failures()
    assert f"public-2 ({lost}) does not contain the SSH host keys" in message
    assert "groundwork.aws.replace with servers_replace=<instance id>" in message
    played(second, playbook=REPLACE, servers_replace=[lost], servers_replace_data="lost")
    assert second.reaches("public-2")
    played(laptop, "--tags", "infrastructure")


def forget(laptop: Laptop, site: Site, servers: list[str], *controllers: Laptop) -> None:
    """Remove the host keys of servers from their tags and from the files of controllers."""
    own = [site.server_id(name) for name in servers]
    laptop.client("ec2").delete_tags(Resources=own, Tags=[{"Key": "groundwork:host-key"}])
    for controller in (laptop, *controllers):
        path = folder(controller) / "known_hosts"
        if not path.exists():
            continue
        kept = [line for line in path.read_text().splitlines(keepends=True) if not line.startswith(tuple(own))]
        path.write_text("".join(kept))


def test_a_server_is_recovered_as_the_message_says(laptop: Laptop, second: Laptop, site: Site) -> None:
    """The host keys of one server are known nowhere. Its data stay, and its public address does not."""
    before = site.servers["public-1"]
    keys = host_keys(site)
    silence(laptop, site, "public-1")
    forget(laptop, site, ["public-1"], second)
    refused = second.play("--tags", "infrastructure")
    assert refused.code != 0
    assert "groundwork.aws.recover with servers_recover=<name>" in refused.failures()[0]
    laptop.calls(reset=True)
    asked = second.play(playbook=RECOVER, variables={"servers_recover": "public-1"})
    assert asked.code != 0
    assert re.search(r"public-1 \(i-\w+\) is deregistered .* its public address \S+ changes", asked.failures()[0])
    planned = second.play("--check", "--diff", playbook=RECOVER, variables={**RECOVERED, "servers_recover": "public-1"})
    assert planned.code == 0, planned.failures()
    assert besides_lock(laptop.calls()) == {}
    done = second.play(playbook=RECOVER, variables={**RECOVERED, "servers_recover": "public-1"})
    assert done.code == 0, done.failures() or done.errors
    assert done.changes() == planned.changes()
    now = site.servers["public-1"]
    assert (now["InstanceId"], now["SubnetId"]) == (before["InstanceId"], before["SubnetId"])
    assert host_keys(site)["public-1"].split()[:2] == keys["public-1"].split()[:2]
    user_data = laptop.client("ec2").describe_instance_attribute(InstanceId=now["InstanceId"], Attribute="userData")
    assert not user_data["UserData"].get("Value")
    assert set(site.health("public").values()) == {"healthy"}
    assert second.reaches("public-1")
    assert played(second, *SERVERS) == []
    assert played(laptop, "--tags", "infrastructure") == ["localhost: create host keys public-1"]


def test_all_is_lost_and_comes_back(laptop: Laptop, second: Laptop, site: Site) -> None:
    """No controller and no parameter has the private key, and no host key is known: a new key goes onto all servers."""
    before = {name: server["InstanceId"] for name, server in site.servers.items()}
    assert laptop.on("private-1", f"date > {MARK}; cat {MARK}")[0] == 0
    old = (folder(laptop) / "id_ed25519").read_text()
    laptop.client("ssm").delete_parameter(Name=KEY)
    laptop.client("ec2").delete_tags(Resources=list(before.values()), Tags=[{"Key": "groundwork:host-key"}])
    for controller in (laptop, second):
        for name in FILES:
            (folder(controller) / name).unlink(missing_ok=True)
    refused = second.play("--tags", "infrastructure")
    assert refused.code != 0
    assert f"neither {folder(second) / 'id_ed25519'} nor the parameter {KEY} exists" in refused.failures()[0]
    assert "Otherwise run groundwork.aws.recover with servers_recover=all" in refused.failures()[0]
    changes = played(second, playbook=RECOVER, **RECOVERED)
    assert {f"localhost: create parameter {KEY}", "localhost: update key pair servers"} <= set(changes)
    new = (folder(second) / "id_ed25519").read_text()
    assert new != old
    assert {name: server["InstanceId"] for name, server in site.servers.items()} == before
    assert second.on("private-1", f"cat {MARK} && rm {MARK}")[0] == 0
    assert second.on("public-1", "grep -c local-servers /home/admin/.ssh/authorized_keys") == (0, "1")
    assert played(second, *SERVERS) == []
    assert {state for tier in TIERS for state in site.health(tier).values()} == {"healthy"}
    fetched = played(laptop, *SERVERS)  # the first controller has nothing left
    assert set(fetched) == {
        "localhost: create file id_ed25519",
        "localhost: create file id_ed25519.pub",
        *(f"localhost: create host keys {name}" for name in NAMES),
    }
    assert (folder(laptop) / "id_ed25519").read_text() == new


def test_a_key_of_before_is_told_and_moved_away(laptop: Laptop, tmp_path: Path) -> None:
    path = folder(laptop) / "id_ed25519"
    new = path.read_text()
    for name in ("id_ed25519", "id_ed25519.pub"):
        (folder(laptop) / name).unlink()
    made = laptop.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path))
    assert made.returncode == 0, made.stderr
    refused = laptop.play("--tags", "infrastructure")
    assert refused.code != 0
    assert f"Move {path} and id_ed25519.pub elsewhere and run again" in refused.failures()[0]
    for name in ("id_ed25519", "id_ed25519.pub"):
        (folder(laptop) / name).rename(tmp_path / name)
    played(laptop, "--tags", "infrastructure")
    assert path.read_text() == new


def test_it_removes_what_the_first_one_built(laptop: Laptop, site: Site, tmp_path: Path) -> None:
    third = fresh(tmp_path / "checkout")
    everything = {"environment_confirm": "local", "teardown_buckets": True, "teardown_images": True}
    changes = played(third, playbook="playbooks/teardown.yml", **everything)
    site.built = False
    gone = [changes.index(f"localhost: delete {what}") for what in ("server public-1", f"parameter {KEY}")]
    assert min(gone) >= 0
    assert laptop.client("ssm").get_parameters(Names=[KEY])["InvalidParameters"] == [KEY]
    assert not site.servers
    assert (ROOT / ".environments" / "local" / "id_ed25519").exists(), "the files of the first controller are its own"
