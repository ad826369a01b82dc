"""Trust policies: who may assume a role. Pure functions.

https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_update-role-trust-policy.html
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from groundwork_lab.aws.s3.policies import Request, allows, as_list, statements

EC2 = "ec2.amazonaws.com"


def trusts(document: str | Mapping[str, Any], names: Collection[str], context: Mapping[str, str] | None = None) -> bool:
    """Return whether a trust policy lets the caller assume its role.

    `names` has the principal of a service, or the ARNs of an identity in the role's account: a session of a role has
    two. `context` has the condition keys of the request in lower case.
    """
    policy = json.loads(document) if isinstance(document, str) else document
    mine = [
        {**each, "Principal": "*", "Resource": "*"}
        for each in statements(policy)
        if is_named(each.get("Principal"), names)
    ]
    return allows({"Statement": mine}, Request("sts:AssumeRole", "*", context=context or {}))


def is_named(principal: object, names: Collection[str]) -> bool:
    """Return whether the principal of a statement names the caller, by an ARN, its account, or as a service.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
    """
    if principal == "*":
        return True
    if not isinstance(principal, Mapping):
        return False
    arns = {each for each in names if each.startswith("arn:")}
    if not arns:
        return bool(set(names) & set(as_list(principal.get("Service"))))
    accounts = {each.split(":")[4] for each in arns}
    wanted = {"*", *arns, *accounts, *(f"arn:aws:iam::{account}:root" for account in accounts)}
    return bool(wanted & set(as_list(principal.get("AWS"))))
