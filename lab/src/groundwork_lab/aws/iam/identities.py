"""Users, roles, and the policies that AWS manages, which every account has.

https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import moto.iam.urls
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import camelcase_to_underscores
from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AccessKey, AWSManagedPolicy, IAMBackend, ManagedPolicy
from moto.iam.responses import IamResponse
from moto.iam.utils import generate_access_key_id_from_account_id

from groundwork_lab import credentials
from groundwork_lab.aws import validating
from groundwork_lab.aws.context import Context
from groundwork_lab.aws.iam import pages

MANAGED = re.compile(r"arn:aws:iam::aws:policy/(?:[\w+=,.@-]+/)*([\w+=,.@-]+)")


@cache
def managed() -> dict[str, dict[str, Any]]:
    """Return the policies that AWS manages, by name, as moto keeps them."""
    return dict(json.loads(aws_managed_policies_data))


class Used:
    """A managed policy that tells how many users and roles have it as their permissions boundary.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_Policy.html
    """

    backend: IAMBackend
    arn: str

    @property
    def permissions_boundary_usage_count(self) -> int:
        owners = (*self.backend.roles.values(), *self.backend.users.values())
        return sum(getattr(each, "permissions_boundary_arn", None) == self.arn for each in owners)


class LocalPolicy(Used, ManagedPolicy):
    """A policy that the account manages."""


class AwsPolicy(Used, AWSManagedPolicy):
    """A policy that AWS manages."""


class Backend(IAMBackend):
    """IAM. A policy that AWS manages is loaded when a request names it: each write is slower with all of them."""

    context: Context  # set by `install`
    _url_module = moto.iam.urls  # moto looks it up beside the class

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        user = self.create_user(region_name, credentials.USER)
        key = AccessKey(user.name, "AKIA", account_id)
        key.access_key_id = credentials.ACCESS_KEY
        user.access_keys.append(key)

    def _unique_id(self, prefix: str) -> str:
        """Return a unique ID.

        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
        """
        return str(generate_access_key_id_from_account_id(self.account_id, prefix=prefix, total_length=21))

    def create_user(self, *arguments: Any, **options: Any) -> Any:
        user = super().create_user(*arguments, **options)
        user.id = self._unique_id("AIDA")
        return user

    def create_group(self, *arguments: Any, **options: Any) -> Any:
        group = super().create_group(*arguments, **options)
        group.id = self._unique_id("AGPA")
        return group

    def create_instance_profile(self, *arguments: Any, **options: Any) -> Any:
        profile = super().create_instance_profile(*arguments, **options)
        profile.id = self._unique_id("AIPA")
        return profile

    def create_policy(self, *arguments: Any, **options: Any) -> Any:
        policy = super().create_policy(*arguments, **options)
        policy.id = self._unique_id("ANPA")
        return policy

    def load(self, name: str) -> None:
        """Load the policy with this name, if AWS manages one."""
        if name in managed():
            policy = AwsPolicy.from_data(name, self.account_id, self.region_name, managed()[name])
            self.managed_policies.setdefault(policy.arn, policy)


class Responses(IamResponse):
    def call_action(self) -> Any:
        operation = self._get_action()
        for name in managed() if operation == "ListPolicies" else named(self.params):
            self.backend.load(name)
        try:
            validating.check("iam", operation, self.params)
            result = self._listed(operation) if pages.list_in(operation) else None
        except ServiceException as error:
            result = ActionResult(error)
        if result is None:
            return super().call_action()
        status, headers, body = self.serialized(result)
        headers, body = self._enrich_response(headers, body)
        return status, headers, body

    def _listed(self, operation: str) -> ActionResult:
        """Return a page of a list, of what is below the path. moto reads these parameters in some operations only."""
        size, marker = self.params.pop("MaxItems", None), self.params.pop("Marker", None)
        self.params["MaxItems"] = pages.ALL  # moto's pages
        result = self._whole_list(operation).result
        member = str(pages.list_in(operation))
        items = pages.below(self.params.get("PathPrefix"), result.get(member) or [])
        found, following = pages.page(items, size, marker, operation)
        return ActionResult({**result, member: found, "IsTruncated": following is not None, "Marker": following})

    def _whole_list(self, operation: str) -> ActionResult:
        if operation in pages.EMPTY:
            if "UserName" in self.params:
                self.backend.get_user(self.params["UserName"])
            return ActionResult({})
        answer: ActionResult = getattr(self, camelcase_to_underscores(operation))()
        return answer

    def update_role(self) -> ActionResult:
        """Change what is in the request. moto resets the rest to its defaults."""
        role = self.backend.get_role(self.params["RoleName"])
        role.description = self.params.get("Description", role.description)
        role.max_session_duration = self.params.get("MaxSessionDuration", role.max_session_duration)
        return EmptyResult()


def named(given: Any) -> Iterator[str]:
    """Yield the names of the policies of AWS in the parameters of a request."""
    if isinstance(given, dict | list):
        for each in given.values() if isinstance(given, dict) else given:
            yield from named(each)
    elif isinstance(given, str) and (found := MANAGED.fullmatch(given)):
        yield found[1]
