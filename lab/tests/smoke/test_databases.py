"""RDS on the lab: a deployment in two zones that serves, fails over under its name, and is restored."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from running_lab import Lab

from groundwork_lab.processes import NETNS

pytestmark = pytest.mark.lab

SCRIPT = Path(__file__).with_name("keep_databases.py")
INSIDE = 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"'
PASSWORD = "correct-horse"


@dataclass
class Site:
    lab: Lab
    told: dict[str, Any]
    resolver: Path

    def phase(self, *argv: str) -> Any:
        return json.loads(self.lab.inside(sys.executable, str(SCRIPT), *argv).stdout)

    def ask(self, sql: str, endpoint: str, bundle: Path) -> list[str]:
        """Run MariaDB's client in the VPC. It finds the server by its name, and verifies its certificate."""
        client = ["mariadb", "--no-defaults", f"--host={endpoint}", "--user=admin", "--connect-timeout=5"]
        command = [*client, f"--ssl-ca={bundle}", "--ssl-verify-server-cert", "--batch", "--skip-column-names", "shop"]
        namespace = NETNS / f"{self.lab.name}-{self.told['interface']}"
        entering = ["nsenter", f"--net={namespace}", "unshare", "--mount", "sh", "-c", INSIDE, "sh", str(self.resolver)]
        asked = subprocess.run(
            [*entering, *command, "-e", sql],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "MYSQL_PWD": PASSWORD},
        )
        assert asked.returncode == 0, asked.stderr
        return asked.stdout.split("\n")[:-1]


@pytest.fixture(scope="module")
def site(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    resolver = tmp_path_factory.mktemp("names") / "resolv.conf"
    resolver.write_text("nameserver 10.60.0.2\n")
    script = lab.inside(sys.executable, str(SCRIPT), "create")
    yield Site(lab, json.loads(script.stdout), resolver)


@pytest.fixture(scope="module")
def bundle(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return RDS' certificate bundle, as a server fetches it."""
    file = tmp_path_factory.mktemp("bundle") / "global-bundle.pem"
    address = "https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem"
    file.write_text(lab.inside("curl", "--silent", "--show-error", "--fail", address).stdout)
    return file


def test_a_deployment_fails_over_and_is_restored(site: Site, bundle: Path) -> None:
    before = site.told["site"]
    endpoint = before["Endpoint"]["Address"]
    site.ask("CREATE TABLE orders (id INT PRIMARY KEY); INSERT INTO orders VALUES (1)", endpoint, bundle)
    after = site.phase("fail-over")
    assert (after["AvailabilityZone"], after["Endpoint"]) == (before["SecondaryAvailabilityZone"], before["Endpoint"])
    assert site.ask("SELECT id FROM orders; INSERT INTO orders VALUES (2)", endpoint, bundle) == ["1"]
    [second] = site.ask("SELECT UNIX_TIMESTAMP()", endpoint, bundle)
    time = datetime.fromtimestamp(int(second), UTC) + timedelta(seconds=1)
    site.ask("DO SLEEP(3); DELETE FROM orders", endpoint, bundle)
    copy = site.phase("restore", time.isoformat())
    assert site.ask("SELECT id FROM orders", copy["Endpoint"]["Address"], bundle) == ["1", "2"]
    assert site.ask("SELECT id FROM orders", endpoint, bundle) == []
    assert site.phase("delete") == []
