"""Tags of distributions and functions.

https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_TagResource.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from groundwork_lab.aws.cloudfront.state import Backend
from groundwork_lab.aws.context import refuse

LIMIT = 50
Request = Mapping[str, Any]


def check(tags: Sequence[Mapping[str, Any]]) -> None:
    """Refuse reserved, too long, duplicate, and too many tags."""
    keys = [str(tag.get("Key") or "") for tag in tags]
    if len(keys) > LIMIT:
        refuse("InvalidTagging", f"A resource can have a maximum of {LIMIT} tags.")
    for key, tag in zip(keys, tags, strict=True):
        if key.lower().startswith("aws:") or not 1 <= len(key) <= 128 or len(str(tag.get("Value") or "")) > 256:
            refuse("InvalidTagging", f"The tag '{key}' is not valid.")
    if len(set(keys)) < len(keys):
        refuse("InvalidTagging", "Duplicate tag keys found.")


def items(tags: Mapping[str, Any] | None) -> list[dict[str, str]]:
    """Return the tags of a request, with "" for a missing value."""
    return [{"Key": tag["Key"], "Value": tag.get("Value") or ""} for tag in (tags or {}).get("Items") or []]


def tag_resource(backend: Backend, request: Request) -> dict[str, Any]:
    arn, tags = _existing(backend, request["Resource"]), items(request["Tags"])
    check(tags)
    present = backend.tagger.get_tag_dict_for_resource(arn)
    if len({*present, *(tag["Key"] for tag in tags)}) > LIMIT:
        refuse("InvalidTagging", f"A resource can have a maximum of {LIMIT} tags.")
    backend.tagger.tag_resource(arn, tags)
    return {}


def untag_resource(backend: Backend, request: Request) -> dict[str, Any]:
    arn = _existing(backend, request["Resource"])
    backend.tagger.untag_resource_using_names(arn, (request["TagKeys"] or {}).get("Items") or [])
    return {}


def list_tags_for_resource(backend: Backend, request: Request) -> dict[str, Any]:
    tags = backend.tagger.get_tag_dict_for_resource(_existing(backend, request["Resource"]))
    return {"Tags": {"Items": [{"Key": key, "Value": value} for key, value in tags.items()]}}


def _existing(backend: Backend, arn: str) -> str:
    if not arn.startswith("arn:"):
        refuse("InvalidArgument", f"Invalid ARN: {arn}")
    distributions = {each.arn for each in backend.distributions.values()}
    if arn not in distributions and backend.function_by_arn(arn) is None:
        refuse("NoSuchResource", f"The specified resource does not exist: {arn}")
    return arn


OPERATIONS = {
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
    "ListTagsForResource": list_tags_for_resource,
}
