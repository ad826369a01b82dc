"""Whole environments, created by the collection's modules, in an account whose hosts change state during waits."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest
from account_listing import Listing, account_listing
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.elbv2_application_lb import (
    ARGUMENTS as BALANCERS,
)
from ansible_collections.groundwork.aws.plugins.module_utils.arguments.ssm_generated_secret import ARGUMENTS as SECRET
from ansible_collections.groundwork.aws.plugins.module_utils.engine.arguments import COMMON_ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.run import converge_teardown
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.run import converge_load_balancers
from ansible_collections.groundwork.aws.plugins.module_utils.topics.firewall.run import converge_security_groups
from ansible_collections.groundwork.aws.plugins.module_utils.topics.nat.run import converge_nat
from ansible_collections.groundwork.aws.plugins.module_utils.topics.network.run import converge_network
from ansible_collections.groundwork.aws.plugins.module_utils.topics.secrets import converge_secret
from ansible_collections.groundwork.aws.plugins.module_utils.topics.servers.run import converge_servers

ZONES = ["eu-central-1a", "eu-central-1b"]
TIERS = [{"name": "public", "public": True}, {"name": "private", "public": False}]
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGJIF4M9mOM1CgqWnVr0CnU4jUDqUDV/AiWYOf4qqJmz"
NEXT_STATE = {"pending": "running", "stopping": "stopped", "shutting-down": "terminated"}
RULE = {"protocol": "tcp", "ports": None, "cidrs": None, "groups": None, "description": None}
OPEN = {**RULE, "protocol": "all", "cidrs": ["0.0.0.0/0"]}


def follow(cloud: t.Any) -> None:
    """Move the hosts to the states that the API wants."""
    for reservation in cloud.ec2.describe_instances()["Reservations"]:
        for instance in reservation["Instances"]:
            following = NEXT_STATE.get(instance["State"]["Name"])
            if following:
                cloud.plane.instance_state(instance["InstanceId"], following)


@pytest.fixture(autouse=True)
def hosts_follow(new_cloud: t.Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Move the hosts on during a wait."""
    kind = new_cloud.__globals__["Cloud"]
    sleep = kind.sleep

    def sleep_and_follow(cloud: t.Any, seconds: float) -> None:
        sleep(cloud, seconds)
        follow(cloud)

    monkeypatch.setattr(kind, "sleep", sleep_and_follow)


@pytest.fixture
def build(tmp_path: Path) -> t.Callable[..., None]:
    """Create an environment as site.yml does, with security groups that refer to each other."""
    key_file = tmp_path / "id_ed25519.pub"
    key_file.write_text(f"{KEY} someone@somewhere\n")

    def make(cloud: t.Any, environment: str = "dev", cidr: str = "10.20.0.0/16") -> None:
        common = {"environment_name": environment, "tags": {}, "region": "eu-central-1", "zones": ZONES, "purge": False}
        network = {"cidr": cidr, "subnet_prefix": 24, "subnet_cidrs": {}, "s3_endpoint": True, "tiers": TIERS}
        cloud.run(converge_network, {**common, **network})
        cloud.run(converge_nat, {**common, "mode": "per_zone", "tiers": TIERS, "tier": None, "addresses": {}})
        cloud.run(converge_security_groups, {**common, "groups": groups()})
        tier = {"count": 1, "instance_type": "t3.small"}
        servers = {
            "tiers": {"public": tier, "private": tier},
            "key_file": str(key_file),
            "key_file_planned": False,
            "metadata_hop_limit": 1,
            "allow_removal": False,
            "deadline": 30,
        }
        cloud.run(converge_servers, {**common, **servers})
        cloud.run(converge_load_balancers, balancers(environment))
        path = f"/groundwork/{environment}/lamp/app/database-password"
        secret = {
            "name": path,
            "component": "lamp",
            "length": 32,
            "characters": SECRET["characters"]["default"],
            "key_id": None,
        }
        cloud.run(converge_secret, {**common, **secret})

    return make


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


class TearDown:
    """Run the module once."""

    converge = staticmethod(converge_teardown)

    def options(self, environment: str, **given: t.Any) -> dict[str, t.Any]:
        own = {"environment_name": environment, "environment_confirm": environment, "tags": {}}
        return {**own, "images": False, "buckets": False, "deadline": 600, **given}

    def __call__(self, cloud: t.Any, environment: str = "dev", *, check_mode: bool = False, **given: t.Any) -> t.Any:
        return cloud.run(self.converge, self.options(environment, **given), check_mode=check_mode)


@pytest.fixture
def tear_down() -> TearDown:
    return TearDown()


@pytest.fixture
def listing(watched: t.Any) -> t.Callable[[], Listing]:
    """Return all existing resources, read with calls that are not counted."""
    return lambda: account_listing(lambda service: watched.client(service, watched=False))
