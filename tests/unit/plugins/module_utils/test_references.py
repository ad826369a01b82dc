"""What topics use of each other's: the image's public subnet, and tiers that are counted or groups."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.groundwork.aws.plugins.module_utils.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.references import check_topics

SERVERS = Path(__file__).parents[4] / "roles" / "servers" / "defaults" / "main.yml"
ENVIRONMENT = {"environment_name": "dev", "aws_region": "eu-central-1", "environment_tags": None}
NETWORK = {
    "network_cidr": "10.20.0.0/16",
    "network_zones": ["eu-central-1a", "eu-central-1b"],
    "network_tiers": [{"name": "public", "public": True}, {"name": "private", "public": False}],
    "network_subnet_prefix": 24,
    "network_subnet_cidrs": {},
    "network_s3_endpoint": False,
    "network_purge": False,
}
IMAGE = {
    "image_base": {},
    "image_subnet": "public-a",
    "image_instance_type": "t3.small",
    "image_admin_cidrs": ["203.0.113.7/32"],
    "image_keep": 3,
    "image_rebuild": False,
    "image_deadline": 900,
    "image_test_path": "/healthz",
    "image_test_deadline": 120,
}


def told(**given: Any) -> list[str]:
    problems = Problems()
    check_topics({"network": {**ENVIRONMENT, **NETWORK}, "image": {**ENVIRONMENT, **IMAGE, **given}}, problems)
    return [str(problem) for problem in problems.found]


def test_an_image_that_can_be_baked() -> None:
    assert told() == []


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"image_subnet": "private-a"},
            "image_subnet: there is no public subnet 'private-a'; the public subnets are public-a, public-b.",
        ),
        ({"image_keep": 0}, "image_keep: 0 is out of range; give a whole number from 1 to 100."),
        ({"image_test_path": "healthz"}, "image_test_path: 'healthz' does not begin with /; begin it with /."),
        ({"image_test_deadline": 0}, "image_test_deadline: 0 is out of range; give a whole number from 1 to 3600."),
        ({"image_base": {"owner": "debian"}}, "image_base.owner: 'debian' is no owner; give a 12-digit account id in"),
    ],
)
def test_an_image_that_cannot(given: dict[str, Any], message: str) -> None:
    (problem,) = told(**given)
    assert problem.startswith(message)


ZONES = {"servers_zones": ["eu-central-1a", "eu-central-1b"]}
COUNTED = {"count": 1, "instance_type": "t3.small"}
GROUP = {"group": {"min": 2, "max": 4}, "instance_type": "t3.small"}


def problems_of(tiers: dict[str, Any], **given: Any) -> list[str]:
    own = {**ENVIRONMENT, **yaml.safe_load(SERVERS.read_text()), **ZONES, "servers_tiers": tiers, **given}
    problems = Problems()
    check_topics({"network": {**ENVIRONMENT, **NETWORK}, "servers": own}, problems)
    return [str(problem) for problem in problems.found]


def test_tiers_of_both_kinds_live_side_by_side() -> None:
    rights = {"public": {"parameters": ["/groundwork/dev/lamp/app/database-password"]}}
    assert problems_of({"public": GROUP, "private": COUNTED}, servers_roles=rights) == []


@pytest.mark.parametrize(
    ("tier", "given", "expected"),
    [
        (
            {**GROUP, **COUNTED},
            {},
            "servers_tiers.public: it has a count and is a group; give count for servers with numbers, or group for an "
            "Auto Scaling group.",
        ),
        ({**GROUP, "group": {"min": 2}}, {}, "servers_tiers.public.group.max: it is missing; give a whole number."),
        (GROUP, {"servers_refresh_max_healthy": 90}, "servers_refresh_max_healthy: 90 is out of range"),
        (
            GROUP,
            {"servers_roles": {"private": {"parameters": ["/x"]}}},
            "servers_roles.private: 'private' is no group of servers; the groups are public.",
        ),
        ({**GROUP, "subnets": ["public-c"]}, {}, "servers_tiers.public.subnets: there is no subnet 'public-c'"),
    ],
)
def test_a_group_that_cannot_be_is_told_once(tier: Any, given: dict[str, Any], expected: str) -> None:
    [problem] = problems_of({"public": tier, "private": COUNTED}, **given)
    assert problem.startswith(expected)
