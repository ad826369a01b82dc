# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find and remove certificates. ACM does not delete one that a load balancer or a distribution uses."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Read
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import tag_dict
from ansible_collections.groundwork.aws.plugins.module_utils.engine.partitions import AWS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call
from ansible_collections.groundwork.aws.plugins.module_utils.engine.removal import (
    Described,
    Removal,
    Sight,
    Thing,
    some,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.certificates.observed import (
    UNKNOWN,
    all_read,
    describe_read,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.certificates.options import KIND


def _key(region: str) -> str:
    return f"certificates of {region or 'the region'}"


def _regions(sight: Sight) -> list[str]:
    """Return the regions of load balancers and of distributions."""
    return list(dict.fromkeys((sight.whose.region, AWS.edge)))


def _all(sight: Sight) -> t.Iterator[tuple[str, str]]:
    """Yield the ARNs of all certificates that ACM has issued or will issue, with their regions."""
    for region in _regions(sight):
        for one in sight.found(_key(region)):
            if one.get("Type", "AMAZON_ISSUED") == "AMAZON_ISSUED":
                yield one["CertificateArn"], region


def _reads(sight: Sight) -> t.Iterator[tuple[str, Read]]:
    """Yield the reads of all certificates and of their tags, and then of those of the environment with their users."""
    for region in _regions(sight):
        yield _key(region), all_read(region)
    for arn, region in _all(sight):
        tags = Read("acm", "list_tags_for_certificate", "Tags", {"CertificateArn": arn}, UNKNOWN, region=region)
        yield f"tags {arn}", tags
        if sight.owns(arn):
            yield f"certificate {arn}", describe_read(arn, region)


def _things(sight: Sight) -> t.Iterator[Thing]:
    for arn, region in _all(sight):
        for described in sight.found(f"certificate {arn}"):
            yield from _certificate(described, region, sight)


def _certificate(described: Described, region: str, sight: Sight) -> t.Iterator[Thing]:
    """Yield a certificate, and everything that uses it. The environment's users are found by their own topics too."""
    arn = described["CertificateArn"]
    tags = tag_dict({"Tags": sight.found(f"tags {arn}")})
    delete = Call(
        "acm",
        "delete_certificate",
        {"CertificateArn": arn},
        settled=UNKNOWN,
        passing=("ResourceInUseException",),
        region=region,
    )
    before = {"names": described.get("SubjectAlternativeNames", []), "status": described["Status"]}
    yield Thing(KIND, arn, sight.whose.short(tags, arn), calls=(delete,), before=before, tags=tags)
    for user in described.get("InUseBy", ()):
        kind = (
            "distribution" if ":distribution/" in user else "load balancer" if ":loadbalancer/" in user else "resource"
        )
        yield Thing(kind, user, "", ours=False, needs=some(arn))


REMOVAL = Removal(kinds=(KIND,), things=_things, reads=_reads, after="distribution", optional=True)
