# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The work of the module `s3_site_content`."""

from __future__ import annotations

import gc
import typing as t
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content import changes
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.changes import Item, Plan
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.job import Job
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.observed import (
    Observed,
    Records,
    look,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.options import (
    COMPONENT,
    parse_content,
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


def converge_content(run: Run) -> dict[str, t.Any]:
    """Publish the source or restore a release, and return the module's result. Raise GroundworkError on failure."""
    owner, publication = run.parse(COMPONENT, parse_content)
    with _many_tuples():
        files = look_for_source(publication, run.warn)
        job = Job(run, owner, publication, Bucket(run.clients.client("s3"), publication.bucket, run.clock))
        observed, made = _look_and_plan(job, files)
    if not made.is_new and observed.records.whole:
        return _unchanged(observed, made)
    # Most runs have nothing to publish.
    from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.executing import (  # noqa: PLC0415
        publish,
    )

    return publish(job, observed, made)


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


def _look_and_plan(job: Job, files: t.Sequence[File]) -> tuple[Observed, Plan]:
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


def _check_place(job: Job, records: Records) -> None:
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


def _plan(job: Job, observed: Observed, wanted: t.Mapping[str, Item]) -> Plan:
    records = observed.records
    digest = "" if records.whole else changes.wanted_digest(wanted)

    def resumed(item: Item, listed: Listed) -> bool:
        """Return whether the interrupted run has uploaded this file, for the same content."""
        claim = records.claim
        if claim is None or records.whole or claim.digest != digest or listed.modified <= claim.began:
            return False
        # Hardly any run continues an interrupted one.
        from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content import (  # noqa: PLC0415
            multipart,
        )

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


def _check_versions(job: Job, made: Plan, problems: Problems) -> None:
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
        "counts": changes.counts(made),
        "invalidation": {"id": "", "paths": []},
        "calls": nothing,
    }
