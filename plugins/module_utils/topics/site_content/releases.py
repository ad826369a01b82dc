# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The work of the module `s3_site_releases_info`."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import check_bucket
from ansible_collections.groundwork.aws.plugins.module_utils.engine.process import has_ended
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.observed import (
    Records,
    look_at_records,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.options import COMPONENT
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.records import Past
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.s3 import Bucket

if t.TYPE_CHECKING:
    from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run


@dataclass(frozen=True)
class Question:
    """The options of `s3_site_releases_info`."""

    bucket: str


def parse_question(options: t.Mapping[str, t.Any], problems: Problems) -> Question:
    """Return the parsed options."""
    return Question(check_bucket(options["bucket"], problems))


def list_releases(run: Run) -> dict[str, t.Any]:
    """Return the module's result. Raise GroundworkError on failure."""
    _owner, question = run.parse(COMPONENT, parse_question)
    records = look_at_records(Bucket(run.clients.client("s3"), question.bucket, run.clock))
    served = records.last.release
    return {
        "changed": False,
        "releases": [_told(one, served) for one in whole_releases(records)],
        "publishing": _publishing(records),
    }


def whole_releases(records: Records) -> list[Past]:
    """Return the complete releases, newest first. They can be restored."""
    claim = records.claim
    if claim is None:
        return []
    return [*([claim.past()] if records.whole else []), *claim.history]


def _told(one: Past, served: str) -> dict[str, t.Any]:
    return {
        "id": one.release,
        "published": one.published,
        "files": one.files,
        "bytes": one.bytes,
        "restores": one.restores,
        "served": one.release == served,
    }


def _publishing(records: Records) -> dict[str, t.Any]:
    claim = records.claim
    if claim is None or records.whole:
        return {}
    interrupted = records.age >= claim.lease or has_ended(claim.owner)
    return {"release": claim.release, "since": claim.since, "publisher": claim.owner.who, "interrupted": interrupted}
