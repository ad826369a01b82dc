# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Record what the origins of a distribution serve, such as releases, and invalidate cached objects when it changes.

The distribution's tags record it: `groundwork:serves:public:shop` = `5b1c07aa9e12`. While servers change, the value is
`changing`, so that a run after one that was interrupted invalidates too. These functions are pure.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import tag_list
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import THIS_RUN, Call, Change, Ref, Token, Wait
from ansible_collections.groundwork.aws.plugins.module_utils.topics.distribution.finding import Found

Content = t.Mapping[str, str]

PREFIX = "groundwork:serves:"
CHANGING = "changing"
# One path, which costs as much as any other. An invalidation cannot contain `*` but at the end of a path:
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-objects.html
EVERYTHING = "/*"
COMPLETED = "Completed"
INTERVAL = 3.0  # seconds
# https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html
NAME = re.compile(r"[\w +=.:/@-]{1,110}")
VALUE = re.compile(r"[\w +=.:/@-]{1,256}")


def check_content(content: Content, where: str, problems: Problems) -> None:
    """Add to `problems` what cannot be a tag."""
    right = "use letters, digits, spaces and + = . : / @ _ -"
    for name, value in content.items():
        if not NAME.fullmatch(str(name)):
            problems.add(where, f"'{name}' is not a valid name", f"{right}, at most 110 of them")
        if not isinstance(value, str) or not VALUE.fullmatch(value):
            problems.add(f"{where}.{name}", f"'{value}' is not a valid value", f"{right}, 1 to 256 of them")


def content_tags(content: Content) -> dict[str, str]:
    """Return the tags that record the content."""
    return {f"{PREFIX}{name}": value for name, value in content.items()}


def plan_content(name: str, found: Found, content: Content, deadline: float | None) -> t.Iterator[Change]:
    """Yield the invalidation if the distribution's tags record another content, or none.

    It is awaited for `deadline` seconds, if there is one. A repetition of the request in the same run creates no second
    invalidation: https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateInvalidation.html
    """
    missing = _missing(found, content)
    if not missing:
        return
    ref = Ref("invalidation", name)
    reference = Token((name, *sorted(missing.items()), THIS_RUN))
    batch = {"Paths": {"Quantity": 1, "Items": [EVERYTHING]}, "CallerReference": reference}
    create = Call(
        "cloudfront",
        "create_invalidation",
        {"DistributionId": found.id, "InvalidationBatch": batch},
        yields={ref: "Invalidation.Id"},
        passing=("TooManyInvalidationsInProgress",),
        repeatable=True,
    )
    after = {"paths": [EVERYTHING], **missing}
    wait = _completed(name, found, ref, deadline) if deadline else None
    yield Change("create", "invalidation", name, (create, _tag(found, missing)), after=after, wait=wait)


def _completed(name: str, found: Found, ref: Ref, deadline: float) -> Wait:
    return Wait(
        f"the invalidation of the distribution {name} to be completed",
        Call("cloudfront", "get_invalidation", {"DistributionId": found.id, "Id": ref}),
        lambda answer: bool(answer["Invalidation"]["Status"] == COMPLETED),
        deadline=deadline,
        interval=INTERVAL,
    )


def plan_marks(name: str, found: Found, content: Content) -> t.Iterator[Change]:
    """Yield the change of the tags before servers change to the content."""
    missing = {key: CHANGING for key in _missing(found, content) if found.tags.get(key) != CHANGING}
    if missing:
        before = {key: found.tags.get(key) for key in missing}
        yield Change("update", "tags", f"distribution {name}", (_tag(found, missing),), before, missing)


def _missing(found: Found, content: Content) -> dict[str, str]:
    return {key: value for key, value in content_tags(content).items() if found.tags.get(key) != value}


def _tag(found: Found, tags: t.Mapping[str, str]) -> Call:
    return Call("cloudfront", "tag_resource", {"Resource": found.arn, "Tags": {"Items": tag_list(tags)}})
