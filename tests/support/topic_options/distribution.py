"""The options of `cloudfront_distribution` as Ansible hands them over."""

from __future__ import annotations

import typing as t

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.cloudfront_distribution import ARGUMENTS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.schema import conform_options

Make = t.Callable[..., dict[str, t.Any]]

COMMON = {"environment_name": "dev", "tags": {}, "region": "eu-central-1"}
BUCKET = {"name": "bucket", "bucket": "dev-site-example", "path": "/site", "origin_access_control": "site"}


def options(**given: t.Any) -> dict[str, t.Any]:
    """Return the options, completed by the argument spec as Ansible does."""
    problems = Problems()
    minimal = {"name": "site", "origins": [BUCKET], "behavior": {"functions": {"viewer-request": "site"}}}
    whole = conform_options(ARGUMENTS, {**minimal, **given}, "", problems)
    assert not problems.found
    return {**COMMON, **whole}
