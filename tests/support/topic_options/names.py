"""The options of `acm_certificates` and `route53_records` as Ansible completes them."""

from __future__ import annotations

import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.groundwork.aws.plugins.module_utils.arguments.acm_certificates import ARGUMENTS as CERTIFICATES
from ansible_collections.groundwork.aws.plugins.module_utils.arguments.route53_records import ARGUMENTS as RECORDS
from ansible_collections.groundwork.aws.plugins.module_utils.engine.arguments import COMMON_ARGUMENTS

WEB = {"name": "alb-public", "names": ["www.example.com", "example.com"]}
SITE = {"name": "site", "names": ["static.example.com"], "region": "us-east-1"}
TARGET = "dev-public-1.eu-central-1.elb.amazonaws.com"
ALIAS = {"name": "www.example.com", "target": TARGET, "zone_id": "Z215JYRZR1TBD5"}
EDGE = {"name": "static.example.com", "target": "d111111abcdef8.cloudfront.net", "ipv6": True}


def certificates(*wanted: t.Mapping[str, t.Any], **given: t.Any) -> dict[str, t.Any]:
    """Return the options of `acm_certificates`."""
    return _completed(CERTIFICATES, {"certificates": list(wanted), **given})


def records(*aliases: t.Mapping[str, t.Any], **given: t.Any) -> dict[str, t.Any]:
    """Return the options of `route53_records`."""
    return _completed(RECORDS, {"zone": "example.com", "aliases": list(aliases), **given})


def _completed(spec: dict[str, t.Any], given: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    region = given.get("region", "eu-central-1")
    own = {"environment_name": "dev", **{key: value for key, value in given.items() if key != "region"}}
    result = ArgumentSpecValidator({**COMMON_ARGUMENTS, **spec}).validate(own)
    assert result.error_messages == []
    return {**result.validated_parameters, "region": region}
