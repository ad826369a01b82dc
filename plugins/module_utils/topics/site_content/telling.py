# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of a publication: changes, calls and numbers. It is the same in check mode."""

from __future__ import annotations

import typing as t
from collections import Counter

from ansible_collections.groundwork.aws.plugins.module_utils.engine.apply import report
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Change
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content import multipart
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.changes import Plan, Put
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.records import Claim, Entry
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.s3 import MAX_DELETIONS

MOST_TOLD = 100  # number of objects that are listed individually; the others are counted


def told(plan: Plan, claim: Claim) -> dict[str, t.Any]:
    """Return `changed`, `changes` and `diff` of the module's result."""
    puts = [_told_put(put) for put in plan.puts]
    deletions = [Change("delete", "object", path, ()) for path in plan.gone]
    changes = [*_bounded(puts), *_bounded(deletions)]
    if claim.owed:
        paths = list(claim.owed)
        changes.append(Change("create", "invalidation", f"of {len(paths)} paths", (), after={"paths": paths}))
    release = {"files": claim.files, "bytes": claim.bytes, **({"restores": claim.restores} if claim.restores else {})}
    changes.append(Change("create", "release", "of the site", (), after=release))
    return report(changes, {})


def _told_put(put: Put) -> Change:
    item = put.item
    after = {"sha256": item.digest, "bytes": item.size, **dict(item.headers), "because": put.reason}
    before = _told_entry(put.before) if put.before else {}
    return Change("create" if put.reason == "new" else "update", "object", item.path, (), before=before, after=after)


def _told_entry(entry: Entry) -> dict[str, t.Any]:
    return {"sha256": entry.digest, "bytes": entry.size, **dict(entry.headers)}


def _bounded(changes: t.Sequence[Change]) -> list[Change]:
    rest = Counter(change.action for change in changes[MOST_TOLD:])
    more = [Change(action, "objects", f"{number} more", ()) for action, number in sorted(rest.items())]
    return [*changes[:MOST_TOLD], *more]


def writes(plan: Plan, claim: Claim, distributions: int = 1) -> dict[str, dict[str, int]]:
    """Return the numbers of requests that change something, by service and operation."""
    s3: Counter[str] = Counter(PutObject=2)  # the records
    for put in plan.puts:
        pieces = 0 if put.item.is_variant or put.item.version else multipart.parts(put.item.size)
        if put.item.version:
            s3["CopyObject"] += 1
        elif pieces:
            s3.update(CreateMultipartUpload=1, UploadPart=pieces, CompleteMultipartUpload=1)
        else:
            s3["PutObject"] += 1
    gone_last = len(plan.gone_last) + len(claim.pruning)
    s3["DeleteObjects"] += -(-len(plan.gone_first) // MAX_DELETIONS) + -(-gone_last // MAX_DELETIONS)
    told_writes = {"s3": {name: number for name, number in sorted(s3.items()) if number}}
    return {**told_writes, "cloudfront": {"CreateInvalidation": distributions}} if claim.owed else told_writes
