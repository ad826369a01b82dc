"""Roles, and the policies that AWS manages, which every account has.

https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_managed-vs-inline.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import moto.iam.urls
from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import get_service_model
from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AWSManagedPolicy, IAMBackend
from moto.iam.responses import IamResponse

from groundwork_lab.aws import models
from groundwork_lab.aws.context import AwsError, Context, refuse

MANAGED = re.compile(r"arn:aws:iam::aws:policy/(?:[\w+=,.@-]+/)*([\w+=,.@-]+)")


@cache
def managed() -> dict[str, dict[str, Any]]:
    """Return the policies that AWS manages, by name, as moto keeps them."""
    return dict(json.loads(aws_managed_policies_data))


class Backend(IAMBackend):
    """IAM. A policy that AWS manages is loaded when a request names it: each write is slower with all of them."""

    context: Context  # set by `install`
    _url_module = moto.iam.urls  # moto looks it up beside the class

    def load(self, name: str) -> None:
        """Load the policy with this name, if AWS manages one."""
        if name in managed():
            policy = AWSManagedPolicy.from_data(name, self.account_id, self.region_name, managed()[name])
            self.managed_policies.setdefault(policy.arn, policy)


class Responses(IamResponse):
    def call_action(self) -> Any:
        for name in managed() if self._get_action() == "ListPolicies" else named(self.params):
            self.backend.load(name)
        try:
            self._check()
        except AwsError as error:
            status, headers, body = self.serialized(ActionResult(error))
            headers, body = self._enrich_response(headers, body)
            return status, headers, body
        return super().call_action()

    def _check(self) -> None:
        found = list(
            models.violations(get_service_model("iam").operation_model(self._get_action()).input_shape, self.params)
        )
        if found:
            refuse("ValidationError", models.told(found))

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
