# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CloudFront's configurations in a form that can be compared, merged and shown.

The API wraps every list as {Quantity, Items}, gives sets in any order, and fills in what a request left out. In the
canonical form lists are lists, sets are sorted, and counts are gone. What a module does not know is carried along.
https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DistributionConfig.html
"""

from __future__ import annotations

import json
import typing as t

# The only list whose order means something: the first path that matches decides.
ORDERED = frozenset({"CacheBehaviors"})
# Items that are things of their own, by the member that names them; their other members are merged.
KEYS = {
    "CacheBehaviors": "PathPattern",
    "CustomErrorResponses": "ErrorCode",
    "FunctionAssociations": "EventType",
    "LambdaFunctionAssociations": "EventType",
    "Origins": "Id",
}
# What the API says again in older words, and refuses when it does not fit what has changed.
# https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ViewerCertificate.html
REPEATED = {"ViewerCertificate": ("Certificate", "CertificateSource")}
# Members that depend on each other: what AWS filled in beside one certificate is wrong beside another.
TOGETHER = frozenset({"ViewerCertificate"})
EMPTY: tuple[t.Any, ...] = ("", None, [], {})


def plain(value: t.Any, name: str = "") -> t.Any:
    """The canonical form of what the API gave. `name` is the member that holds it.

    A wrapped list with members beside it ({Quantity, Items, CachedMethods}) stays a dictionary, without the count.
    """
    if isinstance(value, t.Mapping):
        if "Quantity" not in value:
            told = REPEATED.get(name, ())
            return {key: plain(item, key) for key, item in value.items() if key not in told}
        items = _sorted([plain(item) for item in value.get("Items") or []], name)
        more = {key: plain(item, key) for key, item in value.items() if key not in ("Quantity", "Items")}
        return {**more, "Items": items} if more else items
    return value


def whole(value: t.Any) -> t.Any:
    """The form that the API takes, from the canonical one. What is None is left out."""
    if isinstance(value, list):
        return {"Quantity": len(value), "Items": [whole(item) for item in value]}
    if isinstance(value, t.Mapping):
        made = {key: whole(item) for key, item in value.items() if key != "Items" and item is not None}
        return {**made, **(whole(value["Items"]) if "Items" in value else {})}
    return value


def merged(actual: t.Any, desired: t.Any, name: str = "") -> t.Any:
    """The canonical form of `actual` with `desired` put onto it.

    Members that are not desired stay, and those that are desired as None go. A list is what is desired, but an item
    that is there already under its key keeps the members that are not desired.
    """
    if isinstance(desired, t.Mapping) and isinstance(actual, t.Mapping):
        both = {**actual, **{key: merged(actual.get(key), item, key) for key, item in desired.items()}}
        return desired if name in TOGETHER and differences(actual, both) != (None, None) else both
    if isinstance(desired, list):
        key = KEYS.get(name)
        there = {item[key]: item for item in actual or []} if key else {}
        return _sorted([merged(there.get(item[key]), item) if key else item for item in desired], name)
    return desired


def differences(before: t.Any, after: t.Any, name: str = "") -> tuple[t.Any, t.Any]:
    """What differs between two canonical forms: the part before and the part after, (None, None) for nothing.

    That a member is missing and that it is empty is the same.
    """
    if before == after or (before in EMPTY and after in EMPTY):
        return None, None
    if isinstance(before, t.Mapping) and isinstance(after, t.Mapping):
        return _members(before, after)
    key = KEYS.get(name)
    if key:
        return _items(before or [], after or [], key)
    return before, after


def _items(before: t.Sequence[t.Any], after: t.Sequence[t.Any], key: str) -> tuple[t.Any, t.Any]:
    """By what tells them from one another; where only their order differs, that."""
    old, new = ({str(item[key]): item for item in items} for items in (before, after))
    pair = _members(old, new)
    return (list(old), list(new)) if pair == (None, None) and list(old) != list(new) else pair


def _members(before: t.Mapping[str, t.Any], after: t.Mapping[str, t.Any]) -> tuple[t.Any, t.Any]:
    old: dict[str, t.Any] = {}
    new: dict[str, t.Any] = {}
    for key in [*before, *(key for key in after if key not in before)]:
        pair = differences(before.get(key), after.get(key), key)
        if pair != (None, None):
            old[key], new[key] = pair
    return (old, new) if old or new else (None, None)


def _sorted(items: list[t.Any], name: str) -> list[t.Any]:
    if name in ORDERED:
        return items
    return sorted(items, key=lambda item: _sort_key(item, KEYS.get(name)))


def _sort_key(item: t.Any, key: str | None) -> str:
    return str(item[key]) if key else json.dumps(item, sort_keys=True, default=str)
