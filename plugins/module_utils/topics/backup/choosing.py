# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the backups of a server, and choose one: the newest, that of a time, or that of an id."""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import TIER_NAME
from ansible_collections.groundwork.aws.plugins.module_utils.engine.observe import Clients, Read, observe
from ansible_collections.groundwork.aws.plugins.module_utils.engine.partitions import partition_at
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.host.backups.making import (
    ID_TIME,
    MANIFEST,
    SAFETY,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.backup.bucket import COMPONENT, bucket_of

try:
    from botocore.auth import S3SigV4QueryAuth
    from botocore.awsrequest import AWSRequest
except ImportError:
    pass  # AnsibleAWSModule fails with the remedy before anything here is called

NEWEST = "newest"
ID = re.compile(rf"(?P<time>\d{{8}}T\d{{6}}Z)-(?P<server>[a-z][a-z0-9-]*-\d+)(?P<safety>-{SAFETY})?")
TIMES = ("%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%MZ", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", ID_TIME)
URL_SECONDS = 6 * 3600  # that a presigned URL is valid, and no longer than the credentials that sign it
ABSENT = ("NoSuchBucket",)


@dataclass(frozen=True)
class Choice:
    """Which backup: "newest", a time in UTC, or an id."""

    newest: bool = False
    before: datetime | None = None
    id: str = ""


@dataclass(frozen=True)
class Question:
    """The backup of a server. `site` is one that it must have, or ""."""

    tier: str
    server: str
    choice: Choice
    site: str
    urls: bool


class Kept(t.NamedTuple):
    """A backup in the bucket that has a manifest: its id, the time at which it began, and the prefix of its objects.

    One for `safety` was made before a restore. Only its id means it: it has the data that were not wanted.
    """

    id: str
    began: datetime
    prefix: str
    objects: tuple[str, ...]
    safety: bool


def parse_choice(text: str, variable: str, problems: Problems) -> Choice:
    """Return the choice that a text describes. Add to `problems` a text that describes none."""
    if text == NEWEST:
        return Choice(newest=True)
    if ID.fullmatch(text):
        return Choice(id=text)
    for form in TIMES:
        try:
            return Choice(before=datetime.strptime(text, form).replace(tzinfo=UTC))
        except ValueError:
            continue
    right = (
        f"give {NEWEST}, a time in UTC as 2026-11-30T02:30:00Z, or the id of a backup, as 20261130T023000Z-private-1"
    )
    wrong = f"'{text}' is neither a time nor the id of a backup" if text else "is missing"
    problems.add(variable, wrong, right)
    return Choice()


def parse_question(options: t.Mapping[str, t.Any], problems: Problems) -> Question:
    """Return the question. Add to `problems` what is wrong with the options."""
    if not TIER_NAME.fullmatch(options["tier"]):
        problems.add("tier", f"'{options['tier']}' is not a tier", "give the tier of the server")
    choice = parse_choice(options["choice"], "choice", problems)
    return Question(options["tier"], options["server"], choice, options["site"], options["urls"])


def kept_in(objects: t.Iterable[t.Mapping[str, t.Any]]) -> list[Kept]:
    """Return the complete backups among a server's objects, as S3 lists them, the newest last. Pure.

    The id has the time of the server's clock. If that was fast, the time at which S3 got the manifest counts.
    """
    folders: dict[str, dict[str, datetime]] = {}
    for one in objects:
        prefix, _slash, name = one["Key"].rpartition("/")
        folders.setdefault(prefix, {})[name] = one["LastModified"]
    found = []
    for prefix, names in folders.items():
        identity = prefix.rpartition("/")[2]
        if MANIFEST in names and (match := ID.fullmatch(identity)):
            began = min(datetime.strptime(match["time"], ID_TIME).replace(tzinfo=UTC), names[MANIFEST])
            found.append(Kept(identity, began, f"{prefix}/", tuple(sorted(names)), bool(match["safety"])))
    return sorted(found, key=lambda one: one.began)


def chosen(choice: Choice, backups: t.Sequence[Kept]) -> Kept | None:
    """Return the backup that is meant, or None. `backups` are those of one server, the newest last. Pure."""
    if choice.id:
        return next((one for one in backups if one.id == choice.id), None)
    before = choice.before or datetime.max.replace(tzinfo=UTC)
    return next((one for one in reversed(backups) if one.began <= before and not one.safety), None)


def kept(clients: Clients, bucket: str, tier: str, server: str) -> list[Kept]:
    """Return the complete backups of a server, the newest last."""
    where = {"Bucket": bucket, "Prefix": f"{tier}/{server}/"}
    listing = Read("s3", "list_objects_v2", "Contents", where, absent=ABSENT)
    return kept_in(observe(clients, {"objects": listing})["objects"])


def look_at_backups(run: Run) -> dict[str, t.Any]:
    """Return the result of the module `s3_backups_info`. Raise GroundworkError on failure."""
    owner, question = run.parse(COMPONENT, parse_question)
    bucket = bucket_of(run.clients, owner)
    backups = kept(run.clients, bucket, question.tier, question.server)
    found = chosen(question.choice, backups)
    told = {"changed": False, "bucket": bucket, "ids": [one.id for one in backups], "backup": {}}
    if found is None:
        return told
    manifest = read_json(run.clients, bucket, f"{found.prefix}{MANIFEST}")
    sites = sorted(manifest.get("sites") or {})
    if question.site and question.site not in sites:
        return told
    age = int((datetime.now(UTC) - found.began).total_seconds())
    told["backup"] = {"id": found.id, "age": age, "sites": sites}
    if question.urls:
        told["urls"] = {name: presigned(run.clients, bucket, f"{found.prefix}{name}") for name in found.objects}
    return told


def read_object(clients: Clients, bucket: str, key: str) -> bytes:
    """Return the content of an object. Raise GroundworkError."""
    read = Read("s3", "get_object", "Body", {"Bucket": bucket, "Key": key})
    [body] = observe(clients, {"object": read})["object"]
    content: bytes = body.read()
    return content


def read_json(clients: Clients, bucket: str, key: str) -> dict[str, t.Any]:
    """Return the content of a JSON object. Raise GroundworkError."""
    try:
        found = json.loads(read_object(clients, bucket, key))
    except ValueError as error:
        raise GroundworkError(f"s3://{bucket}/{key} is damaged: {error}. Choose another backup.") from error
    if not isinstance(found, dict):
        raise GroundworkError(f"s3://{bucket}/{key} is damaged. Choose another backup.")
    return found


def presigned(clients: Clients, bucket: str, key: str) -> str:
    """Return a URL by which whoever has it reads one object, for some hours.

    https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
    """
    client = clients.client("s3")
    region = client.meta.region_name
    host = f"{bucket}.s3.{region}.{partition_at(client).suffix}"
    request = AWSRequest("GET", f"https://{host}/{quote(key, safe='/-_.~')}")
    credentials = client._request_signer._credentials.get_frozen_credentials()
    S3SigV4QueryAuth(credentials, "s3", region, expires=URL_SECONDS).add_auth(request)
    return str(request.url)
