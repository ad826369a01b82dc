"""What a distribution refers to, and the options of `cloudfront_distribution` as Ansible hands them over."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.cloudfront_distribution import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
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

COMMON = {"environment_name": "dev", "tags": {}, "region": "eu-central-1"}
CODE = "function handler(event) { return event.request; }"
BUCKET = {"name": "bucket", "bucket": "dev-site-example", "path": "/site", "origin_access_control": "site"}
KEY = {"headers": ["none"], "cookies": ["none"], "query_strings": ["none"]}
HEADERS: dict[str, t.Any] = {"security": None, "cors": None, "custom": {"X-Robots-Tag": "noindex"}, "remove": None}
TTLS = {"min_ttl": 1, "default_ttl": 60, "max_ttl": 3600, "gzip": True, "brotli": True}

Make = t.Callable[..., dict[str, t.Any]]


@pytest.fixture
def options() -> Make:
    """The options, completed by the argument spec as Ansible does."""

    def make(**given: t.Any) -> dict[str, t.Any]:
        problems = Problems()
        minimal = {"name": "site", "origins": [BUCKET], "behavior": {"functions": {"viewer-request": "site"}}}
        whole = conform_options(ARGUMENTS, {**minimal, **given}, "", problems)
        assert not problems.found
        return {**COMMON, **whole}

    return make


def make_function(cloud: t.Any, name: str) -> None:
    cloud.run(converge_function, {**COMMON, "name": name, "code": CODE, "runtime": "cloudfront-js-2.0"})


@pytest.fixture
def furnish() -> t.Callable[[t.Any], None]:
    """Makes what the distribution refers to, each by the name `site`."""

    def make(cloud: t.Any) -> None:
        kinds = (
            (ORIGIN_ACCESS_CONTROL, parse_origin_access_control, {"signing": "always"}),
            (CACHE_POLICY, parse_cache_policy, {**TTLS, **KEY}),
            (RESPONSE_HEADERS_POLICY, parse_response_headers_policy, HEADERS),
        )
        for kind, parse, given in kinds:
            wanted = {**COMMON, "name": "site", **given}
            cloud.run(lambda run, kind=kind, parse=parse: converge_reusable(run, kind, parse), wanted)
        make_function(cloud, "site")

    return make
