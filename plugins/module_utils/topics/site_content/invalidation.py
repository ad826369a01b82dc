# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The paths of an invalidation: they cover every URL under which an object can be cached, and are as few as possible.

https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html
"""

from __future__ import annotations

import re
import typing as t
from collections import Counter
from urllib.parse import quote

from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.urls import visited

# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html#limits-invalidations
MOST_WILDCARDS = 15  # in progress at a time
SOME = 10  # the number of paths for which a wildcard is used

# CloudFront caches an object under each form of its URL that visitors request. An invalidation must have the same form:
# "Do not URL encode any other characters in the path, or CloudFront will not invalidate the old version".
# These characters have more than one form. Browsers send `!$&'()*,:;=@[]^|~` as they are in a link, and generators
# write them bare or encoded. S3 reads `+` as a space, so an object with a space is cached under both `+` and `%20`.
# An invalidation cannot contain the bare form of those that RFC 1738 calls unsafe (`[]^|~`), nor `*`: CloudFront
# refuses the path, and the encoded form does not match the bare one: https://github.com/aws/aws-sdk/issues/525
# All other characters are always sent bare (letters, digits, `-._/`) or always encoded:
# https://url.spec.whatwg.org/#path-percent-encode-set
AMBIGUOUS = re.compile(r"[ !$&'()*+,:;=@\[\]^|~]")


def forms(path: str, clean_urls: str = "serve") -> list[str]:
    """Return the invalidation paths of an object.

    If a character has more than one form, it is a wildcard for everything that begins as the path does before it.
    """
    found = AMBIGUOUS.search(path)
    if found:
        return [f"/{quote(path[: found.start()], safe='/')}*"]
    return [quote(one, safe="/") for one in visited(path, clean_urls)]


def invalidated(
    changed: t.Iterable[str], there: t.Iterable[str], limit: int, clean_urls: str = "serve"
) -> tuple[str, ...]:
    """Return at most `limit` paths to invalidate. `there` are all objects that can be cached.

    A folder with at least SOME paths, all of which have changed, becomes one wildcard. If the paths exceed the limit,
    folders become wildcards although some of their objects have not changed.
    """
    files, prefixes = _split(form for path in changed for form in forms(path, clean_urls))
    everything, _prefixes = _split(form for path in there for form in forms(path, clean_urls))
    files = _uncovered(files, prefixes)
    whole = _whole_folders(files, _uncovered(everything | files, prefixes))
    return _reduced(files, prefixes | whole, limit)


def merged(one: t.Iterable[str], other: t.Iterable[str], limit: int) -> tuple[str, ...]:
    """Return two lists of paths as one, without duplicates, of at most `limit` paths."""
    return _reduced(*_split([*one, *other]), limit)


def _split(paths: t.Iterable[str]) -> tuple[set[str], set[str]]:
    """Return the paths of single objects, and the prefixes of the wildcards."""
    told = set(paths)
    prefixes = {path for path in told if path.endswith("*")}
    return told - prefixes, {path.removesuffix("*") for path in prefixes}


def _reduced(files: set[str], prefixes: set[str], limit: int) -> tuple[str, ...]:
    prefixes = _outermost(prefixes)
    while len(prefixes) > MOST_WILDCARDS:
        deepest = max(map(_depth, prefixes))
        prefixes = _outermost({_folder_of(one) if _depth(one) == deepest else one for one in prefixes})
    files = _uncovered(files, prefixes)
    while len(files) + len(prefixes) > limit:
        folder = _fullest(files) if len(prefixes) < min(MOST_WILDCARDS, limit) - 1 else "/"
        prefixes = _outermost({*prefixes, folder})
        files = _uncovered(files, prefixes)
    return tuple(sorted([*files, *(f"{prefix}*" for prefix in prefixes)]))


def _outermost(prefixes: t.Iterable[str]) -> set[str]:
    """Return the prefixes that do not begin with another one."""
    kept: list[str] = []
    for prefix in sorted(prefixes):
        if not kept or not prefix.startswith(kept[-1]):
            kept.append(prefix)
    return set(kept)


def _uncovered(files: set[str], prefixes: t.Iterable[str]) -> set[str]:
    begins = tuple(prefixes)
    return {path for path in files if not path.startswith(begins)}


def _depth(prefix: str) -> tuple[int, bool]:
    return prefix.count("/"), not prefix.endswith("/")


def _folder_of(prefix: str) -> str:
    """Return the folder of a prefix: `/a/` for `/a/b`, and `/` for `/a/`."""
    return prefix[:-1].rpartition("/")[0] + "/"


def _folders(path: str) -> t.Iterator[str]:
    """Yield the folders of a path, the innermost first: `/a/` and `/` for `/a/b`."""
    while path:
        path = path[:-1].rpartition("/")[0]
        yield f"{path}/"


def _counted(paths: t.Iterable[str]) -> Counter[str]:
    return Counter(folder for path in paths for folder in ({path} if path.endswith("/") else set()) | {*_folders(path)})


def _whole_folders(wanted: set[str], everything: set[str]) -> set[str]:
    """Return the outermost folders whose paths all have to be invalidated: at most MOST_WILDCARDS, the largest ones."""
    changed, all_of = _counted(wanted), _counted(everything)
    whole = _outermost(folder for folder, number in changed.items() if number >= SOME and number == all_of[folder])
    return set(sorted(whole, key=lambda folder: (-changed[folder], folder))[:MOST_WILDCARDS])


def _fullest(paths: set[str]) -> str:
    """Return the folder with the most paths. Of several folders with the same paths it is the innermost."""
    counted = _counted(paths)
    inner = [folder for folder in counted if folder != "/"]
    return max(inner, key=lambda folder: (counted[folder], folder.count("/"), folder), default="/")
