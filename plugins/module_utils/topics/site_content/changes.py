# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of a publication, from the files, the last release and a listing of the bucket. Pure functions.

Assets are uploaded before the pages that refer to them, and deleted after these pages. A file that was removed and that
no page has loaded is deleted before the invalidation, so that no edge location fetches it again in between.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.fingerprints import fingerprinted
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.invalidation import invalidated
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.names import (
    CONTENT_ENCODINGS,
    Kind,
    cache_control,
    content_type,
    extension,
    is_page,
    is_sniffed,
    kind_of,
    matches,
    sniffed_type,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.options import Publication
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.records import (
    Entry,
    Headers,
    Manifest,
    digest_of,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.s3 import Listed
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.source import (
    VARIANT,
    File,
    content_of,
)

Reason = t.Literal["new", "content", "headers", "mended"]
VARIANT_DIGEST = "br:"
COPY_DIGEST = f"{VARIANT_DIGEST}copy:"  # differs from a file's digest, so that the next publication compresses the file
ORDER: tuple[Kind, ...] = ("immutable", "asset", "page")  # each kind refers only to the kinds before it


class Item(t.NamedTuple):
    """A desired object. Its content is the file at `place`, or in a rollback an old `version` of an object."""

    path: str
    kind: Kind
    digest: str
    size: int  # of the file; the size of a variant is not known before it is compressed
    headers: Headers
    place: str = ""
    version: str = ""
    copied: str = ""  # the path of the old version, if it differs
    references: tuple[str, ...] = ()

    @property
    def is_variant(self) -> bool:
        return self.digest.startswith(VARIANT_DIGEST)


class Put(t.NamedTuple):
    """An object that has to be uploaded, the reason, and the previous entry."""

    item: Item
    reason: Reason
    before: Entry | None = None


@dataclass(frozen=True)
class Plan:
    """The plan of a publication.

    `digest` is the digest of all desired objects, or "" if nothing has to be done. `same` are unchanged objects,
    `adopted` objects that an interrupted run has uploaded, and `kept` objects that left the source and are kept for
    visitors who have an old page open. `gone_first` is deleted before `paths` are invalidated, `gone_last` after it.
    `missing` are the objects that are not desired any more since this publication, except those with a fingerprint,
    which have another name in each build, and those of an interrupted run, which belong to no release.
    """

    digest: str
    puts: tuple[Put, ...] = ()
    same: t.Mapping[str, Entry] = field(default_factory=dict)
    adopted: tuple[Item, ...] = ()
    kept: t.Mapping[str, Entry] = field(default_factory=dict)
    gone_first: tuple[str, ...] = ()
    gone_last: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    is_new: bool = False  # whether a release has to be created

    @property
    def gone(self) -> tuple[str, ...]:
        return (*self.gone_first, *self.gone_last)

    @property
    def still_served(self) -> list[str]:
        """Return the kept objects under ordinary names, without variants."""
        return [
            path
            for path, entry in self.kept.items()
            if entry.kind != "immutable" and not entry.digest.startswith(VARIANT_DIGEST)
        ]

    def stages(self) -> list[list[Put]]:
        """Return the uploads in groups. A group must be complete before the next one begins."""
        return [[put for put in self.puts if put.item.kind == kind] for kind in ORDER]


def items_of_source(files: t.Iterable[File], publication: Publication) -> dict[str, Item]:
    """Return the desired objects by path, including compressed variants."""
    wanted: dict[str, Item] = {}
    files = list(files)
    hashed = _hashed([file.path for file in files], publication)
    for file in files:
        kind = kind_of(file.path, hashed)
        encoding = CONTENT_ENCODINGS.get(extension(file.path))
        headers: Headers = (
            ("Cache-Control", cache_control(file.path, kind, publication.cache_control)),
            ("Content-Type", _content_type(file, publication)),
            *((("Content-Encoding", encoding),) if encoding else ()),
        )
        item = Item(file.path, kind, file.digest, file.size, headers, file.place)
        wanted[file.path] = item
        if extension(file.path) in publication.precompress and not encoding:
            variant = _variant_of(item)
            wanted[variant.path] = variant
    return wanted


def _hashed(paths: t.Collection[str], publication: Publication) -> set[str]:
    """Return the paths with a fingerprint. A pattern of the user replaces the built-in detection."""
    if publication.fingerprint:
        return set(filter(publication.fingerprint.search, paths))
    return fingerprinted(paths)


def _content_type(file: File, publication: Publication) -> str:
    """Return the Content-Type by name, or for a few files by their content."""
    if is_sniffed(file.path) and not any(matches(file.path, pattern) for pattern, _value in publication.content_types):
        return sniffed_type(content_of(file.place))
    return content_type(file.path, publication.content_types)


def lasting_variants(wanted: t.Mapping[str, Item], last: Manifest) -> dict[str, Item]:
    """Return the missing variants of files whose extension had variants in the last release.

    The function at the edge locations may still request them. In a rollback there are no files to compress, so these
    variants are uncompressed copies.
    """
    extensions = {
        extension(path.removesuffix(VARIANT))
        for path, entry in last.files.items()
        if entry.digest.startswith(VARIANT_DIGEST) and not entry.kept
    }
    made = [_variant_of(item) for path, item in wanted.items() if extension(path) in extensions]
    return {item.path: item for item in made if item.path not in wanted}


def _variant_of(item: Item) -> Item:
    digest = (COPY_DIGEST if item.version else VARIANT_DIGEST) + item.digest
    copied = item.path if item.version else ""
    return item._replace(path=item.path + VARIANT, digest=digest, copied=copied, references=())


def items_of_release(manifest: Manifest) -> dict[str, Item]:
    """Return the objects of a release by path, without those that were only kept."""
    return {
        path: Item(path, one.kind, one.digest, one.size, one.headers, version=one.version, references=one.references)
        for path, one in manifest.files.items()
        if not one.kept
    }


def plan(
    wanted: t.Mapping[str, Item],
    last: Manifest,
    listing: t.Mapping[str, Listed],
    *,
    keep_assets: int,
    most_paths: int,
    clean_urls: str,
    resumed: t.Callable[[Item, Listed], bool] = lambda _item, _listed: False,
    interrupted: bool = False,
) -> Plan:
    """Return the plan. The paths of `listing` are relative to the prefix.

    `resumed(item, listed)` returns whether an interrupted run has uploaded this object for this item.
    """
    same: dict[str, Entry] = {}
    adopted: list[Item] = []
    puts: list[Put] = []
    for path, item in wanted.items():
        entry, listed = last.files.get(path), listing.get(path)
        reason = _reason(item, entry, listed)
        if reason is None and entry:
            same[path] = _again(entry, item)
        elif listed and resumed(item, listed):
            adopted.append(item)
        else:
            puts.append(Put(item, reason or "content", entry))
    strays = {path for path in listing if path not in wanted and path not in last.files} if interrupted else set()
    hashed = fingerprinted(listing) if strays else set()
    leaving = {
        path: _stray(path, listed, hashed) if path in strays else last.files.get(path)
        for path, listed in listing.items()
        if path not in wanted
    }
    news = bool(puts or adopted) or any(not (entry and entry.kept) for entry in leaving.values())
    needed = {path: entry for path, entry in leaving.items() if not _is_superfluous(path, entry, wanted)}
    unused = _unused(leaving, last)
    kept = _keep({path: entry for path, entry in needed.items() if path not in unused}, keep_assets, 1 if news else 0)
    gone = [path for path in leaving if path not in kept]
    stale = [put.item.path for put in puts if put.reason != "new" and not _is_beyond_recall(put)]
    stale += [path for path in gone if not ((entry := leaving[path]) and entry.kind == "immutable")]
    is_new = bool(news or gone)
    return Plan(
        digest=wanted_digest(wanted) if is_new or interrupted else "",
        puts=tuple(puts),
        same=same,
        adopted=tuple(adopted),
        kept=kept,
        gone_first=tuple(path for path in gone if path in unused),
        gone_last=tuple(path for path in gone if path not in unused),
        missing=tuple(path for path, entry in leaving.items() if path not in strays and _is_missing(entry)),
        paths=invalidated(stale, {*listing, *last.files}, most_paths, clean_urls) if stale else (),
        is_new=is_new,
    )


def wanted_digest(wanted: t.Mapping[str, Item]) -> str:
    """Return the SHA-256 of the paths, digests and headers of all desired objects."""
    return digest_of((one.path, one.digest, one.headers) for one in wanted.values())


def _again(entry: Entry, item: Item) -> Entry:
    if (entry.kept, entry.kind, entry.references) == (0, item.kind, item.references):
        return entry
    return entry._replace(kept=0, kind=item.kind, references=item.references)


def _reason(item: Item, entry: Entry | None, listed: Listed | None) -> Reason | None:
    """Return the reason why an object has to be uploaded, or None if it is unchanged."""
    if entry is None:
        return "content" if listed else "new"
    if item.digest != entry.digest:
        return "content"
    if item.headers != entry.headers:
        return "headers"
    if listed is None or (listed.etag, listed.size) != (entry.etag, entry.size):
        return "mended"
    return None


def _stray(path: str, listed: Listed, hashed: t.Container[str]) -> Entry | None:
    """Return an entry for an object of an interrupted run, or None for a page.

    Visitors may have pages of that run, which refer to the asset.
    """
    if is_page(path.removesuffix(VARIANT)):
        return None
    return Entry("", listed.size, listed.etag, "", kind_of(path, hashed), ())


def _is_superfluous(path: str, entry: Entry | None, wanted: t.Container[str]) -> bool:
    """Return whether an entry is the variant of a file that stays. Pages refer to the file, not to its variant."""
    return entry is not None and entry.digest.startswith(VARIANT_DIGEST) and path.removesuffix(VARIANT) in wanted


def _unused(leaving: t.Mapping[str, Entry | None], last: Manifest) -> set[str]:
    """Return the pages, and the assets of the last release that none of its pages loads.

    Scripts may load others by their fingerprints. What pages of an interrupted run load is not known.
    """
    if not leaving:
        return set()
    loaded = {one for entry in last.files.values() for one in entry.references}
    unloaded = {path for path in leaving if path not in loaded}

    def is_unused_asset(path: str, entry: Entry) -> bool:
        file = path.removesuffix(VARIANT) if entry.digest.startswith(VARIANT_DIGEST) else path
        return bool(entry.digest) and not entry.kept and entry.kind == "asset" and file in unloaded

    return {
        path
        for path, entry in leaving.items()
        if _was_page(path, entry) or (entry is not None and is_unused_asset(path, entry))
    }


def _keep(leaving: t.Mapping[str, Entry | None], keep_assets: int, age: int) -> dict[str, Entry]:
    return {
        path: entry._replace(kept=entry.kept + age)
        for path, entry in leaving.items()
        if entry and entry.kept + age <= keep_assets
    }


def _is_missing(entry: Entry | None) -> bool:
    return entry is None or (not entry.kept and entry.kind != "immutable")


def _was_page(path: str, entry: Entry | None) -> bool:
    """Return whether an object is a page or a page's variant."""
    return entry.kind == "page" if entry else is_page(path.removesuffix(VARIANT))


def _is_beyond_recall(put: Put) -> bool:
    """Return whether an invalidation has no effect, because browsers keep immutable objects without revalidation."""
    return put.item.kind == "immutable" and (put.reason == "headers" or put.before is None)


def check_deletions(made: Plan, listing: t.Sized, publication: Publication, problems: Problems) -> None:
    """Add to `problems` a number of removed files that exceeds the limit."""
    limit = publication.max_deletions.of(len(listing))
    if len(made.missing) > limit:
        some = ", ".join(made.missing[:5])
        wrong = (
            f"{len(made.missing)} of {len(listing)} objects are not in the source, and the limit is {limit}: {some}, …"
        )
        right = "check that the source is complete; if it is, raise the limit for this run"
        problems.add("max_deletions", wrong, right)


def counts(plan: Plan) -> dict[str, int]:
    """Return the numbers of objects by what is done with them. `bytes` does not include compressed variants."""
    uploads = [put.item for put in plan.puts if not put.item.version]
    return {
        "uploaded": len(uploads),
        "copied": len(plan.puts) - len(uploads),
        "bytes": sum(item.size for item in uploads if not item.is_variant),
        "deleted": len(plan.gone),
        "unchanged": len(plan.same) + len(plan.adopted),
        "kept": len(plan.kept),
        "mended": sum(put.reason == "mended" for put in plan.puts),
    }
