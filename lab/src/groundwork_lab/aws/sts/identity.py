"""The identity of a caller: the owner of an access key, and the role of an instance's keys.

https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
"""

from __future__ import annotations

from typing import Any, NoReturn

import moto.sts.urls
from moto.iam.models import iam_backends
from moto.sts.models import STSBackend, sts_backends

from groundwork_lab import credentials
from groundwork_lab.aws.context import Context, refuse
from groundwork_lab.aws.sts.trust import EC2, trusts


def role_of(context: Context, instance: Any) -> Any:
    """Return the role (moto's class) in the instance's profile, or None without a role that EC2 may assume.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/troubleshoot-iam.html
    """
    arn = (instance.iam_instance_profile or {}).get("Arn")
    profiles = iam_backends[context.account]["aws"].instance_profiles.values()
    profile = next((each for each in profiles if each.arn == arn), None)
    role = profile.roles[0] if profile is not None and profile.roles else None
    return role if role is not None and trusts(role.assume_role_policy_document, EC2) else None


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


class IdentityBackend(STSBackend):
    context: Context  # set by `install`
    _url_module = moto.sts.urls  # moto looks it up beside the class

    def assume_role(self, *, role_arn: str, external_id: str | None = None, **arguments: Any) -> Any:
        """Assume a role that exists and trusts the account.

        https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
        """
        roles = iam_backends[self.account_id]["aws"].roles.values()
        role = next((each for each in roles if each.arn == role_arn), None)
        me = f"arn:aws:iam::{self.account_id}:user/moto"
        context = {"sts:externalid": external_id} if external_id else {}
        if role is None or not trusts(role.assume_role_policy_document, me, context):
            message = f"User: {me} is not authorized to perform: sts:AssumeRole on resource: {role_arn}"
            refuse("AccessDenied", message)
        return super().assume_role(role_arn=role_arn, external_id=external_id, **arguments)

    def get_session_token(self, **_arguments: Any) -> NoReturn:
        refuse("InvalidAction", "The lab issues temporary credentials by AssumeRole only.")

    get_federation_token = get_session_token

    def get_caller_identity(self, access_key_id: str, region: str) -> tuple[str, str, str]:
        found = instance_with(self.context, access_key_id)
        if found is None:
            user_id, arn, account = super().get_caller_identity(access_key_id, region)
            return str(user_id), str(arn), str(account)
        instance, role = found
        arn = f"arn:aws:sts::{self.account_id}:assumed-role/{role.name}/{instance.id}"
        return f"{role.id}:{instance.id}", arn, self.account_id


def policy(context: Context, arn: str) -> str:
    """Return the document of a managed policy, or "" if it does not exist."""
    found = iam_backends[context.account]["aws"].managed_policies.get(arn)
    return next((str(each.document) for each in found.versions if each.is_default), "") if found else ""
