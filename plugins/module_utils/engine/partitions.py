# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""AWS' partitions, and which of them the collection supports.

https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems


@dataclass(frozen=True)
class Partition:
    """A partition: the beginning of its ARNs, the domain of its endpoints, and the region of its CloudFront, if any.

    `refused` is the reason why the collection does not support it, or "".
    """

    name: str
    title: str
    suffix: str
    regions: re.Pattern[str]
    edge: str = ""
    refused: str = ""

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a resource without region and account, such as a bucket's."""
        return f"arn:{self.name}:{service}:::{resource}"


NO_EDGE = "it has no CloudFront, and Debian's images have other owners there"
ISOLATED = "it is isolated from the internet, and has no CloudFront"
AWS = Partition("aws", "AWS", "amazonaws.com", re.compile(r"(us|eu|ap|sa|ca|me|af|il|mx)-\w+-\d+"), "us-east-1")
PARTITIONS = (
    Partition(
        "aws-cn",
        "AWS China",
        "amazonaws.com.cn",
        re.compile(r"cn-\w+-\d+"),
        "cn-northwest-1",
        "its CloudFront requires a domain with an ICP filing and a certificate in IAM, and Debian's images have other "
        "owners there",
    ),
    Partition("aws-us-gov", "AWS GovCloud (US)", "amazonaws.com", re.compile(r"us-gov-\w+-\d+"), refused=NO_EDGE),
    Partition(
        "aws-eusc", "AWS European Sovereign Cloud", "amazonaws.eu", re.compile(r"eusc-\w+-\w+-\d+"), refused=NO_EDGE
    ),
    Partition("aws-iso", "AWS Secret", "c2s.ic.gov", re.compile(r"us-iso-\w+-\d+"), refused=ISOLATED),
    Partition("aws-iso-b", "AWS Top Secret", "sc2s.sgov.gov", re.compile(r"us-isob-\w+-\d+"), refused=ISOLATED),
    Partition("aws-iso-e", "AWS ISOE Europe", "cloud.adc-e.uk", re.compile(r"eu-isoe-\w+-\d+"), refused=ISOLATED),
    Partition("aws-iso-f", "AWS ISOF", "csp.hci.ic.gov", re.compile(r"us-isof-\w+-\d+"), refused=ISOLATED),
    AWS,
)


def partition_of(region: str) -> Partition:
    """Return the partition of a region. A region that is not known yet is in the partition `aws`."""
    return next((one for one in PARTITIONS if one.regions.fullmatch(region)), AWS)


def partition_named(name: str) -> Partition:
    """Return the partition `name`, as a client of boto3 has it in `meta.partition`."""
    return next((one for one in PARTITIONS if one.name == name), AWS)


def partition_at(client: t.Any) -> Partition:
    """Return the partition to which a client of boto3 talks."""
    return partition_named(str(client.meta.partition))


def check_partition(region: str, problems: Problems) -> None:
    """Add to `problems` a region of a partition that is not supported."""
    partition = partition_of(region)
    if partition.refused:
        wrong = f"{region} is in the partition {partition.name} ({partition.title}), which is not supported: "
        problems.add("aws_region", wrong + partition.refused, "use a region of the partition aws, as eu-central-1")
