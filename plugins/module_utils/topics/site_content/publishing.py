# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The execution of a publication's plan, in stages. Within a stage requests are made in parallel."""

from __future__ import annotations

import hashlib
import typing as t
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.wait import Clock
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content import multipart
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.changes import Item, Plan, Put
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.edge import Edge
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.lease import JSON, Lease
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.options import Publication
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.records import (
    Claim,
    Entry,
    Manifest,
    dump_manifest,
    manifest_key,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.s3 import MAX_DELETIONS, Bucket
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.source import changed_meanwhile
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_content.variants import pack

T = t.TypeVar("T")
GROUP = 100  # number of objects after which a stage may report its progress
SILENCE = 2.0  # minimum seconds between two reports


@dataclass
class Publisher:
    """The execution of one publication. `edges` are invalidated in order."""

    bucket: Bucket
    lease: Lease
    claim: Claim
    publication: Publication
    edges: t.Sequence[Edge]
    tell: t.Callable[[str], None]
    clock: Clock
    invalidation: str = ""

    def publish(self, plan: Plan, adopted: t.Mapping[str, Entry]) -> Manifest:
        """Execute the plan and return the release's manifest. `adopted` are entries of an interrupted run's uploads.

        Raise GroundworkError on failure. The next run completes the publication.
        """
        files = {**plan.same, **plan.kept, **adopted}
        try:
            for name, stage in zip(("fingerprinted assets", "assets", "pages"), plan.stages(), strict=True):
                files.update(self._upload(name, stage))
            self._delete("removed files", [self.publication.key(path) for path in plan.gone_first])
            self._invalidate()
            pruned = [manifest_key(release) for release in self.claim.pruning]
            self._delete("assets", [self.publication.key(path) for path in plan.gone_last] + pruned)
            manifest = Manifest(self.claim.release, self.publication.prefix, dict(sorted(files.items())))
            self.lease.keep()
            self.bucket.put(manifest_key(self.claim.release), dump_manifest(manifest), JSON)
        except GroundworkError:
            self.lease.give_back()
            raise
        return manifest

    def _upload(self, name: str, stage: t.Sequence[Put]) -> dict[str, Entry]:
        """Upload the objects of a stage, largest first, so that no large upload begins at the end."""
        items = sorted((put.item for put in stage), key=lambda item: -item.size)
        if items:
            self.tell(f"{name}: {len(items)} to put")
        entries = self._together(self._place, items, name)
        return {item.path: entry for item, entry in zip(items, entries, strict=True)}

    def _together(self, work: t.Callable[[Item], T], items: t.Sequence[Item], name: str) -> list[T]:
        """Return all results in the order of the items. The first failure cancels the work that has not begun."""
        done: list[T] = []
        told = self.clock.monotonic()
        with ThreadPoolExecutor(self.publication.parallel) as pool:
            pending = [pool.submit(work, item) for item in items]
            try:
                for start in range(0, len(pending), GROUP):
                    group = pending[start : start + GROUP]
                    wait(group, return_when=FIRST_EXCEPTION)
                    done += [future.result() for future in group]
                    if self.clock.monotonic() - told >= SILENCE:
                        told = self.clock.monotonic()
                        self.tell(f"{name}: {len(done)} of {len(items)}")
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        return done

    def _place(self, item: Item) -> Entry:
        self.lease.keep()
        if item.version:
            source = self.publication.key(item.copied or item.path)
            answer = self.bucket.copy(self.publication.key(item.path), source, item.version)
            copied = {child.tag.rpartition("}")[2]: child.text or "" for child in answer.xml()}
            return _entry(item, item.size, copied["ETag"].strip('"'), answer.version)
        if item.size > multipart.THRESHOLD and not item.is_variant:
            answer = multipart.upload(
                self.bucket, self.publication.key(item.path), item, dict(item.headers), self.lease.keep
            )
            return _entry(item, item.size, answer.etag, answer.version)
        body, digest, headers = read_item(item)
        answer = self.bucket.put(self.publication.key(item.path), body, headers, digest=digest)
        return _entry(item, len(body), answer.etag, answer.version)

    def _invalidate(self) -> None:
        if self.claim.owed and self.edges:
            self.tell(f"invalidating {len(self.claim.owed)} paths")
        for edge in self.edges if self.claim.owed else ():
            self.invalidation = edge.invalidate(self.claim.owed, self.claim.release, self.lease.keep)
            if self.publication.wait or edge is not self.edges[-1]:
                edge.settle(self.invalidation, self.lease.keep)

    def _delete(self, name: str, keys: t.Sequence[str]) -> None:
        if keys:
            self.tell(f"{name}: deleting {len(keys)}")
        for start in range(0, len(keys), MAX_DELETIONS):
            self.lease.keep()
            self.bucket.delete(keys[start : start + MAX_DELETIONS])


def _entry(item: Item, size: int, etag: str, version: str) -> Entry:
    return Entry(item.digest, size, etag, version, item.kind, item.headers, item.references)


def read_item(item: Item) -> tuple[bytes, str, dict[str, str]]:
    """Return an object's body, SHA-256 and headers, read from its file. Raise GroundworkError if it has changed."""
    try:
        with open(item.place, "rb") as opened:  # noqa: PTH123 - ten thousand Paths cost more than this
            body = opened.read()
    except OSError as error:
        raise GroundworkError(f"Could not read {item.place}: {error.strerror}.") from error
    digest = hashlib.sha256(body).hexdigest()
    if not item.digest.endswith(digest):
        raise changed_meanwhile(item.place)
    headers = dict(item.headers)
    if not item.is_variant:
        return body, digest, headers
    packed = pack(body)
    if len(packed) < len(body):
        return packed, hashlib.sha256(packed).hexdigest(), {**headers, "Content-Encoding": "br"}
    return body, digest, headers
