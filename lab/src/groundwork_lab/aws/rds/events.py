"""Events and tags of RDS' resources.

https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeEvents.html and
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Tagging.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn

from moto.core.utils import utcnow

from groundwork_lab.aws.context import refuse
from groundwork_lab.aws.rds import checks
from groundwork_lab.aws.rds.checks import Members, Request, combination, invalid
from groundwork_lab.aws.rds.state import Backend

LONGEST = timedelta(days=14)
DEFAULT_MINUTES = 60
NOT_FOUND = {
    "db": ("DBInstanceNotFound", "DBInstance"),
    "subgrp": ("DBSubnetGroupNotFoundFault", "DBSubnetGroup"),
    "pg": ("DBParameterGroupNotFound", "DBParameterGroup"),
    "snapshot": ("DBSnapshotNotFound", "DBSnapshot"),
}


def describe_events(backend: Backend, request: Request) -> Members:
    """Return the events of a time, by default of the last hour."""
    source, kind = request.get("SourceIdentifier"), request.get("SourceType")
    if source and not kind:
        combination("SourceType is required with SourceIdentifier.")
    now = utcnow()
    begin, end = _time(request.get("StartTime")), _time(request.get("EndTime"))
    if begin is None:
        begin = (end or now) - timedelta(minutes=int(request.get("Duration") or DEFAULT_MINUTES))
    if begin < now - LONGEST - timedelta(minutes=1):
        invalid("Events are kept for 14 days.")
    categories = set(request.get("EventCategories") or ())
    told = [
        {
            "SourceIdentifier": each.source,
            "SourceType": each.source_type,
            "Message": each.message,
            "EventCategories": each.categories,
            "Date": each.date,
            "SourceArn": each.source_arn,
        }
        for each in backend.events
        if begin <= each.date <= (end or now)
        and source in (None, each.source)
        and kind in (None, each.source_type)
        and (not categories or categories & set(each.categories))
    ]
    return checks.page(request, "Events", told)


def _time(given: Any) -> datetime | None:
    if given is None:
        return None
    time: datetime = given
    return time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time


def _tags(backend: Backend, arn: str) -> dict[str, str]:
    """Return the tags of the resource with this ARN."""
    found = next((tags for each, _, tags in backend.tagged() if each == arn), None)
    if found is None:
        _refuse_name(arn)
    return found


def _refuse_name(arn: str) -> NoReturn:
    parts = arn.split(":", 6)
    if len(parts) != 7 or parts[:3] != ["arn", "aws", "rds"] or parts[5] not in NOT_FOUND:
        invalid(f"Invalid resource name: {arn}")
    code, kind = NOT_FOUND[parts[5]]
    refuse(code, f"{kind} {parts[6]} not found.")


def add_tags_to_resource(backend: Backend, request: Request) -> Members:
    tags = _tags(backend, request["ResourceName"])
    merged = tags | checks.tags(request["Tags"])
    if len(merged) > checks.TAGS_LIMIT:
        combination(f"A resource can have a maximum of {checks.TAGS_LIMIT} tags.")
    tags.update(merged)
    return {}


def remove_tags_from_resource(backend: Backend, request: Request) -> Members:
    tags = _tags(backend, request["ResourceName"])
    for key in request["TagKeys"]:
        tags.pop(key, None)
    return {}


def list_tags_for_resource(backend: Backend, request: Request) -> Members:
    return {"TagList": checks.told_tags(_tags(backend, request["ResourceName"]))}


OPERATIONS: Mapping[str, Callable[[Backend, Request], Members]] = {
    "AddTagsToResource": add_tags_to_resource,
    "DescribeEvents": describe_events,
    "ListTagsForResource": list_tags_for_resource,
    "RemoveTagsFromResource": remove_tags_from_resource,
}
