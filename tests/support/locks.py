"""The lock of the environment `dev`, as another run and AWS see it."""

from __future__ import annotations

import json
import os
import typing as t

from cloud import Cloud

from groundwork_lab.settings import REGION

KEY = "locks/dev.json"


def options(**more: t.Any) -> dict[str, t.Any]:
    """Return the options of `environment_lock`, of a run that is this process."""
    own = {"environment_name": "dev", "tags": {}, "region": REGION, "account_id": None, "state": "taken", "wait": 0}
    run = {"break_lock": "", "command": "site.yml", "pid": os.getpid(), "state_file": "/nonexistent/lock"}
    return {**own, **run, **more}


def account_of(cloud: Cloud) -> str:
    """Return the id of the account."""
    return str(cloud.of("sts").get_caller_identity()["Account"])


def bucket_of(cloud: Cloud) -> str:
    """Return the name of the bucket of the locks."""
    return f"groundwork-{account_of(cloud)}-{REGION}"


def lock_in(cloud: Cloud) -> dict[str, t.Any] | None:
    """Return the content of the lock, None if it is free."""
    s3 = cloud.of("s3")
    listed = s3.list_objects_v2(Bucket=bucket_of(cloud)).get("Contents", [])
    if not listed:
        return None
    assert [one["Key"] for one in listed] == [KEY]
    content: dict[str, t.Any] = json.loads(s3.get_object(Bucket=bucket_of(cloud), Key=KEY)["Body"].read())
    return content


def occupy(cloud: Cloud, *, lease: int = 120, **owner: t.Any) -> str:
    """Put the lock of another run in the place of the present one, and return its id."""
    theirs = {"who": "bob@ci", "token": "b0b", "machine": "another", "pid": 1, "started": "1", **owner}
    fields = {"environment": "dev", "owner": theirs, "caller": "arn:aws:iam::1:user/bob", "command": "release.yml"}
    fields |= {"format": 1, "since": "2026-01-31T12:00:00Z", "lease": lease, "renewals": 0}
    cloud.of("s3").put_object(Bucket=bucket_of(cloud), Key=KEY, Body=json.dumps(fields).encode())
    return str(theirs["token"])
