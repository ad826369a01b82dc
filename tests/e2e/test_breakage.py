"""Things break: the balancer notices, the run mends, and a run that was killed is completed by the next."""

from __future__ import annotations

import socket

from laptop import FPM, Laptop
from running_site import Site
from watching import eventually


def test_a_stopped_apache_leaves_the_rotation_and_comes_back(laptop: Laptop, site: Site) -> None:
    instance = site.server_id("private-1")
    assert laptop.on("private-1", "systemctl stop apache2")[0] == 0
    try:
        health = eventually(lambda: site.health("private")[instance], lambda state: state == "unhealthy", 60)
        assert health == "unhealthy"
        # The balancer's nodes check each for itself: the other one may need a moment longer.
        codes = eventually(lambda: {site.status("private") for _ in range(20)}, lambda seen: seen == {200}, 10)
        assert codes == {200}
        assert site.answering("private", 20) == {"private-2"}
    finally:
        laptop.on("private-1", "systemctl start apache2")
    assert eventually(lambda: site.health("private")[instance], lambda state: state == "healthy", 60) == "healthy"
    servers = eventually(lambda: site.answering("private", 10), lambda s: len(s) == 2, 10)
    assert servers == {"private-1", "private-2"}


def test_healthz_needs_neither_php_nor_the_database(laptop: Laptop, site: Site) -> None:
    health = "curl -s -o /dev/null -w '%{http_code}' http://localhost/healthz"
    assert laptop.on("public-1", f"systemctl stop {FPM} mariadb")[0] == 0
    try:
        assert laptop.on("public-1", health) == (0, "200")
    finally:
        laptop.on("public-1", f"systemctl start mariadb {FPM}")


def test_a_rebooted_server_serves_again_with_its_data(laptop: Laptop, site: Site) -> None:
    server = site.servers["public-2"]
    started = "stat -c %Y /proc/1"
    before, visits = laptop.on("public-2", started), own_visits(site, "public-2")
    laptop.client("ec2").reboot_instances(InstanceIds=[server["InstanceId"]])
    eventually(lambda: can_connect(server["PublicIpAddress"]), lambda up: not up, 30)
    assert eventually(lambda: can_connect(server["PublicIpAddress"]), bool, 60)
    assert laptop.on("public-2", started) != before
    served = eventually(lambda: site.answering("public", 10), lambda s: len(s) == 2, 60)
    assert served == {"public-1", "public-2"}
    assert own_visits(site, "public-2") > visits


def own_visits(site: Site, server: str) -> int:
    """The counter of one server of the public tier, which is asked until it is its turn."""
    return next(
        int(answer["visits"]) for answer in iter(lambda: site.whoami("public"), None) if answer["server"] == server
    )


def can_connect(address: str) -> bool:
    try:
        socket.create_connection((address, 22), timeout=0.3).close()
    except OSError:
        return False
    return True


def test_throttling_is_survived(laptop: Laptop) -> None:
    set_faults = ("groundwork-lab", "faults", "set", "--error", "RequestLimitExceeded", "--rate", "0.2", "--seed", "7")
    assert laptop.run(*set_faults).returncode == 0
    try:
        play = laptop.play("--tags", "infrastructure")
        assert play.code == 0, play.failures()
    finally:
        laptop.run("groundwork-lab", "faults", "clear")
