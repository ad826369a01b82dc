"""A backup is streamed to S3 in parts, its manifest comes last and once, and no failure tells a secret."""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import json
import os
import tempfile
import typing as t
from pathlib import Path

import conditional_bucket
import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.host.backups import making, restoring
from ansible_collections.groundwork.aws.plugins.module_utils.host.boot.fetching import FetchError
from ansible_collections.groundwork.aws.plugins.module_utils.host.configuration.commands import run

SECRET = "a secret value"


class Bucket(conditional_bucket.Bucket):
    """A bucket with uploads of several parts, whose objects are text in Latin-1."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: dict[str, bytes] = {}
        self.order: list[str] = []

    def answer(self, method: str, path: str, headers: t.Mapping[str, str], body: bytes) -> tuple[int, str]:
        plain, _mark, query = path.partition("?")
        if query == "uploads=":
            self.parts[plain] = b""
            return 200, "<UploadId>a/b=</UploadId>"
        if query.startswith("partNumber="):
            assert query.endswith("&uploadId=a%2Fb%3D")
            self.parts[plain] += body
            return 200, ""
        if query.startswith("uploadId="):
            body = self.parts.pop(plain)
        if headers.get("if-none-match") == "*" and plain in self.objects:
            return 412, "<Code>PreconditionFailed</Code>"
        self.objects[plain] = body.decode("latin-1")
        self.order.append(plain.rpartition("/")[2])
        return 200, ""


@pytest.fixture
def plan(tmp_path: Path) -> dict[str, t.Any]:
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "line\nbreak").write_text("content")
    (tmp_path / "KEY").write_text(SECRET)
    site = {"name": "shop", "database": "", "folder": str(shared), "current": str(tmp_path / "current")}
    (tmp_path / "current").symlink_to(tmp_path / "releases" / "3f2a9c01d4e5")
    sites = [{**site, "secrets": {"KEY": str(tmp_path / "KEY")}}]
    return {"environment": "dev", "tier": "private", "server": "private-1", "socket": "/none", "sites": sites}


def made(
    bucket: Bucket, plan: t.Mapping[str, t.Any], lost: t.Any = lambda _when: False, *, safety: bool = False
) -> dict[str, t.Any]:
    server = conditional_bucket.Server("i-1", bucket, lost)
    marks = Path(plan["sites"][0]["current"]).with_name("restoring.json")
    manifest = making.make(plan, server.cloud(), safety=safety, restoring=marks, now=lambda: 1796040000.0)
    assert server.hosts == {"groundwork-dev-backups-123456789012-eu-central-1.s3.eu-central-1.amazonaws.com"}
    return manifest


def test_the_manifest_comes_last_and_says_what_there_is(plan: dict[str, t.Any]) -> None:
    bucket = Bucket()
    manifest = made(bucket, plan)
    assert manifest["id"] == "20261130T120000Z-private-1"
    prefix = f"/private/private-1/{manifest['id']}/"
    assert bucket.order == ["shop.secrets.json", "shop.files.tar.gz", "manifest.json"]
    assert json.loads(bucket.objects[f"{prefix}manifest.json"]) == manifest
    files = manifest["sites"]["shop"]["files"]
    content = bucket.objects[f"{prefix}shop.files.tar.gz"].encode("latin-1")
    assert (files["size"], files["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    assert files["plain"] == len(gzip.decompress(content))
    assert files["entries"] == 2
    assert manifest["sites"]["shop"]["release"] == "3f2a9c01d4e5"
    assert SECRET not in json.dumps(manifest)
    assert json.loads(bucket.objects[f"{prefix}shop.secrets.json"]) == {"KEY": SECRET}


def test_files_keep_their_attributes_and_holes(plan: dict[str, t.Any], tmp_path: Path) -> None:
    shared = Path(plan["sites"][0]["folder"])
    (shared / "hole").touch()
    os.truncate(shared / "hole", 50 * 1024**2)
    os.setxattr(shared / "hole", "user.kind", b"empty")
    bucket = Bucket()
    made(bucket, plan)
    key = "/private/private-1/20261130T120000Z-private-1/shop.files.tar.gz"
    (tmp_path / "archive").write_bytes(bucket.objects[key].encode("latin-1"))
    facts = {"files": {"entries": 3, "plain": 0}}
    part = restoring.Part("shop", facts, {}, ())
    restoring.unpack(run, part, tmp_path / "archive", tmp_path / "restored")
    assert os.getxattr(tmp_path / "restored" / "hole", "user.kind") == b"empty"
    found = (tmp_path / "restored" / "hole").stat()
    assert (found.st_size, found.st_blocks) == (50 * 1024**2, 0)


def test_large_objects_are_written_in_parts(plan: dict[str, t.Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "PART", 100)
    noise = bytes(range(256)) * 40
    (Path(plan["sites"][0]["folder"]) / "noise").write_bytes(hashlib.sha256(noise).digest() * 3 + noise)
    bucket = Bucket()
    files = made(bucket, plan)["sites"]["shop"]["files"]
    content = bucket.objects["/private/private-1/20261130T120000Z-private-1/shop.files.tar.gz"].encode("latin-1")
    assert files["size"] == len(content) > 300
    assert files["sha256"] == hashlib.sha256(content).hexdigest()


def test_a_manifest_whose_answer_was_lost_is_not_a_failure(plan: dict[str, t.Any]) -> None:
    answers = iter([False, False, True])
    manifest = made(Bucket(), plan, lambda when: when == "response" and next(answers, False))
    assert manifest["sites"]


def test_a_manifest_that_is_there_is_not_overwritten(plan: dict[str, t.Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(making, "UPLOAD_PATIENCE", 5.0)
    bucket = Bucket()
    made(bucket, plan)
    with pytest.raises(FetchError, match=r"Could not write manifest\.json .* 412 PreconditionFailed"):
        made(bucket, plan)


def test_without_its_files_there_is_no_backup(plan: dict[str, t.Any]) -> None:
    bucket = Bucket()
    plan["sites"][0]["folder"] += "-gone"
    with pytest.raises(making.BackupError, match=r"The shared folder .*-gone does not exist"):
        made(bucket, plan)
    assert not [key for key in bucket.objects if key.endswith("manifest.json")]


def with_blog(plan: dict[str, t.Any]) -> dict[str, t.Any]:
    [shop] = plan["sites"]
    return {**plan, "sites": [{**shop, "folder": "/gone", "secrets": {}}, {**shop, "name": "blog"}]}


def test_a_site_that_fails_keeps_no_other_from_its_backup(plan: dict[str, t.Any]) -> None:
    bucket = Bucket()
    manifest = made(bucket, with_blog(plan))
    assert list(manifest["sites"]) == ["blog"]
    assert manifest["failed"] == {"shop": "The shared folder /gone does not exist."}
    assert bucket.order[-1] == "manifest.json"


def test_the_data_of_an_interrupted_restore_are_in_no_backup(plan: dict[str, t.Any], tmp_path: Path) -> None:
    mark = {"backup": "20261129T023000Z-private-1", "safety": ""}
    making.record(tmp_path / "restoring.json", shop=mark)
    words = "shop: Its restore was interrupted, .* restore_from=20261129T023000Z-private-1 and restore_site=shop"
    with pytest.raises(making.BackupError, match=words):
        made(Bucket(), plan)
    making.record(tmp_path / "restoring.json", shop=None)
    assert list(made(Bucket(), plan)["sites"]) == ["shop"]


def test_a_backup_before_a_restore_says_so(plan: dict[str, t.Any]) -> None:
    bucket = Bucket()
    assert made(bucket, plan, safety=True)["id"] == "20261130T120000Z-private-1-safety"
    assert "/private/private-1/20261130T120000Z-private-1-safety/manifest.json" in bucket.objects


def test_only_one_is_made_at_a_time(tmp_path: Path) -> None:
    lock = tmp_path / "run" / "lock"
    with making.alone(lock), lock.open() as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with lock.open() as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_full_disk_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: t.Any, **_more: t.Any) -> t.NoReturn:
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    assert making.streamed(["sh", "-c", "echo said >&2"], "read", lambda stream: None, (0,)) == "said\n"
    monkeypatch.setattr(making, "SPARE", tmp_path / "run")
    (tmp_path / "lib").write_text("a file, so that nothing can be written below it")
    path = tmp_path / "lib" / "backup.json"
    making.record(path, last={"id": "a"})
    assert making.known(path) == {"last": {"id": "a"}}
    (tmp_path / "lib").unlink()
    making.record(path, failure=None)
    assert json.loads(path.read_text()) == {"last": {"id": "a"}, "failure": None}
    assert not (tmp_path / "run" / "backup.json").exists()


def test_more_errors_than_a_pipe_holds_are_read() -> None:
    said = making.streamed(["sh", "-c", "seq 100000 >&2"], "read", lambda stream: None, (0,))
    assert said.count("\n") == 100000


def test_a_command_that_fails_is_told_with_its_words() -> None:
    with pytest.raises(making.BackupError, match=r"Could not read: sh failed with exit code 3: gone"):
        making.streamed(["sh", "-c", "echo gone >&2; exit 3"], "read", lambda stream: None, (0,))
    with pytest.raises(making.BackupError, match=r"Could not read: no-such-command: No such file"):
        making.streamed(["no-such-command"], "read", lambda stream: None, (0,))


def test_the_record_keeps_the_last_backup_when_the_next_one_fails(tmp_path: Path) -> None:
    path = tmp_path / "lib" / "backup.json"
    making.record(path, last={"id": "a"}, failure=None)
    making.record(path, failure={"at": "now", "message": "no"})
    assert json.loads(path.read_text()) == {"last": {"id": "a"}, "failure": {"at": "now", "message": "no"}}
