"""The permissions of an instance's role, from the role's policies. All other keys have all permissions.

The resources of a call are known for S3, and for services whose corrections have `resources`. For other services, an
Allow applies to its actions with any resource, and a Deny applies only if it names all resources. Bucket policies are
not evaluated for roles: the role's own policies decide.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from groundwork_lab.api.requests import Call
from groundwork_lab.aws.context import Context
from groundwork_lab.aws.corrections import Installed
from groundwork_lab.aws.errors import Answer, error_answer
from groundwork_lab.aws.s3.access import action_of
from groundwork_lab.aws.s3.policies import Request, allows, statements
from groundwork_lab.aws.sts import identity

TEMPORARY = "ASIA"  # the prefix of a role's keys
ALWAYS = frozenset({"sts:GetCallerIdentity"})  # "No permissions are required to perform this operation."
S3_NAMES = {"ListBuckets": "ListAllMyBuckets"}
ANY = "*"


def denied(context: Context, installed: Installed, call: Call, key: str, asked: Asked) -> Answer | None:
    """Return AWS' refusal if the key belongs to an instance whose role does not permit the call, or None.

    The caller holds the context's lock.
    """
    found = identity.instance_with(context, key) if key.startswith(TEMPORARY) else None
    if found is None:
        return None
    instance, role = found
    action = action_name(call, asked.query)
    policies = [*role.policies.values(), *(identity.policy(context, arn) for arn in role.managed_policies)]
    resources = asked.resources(context, installed, call)
    if action in ALWAYS:
        return None
    who = f"arn:aws:sts::{context.account}:assumed-role/{role.name}/{instance.id}"
    if not permits([json.loads(each) for each in policies if each], action, resources):
        reason = f"because no identity-based policy allows the {action} action"
    elif not permits(_boundary(context, role), action, resources):
        reason = f"because no permissions boundary allows the {action} action"
    else:
        return None
    return _refusal(call, f"User: {who} is not authorized to perform: {action} {reason}")


def _boundary(context: Context, role: Any) -> list[Mapping[str, Any]]:
    """Return the policies of which one must allow an action too: that of the permissions boundary, or all.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
    """
    if not role.permissions_boundary_arn:
        return [{"Statement": [{"Effect": "Allow", "Action": ANY, "Resource": ANY}]}]
    policy = identity.policy(context, role.permissions_boundary_arn)
    return [json.loads(policy)] if policy else []


def permits(policies: Iterable[Mapping[str, Any]], action: str, resources: Iterable[str]) -> bool:
    """Return whether the policies of an identity allow the action on all of the resources."""
    every = [statement for policy in policies for statement in statements(policy)]
    return all(_permits(every, action, resource) for resource in resources)


def _permits(every: Iterable[Mapping[str, Any]], action: str, resource: str) -> bool:
    mine = [{**statement, "Principal": ANY} for statement in every]  # an identity's policies have no Principal
    if resource == ANY:
        mine = [_of_anything(each) if each.get("Effect") == "Allow" else each for each in mine]
    return allows({"Statement": mine}, Request(action, resource))


def _of_anything(statement: Mapping[str, Any]) -> dict[str, Any]:
    return {**{name: value for name, value in statement.items() if name != "NotResource"}, "Resource": ANY}


def action_name(call: Call, query: str) -> str:
    if call.service.client == "s3":
        return action_of(call.operation, query) or f"s3:{S3_NAMES.get(call.operation, call.operation)}"
    return f"{call.service.prefix}:{call.operation}"


class Asked:
    """The parts of a request that name its resources. `address` is the ARN for S3, and "" for other services."""

    def __init__(self, query: str, body: bytes, address: str) -> None:
        self.query = query
        self._body = body
        self._address = address

    def resources(self, context: Context, installed: Installed, call: Call) -> list[str]:
        if call.service.client == "s3":
            return [self._address or ANY]
        corrections = installed.get(call.service.client)
        named = corrections.resources(context, self._body) if corrections and corrections.resources else []
        return named or [ANY]


def _refusal(call: Call, message: str) -> Answer:
    protocol = call.service.protocol
    if protocol == "ec2":
        return error_answer(protocol, "UnauthorizedOperation", f"You are not authorized. {message}", 403)
    if protocol in ("json", "rest-json"):
        return error_answer(protocol, "AccessDeniedException", message, 400)
    return error_answer(protocol, "AccessDenied", message, 403)


def unknown(call: Call) -> Answer:
    """Return AWS' refusal of a key that does not exist, with the wording of the protocol.

    https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html,
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html#CommonErrors and
    https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
    """
    protocol = call.service.protocol
    if protocol == "s3":
        message = "The AWS Access Key Id you provided does not exist in our records."
        return error_answer(protocol, "InvalidAccessKeyId", message, 403)
    if protocol == "ec2":
        message = "AWS was not able to validate the provided access credentials"
        return error_answer(protocol, "AuthFailure", message, 401)
    message = "The security token included in the request is invalid."
    if protocol in ("json", "rest-json"):
        return error_answer(protocol, "UnrecognizedClientException", message, 400)
    return error_answer(protocol, "InvalidClientTokenId", message, 403)
