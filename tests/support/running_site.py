"""The environment `local`, as AWS and its visitors see it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from asking import get
from laptop import ENVIRONMENT, Laptop

START_AGAIN = "`groundwork-lab down` and `groundwork-lab up`, or playbooks/teardown.yml, remove it"


class Site:
    """The environment `local`. `built` is true once site.yml has been run for it by these tests."""

    def __init__(self, laptop: Laptop) -> None:
        self._laptop = laptop
        self.built = False

    def build(self) -> None:
        """Run site.yml, unless these tests have done that already."""
        if self.built:
            return
        play = self._laptop.play()
        assert play.code == 0, play.failures() or play.errors
        self.built = True

    @property
    def servers(self) -> dict[str, dict[str, Any]]:
        """The running servers by name."""
        filters = [
            {"Name": "tag:groundwork:environment", "Values": [ENVIRONMENT]},
            {"Name": "instance-state-name", "Values": ["running"]},
        ]
        found = self._laptop.client("ec2").describe_instances(Filters=filters)
        servers = [server for reservation in found["Reservations"] for server in reservation["Instances"]]
        return {name_of(server).removeprefix(f"{ENVIRONMENT}-"): server for server in servers}

    def server_id(self, name: str) -> str:
        """Return the instance id of a running server."""
        return str(self.servers[name]["InstanceId"])

    @property
    def urls(self) -> dict[str, str]:
        """The URLs of the load balancers by tier."""
        balancers = self._laptop.client("elbv2").describe_load_balancers()["LoadBalancers"]
        return {b["LoadBalancerName"].removeprefix(f"{ENVIRONMENT}-"): f"http://{b['DNSName']}" for b in balancers}

    def health(self, tier: str) -> dict[str, str]:
        """Return the health of the tier's targets by instance id."""
        elb = self._laptop.client("elbv2")
        group = elb.describe_target_groups(Names=[f"{ENVIRONMENT}-{tier}"])["TargetGroups"][0]["TargetGroupArn"]
        found = elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return {target["Target"]["Id"]: target["TargetHealth"]["State"] for target in found}

    def status(self, tier: str) -> int:
        """Return the status of the tier's page, 0 if nothing answers."""
        return get(f"{self.urls[tier]}/").status

    def whoami(self, tier: str, headers: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return what the sample application reports about itself and its visitor."""
        answer = get(f"{self.urls[tier]}/whoami.php", headers)
        assert answer.status == 200, f"{tier}: {answer.status} {answer.text}"
        told: dict[str, Any] = answer.json()
        return told

    def answering(self, tier: str, visits: int) -> set[str]:
        """Return the servers that answer so many visits."""
        return {self.whoami(tier)["server"] for _visit in range(visits)}

    @property
    def edge(self) -> str:
        """The URL of the static site's distribution."""
        [found] = self._laptop.client("cloudfront").list_distributions()["DistributionList"]["Items"]
        return f"https://{found['DomainName']}"


def name_of(resource: Mapping[str, Any]) -> str:
    """Return the tag Name of a resource."""
    return next((str(tag["Value"]) for tag in resource.get("Tags", []) if tag["Key"] == "Name"), "")
