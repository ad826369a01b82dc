"""Paths: which behavior a request's path belongs to, and what an invalidation covers. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote

_PLAIN = re.compile(r"[A-Za-z0-9!$&'()*+,\-./:;=?@_~]*")
_ESCAPE = re.compile("%[0-9A-Fa-f]{2}")
LEGAL = "!$%&'()*+,-./:;=?@_~"  # what RFC 3986 lets stand in a path and a query; `%` begins what is escaped already


def expression(pattern: str) -> str:
    """A regular expression for a behavior's path pattern, with or without its leading slash.

    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesCacheBehavior.html
    (path pattern): `*` is any number of characters, `?` exactly one, all else is itself, and case matters.
    """
    whole = pattern if pattern.startswith(("/", "*")) else f"/{pattern}"
    special = {"*": ".*", "?": "."}
    # JavaScript reads `/` and all that re.escape escapes as Python does.
    return f"^{''.join(special.get(each) or re.escape(each) for each in whole)}$"


def canonical(path: str) -> str:
    """A path with what may not stand in it escaped, and escapes in capitals; no other character is changed.

    So that `/gr%c3%bcn` and `/grün` are one file, and `/%61` is not `/a`, whose invalidation would not cover it:
    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html
    """
    if _PLAIN.fullmatch(path):
        return path
    return _ESCAPE.sub(lambda found: found.group().upper(), quote(path, safe=LEGAL))


class Covered:
    """What some invalidation paths cover: single files with their query strings, and all that begins with a prefix."""

    def __init__(self, paths: Iterable[str]) -> None:
        whole = [canonical(path) for path in paths]
        self._files = frozenset(path for path in whole if not path.endswith("*"))
        self._prefixes = tuple(path[:-1] for path in whole if path.endswith("*"))

    def __contains__(self, path: object) -> bool:
        """Whether a cached object is covered, given its path and the part of the query string that it is cached by."""
        wanted = canonical(str(path))
        return wanted in self._files or wanted.startswith(self._prefixes)
