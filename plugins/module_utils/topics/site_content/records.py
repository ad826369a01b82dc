# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The publisher's records in the bucket: what is served, what was, and who is publishing.

`releases/<id>.json` tells what a release consists of. It is written last, so that it exists when and only when the
release is whole. `releases/current.json` is written first, under a condition: it names the release that is being
published, or was last. So the lock and the write-ahead record are one, and a publication costs two writes.
"""

from __future__ import annotations

import hashlib
import json
import typing as t
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.names import Kind
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.options import RECORDS

FORMAT = 1
CURRENT = f"{RECORDS}/current.json"

Headers = tuple[tuple[str, str], ...]


class Entry(t.NamedTuple):
    """An object as it was put. `digest` is the SHA-256 of its file, with `br:` before it for a variant.

    `size` and `etag` are the object's own. `references` are the paths of the assets that a page needs. `kept` counts
    the releases since it left the source.
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
    """A release, whole. `files` by path below the prefix."""

    release: str = ""
    prefix: str = ""
    files: t.Mapping[str, Entry] = field(default_factory=dict)


@dataclass(frozen=True)
class Past:
    """A release that can be listed."""

    release: str
    published: str
    files: int
    bytes: int
    restores: str = ""  # the release that it brought back


@dataclass(frozen=True)
class Owner:
    """Who publishes. `machine`, `pid` and `started` tell whether the process still lives, on that machine."""

    who: str
    token: str
    machine: str = ""
    pid: int = 0
    started: str = ""


@dataclass(frozen=True)
class Claim:
    """`current.json`. `since` is S3's time at its beginning, `lease` for how many seconds nobody may take over.

    What was put after `began` is of this very content: an interrupted run that is resumed hands it on.
    `owed` are the paths that have to be invalidated before the release is whole, `previous` the last release that is,
    `history` the whole releases before this one, newest first, and `pruning` those whose record goes.
    """

    release: str
    prefix: str
    digest: str
    since: str
    began: str
    lease: int
    owner: Owner
    files: int
    bytes: int
    previous: str = ""
    restores: str = ""
    owed: tuple[str, ...] = ()
    history: tuple[Past, ...] = ()
    pruning: tuple[str, ...] = ()

    def past(self) -> Past:
        """This release, once it is whole."""
        return Past(self.release, self.since, self.files, self.bytes, self.restores)

    def without_lease(self) -> Claim:
        return replace(self, lease=0)


def manifest_key(release: str) -> str:
    return f"{RECORDS}/{release}.json"


def release_id(now: datetime, digest: str, taken: t.Container[str]) -> str:
    """As 20260131T120000Z-3f2a9c1b: readable, sorted by time, and equal content shows."""
    made = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{digest[:8]}"
    return release_id(now + timedelta(seconds=1), digest, taken) if made in taken else made


def stamp(now: datetime) -> str:
    """A time as S3's listings have it, so that both can be compared as they are."""
    return f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z"


def digest_of(files: t.Iterable[tuple[str, str, Headers]]) -> str:
    """The SHA-256 of a release's content: (path, digest, headers) of each file."""
    digest = hashlib.sha256()
    for path, content, headers in sorted(files):
        digest.update(json.dumps([path, content, headers], ensure_ascii=False).encode())
    return digest.hexdigest()


def dump_claim(claim: Claim) -> bytes:
    return json.dumps({"format": FORMAT, **asdict(claim)}, indent=1).encode()


def load_claim(text: bytes) -> Claim:
    """Raises GroundworkError when it was written by something else."""
    fields = _loaded(CURRENT, text)
    try:
        return Claim(
            **{
                **fields,
                "owner": Owner(**fields["owner"]),
                "owed": tuple(fields["owed"]),
                "history": tuple(Past(**one) for one in fields["history"]),
                "pruning": tuple(fields["pruning"]),
            }
        )
    except (KeyError, TypeError) as error:
        raise _unreadable(CURRENT) from error


def dump_manifest(manifest: Manifest) -> bytes:
    """Headers and the paths that pages refer to are told once: ten thousand pages share a few dozen."""
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
    """Raises GroundworkError when it was written by something else."""
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
        raise GroundworkError(f"{key} has the format {written}, this version writes {FORMAT}: use a newer version.")
    return fields


def _unreadable(key: str) -> GroundworkError:
    return GroundworkError(
        f"{key} is no record of a release: something else wrote it. Bring back its last version that is one, or delete "
        "the folder, after which the next run publishes every file anew."
    )
