"""Who calls: STS tells an instance which role its keys are of.

https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
"""

from __future__ import annotations

from typing import Any

import moto.sts.urls
from moto.iam.models import iam_backends
from moto.sts.models import STSBackend

from groundwork_lab import credentials
from groundwork_lab.controlplane.context import Context


def role_of(context: Context, instance: Any) -> Any:
    """moto's role in the instance's profile; None without profile, or while the profile has no role."""
    arn = (instance.iam_instance_profile or {}).get("Arn")
    profiles = iam_backends[context.account]["aws"].instance_profiles.values()
    profile = next((each for each in profiles if each.arn == arn), None)
    return profile.roles[0] if profile is not None and profile.roles else None


def instance_with(context: Context, access_key_id: str) -> tuple[Any, Any] | None:
    """The instance, and its role, whose keys these are; None when they are nobody's."""
    for instance in context.ec2.all_instances():
        role = role_of(context, instance)
        if role is not None and credentials.of_instance(instance.id, role.name).access_key_id == access_key_id:
            return instance, role
    return None


class IdentityBackend(STSBackend):
    context: Context  # of the control plane in use
    _url_module = moto.sts.urls  # moto looks for it beside the class

    def get_caller_identity(self, access_key_id: str, region: str) -> tuple[str, str, str]:
        found = instance_with(self.context, access_key_id)
        if found is None:
            user_id, arn, account = super().get_caller_identity(access_key_id, region)
            return str(user_id), str(arn), str(account)
        instance, role = found
        arn = f"arn:aws:sts::{self.account_id}:assumed-role/{role.name}/{instance.id}"
        return f"{role.id}:{instance.id}", arn, self.account_id
