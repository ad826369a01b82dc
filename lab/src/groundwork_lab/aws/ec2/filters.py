"""EC2's filters: a resource passes when, for each filter, one of its values matches one of the wanted ones.

moto compares some by subset, some exactly, and answers names that it does not know with an exception.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NoReturn

from groundwork_lab.aws.context import refuse


@lru_cache(maxsize=1024)
def _pattern(wanted: str) -> re.Pattern[str]:
    """`*` stands for any characters, `?` for one, a backslash takes their meaning away."""
    tokens = re.findall(r"\\[*?\\]|.", wanted, re.DOTALL)
    special = {"*": ".*", "?": "."}
    return re.compile("".join(special.get(token) or re.escape(token[-1]) for token in tokens), re.DOTALL)


def texts(value: object) -> list[str]:
    """A resource's value as the texts that a filter compares: nothing, one, or several."""
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
    """Whether one of the value's texts matches one of `wanted`; letters count by case, as on AWS."""
    patterns = [_pattern(each) for each in ([wanted] if isinstance(wanted, str) else wanted)]
    return any(pattern.fullmatch(text) for text in texts(value) for pattern in patterns)


def tag_values(tags: Mapping[str, str], name: str) -> object:
    """What `tag:KEY`, `tag-key` and `tag-value` compare; raises KeyError for another filter's name."""
    if name.startswith("tag:"):
        return tags.get(name[4:])
    return {"tag-key": list(tags), "tag-value": list(tags.values())}[name]


def is_tag_filter(name: str) -> bool:
    return name.startswith("tag:") or name in ("tag-key", "tag-value")


def invalid_filter(name: str) -> NoReturn:
    refuse("InvalidParameterValue", f"The filter '{name}' is invalid")


def tags_of(resource: Any) -> dict[str, str]:
    """A moto resource's tags, straight from the store: moto searches all tags with patterns."""
    return dict(resource.ec2_backend.tags.get(resource.id, {}))


def value_of(resource: Any, name: str) -> object:
    """The value of a moto resource that a filter compares."""
    from moto.ec2.exceptions import FilterNotImplementedError  # noqa: PLC0415 - heavy

    if is_tag_filter(name):
        return tag_values(tags_of(resource), name)
    try:
        return resource.get_filter_value(name)
    except FilterNotImplementedError:
        invalid_filter(name)


def passes(resource: Any, filters: Mapping[str, Sequence[str]] | None) -> bool:
    """Whether a moto resource passes all filters."""
    return all(matches(value_of(resource, name), wanted) for name, wanted in (filters or {}).items())


def is_filter_matching(resource: Any, name: str, wanted: Any) -> bool:
    """Takes the place of `moto.ec2.utils.is_filter_matching`."""
    return wanted is not None and matches(value_of(resource, name), wanted)


def tag_filter_matches(resource: Any, name: str, wanted: list[str]) -> bool:
    """Takes the place of `moto.ec2.utils.tag_filter_matches`."""
    return matches(tag_values(tags_of(resource), name), wanted)
