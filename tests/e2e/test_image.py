"""A golden image: baked, tested and promoted, with nothing of its builder in it; and a tier that grows from it."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from golden_images import OURS, PARAMETER, forget_images
from laptop import Laptop, Play, besides_lock
from running_site import Site
from watching import eventually, watching

from groundwork_lab.settings import from_environment

PLAYBOOK = "playbooks/image.yml"
TIER = {"instance_type": "t3.small"}
GROWN = {"servers_tiers": {"public": {"count": 2, **TIER}, "private": {"count": 3, **TIER}}}


@pytest.fixture(scope="module", autouse=True)
def _no_image_before(laptop: Laptop) -> None:
    """Begin without an image. The one that is promoted here remains for the stages that launch servers from it."""
    forget_images(laptop)


def bench(laptop: Laptop) -> dict[str, list[str]]:
    """What there is of images and of what makes them."""
    ec2 = laptop.client("ec2")
    instances = [i for r in ec2.describe_instances(Filters=OURS)["Reservations"] for i in r["Instances"]]
    return {
        "instances": [i["InstanceId"] for i in instances if i["State"]["Name"] != "terminated"],
        "groups": [one["GroupName"] for one in ec2.describe_security_groups(Filters=OURS)["SecurityGroups"]],
        "images": [one["ImageId"] for one in ec2.describe_images(Owners=["self"], Filters=OURS)["Images"]],
        "snapshots": [
            one["SnapshotId"] for one in ec2.describe_snapshots(OwnerIds=["self"], Filters=OURS)["Snapshots"]
        ],
    }


NOTHING: dict[str, list[str]] = {"instances": [], "groups": [], "images": [], "snapshots": []}


def play(laptop: Laptop, *words: str, **variables: object) -> Play:
    done = laptop.play(*words, playbook=PLAYBOOK, variables=variables)
    assert done.code == 0, done.failures() or done.errors
    return done


def test_nonsense_is_refused_at_once(laptop: Laptop) -> None:
    laptop.calls(reset=True)
    wrong = {"image_keep": 0, "image_subnet": "private-a", "image_test_path": "healthz", "image_kep": 1}
    refused = laptop.play(playbook=PLAYBOOK, variables=wrong)
    assert refused.code != 0
    assert laptop.calls()["writes"] == {}
    told = "\n".join(refused.failures())
    for part in (
        "image_keep: 0 is out of range",
        "'private-a' is not a public subnet",
        "image_test_path: ",
        "image_kep: ",
    ):
        assert part in told


def test_check_tells_the_bake(laptop: Laptop) -> None:
    laptop.calls(reset=True)
    planned = [line.split(" lamp-")[0] for line in play(laptop, "--check", "--diff").changes()]
    assert laptop.calls()["writes"] == {}
    for part in ("create server image-builder", "create image", f"create parameter {PARAMETER}"):
        assert f"localhost: {part}" in planned


def test_a_bake_that_fails_leaves_nothing(laptop: Laptop) -> None:
    failed = laptop.play(playbook=PLAYBOOK, variables={"lamp_php_extensions": ["no-such-extension"]})
    assert failed.code != 0
    assert "The task 'Install and harden" in failed.failures()[-1]
    assert "php8.2-no-such-extension" in failed.failures()[-1]
    assert bench(laptop) == NOTHING


def test_a_bake_leaves_the_promoted_image(laptop: Laptop, image: str) -> None:
    left = bench(laptop)
    assert {**left, "snapshots": []} == {**NOTHING, "images": [image]}
    assert len(left["snapshots"]) == 1


def test_the_second_run_changes_nothing(laptop: Laptop, image: str) -> None:
    laptop.calls(reset=True)
    again = play(laptop)
    assert (again.changes(), set(again.changed().values())) == ([], {0})
    assert besides_lock(laptop.calls()) == {}
    assert bench(laptop)["images"] == [image]


def test_nothing_of_the_builder_is_on_the_disk(laptop: Laptop, image: str) -> None:
    layer = from_environment().state / "layers" / image
    assert (layer / "usr/sbin/apache2").exists(), "this is the image's disk"
    files = [path for path in layer.rglob("*") if path.is_file() and not path.is_symlink()]
    inside = {f"/{path.relative_to(layer)}": path for path in files}
    assert inside["/etc/machine-id"].stat().st_size == 0
    for folder in ("/var/log/", "/var/lib/apt/lists/", "/var/lib/cloud/", "/root/.ssh/", "/home/admin/.ssh/"):
        assert [name for name in inside if name.startswith(folder)] == []
    unwanted = ("ssh_host_", "authorized_keys", "_history", "random-seed", "pkgcache.bin", ".deb", ".secret.conf")
    assert [name for name in inside if any(part in Path(name).name for part in unwanted)] == []
    assert [name for name in inside if name.startswith("/srv/")] == [], "no site and no release"
    parameters = laptop.client("ssm").get_parameters_by_path(
        Path="/groundwork/local", Recursive=True, WithDecryption=True
    )["Parameters"]
    secrets = [one["Value"].encode() for one in parameters if one["Type"] == "SecureString"]
    assert secrets
    told = [b"PRIVATE KEY-----", b"ssh-ed25519 AAAA", *secrets]
    small = {name: path.read_bytes() for name, path in inside.items() if path.stat().st_size < 1_000_000}
    kept = {name for name, content in small.items() if name.startswith(("/etc/", "/root/", "/home/", "/var/"))}
    assert [name for name in kept if any(secret in small[name] for secret in told)] == []


@contextmanager
def watched(site: Site, name: str) -> Iterator[dict[str, Any]]:
    """When a server was first seen and when it was healthy, by the clock, and which of the visitors' answers failed."""
    seen: dict[str, Any] = {"failures": []}

    def look() -> None:
        try:
            with urllib.request.urlopen(f"{site.urls['private']}/", timeout=5):
                pass
        except OSError as error:
            seen["failures"].append(str(error))
        server = site.servers.get(name)
        if server and "launched" not in seen:
            seen["launched"] = server["LaunchTime"].timestamp()
        if server and "healthy" not in seen and site.health("private").get(server["InstanceId"]) == "healthy":
            seen["healthy"] = time.time()

    with watching(look):
        yield seen


def test_a_tier_grows_from_the_image(laptop: Laptop, site: Site, image: str) -> None:
    before = {name: server["ImageId"] for name, server in site.servers.items()}
    assert image not in before.values()
    with watched(site, "private-3") as seen:
        grown = laptop.play(variables=GROWN)
        assert grown.code == 0, grown.failures() or grown.errors
        eventually(lambda: "healthy" in seen, bool, 10)
    assert site.servers["private-3"]["ImageId"] == image
    assert {name: server["ImageId"] for name, server in site.servers.items() if name in before} == before
    changes = [line for line in grown.changes() if line.startswith("private-3: ")]
    assert "private-3: create release" in "\n".join(changes)
    of_the_image = (" package ", "mods-enabled", "zz-groundwork.conf", "90-groundwork.ini", "60-groundwork.cnf")
    assert [line for line in changes if any(part in line for part in of_the_image)] == []
    assert seen["failures"] == [], "nobody was sent to a server that had nothing to serve yet"
    took = seen["healthy"] - seen["launched"]
    print(json.dumps({"from launch to healthy behind the balancer": round(took, 1)}))
    assert took < 90


def test_each_server_of_the_image_is_itself(laptop: Laptop, image: str) -> None:
    told = [
        laptop.on(name, "cat /etc/machine-id /etc/ssh/ssh_host_ed25519_key.pub") for name in ("private-3", "private-1")
    ]
    assert [code for code, _ in told] == [0, 0]
    assert len({line for _, text in told for line in text.splitlines()}) == 4


def test_it_shrinks_again(laptop: Laptop, site: Site, image: str) -> None:
    shrunk = laptop.play("--tags", "infrastructure", variables={"servers_allow_removal": True})
    assert shrunk.code == 0, shrunk.failures() or shrunk.errors
    assert set(site.servers) == {"public-1", "public-2", "private-1", "private-2"}
    assert bench(laptop)["images"] == [image]
