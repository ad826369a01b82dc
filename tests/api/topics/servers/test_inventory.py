"""The inventory shows the servers that the collection has launched, read by the plugin of the installed amazon.aws."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from accounts.servers import Account
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import tag_dict
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.inventory import check_inventory
from groundwork_lab.settings import REGION

DEV = Path(__file__).parents[4] / "inventories" / "dev"
NAMES = ["private-1", "private-2", "public-1", "public-2"]


class Shown:
    """What the plugin makes of inventories/dev."""

    def __init__(self) -> None:
        self._loader = DataLoader()
        self.inventory = InventoryManager(self._loader, sources=[str(DEV)])
        self._manager = VariableManager(self._loader, self.inventory)
        self._hosts = HostVars(self.inventory, self._manager, self._loader)

    def group(self, name: str) -> list[str]:
        return sorted(host.name for host in self.inventory.groups[name].get_hosts())

    def value(self, host: str, variable: str) -> t.Any:
        variables = {**self._manager.get_vars(host=self.inventory.get_host(host)), "hostvars": self._hosts}
        return Templar(self._loader, variables).template(variables[variable])


@pytest.fixture
def site(network: Account, options: t.Any, monkeypatch: pytest.MonkeyPatch) -> Account:
    """Two servers in each of two tiers, beside those of others."""
    network.converge(options())
    strangers = [
        ("dev-i-0123", {"groundwork:environment": "dev", "groundwork:component": "servers"}),
        ("prod-public-1", {"groundwork:environment": "prod", "groundwork:server": "1", "groundwork:tier": "public"}),
    ]
    for name, tags in strangers:
        tag_list = [{"Key": key, "Value": value} for key, value in {"Name": name, **tags}.items()]
        network.ec2.run_instances(
            ImageId=network.images()[0],
            MinCount=1,
            MaxCount=1,
            TagSpecifications=[{"ResourceType": "instance", "Tags": tag_list}],
        )
    network.settle()
    monkeypatch.setenv("AWS_ENDPOINT_URL", network.endpoint)
    return network


def described(site: Account) -> dict[str, dict[str, t.Any]]:
    """EC2's own description of the environment's servers, by name."""
    named = {
        tag["Value"].removeprefix("dev-"): one
        for one in site.instances()
        for tag in one["Tags"]
        if tag["Key"] == "Name"
    }
    return {name: named[name] for name in NAMES}


def check(account: Account, shown: t.Mapping[str, str], **given: t.Any) -> dict[str, t.Any]:
    options = {
        "environment_name": "dev",
        "region": REGION,
        "tags": {},
        "tiers": ["public", "private"],
        "shown": shown,
        "sources": [str(DEV)],
        "starts_servers": False,
        **given,
    }
    account.calls.clear()
    account.warnings.clear()
    try:
        return check_inventory(Run(options, account, account.warnings.append))
    finally:
        assert account.calls == ["DescribeInstances"]


def test_the_inventory_shows_each_server_in_its_tier_with_what_the_collection_reads(site: Account) -> None:
    shown = Shown()
    assert shown.group("tier_public") == ["public-1", "public-2"]
    assert shown.group("tier_private") == ["private-1", "private-2"]
    assert shown.group("servers") == NAMES
    found = described(site)
    for name, server in found.items():
        assert shown.value(name, "server_id") == server["InstanceId"]
        assert shown.value(name, "server_private_address") == server["PrivateIpAddress"]
        assert shown.value(name, "server_tags") == tag_dict(server)
        assert shown.value(name, "ansible_host") == server.get("PublicIpAddress", server["PrivateIpAddress"])
        assert f"HostKeyAlias={server['InstanceId']}" in shown.value(name, "ansible_ssh_common_args")
    assert found["public-2"]["PublicIpAddress"] in shown.value("private-2", "ansible_ssh_common_args")
    ids = {name: shown.value(name, "server_id") for name in NAMES}
    assert check(site, ids) == {"changed": False, "hidden": [], "stopped": []}
    assert site.warnings == []


def test_servers_that_are_stopped_are_told(site: Account) -> None:
    found = {name: one["InstanceId"] for name, one in described(site).items()}
    site.ec2.stop_instances(InstanceIds=[found[name] for name in NAMES[:-1]])
    site.settle()
    shown = {"public-2": found["public-2"]}
    with pytest.raises(GroundworkError, match="which is stopped") as caught:
        check(site, shown)
    assert caught.value.details == {"hidden": ["private-1", "private-2"]}
    assert check(site, shown, tiers=["public"])["hidden"] == ["public-1"]
    [warning] = site.warnings
    assert warning.startswith(f"The inventory does not contain public-1 ({found['public-1']}), which is stopped: ")
    assert check(site, shown, starts_servers=True)["hidden"] == NAMES[:-1]
    assert site.warnings == []


def test_an_account_without_servers_is_no_error(account: Account) -> None:
    assert check(account, {})["hidden"] == []
