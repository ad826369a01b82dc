"""Protections as sentences, and those that no account of a test can have."""

from __future__ import annotations

import json
import typing as t
from datetime import UTC, datetime, timedelta

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.engine.removal import (
    MANAGED_BY,
    Protection,
    Sight,
    Thing,
    Whose,
    managed_by,
)
from ansible_collections.groundwork.aws.plugins.module_utils.project.teardown.things import protections
from ansible_collections.groundwork.aws.plugins.module_utils.topics.image.removal import REMOVAL as IMAGES
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_bucket.removal import REMOVAL as BUCKETS

OURS = [{"Key": "groundwork:environment", "Value": "dev"}]


def bucket(**answers: list[t.Any]) -> list[Protection]:
    told = {f"{key} files": answer for key, answer in answers.items()}
    sight = Sight(Whose("dev"), {"buckets": [{"Name": "files"}], "tags arn:aws:s3:::files": OURS, **told})
    [thing] = BUCKETS.things(sight)
    return protections(thing)


def deny(**given: t.Any) -> str:
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:DeleteBucket", "Resource": "*", **given}
    return json.dumps({"Version": "2012-10-17", "Statement": statement})


def test_mfa_delete_is_told_with_who_can_lift_it() -> None:
    [found] = bucket(versioning=["Enabled"])
    assert "MFA delete is enabled" in found.text() and "Only the root user" in found.text()


@pytest.mark.parametrize(
    ("policy", "denied"),
    [
        (deny(), "s3:DeleteBucket"),
        (
            deny(Principal={"AWS": "*"}, Action=["s3:Delete*"]),
            "s3:DeleteBucket, s3:DeleteObject, s3:DeleteObjectVersion",
        ),
        (deny(Action="S3:*"), "s3:DeleteBucket, s3:DeleteObject, s3:DeleteObjectVersion"),
        (deny(Effect="Allow"), ""),
        (deny(Condition={"Bool": {"aws:SecureTransport": "false"}}, Action="s3:*"), ""),
        (deny(Principal={"AWS": "arn:aws:iam::111122223333:root"}), ""),
        (deny(Action="s3:PutObject"), ""),
    ],
)
def test_a_policy_that_denies_the_removal_to_everyone(policy: str, denied: str) -> None:
    found = bucket(policy=[policy])
    assert [one.what for one in found] == ([f"its policy denies {denied} to everyone"] if denied else [])


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("governance", "Lift it with 'aws ec2 unlock-snapshot --snapshot-id snap-1 --region eu-central-1'."),
        ("compliance-cooloff", "Lift it with 'aws ec2 unlock-snapshot --snapshot-id snap-1 --region eu-central-1'."),
        ("compliance", "AWS does not unlock it earlier. Remove it after that date."),
        ("expired", ""),
    ],
)
def test_locks_of_snapshots(state: str, words: str) -> None:
    lock = {"SnapshotId": "snap-1", "LockState": state, "LockExpiresOn": datetime.now(UTC) + timedelta(days=1)}
    snapshot = {"SnapshotId": "snap-1", "Tags": OURS, "VolumeSize": 1}
    answers = {"images": [], "snapshots": [snapshot], "snapshot locks": [lock], "parameters": []}
    [thing] = IMAGES.things(Sight(Whose("dev"), answers))
    assert [one.text("eu-central-1").endswith(words) for one in protections(thing)] == ([True] if words else [])


@pytest.mark.parametrize("key", MANAGED_BY)
def test_a_tool_that_manages_a_resource(key: str) -> None:
    [found] = managed_by({key: "web", "Name": "dev-x"})
    assert "web" in found.what
    assert "To keep it, remove its tag groundwork:environment." in found.text()
    assert protections(Thing("vpc", "vpc-1", "main", tags={key: "web"})) == [found]


def test_commands_of_global_services_have_no_region() -> None:
    assert "--region" not in Protection("x", "aws iam delete-role --role-name x").text("eu-central-1")
