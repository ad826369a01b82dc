"""All that a static site stands on, one module after the other as the role `static_site` runs them."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.cloudfront.functions import converge_function
from ansible_collections.groundwork.aws.plugins.module_utils.cloudfront.policies import parse_origin_access_control
from ansible_collections.groundwork.aws.plugins.module_utils.cloudfront.reusable import (
    ORIGIN_ACCESS_CONTROL,
    converge_reusable,
)
from ansible_collections.groundwork.aws.plugins.module_utils.distribution.arguments import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.distribution.run import converge_distribution
from ansible_collections.groundwork.aws.plugins.module_utils.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.preflight import conform_options
from ansible_collections.groundwork.aws.plugins.module_utils.running import Run
from ansible_collections.groundwork.aws.plugins.module_utils.site_bucket.access import converge_access
from ansible_collections.groundwork.aws.plugins.module_utils.site_bucket.bucket import converge_bucket

BUDGET = 12
BUCKET = "dev-site-example"
COMMON = {"environment_name": "dev", "tags": {}, "region": "eu-central-1", "name": "site", "bucket": BUCKET}
DISTRIBUTION = {
    "name": "site",
    "origins": [{"name": "site", "bucket": BUCKET, "path": "/site", "origin_access_control": "site"}],
    "behavior": {"response_headers_policy": "SecurityHeadersPolicy", "functions": {"viewer-request": "site"}},
    "error_pages": [{"code": 404, "page": "/404.html"}],
}
Step = tuple[t.Callable[[Run], dict[str, t.Any]], dict[str, t.Any]]


def access_control(run: Run) -> dict[str, t.Any]:
    return converge_reusable(run, ORIGIN_ACCESS_CONTROL, parse_origin_access_control)


@pytest.fixture
def steps() -> list[Step]:
    problems = Problems()
    distribution = conform_options(ARGUMENTS, DISTRIBUTION, "", problems)
    assert not problems.found
    code = {"code": "function handler(event) { return event.request; }", "runtime": "cloudfront-js-2.0"}
    return [
        (converge_bucket, {"keep_versions_days": 30, "kms_key_arn": ""}),
        (access_control, {"signing": "always"}),
        (converge_function, code),
        (converge_distribution, distribution),
        (converge_access, {"prefix": "site", "distribution": "site"}),
    ]


def run(cloud: t.Any, steps: t.Sequence[Step], told: t.Any, *, check_mode: bool = False) -> tuple[list[str], int]:
    """What all modules tell, and how many calls they made."""
    sentences, calls = [], 0
    for converge, options in steps:
        sentences += told(cloud.run(converge, {**COMMON, **options}, check_mode=check_mode))
        calls += len(cloud.calls)
        assert not (check_mode and cloud.writes)
    return sentences, calls


def test_the_plan_of_an_empty_account_is_the_run_and_nothing_is_done_twice(
    cloud: t.Any, steps: list[Step], told: t.Any
) -> None:
    planned, _calls = run(cloud, steps, told, check_mode=True)
    done, _calls = run(cloud, steps, told)
    assert planned == done
    assert done == [
        f"create bucket {BUCKET}",
        f"update bucket versioning {BUCKET}",
        f"update bucket lifecycle {BUCKET}",
        "create origin access control site",
        "create function site",
        "create distribution site",
        f"create bucket policy {BUCKET}",
    ]
    assert run(cloud, steps, told) == ([], BUDGET)
