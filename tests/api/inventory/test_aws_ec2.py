"""The inventory plugin reads the servers of an account that throttles, and gives up when there is no network."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from ansible.errors import AnsibleError, AnsibleParserError
from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import inventory_loader
from botocore.retries.standard import ExponentialBackoff
from cloud import Cloud

from ansible_collections.groundwork.aws.plugins.module_utils.engine import reach
from groundwork_lab.api import Fault
from groundwork_lab.credentials import ACCESS_KEY

FILE = """
plugin: {name}
regions: [eu-central-1]
hostnames: [instance-id]
"""


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda _self, _context: 0)


def hosts(endpoint: str, folder: Path, name: str = "groundwork.aws.aws_ec2") -> set[str]:
    """Return the names of the hosts in an inventory of all instances."""
    file = folder / "aws_ec2.yml"
    file.write_text(f"{FILE.format(name=name)}endpoint_url: {endpoint}\n")
    plugin, inventory = inventory_loader.get("groundwork.aws.aws_ec2"), InventoryData()
    assert plugin.verify_file(str(file))
    plugin.parse(inventory, DataLoader(), str(file))
    return set(inventory.hosts)


@pytest.fixture
def server(cloud: Cloud) -> str:
    image = cloud.ec2.describe_images()["Images"][0]["ImageId"]
    subnet = cloud.ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    made = cloud.ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, InstanceType="t3.small", SubnetId=subnet)
    return str(made["Instances"][0]["InstanceId"])


@pytest.mark.parametrize("name", ["groundwork.aws.aws_ec2", "amazon.aws.aws_ec2"])
def test_servers_are_found(cloud: Cloud, server: str, tmp_path: Path, name: str) -> None:
    assert hosts(cloud.endpoint, tmp_path, name) == {server}


@pytest.mark.parametrize("fault", [Fault(times=19), Fault(cut=True, times=5), Fault(drop=True, times=19)])
def test_servers_are_found_in_bad_weather(cloud: Cloud, server: str, tmp_path: Path, fault: Fault) -> None:
    cloud.plane.faults.set(fault)
    assert hosts(cloud.endpoint, tmp_path) == {server}


@pytest.mark.parametrize(
    ("fault", "message"), [(Fault(), "RequestLimitExceeded"), (Fault(cut=True), "incomplete, or not from AWS")]
)
def test_what_does_not_end_is_told(cloud: Cloud, tmp_path: Path, fault: Fault, message: str) -> None:
    cloud.plane.faults.set(fault)
    with pytest.raises(AnsibleError, match=message):
        hosts(cloud.endpoint, tmp_path)


def test_without_a_network_it_says_what_to_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "PATIENCE", 0.0)
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(AnsibleParserError, match=f'127.0.0.1:{port}/". Check the network of this machine'):
        hosts(f"http://127.0.0.1:{port}", tmp_path)
