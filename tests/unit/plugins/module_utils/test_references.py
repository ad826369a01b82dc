"""What topics use of each other's: the image's subnet is a public one of the network."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.references import check_topics

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
