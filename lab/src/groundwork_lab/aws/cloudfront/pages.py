"""Lists of the API and their pages.

https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ListDistributions.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from groundwork_lab.aws.context import refuse

LARGEST_PAGE = 100
Item = TypeVar("Item")


def by_id(found: Mapping[str, Item]) -> Mapping[str, Item]:
    """Sort by id, so that resources created or deleted between two pages cause no duplicates and no gaps."""
    return dict(sorted(found.items()))


def listed(request: Mapping[str, Any], found: Mapping[str, object], *, ordered: bool = True) -> dict[str, Any]:
    """Return the page of `found` (API structures by id) that the request asks for.

    A marker is the last id of the previous page. If the ids are `ordered`, the resource may have been deleted since.
    """
    marker, size = request.get("Marker") or "", _size(request.get("MaxItems"))
    rest = _after(marker, list(found), ordered=ordered)
    shown = rest[:size]
    truncated = len(rest) > size
    return {
        "Marker": marker,
        "NextMarker": shown[-1] if truncated else None,
        "MaxItems": size,
        "IsTruncated": truncated,
        **counted(found[each] for each in shown),
    }


def counted(items: Iterable[object]) -> dict[str, Any]:
    """Return a list in the API's format: `Quantity`, and `Items` unless it is empty."""
    found = list(items)
    return {"Quantity": len(found), "Items": found} if found else {"Quantity": 0}


def _size(wanted: str | None) -> int:
    if wanted is None:
        return LARGEST_PAGE
    if not wanted.isdigit() or int(wanted) < 1:
        refuse("InvalidArgument", "The parameter MaxItems is not valid.")
    return min(int(wanted), LARGEST_PAGE)


def _after(marker: str, ids: list[str], *, ordered: bool) -> list[str]:
    if not marker:
        return ids
    if ordered:
        return [each for each in ids if each > marker]
    if marker not in ids:
        refuse("InvalidArgument", "The parameter Marker is not valid.")
    return ids[ids.index(marker) + 1 :]
