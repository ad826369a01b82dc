# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find and remove distributions, and their functions, origin access controls and policies.

A distribution is disabled first. It can be deleted when all edge locations have that configuration, minutes later.
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HowToDeleteDistribution.html
"""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Read
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call, Ref, Wait
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.buckets import arn_of
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.things import (
    Described,
    Thing,
    Whose,
    some,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.reusable import KINDS, Kind

Answers = t.Mapping[str, list[t.Any]]
# Members of a distribution's configuration, at any depth, that refer to another resource by id or ARN.
REFERENCES = (
    "OriginAccessControlId",
    "CachePolicyId",
    "OriginRequestPolicyId",
    "ResponseHeadersPolicyId",
    "FunctionARN",
)


DEVELOPED = {"Stage": "DEVELOPMENT"}  # every function has this stage, also if it was never published


def first_reads() -> dict[str, Read]:
    """Return the reads of the account's distributions, functions, origin access controls and policies."""
    return {
        "distributions": Read("cloudfront", "list_distributions", "DistributionList.Items"),
        "functions": Read(
            "cloudfront", "list_functions", "FunctionList.Items", DEVELOPED, marker="FunctionList.NextMarker"
        ),
        **{kind.resource: kind.read() for kind in KINDS},
    }


def second_reads(first: Answers) -> dict[str, Read]:
    """Return the reads of the distributions' tags.

    The tagging API needs only one call, but is some seconds late, so that it cannot verify a removal.
    """
    reads: dict[str, Read] = {}
    for distribution in first["distributions"]:
        arn = distribution["ARN"]
        gone = ("NoSuchResource",)
        reads[f"tags {arn}"] = Read("cloudfront", "list_tags_for_resource", "Tags.Items", {"Resource": arn}, gone)
    return reads


def third_reads(answers: Answers, whose: Whose) -> dict[str, Read]:
    """Return the reads of the environment's distributions' configurations, and of the ETags that deletions need."""
    reads: dict[str, Read] = {}
    for one in answers["distributions"]:
        if _owns(one["ARN"], answers, whose):
            gone = ("NoSuchDistribution",)
            reads[f"config {one['Id']}"] = Read("cloudfront", "get_distribution_config", "", {"Id": one["Id"]}, gone)
    for one in answers["functions"]:
        if is_ours(one["Name"], one["FunctionConfig"].get("Comment", ""), whose):
            named = {"Name": one["Name"], **DEVELOPED}
            gone = ("NoSuchFunctionExists",)
            reads[f"version {one['FunctionMetadata']['FunctionARN']}"] = Read(
                "cloudfront", "describe_function", "ETag", named, gone
            )
    for kind in KINDS:
        for item in answers[kind.resource]:
            own, config = kind.entry(item)
            if is_ours(config["Name"], config.get(kind.comment, ""), whose):
                gone = (f"NoSuch{kind.member}",)
                reads[f"version {own}"] = Read("cloudfront", f"get_{kind.noun}", "ETag", {"Id": own}, gone)
    return reads


def edge_things(answers: Answers, whose: Whose, deadline: float) -> list[Thing]:
    """Return the distributions, functions, origin access controls and policies."""
    return [
        *(thing for one in answers["distributions"] for thing in _distribution(one, answers, whose, deadline)),
        *(thing for one in answers["functions"] for thing in _function(one, answers, whose)),
        *(thing for kind in KINDS for one in answers[kind.resource] for thing in _reusable(kind, one, answers, whose)),
    ]


def _owns(arn: str, answers: Answers, whose: Whose) -> bool:
    return whose.owns_described({"Tags": answers.get(f"tags {arn}", [])})


def is_ours(name: str, comment: str, whose: Whose) -> bool:
    """Return whether a resource without tags is the environment's, by its name and its comment."""
    return whose.has_name(name) and comment.startswith(f"groundwork.aws: environment {whose.environment}, ")


def _distribution(one: Described, answers: Answers, whose: Whose, deadline: float) -> t.Iterator[Thing]:
    """Yield a distribution. The environment's are disabled and then deleted.

    Another one is yielded if it refers to a resource of the environment, which it keeps.
    """
    arn, own = one["ARN"], one["Id"]
    needs = frozenset(_references(one)) | _origins(one, answers)
    if not _owns(arn, answers, whose):
        yield Thing("distribution", arn, one["DomainName"], ours=False, needs=needs)
        return
    [version] = answers[f"config {own}"] or [None]
    if version is None:
        return
    name = whose.short({tag["Key"]: tag["Value"] for tag in answers[f"tags {arn}"]}, own)
    etag = Ref("distribution", own, "etag")
    disabled = {**version["DistributionConfig"], "Enabled": False}
    update = Call(
        "cloudfront", "update_distribution", {"Id": own, "IfMatch": version["ETag"], "DistributionConfig": disabled}
    ).yielding(etag, "ETag")
    deployed = Wait(
        f"the distribution {name} ({own}) to be disabled at all edge locations",
        Call("cloudfront", "get_distribution", {"Id": own}, settled=("NoSuchDistribution",)),
        lambda answer: not answer or answer["Distribution"]["Status"] == "Deployed",
        deadline=deadline,
        interval=5.0,
    )
    enabled = bool(version["DistributionConfig"]["Enabled"])
    delete = Call(
        "cloudfront",
        "delete_distribution",
        {"Id": own, "IfMatch": etag if enabled else version["ETag"]},
        settled=("NoSuchDistribution",),
        passing=("DistributionNotDisabled",),
    )
    if enabled or one["Status"] != "Deployed":
        words = {"enabled": enabled, "status": one["Status"]}
        calls = (update,) if enabled else ()
        yield Thing(
            "distribution",
            f"{arn}/enabled",
            name,
            needs=some(arn),
            calls=calls,
            wait=deployed,
            before=words,
            part_of=arn,
        )
    yield Thing("distribution", arn, name, needs=needs, calls=(delete,), before={"domain_name": one["DomainName"]})


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


def _origins(one: Described, answers: Answers) -> set[str]:
    """Return the buckets of a distribution's origins, which are removed after it because names become free."""
    domains = [origin["DomainName"] for origin in one.get("Origins", {}).get("Items", [])]
    return {
        arn_of(bucket)
        for bucket in answers["buckets"]
        if any(domain.startswith(f"{bucket['Name']}.s3") for domain in domains)
    }


def _function(function: Described, answers: Answers, whose: Whose) -> t.Iterator[Thing]:
    """Yield a function.

    https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DeleteFunction.html
    """
    arn, name = function["FunctionMetadata"]["FunctionARN"], function["Name"]
    for version in answers.get(f"version {arn}", []):
        delete = Call(
            "cloudfront",
            "delete_function",
            {"Name": name, "IfMatch": version},
            settled=("NoSuchFunctionExists",),
            passing=("FunctionInUse",),
        )
        yield Thing("function", arn, name.removeprefix(f"{whose.environment}-"), calls=(delete,))


def _reusable(kind: Kind, item: Described, answers: Answers, whose: Whose) -> t.Iterator[Thing]:
    own, config = kind.entry(item)
    name = str(config["Name"])
    for version in answers.get(f"version {own}", []):
        delete = Call(
            "cloudfront",
            f"delete_{kind.noun}",
            {"Id": own, "IfMatch": version},
            settled=(f"NoSuch{kind.member}",),
            passing=(f"{kind.member}InUse",),
        )
        yield Thing(kind.resource, own, name.removeprefix(f"{whose.environment}-"), calls=(delete,))
