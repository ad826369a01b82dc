# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The canonical form of CloudFront's configurations, in which they are compared, merged and shown.

The API wraps every list as {Quantity, Items}, returns sets in any order, and adds defaults for missing members. In the
canonical form lists are plain lists without a count, and sets are sorted. Members that a module does not know are kept.
https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DistributionConfig.html
"""

from __future__ import annotations

import json
import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Lookup

# The only list whose order matters: CloudFront uses the first cache behavior whose path pattern matches.
ORDERED = frozenset({"CacheBehaviors"})
# Lists whose items have a key: items with the same key are merged.
KEYS = {
    "CacheBehaviors": "PathPattern",
    "CustomErrorResponses": "ErrorCode",
    "FunctionAssociations": "EventType",
    "LambdaFunctionAssociations": "EventType",
    "Origins": "Id",
}
# Deprecated members that repeat others. The API rejects a request in which they contradict these.
# https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ViewerCertificate.html
REPEATED = {"ViewerCertificate": ("Certificate", "CertificateSource")}
# Structures that are replaced as a whole: AWS' defaults for one certificate may be wrong for another one.
TOGETHER = frozenset({"ViewerCertificate"})
EMPTY: tuple[t.Any, ...] = ("", None, [], {})


def plain(value: t.Any, name: str = "") -> t.Any:
    """Return the canonical form of a value that the API returned. `name` is the member that contains it.

    A wrapped list with further members ({Quantity, Items, CachedMethods}) remains a dictionary, without the count.
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
    """Return the API's form of a canonical value. Omit members that are None."""
    if isinstance(value, list):
        return {"Quantity": len(value), "Items": [whole(item) for item in value]}
    if isinstance(value, t.Mapping):
        made = {key: whole(item) for key, item in value.items() if key != "Items" and item is not None}
        return {**made, **(whole(value["Items"]) if "Items" in value else {})}
    return value


def merged(actual: t.Any, desired: t.Any, name: str = "") -> t.Any:
    """Return `actual` updated with `desired`, both in canonical form.

    Members that `desired` does not contain are kept, and members whose desired value is None are removed. A desired
    list replaces the actual one, but items with a key keep the members that the desired item does not contain.
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
    """Return the differing parts of two canonical forms, before and after, or (None, None) if they are equal.

    A missing member equals an empty one.
    """
    if before == after or (before in EMPTY and after in EMPTY):
        return None, None
    if isinstance(before, t.Mapping) and isinstance(after, t.Mapping):
        return _members(before, after)
    key = KEYS.get(name)
    if key:
        return _items(before or [], after or [], key)
    return before, after


def has(actual: t.Any, desired: t.Any) -> bool:
    """Return whether an update of `actual` with `desired`, both in canonical form, changes nothing."""
    return differences(actual, merged(actual, desired)) == (None, None)


def updated(operation: str, own: str, member: str, desired: t.Any) -> Lookup:
    """Return how to find that an update was accepted, when its response was lost.

    CloudFront refuses its repetition with PreconditionFailed, because the version of the resource is another one then.
    `operation` reads the configuration, which is the `member` of its response. `desired` is in canonical form.
    https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_UpdateDistribution.html
    """
    return Lookup(operation, "", {"Id": own}, lambda answer: has(plain(answer[member]), desired))


def _items(before: t.Sequence[t.Any], after: t.Sequence[t.Any], key: str) -> tuple[t.Any, t.Any]:
    """Return the differing items by key. If only the order differs, return both lists of keys."""
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
