"""The inventories agree with themselves, and what they make of a server lets ssh trust nothing but its recorded key."""

from __future__ import annotations

import shlex
import subprocess
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.options import parse_servers

ROOT = Path(__file__).parents[3]
INVENTORIES = ROOT / "inventories"
ENVIRONMENTS = sorted(path.parent.name for path in INVENTORIES.glob("*/aws_ec2.yml"))

PUBLIC = {"server_public_address": "203.0.113.{n}", "server_private_address": "10.0.0.{n}"}
PRIVATE = {"server_private_address": "10.0.1.{n}"}


def load(path: Path) -> dict[str, t.Any]:
    loaded: dict[str, t.Any] = yaml.safe_load(path.read_text())
    return loaded


def test_there_are_three_environments() -> None:
    assert ENVIRONMENTS == ["dev", "local", "prod"]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_an_environment_agrees_with_itself(environment: str) -> None:
    folder = INVENTORIES / environment
    variables, dynamic = load(folder / "group_vars" / "all.yml"), load(folder / "aws_ec2.yml")
    assert variables["environment_name"] == environment
    assert dynamic["filters"]["tag:groundwork:environment"] == environment
    assert dynamic["regions"] == [variables["aws_region"]]
    assert f"'^{environment}-'" in dynamic["hostnames"][0]
    assert (folder / "connections.yml").resolve() == (INVENTORIES / "connections.yml").resolve()


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_servers_of_an_environment_can_be_built(environment: str) -> None:
    variables = load(INVENTORIES / environment / "group_vars" / "all.yml")
    problems = Problems("servers_")
    options = {
        "tiers": variables["servers_tiers"],
        "zones": variables["network_zones"],
        "key_file": "",
        "metadata_hop_limit": 1,
        "allow_removal": variables.get("servers_allow_removal", False),
        "deadline": 600,
    }
    assert parse_servers(options, problems), problems.found


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_created_inventory_finds_servers_as_these_do(environment: str) -> None:
    """The template of groundwork.aws.inventory is changed together with inventories/."""
    template = (ROOT / "playbooks" / "templates" / "inventory" / "aws_ec2.yml.j2").read_text()
    own = load(INVENTORIES / environment / "group_vars" / "all.yml")
    created = template.replace("{{ environment_name }}", environment).replace("{{ aws_region }}", own["aws_region"])
    assert created == (INVENTORIES / environment / "aws_ec2.yml").read_text()


@pytest.mark.parametrize(
    ("inventory", "kept"),
    [
        ("/srv/inventories/dev", "/srv/.environments/dev"),
        ("/srv/inventories", "/srv/inventories/.environments/dev"),
        ("/srv/dev", "/srv/dev/.environments/dev"),
        ("/srv", "/srv/.environments/dev"),
        ("/inventories/dev", "/.environments/dev"),
    ],
)
@pytest.mark.parametrize(
    ("file", "path"),
    [
        ("playbooks/files/connections.yml", ("all", "vars", "servers_directory")),
        ("roles/servers/defaults/main.yml", ("servers_directory",)),
        ("roles/teardown/defaults/main.yml", ("teardown_directory",)),
    ],
)
def test_an_environments_keys_are_beside_inventories_or_in_the_inventory(
    file: str, path: tuple[str, ...], inventory: str, kept: str
) -> None:
    """Never outside of the folder that the user works in, and at the same place for all who look for them."""
    expression: t.Any = load(ROOT / file)
    for key in path:
        expression = expression[key]
    own = {
        "inventory_dir": inventory,
        "environment_name": "dev",
        "hostvars": {"localhost": {"inventory_dir": inventory}},
    }
    assert Templar(DataLoader(), own).template(trust_as_template(expression)).strip() == kept


def test_documentation_addresses_are_nobodys() -> None:
    """RFC 5737: an environment that nobody edited lets nobody in."""
    for environment in ("dev", "prod"):
        cidrs = load(INVENTORIES / environment / "group_vars" / "all.yml")["firewall_admin_cidrs"]
        assert all(cidr.startswith(("192.0.2.", "198.51.100.", "203.0.113.")) for cidr in cidrs)


class Ssh(t.NamedTuple):
    """What ssh would do: its options as `ssh -G` tells them, and the one in between."""

    options: dict[str, str]
    through: dict[str, str] | None


def effective(argv: list[str]) -> dict[str, str]:
    told = subprocess.run(["ssh", "-G", "-F", "none", *argv], capture_output=True, text=True, check=True).stdout
    return dict(line.split(" ", 1) for line in told.splitlines() if " " in line)


@pytest.fixture
def connect(tmp_path: Path) -> t.Callable[[t.Mapping[str, int | list[str]], str], Ssh]:
    """How a host of an inventory with so many servers, or these, in each tier is connected to."""

    def connect(servers: t.Mapping[str, int | list[str]], name: str) -> Ssh:
        folder = tmp_path / "in ventories" / "dev"
        folder.mkdir(parents=True)
        (folder / "connections.yml").symlink_to(INVENTORIES / "connections.yml")
        groups: dict[str, t.Any] = {"all": {"vars": {"environment_name": "dev"}}}
        for tier, given in servers.items():
            ends = [str(n + 1) for n in range(given)] if isinstance(given, int) else given
            hosts = {f"{tier}-{end}": host(tier, end) for end in ends}
            groups[f"tier_{tier}"] = {"hosts": hosts}
        (folder / "hosts.yml").write_text(yaml.safe_dump(groups))
        loader = DataLoader()
        inventory = InventoryManager(loader, sources=[str(folder)])
        manager = VariableManager(loader, inventory)
        hostvars = HostVars(inventory, manager, loader)
        variables = {**manager.get_vars(host=inventory.get_host(name)), "hostvars": hostvars}
        templar = Templar(loader, variables)

        def value(variable: str) -> str:
            return str(templar.template(variables[variable]))

        assert templar.template(variables["ansible_ssh_host_key_checking"]) is True
        args = [*shlex.split(value("ansible_ssh_args")), *shlex.split(value("ansible_ssh_common_args"))]
        options = effective([*args, "-l", value("ansible_user"), value("ansible_host")])
        proxy = options.get("proxycommand")
        through = proxy and proxy.replace("%h", options["hostname"]).replace("%p", options["port"])
        return Ssh(options, effective(shlex.split(through)[1:]) if through else None)

    return connect


def host(tier: str, end: str) -> dict[str, t.Any]:
    addresses = PUBLIC if tier == "public" else PRIVATE
    number = end.partition("-")[0]
    return {
        "server_id": f"i-{tier}{end}",
        "server_tags": {"groundwork:server": number},
        **{key: value.format(n=number) for key, value in addresses.items()},
    }


def assert_strict(options: dict[str, str], alias: str) -> None:
    assert options["stricthostkeychecking"] == "true"
    assert options["hostkeyalias"] == alias
    assert options["userknownhostsfile"].endswith("/.environments/dev/known_hosts")
    assert options["globalknownhostsfile"] == "none"
    assert options["identitiesonly"] == "yes"
    assert (options["serveraliveinterval"], options["serveralivecountmax"]) == ("10", "3")
    assert options["user"] == "admin"


def test_a_public_server_is_reached_directly(connect: t.Callable[..., Ssh]) -> None:
    ssh = connect({"public": 2, "private": 1}, "public-2")
    assert_strict(ssh.options, "i-public2")
    assert ssh.options["hostname"] == "203.0.113.2"
    assert ssh.options["controlpersist"] == "60"
    assert ssh.through is None


@pytest.mark.parametrize(
    ("name", "jump"), [("private-1", "public1"), ("private-2", "public2"), ("private-3", "public1")]
)
def test_a_private_server_is_reached_through_a_public_one(connect: t.Callable[..., Ssh], name: str, jump: str) -> None:
    ssh = connect({"public": 2, "private": 3}, name)
    assert_strict(ssh.options, f"i-{name.replace('-', '')}")
    assert ssh.options["hostname"] == f"10.0.1.{name[-1]}"
    assert ssh.through
    assert_strict(ssh.through, f"i-{jump}")
    assert ssh.through["hostname"] == f"203.0.113.{jump[-1]}"
    assert ssh.through["identityfile"].endswith("/.environments/dev/id_ed25519")


def test_without_a_public_server_a_private_one_is_reached_directly(connect: t.Callable[..., Ssh]) -> None:
    ssh = connect({"private": 1}, "private-1")
    assert_strict(ssh.options, "i-private1")
    assert ssh.through is None


def test_a_successor_is_nobodys_way_to_others(connect: t.Callable[..., Ssh]) -> None:
    ssh = connect({"public": ["1", "1-next", "2"], "private": ["1", "2", "2-next"]}, "private-2-next")
    assert ssh.through
    assert_strict(ssh.through, "i-public2")
