# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find and remove CloudFront's functions, origin access controls and policies."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Read
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import REGION, other_region
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call
from ansible_collections.groundwork.aws.plugins.module_utils.engine.removal import (
    Described,
    Removal,
    Sight,
    Thing,
    Whose,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.reusable import IN_REGION, KINDS, Kind

OURS = ""
DEVELOPED = {"Stage": "DEVELOPMENT"}  # every function has this stage, also if it was never published


def _reads(sight: Sight) -> t.Iterator[tuple[str, Read]]:
    """Yield the reads of functions, origin access controls and policies, and of the ETags that deletions need."""
    marker = "FunctionList.NextMarker"
    yield "functions", Read("cloudfront", "list_functions", "FunctionList.Items", DEVELOPED, marker=marker)
    for one in sight.found("functions"):
        if _region(one["Name"], one["FunctionConfig"].get("Comment", ""), sight.whose) == OURS:
            arn, named = one["FunctionMetadata"]["FunctionARN"], {"Name": one["Name"], **DEVELOPED}
            gone = ("NoSuchFunctionExists",)
            yield f"version {arn}", Read("cloudfront", "describe_function", "ETag", named, gone)
    for kind in KINDS:
        yield kind.resource, kind.read()
        for item in sight.found(kind.resource):
            own, config = kind.entry(item)
            if _region(config["Name"], config.get(kind.comment, ""), sight.whose) == OURS:
                gone = (f"NoSuch{kind.member}",)
                yield f"version {own}", Read("cloudfront", f"get_{kind.noun}", "ETag", {"Id": own}, gone)


def _things(sight: Sight) -> t.Iterator[Thing]:
    for one in sight.answers["functions"]:
        yield from _function(one, sight)
    for kind in KINDS:
        for one in sight.answers[kind.resource]:
            yield from _reusable(kind, one, sight)


def _region(name: str, comment: str, whose: Whose) -> str | None:
    """Return OURS if a resource without tags is the environment's, by its name and its comment.

    Return the region if it belongs to an environment of the same name in another region, and None otherwise.
    """
    if not whose.has_name(name) or not comment.startswith(f"groundwork.aws: environment {whose.environment}, "):
        return None
    return other_region({REGION: comment.partition(IN_REGION)[2]}, whose.region) or OURS


def _function(function: Described, sight: Sight) -> t.Iterator[Thing]:
    """Yield a function.

    https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DeleteFunction.html
    """
    arn, name = function["FunctionMetadata"]["FunctionARN"], function["Name"]
    if region := _region(name, function["FunctionConfig"].get("Comment", ""), sight.whose):
        yield Thing("function", arn, sight.short(name), ours=False, region=region)
    for version in sight.answers.get(f"version {arn}", []):
        delete = Call(
            "cloudfront",
            "delete_function",
            {"Name": name, "IfMatch": version},
            settled=("NoSuchFunctionExists",),
            passing=("FunctionInUse",),
        )
        yield Thing("function", arn, sight.short(name), calls=(delete,))


def _reusable(kind: Kind, item: Described, sight: Sight) -> t.Iterator[Thing]:
    own, config = kind.entry(item)
    name = str(config["Name"])
    if region := _region(name, config.get(kind.comment, ""), sight.whose):
        yield Thing(kind.resource, own, sight.short(name), ours=False, region=region)
    for version in sight.answers.get(f"version {own}", []):
        delete = Call(
            "cloudfront",
            f"delete_{kind.noun}",
            {"Id": own, "IfMatch": version},
            settled=(f"NoSuch{kind.member}",),
            passing=(f"{kind.member}InUse",),
        )
        yield Thing(kind.resource, own, sight.short(name), calls=(delete,))


REMOVAL = Removal(
    kinds=("function", *(kind.resource for kind in KINDS)),
    things=_things,
    reads=_reads,
    after="distribution",
)
