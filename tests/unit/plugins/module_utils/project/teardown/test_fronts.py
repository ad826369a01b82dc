"""A distribution in front of a load balancer is removed before it."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.removal import Sight, Whose
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.order import going, plan_removal
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.things import things
from ansible_collections.groundwork.aws.plugins.module_utils.topics.alb.removal import REMOVAL as ALB
from ansible_collections.groundwork.aws.plugins.module_utils.topics.distribution.removal import REMOVAL as DISTRIBUTION

HOST = "dev-public-1.eu-central-1.elb.amazonaws.com"
BALANCER = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/dev-public/1"
EDGE = "arn:aws:cloudfront::123456789012:distribution/E1"
TAGS = [{"Key": "groundwork:environment", "Value": "dev"}, {"Key": "Name", "Value": "dev-alb-public"}]


def sight(tags: list[dict[str, str]]) -> Sight:
    """Return what AWS reports of a load balancer of the environment, and of a distribution with these tags."""
    balancer = {
        "LoadBalancerArn": BALANCER,
        "LoadBalancerName": "dev-public",
        "DNSName": HOST.title(),
        "Scheme": "internet-facing",
        "VpcId": "vpc-1",
        "AvailabilityZones": [],
    }
    origins = {"Items": [{"DomainName": HOST}]}
    one = {"ARN": EDGE, "Id": "E1", "DomainName": "d1.cloudfront.net", "Status": "Deployed", "Origins": origins}
    answers: dict[str, list[t.Any]] = {
        "balancers": [balancer],
        "target groups": [],
        "tags of load balancers and target groups from 0": [{"ResourceArn": BALANCER, "Tags": TAGS[:1]}],
        f"attributes {BALANCER}": [],
        "distributions": [one],
        f"tags {EDGE}": tags,
        "config E1": [{"ETag": "1", "DistributionConfig": {"Enabled": True}}],
    }
    return Sight(Whose("dev", "eu-central-1"), answers)


def removed(tags: list[dict[str, str]]) -> list[str]:
    found = going(things((ALB, DISTRIBUTION), sight(tags)), (), {})
    return [str(change) for change in plan_removal(found)]


def test_a_load_balancer_waits_for_its_distribution() -> None:
    assert removed(TAGS) == [
        "update distribution alb-public",
        "delete distribution alb-public",
        "delete load balancer public",
    ]


def test_somebody_elses_distribution_does_not_keep_a_load_balancer() -> None:
    assert removed([]) == ["delete load balancer public"]
