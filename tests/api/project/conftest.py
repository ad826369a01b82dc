"""Whole environments, created by the collection's modules, in an account whose hosts change state during waits."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from account_listing import Listing, account_listing
from accounts.kinds import Account
from accounts.teardown import Build, TearDown
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from cloud import Cloud, Watched

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.elbv2_application_lb import (
    ARGUMENTS as BALANCERS,
)
from ansible_collections.groundwork.aws.plugins.module_utils.arguments.ssm_generated_secret import ARGUMENTS as SECRET
from ansible_collections.groundwork.aws.plugins.module_utils.engine.arguments import COMMON_ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.run import converge_load_balancers
from ansible_collections.groundwork.aws.plugins.module_utils.topics.firewall.run import converge_security_groups
from ansible_collections.groundwork.aws.plugins.module_utils.topics.nat.run import converge_nat
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.run import converge_network
from ansible_collections.groundwork.aws.plugins.module_utils.topics.secrets.run import converge_secret
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.run import converge_servers

ZONES = ["eu-central-1a", "eu-central-1b"]
TIERS = [{"name": "public", "public": True}, {"name": "private", "public": False}]
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJIF4M9mOM1CgqWnVr0CnU4jUDqUDV/AiWYOf4qqJmz"
RULE = {"protocol": "tcp", "ports": None, "cidrs": None, "groups": None, "description": None}
OPEN = {**RULE, "protocol": "all", "cidrs": ["0.0.0.0/0"]}


@pytest.fixture(autouse=True)
def _hosts_follow(hosts_follow: None) -> None:
    """Let the hosts follow in all tests of this folder."""


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Create an environment as site.yml does, with security groups that refer to each other."""
    key_file = tmp_path / "id_ed25519.pub"
    key_file.write_text(f"{KEY} someone@somewhere\n")

    def make(cloud: Cloud, environment: str = "dev", cidr: str = "10.20.0.0/16") -> None:
        for converge, options in steps(environment, cidr, key_file).values():
            cloud.run(converge, options)

    return make


Steps = dict[str, tuple[t.Callable[[Run], t.Any], dict[str, t.Any]]]


def steps(environment: str, cidr: str, key_file: Path) -> Steps:
    """Return the runs that create an environment: functions and options, by the component of what they create."""
    common = {"environment_name": environment, "tags": {}, "region": "eu-central-1", "zones": ZONES, "purge": False}
    network = {"cidr": cidr, "subnet_prefix": 24, "subnet_cidrs": {}, "s3_endpoint": True, "tiers": TIERS}
    tier = {"count": 1, "instance_type": "t3.small"}
    servers = {
        "tiers": {"public": tier, "private": tier},
        "key_file": str(key_file),
        "key_file_planned": False,
        "metadata_hop_limit": 1,
        "allow_removal": False,
        "deadline": 30,
    }
    secret = {
        "name": f"/groundwork/{environment}/lamp/app/database-password",
        "component": "lamp",
        "length": 32,
        "characters": SECRET["characters"]["default"],
        "key_id": None,
    }
    return {
        "network": (converge_network, {**common, **network}),
        "nat": (converge_nat, {**common, "mode": "per_zone", "tiers": TIERS, "tier": None, "addresses": {}}),
        "firewall": (converge_security_groups, {**common, "groups": groups()}),
        "servers": (converge_servers, {**common, **servers}),
        "alb": (converge_load_balancers, balancers(environment)),
        "lamp": (converge_secret, {**common, **secret}),
    }


@pytest.fixture
def component_steps(tmp_path: Path) -> Steps:
    """Return the runs of the environment `dev`, by component."""
    return steps("dev", "10.20.0.0/16", tmp_path / "id_ed25519.pub")


def groups() -> list[dict[str, t.Any]]:
    """Return two security groups that refer to each other, and those of the servers."""
    alb = {"name": "alb", "ingress": [OPEN], "egress": [{**RULE, "ports": [80], "groups": ["public-servers"]}]}
    public = {"name": "public-servers", "ingress": [{**RULE, "ports": [80], "groups": ["alb"]}], "egress": [OPEN]}
    private = {"name": "private-servers", "ingress": [{**RULE, "ports": [22], "groups": ["public-servers"]}]}
    return [{"description": None, "egress": [], **group} for group in (alb, public, private)]


def balancers(environment: str) -> dict[str, t.Any]:
    action = {"target_groups": [{"name": "public"}]}
    listener = {"port": 80, "default_action": action}
    balancer = {"name": "public", "tier": "public", "security_groups": ["alb"], "listeners": [listener]}
    wanted = {
        "environment_name": environment,
        "zones": ZONES,
        "target_groups": [{"name": "public", "tier": "public"}],
        "load_balancers": [balancer],
    }
    result = ArgumentSpecValidator({**COMMON_ARGUMENTS, **BALANCERS}).validate(wanted)
    assert result.error_messages == []
    return dict(result.validated_parameters)


@pytest.fixture
def tear_down() -> TearDown:
    return TearDown()


@pytest.fixture
def listing(watched: Watched) -> t.Callable[[], Listing]:
    """Return all existing resources, read with calls that are not counted."""
    return lambda: account_listing(lambda service: watched.client(service, watched=False))


@pytest.fixture
def account(cloud: Cloud, watched: Watched) -> Account:
    assert watched.cloud is cloud
    return Account(watched)
