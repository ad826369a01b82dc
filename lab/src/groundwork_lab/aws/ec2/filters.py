"""EC2's filters. A resource passes if, for each filter, one of its values matches one of the wanted values.

moto compares some filters by substring and some exactly, and raises an exception for filters that it does not know.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import NoReturn

from groundwork_lab.aws.context import refuse


@lru_cache(maxsize=1024)
def _pattern(wanted: str) -> re.Pattern[str]:
    """Return the pattern of a filter value. `*` matches any characters, `?` matches one, a backslash escapes them."""
    tokens = re.findall(r"\\[*?\\]|.", wanted, re.DOTALL)
    special = {"*": ".*", "?": "."}
    return re.compile("".join(special.get(token) or re.escape(token[-1]) for token in tokens), re.DOTALL)


def texts(value: object) -> list[str]:
    """Return the strings of a resource's value that a filter compares: none, one, or several."""
    if value is None:
        return []
    if isinstance(value, bool):
        return [str(value).lower()]
    if isinstance(value, datetime):
        return [value.strftime("%Y-%m-%dT%H:%M:%S.000Z")]
    if isinstance(value, (str, int)):
        return [str(value)]
    if isinstance(value, Iterable):
        return [text for item in value for text in texts(item)]
    return [str(value)]


def matches(value: object, wanted: Sequence[str] | str) -> bool:
    """Return whether one of the value's strings matches one of `wanted`. Matching is case-sensitive, as on AWS."""
    patterns = [_pattern(each) for each in ([wanted] if isinstance(wanted, str) else wanted)]
    return any(pattern.fullmatch(text) for text in texts(value) for pattern in patterns)


def tag_values(tags: Mapping[str, str], name: str) -> object:
    """Return the values for `tag:KEY`, `tag-key` or `tag-value`. Raise KeyError for other filters."""
    if name.startswith("tag:"):
        return tags.get(name[4:])
    return {"tag-key": list(tags), "tag-value": list(tags.values())}[name]


def is_tag_filter(name: str) -> bool:
    return name.startswith("tag:") or name in ("tag-key", "tag-value")


def invalid_filter(name: str) -> NoReturn:
    refuse("InvalidParameterValue", f"The filter '{name}' is invalid")
