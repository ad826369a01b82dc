"""Evaluation of bucket policies. Pure functions.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html and, for the meaning of
public,
https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

Policy = Mapping[str, Any]
Statement = Mapping[str, Any]


@dataclass(frozen=True)
class Request:
    """A request to evaluate. `service` is an AWS service principal, or "" for an anonymous request.

    `context` holds the condition keys of the request in lower case.
    """

    action: str
    resource: str
    service: str = ""
    context: Mapping[str, str] = field(default_factory=dict)


def allows(policy: Policy, request: Request) -> bool:
    """Return whether a statement allows the request and none denies it."""
    effects = {each.get("Effect") for each in statements(policy) if _concerns(each, request)}
    return "Allow" in effects and "Deny" not in effects


def statements(policy: Policy) -> list[Statement]:
    return as_list(policy.get("Statement"))


def as_list(value: object) -> list[Any]:
    """Return the value as a list. An element of a policy may be a single value instead of a list."""
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _concerns(statement: Statement, request: Request) -> bool:
    return (
        _is_principal(statement, request)
        and _covered(statement, "Action", request.action, ignore_case=True)
        and _covered(statement, "Resource", request.resource)
        and _meets(statement, request)
    )


def _is_principal(statement: Statement, request: Request) -> bool:
    if "NotPrincipal" in statement:
        return not _names(statement["NotPrincipal"], request)
    return _names(statement.get("Principal"), request)


def _names(principal: object, request: Request) -> bool:
    if not isinstance(principal, Mapping):
        return principal == "*"
    return "*" in as_list(principal.get("AWS")) or (
        bool(request.service) and request.service in as_list(principal.get("Service"))
    )


def _covered(statement: Statement, element: str, value: str, *, ignore_case: bool = False) -> bool:
    """Return whether `Action` or `Resource` matches the value, or `NotAction` or `NotResource` does not."""
    excluded = f"Not{element}" in statement
    patterns = as_list(statement.get(f"Not{element}" if excluded else element))
    return any(is_like(value, str(each), ignore_case=ignore_case) for each in patterns) != excluded


def is_like(value: str, pattern: str, *, ignore_case: bool = False) -> bool:
    """Return whether the value matches the pattern. `*` matches any text, `?` matches one character."""
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, value, re.DOTALL | (re.IGNORECASE if ignore_case else 0)) is not None


def _arn_like(value: str, pattern: str) -> bool:
    """Return whether the ARNs match part by part. `*` does not match a colon, except in the last part."""
    values, patterns = value.split(":", 5), pattern.split(":", 5)
    return len(values) == len(patterns) and all(map(is_like, values, patterns))


def _in_network(value: str, network: str) -> bool:
    return ip_address(value) in ip_network(network, strict=False)


OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda value, wanted: value == wanted,
    "StringEqualsIgnoreCase": lambda value, wanted: value.lower() == wanted.lower(),
    "StringLike": is_like,
    "ArnEquals": _arn_like,
    "ArnLike": _arn_like,
    "Bool": lambda value, wanted: value.lower() == wanted.lower(),
    "IpAddress": _in_network,
}
NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NotIpAddress": "IpAddress",
}
UNKNOWN = re.compile(r"Null|(Numeric|Date)(Not)?(Equals|LessThan(Equals)?|GreaterThan(Equals)?)|BinaryEquals")
SUFFIX = "IfExists"
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html


def conditions(statement: Statement) -> Iterator[tuple[str, str, list[str]]]:
    """Yield (operator, key in lower case, values) of each condition."""
    for operator, keys in (statement.get("Condition") or {}).items():
        for key, values in keys.items():
            yield operator, key.lower(), [_text(each) for each in as_list(values)]


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _meets(statement: Statement, request: Request) -> bool:
    """Return whether all conditions are met.

    A condition that the lab cannot evaluate counts as not met for an Allow, and as met for a Deny.
    """
    for operator, key, values in conditions(statement):
        met = _met(operator, request.context.get(key), values)
        if met is None and statement.get("Effect") == "Deny":
            continue
        if not met:
            return False
    return True


def _met(operator: str, value: str | None, wanted: list[str]) -> bool | None:
    plain = operator.removesuffix(SUFFIX)
    negated = plain in NEGATED
    test = OPERATORS.get(NEGATED.get(plain, plain))
    if test is None:
        return None
    if value is None:
        return negated or operator.endswith(SUFFIX)
    return any(test(value, each) for each in wanted) != negated


FIXING = frozenset({  # condition keys that make a statement not public, if their value is fixed
    "aws:principalaccount", "aws:principalarn", "aws:principalorgid", "aws:sourceaccount", "aws:sourcearn",
    "aws:sourceip", "aws:sourceowner", "aws:sourcevpc", "aws:sourcevpce", "aws:userid",
    "s3:dataaccesspointaccount", "s3:dataaccesspointarn", "s3:x-amz-server-side-encryption-aws-kms-key-id",
})  # fmt: skip


def is_public(policy: Policy) -> bool:
    """Return whether a statement grants access to everyone, by S3's meaning of public."""
    return any(each.get("Effect") == "Allow" and _is_for_everyone(each) for each in statements(policy))


def _is_for_everyone(statement: Statement) -> bool:
    principal = statement.get("Principal")
    everyone = principal == "*" or (isinstance(principal, Mapping) and "*" in as_list(principal.get("AWS")))
    return (everyone or "NotPrincipal" in statement) and not any(
        _fixes(operator, key, values) for operator, key, values in conditions(statement)
    )


def _fixes(operator: str, key: str, values: list[str]) -> bool:
    if key not in FIXING or operator not in OPERATORS:
        return False
    if operator == "IpAddress":
        return not any(each.endswith("/0") for each in values)
    return not any({"*", "?"} & set(each) for each in values)
