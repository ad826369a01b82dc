"""What servers have recorded about release commands, as the module reads it from the bucket of the locks."""

from __future__ import annotations

import json
import typing as t
from dataclasses import asdict

import pytest
from cloud import Cloud

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import GroundworkError, InputError
from ansible_collections.groundwork.aws.plugins.module_utils.host.releases.release_command import FAILED, Record
from ansible_collections.groundwork.aws.plugins.module_utils.topics.boot.commands import look_at_commands

BUCKET = "groundwork-123456789012-eu-central-1"


def options(**releases: str) -> dict[str, t.Any]:
    return {"environment_name": "dev", "tags": {}, "region": "eu-central-1", "releases": releases}


def record(cloud: Cloud, key: str, state: str, message: str = "") -> None:
    body = json.dumps(asdict(Record(state, "i-1", message=message))).encode()
    cloud.of("s3").put_object(Bucket=BUCKET, Key=f"commands/{key}", Body=body)


def test_the_records_of_the_releases_are_told(cloud: Cloud) -> None:
    cloud.of("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    record(cloud, "dev/vpc-1/app/one", FAILED, "exit code 3")
    record(cloud, "dev/vpc-1/app/two", "succeeded")
    record(cloud, "dev/vpc-1/my-app/three", "succeeded")
    record(cloud, "prod/vpc-1/app/four", FAILED)
    [told] = cloud.run(look_at_commands, options(app="one", shop="five"))["commands"]
    failed = {"state": FAILED, "server": "i-1", "message": "exit code 3"}
    assert told == {"site": "app", "release": "one", **failed}
    assert len(cloud.calls) == 3
    assert cloud.run(look_at_commands, options(app="three", shop="four"))["commands"] == []
    cloud.of("s3").put_object(Bucket=BUCKET, Key="commands/dev/vpc-1/app/one", Body=b"damaged")
    with pytest.raises(GroundworkError, match="The record commands/dev/vpc-1/app/one is damaged"):
        cloud.run(look_at_commands, options(app="one"))


def test_without_the_bucket_there_are_none(cloud: Cloud) -> None:
    assert cloud.run(look_at_commands, options(app="one"))["commands"] == []
    with pytest.raises(InputError, match=r"releases\.app: '\.\./x' is not a valid release id"):
        cloud.run(look_at_commands, options(app="../x"))
