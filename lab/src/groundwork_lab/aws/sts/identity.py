"""The identity of a caller: the owner of an access key, and the role of an instance's keys.

https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
"""

from __future__ import annotations

from typing import Any, NamedTuple, NoReturn

import moto.sts.urls
from moto.core.responses import ActionResult
from moto.iam.models import iam_backends
from moto.sts.models import STSBackend, sts_backends
from moto.sts.responses import TokenResponse

from groundwork_lab import credentials
from groundwork_lab.aws.context import Context, refuse
from groundwork_lab.aws.sts.trust import EC2, trusts
from groundwork_lab.aws.validating import Checked


def role_of(context: Context, instance: Any) -> Any:
    """Return the role (moto's class) in the instance's profile, or None without a role that EC2 may assume.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/troubleshoot-iam.html
    """
    arn = (instance.iam_instance_profile or {}).get("Arn")
    profiles = iam_backends[context.account]["aws"].instance_profiles.values()
    profile = next((each for each in profiles if each.arn == arn), None)
    role = profile.roles[0] if profile is not None and profile.roles else None
    return role if role is not None and trusts(role.assume_role_policy_document, {EC2}) else None


def instance_with(context: Context, access_key_id: str) -> tuple[Any, Any] | None:
    """Return the instance that has this access key, and its role, or None."""
    for instance in context.ec2.all_instances():
        role = role_of(context, instance)
        if role is not None and credentials.of_instance(instance.id, role.name).access_key_id == access_key_id:
            return instance, role
    return None


def is_known(context: Context, access_key_id: str) -> bool:
    """Return whether the key belongs to the lab's user, an IAM user, an assumed role, or an instance."""
    if access_key_id == credentials.ACCESS_KEY:
        return True
    users = iam_backends[context.account]["aws"].get_all_access_keys_for_all_users()
    assumed = sts_backends[context.account]["aws"].get_assumed_role_from_access_key(access_key_id)
    active = any(key.access_key_id == access_key_id and key.status == "Active" for key in users)
    return active or assumed is not None or instance_with(context, access_key_id) is not None


class Caller(NamedTuple):
    """The identity that makes a request. `role` is the ARN of the role of a session, and "" for a user."""

    user_id: str
    arn: str
    role: str = ""

    @property
    def names(self) -> frozenset[str]:
        """Return the ARNs by which a trust policy names the caller."""
        return frozenset({self.arn, self.role or self.arn})

    def context(self, source: str, session: str, external_id: str | None) -> dict[str, str]:
        """Return the condition keys of a request to assume a role.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html and
        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
        """
        keys = {
            "aws:principalaccount": self.arn.split(":")[4],
            "aws:principalarn": self.role or self.arn,
            "aws:sourceip": source,
            "aws:userid": self.user_id,
            "sts:externalid": external_id or "",
            "sts:rolesessionname": session,
        }
        return {key: value for key, value in keys.items() if value}


def caller_of(context: Context, access_key_id: str) -> Caller:
    """Return whose the access key is: an instance's, a session's, or a user's.

    Without a user, which means that the user of the lab's key was deleted, it is the account's.
    """
    found = instance_with(context, access_key_id)
    if found is not None:
        instance, role = found
        arn = f"arn:aws:sts::{context.account}:assumed-role/{role.name}/{instance.id}"
        return Caller(f"{role.id}:{instance.id}", arn, role.arn)
    assumed = sts_backends[context.account]["aws"].get_assumed_role_from_access_key(access_key_id)
    if assumed is not None:
        return Caller(assumed.user_id, assumed.arn, assumed.role_arn)
    user = iam_backends[context.account]["aws"].get_user_from_access_key_id(access_key_id)
    if user is not None:
        return Caller(user.id, user.arn)
    return Caller(context.account, f"arn:aws:iam::{context.account}:root")


class IdentityBackend(STSBackend):
    context: Context  # set by `install`
    _url_module = moto.sts.urls  # moto looks it up beside the class

    def get_session_token(self, **_arguments: Any) -> NoReturn:
        refuse("InvalidAction", "The lab issues temporary credentials by AssumeRole only.")

    get_federation_token = get_session_token

    def get_caller_identity(self, access_key_id: str, region: str) -> tuple[str, str, str]:  # noqa: ARG002 - moto's signature
        caller = caller_of(self.context, access_key_id)
        return caller.user_id, caller.arn, self.account_id


class IdentityResponses(Checked, TokenResponse):
    def setup_class(self, request: Any, *arguments: Any, **options: Any) -> None:
        super().setup_class(request, *arguments, **options)
        self._source = str(request.remote_addr or "")

    def assume_role(self) -> ActionResult:
        """Assume a role that exists and trusts the caller.

        https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
        """
        named, session = self._get_param("RoleArn"), self._get_param("RoleSessionName")
        roles = iam_backends[self.current_account]["aws"].roles.values()
        role = next((each for each in roles if each.arn == named), None)
        caller = caller_of(IdentityBackend.context, self.get_access_key())
        keys = caller.context(self._source, session, self._get_param("ExternalId"))
        if role is None or not trusts(role.assume_role_policy_document, caller.names, keys):
            message = f"User: {caller.arn} is not authorized to perform: sts:AssumeRole on resource: {named}"
            refuse("AccessDenied", message)
        return super().assume_role()


def policy(context: Context, arn: str) -> str:
    """Return the document of a managed policy, or "" if it does not exist."""
    found = iam_backends[context.account]["aws"].managed_policies.get(arn)
    return next((str(each.document) for each in found.versions if each.is_default), "") if found else ""
