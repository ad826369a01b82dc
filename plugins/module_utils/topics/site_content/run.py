# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The work of the module `s3_site_content`."""

from __future__ import annotations

import gc
import typing as t
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import KNOWN_AFTER_APPLY
from ansible_collections.groundwork.aws.plugins.module_utils.engine.process import this_process
from ansible_collections.groundwork.aws.plugins.module_utils.topics.distribution.finding import (
    find,
    in_front_of,
    leads_to,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content import (
    changes,
    lease,
    multipart,
    telling,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.changes import Item, Plan
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.edge import Edge
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.invalidation import merged
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.observed import (
    Observed,
    Records,
    look,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.options import (
    COMPONENT,
    Publication,
    parse_content,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.publishing import Publisher
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.records import (
    Claim,
    Entry,
    release_id,
    stamp,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.s3 import LARGEST_COPY, Bucket, Listed
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.source import File, read_files
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.wanted import (
    items_to_restore,
    look_for_source,
    with_lasting_variants,
    with_references,
)

if t.TYPE_CHECKING:
    from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run

MANY_RECORDS = 10  # number of old records that are deleted with a separate request


@dataclass
class _Job:
    """A run of the module."""

    run: Run
    owner: Owner
    publication: Publication
    bucket: Bucket


def converge_content(run: Run) -> dict[str, t.Any]:
    """Publish the source or restore a release, and return the module's result. Raise GroundworkError on failure."""
    owner, publication = run.parse(COMPONENT, parse_content)
    with _many_tuples():
        files = look_for_source(publication, run.warn)
        job = _Job(run, owner, publication, Bucket(run.clients.client("s3"), publication.bucket, run.clock))
        observed, made = _look_and_plan(job, files)
    if not made.is_new and observed.records.whole:
        return _unchanged(observed, made)
    return _publish(job, observed, made)


@contextmanager
def _many_tuples() -> t.Iterator[None]:
    """Disable the garbage collector, which takes a tenth of the run. The objects contain no reference cycles."""
    was_looking = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_looking:
            gc.enable()


def _look_and_plan(job: _Job, files: t.Sequence[File]) -> tuple[Observed, Plan]:
    """Return the current state and the plan."""
    publication = job.publication
    with ThreadPoolExecutor(1) as pool:  # list the bucket while the files are read
        looking = pool.submit(look, job.bucket, publication.prefix)
        wanted = changes.items_of_source(read_files(files), publication)
        observed = looking.result()
    _check_place(job, observed.records)
    if publication.release:
        wanted = items_to_restore(job.bucket, observed.records, publication.release, publication.problems())
    wanted = with_lasting_variants(wanted, observed.records.last, publication)
    if not publication.release:
        wanted = with_references(wanted, observed.records.last, publication, job.run.warn)
    return observed, _plan(job, observed, wanted)


def _check_place(job: _Job, records: Records) -> None:
    """Raise InputError if the bucket does not exist, except in check mode, or if its records have another prefix."""
    problems = job.publication.problems()
    name, claim = job.publication.bucket, records.claim
    if not records.bucket_exists and not job.run.check_mode:
        right = "create it first with s3_site_bucket or the role static_site"
        problems.add("bucket", f"the bucket '{name}' does not exist", right)
    if claim and claim.prefix != job.publication.prefix:
        wrong = f"the releases in the bucket '{name}' have the prefix '{claim.prefix}'"
        problems.add("prefix", wrong, "use that prefix, or another bucket")
    problems.raise_if_any()


def _plan(job: _Job, observed: Observed, wanted: t.Mapping[str, Item]) -> Plan:
    records = observed.records
    digest = "" if records.whole else changes.wanted_digest(wanted)

    def resumed(item: Item, listed: Listed) -> bool:
        """Return whether the interrupted run has uploaded this file, for the same content."""
        claim = records.claim
        if claim is None or records.whole or claim.digest != digest or listed.modified <= claim.began:
            return False
        return bool(item.place) and not item.is_variant and multipart.etag_of(item.place, item.size) == listed.etag

    made = changes.plan(
        wanted,
        records.last,
        observed.listing,
        keep_assets=job.publication.keep_assets,
        most_paths=job.publication.max_invalidation_paths,
        clean_urls=job.publication.clean_urls,
        resumed=resumed,
        interrupted=not records.whole,
    )
    problems = job.publication.problems()
    if job.publication.release:
        _check_versions(job, made, problems)
    else:
        changes.check_deletions(made, observed.listing, job.publication, problems)
    problems.raise_if_any()
    return made


def _check_versions(job: _Job, made: Plan, problems: Problems) -> None:
    """Add to `problems` the object versions that cannot be restored."""
    if not made.puts:
        return
    there = job.bucket.versions(f"{job.publication.prefix}/")
    missing = [
        one.item.path
        for one in made.puts
        if (job.publication.key(one.item.copied or one.item.path), one.item.version) not in there
    ]
    if missing:
        some = ", ".join(missing[:10]) + (", …" if len(missing) > 10 else "")
        wrong = f"{len(missing)} objects of the release have expired: {some}"
        right = "publish its source again; a larger keep_versions_days of s3_site_bucket prevents this"
        problems.add("release", wrong, right)
    for put in made.puts:
        if put.item.size > LARGEST_COPY:
            wrong = f"{put.item.path} is larger than 5 GiB, which is the limit of CopyObject"
            problems.add("release", wrong, "publish its source again")


def _unchanged(observed: Observed, made: Plan) -> dict[str, t.Any]:
    claim = observed.records.claim
    release = claim.release if claim else ""
    nothing: dict[str, dict[str, int]] = {"s3": {}}
    return {
        "changed": False,
        "changes": [],
        "diff": [],
        "release": release,
        "previous": release,
        "counts": telling.counts(made),
        "invalidation": {"id": "", "paths": []},
        "calls": nothing,
    }


def _publish(job: _Job, observed: Observed, made: Plan) -> dict[str, t.Any]:
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
        "counts": telling.counts(made),
        "invalidation": {"id": KNOWN_AFTER_APPLY if claim.owed else "", "paths": list(claim.owed)},
        "calls": telling.writes(made, claim, max(1, len(edges))),
    }
    if job.run.check_mode:
        return result
    adopted = _adopted(job, observed, made)
    held = lease.Lease(job.bucket, claim, records.etag, job.run.clock)
    held.take()
    tell = lease.tell_progress(publication.progress)
    publisher = Publisher(job.bucket, held, claim, publication, edges, tell, job.run.clock)
    publisher.publish(made, adopted)
    return {**result, "invalidation": {"id": publisher.invalidation, "paths": list(claim.owed)}}


def _warn(job: _Job, made: Plan) -> None:
    for put in made.puts:
        if put.reason == "mended":
            job.run.warn(f"{put.item.path} was changed or deleted in the bucket manually; it is uploaded again.")
        elif put.reason == "content" and put.before and put.item.kind == "immutable":
            what = f"The content of {put.item.path} has changed, but its fingerprint has not"
            job.run.warn(f"{what}: browsers keep the old content for up to a year.")


def _claim(job: _Job, observed: Observed, made: Plan) -> Claim:
    """Return the claim, which is written before anything else."""
    records, publication = observed.records, job.publication
    before = records.claim
    past = ((before.past(),) if before and records.whole else ()) + (before.history if before else ())
    kept = max(publication.keep_releases - 1, 1)  # the run after an interrupted one needs the last complete release
    due = bool(made.gone_assets) or len(past) - kept >= MANY_RECORDS
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


def _edges(job: _Job) -> list[Edge]:
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


def _adopted(job: _Job, observed: Observed, made: Plan) -> dict[str, Entry]:
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
