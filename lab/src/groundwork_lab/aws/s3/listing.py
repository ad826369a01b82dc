"""Lists of objects and of versions, and their pages.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html and
https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
"""

from __future__ import annotations

import base64
import binascii
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape

from moto.s3.models import FakeKey
from moto.s3.responses import S3Response

from groundwork_lab.aws.context import refuse

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
LARGEST_PAGE = 1000
OWNER = "75aa57f09aa0c8caeab4f8c24e99d10f8e7faeebf76c078efc7c6caea54ba06a"


@dataclass
class Page:
    """The names and common prefixes of a page. `last` is the last of both in the order of the list."""

    names: list[str] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    last: str = ""
    truncated: bool = False


def page(
    names: Sequence[str],
    *,
    prefix: str,
    delimiter: str,
    after: str,
    size: int,
    there: Callable[[str], bool] = lambda name: True,  # noqa: ARG005
) -> Page:
    """Return the first `size` of the sorted `names` that begin with `prefix`, come after `after` and are `there`.

    Names with the delimiter after the prefix are grouped into one common prefix. If `after` is a common prefix, the
    list continues with the first name outside of it. Pure.
    """
    found = Page()
    rolled = bool(delimiter) and after.endswith(delimiter)
    index = max(bisect_left(names, prefix), bisect_right(names, after) if after else 0)
    while index < len(names) and names[index].startswith(prefix):
        name = names[index]
        if not there(name):
            index += 1
            continue
        end = name.find(delimiter, len(prefix)) + len(delimiter) if delimiter else 0
        common = name[:end] if end >= len(prefix) + len(delimiter) > 0 else ""
        if common and rolled and common == after:
            index = _behind(names, common)
            continue
        if len(found.names) + len(found.prefixes) >= size:
            found.truncated = size > 0
            return found
        found.last = common or name
        (found.prefixes if common else found.names).append(found.last)
        index = _behind(names, common) if common else index + 1
    return found


def _behind(names: Sequence[str], prefix: str) -> int:
    """Return the index behind the names that begin with `prefix`."""
    return bisect_left(names, prefix[:-1] + chr(ord(prefix[-1]) + 1))


def token_of(last: str) -> str:
    return base64.urlsafe_b64encode(last.encode()).decode()


def last_of(token: str) -> str:
    """Return the last name of the previous page from a continuation token. Refuse a token that is not S3's."""
    try:
        return base64.b64decode(token.encode(), b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        refuse("InvalidArgument", "The continuation token provided is incorrect")


@dataclass
class Versions:
    """A page of versions: (version, whether it is the latest), of objects and of delete markers."""

    found: list[tuple[Any, bool]] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    truncated: bool = False


def versions(keys: Any, *, prefix: str, delimiter: str, key: str, version: str, size: int) -> Versions:
    """Return the page after the version `version` of `key`, or after all versions of `key`. New versions come first."""
    names = sorted(keys)
    shown = Versions()
    if version:
        rest = list(_newest_first(keys, key))
        ids = [each.version_id for each, _ in rest]
        shown.found += rest[ids.index(version) + 1 :][:size] if version in ids else []
    following = page(names, prefix=prefix, delimiter=delimiter, after=key, size=len(names))
    ordered = sorted([*following.names, *following.prefixes])
    common = set(following.prefixes)
    for name in ordered:
        for item in [name] if name in common else _newest_first(keys, name):
            if len(shown.found) + len(shown.prefixes) >= size:
                shown.truncated = size > 0
                return shown
            if isinstance(item, str):
                shown.prefixes.append(item)
            else:
                shown.found.append(item)
    return shown


def _newest_first(keys: Any, name: str) -> Iterator[tuple[Any, bool]]:
    found = keys.getlist(name, [])
    return ((each, index == 0) for index, each in enumerate(reversed(found)))


def element(name: str, value: object) -> str:
    """Return an XML element with a text."""
    if isinstance(value, bool):
        return f"<{name}>{str(value).lower()}</{name}>"
    return f"<{name}>{escape(str(value))}</{name}>"


def document(root: str, parts: Iterable[str]) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root} xmlns="{NAMESPACE}">{"".join(parts)}</{root}>'


class ListingResponses(S3Response):
    """The responses of the three lists. moto's serializer takes 0.1 ms for each of a page's thousand objects."""

    def _asked(self, name: str) -> str:
        return str(self.querystring.get(name, [""])[0])

    def _size(self) -> int:
        wanted = self._asked("max-keys") or str(LARGEST_PAGE)
        if not wanted.isdigit():
            refuse("InvalidArgument", "Provided max-keys not an integer or within integer range")
        return min(int(wanted), LARGEST_PAGE)

    def _spelling(self) -> Callable[[str], str]:
        encoding = self._asked("encoding-type")
        if encoding not in ("", "url"):
            refuse("InvalidArgument", "Invalid Encoding Method specified in Request")
        return quote if encoding else str

    def _head(self, spell: Callable[[str], str], *members: tuple[str, object]) -> list[str]:
        shared = [("Name", self.bucket_name), ("Prefix", spell(self._asked("prefix"))), ("MaxKeys", self._size())]
        for name in ("delimiter", "encoding-type"):
            if self._asked(name):
                tag = "Delimiter" if name == "delimiter" else "EncodingType"
                shared.append((tag, self._asked(name) if tag == "EncodingType" else spell(self._asked(name))))
        return [element(name, value) for name, value in (*shared, *members)]

    def _contents(self, names: Iterable[str], spell: Callable[[str], str], *, owner: bool) -> Iterator[str]:
        keys = self.backend.get_bucket(self.bucket_name).keys
        for name in names:
            key = keys[name]
            whose = f"<Owner><ID>{OWNER}</ID></Owner>" if owner else ""
            checksum = element("ChecksumAlgorithm", key.checksum_algorithm) if key.checksum_algorithm else ""
            yield f"<Contents>{self._described(key, spell)}{checksum}{whose}</Contents>"

    @staticmethod
    def _described(key: Any, spell: Callable[[str], str]) -> str:
        return (
            f"<Key>{escape(spell(key.name))}</Key><LastModified>{key.last_modified_ISO8601}</LastModified>"
            f"<ETag>{escape(key.etag)}</ETag><Size>{key.size}</Size><StorageClass>{key.storage_class}</StorageClass>"
        )

    def list_objects(self) -> Any:
        spell, marker = self._spelling(), self._asked("marker")
        found = self._page(marker)
        head = self._head(spell, ("Marker", spell(marker)), ("IsTruncated", found.truncated))
        if found.truncated and self._asked("delimiter"):
            head.append(element("NextMarker", spell(found.last)))
        return self._listed("ListBucketResult", head, self._contents(found.names, spell, owner=True), found.prefixes)

    def list_objects_v2(self) -> Any:
        spell, start, token = self._spelling(), self._asked("start-after"), self._asked("continuation-token")
        if "continuation-token" in self.querystring and not token:
            refuse("InvalidArgument", "The continuation token provided is incorrect")
        found = self._page(last_of(token) if token else start)
        count = len(found.names) + len(found.prefixes)
        head = self._head(spell, ("KeyCount", count), ("IsTruncated", found.truncated))
        if token:
            head.append(element("ContinuationToken", token))
        if start:
            head.append(element("StartAfter", spell(start)))
        if found.truncated:
            head.append(element("NextContinuationToken", token_of(found.last)))
        owner = self._asked("fetch-owner") == "true"
        return self._listed("ListBucketResult", head, self._contents(found.names, spell, owner=owner), found.prefixes)

    def _page(self, after: str) -> Page:
        keys = self.backend.get_bucket(self.bucket_name).keys
        return page(
            sorted(keys),
            there=lambda name: isinstance(keys[name], FakeKey),
            prefix=self._asked("prefix"),
            delimiter=self._asked("delimiter"),
            after=after,
            size=self._size(),
        )

    def list_object_versions(self) -> Any:
        spell, key, version = self._spelling(), self._asked("key-marker"), self._asked("version-id-marker")
        found = versions(
            self.backend.get_bucket(self.bucket_name).keys,
            prefix=self._asked("prefix"),
            delimiter=self._asked("delimiter"),
            key=key,
            version=version,
            size=self._size(),
        )
        head = self._head(spell, ("KeyMarker", spell(key)), ("VersionIdMarker", version))
        head.append(element("IsTruncated", found.truncated))
        if found.truncated:
            last = found.found[-1][0] if found.found else None
            names = [*found.prefixes, *([last.name] if last else [])]
            head.append(element("NextKeyMarker", spell(max(names))))
            if last and last.name == max(names):
                head.append(element("NextVersionIdMarker", last.version_id))
        return self._listed("ListVersionsResult", head, self._versions(found, spell), found.prefixes)

    def _versions(self, found: Versions, spell: Callable[[str], str]) -> Iterator[str]:
        for each, latest in found.found:
            which = element("VersionId", each.version_id) + element("IsLatest", latest)
            if isinstance(each, FakeKey):
                kind, described = "Version", self._described(each, spell)
            else:
                kind = "DeleteMarker"
                described = element("Key", spell(each.name)) + element("LastModified", each.last_modified_ISO8601)
            yield f"<{kind}>{described}{which}<Owner><ID>{OWNER}</ID></Owner></{kind}>"

    def _listed(self, root: str, head: list[str], items: Iterable[str], prefixes: Iterable[str]) -> Any:
        spell = self._spelling()
        common = (f"<CommonPrefixes>{element('Prefix', spell(each))}</CommonPrefixes>" for each in prefixes)
        return 200, {"Content-Type": "application/xml"}, document(root, (*head, *items, *common))
