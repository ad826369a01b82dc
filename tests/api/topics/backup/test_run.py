"""The bucket of the backups, what is in it, and secrets of it, against the lab's control plane."""

from __future__ import annotations

import hashlib
import json
import typing as t
import urllib.parse
from datetime import UTC, datetime

import pytest
from cloud import Cloud, told

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, InputError
from ansible_collections.groundwork.aws.plugins.module_utils.topics.backup.bucket import converge_backup_bucket
from ansible_collections.groundwork.aws.plugins.module_utils.topics.backup.choosing import look_at_backups
from ansible_collections.groundwork.aws.plugins.module_utils.topics.backup.secrets import restore_secrets

COMMON: dict[str, t.Any] = {"environment_name": "dev", "tags": {}, "region": "eu-central-1"}
OPTIONS = {**COMMON, "keep_days": 30}
NAME = "groundwork-dev-backups-{}-eu-central-1"
ID = "20261130T023000Z-private-1"
FOLDER = f"private/private-1/{ID}"
PATH = "/groundwork/dev/lamp/shop/APP_SECRET"


def bucket_of(cloud: Cloud) -> str:
    return NAME.format(cloud.of("sts").get_caller_identity()["Account"])


def put(cloud: Cloud, name: str, content: bytes) -> None:
    cloud.of("s3").put_object(Bucket=bucket_of(cloud), Key=f"{FOLDER}/{name}", Body=content)


def question(**more: t.Any) -> dict[str, t.Any]:
    own = {"tier": "private", "server": "private-1", "choice": "newest", "site": "", "urls": False}
    return {**COMMON, **own, **more}


def test_the_plan_of_an_empty_account_is_the_run(cloud: Cloud) -> None:
    name = bucket_of(cloud)
    planned = cloud.run(converge_backup_bucket, OPTIONS, check_mode=True)
    assert cloud.writes == []
    done = cloud.run(converge_backup_bucket, OPTIONS)
    changes = [f"create bucket {name}", f"update bucket versioning {name}", f"update bucket lifecycle {name}"]
    assert told(planned) == told(done) == [*changes, f"create bucket policy {name}"]
    s3 = cloud.of("s3")
    assert set(s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"].values()) == {True}
    rules = {rule["ID"]: rule for rule in s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]}
    assert rules["groundwork-expiring"]["Expiration"] == {"Days": 30}
    assert rules["groundwork-old-versions"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert "aws:SecureTransport" in s3.get_bucket_policy(Bucket=name)["Policy"]
    encryption = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert encryption["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


def test_the_second_run_changes_nothing_in_seven_calls(cloud: Cloud) -> None:
    cloud.run(converge_backup_bucket, OPTIONS)
    assert cloud.run(converge_backup_bucket, OPTIONS)["changes"] == []
    assert len(cloud.calls) == 7


def test_backups_can_be_kept_longer(cloud: Cloud) -> None:
    cloud.run(converge_backup_bucket, OPTIONS)
    longer = cloud.run(converge_backup_bucket, {**OPTIONS, "keep_days": 90})
    assert told(longer) == [f"update bucket lifecycle {bucket_of(cloud)}"]


@pytest.mark.parametrize("days", [0, 3651])
def test_days_out_of_range(cloud: Cloud, days: int) -> None:
    with pytest.raises(InputError, match=f"keep_days: {days} is out of range"):
        cloud.run(converge_backup_bucket, {**OPTIONS, "keep_days": days})
    assert cloud.calls == []


def test_a_bucket_of_others_is_refused(cloud: Cloud) -> None:
    where = {"LocationConstraint": "eu-central-1"}
    cloud.of("s3").create_bucket(Bucket=bucket_of(cloud), CreateBucketConfiguration=where)
    with pytest.raises(GroundworkError, match="exists, and its tags are not this environment's"):
        cloud.run(converge_backup_bucket, OPTIONS)
    assert cloud.writes == []


def test_without_a_bucket_there_is_no_backup(cloud: Cloud) -> None:
    found = cloud.run(look_at_backups, question())
    assert (found["ids"], found["backup"]) == ([], {})


def test_the_newest_backup_is_found_with_urls_that_say_who_signed(cloud: Cloud) -> None:
    cloud.run(converge_backup_bucket, OPTIONS)
    put(cloud, "shop.sql.gz", b"dump")
    assert cloud.run(look_at_backups, question())["backup"] == {}, "no manifest yet"
    put(cloud, "manifest.json", json.dumps({"sites": {"shop": {}}}).encode())
    found = cloud.run(look_at_backups, question(urls=True))
    age = max(0, (datetime.now(UTC) - datetime(2026, 11, 30, 2, 30, tzinfo=UTC)).total_seconds())
    assert found["backup"]["age"] == pytest.approx(age, abs=60)
    assert (found["backup"]["id"], found["backup"]["sites"], found["changed"]) == (ID, ["shop"], False)
    assert sorted(found["urls"]) == ["manifest.json", "shop.sql.gz"]
    url = urllib.parse.urlsplit(found["urls"]["shop.sql.gz"])
    assert (url.netloc, url.path) == (f"{bucket_of(cloud)}.s3.eu-central-1.amazonaws.com", f"/{FOLDER}/shop.sql.gz")
    query = dict(urllib.parse.parse_qsl(url.query))
    assert query["X-Amz-Algorithm"] == "AWS4-HMAC-SHA256"
    assert query["X-Amz-Expires"] == "21600"
    assert "urls" not in cloud.run(look_at_backups, question())
    assert cloud.run(look_at_backups, question(site="blog"))["backup"] == {}
    assert cloud.run(look_at_backups, question(server="private-2"))["ids"] == []


def secret(cloud: Cloud, value: str) -> None:
    cloud.of("ssm").put_parameter(Name=PATH, Value=value, Type="SecureString", Overwrite=True)


def value(cloud: Cloud) -> str:
    found: str = cloud.of("ssm").get_parameter(Name=PATH, WithDecryption=True)["Parameter"]["Value"]
    return found


@pytest.fixture
def kept(cloud: Cloud) -> dict[str, t.Any]:
    """A backup with a secret, and the options that bring it back."""
    cloud.run(converge_backup_bucket, OPTIONS)
    content = json.dumps({"APP_SECRET": "the former value", "OTHER": "not declared"}).encode()
    facts = {"object": "shop.secrets.json", "sha256": hashlib.sha256(content).hexdigest()}
    put(cloud, "shop.secrets.json", content)
    put(cloud, "manifest.json", json.dumps({"sites": {"shop": {"secrets": facts}}}).encode())
    return {
        **COMMON,
        "backup": ID,
        "tier": "private",
        "parameters": {"shop": {"APP_SECRET": PATH}, "blog": {"X": "/x"}},
    }


def test_a_secret_gets_its_former_value_which_is_told_nowhere(cloud: Cloud, kept: dict[str, t.Any]) -> None:
    secret(cloud, "the later value")
    planned = cloud.run(restore_secrets, kept, check_mode=True)
    assert value(cloud) == "the later value"
    done = cloud.run(restore_secrets, kept)
    assert told(planned) == told(done) == [f"update parameter {PATH}"]
    assert value(cloud) == "the former value"
    assert "value" not in json.dumps([planned, done])
    assert cloud.run(restore_secrets, kept)["changes"] == []


def test_secrets_that_are_not_what_was_written_are_refused(cloud: Cloud, kept: dict[str, t.Any]) -> None:
    secret(cloud, "the later value")
    put(cloud, "shop.secrets.json", json.dumps({"APP_SECRET": "forged"}).encode())
    with pytest.raises(GroundworkError, match=r"is not what was written\. Choose another backup"):
        cloud.run(restore_secrets, kept)
    assert value(cloud) == "the later value"


def test_a_parameter_that_does_not_exist_is_left_to_the_role(cloud: Cloud, kept: dict[str, t.Any]) -> None:
    assert cloud.run(restore_secrets, kept)["changes"] == []
