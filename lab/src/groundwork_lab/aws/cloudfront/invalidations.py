"""Invalidations. They are in progress until the edge has removed the objects from its cache.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Invalidation.html and, for the quotas,
https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from groundwork_lab.aws.cloudfront import pages
from groundwork_lab.aws.cloudfront.distributions import existing
from groundwork_lab.aws.cloudfront.state import Backend, Distribution, Invalidation
from groundwork_lab.aws.cloudfront.versions import new_id
from groundwork_lab.aws.context import refuse

FILES_LIMIT = 3000  # in progress at the same time, per distribution
WILDCARDS_LIMIT = 15
PATH_LIMIT = 4000  # characters
Request = Mapping[str, Any]


def create_invalidation(backend: Backend, request: Request) -> dict[str, Any]:
    """Create an invalidation, or return the existing one if the same batch was sent before.

    "If CallerReference is a value you already sent in a previous invalidation batch request, and if the content of each
    Path is identical to the original request, the invalidation batch is considered a duplicate."
    https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_InvalidationBatch.html
    """
    distribution, batch = existing(backend, request["DistributionId"]), request["InvalidationBatch"]
    paths = batch["Paths"].get("Items") or []
    _check_paths(paths)
    same = [it for it in distribution.invalidations.values() if it.batch["CallerReference"] == batch["CallerReference"]]
    if same:
        if same[0].batch != batch:
            message = "Your request contains a caller reference that was used for a previous invalidation batch."
            refuse("InvalidArgument", message)
        return _answer(distribution, same[0])
    _check_in_progress(distribution, paths)
    made = Invalidation(new_id("I"), batch)
    distribution.invalidations[made.id] = made
    return _answer(distribution, made)


def get_invalidation(backend: Backend, request: Request) -> dict[str, Any]:
    found = existing(backend, request["DistributionId"]).invalidations.get(request["Id"])
    if found is None:
        refuse("NoSuchInvalidation", "The specified invalidation does not exist.")
    return {"Invalidation": _described(found)}


def list_invalidations(backend: Backend, request: Request) -> dict[str, Any]:
    """List the invalidations, newest first."""
    invalidations = reversed(existing(backend, request["DistributionId"]).invalidations.values())
    found = {each.id: {"Id": each.id, "CreateTime": each.created, "Status": each.status} for each in invalidations}
    return {"InvalidationList": pages.listed(request, found, ordered=False)}


def _check_paths(paths: Sequence[str]) -> None:
    if not paths:
        refuse("InvalidArgument", "Your request contains no invalidation paths.")
    for path in paths:
        if not path.startswith("/") or "*" in path[:-1] or not path.isascii() or len(path) > PATH_LIMIT or " " in path:
            refuse("InvalidArgument", "Your request contains one or more invalid invalidation paths.")


def _check_in_progress(distribution: Distribution, paths: Sequence[str]) -> None:
    everything = [*paths, *(path for each in distribution.in_progress for path in each.paths)]
    wildcards = sum(path.endswith("*") for path in everything)
    if len(paths) > FILES_LIMIT:
        refuse("BatchTooLarge", f"Your request contains more than {FILES_LIMIT} invalidation paths.")
    if wildcards > WILDCARDS_LIMIT or len(everything) - wildcards > FILES_LIMIT:
        message = "Processing your request will cause you to exceed the maximum number of in-progress "
        refuse("TooManyInvalidationsInProgress", message + "wildcard invalidations or files.")


def _answer(distribution: Distribution, invalidation: Invalidation) -> dict[str, Any]:
    where = f"https://cloudfront.amazonaws.com/2020-05-31/distribution/{distribution.id}/invalidation/{invalidation.id}"
    return {"Invalidation": _described(invalidation), "Location": where}


def _described(invalidation: Invalidation) -> dict[str, Any]:
    return {
        "Id": invalidation.id,
        "Status": invalidation.status,
        "CreateTime": invalidation.created,
        "InvalidationBatch": invalidation.batch,
    }


OPERATIONS = {
    "CreateInvalidation": create_invalidation,
    "GetInvalidation": get_invalidation,
    "ListInvalidations": list_invalidations,
}
