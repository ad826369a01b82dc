# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The execution of a plan: the claim, the lease, the publisher and the distributions.

It is imported only if there is something to publish.
"""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import KNOWN_AFTER_APPLY
from ansible_collections.groundwork.aws.plugins.module_utils.engine.process import this_process
from ansible_collections.groundwork.aws.plugins.module_utils.engine.progress import tell
from ansible_collections.groundwork.aws.plugins.module_utils.topics.distribution.finding import (
    find,
    in_front_of,
    leads_to,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content import changes, lease, telling
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.changes import Plan
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.edge import Edge
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.invalidation import merged
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.job import Job
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.observed import Observed
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.publishing import Publisher
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.records import (
    Claim,
    Entry,
    release_id,
    stamp,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.source import shown

MOST_NAMED = 5  # files in a warning
MANY_RECORDS = 10  # number of old records that are deleted with a separate request


def publish(job: Job, observed: Observed, made: Plan) -> dict[str, t.Any]:
    """Execute the plan, except in check mode, and return the module's result. Raise GroundworkError on failure."""
    records, publication = observed.records, job.publication
    if records.claim and not records.whole and not job.run.check_mode:
        lease.check_free(records.claim, records.age)
    claim = _claim(job, observed, made)
    edges = _edges(job) if claim.owed else []
    _warn(job, made)
    result = {
        **telling.told(made, claim),
        "release": KNOWN_AFTER_APPLY if job.run.check_mode else claim.release,
        "previous": records.last.release,
        "counts": changes.counts(made),
        "invalidation": {"id": KNOWN_AFTER_APPLY if claim.owed else "", "paths": list(claim.owed)},
        "calls": telling.writes(made, claim, max(1, len(edges))),
    }
    if job.run.check_mode:
        return result
    adopted = _adopted(job, observed, made)
    held = lease.Lease(job.bucket, claim, records.etag, job.run.clock)
    held.take()
    publisher = Publisher(job.bucket, held, claim, publication, edges, tell, job.run.clock)
    publisher.publish(made, adopted)
    return {**result, "invalidation": {"id": publisher.invalidation, "paths": list(claim.owed)}}


def _warn(job: Job, made: Plan) -> None:
    for put in made.puts:
        if put.reason == "mended":
            job.run.warn(f"{put.item.path} was changed or deleted in the bucket manually; it is uploaded again.")
        elif put.reason == "content" and put.before and put.item.kind == "immutable":
            what = f"The content of {put.item.path} has changed, but its fingerprint has not"
            job.run.warn(f"{what}: browsers keep the old content for up to a year.")
    if made.still_served:
        some = ", ".join(map(shown, made.still_served[:MOST_NAMED])) + (", …" if made.still_served[MOST_NAMED:] else "")
        why = "were removed from the source and are still served, because pages that visitors have open may load them"
        right = f"publish with {job.publication.variables}keep_assets=0, which deletes all files that were kept"
        job.run.warn(f"These files {why}: {some}. To delete them now, {right}.")


def _claim(job: Job, observed: Observed, made: Plan) -> Claim:
    """Return the claim, which is written before anything else."""
    records, publication = observed.records, job.publication
    before = records.claim
    past = ((before.past(),) if before and records.whole else ()) + (before.history if before else ())
    kept = max(publication.keep_releases - 1, 1)  # the run after an interrupted one needs the last complete release
    due = bool(made.gone_last) or len(past) - kept >= MANY_RECORDS
    history = past[:kept] if due else past
    interrupted = before if before and not records.whole else None
    resumes = interrupted is not None and interrupted.digest == made.digest
    paths: tuple[str, ...] = ()
    if publication.distribution:
        owed = interrupted.owed if interrupted else ()
        paths = merged(made.paths, owed, publication.max_invalidation_paths)
    now = stamp(records.now)
    taken = {before.release, *before.pruning, *(one.release for one in before.history)} if before else set()
    return Claim(
        release=release_id(records.now, made.digest, taken),
        prefix=publication.prefix,
        digest=made.digest,
        since=now,
        began=interrupted.began if interrupted and resumes else now,
        lease=lease.LEASE,
        owner=this_process(),
        files=len(made.same) + len(made.puts) + len(made.adopted),
        bytes=sum(one.size for one in made.same.values() if not one.kept)
        + sum(one.item.size for one in made.puts)
        + sum(one.size for one in made.adopted),
        previous=records.last.release,
        restores=publication.release,
        owed=paths,
        history=history,
        pruning=tuple(one.release for one in past[len(history) :]) + (interrupted.pruning if interrupted else ()),
    )


def _edges(job: Job) -> list[Edge]:
    """Return the distributions to invalidate in order: an outer one must not fetch an old object from an inner one."""
    name, inner = job.publication.distribution, job.publication.pages_distribution
    bucket = job.publication.bucket
    found = find(job.run.clients, job.owner, name, leads_to(bucket))
    if found is None and not job.run.check_mode:
        problems = job.publication.problems()
        wrong = f"the environment has no distribution '{name}'"
        right = "create it first with cloudfront_distribution or the role static_site"
        problems.add("distribution", wrong, right)
        problems.raise_if_any()
    behind = find(job.run.clients, job.owner, inner, in_front_of(bucket)) if inner else None
    return [Edge(job.run, one.id, job.publication.deadline) for one in (behind, found) if one]


def _adopted(job: Job, observed: Observed, made: Plan) -> dict[str, Entry]:
    """Return the entries of the interrupted run's uploads, with the version ids that S3 returns."""
    if not made.adopted:
        return {}
    latest = {
        key: version for (key, version), newest in job.bucket.versions(f"{job.publication.prefix}/").items() if newest
    }
    entries = {}
    for item in made.adopted:
        listed = observed.listing[item.path]
        version = latest.get(job.publication.key(item.path), "")
        entries[item.path] = Entry(
            item.digest, listed.size, listed.etag, version, item.kind, item.headers, item.references
        )
    return entries
