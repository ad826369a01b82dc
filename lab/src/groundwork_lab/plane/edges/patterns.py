"""Path patterns of behaviors, and the paths of invalidations. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote

_PLAIN = re.compile(r"[A-Za-z0-9!$&'()*+,\-./:;=?@_~]*")
_ESCAPE = re.compile("%[0-9A-Fa-f]{2}")
LEGAL = "!$%&'()*+,-./:;=?@_~"  # legal in a path and a query by RFC 3986, and `%`, which begins an escape


def expression(pattern: str) -> str:
    """Return a regular expression for a behavior's path pattern, with or without its leading slash.

    `*` matches any number of characters, `?` matches one. All other characters match themselves, case-sensitively.
    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesCacheBehavior.html
    (path pattern)
    """
    whole = pattern if pattern.startswith(("/", "*")) else f"/{pattern}"
    special = {"*": ".*", "?": "."}
    # JavaScript reads `/` and all escapes of re.escape as Python does
    return f"^{''.join(special.get(each) or re.escape(each) for each in whole)}$"


def canonical(path: str) -> str:
    """Return the path with illegal characters escaped and escapes in upper case. Other characters are unchanged.

    So `/gr%c3%bcn` and `/grün` are the same file, and `/%61` is not `/a`, because an invalidation of `/a` does not
    include it: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html
    """
    if _PLAIN.fullmatch(path):
        return path
    return _ESCAPE.sub(lambda found: found.group().upper(), quote(path, safe=LEGAL))


class Covered:
    """The paths of invalidations: single files with their query strings, and prefixes."""

    def __init__(self, paths: Iterable[str]) -> None:
        whole = [canonical(path) for path in paths]
        self._files = frozenset(path for path in whole if not path.endswith("*"))
        self._prefixes = tuple(path[:-1] for path in whole if path.endswith("*"))

    def __contains__(self, path: object) -> bool:
        """Return whether an object is invalidated. `path` includes the query string in its cache key."""
        wanted = canonical(str(path))
        return wanted in self._files or wanted.startswith(self._prefixes)
