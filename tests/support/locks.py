"""The lock of the environment `dev`, as another run and AWS see it."""

from __future__ import annotations

import json
import os
import typing as t

from botocore.exceptions import ClientError

from groundwork_lab.settings import REGION

Client = t.Callable[[str], t.Any]  # returns boto3's client of a service

KEY = "locks/dev.json"


def options(**more: t.Any) -> dict[str, t.Any]:
    """Return the options of `environment_lock`, of a run that is this process."""
    own: dict[str, t.Any] = {
        "environment_name": "dev",
        "tags": {},
        "region": REGION,
        "account_id": None,
        "state": "taken",
        "wait": 0,
    }
    run = {"break_lock": "", "command": "site.yml", "pid": os.getpid(), "state_file": "/nonexistent/lock"}
    return {**own, **run, **more}


def account_of(client: Client) -> str:
    """Return the id of the account."""
    return str(client("sts").get_caller_identity()["Account"])


def bucket_of(client: Client) -> str:
    """Return the name of the bucket of the locks."""
    return f"groundwork-{account_of(client)}-{REGION}"


def lock_in(client: Client) -> dict[str, t.Any] | None:
    """Return the content of the lock, None if it is free."""
    try:
        body = client("s3").get_object(Bucket=bucket_of(client), Key=KEY)["Body"].read()
    except ClientError as error:
        assert error.response["Error"]["Code"] in ("NoSuchKey", "NoSuchBucket")
        return None
    content: dict[str, t.Any] = json.loads(body)
    return content


def release(client: Client) -> None:
    """Delete the lock, whoever holds it."""
    client("s3").delete_object(Bucket=bucket_of(client), Key=KEY)


def occupy(client: Client, *, lease: int = 120, **owner: t.Any) -> str:
    """Put the lock of another run in the place of the present one, and return its id."""
    theirs = {"who": "bob@ci", "token": "b0b", "machine": "another", "pid": 1, "started": "1", **owner}
    fields: dict[str, t.Any] = {
        "environment": "dev",
        "owner": theirs,
        "caller": "arn:aws:iam::1:user/bob",
        "command": "release.yml",
    }
    fields |= {"format": 1, "since": "2026-01-31T12:00:00Z", "lease": lease, "renewals": 0}
    client("s3").put_object(Bucket=bucket_of(client), Key=KEY, Body=json.dumps(fields).encode())
    return str(theirs["token"])
