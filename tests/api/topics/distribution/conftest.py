"""What a distribution refers to, and the options of `cloudfront_distribution` as Ansible hands them over."""

from __future__ import annotations

import typing as t
from functools import partial

import pytest
from cloud import Cloud
from topic_options import distribution
from topic_options.distribution import COMMON

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

CODE = "function handler(event) { return event.request; }"
KEY = {"headers": ["none"], "cookies": ["none"], "query_strings": ["none"]}
HEADERS: dict[str, t.Any] = {"security": None, "cors": None, "custom": {"X-Robots-Tag": "noindex"}, "remove": None}
TTLS = {"min_ttl": 1, "default_ttl": 60, "max_ttl": 3600, "gzip": True, "brotli": True}


@pytest.fixture
def options() -> distribution.Make:
    return distribution.options


def make_function(cloud: Cloud, name: str) -> None:
    cloud.run(converge_function, {**COMMON, "name": name, "code": CODE, "runtime": "cloudfront-js-2.0"})


@pytest.fixture
def furnish() -> t.Callable[[Cloud], None]:
    """Makes what the distribution refers to, each by the name `site`."""

    def make(cloud: Cloud) -> None:
        kinds = (
            (ORIGIN_ACCESS_CONTROL, parse_origin_access_control, {"signing": "always"}),
            (CACHE_POLICY, parse_cache_policy, {**TTLS, **KEY}),
            (RESPONSE_HEADERS_POLICY, parse_response_headers_policy, HEADERS),
        )
        for kind, parse, given in kinds:
            wanted = {**COMMON, "name": "site", **given}
            cloud.run(partial(converge_reusable, kind=kind, parse=parse), wanted)
        make_function(cloud, "site")

    return make
