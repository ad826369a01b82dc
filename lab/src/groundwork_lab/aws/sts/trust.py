"""Trust policies: who may assume a role. Pure functions.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_update-role-trust-policy.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from groundwork_lab.aws.s3.policies import Request, allows, as_list, statements

EC2 = "ec2.amazonaws.com"


def trusts(document: str | Mapping[str, Any], caller: str, context: Mapping[str, str] | None = None) -> bool:
    """Return whether a trust policy lets the caller assume its role.

    `caller` is the principal of a service, or the ARN of an identity in the role's account. `context` has the condition
    keys of the request in lower case.
    """
    policy = json.loads(document) if isinstance(document, str) else document
    mine = [
        {**each, "Principal": "*", "Resource": "*"}
        for each in statements(policy)
        if is_named(each.get("Principal"), caller)
    ]
    return allows({"Statement": mine}, Request("sts:AssumeRole", "*", context=context or {}))


def is_named(principal: object, caller: str) -> bool:
    """Return whether the principal of a statement names the caller, by its ARN, its account, or as a service."""
    if principal == "*":
        return True
    if not isinstance(principal, Mapping):
        return False
    if not caller.startswith("arn:"):
        return caller in as_list(principal.get("Service"))
    account = caller.split(":")[4]
    names = {"*", caller, account, f"arn:aws:iam::{account}:root"}
    return bool(names & set(as_list(principal.get("AWS"))))
