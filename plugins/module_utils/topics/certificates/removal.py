# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find and remove certificates. ACM does not delete one that a load balancer or a distribution uses."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime, timedelta

from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Read
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import ENVIRONMENT, tag_dict
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

TAGGED = "ResourceTagMappingList"
# A certificate that the tagging API does not report after this time has no tags.
TAGGED_AFTER = timedelta(hours=1)


def certificates_key(region: str) -> str:
    """Return the key of the answer with all certificates of a region."""
    return f"certificates of {region or 'the region'}"


def _tagged_key(region: str) -> str:
    return f"tagged certificates of {region or 'the region'}"


def regions(sight: Sight) -> list[str]:
    """Return the regions of load balancers and of distributions."""
    return list(dict.fromkeys((sight.whose.region, AWS.edge)))


def certificates_in(sight: Sight) -> t.Iterator[tuple[Described, str]]:
    """Yield all certificates that ACM has issued or will issue, with their regions."""
    for region in regions(sight):
        for one in sight.found(certificates_key(region)):
            if one.get("Type", "AMAZON_ISSUED") == "AMAZON_ISSUED":
                yield one, region


def tags_of(sight: Sight) -> dict[str, dict[str, str]]:
    """Return the tags of certificates by ARN, as far as they were read."""
    answers = [one for region in regions(sight) for one in sight.found(_tagged_key(region))]
    found = {one["ResourceARN"]: tag_dict(one) for one in answers}
    asked = {
        one["CertificateArn"]: sight.found(f"tags {one['CertificateArn']}") for one, _region in certificates_in(sight)
    }
    return {**found, **{arn: tag_dict({"Tags": answer}) for arn, answer in asked.items() if answer}}


def _reads(sight: Sight) -> t.Iterator[tuple[str, Read]]:
    """Yield the reads of all certificates and of the environment's tags, and then of its certificates with their users.

    The tagging API reports a new certificate some time after its request, so the tags of those are read one by one.
    """
    filters = [{"Key": ENVIRONMENT, "Values": [sight.whose.environment]}]
    arguments = {"ResourceTypeFilters": ["acm:certificate"], "TagFilters": filters}
    for region in regions(sight):
        yield certificates_key(region), all_read(region)
        if sight.found(certificates_key(region)):
            tagged = Read("resourcegroupstaggingapi", "get_resources", TAGGED, arguments, region=region)
            yield _tagged_key(region), tagged
    tags = tags_of(sight)
    for one, region in certificates_in(sight):
        arn = one["CertificateArn"]
        told = sight.found(_tagged_key(region)) if _tagged_key(region) in sight.answers else None
        if told is not None and arn not in {each["ResourceARN"] for each in told} and _is_untold(one, region, sight):
            arguments = {"CertificateArn": arn}
            yield f"tags {arn}", Read("acm", "list_tags_for_certificate", "Tags", arguments, UNKNOWN, region=region)
        if sight.whose.owns(tags.get(arn, {})):
            yield f"certificate {arn}", describe_read(arn, region)


def _is_untold(one: Described, region: str, sight: Sight) -> bool:
    """Return whether the tagging API may not have reported the tags of a certificate."""
    created = one.get("CreatedAt")
    late = created is None or created > datetime.now(UTC) - TAGGED_AFTER
    return late or _tagged_key(region) in sight.denied


def _things(sight: Sight) -> t.Iterator[Thing]:
    for one, region in certificates_in(sight):
        for described in sight.found(f"certificate {one['CertificateArn']}"):
            yield from _certificate(described, region, sight)


def _certificate(described: Described, region: str, sight: Sight) -> t.Iterator[Thing]:
    """Yield a certificate, and everything that uses it. The environment's users are found by their own topics too."""
    arn = described["CertificateArn"]
    tags = tags_of(sight).get(arn, {})
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
