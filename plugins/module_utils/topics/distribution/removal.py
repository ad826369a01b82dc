# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find and remove distributions."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Read
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import tag_dict
from ansible_collections.groundwork.aws.plugins.module_utils.engine.removal import (
    Described,
    Removal,
    Sight,
    Thing,
    some,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.distribution.deleting import (
    DEPLOYED,
    deletion,
    disabled,
    disabling,
    etag_ref,
)

# Members of a distribution's configuration, at any depth, that refer to another resource by id or ARN.
REFERENCES = (
    "OriginAccessControlId",
    "CachePolicyId",
    "OriginRequestPolicyId",
    "ResponseHeadersPolicyId",
    "FunctionARN",
)


S3 = re.compile(r"\.s3")  # ends a bucket's name in its host names, in any region


def _reads(sight: Sight) -> t.Iterator[tuple[str, Read]]:
    """Yield the reads, with those of tags, and of the configurations of the environment's distributions.

    The tagging API needs only one call, but is some seconds late, so that it cannot verify a removal.
    """
    yield "distributions", Read("cloudfront", "list_distributions", "DistributionList.Items")
    for one in sight.found("distributions"):
        arn, own = one["ARN"], one["Id"]
        gone = ("NoSuchResource",)
        yield f"tags {arn}", Read("cloudfront", "list_tags_for_resource", "Tags.Items", {"Resource": arn}, gone)
        if sight.owns(arn):
            gone = ("NoSuchDistribution",)
            yield f"config {own}", Read("cloudfront", "get_distribution_config", "", {"Id": own}, gone)


def _things(sight: Sight) -> t.Iterator[Thing]:
    for one in sight.answers["distributions"]:
        yield from _distribution(one, sight)


def _distribution(one: Described, sight: Sight) -> t.Iterator[Thing]:
    """Yield a distribution. The environment's are disabled and then deleted.

    Another one is yielded if it refers to a resource of the environment, which it keeps.
    """
    arn, own = one["ARN"], one["Id"]
    needs = frozenset((*_references(one), *_origins(one)))
    if not sight.owns(arn):
        yield Thing("distribution", arn, one["DomainName"], ours=False, needs=needs, region=sight.elsewhere(arn))
        return
    [version] = sight.answers[f"config {own}"] or [None]
    if version is None:
        return
    needs |= frozenset(_hosts(one))
    tags = tag_dict({"Tags": sight.answers[f"tags {arn}"]})
    name = sight.whose.short(tags, own)
    enabled = bool(version["DistributionConfig"]["Enabled"])
    delete = deletion(own, etag_ref(own) if enabled else version["ETag"])
    if enabled or one["Status"] != DEPLOYED:
        words = {"enabled": enabled, "status": one["Status"]}
        calls = (disabling(own, version),) if enabled else ()
        yield Thing(
            "distribution",
            f"{arn}/enabled",
            name,
            needs=some(arn),
            calls=calls,
            wait=disabled(own, name, sight.deadline),
            before=words,
            part_of=arn,
        )
    before = {"domain_name": one["DomainName"]}
    yield Thing("distribution", arn, name, needs=needs, calls=(delete,), before=before, tags=tags)


def _references(value: t.Any) -> t.Iterator[str]:
    if isinstance(value, t.Mapping):
        for key, item in value.items():
            if key in REFERENCES and item:
                yield str(item)
            else:
                yield from _references(item)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item)


def _origins(one: Described) -> t.Iterator[str]:
    """Yield the buckets of a distribution's origins, which are removed after it because names become free."""
    for origin in one.get("Origins", {}).get("Items", []):
        domain = origin["DomainName"]
        yield from (f"arn:aws:s3:::{domain[: found.start()]}" for found in S3.finditer(domain))


def _hosts(one: Described) -> t.Iterator[str]:
    """Yield the host names of a distribution's origins, which load balancers of the environment may serve."""
    return (origin["DomainName"].lower() for origin in one.get("Origins", {}).get("Items", []))


REMOVAL = Removal(kinds=("distribution",), things=_things, reads=_reads, after="network", optional=True)
