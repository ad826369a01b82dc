# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a distribution should be: the options of `cloudfront_distribution`, read and checked without asking AWS.

The result is CloudFront's own configuration in canonical form (see `cloudfront.canonical`), with references where an
id is needed. It holds what the options say and nothing else; what there is keeps all its other members.
https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DistributionConfig.html
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import (
    CERTIFICATE_ARN,
    WEB_ACL_ARN,
    check_bucket,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.placeholders import check_secrets
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import Ref, references
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront import managed, reusable
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.functions import function_ref
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.policies import check_name
from ansible_collections.groundwork.aws.plugins.module_utils.topics.distribution.origins import parse_origins

COMPONENT = reusable.COMPONENT
METHODS: t.Mapping[str, tuple[str, ...]] = {
    "read": ("GET", "HEAD"),
    "read-options": ("GET", "HEAD", "OPTIONS"),
    "all": ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"),
}
EVENTS = ("viewer-request", "viewer-response")
POLICIES = (
    ("cache_policy", "CachePolicyId", reusable.CACHE_POLICY, managed.CACHE_POLICIES),
    ("origin_request_policy", "OriginRequestPolicyId", reusable.ORIGIN_REQUEST_POLICY, managed.ORIGIN_REQUEST_POLICIES),
    (
        "response_headers_policy",
        "ResponseHeadersPolicyId",
        reusable.RESPONSE_HEADERS_POLICY,
        managed.RESPONSE_HEADERS_POLICIES,
    ),
)
# What a behaviour without a cache policy has instead; the two exclude each other.
LEGACY = ("ForwardedValues", "MinTTL", "DefaultTTL", "MaxTTL")

# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/creating-custom-error-pages.html
ERROR_CODES = (400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504)
ANSWERED_CODES = (200, *ERROR_CODES)
PATH_PATTERN = re.compile(r"[A-Za-z0-9_.*$/~\"'@:+&?-]{1,255}")
ALIAS = re.compile(r"(\*\.)?([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")
ROOT_OBJECT = re.compile(r"[A-Za-z0-9_.~$'@:+-][A-Za-z0-9_./~$'@:+-]*")
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html
MOST_BEHAVIORS = 75
MOST_ALIASES = 100
LONGEST_COMMENT = 128

Options = t.Mapping[str, t.Any]


@dataclass(frozen=True)
class Distribution:
    """`config` is canonical, without CallerReference."""

    name: str
    config: t.Mapping[str, t.Any]
    wait: bool = True
    deadline: float = 900.0  # seconds

    @property
    def uses(self) -> set[Ref]:
        """What it refers to by name: access controls, functions, policies."""
        return set(references(self.config))

    @property
    def places(self) -> dict[Ref, str]:
        """The option that names each of them first."""
        found: dict[Ref, str] = {}
        for at, origin in enumerate(self.config["Origins"]):
            for ref in references(origin):
                found.setdefault(ref, f"origins[{at}].origin_access_control")
        behaviors = [("behavior", self.config["DefaultCacheBehavior"])]
        behaviors += [(f"behaviors[{at}]", one) for at, one in enumerate(self.config["CacheBehaviors"])]
        for where, behavior in behaviors:
            for option, member, _kind, _ids in POLICIES:
                for ref in references(behavior[member]):
                    found.setdefault(ref, f"{where}.{option}")
            for one in behavior["FunctionAssociations"]:
                found.setdefault(one["FunctionARN"], f"{where}.functions.{one['EventType']}")
        return found


def distribution_ref(name: str, attribute: str = "id") -> Ref:
    """The id (or `arn`, `domain_name`) of the distribution that people call `name`."""
    return Ref("distribution", name, attribute)


def parse_distribution(options: Options, problems: Problems) -> Distribution | None:
    """The distribution of the options of `cloudfront_distribution`, or None when `problems` has grown."""
    before = len(problems.found)
    check_name(options["name"], problems)
    secrets = options.get("secrets")
    check_secrets(secrets or {}, problems)
    origins = parse_origins(options["origins"], options.get("region") or "", secrets, problems)
    names = [origin["Id"] for origin in origins]
    config = {
        "Aliases": _aliases(options["aliases"], problems),
        "CacheBehaviors": _behaviors(options["behaviors"], names, problems),
        "Comment": options["comment"],
        "CustomErrorResponses": _error_pages(options["error_pages"], problems),
        "DefaultCacheBehavior": _behavior(options["behavior"], names, "behavior", problems),
        "DefaultRootObject": options["default_root_object"],
        "Enabled": options["enabled"],
        "HttpVersion": options["http_version"],
        "IsIPV6Enabled": options["ipv6"],
        "Logging": _logging(options["log_bucket"], options["log_prefix"]),
        "Origins": origins,
        "PriceClass": options["price_class"],
        "ViewerCertificate": _certificate(options, problems),
        **({} if options["web_acl_arn"] is None else {"WebACLId": options["web_acl_arn"]}),
    }
    _check_texts(options, problems)
    if len(problems.found) > before:
        return None
    return Distribution(options["name"], config, options["wait"], float(options["deadline"]))


def _aliases(given: t.Sequence[str], problems: Problems) -> list[str]:
    if len(given) > MOST_ALIASES:
        problems.add("aliases", f"{len(given)} names are too many", f"use at most {MOST_ALIASES}")
    for at, name in enumerate(given):
        if not ALIAS.fullmatch(name):
            problems.add(f"aliases[{at}]", f"'{name}' is no host name", "give one like www.example.org")
    return sorted(set(given))


def _behaviors(given: t.Sequence[Options], origins: t.Sequence[str], problems: Problems) -> list[dict[str, t.Any]]:
    if len(given) > MOST_BEHAVIORS:
        problems.add("behaviors", f"{len(given)} are too many", f"use at most {MOST_BEHAVIORS}")
    paths: set[str] = set()
    for at, one in enumerate(given):
        where = f"behaviors[{at}].path"
        if not PATH_PATTERN.fullmatch(one["path"]):
            problems.add(
                where, f"'{one['path']}' is no pattern", "give one like /api/* or *.jpg, at most 255 characters"
            )
        if one["path"].lstrip("/") in paths:
            problems.add(where, f"'{one['path']}' is there twice", "only the first would ever be used")
        paths.add(one["path"].lstrip("/"))
    return [
        {"PathPattern": one["path"], **_behavior(one, origins, f"behaviors[{at}]", problems)}
        for at, one in enumerate(given)
    ]


def _behavior(given: Options, origins: t.Sequence[str], where: str, problems: Problems) -> dict[str, t.Any]:
    origin = given.get("origin") or (origins[0] if origins else "")
    if origin not in origins:
        right = f"the origins are {', '.join(origins) or 'none'}"
        problems.add(f"{where}.origin", f"there is no origin '{origin}'", right)
    return {
        "TargetOriginId": origin,
        "ViewerProtocolPolicy": given["viewer_protocol"],
        "AllowedMethods": {"Items": sorted(METHODS[given["methods"]]), "CachedMethods": ["GET", "HEAD"]},
        "Compress": given["compress"],
        "FunctionAssociations": _functions(given["functions"] or {}, f"{where}.functions", problems),
        **{
            member: _policy(given[option] or "", kind, ids, f"{where}.{option}", problems)
            for option, member, kind, ids in POLICIES
        },
        **dict.fromkeys(LEGACY),
    }


def _functions(given: Options, where: str, problems: Problems) -> list[dict[str, t.Any]]:
    for event, name in given.items():
        if event not in EVENTS:
            problems.add(f"{where}.{event}", "CloudFront functions do not run then", f"use {' or '.join(EVENTS)}")
        check_name(str(name), problems, f"{where}.{event}")
    return [{"EventType": event, "FunctionARN": function_ref(str(name))} for event, name in sorted(given.items())]


def _policy(name: str, kind: reusable.Kind, ids: t.Mapping[str, str], where: str, problems: Problems) -> t.Any:
    """A managed policy's id, a reference to one of ours, or None."""
    managed_id = ids.get(name.removeprefix("Managed-"))
    if managed_id:
        return managed_id
    if not name and kind is reusable.CACHE_POLICY:
        problems.add(where, "it is empty", "name a policy; CachingDisabled caches nothing")
    if name:
        check_name(name, problems, where)
    return kind.ref(name) if name else None


def _error_pages(given: t.Sequence[Options], problems: Problems) -> list[dict[str, t.Any]]:
    seen: set[int] = set()
    for at, one in enumerate(given):
        where = f"error_pages[{at}]"
        if one["code"] not in ERROR_CODES:
            right = f"give one of {', '.join(map(str, ERROR_CODES))}"
            problems.add(f"{where}.code", f"CloudFront has no error pages for {one['code']}", right)
        if one["code"] in seen:
            problems.add(f"{where}.code", f"{one['code']} is there twice", "give every code once")
        seen.add(one["code"])
        _check_error_page(one, where, problems)
    return [
        {
            "ErrorCode": one["code"],
            "ResponsePagePath": one["page"] or "",
            "ResponseCode": str(one["response_code"] or one["code"]) if one["page"] else "",
            "ErrorCachingMinTTL": one["ttl"],
        }
        for one in sorted(given, key=lambda one: str(one["code"]))
    ]


def _check_error_page(one: Options, where: str, problems: Problems) -> None:
    if one["page"] and not one["page"].startswith("/"):
        problems.add(f"{where}.page", f"'{one['page']}' is no path", f"give /{one['page']}")
    if one["response_code"] and not one["page"]:
        problems.add(f"{where}.response_code", "there is no page to answer with", "give page too")
    if one["response_code"] and one["response_code"] not in ANSWERED_CODES:
        right = f"give one of {', '.join(map(str, ANSWERED_CODES))}"
        problems.add(f"{where}.response_code", f"{one['response_code']} is no code to answer with", right)
    if one["ttl"] < 0:
        problems.add(f"{where}.ttl", f"{one['ttl']} seconds cannot be", "give 0 or more")


def _logging(bucket: str, prefix: str) -> dict[str, t.Any]:
    """Standard logs need a bucket with ACLs: https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging.html"""
    return {
        "Enabled": bool(bucket),
        "IncludeCookies": False,
        "Bucket": f"{bucket}.s3.amazonaws.com" if bucket else "",
        "Prefix": prefix if bucket else "",
    }


def _certificate(options: Options, problems: Problems) -> dict[str, t.Any]:
    """CloudFront's own certificate serves its own name only, and its protocols cannot be chosen.

    https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ViewerCertificate.html
    """
    arn = options["certificate_arn"]
    if options["aliases"] and not arn:
        right = "give the ARN of a certificate in us-east-1 that covers all aliases"
        problems.add("certificate_arn", "it is missing, and aliases need one", right)
    if arn and not CERTIFICATE_ARN.fullmatch(arn):
        problems.add("certificate_arn", f"'{arn}' is no certificate of ACM in us-east-1", "give its ARN")
    if not arn:
        return {"CloudFrontDefaultCertificate": True, "ACMCertificateArn": None, "IAMCertificateId": None}
    return {
        "CloudFrontDefaultCertificate": False,
        "ACMCertificateArn": arn,
        "IAMCertificateId": None,
        "SSLSupportMethod": "sni-only",
        "MinimumProtocolVersion": options["minimum_tls"],
    }


def _check_texts(options: Options, problems: Problems) -> None:
    root, acl = options["default_root_object"], options["web_acl_arn"]
    if root and not ROOT_OBJECT.fullmatch(root):
        problems.add("default_root_object", f"'{root}' is no object's name", "give it without a leading slash")
    if acl and not WEB_ACL_ARN.fullmatch(acl):
        problems.add("web_acl_arn", f"'{acl}' is no web ACL for CloudFront", "give a WAFv2 ARN of scope CLOUDFRONT")
    if options["log_bucket"]:
        check_bucket(options["log_bucket"], problems, "log_bucket")
    if options["log_prefix"].startswith("/"):
        problems.add("log_prefix", f"'{options['log_prefix']}' begins with a slash", "give one like site/")
    if len(options["comment"]) > LONGEST_COMMENT:
        problems.add("comment", f"it has {len(options['comment'])} characters", f"use at most {LONGEST_COMMENT}")
    if not 1 <= options["deadline"] <= 86400:
        problems.add("deadline", f"{options['deadline']} seconds are out of range", "give 1 to 86400")
