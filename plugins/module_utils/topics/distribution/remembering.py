# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The distribution's tags with the names of the resources that it refers to: `groundwork:cache-policy` = `site=<id>`.

The tags are read anyway. AWS does not delete a policy or an origin access control that a distribution uses. So a
resource that both the tags and the configuration contain exists, and no list of all such resources has to be read.
"""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Ids, Joined, Ref
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.reusable import KINDS, Kind

# A tag's value has 256 characters, a name up to 32, an id up to 36: https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html
MOST = 3


def names_told(uses: t.Iterable[Ref]) -> dict[str, Joined]:
    """Return the tags with the names and ids of the resources. A kind with more than MOST resources has no tag."""
    refs = sorted(uses, key=lambda ref: ref.name)
    of_kind = {_tag(kind): [ref for ref in refs if ref.resource == kind.resource] for kind in KINDS}
    return {
        tag: Joined(tuple(Joined((ref.name, ref), "=") for ref in some), " ")
        for tag, some in of_kind.items()
        if 1 <= len(some) <= MOST
    }


def ids_told(tags: t.Mapping[str, str], config: t.Mapping[str, t.Any]) -> Ids:
    """Return the ids in the tags that the configuration still contains."""
    used = set(_texts(config))
    told = ((kind, word.partition("=")) for kind in KINDS for word in tags.get(_tag(kind), "").split())
    return {kind.ref(name): id_ for kind, (name, _equals, id_) in told if id_ and id_ in used}


def _tag(kind: Kind) -> str:
    return f"groundwork:{kind.noun.replace('_', '-')}"


def _texts(value: t.Any) -> t.Iterator[str]:
    """Yield all strings of a configuration."""
    if isinstance(value, t.Mapping):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str):
        yield value
