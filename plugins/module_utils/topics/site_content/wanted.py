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
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.names import extension
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
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.urls import (
    INDEX,
    answering,
    has_extension,
    is_mapped,
    perhaps_meant,
    visited,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.variants import (
    HAS_BROTLI,
    missing_library,
)

Warn = t.Callable[[str], None]
MOST_READ = 500  # pages whose links are checked


def look_for_source(publication: Publication, warn: Warn) -> list[File]:
    """Return the files to publish, or an empty list in a rollback."""
    if publication.release:
        return []
    if publication.precompress and not HAS_BROTLI:
        raise GroundworkError(missing_library())
    problems = publication.problems()
    files, left_out = look_for_files(publication.source, publication.exclude, problems)
    files = check_names(files, publication.prefix, publication.precompress, problems)
    _check_hidden(files, publication, problems)
    _warn_of_mapped(files, publication, problems)
    del problems.found[MOST_PROBLEMS:]
    problems.raise_if_any()
    if left_out:
        some = ", ".join(left_out[:10]) + (", …" if len(left_out) > 10 else "")
        warn(f"These files are not published because `{publication.variables}exclude` matches them: {some}.")
    for warning in problems.warnings:
        warn(warning)
    return files


def _check_hidden(files: t.Sequence[File], publication: Publication, problems: Problems) -> None:
    """Add to `problems` the redirects of paths that a file has, because visitors could not reach the file."""
    if not publication.redirects:
        return
    served = {form: file.path for file in files for form in visited(file.path, publication.clean_urls)}
    for position, path in enumerate(publication.redirects):
        hidden = served.get(unquote(path))
        if hidden:
            wrong = f"{path} is redirected, which hides the file {hidden}"
            problems.add(f"redirects[{position}]", wrong, "remove one of them")


def _warn_of_mapped(files: t.Sequence[File], publication: Publication, problems: Problems) -> None:
    """Warn of files and folders that visitors do not find, because clean URLs take one for the other."""
    if publication.clean_urls == "none":
        return
    hidden = [one.path for one in files if is_mapped(one.path, publication.unmapped_paths)]
    if hidden:
        what = f"visitors do not find {_some(hidden)}, because a path without an extension is mapped to a page"
        problems.warn("unmapped_paths", f"{what}; add the paths, or set {publication.variables}clean_urls to none")
    folders = [one.path.removesuffix(f"/{INDEX}") for one in files if one.path.endswith(f"/{INDEX}")]
    dotted = [folder for folder in folders if has_extension(folder)]
    if dotted and publication.clean_urls != "html":
        what = f"visitors find the folders {_some(dotted)} only with a slash at the end"
        problems.warn("clean_urls", f"{what}, because their names look like files")


def _some(paths: t.Sequence[str]) -> str:
    return ", ".join(map(shown, paths[:10])) + (", …" if len(paths) > 10 else "")


def warn_of_links(wanted: t.Mapping[str, Item], last: Manifest, publication: Publication, warn: Warn) -> None:
    """Warn of links to existing pages that visitors do not get there. Only the first changed pages are read."""
    mode, unmapped = publication.clean_urls, publication.unmapped_paths
    pages = [one for one in wanted.values() if one.place and not one.is_variant and extension(one.path) in linking.HTML]
    changed = [one for one in pages if one.path not in last.files or last.files[one.path].digest != one.digest]
    broken: dict[str, tuple[str, str]] = {}
    for page in changed[:MOST_READ]:
        for path in linking.links_of(page.path, page.place):
            meant = [one for one in perhaps_meant(path) if one in wanted]
            if path and meant and answering(path, mode, unmapped) not in wanted:
                broken.setdefault(path, (page.path, meant[0]))
    if broken:
        path, (page_path, meant_path) = next(iter(sorted(broken.items())))
        right = "none" if mode == "html" else "html"
        right = "serve" if meant_path.endswith(f"/{INDEX}") else right
        warn(
            f"{publication.variables}clean_urls: with {mode}, {len(broken)} links lead to missing files; "
            f"{shown(page_path)} links to /{shown(path)}, and the file is {shown(meant_path)}. {right} may be right."
        )


def with_references(
    wanted: t.Mapping[str, Item], last: Manifest, publication: Publication, warn: Warn
) -> dict[str, Item]:
    """Return the items with their references. Only changed files are parsed."""
    linked = {path: _with_references(item, last.files.get(path)) for path, item in wanted.items()}
    missing = set(linking.missing({one for item in linked.values() for one in item.references}, linked))
    lacking = [(path, one) for path, item in linked.items() for one in item.references if one in missing]
    problems = publication.problems()
    for path, one in lacking[:MOST_PROBLEMS]:
        wrong = f"{shown(path)} refers to {shown(one)}, which does not exist"
        problems.add("source", wrong, f"add it, or set {publication.variables}allow_missing_references")
    if not publication.allow_missing_references:
        problems.raise_if_any()
    for problem in problems.found:
        warn(f"{problem.wrong}.")
    warn_of_links(linked, last, publication, warn)
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


def items_to_restore(bucket: Bucket, records: Records, release: str, problems: Problems) -> dict[str, Item]:
    """Return the objects of a release. Raise InputError if the bucket does not contain it."""
    past = [one.release for one in whole_releases(records)]
    if release not in past:
        known = f"use one of {', '.join(past)}" if past else "publish something first"
        problems.add("release", f"the bucket does not contain the release '{release}'", known)
        problems.raise_if_any()
    served = release == records.last.release
    return changes.items_of_release(records.last if served else read_manifest(bucket, release))
