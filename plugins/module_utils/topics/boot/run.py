# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keep the files that servers fetch at their first boot, releases and bundles, in a private bucket."""

from __future__ import annotations

import hashlib
import typing as t
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.apply import report
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import Owner
from ansible_collections.groundwork.aws.plugins.module_utils.engine.partitions import partition_at
from ansible_collections.groundwork.aws.plugins.module_utils.engine.placeholders import parameters_in
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call, Change, Ids
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.topics.boot import bundle, pruning
from ansible_collections.groundwork.aws.plugins.module_utils.topics.boot.options import (
    Archive,
    Boot,
    Boots,
    folder_of,
    parse_boots,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_bucket import bucket as buckets
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_bucket.policy import (
    only_over_tls,
    parse_policy,
    plan_policy,
    policy_read,
)

COMPONENT = "lamp"
KEEP_VERSIONS_DAYS = 30  # of objects that were deleted by hand; no object is overwritten


@dataclass(frozen=True)
class Place:
    """The bucket and the region from which servers fetch."""

    region: str
    domain: str
    bucket: str
    partition: str = "aws"

    @property
    def arn(self) -> str:
        """Return the bucket's ARN."""
        return f"arn:{self.partition}:s3:::{self.bucket}"


@dataclass(frozen=True)
class Packed:
    """A tier's bundle."""

    boot: Boot
    content: bytes
    digest: str

    @property
    def key(self) -> str:
        """Return the object key."""
        return f"{self.boot.folder}{self.digest}.pyz"


def converge_boots(run: Run) -> dict[str, t.Any]:
    """Return the result of the module `s3_boot_bundles`. Raise GroundworkError on failure."""
    owner, wanted = run.parse(COMPONENT, parse_boots)
    place = _place(run, owner, wanted)
    observed = buckets.look(run.clients, place.bucket)
    buckets.check_owner(owner, place.bucket, observed)
    policy, objects = _content(run, place) if observed.tags is not None else ({}, {})
    keys = set(objects)
    problems = Problems()
    check(wanted, keys, problems, check_mode=run.check_mode)
    problems.raise_if_any()
    packed = [pack(boot, place) for boot in wanted.tiers]
    bucket = buckets.Bucket(place.bucket, place.region, KEEP_VERSIONS_DAYS)
    secured = plan_policy(place.bucket, policy, [only_over_tls(place.arn)])
    needed = {one.key for one in packed} | {archive.key for boot in wanted.tiers for archive in boot.archives}
    old = pruning.dispensable(run, owner, place.bucket, objects, wanted=needed, boots=wanted.tiers)
    changes = [
        *buckets.plan(owner, bucket, observed),
        *secured,
        *plan(packed, place, keys),
    ]
    ids: Ids = {}
    run.make(changes, ids)
    deleted = pruning.delete(run, place.bucket, old)
    return {
        **report([*changes, *deleted], ids),
        "bucket": place.bucket,
        "tiers": {one.boot.tier: _told(one, place) for one in packed},
    }


def _content(run: Run, place: Place) -> tuple[dict[str, t.Any], dict[str, t.Any]]:
    """Return the bucket policy, and the times of all objects by key."""
    listing = Read("s3", "list_objects_v2", "Contents", {"Bucket": place.bucket})
    answers = observe(run.clients, {"objects": listing, "policy": policy_read(place.bucket)})
    return parse_policy(answers["policy"]), {one["Key"]: one["LastModified"] for one in answers["objects"]}


def _place(run: Run, owner: Owner, wanted: Boots) -> Place:
    client = run.clients.client("s3")
    region, name = client.meta.region_name, wanted.bucket
    if not name:
        [caller] = observe(run.clients, {"caller": Read("sts", "get_caller_identity", "")})["caller"]
        name = f"groundwork-{owner.environment}-{caller['Account']}-{region}"
    partition = partition_at(client)
    return Place(region, partition.suffix, name, partition.name)


def check(wanted: Boots, keys: t.Collection[str], problems: Problems, *, check_mode: bool) -> None:
    """Add to `problems` the releases that are neither in the bucket nor on the controller.

    Check mode accepts a release that a real run would pack.
    """
    for archive in dict.fromkeys(archive for boot in wanted.tiers for archive in boot.archives):
        here = archive.path is not None and (check_mode or archive.path.is_file())
        if archive.key not in keys and not here:
            wrong = (
                f"the release '{archive.id}' of '{archive.site}' is neither in the bucket nor packed on the controller"
            )
            problems.add(
                "releases", wrong, f"give a release that is in the bucket (lamp_release): {_kept(keys, archive.site)}"
            )


def _kept(keys: t.Iterable[str], site: str) -> str:
    folder = folder_of(site)
    kept = sorted(key.removeprefix(folder).removesuffix(".tar.gz") for key in keys if key.startswith(folder))
    return ", ".join(kept) or "there is none"


def pack(boot: Boot, place: Place) -> Packed:
    """Return the bundle of a tier."""
    content = bundle.bundle({**boot.desired, "region": place.region, "domain": place.domain, "bucket": place.bucket})
    return Packed(boot, content, hashlib.sha256(content).hexdigest())


def plan(packed: t.Sequence[Packed], place: Place, keys: t.Container[str]) -> list[Change]:
    """Return the changes that upload missing objects: first releases, because a bundle's server needs them."""
    archives = dict.fromkeys(archive for one in packed for archive in one.boot.archives)
    return [
        *(_upload_archive(archive, place) for archive in archives if archive.key not in keys),
        *(_upload_bundle(one, place) for one in packed if one.key not in keys),
    ]


def _upload_archive(archive: Archive, place: Place) -> Change:
    content = archive.path.read_bytes() if archive.path and archive.path.is_file() else b""
    call = _put(place, archive.key, content, "application/gzip")
    return Change("create", "release archive", f"{archive.site} {archive.id}", (call,), after={"Key": archive.key})


def _upload_bundle(one: Packed, place: Place) -> Change:
    call = _put(place, one.key, one.content, "application/zip")
    return Change("create", "boot bundle", one.boot.tier, (call,), after={"Key": one.key})


def _put(place: Place, key: str, content: bytes, kind: str) -> Call:
    return Call("s3", "put_object", {"Bucket": place.bucket, "Key": key, "Body": content, "ContentType": kind})


def _told(one: Packed, place: Place) -> dict[str, t.Any]:
    folders = [one.boot.folder, *(folder_of(archive.site) for archive in one.boot.archives)]
    return {
        "user_data": bundle.user_data(
            region=place.region, domain=place.domain, bucket=place.bucket, key=one.key, digest=one.digest
        ),
        "parameters": parameters_in(one.boot.desired),
        "archives": [{"bucket": place.bucket, "prefix": prefix} for prefix in dict.fromkeys(folders)],
    }
