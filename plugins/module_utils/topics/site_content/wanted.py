# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The desired objects: the files of a source with their references, or the objects of a release to restore."""

from __future__ import annotations

import typing as t
from urllib.parse import unquote

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content import changes, linking
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.changes import Item
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.invalidation import visited
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.observed import Records, read_manifest
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.options import Publication
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.records import Entry, Manifest
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.releases import whole_releases
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.s3 import Bucket
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.source import (
    MOST_PROBLEMS,
    File,
    check_names,
    look_for_files,
    shown,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.variants import (
    HAS_BROTLI,
    missing_library,
)

Warn = t.Callable[[str], None]


def look_for_source(publication: Publication, warn: Warn) -> list[File]:
    """Return the files to publish, or an empty list in a rollback."""
    if publication.release:
        return []
    if publication.precompress and not HAS_BROTLI:
        raise GroundworkError(missing_library())
    problems = Problems()
    files, left_out = look_for_files(publication.source, publication.exclude, problems)
    files = check_names(files, publication.prefix, publication.precompress, problems)
    _check_hidden(files, publication.redirects, problems)
    del problems.found[MOST_PROBLEMS:]
    problems.raise_if_any()
    if left_out:
        some = ", ".join(left_out[:10]) + (", …" if len(left_out) > 10 else "")
        warn(f"These files are not published because `exclude` matches them: {some}.")
    for warning in problems.warnings:
        warn(warning)
    return files


def _check_hidden(files: t.Sequence[File], redirects: t.Sequence[str], problems: Problems) -> None:
    """Add to `problems` the redirects of paths that a file has, because visitors could not reach the file."""
    if not redirects:
        return
    served = {form: file.path for file in files for form in visited(file.path)}
    for position, path in enumerate(redirects):
        hidden = served.get(unquote(path))
        if hidden:
            wrong = f"{path} is redirected, which hides the file {hidden}"
            problems.add(f"redirects[{position}]", wrong, "remove one of them")


def with_references(
    wanted: t.Mapping[str, Item], last: Manifest, publication: Publication, warn: Warn
) -> dict[str, Item]:
    """Return the items with their references. Only changed files are parsed."""
    linked = {path: _with_references(item, last.files.get(path)) for path, item in wanted.items()}
    missing = set(linking.missing({one for item in linked.values() for one in item.references}, linked))
    lacking = [(path, one) for path, item in linked.items() for one in item.references if one in missing]
    problems = Problems()
    for path, one in lacking[:MOST_PROBLEMS]:
        wrong = f"{shown(path)} refers to {shown(one)}, which does not exist"
        problems.add("source", wrong, "add it, or set `allow_missing_references`")
    if not publication.allow_missing_references:
        problems.raise_if_any()
    for problem in problems.found:
        warn(f"{problem.wrong}.")
    return linked


def _with_references(item: Item, entry: Entry | None) -> Item:
    if entry and entry.digest == item.digest:
        return item._replace(references=entry.references) if entry.references else item
    if item.is_variant or not linking.has_references(item.path):
        return item
    return item._replace(references=linking.references_of(item.path, item.place))


def with_lasting_variants(wanted: t.Mapping[str, Item], last: Manifest, publication: Publication) -> dict[str, Item]:
    """Return the items, including variants of extensions that were removed from `precompress`."""
    lasting = changes.lasting_variants(wanted, last) if publication.keep_variants else {}
    if lasting and not publication.release and not HAS_BROTLI:
        raise GroundworkError(missing_library())
    return {**wanted, **lasting}


def items_to_restore(bucket: Bucket, records: Records, release: str) -> dict[str, Item]:
    """Return the objects of a release. Raise InputError if the bucket does not contain it."""
    past = [one.release for one in whole_releases(records)]
    if release not in past:
        problems = Problems()
        known = f"use one of {', '.join(past)}" if past else "publish something first"
        problems.add("release", f"the bucket does not contain the release '{release}'", known)
        problems.raise_if_any()
    served = release == records.last.release
    return changes.items_of_release(records.last if served else read_manifest(bucket, release))
