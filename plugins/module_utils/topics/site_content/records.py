# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The records of releases in the bucket.

`releases/<id>.json` is the manifest of a release: the list of its objects. It is written last, so that it exists if
and only if the release is complete. `releases/current.json` is the claim. It is written first, with a conditional
write, and contains the id of the release that is being published or was published last. It is both the lock and the
write-ahead log. So a publication writes only two records.
"""

from __future__ import annotations

import hashlib
import json
import typing as t
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.process import Process
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.names import Kind
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.options import RECORDS

FORMAT = 1
CURRENT = f"{RECORDS}/current.json"

Headers = tuple[tuple[str, str], ...]


class Entry(t.NamedTuple):
    """An object of a release. `digest` is the SHA-256 of its file, with the prefix `br:` for a variant.

    `size` and `etag` are those of the object. `references` are the paths of the assets that a page refers to. `kept` is
    the number of releases since the file left the source.
    """

    digest: str
    size: int
    etag: str
    version: str
    kind: Kind
    headers: Headers
    references: tuple[str, ...] = ()
    kept: int = 0


@dataclass(frozen=True)
class Manifest:
    """A complete release. The paths of `files` are relative to the prefix."""

    release: str = ""
    prefix: str = ""
    files: t.Mapping[str, Entry] = field(default_factory=dict)


@dataclass(frozen=True)
class Past:
    """A release in the list of releases."""

    release: str
    published: str
    files: int
    bytes: int
    restores: str = ""  # the id of the release that it restored


@dataclass(frozen=True)
class Claim:
    """The content of `current.json`.

    `since` is S3's time at the beginning of the publication. `lease` is the number of seconds in which no other process
    may take over. Objects that were uploaded after `began` belong to this content; a run that resumes an interrupted
    one keeps its value. `owed` are the paths that have to be invalidated before the release is complete. `previous` is
    the last complete release, `history` are the complete releases before this one, newest first, and `pruning` those
    whose record is deleted.
    """

    release: str
    prefix: str
    digest: str
    since: str
    began: str
    lease: int
    owner: Process
    files: int
    bytes: int
    previous: str = ""
    restores: str = ""
    owed: tuple[str, ...] = ()
    history: tuple[Past, ...] = ()
    pruning: tuple[str, ...] = ()

    def past(self) -> Past:
        """Return the entry of this release in the list of releases."""
        return Past(self.release, self.since, self.files, self.bytes, self.restores)

    def without_lease(self) -> Claim:
        return replace(self, lease=0)


def manifest_key(release: str) -> str:
    return f"{RECORDS}/{release}.json"


def release_id(now: datetime, digest: str, taken: t.Container[str]) -> str:
    """Return a new release id such as 20260131T120000Z-3f2a9c1b: the time, and the beginning of the digest."""
    made = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{digest[:8]}"
    return release_id(now + timedelta(seconds=1), digest, taken) if made in taken else made


def stamp(now: datetime) -> str:
    """Return a time in the form of S3's listings, so that both can be compared as text."""
    return f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z"


def digest_of(files: t.Iterable[tuple[str, str, Headers]]) -> str:
    """Return the SHA-256 of a release's content: (path, digest, headers) of each file."""
    digest = hashlib.sha256()
    for path, content, headers in sorted(files):
        digest.update(json.dumps([path, content, headers], ensure_ascii=False).encode())
    return digest.hexdigest()


def dump_claim(claim: Claim) -> bytes:
    return json.dumps({"format": FORMAT, **asdict(claim)}, indent=1).encode()


def load_claim(text: bytes) -> Claim:
    """Return the claim of a JSON text. Raise GroundworkError if it is not one."""
    fields = _loaded(CURRENT, text)
    try:
        return Claim(
            **{
                **fields,
                "owner": Process(**fields["owner"]),
                "owed": tuple(fields["owed"]),
                "history": tuple(Past(**one) for one in fields["history"]),
                "pruning": tuple(fields["pruning"]),
            }
        )
    except (KeyError, TypeError) as error:
        raise _unreadable(CURRENT) from error


def dump_manifest(manifest: Manifest) -> bytes:
    """Return a manifest as JSON. Headers and referenced paths are stored only once, because many pages share them."""
    headers: dict[Headers, int] = {}
    assets: dict[str, int] = {}
    files = {
        path: [
            entry.digest,
            entry.size,
            entry.etag,
            entry.version,
            entry.kind,
            headers.setdefault(entry.headers, len(headers)),
            entry.kept,
            [assets.setdefault(one, len(assets)) for one in entry.references],
        ]
        for path, entry in manifest.files.items()
    }
    whole = {
        "format": FORMAT,
        "release": manifest.release,
        "prefix": manifest.prefix,
        "headers": [dict(one) for one in headers],
        "assets": list(assets),
        "files": files,
    }
    return json.dumps(whole, separators=(",", ":"), ensure_ascii=False).encode()


def load_manifest(release: str, text: bytes) -> Manifest:
    """Return the manifest of a JSON text. Raise GroundworkError if it is not one."""
    fields = _loaded(manifest_key(release), text)
    try:
        headers: list[Headers] = [tuple(one.items()) for one in fields["headers"]]
        assets: list[str] = fields["assets"]
        files = {
            path: Entry(
                digest, size, etag, version, kind, headers[shared], tuple(assets[one] for one in references), kept
            )
            for path, (digest, size, etag, version, kind, shared, kept, references) in fields["files"].items()
        }
        return Manifest(fields["release"], fields["prefix"], files)
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise _unreadable(manifest_key(release)) from error


def _loaded(key: str, text: bytes) -> dict[str, t.Any]:
    try:
        fields: dict[str, t.Any] = json.loads(text)
        written = fields.pop("format")
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        raise _unreadable(key) from error
    if written != FORMAT:
        raise GroundworkError(
            f"{key} has the format {written}, and this version supports {FORMAT}. Use a newer version."
        )
    return fields


def _unreadable(key: str) -> GroundworkError:
    return GroundworkError(
        f"{key} is not a record of a release. Restore its last valid version, or delete the folder {RECORDS}/; the "
        "next run then publishes all files again."
    )
