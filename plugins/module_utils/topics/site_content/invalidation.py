# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The paths of an invalidation, reduced to as few as possible.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html
"""

from __future__ import annotations

import typing as t
from collections import Counter
from urllib.parse import quote

INDEX = "index.html"
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html#limits-invalidations
MOST_WILDCARDS = 15  # in progress at a time
# 1,000 paths per month are free, and a wildcard counts as one path; 3,000 may be in progress.
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/PayingForInvalidation.html
MOST_PATHS = 1000
SOME = 10  # the number of paths for which a wildcard is used

# All other characters are "unsafe" in RFC 1738 and have to be encoded as in viewers' requests.
SAFE = "/$-_.+!'(),;:@=&"
UNSAFE_BUT_UNRESERVED = "~"  # urllib never encodes it


def forms(path: str) -> list[str]:
    """Return the encoded paths of an object: as viewers request it, and as the function for clean URLs rewrites it.

    AWS recommends invalidating both.
    """
    encoded = "/" + quote(path, safe=SAFE).replace(UNSAFE_BUT_UNRESERVED, "%7E")
    if path.rpartition("/")[2] != INDEX:
        return [encoded]
    folder = encoded.removesuffix(INDEX)
    return [encoded, folder] if folder == "/" else [encoded, folder, folder.removesuffix("/")]


def invalidated(changed: t.Iterable[str], there: t.Iterable[str]) -> tuple[str, ...]:
    """Return the paths to invalidate. `there` are all objects that can be cached.

    A folder with at least SOME paths, all of which have changed, becomes one wildcard. If the paths exceed the limits,
    folders become wildcards although some of their objects have not changed.
    """
    wanted = {form for path in changed for form in forms(path)}
    everything = {form for path in there for form in forms(path)} | wanted
    wildcards = _whole_folders(wanted, everything)
    rest = {path for path in wanted if not _covered(path, wildcards)}
    while len(rest) + len(wildcards) > MOST_PATHS:
        folder = _fullest(rest) if len(wildcards) < MOST_WILDCARDS - 1 else "/"
        wildcards = {one for one in wildcards if not one.startswith(folder)} | {folder}
        rest = {path for path in rest if not path.startswith(folder)}
    return tuple(sorted([*rest, *(f"{folder}*" for folder in wildcards)]))


def merged(one: t.Iterable[str], other: t.Iterable[str]) -> tuple[str, ...]:
    """Return two lists of paths as one, without duplicates."""
    paths = {*one, *other}
    wildcards = {path.removesuffix("*") for path in paths if path.endswith("*")}
    outer = {folder for folder in wildcards if not any(above in wildcards for above in _folders(folder.rstrip("/")))}
    rest = {path for path in paths if not path.endswith("*") and not _covered(path, outer)}
    if len(outer) > MOST_WILDCARDS or len(rest) + len(outer) > MOST_PATHS:
        return ("/*",)
    return tuple(sorted([*rest, *(f"{folder}*" for folder in outer)]))


def _folders(path: str) -> t.Iterator[str]:
    """Yield the folders of a path, the innermost first: `/a/` and `/` for `/a/b`."""
    while path:
        path = path[:-1].rpartition("/")[0]
        yield f"{path}/"


def _covered(path: str, wildcards: t.Collection[str]) -> bool:
    return any(folder in wildcards for folder in (path, *_folders(path)))


def _counted(paths: t.Iterable[str]) -> Counter[str]:
    return Counter(folder for path in paths for folder in ({path} if path.endswith("/") else set()) | {*_folders(path)})


def _whole_folders(wanted: set[str], everything: set[str]) -> set[str]:
    """Return the outermost folders whose paths all have to be invalidated: at most MOST_WILDCARDS, the largest ones."""
    changed, all_of = _counted(wanted), _counted(everything)
    whole = {folder for folder, number in changed.items() if number >= SOME and number == all_of[folder]}
    outermost = [folder for folder in whole if not any(above in whole for above in _folders(folder) if above != folder)]
    return set(sorted(outermost, key=lambda folder: (-changed[folder], folder))[:MOST_WILDCARDS])


def _fullest(paths: set[str]) -> str:
    """Return the folder with the most paths. Of several folders with the same paths it is the innermost."""
    counted = _counted(paths)
    inner = [folder for folder in counted if folder != "/"]
    return max(inner, key=lambda folder: (counted[folder], folder.count("/"), folder), default="/")
