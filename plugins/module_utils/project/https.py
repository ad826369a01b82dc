# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The work of the module `environment_https_info`: the certificates and the distributions of an environment."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime

from ansible_collections.groundwork.aws.plugins.module_utils.engine.arguments import parse_owner
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import ENVIRONMENT, REGION, Owner, tag_dict
from ansible_collections.groundwork.aws.plugins.module_utils.engine.partitions import AWS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.topics.certificates.changes import awaited, failure
from ansible_collections.groundwork.aws.plugins.module_utils.topics.certificates.observed import (
    ISSUED,
    describe_read,
    names_of,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.certificates.run import ends_soon, renewal
from ansible_collections.groundwork.aws.plugins.module_utils.topics.distribution.finding import DENIED

CERTIFICATE, DISTRIBUTION = "acm:certificate", "cloudfront:distribution"
GONE = ("NoSuchDistribution",)

Answer = t.Mapping[str, t.Any]


def look_at_https(run: Run) -> dict[str, t.Any]:
    """Return the module's result. Raise GroundworkError on failure."""
    problems = Problems()
    owner = parse_owner(run.options, "", problems)
    problems.raise_if_any()
    region = run.clients.client("resourcegroupstaggingapi").meta.region_name
    tagged = _tagged(owner, region, run.clients)
    reads = {arn: _detailed(arn) for arn in tagged}
    found = {arn: answer[0] for arn, answer in observe(run.clients, reads).items() if answer}
    now = datetime.now(UTC)
    certificates = [certificate(one, now) for arn, one in found.items() if ":acm:" in arn]
    distributions = [distribution(owner.short(tagged[arn]), one) for arn, one in found.items() if ":acm:" not in arn]
    return {
        "changed": False,
        "certificates": sorted(certificates, key=lambda one: (one["names"], one["arn"])),
        "distributions": sorted(distributions, key=lambda one: (one["name"], one["id"])),
    }


def certificate(described: Answer, now: datetime) -> dict[str, t.Any]:
    """Return what the module tells of a certificate, which is an answer of DescribeCertificate."""
    issued, ends = described["Status"] == ISSUED, described.get("NotAfter")
    problem = failure(described) or ""
    if not problem and not issued:
        problem = awaited(described) or f"its status is {described['Status']}"
    elif issued and ends_soon(described, now):
        problem = renewal(described["CertificateArn"], described)
    return {
        "arn": described["CertificateArn"],
        "names": sorted(names_of(described)),
        "status": described["Status"],
        "ends": f"{ends.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if issued and ends else "",
        "days": (ends - now).days if issued and ends else None,
        "in_use": bool(described.get("InUseBy")),
        "problem": problem,
    }


def distribution(name: str, described: Answer) -> dict[str, t.Any]:
    """Return what the module tells of a distribution, which is an answer of GetDistribution."""
    config = described["DistributionConfig"]
    return {
        "id": described["Id"],
        "name": name,
        "domain": described["DomainName"],
        "aliases": sorted(config.get("Aliases", {}).get("Items", [])),
        "status": described["Status"],
        "enabled": config["Enabled"],
    }


def _tagged(owner: Owner, home: str, clients: Clients) -> dict[str, dict[str, str]]:
    """Return the tags of the environment's certificates and distributions by ARN. `home` is its region."""
    filters = [{"Key": ENVIRONMENT, "Values": [owner.environment]}]
    regions = {home: [CERTIFICATE]}
    regions[AWS.edge] = [CERTIFICATE, DISTRIBUTION]
    reads = {
        region: Read(
            "resourcegroupstaggingapi",
            "get_resources",
            "ResourceTagMappingList",
            {"ResourceTypeFilters": types, "TagFilters": filters},
            absent=DENIED if region != home else (),
            region=region,
        )
        for region, types in regions.items()
    }
    answers = observe(clients, reads)
    found = {one["ResourceARN"]: tag_dict(one) for answer in answers.values() for one in answer}
    return {arn: tags for arn, tags in found.items() if tags.get(REGION, home) == home}


def _detailed(arn: str) -> Read:
    if ":acm:" in arn:
        return describe_read(arn, arn.split(":")[3])
    return Read("cloudfront", "get_distribution", "Distribution", {"Id": arn.rpartition("/")[2]}, absent=GONE)
