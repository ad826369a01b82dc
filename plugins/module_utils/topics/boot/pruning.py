# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Delete bundles and releases that no launch of a server needs.

A server needs its bundle and the releases in it at its first boot alone. So what is kept is what this run wants, the
newest ones, as many as a server keeps, and what any version of a launch template of the environment launches with. Old
versions are deleted when no server and no instance refresh uses them (`scaling`).
"""

from __future__ import annotations

import base64
import io
import json
import re
import typing as t
import zipfile
import zlib

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.owner import ENVIRONMENT, Owner, tag_filter
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Call, Change
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.host.boot.server import DESIRED
from ansible_collections.groundwork.aws.plugins.module_utils.topics.boot.options import Boot, folder_of

try:
    from botocore.exceptions import BotoCoreError
except ImportError:
    pass  # AnsibleAWSModule fails with the remedy before anything here is called

BUNDLE = re.compile(r"boot/[^/]+/[0-9a-f]{64}\.pyz")
ARCHIVE = re.compile(r"releases/[^/]+/[^/]+\.tar\.gz")
NOT_DELETED = "Old bundles were not deleted: {}"
UNREADABLE = "UnreadableBundle"  # the error code of an object that is not a bundle

Objects = t.Mapping[str, t.Any]  # the time of the last modification by key


def limits(boots: t.Iterable[Boot]) -> dict[str, int]:
    """Return for each folder of the bucket how many of its objects are kept at least: `keep` of its releases."""
    found: dict[str, int] = {}
    for boot in boots:
        kept = {folder_of(one["name"]): one["keep"] for one in boot.desired["releases"]}
        for folder, number in {**kept, boot.folder: max(kept.values(), default=1)}.items():
            found[folder] = max(found.get(folder, 1), number)
    return found


def surplus(objects: Objects, wanted: t.Collection[str], kept: t.Mapping[str, int]) -> set[str]:
    """Return the keys of bundles and releases that are neither wanted nor among the newest ones of their folder."""
    found: set[str] = set()
    for folder, number in kept.items():
        room = max(0, number - sum(key.startswith(folder) for key in wanted))
        there = [key for key in objects if key.startswith(folder) and (BUNDLE.fullmatch(key) or ARCHIVE.fullmatch(key))]
        others = sorted((key for key in there if key not in wanted), key=lambda key: (objects[key], key))
        found.update(others[: len(others) - room] if len(others) > room else ())
    return found


def launched(clients: Clients, owner: Owner) -> list[str]:
    """Return the user data of all versions of all launch templates of the environment."""
    mine = {"Filters": [tag_filter(ENVIRONMENT, owner.environment)]}
    templates = Read("ec2", "describe_launch_templates", "LaunchTemplates", mine)
    ids = [one["LaunchTemplateId"] for one in observe(clients, {"templates": templates})["templates"]]
    answers = observe(clients, {own: _versions(own) for own in ids})
    data = [version["LaunchTemplateData"].get("UserData", "") for versions in answers.values() for version in versions]
    return [base64.b64decode(one).decode("utf-8", "replace") for one in data]


def _versions(template: str) -> Read:
    gone = ("InvalidLaunchTemplateId.NotFound",)
    arguments = {"LaunchTemplateId": template}
    return Read("ec2", "describe_launch_template_versions", "LaunchTemplateVersions", arguments, absent=gone)


def releases_in(clients: Clients, bucket: str, bundles: t.Iterable[str]) -> set[str]:
    """Return the keys of the releases that the bundles of the bucket contain. Raise GroundworkError with a code."""
    reads = {key: Read("s3", "get_object", "Body", {"Bucket": bucket, "Key": key}) for key in bundles}
    return {release for key, [body] in observe(clients, reads).items() for release in _releases_of(key, body)}


def _releases_of(key: str, body: t.Any) -> list[str]:
    try:
        with zipfile.ZipFile(io.BytesIO(body.read())) as packed:
            return [one["key"] for one in json.loads(packed.read(DESIRED)).get("releases", [])]
    except (BotoCoreError, zipfile.BadZipFile, zlib.error, AttributeError, LookupError, TypeError, ValueError) as error:
        text = f"the bundle {key} could not be read ({type(error).__name__}: {error}). Delete it if it is damaged."
        raise GroundworkError(text, error_code=UNREADABLE) from error


def superfluous(
    clients: Clients, owner: Owner, bucket: str, objects: Objects, *, wanted: t.Collection[str], boots: t.Sequence[Boot]
) -> list[str]:
    """Return the keys to delete. If there are too many objects, this takes 1 call, 1 for each template and bundle."""
    extra = surplus(objects, wanted, limits(boots))
    if not extra:
        return []
    user_data = launched(clients, owner)
    extra -= {key for key in extra if any(key in one for one in user_data)}
    if any(map(ARCHIVE.fullmatch, extra)):
        staying = [key for key in objects if BUNDLE.fullmatch(key) and key not in extra and key not in wanted]
        extra -= releases_in(clients, bucket, staying)
    return sorted(extra)


def dispensable(
    run: Run, owner: Owner, bucket: str, objects: Objects, *, wanted: t.Collection[str], boots: t.Sequence[Boot]
) -> list[str]:
    """Return the keys to delete. Warn and return none if AWS refuses a read, or if a bundle cannot be read."""
    try:
        return superfluous(run.clients, owner, bucket, objects, wanted=wanted, boots=boots)
    except GroundworkError as error:
        _warn(run, error)
        return []


def delete(run: Run, bucket: str, keys: t.Iterable[str]) -> list[Change]:
    """Delete the objects, except in check mode, and return the changes. Warn at the first one that AWS refuses."""
    changes = plan_deletions(bucket, keys)
    try:
        run.make(changes, {})
    except GroundworkError as error:
        _warn(run, error)
        return changes[: len(error.details.get("made", ()))]
    return changes


def _warn(run: Run, error: GroundworkError) -> None:
    """Warn of an error of AWS. Raise any other one, as that of a lost lock."""
    if not error.details.get("error_code"):
        raise error
    run.warn(NOT_DELETED.format(error))


def plan_deletions(bucket: str, keys: t.Iterable[str]) -> list[Change]:
    """Return the changes that delete the objects. The bucket keeps their old versions for some days."""
    return [
        Change(
            "delete",
            "boot bundle" if BUNDLE.fullmatch(key) else "release archive",
            key.partition("/")[2],
            (Call("s3", "delete_object", {"Bucket": bucket, "Key": key}),),
            before={"Key": key},
        )
        for key in keys
    ]
