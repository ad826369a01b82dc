"""The syntax checks of a bucket policy, with S3's error messages. Pure functions.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-bucket-policies.html and
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NoReturn

from groundwork_lab.aws.context import refuse
from groundwork_lab.aws.s3 import policies
from groundwork_lab.aws.s3.policies import as_list

LARGEST = 20 * 1024  # bytes
VERSIONS = ("2008-10-17", "2012-10-17")
POLICY = {"Version", "Id", "Statement"}
STATEMENT = {
    "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition",
}  # fmt: skip
PRINCIPALS = {"AWS", "Service", "Federated", "CanonicalUser"}
PRINCIPAL = re.compile(r"\*|\d{12}|arn:aws:(iam|sts)::(\d{12}|cloudfront):.+")
KEYS = {  # without the prefix, in lower case
    "aws": frozenset({
        "assumedroot", "calledvia", "calledviafirst", "calledvialast", "chatbotsourcearn", "currenttime",
        "ec2instancesourceprivateipv4", "ec2instancesourcevpc", "epochtime", "federatedprovider",
        "ismcpserviceaction", "multifactorauthage", "multifactorauthpresent", "principalaccount", "principalarn",
        "principalisawsservice", "principalorgid", "principalorgpaths", "principalservicename",
        "principalservicenameslist", "principaltype", "referer", "requestedregion", "resourceaccount",
        "resourceorgid", "resourceorgpaths", "rolesessionname", "securetransport", "sourceaccount", "sourcearn",
        "sourceidentity", "sourceip", "sourceorgid", "sourceorgpaths", "sourceowner", "sourcevpc", "sourcevpcarn",
        "sourcevpce", "tagkeys", "tokenissuetime", "useragent", "userid", "username", "viaawsservice",
        "vpceaccount", "vpceorgid", "vpceorgpaths", "vpcsourceip"
    }),
    "s3": frozenset({
        "accessgrantscope", "accessgrantsinstancearn", "accessgrantslocationscope", "accesspointnetworkorigin",
        "annotation-prefix", "authtype", "dataaccesspointaccount", "dataaccesspointarn", "delimiter",
        "deliverysourcearn", "destinationregion", "existingjoboperation", "existingjobpriority", "if-match",
        "if-none-match", "inventoryaccessibleoptionalfields", "isreplicationpauserequest", "jobsuspendedcause",
        "locationconstraint", "logtype", "max-annotation-results", "max-keys", "object-lock-event-hold",
        "object-lock-event-hold-duration-days", "object-lock-legal-hold", "object-lock-mode",
        "object-lock-remaining-retention-days", "object-lock-retain-until-date", "objectcreationoperation",
        "prefix", "requestjoboperation", "requestjobpriority", "requestobjecttagkeys", "resourceaccount",
        "resourcearnbeingauthorized", "signatureage", "signatureversion", "tlsversion", "versionid", "x-amz-acl",
        "x-amz-bucket-namespace", "x-amz-content-sha256", "x-amz-copy-source", "x-amz-grant-full-control",
        "x-amz-grant-read", "x-amz-grant-read-acp", "x-amz-grant-write", "x-amz-grant-write-acp",
        "x-amz-metadata-directive", "x-amz-object-annotation-directive", "x-amz-object-if-match",
        "x-amz-object-ownership", "x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id",
        "x-amz-server-side-encryption-customer-algorithm", "x-amz-storage-class", "x-amz-website-redirect-location"
    }),
}  # fmt: skip
TAG_KEYS = {
    "aws": frozenset({"principaltag", "requesttag", "resourcetag"}),
    "s3": frozenset({"accesspointtag", "buckettag", "existingobjecttag", "requestobjecttag"}),
}
ACCOUNT = re.compile(r"\d{12}")
_ON_OBJECTS = re.compile(
    r"s3:(?:(?:Get|Put|Delete|Restore|Replicate)Object|AbortMultipart|ListMultipartUploadParts|Bypass)"
)


def parsed(body: bytes, bucket: str) -> dict[str, Any]:
    """Return the policy in a request's body. Refuse an invalid policy with MalformedPolicy."""
    if len(body) > LARGEST:
        refuse("PolicyTooLarge", f"Your policy exceeds the maximum allowed document size of {LARGEST} bytes.")
    try:
        policy = json.loads(body)
    except ValueError:
        malformed("Policies must be valid JSON and the first byte must be '{'")
    if not isinstance(policy, dict):
        malformed("Policies must be valid JSON and the first byte must be '{'")
    _check_fields(policy, POLICY)
    if policy.get("Version", VERSIONS[0]) not in VERSIONS:
        malformed("The policy must contain a valid version string")
    found = policies.statements(policy)
    if not found:
        malformed("Missing required field Statement")
    for statement in found:
        _check_statement(statement, f"arn:aws:s3:::{bucket}")
    return policy


def normalized(policy: Mapping[str, Any]) -> dict[str, Any]:
    """Return the policy as S3 returns it: a list of one text is a text, and an account is the ARN of its root user.

    AWS' documentation does not mention it: https://github.com/hashicorp/terraform/pull/4278 and
    https://github.com/noobaa/noobaa-core/issues/10059
    """
    return {**policy, "Statement": [_statement(each) for each in policies.statements(policy)]}


def _statement(statement: Mapping[str, Any]) -> dict[str, Any]:
    told = {name: _single(value) for name, value in statement.items()}
    for name in ("Principal", "NotPrincipal"):
        if isinstance(told.get(name), dict) and "AWS" in told[name]:
            arns = [
                f"arn:aws:iam::{each}:root" if ACCOUNT.fullmatch(each) else each for each in as_list(told[name]["AWS"])
            ]
            told[name] = {**told[name], "AWS": _single(arns)}
    return told


def _single(value: Any) -> Any:
    """Return the text of each list that has one only."""
    if isinstance(value, dict):
        return {name: _single(each) for name, each in value.items()}
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def malformed(message: str) -> NoReturn:
    refuse("MalformedPolicy", message)


def _check_fields(structure: Mapping[str, Any], known: set[str]) -> None:
    for name in structure:
        if name not in known:
            malformed(f"Unknown field {name}")


def _check_statement(statement: object, bucket: str) -> None:
    if not isinstance(statement, dict):
        malformed("Invalid policy syntax.")
    _check_fields(statement, STATEMENT)
    for name in ("Effect", "Principal", "Action", "Resource"):
        given = [each for each in (name, f"Not{name}") if each in statement]
        if not given:
            malformed(f"Missing required field {name}")
        if len(given) > 1:
            malformed("Invalid policy syntax.")
    if statement["Effect"] not in ("Allow", "Deny"):
        malformed(f"Invalid effect: {statement['Effect']}")
    _check_principal(statement.get("Principal", statement.get("NotPrincipal")))
    actions = as_list(statement.get("Action", statement.get("NotAction")))
    resources = as_list(statement.get("Resource", statement.get("NotResource")))
    if not actions or not all(isinstance(each, str) and re.fullmatch(r"\*|s3:[A-Za-z*?]+", each) for each in actions):
        malformed("Policy has invalid action")
    if not resources or not all(isinstance(each, str) and _is_within(each, bucket) for each in resources):
        malformed("Policy has invalid resource")
    if "Action" in statement and "Resource" in statement:
        _check_reach(actions, resources)
    _check_conditions(statement.get("Condition") or {})


def _is_within(resource: str, bucket: str) -> bool:
    name, _, _ = resource.partition("/")
    return policies.is_like(bucket, name)


def _check_reach(actions: list[str], resources: list[str]) -> None:
    """Refuse actions on objects without an object's ARN, and actions on buckets without a bucket's ARN."""
    on_objects = any("/" in each or each.endswith("*") for each in resources)
    on_buckets = any("/" not in each for each in resources)
    for action in actions:
        wild = "*" in action or "?" in action
        if not wild and not (on_objects if _ON_OBJECTS.match(action) else on_buckets):
            malformed("Action does not apply to any resource(s) in statement")


def _check_principal(principal: object) -> None:
    if principal == "*":
        return
    if not isinstance(principal, dict) or not principal or set(principal) - PRINCIPALS:
        malformed("Invalid policy syntax.")
    for kind, names in principal.items():
        for name in as_list(names):
            if not isinstance(name, str) or not _is_name(kind, name):
                malformed("Invalid principal in policy")


def _is_name(kind: str, name: str) -> bool:
    if kind == "AWS":
        return PRINCIPAL.fullmatch(name) is not None
    return kind != "Service" or re.fullmatch(r"[a-z0-9.-]+\.amazonaws\.com", name) is not None


def is_condition_key(name: str) -> bool:
    """Return whether a bucket policy can have this condition key. Upper and lower case are the same.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html and
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html#amazons3-policy-keys
    """
    service, _, key = name.lower().partition(":")
    family, _, tag = key.partition("/")
    return key in KEYS.get(service, ()) or (bool(tag) and family in TAG_KEYS.get(service, ()))


def _check_conditions(condition: object) -> None:
    if not isinstance(condition, dict):
        malformed("Invalid policy syntax.")
    for operator, keys in condition.items():
        plain = operator.removesuffix(policies.SUFFIX).split(":")[-1]
        known = plain in policies.OPERATORS or plain in policies.NEGATED or policies.UNKNOWN.fullmatch(plain)
        if not known:
            malformed(f"Invalid Condition type : {operator}")
        if not isinstance(keys, dict):
            malformed("Invalid policy syntax.")
        for key in keys:
            if not is_condition_key(key):
                malformed("Policy has an invalid condition key")
