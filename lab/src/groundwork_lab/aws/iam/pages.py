"""The lists of IAM: below a path, in pages. Pure functions.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from functools import cache
from typing import Any

from moto.core.utils import camelcase_to_underscores, get_service_model
from moto.iam.responses import IamResponse

from groundwork_lab.aws.context import refuse

SIZE, ALL = 100, 1_000_000
EMPTY = frozenset({"ListDelegationRequests", "ListServiceSpecificCredentials"})
"""The lists of what the lab cannot create."""


@cache
def list_in(operation: str) -> str | None:
    """Return the member that has the list. Return None if there are no pages, or neither moto nor `EMPTY` has it."""
    model = get_service_model("iam").operation_model(operation)
    method = getattr(IamResponse, camelcase_to_underscores(operation), None)
    if model.input_shape is None or "Marker" not in model.input_shape.members or not (method or operation in EMPTY):
        return None
    lists = [name for name, shape in model.output_shape.members.items() if shape.type_name == "list"]
    return lists[0] if len(lists) == 1 else None


def below(prefix: str | None, items: Iterable[Any]) -> list[Any]:
    """Return the items whose path begins with the prefix, and those without a path."""
    return [each for each in items if _path(each).startswith(prefix or "")]


def _path(item: Any) -> str:
    """Return the path of an item, or of a policy that is attached to something, which has it in its ARN."""
    if isinstance(item, dict) and "PolicyArn" in item:
        return "/" + "".join(f"{each}/" for each in item["PolicyArn"].split("/")[1:-1])
    return str(item.get("Path", "/") if isinstance(item, dict) else getattr(item, "path", "/"))


def page(items: list[Any], size: int | None, marker: str | None, operation: str) -> tuple[list[Any], str | None]:
    """Return a page of the items, and the marker of the next page, which is valid for its own operation only."""
    start = _offset(marker, operation) if marker else 0
    end = start + int(size or SIZE)
    following = base64.urlsafe_b64encode(f"{operation}:{end}".encode()).decode() if end < len(items) else None
    return items[start:end], following


def _offset(marker: str, operation: str) -> int:
    try:
        name, _, offset = base64.urlsafe_b64decode(marker.encode()).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        name, offset = "", ""
    if name != operation or not offset.isdigit():
        refuse("ValidationError", "Invalid Marker.")
    return int(offset)
