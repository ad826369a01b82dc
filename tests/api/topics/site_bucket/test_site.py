"""All that a static site stands on, one module after the other as the role `static_site` runs them."""

from __future__ import annotations

import typing as t

import pytest
from cloud import Cloud, told

from ansible_collections.groundwork.aws.plugins.module_utils.arguments import (
    cloudfront_distribution,
    cloudfront_response_headers_policy,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.run import Run
from ansible_collections.groundwork.aws.plugins.module_utils.engine.schema import conform_options
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.functions import converge_function
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.policies import (
    parse_cache_policy,
    parse_origin_access_control,
    parse_response_headers_policy,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.reusable import (
    CACHE_POLICY,
    ORIGIN_ACCESS_CONTROL,
    RESPONSE_HEADERS_POLICY,
    converge_reusable,
)
from ansible_collections.groundwork.aws.plugins.module_utils.topics.distribution.run import converge_distribution
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_bucket.access import converge_access
from ansible_collections.groundwork.aws.plugins.module_utils.topics.site_bucket.bucket import converge_bucket

BUDGET = 12
BUCKET = "dev-site-example"
COMMON: dict[str, t.Any] = {
    "environment_name": "dev",
    "tags": {},
    "region": "eu-central-1",
    "name": "site",
    "bucket": BUCKET,
}
ORIGIN = {"name": "site", "bucket": BUCKET, "path": "/site", "origin_access_control": "site"}
BEHAVIOR = {"response_headers_policy": "SecurityHeadersPolicy", "functions": {"viewer-request": "site"}}
KEY: dict[str, t.Any] = {"headers": ["none"], "cookies": ["none"], "query_strings": ["none"]}
CACHE_POLICY_OPTIONS = {"min_ttl": 1, "default_ttl": 60, "max_ttl": 3600, "gzip": True, "brotli": True, **KEY}
Step = tuple[t.Callable[[Run], dict[str, t.Any]], dict[str, t.Any]]


def access_control(run: Run) -> dict[str, t.Any]:
    return converge_reusable(run, ORIGIN_ACCESS_CONTROL, parse_origin_access_control)


def headers_policy(run: Run) -> dict[str, t.Any]:
    return converge_reusable(run, RESPONSE_HEADERS_POLICY, parse_response_headers_policy)


def steps(**behavior: str) -> list[Step]:
    """The modules with their options; `behavior` is the distribution's beside the role's defaults."""
    problems = Problems()
    given = {
        "name": "site",
        "origins": [ORIGIN],
        "behavior": {**BEHAVIOR, **behavior},
        "error_pages": [{"code": 404, "page": "/404.html"}],
    }
    distribution = conform_options(cloudfront_distribution.ARGUMENTS, given, "", problems)
    custom = {"name": "site", "custom": {"X-Robots-Tag": "noindex"}}
    headers = conform_options(cloudfront_response_headers_policy.ARGUMENTS, custom, "", problems)
    assert not problems.found
    code = {"code": "function handler(event) { return event.request; }", "runtime": "cloudfront-js-2.0"}
    own_headers = [(headers_policy, headers)] if "response_headers_policy" in behavior else []
    return [
        (converge_bucket, {"keep_versions_days": 30, "kms_key_arn": ""}),
        (access_control, {"signing": "always"}),
        (converge_function, code),
        *own_headers,
        (converge_distribution, distribution),
        (converge_access, {"prefix": "site", "distribution": "site"}),
    ]


def run(cloud: Cloud, steps: t.Sequence[Step], *, check_mode: bool = False) -> tuple[list[str], int]:
    """What all modules tell, and how many calls they made."""
    sentences, calls = [], 0
    for converge, options in steps:
        sentences += told(cloud.run(converge, {**COMMON, **options}, check_mode=check_mode))
        calls += len(cloud.calls)
        assert not (check_mode and cloud.writes)
    return sentences, calls


def test_the_plan_of_an_empty_account_is_the_run_and_nothing_is_done_twice(cloud: Cloud) -> None:
    planned, _calls = run(cloud, steps(), check_mode=True)
    done, _calls = run(cloud, steps())
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


@pytest.mark.parametrize(
    ("behavior", "calls"),
    [
        ({}, 11),
        ({"cache_policy": "site"}, 11),
        ({"response_headers_policy": "site"}, BUDGET),
        ({"response_headers_policy": "site", "cache_policy": "site"}, BUDGET),
    ],
)
def test_nothing_to_do_is_seen_within_the_budget(cloud: Cloud, behavior: dict[str, str], calls: int) -> None:
    """A cache policy of one's own is made by whoever wants it; the role only refers to it."""
    own = {**COMMON, **CACHE_POLICY_OPTIONS}
    cloud.run(lambda run: converge_reusable(run, CACHE_POLICY, parse_cache_policy), own)
    assert run(cloud, steps(**behavior))[0]
    assert run(cloud, steps(**behavior)) == ([], calls)
    assert calls <= BUDGET
