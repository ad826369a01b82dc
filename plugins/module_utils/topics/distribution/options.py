# Copyright: the groundwork.aws developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of `cloudfront_distribution`: parsing and validation.

The result is CloudFront's configuration in canonical form (see `cloudfront.canonical`), with references instead of
ids. It contains only the members that the options describe. An update keeps the other members of a distribution.
https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DistributionConfig.html
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.groundwork.aws.plugins.module_utils.engine.errors import Problems
from ansible_collections.groundwork.aws.plugins.module_utils.engine.names import (
    CERTIFICATE_ARN,
    WEB_ACL_ARN,
    check_bucket,
)
from ansible_collections.groundwork.aws.plugins.module_utils.engine.placeholders import check_secrets
from ansible_collections.groundwork.aws.plugins.module_utils.engine.plan import KNOWN_AFTER_APPLY, Ref, references
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront import managed, reusable
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.functions import function_ref
from ansible_collections.groundwork.aws.plugins.module_utils.topics.cloudfront.policies import check_name
from ansible_collections.groundwork.aws.plugins.module_utils.topics.distribution.content import Content, check_content
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
# The members of a cache behavior without a cache policy. They cannot be combined with a cache policy.
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
    """The desired distribution. `config` is canonical, without CallerReference."""

    name: str
    config: t.Mapping[str, t.Any]
    wait: bool = True
    deadline: float = 900.0  # seconds
    content: Content = field(default_factory=dict)  # what the origins serve

    @property
    def uses(self) -> set[Ref]:
        """Return the references to origin access controls, functions and policies."""
        return set(references(self.config))

    @property
    def places(self) -> dict[Ref, str]:
        """Return for each reference the first option that contains it."""
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
    """Return the reference to the id (or `arn`, `domain_name`) of the distribution `name`."""
    return Ref("distribution", name, attribute)


def parse_distribution(options: Options, problems: Problems) -> Distribution | None:
    """Return the distribution that the module's options describe, or None after adding to `problems`."""
    before = len(problems.found)
    check_name(options["name"], problems)
    secrets = options.get("secrets")
    check_secrets(secrets or {}, problems)
    check_content(options["content"], "content", problems)
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
    deadline = float(options["deadline"])
    return Distribution(options["name"], config, options["wait"], deadline, options["content"])


def _aliases(given: t.Sequence[str], problems: Problems) -> list[str]:
    if len(given) > MOST_ALIASES:
        problems.add("aliases", f"contains {len(given)} names", f"give at most {MOST_ALIASES}")
    for at, name in enumerate(given):
        if not ALIAS.fullmatch(name):
            problems.add(f"aliases[{at}]", f"'{name}' is not a host name", "give one such as www.example.org")
    return sorted(set(given))


def _behaviors(given: t.Sequence[Options], origins: t.Sequence[str], problems: Problems) -> list[dict[str, t.Any]]:
    if len(given) > MOST_BEHAVIORS:
        problems.add("behaviors", f"contains {len(given)} cache behaviors", f"give at most {MOST_BEHAVIORS}")
    paths: set[str] = set()
    for at, one in enumerate(given):
        where = f"behaviors[{at}].path"
        if not PATH_PATTERN.fullmatch(one["path"]):
            problems.add(
                where,
                f"'{one['path']}' is not a path pattern",
                "give one such as /api/* or *.jpg, with at most 255 characters",
            )
        if one["path"].lstrip("/") in paths:
            problems.add(where, f"'{one['path']}' is used twice", "give each path once: CloudFront uses only the first")
        paths.add(one["path"].lstrip("/"))
    return [
        {"PathPattern": one["path"], **_behavior(one, origins, f"behaviors[{at}]", problems)}
        for at, one in enumerate(given)
    ]


def _behavior(given: Options, origins: t.Sequence[str], where: str, problems: Problems) -> dict[str, t.Any]:
    origin = given.get("origin") or (origins[0] if origins else "")
    if origin not in origins:
        right = f"use one of {', '.join(origins) or 'none'}"
        problems.add(f"{where}.origin", f"'{origin}' is not the name of an origin", right)
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
            wrong = f"'{event}' is not an event of CloudFront functions"
            problems.add(f"{where}.{event}", wrong, f"use {' or '.join(EVENTS)}")
        check_name(str(name), problems, f"{where}.{event}")
    return [{"EventType": event, "FunctionARN": function_ref(str(name))} for event, name in sorted(given.items())]


def _policy(name: str, kind: reusable.Kind, ids: t.Mapping[str, str], where: str, problems: Problems) -> t.Any:
    """Return the id of a managed policy, a reference to a policy of the environment, or None."""
    managed_id = ids.get(name.removeprefix("Managed-"))
    if managed_id:
        return managed_id
    if not name and kind is reusable.CACHE_POLICY:
        problems.add(where, "is empty", "give the name of a policy, such as CachingDisabled to cache nothing")
    if name:
        check_name(name, problems, where)
    return kind.ref(name) if name else None


def _error_pages(given: t.Sequence[Options], problems: Problems) -> list[dict[str, t.Any]]:
    seen: set[int] = set()
    for at, one in enumerate(given):
        where = f"error_pages[{at}]"
        if one["code"] not in ERROR_CODES:
            right = f"give one of {', '.join(map(str, ERROR_CODES))}"
            problems.add(f"{where}.code", f"CloudFront does not support error pages for {one['code']}", right)
        if one["code"] in seen:
            problems.add(f"{where}.code", f"{one['code']} is used twice", "give each code once")
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
        problems.add(f"{where}.page", f"'{one['page']}' does not begin with a slash", f"give /{one['page']}")
    if one["response_code"] and not one["page"]:
        problems.add(f"{where}.response_code", "requires page", "give page too")
    if one["response_code"] and one["response_code"] not in ANSWERED_CODES:
        right = f"give one of {', '.join(map(str, ANSWERED_CODES))}"
        problems.add(f"{where}.response_code", f"{one['response_code']} is not supported", right)
    if one["ttl"] < 0:
        problems.add(f"{where}.ttl", f"{one['ttl']} seconds is negative", "give 0 or more")


def _logging(bucket: str, prefix: str) -> dict[str, t.Any]:
    """Return the logging configuration. The bucket of standard logs needs ACLs.

    https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging.html
    """
    return {
        "Enabled": bool(bucket),
        "IncludeCookies": False,
        "Bucket": f"{bucket}.s3.amazonaws.com" if bucket else "",
        "Prefix": prefix if bucket else "",
    }


def _certificate(options: Options, problems: Problems) -> dict[str, t.Any]:
    """Return the ViewerCertificate. CloudFront's default certificate allows neither aliases nor a protocol version.

    https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_ViewerCertificate.html
    """
    arn = options["certificate_arn"]
    if options["aliases"] and not arn:
        right = "give the ARN of one in us-east-1 that covers all aliases, or in the role static_site set dns_zone"
        problems.add("certificate_arn", "is missing, and aliases require one", right)
    if arn and arn != KNOWN_AFTER_APPLY and not CERTIFICATE_ARN.fullmatch(arn):
        wrong = f"'{arn}' is not the ARN of an ACM certificate in us-east-1"
        problems.add("certificate_arn", wrong, "give one such as arn:aws:acm:us-east-1:<account>:certificate/<id>")
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
        wrong = f"'{root}' is not the name of an object"
        problems.add("default_root_object", wrong, "give one such as index.html, without a leading slash")
    if acl and not WEB_ACL_ARN.fullmatch(acl):
        wrong = f"'{acl}' is not the ARN of a web ACL for CloudFront"
        problems.add("web_acl_arn", wrong, "give the ARN of a WAFv2 web ACL with the scope CLOUDFRONT")
    if options["log_bucket"]:
        check_bucket(options["log_bucket"], problems, "log_bucket")
    if options["log_prefix"].startswith("/"):
        problems.add("log_prefix", f"'{options['log_prefix']}' begins with a slash", "give one such as site/")
    if len(options["comment"]) > LONGEST_COMMENT:
        problems.add("comment", f"has {len(options['comment'])} characters", f"use at most {LONGEST_COMMENT}")
    if not 1 <= options["deadline"] <= 86400:
        problems.add("deadline", f"{options['deadline']} seconds are out of range", "give 1 to 86400")
