# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of `s3_site_content`: argument spec, parsing and validation."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems, check_range
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import PREFIX, check_bucket

COMPONENT = "static_site"
RECORDS = "releases"  # the folder of the records of releases, beside the prefix


RELEASE_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}")
MEDIA_TYPE = re.compile(r"[a-z0-9.+-]+/[A-Za-z0-9.+-]+(; ?[a-z]+=[A-Za-z0-9_-]+)*")
DELETIONS = re.compile(r"(\d{1,9})(%?)")
# Without this minimum, a percentage would forbid to replace one file of a site with three files.
FEW_DELETIONS = 10
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html#limits-invalidations
MOST_PATHS = 3000  # in progress at a time


@dataclass(frozen=True)
class Limit:
    """The maximum number of objects that a run may delete: a number, or a percentage of the existing objects."""

    amount: int
    percent: bool

    def of(self, objects: int) -> int:
        return max(objects * self.amount // 100, FEW_DELETIONS) if self.percent else self.amount


@dataclass(frozen=True)
class Publication:
    """The options. `release` is the id of the release to restore, or "" to publish `source`."""

    bucket: str
    distribution: str
    pages_distribution: str
    source: str
    release: str
    prefix: str
    cache_control: tuple[tuple[str, str], ...]
    fingerprint: re.Pattern[str] | None
    content_types: tuple[tuple[str, str], ...]
    exclude: tuple[str, ...]
    precompress: frozenset[str]
    keep_variants: bool
    redirects: tuple[str, ...]
    clean_urls: str
    unmapped_paths: tuple[str, ...]
    max_deletions: Limit
    allow_missing_references: bool
    keep_releases: int
    keep_assets: int
    max_invalidation_paths: int
    wait: bool
    deadline: float
    parallel: int
    variables: str = ""

    def key(self, path: str) -> str:
        """Return the object key of a path relative to the prefix."""
        return f"{self.prefix}/{path}"

    def problems(self) -> Problems:
        """Return an empty collection of problems, which names the inventory's variables if the role runs the module."""
        return Problems(self.variables)


def parse_content(options: t.Mapping[str, t.Any], problems: Problems) -> Publication | None:
    """Return the parsed options, or None after adding to `problems`. This does not read the files."""
    before = len(problems.found)
    variables = options.get("variables") or ""
    problems = problems.scope(problems.prefix or variables)
    release = options.get("release") or ""
    publication = Publication(
        bucket=check_bucket(options["bucket"], problems),
        distribution=options.get("distribution") or "",
        pages_distribution=options.get("pages_distribution") or "",
        source=options.get("source") or "",
        release=release,
        prefix=_checked_prefix(options["prefix"], problems),
        cache_control=_rules(options["cache_control"], "cache_control", problems),
        fingerprint=_compiled(options.get("fingerprint"), problems),
        content_types=_types(options["content_types"], problems),
        exclude=tuple(options["exclude"]),
        precompress=_extensions(options["precompress"], problems),
        keep_variants=options["keep_variants"],
        redirects=tuple(options["redirects"]),
        clean_urls=options["clean_urls"],
        unmapped_paths=_unmapped(options["unmapped_paths"], problems),
        max_deletions=_limit(str(options["max_deletions"]), problems),
        allow_missing_references=options["allow_missing_references"],
        keep_releases=options["keep_releases"],
        keep_assets=options["keep_assets"],
        max_invalidation_paths=options["max_invalidation_paths"],
        wait=options["wait"],
        deadline=float(options["deadline"]),
        parallel=options["parallel"],
        variables=variables,
    )
    if release and not RELEASE_ID.fullmatch(release):
        right = "give an id that s3_site_releases_info returns"
        problems.add("release", f"'{release}' is not the id of a release", right)
    if not release and not publication.source:
        problems.add("source", "is missing", "give the folder to publish, or the release to restore")
    check_range("keep_releases", options["keep_releases"], 1, 100, problems)
    check_range("keep_assets", options["keep_assets"], 0, 100, problems)
    check_range("max_invalidation_paths", options["max_invalidation_paths"], 1, MOST_PATHS, problems)
    check_range("deadline", options["deadline"], 1, 86400, problems)
    check_range("parallel", options["parallel"], 1, 20, problems)
    return publication if len(problems.found) == before else None


def _checked_prefix(prefix: str, problems: Problems) -> str:
    parts = prefix.split("/")
    if not PREFIX.fullmatch(prefix) or "." in parts or ".." in parts:
        right = "use letters, digits, dots, hyphens and underscores, separated by single slashes"
        problems.add("prefix", f"'{prefix}' is not a valid prefix", right)
    if parts[0] == RECORDS:
        right = "use another prefix, such as site"
        problems.add("prefix", f"'{RECORDS}' is reserved for the records of releases", right)
    return prefix


def _unmapped(given: t.Sequence[str], problems: Problems) -> tuple[str, ...]:
    for position, path in enumerate(given):
        if not path.startswith("/") or not path.isprintable():
            right = "give one as browsers send it, such as /LICENSE"
            problems.add(f"unmapped_paths[{position}]", f"'{path}' is not the path of a request", right)
    return tuple(given)


def _rules(given: t.Sequence[t.Mapping[str, str]], variable: str, problems: Problems) -> tuple[tuple[str, str], ...]:
    for position, rule in enumerate(given):
        where = f"{variable}[{position}]"
        if not rule["pattern"]:
            problems.add(f"{where}.pattern", "is empty", "give a shell pattern such as *.pdf or downloads/*")
        if not rule["value"].isascii() or not rule["value"].isprintable() or not rule["value"].strip():
            problems.add(
                f"{where}.value", f"{rule['value']!r} is not a valid value of a header", "give printable ASCII"
            )
    return tuple((rule["pattern"], rule["value"]) for rule in given)


def _types(given: t.Sequence[t.Mapping[str, str]], problems: Problems) -> tuple[tuple[str, str], ...]:
    for position, rule in enumerate(given):
        if not MEDIA_TYPE.fullmatch(rule["value"]):
            wrong = f"'{rule['value']}' is not a media type"
            problems.add(f"content_types[{position}].value", wrong, "give one such as text/plain; charset=utf-8")
    return _rules(given, "content_types", problems)


def _compiled(pattern: str | None, problems: Problems) -> re.Pattern[str] | None:
    if not pattern:
        return None
    try:
        return re.compile(pattern)
    except re.error as error:
        wrong = f"'{pattern}' is not a regular expression: {error}"
        problems.add("fingerprint", wrong, r"give one such as -[0-9a-f]{8}\.")
        return None


def _extensions(given: t.Sequence[str], problems: Problems) -> frozenset[str]:
    bare = [one.removeprefix(".").lower() for one in given]
    for position, one in enumerate(bare):
        if not re.fullmatch(r"[a-z0-9]+", one) or one == "br":
            wrong = f"'{given[position]}' is not a valid extension"
            problems.add(f"precompress[{position}]", wrong, "give one such as js")
    return frozenset(bare)


def _limit(text: str, problems: Problems) -> Limit:
    found = DELETIONS.fullmatch(text.strip())
    if not found or (found[2] and int(found[1]) > 100):
        right = "give a number such as 40, or a percentage such as 25%"
        problems.add("max_deletions", f"'{text}' is not a valid limit", right)
        return Limit(0, percent=False)
    return Limit(int(found[1]), percent=bool(found[2]))
