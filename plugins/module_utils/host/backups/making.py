# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make a backup of this server in S3: the program of the service `groundwork-backup`, which a timer starts.

For each site: a dump of its database, its shared files, and the secrets that were generated for it. All are streamed,
so that a full disk does not keep a server from its backup. The manifest is written last: without one, what is there is
no backup. The server may write below its own prefix, and may neither read nor delete anything there.

A site that cannot be backed up keeps no other from its backup: the manifest names it in `failed`. So does one whose
restore was interrupted. With the argument `safety` it is the backup before a restore, which its id tells.

The text of this file follows those of `fetching` and `dumps` in a program.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import http.client
import json
import os
import re
import ssl
import subprocess
import sys
import threading
import time
import typing as t
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from ansible_collections.groundwork.aws.plugins.module_utils.host.backups.dumps import (
    Digests,
    as_root,
    dump_argv,
)
from ansible_collections.groundwork.aws.plugins.module_utils.host.boot.fetching import (
    AUTHORITIES,
    Cloud,
    FetchError,
    RefusedError,
    Request,
)

PLAN = Path("/etc/groundwork/backup/plan.json")
STATE = Path("/var/lib/groundwork/backup.json")
RESTORING = Path("/var/lib/groundwork/restoring.json")  # the sites whose restore is not complete
SPARE = Path("/run/groundwork")  # for these files while the disk is full: it is in memory
LOCK = SPARE / "backup.lock"
MANIFEST = "manifest.json"
FORMAT = 1
PART = 32 * 1024**2  # bytes of a part: at most 10,000 parts are 312 GiB
UPLOAD_PATIENCE = 120.0  # seconds
UPLOAD_TIMEOUT = 60.0
UPLOAD_ID = re.compile(rb"<UploadId>([^<]+)</UploadId>")
SAFETY = "safety"  # at the end of the id of a backup before a restore
ID_TIME = "%Y%m%dT%H%M%SZ"
ISO_TIME = "%Y-%m-%dT%H:%M:%SZ"
LEVEL = 6  # of gzip
GZIP = 31  # wbits
CHUNK = 1024**2
ATTRIBUTES = ("--acls", "--xattrs", "--xattrs-include=user.*")  # of tar, also when files are restored

Site = t.Mapping[str, t.Any]  # of the plan: `name`, `database`, `folder`, `current`, `secrets`
Facts = dict[str, t.Any]


class BackupError(Exception):
    """A backup was not made. The message contains no secret."""


def slow_host(host: str) -> http.client.HTTPConnection:
    """Return a connection to an AWS endpoint that may take its time to assemble an object."""
    context = ssl.create_default_context(cafile=AUTHORITIES)
    return http.client.HTTPSConnection(host, timeout=UPLOAD_TIMEOUT, context=context)


@dataclass(frozen=True)
class Place:
    """The bucket, and the prefix of this backup in it, with a slash at its end."""

    cloud: Cloud
    bucket: str
    prefix: str

    @property
    def host(self) -> str:
        """Return the host name of the bucket."""
        return f"{self.bucket}.s3.{self.cloud.region}.{self.cloud.domain}"

    def ask(self, doing: str, method: str, name: str, body: bytes = b"", **headers: str) -> tuple[t.Any, bytes]:
        """Return the headers and the body of an answer. Raise FetchError. `name` may end with a query."""
        request = Request(method, self.host, f"/{self.prefix}{name}", headers, body)
        return self.cloud.patiently(doing, lambda: self.cloud.send("s3", request), UPLOAD_PATIENCE)


def place_of(cloud: Cloud, plan: t.Mapping[str, t.Any], identity: str) -> Place:
    """Return where the backup is written, with the account and the region of this instance.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-metadata.html
    """

    def attempt() -> Place:
        found = replace(cloud, region=cloud.metadata("placement/region"), domain=cloud.metadata("services/domain"))
        owner = cloud.metadata(f"network/interfaces/macs/{cloud.metadata('mac')}/owner-id")
        bucket = f"groundwork-{plan['environment']}-backups-{owner}-{found.region}"
        return Place(found, bucket, f"{plan['tier']}/{plan['server']}/{identity}/")

    return cloud.patiently("read the instance metadata", attempt, UPLOAD_PATIENCE)


class Upload:
    """An object that is written piece by piece, with its size and its SHA-256.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html. Parts of an upload that does not end are
    removed by the lifecycle of the bucket.
    """

    def __init__(self, place: Place, name: str) -> None:
        self.place, self.name = place, name
        self.size = 0
        self._digest = hashlib.sha256()
        self._waiting = bytearray()
        self._upload = ""
        self._tags: list[str] = []

    def write(self, data: bytes) -> None:
        """Add data, and send a part when there is enough of it."""
        self.size += len(data)
        self._digest.update(data)
        self._waiting += data
        while len(self._waiting) >= PART:
            self._send(bytes(self._waiting[:PART]))
            del self._waiting[:PART]

    def _send(self, part: bytes) -> None:
        doing = f"write {self.name}"
        if not self._upload:
            _headers, body = self.place.ask(doing, "POST", f"{self.name}?uploads=")
            found = UPLOAD_ID.search(body)
            if not found:
                raise BackupError(f"S3 began no upload of {self.name}.")
            self._upload = quote(found[1].decode(), safe="")
        query = f"partNumber={len(self._tags) + 1}&uploadId={self._upload}"
        headers, _body = self.place.ask(doing, "PUT", f"{self.name}?{query}", part)
        self._tags.append(headers["etag"])

    def close(self) -> Facts:
        """Return the object's name, its size in bytes and its SHA-256, after it was completed."""
        if self._upload:
            if self._waiting:
                self._send(bytes(self._waiting))
            parts = "".join(
                f"<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>"
                for number, tag in enumerate(self._tags, 1)
            )
            body = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
            name = f"{self.name}?uploadId={self._upload}"
            _headers, answer = self.place.ask(f"complete {self.name}", "POST", name, body)
            if b"<Error>" in answer:  # with the status 200
                raise BackupError(f"S3 did not complete {self.name}.")
        else:
            self.place.ask(f"write {self.name}", "PUT", self.name, bytes(self._waiting))
        return {"object": self.name, "size": self.size, "sha256": self._digest.hexdigest()}


class Zipped:
    """A compressed object. `plain` is the number of bytes before the compression."""

    def __init__(self, upload: Upload) -> None:
        self.upload = upload
        self.plain = 0
        self._deflate = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP)

    def write(self, data: bytes) -> None:
        """Add data."""
        self.plain += len(data)
        if packed := self._deflate.compress(data):
            self.upload.write(packed)

    def close(self) -> Facts:
        """Return the facts of the object, after it was completed."""
        self.upload.write(self._deflate.flush())
        return {**self.upload.close(), "plain": self.plain}


def streamed(argv: t.Sequence[str], doing: str, take: t.Callable[[t.IO[bytes]], None], fine: t.Container[int]) -> str:
    """Run a command whose output `take` reads. Return its errors. Raise BackupError if it fails.

    The errors are read by a thread, because a file for them would need a disk that is not full.
    """
    said: list[bytes] = []
    try:  # This is a program of its own, without AnsibleModule.
        process = subprocess.Popen(  # pylint: disable=ansible-bad-function
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    except OSError as error:
        raise BackupError(f"Could not {doing}: {argv[0]}: {error.strerror}.") from error
    output, errors = t.cast(t.IO[bytes], process.stdout), t.cast(t.IO[bytes], process.stderr)
    listener = threading.Thread(target=lambda: said.append(errors.read()))
    listener.start()
    try:
        take(output)
    except BaseException:
        process.kill()
        raise
    finally:
        output.close()
        code = process.wait()
        listener.join()
        errors.close()
    words = b"".join(said).decode(errors="replace")
    if code not in fine:
        raise BackupError(f"Could not {doing}: {argv[0]} failed with exit code {code}: {words.strip()[-2000:]}")
    return words


def answer_of(socket: str, sql: str) -> list[list[str]]:
    """Return the rows that MariaDB answers. Raise BackupError."""
    found: list[bytes] = []
    argv = as_root("mariadb", socket, "--batch", "--skip-column-names", f"--execute={sql}")
    streamed(argv, "ask MariaDB", lambda stream: found.append(stream.read()), (0,))
    return [line.split("\t") for line in found[0].decode(errors="replace").splitlines()]


def database_of(site: Site, socket: str, place: Place) -> Facts:
    """Write the dump of a site's database. Return its facts. `site["database"]` has letters, digits and underscores."""
    name = site["database"]
    schema = f"FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = '{name}'"
    sets = answer_of(socket, f"SELECT DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME {schema}")
    if not sets:
        raise BackupError(f"The database {name} does not exist.")
    tables = f"FROM information_schema.TABLES WHERE TABLE_SCHEMA = '{name}' AND TABLE_TYPE <> 'VIEW'"
    loose = answer_of(socket, f"SELECT TABLE_NAME {tables} AND ENGINE <> 'InnoDB' ORDER BY TABLE_NAME")
    versioned = answer_of(socket, f"SELECT TABLE_NAME {tables} AND TABLE_TYPE = 'SYSTEM VERSIONED' ORDER BY TABLE_NAME")
    [[version]] = answer_of(socket, "SELECT VERSION()")
    digests, packed = Digests(), Zipped(Upload(place, f"{site['name']}.sql.gz"))

    def take(stream: t.IO[bytes]) -> None:
        for line in stream:
            digests.line(line)
            packed.write(line)

    streamed(dump_argv(socket, name), f"dump the database {name}", take, (0,))
    if not digests.complete:
        raise BackupError(f"The dump of the database {name} ended too early.")
    return {
        **packed.close(),
        "name": name,
        "mariadb": version,
        "character_set": sets[0][0],
        "collation": sets[0][1],
        "tables": digests.tables(),
        "not_transactional": [row[0] for row in loose],
        "without_history": [row[0] for row in versioned],
    }


def files_of(site: Site, place: Place) -> Facts:
    """Write the shared files of a site. Return their facts. What changes meanwhile is taken as it is read."""
    folder = Path(site["folder"]).resolve()
    if not folder.is_dir():
        raise BackupError(f"The shared folder {site['folder']} does not exist.")
    packed = Zipped(Upload(place, f"{site['name']}.files.tar.gz"))

    def take(stream: t.IO[bytes]) -> None:
        while data := stream.read(CHUNK):
            packed.write(data)

    argv = ["tar", "--create", "--verbose", "--one-file-system", "--sparse", *ATTRIBUTES]
    argv += ["--file=-", f"--directory={folder}", "."]
    said = streamed(argv, f"read {folder}", take, (0, 1))  # 1: a file changed while it was read
    entries = [line for line in said.splitlines() if not line.startswith("tar: ")]
    return {**packed.close(), "entries": len(entries)}


def secrets_of(site: Site, place: Place) -> Facts:
    """Write the secrets that were generated for a site. Return the facts, without their values."""
    values = {name: Path(file).read_text(encoding="utf-8") for name, file in site["secrets"].items()}
    upload = Upload(place, f"{site['name']}.secrets.json")
    upload.write(json.dumps(values).encode())
    return {**upload.close(), "names": sorted(values)}


def site_of(site: Site, socket: str, place: Place) -> Facts:
    """Write what a site has on this server, the database first, and its files right after. Return the facts."""
    current = Path(site["current"])
    facts: Facts = {"at": iso(time.time()), "release": current.resolve().name if current.is_symlink() else ""}
    if site["secrets"]:
        facts["secrets"] = secrets_of(site, place)
    if site["database"]:
        facts["database"] = database_of(site, socket, place)
    if site["folder"]:
        facts["files"] = files_of(site, place)
    return facts


def iso(now: float) -> str:
    """Return a time in UTC, as 2026-11-30T03:31:52Z."""
    return time.strftime(ISO_TIME, time.gmtime(now))


@contextlib.contextmanager
def alone(path: Path = LOCK) -> t.Iterator[None]:
    """Wait for backups and restores that are in progress on this server, and let others wait."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def refuse_incomplete(name: str, path: Path) -> None:
    """Raise BackupError if the data of a site are those of a restore that was interrupted."""
    if marked := known(path).get(name):
        way = f"run groundwork.aws.restore with restore_from={marked['backup']} and restore_site={name}"
        raise BackupError(f"Its restore was interrupted, and its data are incomplete: {way}.")


def make(
    plan: t.Mapping[str, t.Any],
    cloud: Cloud,
    *,
    safety: bool = False,
    restoring: Path = RESTORING,
    now: t.Callable[[], float] = time.time,
) -> Facts:
    """Make a backup, and return its manifest. Raise BackupError or FetchError if there is none of any site."""
    began = now()
    identity = f"{time.strftime(ID_TIME, time.gmtime(began))}-{plan['server']}{f'-{SAFETY}' if safety else ''}"
    place = place_of(cloud, plan, identity)
    sites, failed = {}, {}
    for site in plan["sites"]:
        try:
            refuse_incomplete(site["name"], restoring)
            sites[site["name"]] = site_of(site, plan["socket"], place)
        except (BackupError, FetchError, OSError, ValueError) as error:
            failed[site["name"]] = str(error)
    if not sites:
        raise BackupError(lacking(failed))
    manifest = {
        "format": FORMAT,
        "id": identity,
        "environment": plan["environment"],
        "tier": plan["tier"],
        "server": plan["server"],
        "began": iso(began),
        "finished": iso(now()),
        "seconds": round(now() - began, 1),
        "sites": sites,
        "failed": failed,
    }
    write_once(place, MANIFEST, json.dumps(manifest, indent=1, sort_keys=True).encode())
    return manifest


def lacking(failed: t.Mapping[str, str]) -> str:
    """Return the sites that are not in a backup, with the reasons."""
    return "; ".join(f"{name}: {words.strip().rstrip('.')}" for name, words in sorted(failed.items()))


def write_once(place: Place, name: str, body: bytes) -> None:
    """Write an object, unless it exists. One that an unanswered request of this call has written is accepted.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
    """
    request = Request("PUT", place.host, f"/{place.prefix}{name}", {"if-none-match": "*"}, body)
    unanswered: list[bool] = []

    def attempt() -> None:
        try:
            place.cloud.send("s3", request)
        except RefusedError as error:
            if error.status == 412 and unanswered:
                return
            unanswered.extend([True] if error.status >= 500 else [])
            raise
        except (OSError, http.client.HTTPException):
            unanswered.append(True)
            raise

    place.cloud.patiently(f"write {name}", attempt, UPLOAD_PATIENCE)


def bytes_of(manifest: t.Mapping[str, t.Any]) -> int:
    """Return the size of all objects of a backup."""
    return sum(part["size"] for site in manifest["sites"].values() for part in site.values() if isinstance(part, dict))


def known(path: Path) -> Facts:
    """Return what a file with the state of this server tells, {} if there is none."""
    for place in (SPARE / path.name, path):
        try:
            found: Facts = json.loads(place.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        return found
    return {}


def record(path: Path, **changes: t.Any) -> None:
    """Update a file with the state of this server: in memory if the disk is full, until it has room again."""
    text = json.dumps({**known(path), **changes})
    spare = SPARE / path.name
    try:
        put(path, text)
    except OSError:
        put(spare, text)
    else:
        spare.unlink(missing_ok=True)


def put(path: Path, text: str) -> None:
    """Write a file at once, and durably."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    with beside.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def main() -> t.NoReturn:
    """Make a backup, and record its result. The exit code tells systemd whether it was made, with all sites."""
    safety = sys.argv[1:] == [SAFETY]
    try:
        plan = json.loads(PLAN.read_text(encoding="utf-8"))
        with alone():
            manifest = make(plan, Cloud("", "", to_host=slow_host), safety=safety)
    except Exception as error:  # pylint: disable=broad-exception-caught  # each is recorded, and told by systemd
        words = str(error) if isinstance(error, (BackupError, FetchError, RefusedError)) else repr(error)
        sys.stdout.write(f"No backup was made. {words}\n")
        tell(failure={"at": iso(time.time()), "message": words})
        raise SystemExit(1) from None
    size, failed = bytes_of(manifest), manifest["failed"]
    last = {**{name: manifest[name] for name in ("id", "began", "finished", "seconds", "failed")}, "bytes": size}
    words = f"the backup {manifest['id']} lacks {lacking(failed)}" if failed else ""
    tell(**{SAFETY if safety else "last": last}, failure={"at": iso(time.time()), "message": words} if words else None)
    told = f"The backup {manifest['id']} was made: {size} bytes in {manifest['seconds']} s."
    sys.stdout.write(f"{told}{f' But {words}.' if words else ''}\n")
    raise SystemExit(1 if words else 0)


def tell(**changes: t.Any) -> None:
    """Record the last backup, or the last failure. Say it if that is impossible."""
    try:
        record(STATE, **changes)
    except OSError as full:
        sys.stdout.write(f"This could not be recorded on the server: {full}\n")


if __name__ == "__main__":
    main()
